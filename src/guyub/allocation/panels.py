"""What a household's page shows of the year's chosen plan."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.allocation import outcome, queries
from guyub.allocation.models import Scenario


def household_plan(request: HttpRequest, household: Any) -> tuple[str, dict[str, Any]] | None:
    """Show what the newest chosen plan gives to the household, with the way to the reasons."""
    if not can(request.user, "allocation.view_people"):
        return None
    scenario = Scenario.objects.filter(chosen_at__isnull=False).order_by("-year").first()
    if scenario is None or not scenario.is_current:
        return None
    try:
        lines = queries.lines(scenario, [household.pk], queries.offers_of(scenario))
    except outcome.PlanMissingError:
        return None
    if not lines:
        return None
    return "allocation/_household.html", {"scenario": scenario, "line": lines[0]}
