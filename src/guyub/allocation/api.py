"""The HTTP API of allocation: scenarios and their sums."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.allocation import queries
from guyub.allocation.models import Scenario, ScenarioOffer
from guyub.ui.cursor import CursorPages

router = Router(tags=["allocation"])


class ScenarioOut(Schema):
    """Needs and needs met stand by severity: mild, moderate, severe. Money is in rupiah."""

    id: int
    year: int
    name: str
    state: str
    is_chosen: bool
    reckoned_at: dt.datetime | None
    needs: list[int]
    met: list[int]
    severe_bound: int | None
    distance: float | None
    spent: int | None

    @staticmethod
    def resolve_needs(scenario: Scenario) -> list[int]:
        return scenario.result.get("needs", [])

    @staticmethod
    def resolve_met(scenario: Scenario) -> list[int]:
        return scenario.result.get("met", [])

    @staticmethod
    def resolve_severe_bound(scenario: Scenario) -> int | None:
        return scenario.result.get("severe_bound")

    @staticmethod
    def resolve_distance(scenario: Scenario) -> float | None:
        return scenario.result.get("distance")

    @staticmethod
    def resolve_spent(scenario: Scenario) -> int | None:
        return scenario.result.get("spent")


class OfferOut(Schema):
    """A sub-activity in a scenario. Sums stand by severity: mild, moderate, severe."""

    sub_activity: int
    name: str
    agency: str
    places: int | None
    money: int | None
    unit_cost: int
    eligible: list[int]
    given: list[int]
    spent: int

    @staticmethod
    def resolve_sub_activity(offer: ScenarioOffer) -> int:
        return offer.sub_activity_id

    @staticmethod
    def resolve_name(offer: ScenarioOffer) -> str:
        return offer.sub_activity.name

    @staticmethod
    def resolve_agency(offer: ScenarioOffer) -> str:
        return offer.sub_activity.agency.code

    @staticmethod
    def resolve_eligible(offer: ScenarioOffer) -> list[int]:
        return offer.result.get("eligible", [])

    @staticmethod
    def resolve_given(offer: ScenarioOffer) -> list[int]:
        return offer.result.get("given", [])

    @staticmethod
    def resolve_spent(offer: ScenarioOffer) -> int:
        return offer.result.get("spent", 0)


class ScenarioDetail(ScenarioOut):
    offers: list[OfferOut]

    @staticmethod
    def resolve_offers(scenario: Scenario) -> list[ScenarioOffer]:
        return [offer for offer in queries.offers_of(scenario) if offer.included]


@router.get(
    "/scenarios",
    response=list[ScenarioOut],
    url_name="allocation_scenarios",
    summary="Scenarios of who gets what, newest first",
)
@api_requires("allocation.view")
@paginate(CursorPages)
def scenarios(request: HttpRequest, year: int | None = Query(None, ge=1990, le=2200)) -> Any:
    """What each scenario would meet of the needs, and how far that is from the best possible."""
    return queries.scenarios(year)


@router.get(
    "/scenarios/{pk}",
    response=ScenarioDetail,
    url_name="allocation_scenario",
    summary="One scenario with the sub-activities that take part",
)
@api_requires("allocation.view")
def scenario(request: HttpRequest, pk: int = Path(..., ge=1, le=2**31 - 1)) -> Any:
    """The sums of one scenario, and for each sub-activity who it is for and who would get it."""
    return get_object_or_404(Scenario, pk=pk)
