"""Row-level security on PostgreSQL: what a page that forgot its guard can read, and what it costs."""

from __future__ import annotations

import json
import re

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import ProgrammingError, connection, transaction
from django.http import JsonResponse
from django.test import RequestFactory
from django.urls import reverse

from guyub.access import wall
from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.access.roles import Role
from guyub.access.wall import WallMiddleware
from guyub.beneficiaries import services as beneficiaries
from guyub.beneficiaries.models import Delivery, Enrolment, EnrolmentStep
from guyub.discussions.models import Attachment, Message, Thread
from guyub.proposals.models import Proposal, ProposalFile, ProposalStep
from guyub.registry import restriction
from guyub.registry.models import (
    AddressKey,
    Household,
    Listing,
    Move,
    Person,
    PersonKey,
    Restriction,
    ValueChange,
)
from guyub.registry.services import RegistryError, create_household, edit_household
from guyub.testing import signed_in_as
from guyub.ui.context import NAVIGATION

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL only"),
]
OWN, OTHER = "33.02.01.2001", "33.02.17.2001"


@pytest.fixture
def homes(make_household, make_sub_activity, make_user):
    """A household in each of two districts, with all that hangs on one."""
    found, sub_activity = {}, make_sub_activity()
    author = make_user(Role.SECRETARIAT)
    for code in (OWN, OTHER):
        home = make_household(code, desil=2)
        edit_household(home, {"desil": 1}, as_of=home.created_at.date(), actor=None)
        enrolment = beneficiaries.enrol(sub_activity, household=home, person=None, actor=None)
        Delivery.objects.create(
            enrolment=enrolment, sub_activity=sub_activity, delivered_on="2026-01-05", amount=1
        )
        restriction.place(home.members.get(), reason="Permintaan", actor=None)
        thread = Thread.objects.create(subject_type="registry.household", subject_id=home.pk)
        message = Message.objects.create(thread=thread, author=author, text="Sudah dicek")
        Attachment.objects.create(message=message, name="a.pdf", media_type="x", size=1)
        proposal = Proposal.objects.create(
            village=home.village, head_name="Wagiman", kind="add", reason_kind="poor", reason="-",
            code=code.replace(".", ""),
        )  # fmt: skip
        step = ProposalStep.objects.create(
            proposal=proposal, kind="submitted", happened_on="2026-01-05"
        )
        ProposalFile.objects.create(step=step, name="a.jpg", media_type="image/jpeg")
        found[code] = home
    for home, other in ((found[OWN], found[OTHER]), (found[OTHER], found[OTHER])):
        Move.objects.create(
            person=other.members.get(), from_household=home, to_household=other,
            moved_on="2026-01-05", origin=home.origin,
        )  # fmt: skip
    return found


@pytest.fixture
def bound(homes, web_role):
    """Sign in as a role that the wall binds, as the web process does."""
    with signed_in_as(web_role):
        yield
        wall.apply(wall.ALL)


def everybody(request, *_args):
    """A page that forgot to ask who looks: all rows of all personal tables, by village."""
    return JsonResponse(
        {
            "households": list(Household.objects.values_list("village__code", flat=True)),
            "people": list(Person.objects.values_list("household__village__code", flat=True)),
            "bare people": Person.objects.count(),
            "changes": ValueChange.objects.count(),
            "listings": Listing.objects.count(),
            "enrolments": Enrolment.objects.count(),
            "proposals": Proposal.objects.count(),
            "name keys": PersonKey.objects.values("person_id").distinct().count(),
            "address keys": AddressKey.objects.values("household_id").distinct().count(),
        }
    )


def asked_by(user, view):
    request = RequestFactory().get("/")
    request.user = user
    return json.loads(WallMiddleware(view)(request).content)


def test_an_area_operator_reads_no_other_area_even_where_the_page_forgot(bound, make_user):
    assert wall.stands()
    operator = make_user(Role.AREA_OPERATOR)
    seen = asked_by(operator, requires("registry.view")(everybody))
    assert (seen["households"], seen["people"]) == ([OWN], [OWN])
    assert [seen[name] for name in ("bare people", "changes", "enrolments", "proposals")] == [1] * 4
    assert seen["name keys"] == 1


def test_a_page_without_any_guard_reads_nothing(bound, make_user):
    for role in (Role.AREA_OPERATOR, Role.SECRETARIAT):
        seen = asked_by(make_user(role), everybody)
        assert not any(seen.values()), seen


def test_others_read_what_their_permission_reaches(bound, make_user):
    for role in (Role.SECRETARIAT, Role.AGENCY_OPERATOR):
        seen = asked_by(make_user(role), requires("registry.view")(everybody))
        assert (sorted(seen["households"]), seen["enrolments"]) == ([OWN, OTHER], 2)
    with pytest.raises(PermissionDenied):
        asked_by(make_user(Role.REGENT), requires("registry.view")(everybody))
    # Sums without names reach the whole regency.
    assert asked_by(make_user(Role.REGENT), requires("home.view")(everybody))["bare people"] == 2


def test_a_connection_forgets_the_request_before(bound, make_user):
    asked_by(make_user(Role.SECRETARIAT), requires("registry.view")(everybody))
    assert asked_by(make_user(Role.AREA_OPERATOR), everybody)["bare people"] == 0


def test_nothing_of_another_area_is_changed(bound, homes):
    wall.apply(OWN)
    assert Household.objects.update(hamlet="x") == 1
    assert Person.objects.filter(household=homes[OTHER].pk).update(name="X") == 0
    assert Enrolment.objects.filter(household=homes[OTHER].pk).delete()[0] == 0
    wall.apply(wall.ALL)
    assert Enrolment.objects.count() == 2


def test_a_number_taken_in_another_area_is_still_seen(bound, homes, village):
    wall.apply(OWN)
    head = {"nik": "3302171203850099", "name": "Baru", "sex": "M"}
    with pytest.raises(RegistryError):
        create_household(
            household={"village": village, "kk": homes[OTHER].kk, "desil": 1}, head=head,
            as_of=homes[OTHER].created_at.date(), actor=None,
        )  # fmt: skip
    assert wall.current() == OWN
    assert Household.objects.count() == 1


def test_lookups_by_number_and_lists_still_use_their_indexes(bound, homes):
    wall.apply(OWN)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    number = Person.objects.filter(nik="3302011203850001").explain()
    assert "registry_person_nik" in number
    village = Household.objects.filter(village=homes[OWN].village, status="active").order_by(
        "desil", "id"
    )
    assert "Index Scan using household_by" in village.explain()


HANGING = (
    Delivery, EnrolmentStep, ProposalStep, ProposalFile, Restriction, Move, Thread, Message, Attachment,
)  # fmt: skip


def test_what_hangs_on_a_record_of_another_area_is_kept_back_too(bound, make_user):
    def hanging(request):
        return JsonResponse({model._meta.label: model.objects.count() for model in HANGING})

    operator = make_user(Role.AREA_OPERATOR)
    seen = asked_by(operator, requires("registry.view")(hanging))
    assert set(seen.values()) == {1}, seen
    seen = asked_by(make_user(Role.SECRETARIAT), requires("registry.view")(hanging))
    assert set(seen.values()) == {2}, seen


def test_nothing_is_written_into_another_area(bound, homes, make_household):
    wall.apply(OWN)
    own, other = homes[OWN], homes[OTHER]
    forbidden = [
        lambda: Household.objects.filter(pk=own.pk).update(village=other.village_id),
        lambda: Person.objects.filter(household=own).update(household=other.pk),
        lambda: Restriction.objects.create(household_id=other.pk, reason="x"),
        lambda: Listing.objects.create(household_id=other.pk, dataset_id=1, first_version_id=1),
        lambda: Enrolment.objects.filter(household=own).update(household=other.pk),
        lambda: Proposal.objects.filter(village=own.village).update(village=other.village_id),
    ]
    for write in forbidden:
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            write()
    assert Household.objects.filter(pk=own.pk).update(hamlet="Krajan") == 1
    Restriction.objects.create(household=own, reason="Di wilayah sendiri")


# Tables whose rows hang on a household or person and that need no policy.
UNBOUND: dict[str, str] = {}


def test_every_table_that_hangs_on_a_person_has_a_policy():
    """Follow foreign keys from household and person down to the last table."""
    personal, found = {Household, Person}, True
    while found:
        found = {
            model
            for model in apps.get_models(include_auto_created=True)
            if model not in personal
            and any(field.is_relation and field.concrete and field.related_model in personal for field in model._meta.get_fields())
        }  # fmt: skip
        personal |= found
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_policies WHERE policyname = %s", [wall.POLICY])
        covered = {row[0] for row in cursor.fetchall()}
    missing = {model._meta.db_table for model in personal} - covered - set(UNBOUND)
    assert not missing, (
        f"Put the wall on them (guyub.access.wall.policies), or say why not: {missing}"
    )
    assert not set(UNBOUND) & covered
    # Rows that are written are judged on each of them.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_policies WHERE policyname = %s AND with_check = 'true'",
            [wall.POLICY],
        )
        assert cursor.fetchall() == []


def test_the_pages_of_the_menu_answer_the_web_role_as_they_answer_the_owner(
    homes, client_for, web_role
):
    """A missing grant or a policy that hides too much shows as an error, or as a shorter page."""
    for role in (Role.SECRETARIAT, Role.AREA_OPERATOR):
        client = client_for(role)
        for _title, items in NAVIGATION:
            for item in items:
                if not can(client.user, item.permission):
                    continue
                url = reverse(item.url_name)
                answer = client.get(url)
                with signed_in_as(web_role):
                    bound = client.get(url)
                assert bound.status_code == answer.status_code == 200, url
                assert plain(bound) == plain(answer), url


def plain(answer):
    """Return a page without what differs each time."""
    text = re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken)[^>]*', "", answer.content.decode())
    return re.sub(r"\d\d[.:]\d\d|\d+ milidetik", "", text)
