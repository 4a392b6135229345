"""Merging and taking apart: everything follows, nothing is lost, and all goes back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.beneficiaries import services as beneficiaries
from guyub.beneficiaries.models import Delivery, Enrolment, Stage
from guyub.datasets.models import Version
from guyub.discussions import services as talk
from guyub.discussions.models import Thread
from guyub.proposals.models import Proposal
from guyub.reconciliation import following
from guyub.reconciliation.models import Merge, MergedRow
from guyub.reconciliation.services import (
    blocking,
    merge_households,
    merge_people,
    unmerge,
)
from guyub.reconciliation.tests.snapshots import differing, snapshot
from guyub.registry import queries as registry_queries
from guyub.registry import services as registry
from guyub.registry.models import AreaCount, Household, Listing, Person, Photo, ValueChange
from guyub.registry.services import RegistryError
from guyub.registry.vocabulary import Status

WHY = "Satu keluarga tercatat dua kali."


def add_member(home: Any, nik: str, name: str, **values: Any) -> Person:
    values.setdefault("sex", "F")
    return registry.add_person(
        home, {"nik": nik, "name": name, **values}, as_of=dt.date(2026, 1, 5), actor=None
    )


@pytest.fixture
def pair(make_household: Any) -> tuple[Any, Any]:
    """Two records of one household: the duplicate first."""
    loser = make_household(name="Tukiman", address="Jalan Mawar 3", floor="earth", desil=2)
    survivor = make_household(name="Tukimin", address="Jl. Mawar 3", floor="cement", desil=1)
    return loser, survivor


def everything_at(home: Any, sub: Any, dataset: Any, author: Any) -> None:
    """Let a household have one of all that can point at it."""
    version = Version.objects.get_or_create(
        dataset=dataset, number=1, defaults={"as_of": dt.date(2026, 1, 1), "digest": "x"}
    )[0]
    Listing.objects.create(household=home, dataset=dataset, first_version=version)
    Photo.objects.create(household=home, added_by=author, file="photos/x.jpg")
    talk.write(home, "Sudah dikunjungi tadi pagi.", author=author)
    enrolment = beneficiaries.enrol(sub, household=home, person=None, actor=author)
    for stage in ("verified", "enrolled"):
        beneficiaries.move(enrolment, stage, actor=author)
    beneficiaries.record_delivery(
        enrolment, delivered_on=dt.date(2026, 2, 1), amount=100, actor=author
    )
    Proposal.objects.create(
        code=f"K{home.pk}", kind="object", village=home.village, household=home, reason="Mampu."
    )


def test_nothing_points_at_a_record_that_is_not_followed():
    assert following.undeclared() == []


def test_the_check_sees_what_nobody_declared(monkeypatch):
    monkeypatch.delitem(following._followings, (Photo, "household"))
    assert following.undeclared() == ["registry.Photo.household"]


def test_everything_follows_and_goes_back(pair, make_sub_activity, make_dataset, make_user):
    loser, survivor = pair
    author, sub, dataset = make_user(Role.SECRETARIAT), make_sub_activity(), make_dataset()
    everything_at(loser, sub, dataset, author)
    before = snapshot()
    merge = merge_households(loser, survivor, picked=["floor", "desil"], reason=WHY, actor=author)
    loser.refresh_from_db()
    survivor.refresh_from_db()
    assert (loser.status, loser.merged_into_id, loser.member_count) == ("merged", survivor.pk, 0)
    assert (survivor.floor, survivor.desil, survivor.member_count) == ("earth", 2, 2)
    assert survivor.address == "Jl. Mawar 3"
    assert survivor.origin_id_of("floor") == loser.origin_id_of("floor")
    assert survivor.members.filter(relation="head").count() == 1
    for one in (survivor.listings, survivor.photos, survivor.enrolments, survivor.proposals):
        assert one.count() == 1
    assert Thread.objects.get().subject_id == str(survivor.pk)
    assert AreaCount.objects.get(desil=2).households == 1
    assert not AreaCount.objects.filter(desil=1).exists()
    assert ValueChange.objects.filter(subject_id=survivor.pk, field="floor", new="earth").exists()
    found = registry_queries.search(author, "Mawar", registry_queries.Filters())
    assert [row.household.pk for row in found.rows] == [survivor.pk]
    event = Event.objects.get(action="reconciliation.merge.households")
    assert event.reason == WHY
    assert "nik" not in str(event.detail)

    undone = unmerge(merge, reason="Ternyata dua keluarga berbeda.", actor=author)
    assert undone.kept == []
    assert differing(before, snapshot()) == {}


def test_the_same_help_and_the_same_list_on_both_sides(
    pair, make_sub_activity, make_dataset, make_user
):
    loser, survivor = pair
    author, sub, dataset = make_user(Role.SECRETARIAT), make_sub_activity(), make_dataset()
    for home in pair:
        everything_at(home, sub, dataset, author)
    Listing.objects.filter(household=survivor).update(dropped_version=Version.objects.get())
    own = Enrolment.objects.get(household=survivor)
    Delivery.objects.filter(enrolment=own).delete()
    Enrolment.objects.filter(pk=own.pk).update(stage=Stage.VERIFIED)
    before = snapshot()
    merge = merge_households(loser, survivor, picked=(), reason=WHY, actor=author)
    own.refresh_from_db()
    assert own.stage == Stage.DELIVERED
    assert own.deliveries.get().amount == 100
    double = Enrolment.objects.get(household=loser)
    assert double.stage == Stage.WITHDRAWN
    assert survivor.listings.get().dropped_version is None
    thread = Thread.objects.get(subject_id=str(survivor.pk))
    assert thread.message_count == thread.messages.count() == 2
    unmerge(merge, reason="Ternyata dua keluarga berbeda.", actor=author)
    assert differing(before, snapshot()) == {}


def test_edits_since_stay_and_are_told(pair, make_user):
    loser, survivor = pair
    actor = make_user(Role.SECRETARIAT)
    merge = merge_households(loser, survivor, picked=["floor", "desil"], reason=WHY, actor=actor)
    registry.edit_household(
        survivor, {"floor": "ceramic", "roof": "tile"}, as_of=dt.date(2026, 3, 1), actor=actor
    )
    undone = unmerge(merge, reason="Ternyata dua keluarga berbeda.", actor=actor)
    survivor.refresh_from_db()
    assert (survivor.floor, survivor.roof, survivor.desil) == ("ceramic", "tile", 1)
    assert undone.kept == [["registry.household", survivor.pk, "floor"]]
    manual = survivor.origins["floor"]
    assert manual == survivor.origins["roof"]
    assert "desil" not in survivor.origins


def test_people_merge_with_what_they_receive(pair, make_sub_activity, make_user):
    loser, survivor = pair
    actor = make_user(Role.SECRETARIAT)
    sub = make_sub_activity(recipient="person")
    double, own = loser.members.get(), survivor.members.get()
    beneficiaries.enrol(sub, household=loser, person=double, actor=actor)
    before = snapshot()
    merge = merge_people(double, own, picked=["name"], reason=WHY, actor=actor)
    own.refresh_from_db()
    double.refresh_from_db()
    assert own.name == "TUKIMAN"
    assert own.nik != double.nik
    assert Enrolment.objects.get(person=own).household_id == survivor.pk
    assert double.household_id == survivor.pk
    loser.refresh_from_db()
    assert loser.member_count == 0
    # The number of the duplicate finds the survivor, and the duplicate moves with it.
    answer = registry_queries.search(actor, double.nik, registry_queries.Filters())
    assert [row.person.pk for row in answer.rows] == [own.pk]
    with pytest.raises(RegistryError, match="sudah digabung"):
        registry.edit_person(double, {"name": "X"}, as_of=dt.date(2026, 3, 1), actor=actor)
    registry.move_person(
        own, loser, moved_on=dt.date(2026, 3, 1), reason="Pindah rumah", relation="head",
        actor=actor,
    )  # fmt: skip
    double.refresh_from_db()
    own.refresh_from_db()
    assert double.household_id == loser.pk
    registry.move_person(
        own, survivor, moved_on=dt.date(2026, 3, 2), reason="Kembali", relation="head", actor=actor
    )
    unmerge(merge, reason="Ternyata dua orang berbeda.", actor=actor)
    left = differing(before, snapshot())
    # The two moves remain, with the relation's origin; all else is as before.
    assert set(left) <= {"registry.Move", "registry.Person"}
    double.refresh_from_db()
    assert (double.status, double.household_id) == (Status.ACTIVE, loser.pk)


def test_members_found_to_be_one_go_along_and_come_back(pair, make_user):
    loser, survivor = pair
    actor = make_user(Role.SECRETARIAT)
    child = add_member(loser, "3302014101150001", "Siti", birth_date=dt.date(2015, 1, 1))
    same = add_member(survivor, "3302014101150002", "Siti", birth_date=dt.date(2015, 1, 1))
    before = snapshot()
    merge = merge_households(
        loser, survivor, picked=(), reason=WHY, actor=actor, same_people=[(child.pk, same.pk)]
    )
    survivor.refresh_from_db()
    assert survivor.member_count == 3
    assert merge.children.get().loser_id == child.pk
    unmerge(merge, reason="Ternyata dua keluarga berbeda.", actor=actor)
    assert merge.children.get().undone_at is not None
    assert differing(before, snapshot()) == {}


def test_a_later_merge_is_undone_first(make_household, make_user):
    a, b, c = (make_household(name=name) for name in ("Amir", "Budi", "Cecep"))
    actor = make_user(Role.SECRETARIAT)
    first = merge_households(a, b, picked=(), reason=WHY, actor=actor)
    second = merge_households(b, c, picked=(), reason=WHY, actor=actor)
    a.refresh_from_db()
    assert a.merged_into_id == c.pk, "the pointer never leads to one that is merged itself"
    assert blocking(first) == [second]
    with pytest.raises(ValidationError, match=f"nomor {second.pk}"):
        unmerge(first, reason="Ternyata dua keluarga berbeda.", actor=actor)
    unmerge(second, reason="Ternyata dua keluarga berbeda.", actor=actor)
    unmerge(first, reason="Ternyata dua keluarga berbeda.", actor=actor)
    with pytest.raises(ValidationError, match="sudah dipisah"):
        unmerge(first, reason="Ternyata dua keluarga berbeda.", actor=actor)


def test_what_is_refused(pair, make_household, make_user):
    loser, survivor = pair
    actor = make_user(Role.SECRETARIAT)

    def merge(one: Any, other: Any, reason: str = WHY, **more: Any) -> None:
        merge_households(one, other, picked=(), reason=reason, actor=actor, **more)

    with pytest.raises(ValidationError, match="berbeda"):
        merge(loser, loser)
    with pytest.raises(ValidationError, match="alasannya"):
        merge(loser, survivor, "sama")
    with pytest.raises(ValidationError, match="Tukar arahnya"):
        merge(survivor, make_household(name="Tanpa KK", kk=""))
    strangers = [(survivor.members.get().pk, loser.members.get().pk)]
    with pytest.raises(ValidationError, match="disamakan"):
        merge(loser, survivor, same_people=strangers)
    assert not Merge.objects.exists()
    assert not MergedRow.objects.exists()
    merge(loser, survivor)
    with pytest.raises(ValidationError, match="sudah digabung"):
        merge(make_household(name="Lain"), loser)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5)), max_size=9))
@pytest.mark.django_db
def test_any_order_loses_nothing_and_returns(deeds, four_homes):
    """Merges and undoings in any legal order, of households and people, end as all began."""
    from django.db import transaction

    homes, people = four_homes
    with transaction.atomic():
        before = snapshot()
        counted = {label: len(rows) for label, rows in before.items()}
        for undo, one, other in deeds:
            open_merges = list(Merge.objects.filter(undone_at=None, parent=None).order_by("pk"))
            try:
                if undo and open_merges:
                    unmerge(open_merges[one % len(open_merges)], reason=WHY, actor=None)
                elif one % 2:
                    merge_people(
                        people[one % 4], people[other % 4], picked=["name", "relation"],
                        reason=WHY, actor=None,
                    )  # fmt: skip
                else:
                    merge_households(
                        homes[one % 4], homes[other % 4], picked=["desil", "address", "village"],
                        reason=WHY, actor=None,
                    )  # fmt: skip
            except ValidationError:
                continue
            now = snapshot()
            for label in ("registry.Household", "registry.Person", "beneficiaries.Enrolment",
                          "beneficiaries.Delivery", "discussions.Message"):  # fmt: skip
                assert len(now[label]) == counted[label]
            for model in (Household, Person):
                assert not model.objects.filter(merged_into__merged_into__isnull=False).exists()
        for merge in Merge.objects.filter(undone_at=None, parent=None).order_by("-pk"):
            merge.refresh_from_db()
            if merge.undone_at is None:
                unmerge(merge, reason=WHY, actor=None)
        assert differing(before, snapshot()) == {}
        transaction.set_rollback(True)


@pytest.fixture
def four_homes(make_household, make_sub_activity, make_dataset, make_user):
    """Four households in two villages with help and talk, two in the same sub-activity."""
    author, sub = make_user(Role.SECRETARIAT), make_sub_activity()
    homes = [
        make_household(
            ("33.02.01.2001", "33.02.01.2002")[i % 2], name=name, address=f"Dusun {name}"
        )
        for i, name in enumerate(("Amir", "Budi", "Cecep", "Dadang"))
    ]
    for home in homes[:3]:
        everything_at(home, sub, make_dataset(), author)
    return homes, [home.members.get() for home in homes]


# Pages


def test_pages_from_comparing_to_taking_apart(pair, client_for):
    loser, survivor = pair
    client = client_for(Role.SECRETARIAT)
    url = reverse("reconciliation:merge_households", args=[loser.pk, survivor.pk])
    page = client.get(f"{url}?utama={survivor.pk}").content.decode()
    assert "Jalan Mawar 3" in page
    assert loser.kk not in page
    values = {"utama": survivor.pk, "v_floor": "right", "v_desil": "left", "v_address": "left"}
    answer = client.post(url, values | {"reason": "pendek", "former_head": "other_kin"})
    assert answer.status_code == 422
    answer = client.post(url, values | {"reason": WHY, "former_head": "child"}, follow=True)
    merge = Merge.objects.get()
    assert "Data sudah digabung" in answer.content.decode()
    assert (merge.survivor_id, merge.picked) == (survivor.pk, ["floor"])
    old = client.get(reverse("registry:household", args=[loser.pk]), follow=True)
    assert old.redirect_chain == [(reverse("registry:household", args=[survivor.pk]), 302)]
    assert "sudah digabung ke keluarga ini" in old.content.decode()
    assert "Keluarga ganda digabung" in old.content.decode()
    undo = reverse("reconciliation:unmerge", args=[merge.pk])
    assert client.get(undo).status_code == 200
    done = client.post(undo, {"reason": "Ternyata dua keluarga."}, follow=True)
    assert "terpisah lagi" in done.content.decode()
    assert "Dipisah lagi" in client.get(reverse("reconciliation:merges")).content.decode()


def test_lists_read_few_queries(pair, make_household, client_for, django_assert_max_num_queries):
    _loser, survivor = pair
    for name in ("Amir", "Budi", "Cecep"):
        merge_households(make_household(name=name), survivor, picked=(), reason=WHY, actor=None)
    client = client_for(Role.SECRETARIAT)
    with django_assert_max_num_queries(16):
        assert client.get(reverse("reconciliation:merges")).status_code == 200


@pytest.mark.usefixtures("as_web_role")
def test_a_village_reads_of_a_merge_with_a_record_of_another_village(make_household, client_for):
    survivor, loser = make_household(), make_household("33.02.17.2001", name="Tukimin")
    merge = merge_households(loser, survivor, picked=(), reason=WHY, actor=None)
    page = client_for(Role.AREA_OPERATOR).get(reverse("reconciliation:merge", args=[merge.pk]))
    assert str(loser) in page.content.decode()


@pytest.mark.parametrize("kind", ["households", "people"])
def test_two_records_known_to_be_one_are_found_and_compared(
    kind, make_household, client_for, django_assert_max_num_queries
):
    first = make_household(name="Warsito Hadi")
    second = make_household(name="Sutini Rahayu")
    secretary, people = client_for(Role.SECRETARIAT), kind == "people"
    assert "/rekonsiliasi/gabung/cari/" in secretary.get("/rekonsiliasi/gabung/").text
    url = "/rekonsiliasi/gabung/cari/" + ("?orang=1" if people else "")
    one, other = (home.members.get().pk if people else home.pk for home in (first, second))
    found = secretary.post(url, {"cari": "3302011203850001"}).text
    assert f"pertama={one}" in found
    assert "3302011203850001" not in found.replace('value="3302011203850001"', "")
    chosen = f"{url}{'&' if people else '?'}pertama={one}"
    with django_assert_max_num_queries(14):
        page = secretary.post(chosen, {"cari": "3302010101010002"}).text
    compare = reverse(f"reconciliation:merge_{kind}", args=[one, other])
    assert compare in page
    assert secretary.get(compare).status_code == 200
    assert "hanya data pertama" in secretary.post(chosen, {"cari": "3302010101010001"}).text
    assert secretary.get(f"{url}{'&' if people else '?'}pertama=0x1").status_code == 404
    assert client_for(Role.REGENT).get(url).status_code == 403
