"""Scenarios from the registry to candidates."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from guyub.access.roles import Role
from guyub.allocation import outcome, queries, services
from guyub.allocation.models import Scenario, State
from guyub.audit.models import Event
from guyub.beneficiaries import services as beneficiaries
from guyub.beneficiaries.models import Enrolment, Stage
from guyub.programs.vocabulary import Recipient
from guyub.targeting.services import create_rule

pytestmark = pytest.mark.django_db


def names(year: Any, scenario: Scenario, sub: Any) -> list[str]:
    by_id = {home.pk: name for name, home in year.homes.items()}
    return [by_id[int(pk)] for pk in services.recipients(scenario, sub.pk)]


def test_what_is_left_is_quota_and_budget_less_those_chosen(year: Any) -> None:
    enrolment = beneficiaries.enrol(
        year.houses, household=year.homes["Paling"], person=None, actor=None
    )
    for stage in (Stage.VERIFIED, Stage.ENROLLED):
        beneficiaries.move(enrolment, stage, actor=None)
    offers = {offer.sub_activity.name: offer for offer in services.left_over(2026)}
    assert (offers["Rumah"].places, offers["Rumah"].money) == (1, 20_000_000)
    assert offers["Rumah"].unit_cost == 20_000_000
    assert offers["Jamban"].places == 1


def test_the_worst_off_get_it_and_sums_agree(year: Any) -> None:
    scenario = year.reckoned()
    assert names(year, scenario, year.houses) == ["Paling", "Kedua"]
    assert names(year, scenario, year.latrines) == ["Paling"]
    # Houses: three of desil 1 and one extremely poor; latrines: three of desil 1.
    assert scenario.result["needs"] == [1, 2, 7]
    assert scenario.result["met"] == [0, 0, 3]
    assert scenario.result["severe_bound"] == 3
    assert scenario.result["distance"] == 0
    assert scenario.result["spent"] == 45_000_000
    houses = scenario.offers.get(sub_activity=year.houses)
    assert houses.result["eligible"] == [1, 1, 4]
    assert houses.result["given"] == [0, 0, 2]
    assert houses.result["more"] == 2
    (district,) = scenario.result["by_district"]
    assert district[1:] == [7, 3, 10, 3]


def test_a_limit_spreads_help_and_a_pool_adds_places(year: Any) -> None:
    spread = year.reckoned("Merata", most_kinds=1)
    assert len({*names(year, spread, year.houses), *names(year, spread, year.latrines)}) == 3
    scenario = year.scenario("Tambah", pool=5_000_000)
    services.start(scenario, actor=year.secretary, at_once=True)
    more = services.work(scenario.pk)
    assert more is not None
    assert len(names(year, more, year.latrines)) == 2
    assert more.result["added"] == 5_000_000


def test_rules_say_who_is_meant_and_who_comes_first(year: Any) -> None:
    rule = create_rule(
        actor=None, agency=year.houses.agency, name="Miskin", text="desil >= 2 && desil <= 4",
        sub_activities=[year.houses],
    )  # fmt: skip
    first = create_rule(actor=None, agency=year.houses.agency, name="D2", text="desil == 2")
    assert rule.current_version is not None
    scenario = services.create_scenario(
        2026, values={"name": "Aturan"}, priority_rules=[first], actor=year.secretary
    )
    services.start(scenario, actor=year.secretary, at_once=True)
    found = services.work(scenario.pk)
    assert found is not None
    # Raised from moderate to severe, and of a lower desil than the extremely poor.
    assert names(year, found, year.houses) == ["Sedang", "Ekstrem"]


def test_every_decision_has_its_reason(year: Any) -> None:
    scenario = year.reckoned(most_kinds=1)
    offers = queries.offers_of(scenario)

    def why(name: str) -> dict[str, str]:
        found = queries.explain(scenario, year.homes[name], offers)
        assert found is not None
        return {reason.kind: reason.why for reason in found.reasons}

    reasons = [why(name) for name in ("Paling", "Kedua", "Ketiga")]
    assert sum("given" in reason.values() for reason in reasons) == 3
    assert any("enough" in reason.values() for reason in reasons)
    assert why("Ekstrem") == {"house_repair": "full", "sanitation": "not_meant"}
    full = next(
        reason
        for reason in queries.explain(scenario, year.homes["Ekstrem"], offers).reasons  # type: ignore[union-attr]
        if reason.why == "full"
    )
    assert (full.place, full.of, full.met) == (4, 4, 2)
    assert why("Mampu") == {"house_repair": "not_meant", "sanitation": "not_meant"}


def test_who_is_helped_already_does_not_need_it_again(year: Any, make_sub_activity: Any) -> None:
    elsewhere = make_sub_activity("Rumah provinsi", agency=year.latrines.agency)
    enrolment = beneficiaries.enrol(
        elsewhere, household=year.homes["Paling"], person=None, actor=None
    )
    for stage in (Stage.VERIFIED, Stage.ENROLLED):
        beneficiaries.move(enrolment, stage, actor=None)
    scenario = year.reckoned()
    assert names(year, scenario, year.houses) == ["Kedua", "Ketiga"]
    found = queries.explain(scenario, year.homes["Paling"], queries.offers_of(scenario))
    assert found is not None
    assert {r.kind: r.why for r in found.reasons}["house_repair"] == "helped"


def test_a_person_decides_before_anybody_becomes_a_candidate(year: Any) -> None:
    scenario = year.reckoned()
    houses = scenario.offers.get(sub_activity=year.houses)
    with pytest.raises(ValidationError):
        services.adopt(houses, actor=year.secretary)
    with pytest.raises(ValidationError):
        services.choose(scenario, reason="ya", actor=year.secretary)
    services.choose(scenario, reason="Disepakati dalam rapat.", actor=year.secretary)
    beneficiaries.enrol(year.houses, household=year.homes["Paling"], person=None, actor=None)
    assert services.adopt(houses, actor=year.secretary) == 1
    rows = Enrolment.objects.filter(sub_activity=year.houses)
    assert {row.household.head_name for row in rows} == {"PALING", "KEDUA"}
    assert {row.stage for row in rows} == {Stage.CANDIDATE}
    assert rows.get(household=year.homes["Kedua"]).entry == "plan"
    with pytest.raises(ValidationError):
        services.adopt(houses, actor=year.secretary)
    assert Event.objects.filter(action="allocation.offer.adopt").count() == 1


def test_people_become_candidates_where_people_are_the_recipients(year: Any) -> None:
    year.latrines.recipient = Recipient.PERSON
    year.latrines.save()
    scenario = year.reckoned()
    services.choose(scenario, reason="Disepakati dalam rapat.", actor=year.secretary)
    offer = scenario.offers.get(sub_activity=year.latrines)
    assert services.adopt(offer, actor=year.secretary) == 1
    assert Enrolment.objects.get(sub_activity=year.latrines).person.name == "PALING"


def test_one_plan_a_year_and_none_changes_once_carried_out(year: Any) -> None:
    first, second = year.reckoned("Satu"), year.reckoned("Dua")
    reason = "Disepakati dalam rapat."
    services.choose(first, reason=reason, actor=year.secretary)
    services.choose(second, reason=reason, actor=year.secretary)
    first.refresh_from_db()
    assert not first.is_chosen
    services.adopt(second.offers.get(sub_activity=year.houses), actor=year.secretary)
    with pytest.raises(ValidationError, match="dijalankan"):
        services.choose(first, reason=reason, actor=year.secretary)
    for deed in (
        lambda: services.delete_scenario(second, actor=year.secretary),
        lambda: services.start(second, actor=year.secretary),
    ):
        with pytest.raises(ValidationError):
            deed()


def test_a_change_takes_the_plan_away(year: Any) -> None:
    scenario = year.reckoned()
    offer = scenario.offers.get(sub_activity=year.houses)
    services.change_scenario(
        scenario,
        values={"name": "Uji", "severe_desil": 1, "moderate_desil": 2},
        priority_rules=[],
        offers={offer.pk: {"places": 1}},
        actor=year.secretary,
    )
    scenario.refresh_from_db()
    assert (scenario.state, scenario.is_current) == (State.DRAFT, False)
    with pytest.raises(ValidationError):
        services.change_scenario(
            scenario, values={"severe_desil": 3, "moderate_desil": 2}, priority_rules=[],
            offers={}, actor=year.secretary,
        )  # fmt: skip


def test_a_scenario_whose_worker_died_is_found_and_done(year: Any) -> None:
    scenario = year.scenario()
    services.start(scenario, actor=year.secretary, at_once=True)
    assert [lost.pk for lost in services.abandoned()] == [scenario.pk]
    found = services.work(scenario.pk)
    assert found is not None
    assert found.state == State.DONE
    assert services.abandoned() == []
    # Done once: doing it again changes nothing.
    token = found.token
    services.work(scenario.pk)
    scenario.refresh_from_db()
    assert scenario.token == token


def test_lost_files_are_told(year: Any) -> None:
    scenario = year.reckoned()
    shutil.rmtree(outcome.ScenarioFolder(scenario.pk).path)
    outcome._columns.cache_clear()
    with pytest.raises(outcome.PlanMissingError):
        queries.household_ids(scenario, queries.Narrowing())


def test_two_plans_side_by_side(year: Any) -> None:
    first, second = year.reckoned("Satu"), year.reckoned("Dua", most_kinds=1)
    found = queries.difference(first, second)
    assert (found.both, found.only_first, found.only_second) == (2, 0, 1)


def test_an_agency_learns_of_the_plan(year: Any, make_user: Any) -> None:
    operator = make_user(Role.AGENCY_OPERATOR, agency=year.houses.agency)
    scenario = year.reckoned()
    services.choose(scenario, reason="Disepakati dalam rapat.", actor=year.secretary)
    told = operator.notifications.get(url=f"/alokasi/{scenario.pk}/")
    assert told.get_kind_display() == "Kabar perubahan"
    waiting = queries.waiting_for(year.houses.agency_id, 2026)
    assert waiting == queries.Waiting(scenario.pk, 2026, 1)
    assert queries.waiting_for(year.houses.agency_id, 2027) is None
    services.adopt(scenario.offers.get(sub_activity=year.houses), actor=operator)
    assert queries.waiting_for(year.houses.agency_id, 2026) is None


def test_what_waits_stands_on_the_first_page_of_whoever_takes_it_up(
    year: Any, client_for: Any
) -> None:
    scenario = year.reckoned()
    services.choose(scenario, reason="Disepakati dalam rapat.", actor=year.secretary)
    # First pages show the present year.
    Scenario.objects.update(year=timezone.localdate().year)
    page = f'href="/alokasi/{scenario.pk}/"'
    operator, head = (
        client_for(role, agency=year.houses.agency)
        for role in (Role.AGENCY_OPERATOR, Role.AGENCY_HEAD)
    )
    assert page in operator.get("/").content.decode()
    assert page not in head.get("/").content.decode()
