"""Row-level security on PostgreSQL: what a page that forgot its guard can read, and what it costs."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import JsonResponse
from django.test import RequestFactory

from guyub.access import wall
from guyub.access.guards import requires
from guyub.access.roles import Role
from guyub.access.wall import WallMiddleware
from guyub.beneficiaries import services as beneficiaries
from guyub.beneficiaries.models import Enrolment
from guyub.proposals.models import Proposal
from guyub.registry.models import (
    AddressKey,
    Household,
    Listing,
    Person,
    PersonKey,
    ValueChange,
)
from guyub.registry.services import RegistryError, create_household, edit_household

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL only"),
]
OWN, OTHER = "33.02.01.2001", "33.02.17.2001"


@pytest.fixture
def homes(make_household, make_sub_activity):
    """A household in each of two districts, with all that hangs on one."""
    found, sub_activity = {}, make_sub_activity()
    for code in (OWN, OTHER):
        home = make_household(code, desil=2)
        edit_household(home, {"desil": 1}, as_of=home.created_at.date(), actor=None)
        beneficiaries.enrol(sub_activity, household=home, person=None, actor=None)
        Proposal.objects.create(
            village=home.village, head_name="Wagiman", kind="add", reason_kind="poor", reason="-",
            code=code.replace(".", ""),
        )  # fmt: skip
        found[code] = home
    return found


@pytest.fixture
def web_role(homes):
    """Sign in as a role that the wall binds, as the web process does."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE guyub_web_test")
        wall.grant("guyub_web_test")
        cursor.execute("SET ROLE guyub_web_test")
    yield
    wall.apply(wall.ALL)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


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


def test_an_area_operator_reads_no_other_area_even_where_the_page_forgot(web_role, make_user):
    assert wall.stands()
    operator = make_user(Role.AREA_OPERATOR)
    seen = asked_by(operator, requires("registry.view")(everybody))
    assert (seen["households"], seen["people"]) == ([OWN], [OWN])
    assert [seen[name] for name in ("bare people", "changes", "enrolments", "proposals")] == [1] * 4
    assert seen["name keys"] == 1


def test_a_page_without_any_guard_reads_nothing(web_role, make_user):
    for role in (Role.AREA_OPERATOR, Role.SECRETARIAT):
        seen = asked_by(make_user(role), everybody)
        assert not any(seen.values()), seen


def test_others_read_what_their_permission_reaches(web_role, make_user):
    for role in (Role.SECRETARIAT, Role.AGENCY_OPERATOR):
        seen = asked_by(make_user(role), requires("registry.view")(everybody))
        assert (sorted(seen["households"]), seen["enrolments"]) == ([OWN, OTHER], 2)
    with pytest.raises(PermissionDenied):
        asked_by(make_user(Role.REGENT), requires("registry.view")(everybody))
    # Sums without names reach the whole regency.
    assert asked_by(make_user(Role.REGENT), requires("home.view")(everybody))["bare people"] == 2


def test_a_connection_forgets_the_request_before(web_role, make_user):
    asked_by(make_user(Role.SECRETARIAT), requires("registry.view")(everybody))
    assert asked_by(make_user(Role.AREA_OPERATOR), everybody)["bare people"] == 0


def test_nothing_of_another_area_is_changed(web_role, homes):
    wall.apply(OWN)
    assert Household.objects.update(hamlet="x") == 1
    assert Person.objects.filter(household=homes[OTHER].pk).update(name="X") == 0
    assert Enrolment.objects.filter(household=homes[OTHER].pk).delete()[0] == 0
    wall.apply(wall.ALL)
    assert Enrolment.objects.count() == 2


def test_a_number_taken_in_another_area_is_still_seen(web_role, homes, village):
    wall.apply(OWN)
    head = {"nik": "3302171203850099", "name": "Baru", "sex": "M"}
    with pytest.raises(RegistryError):
        create_household(
            household={"village": village, "kk": homes[OTHER].kk, "desil": 1}, head=head,
            as_of=homes[OTHER].created_at.date(), actor=None,
        )  # fmt: skip
    assert wall.current() == OWN
    assert Household.objects.count() == 1


def test_lookups_by_number_and_lists_still_use_their_indexes(web_role, homes):
    wall.apply(OWN)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    number = Person.objects.filter(nik="3302011203850001").explain()
    assert "registry_person_nik" in number
    village = Household.objects.filter(village=homes[OWN].village, status="active").order_by(
        "desil", "id"
    )
    assert "Index Scan using household_by" in village.explain()
