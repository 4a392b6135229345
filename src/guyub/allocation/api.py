"""The HTTP API of allocation: scenarios and their sums."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema

from guyub.access.guards import api_requires
from guyub.allocation import queries
from guyub.allocation.models import Scenario

router = Router(tags=["allocation"])
LIMIT = 200


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


class ScenarioDetail(ScenarioOut):
    offers: list[OfferOut]


def _shown(scenario: Scenario) -> dict[str, Any]:
    result = scenario.result
    return {
        "id": scenario.pk,
        "year": scenario.year,
        "name": scenario.name,
        "state": scenario.state,
        "is_chosen": scenario.is_chosen,
        "reckoned_at": scenario.reckoned_at,
        "needs": result.get("needs", []),
        "met": result.get("met", []),
        "severe_bound": result.get("severe_bound"),
        "distance": result.get("distance"),
        "spent": result.get("spent"),
    }


@router.get("/scenarios", response=list[ScenarioOut], url_name="allocation_scenarios")
@api_requires("allocation.view")
def scenarios(request: HttpRequest, year: int | None = None, offset: int = 0) -> list[Any]:
    """Scenarios, newest first, at most 200 at a time."""
    start = max(0, offset)
    return [_shown(found) for found in queries.scenarios(year)[start : start + LIMIT]]


@router.get("/scenarios/{pk}", response=ScenarioDetail, url_name="allocation_scenario")
@api_requires("allocation.view")
def scenario(request: HttpRequest, pk: int) -> Any:
    """One scenario with the sums of each sub-activity that takes part."""
    found = get_object_or_404(Scenario, pk=pk)
    offers = [
        {
            "sub_activity": offer.sub_activity_id,
            "name": offer.sub_activity.name,
            "agency": offer.sub_activity.agency.code,
            "places": offer.places,
            "money": offer.money,
            "unit_cost": offer.unit_cost,
            "eligible": offer.result.get("eligible", []),
            "given": offer.result.get("given", []),
            "spent": offer.result.get("spent", 0),
        }
        for offer in queries.offers_of(found)
        if offer.included
    ]
    return _shown(found) | {"offers": offers}
