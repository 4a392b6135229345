"""A whole reckoning against a brute-force answer, on random small data in a real database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.areas.models import Area
from guyub.beneficiaries.models import HELPED, Enrolment, Stage
from guyub.overlaps import queries, services
from guyub.overlaps.definitions import COMPARED, DESILS
from guyub.overlaps.models import OverlapCase
from guyub.overlaps.snapshot import measure
from guyub.registry.models import Household

pytestmark = pytest.mark.django_db

VILLAGES = ("33.02.01.2001", "33.02.01.2002", "33.02.17.2001")
PLACES = ("33.02", "33.02.01", "33.02.17", *VILLAGES)

homes = st.lists(
    st.tuples(
        st.sampled_from(VILLAGES),
        st.none() | st.integers(1, 4),
        st.sampled_from(["active", "active", "active", "moved"]),
    ),
    min_size=3,
    max_size=7,
)
programs = st.lists(
    st.tuples(
        st.sampled_from(["dinsos", "dinkes"]),
        st.sampled_from(["food", "food", "food", "cash", "support"]),
        st.none() | st.integers(1, 3),
        st.none() | st.integers(2, 4),
        st.sets(st.sampled_from(PLACES), max_size=2),
        st.booleans(),
    ),
    min_size=3,
    max_size=5,
)
# (program, household, stage), by places in the lists above, counted round and round. Enough of them,
# mostly helped, that households do meet the same kind twice.
stages = st.just(Stage.DELIVERED) | st.sampled_from(list(Stage))
enrolments = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), stages), min_size=12, max_size=30
)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(homes, programs, enrolments)
def test_everything_agrees_with_brute_force(
    make_household, make_agency, make_sub_activity, enrol, homes, programs, enrolments
):
    from django.db import transaction

    with transaction.atomic():
        made_homes = []
        for code, desil, status in homes:
            home = make_household(code, desil=desil)
            Household.objects.filter(pk=home.pk).update(status=status)
            home.status = status
            made_homes.append(home)
        subs = []
        for number, (agency, kind, low, high, areas, cancelled) in enumerate(programs):
            if low and high and low > high:
                low, high = high, low
            subs.append(
                make_sub_activity(
                    f"Sub {number}",
                    agency=make_agency(agency),
                    help_kind=kind,
                    desil_min=low,
                    desil_max=high,
                    areas=list(Area.objects.filter(code__in=areas)),
                    is_cancelled=cancelled and number % 2 == 1,
                )
            )
        done = set()
        for at_sub, at_home, stage in enrolments:
            sub, home = at_sub % len(subs), at_home % len(made_homes)
            if (sub, home) not in done:
                done.add((sub, home))
                enrol(subs[sub], made_homes[home], stage)
        reckoning = services.reckon(2026)
        _compare(made_homes, subs, reckoning)
        transaction.set_rollback(True)


def _helps(home: Any) -> list[Any]:
    return [
        enrolment.sub_activity
        for enrolment in Enrolment.objects.filter(household=home, stage__in=HELPED)
        if not enrolment.sub_activity.is_cancelled and enrolment.help_kind in COMPARED
    ]


def _inside(code: str, area: str) -> bool:
    return code == area or code.startswith(area + ".")


def _stray(home: Any, sub: Any) -> bool:
    areas = [area.code for area in sub.areas.all()]
    if areas and not any(_inside(home.village.code, area) for area in areas):
        return True
    if home.desil is None:
        return False
    return (sub.desil_min is not None and home.desil < sub.desil_min) or (
        sub.desil_max is not None and home.desil > sub.desil_max
    )


def _compare(homes: list[Any], subs: list[Any], reckoning: Any) -> None:
    found = queries.reckoned(2026)
    assert found is not None
    arrays = found[1]
    active = [home for home in homes if home.status == "active"]
    marks: dict[str, dict[int, set[str]]] = {"helped": {}, "doubled": {}, "outside": {}}
    for home in active:
        helps = _helps(home)
        kinds = [sub.help_kind for sub in helps]
        marks["helped"][home.pk] = set(kinds)
        marks["doubled"][home.pk] = {kind for kind in kinds if kinds.count(kind) > 1}
        marks["outside"][home.pk] = {sub.help_kind for sub in helps if _stray(home, sub)}
    for place in PLACES:
        here = [home for home in active if _inside(home.village.code, place)]

        def tally(fits: Any, here: list[Any] = here) -> list[int]:
            counts = [0] * DESILS
            for home in here:
                counts[home.desil or 0] += bool(fits(home))
            return counts

        assert arrays.sums(place, "households") == tally(lambda home: True)
        for mark, by_home in marks.items():
            assert arrays.sums(place, mark) == tally(lambda home, m=by_home: m[home.pk])
            for kind in ("food", "cash"):
                expected = [home for home in here if kind in by_home[home.pk]]
                assert arrays.sums(place, measure(mark, kind)) == tally(
                    lambda home, m=by_home, k=kind: k in m[home.pk]
                )
                listed = arrays.households([place], mark=mark, kind=kind).tolist()
                order = sorted(expected, key=lambda h: (h.village.code, h.desil or 11, h.pk))
                assert listed == [home.pk for home in order]
                rest = arrays.households([place], mark=mark, kind=kind, negate=True, desil=[1, 0])
                assert set(rest.tolist()) == {
                    home.pk for home in here if home.desil in (1, None) and home not in expected
                }
    for home in active:
        for sub in subs:
            mine = sub in _helps(home)
            assert (home.pk in arrays.helped_by([sub.pk]).tolist()) == mine
    for case in OverlapCase.objects.all():
        members = set(case.sub_activities.all())
        twice = [home for home in active if len(members & set(_helps(home))) >= 2]
        assert case.households == len(twice)
        listed = arrays.households(["33.02"], shared_by=[sub.pk for sub in members]).tolist()
        assert set(listed) == {home.pk for home in twice}
    missed = [home for home in active if home.desil in (1, 2) and not _helps(home)]
    assert reckoning.totals["missed"] == len(missed)
    assert reckoning.totals["households"] == len(active)


def test_members_of_one_household_in_one_sub_activity_are_one_help(
    make_household, make_sub_activity, make_agency, enrol
):
    home = make_household()
    sub = make_sub_activity(recipient="person")
    head = home.members.get()
    enrol(sub, home, person=head)
    enrol(sub, home)
    assert services.reckon(2026).totals["doubled"] == 0
    enrol(make_sub_activity("Lain", agency=make_agency("dinkes")), home, person=head)
    assert services.reckon(2026).totals["doubled"] == 1


def test_an_empty_regency_is_reckoned_too(regency):
    totals = services.reckon(2026).totals
    assert totals["households"] == totals["helped"] == totals["missed"] == 0
    found = queries.reckoned(2026)
    assert found is not None
    assert found[1].households(["33.02"], mark="helped").tolist() == []


def test_years_are_kept_apart(make_household, make_sub_activity, enrol):
    home = make_household()
    enrol(make_sub_activity(year=2025), home)
    assert services.reckon(2026).totals["helped"] == 0
    assert services.reckon(2025).totals["helped"] == 1


def test_an_area_nobody_knows_counts_nothing(make_household):
    services.reckon(2026)
    found = queries.reckoned(2026)
    assert found is not None
    assert sum(found[1].sums("99.99", "households")) == 0
    assert found[1].households(["99.99"]).tolist() == []


def test_budget_goes_where_the_target_lives(make_household, make_sub_activity):
    from guyub.overlaps.budget import by_district
    from guyub.programs.models import Funding

    for _one in range(3):
        make_household("33.02.01.2001", desil=1)
    make_household("33.02.17.2001", desil=1)
    make_household("33.02.17.2001", desil=9)
    sub = make_sub_activity(desil_max=2)
    Funding.objects.create(sub_activity=sub, source="apbd_regency", amount=400)
    Funding.objects.create(sub_activity=sub, source="apbn", amount=1)
    office = make_sub_activity("Rapat", help_kind="support")
    Funding.objects.create(sub_activity=office, source="apbd_regency", amount=50)
    found = by_district(2026)
    rows = {row.area.code: row for row in found.districts}
    assert (rows["33.02.01"].amount, rows["33.02.17"].amount) == (301, 100)
    assert (rows["33.02.01"].poor, rows["33.02.01"].each) == (3, 100)
    assert found.amount == 401
    assert found.undivided == 50
    assert rows["33.02.02"].each is None


def test_budget_without_a_known_target_goes_by_villages(make_sub_activity, regency):
    from guyub.overlaps.budget import by_district
    from guyub.programs.models import Funding

    areas = Area.objects.filter(code__in=["33.02.01.2001", "33.02.01.2002", "33.02.17.2001"])
    sub = make_sub_activity(areas=list(areas), ends_on=dt.date(2026, 3, 1))
    Funding.objects.create(sub_activity=sub, source="csr", amount=100)
    rows = {row.area.code: row.amount for row in by_district(2026).districts}
    assert (rows["33.02.01"], rows["33.02.17"], sum(rows.values())) == (67, 33, 100)
