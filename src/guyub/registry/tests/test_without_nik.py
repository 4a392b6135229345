"""Children who have no NIK yet: recorded once, found by nobody's number, in nobody's way."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.proposals.models import Proposal
from guyub.reconciliation import services as reconciliation
from guyub.reconciliation.queries import better_first
from guyub.registry import restriction
from guyub.registry import services as registry
from guyub.registry.models import Person
from guyub.registry.services import RegistryError

BORN = timezone.localdate() - dt.timedelta(days=40)
CHILD = {"name": "Sari Dewi", "sex": "F", "birth_date": BORN, "relation": "child"}
NIK = "3302015503150009"


def add(home, **values):
    return registry.add_person(home, {**CHILD, **values}, as_of=dt.date(2026, 11, 1), actor=None)


def test_children_of_several_families_may_be_without_a_nik(make_household):
    children = [add(make_household()) for _number in range(2)]
    assert {child.nik for child in Person.objects.filter(nik="")} == {""}
    assert Person.objects.filter(nik="").count() == 2
    assert children[0].masked_nik == ""
    child = Person.objects.get(pk=children[0].pk)
    registry.edit_person(child, {"nik": NIK}, as_of=dt.date(2026, 11, 2), actor=None)
    assert Person.objects.get(nik=NIK) == child
    with pytest.raises(RegistryError, match="tidak bisa dihapus"):
        registry.edit_person(child, {"nik": ""}, as_of=dt.date(2026, 11, 3), actor=None)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"relation": "head"}, "Kepala keluarga"),
        ({"relation": ""}, "hubungannya"),
        ({"birth_date": None}, "tanggal lahir"),
        ({"birth_date": dt.date(1990, 1, 1)}, "17 tahun"),
    ],
)
def test_whoever_is_no_child_needs_a_nik(make_household, values, why):
    with pytest.raises(RegistryError, match=why):
        add(make_household(), **values)


def test_a_child_is_recorded_once_in_a_family_however_the_name_is_written(make_household):
    home = make_household()
    child = add(home)
    with pytest.raises(RegistryError, match="sudah tercatat"):
        add(home, name="sari  dewi.")
    add(home, name="Sari Dewa")
    with pytest.raises(RegistryError, match="Kepala keluarga"):
        registry.edit_person(child, {"relation": "head"}, as_of=dt.date(2026, 11, 1), actor=None)


def test_a_restricted_child_without_a_nik_hides_nothing_of_others(make_household, village):
    child = add(make_household())
    restriction.place(child, reason="Atas permintaannya", actor=None)
    Proposal.objects.create(
        village=village, head_name="Wagiman", kind="add", reason_kind="poor", reason="-", code="1"
    )
    assert restriction.open_numbers(Proposal.objects.all()).count() == 1
    assert restriction.sealed_numbers() == ([], [])


def test_of_two_records_of_a_child_the_one_with_the_number_stands(make_household):
    home = make_household()
    child, numbered = add(home), add(home, nik=NIK, name="Sari D")
    assert better_first("p", child, numbered) == (numbered, child)
    with pytest.raises(ValidationError, match="punya NIK"):
        reconciliation.merge_people(numbered, child, picked=(), reason="Anak yang sama", actor=None)
    reconciliation.merge_people(
        child, numbered, picked=("name",), reason="Anak yang sama", actor=None
    )
    numbered.refresh_from_db()
    assert (numbered.name, numbered.nik) == ("SARI DEWI", NIK)


def test_families_that_are_one_keep_the_number_of_a_child_of_both(make_household):
    one, other = make_household(), make_household()
    numbered, child = add(one, nik=NIK), add(other)
    reconciliation.merge_households(
        one, other, picked=(), reason="Keluarga yang sama", actor=None,
        same_people=[(numbered.pk, child.pk)],
    )  # fmt: skip
    child.refresh_from_db()
    numbered.refresh_from_db()
    assert (child.merged_into_id, numbered.household_id) == (numbered.pk, other.pk)


def test_the_form_takes_a_child_without_a_nik_and_says_who_else_needs_one(
    make_household, client_for
):
    home = make_household()
    client, path = client_for(Role.SECRETARIAT), reverse("registry:add_person", args=[home.pk])
    given = {**CHILD, "birth_date": BORN.isoformat(), "as_of": "2026-11-01"}
    refused = client.post(path, {**given, "birth_date": "1990-01-01"})
    assert "17 tahun" in refused.content.decode()
    assert client.post(path, given).status_code == 302
    child = home.members.get(nik="")
    page = client.get(reverse("registry:household", args=[home.pk])).content.decode()
    assert "belum ada NIK" in page
    edit = reverse("registry:edit_person", args=[child.pk])
    assert (
        client.post(edit, {**given, "nik": "3302015503150009", "confirmed": "on"}).status_code
        == 302
    )
    child.refresh_from_db()
    assert child.nik == NIK
