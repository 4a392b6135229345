"""What a household's page shows of its merges and of what sources say otherwise."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.reconciliation import queries, queue
from guyub.registry.models import Household


def household_panel(request: HttpRequest, home: Household) -> tuple[str, dict[str, Any]] | None:
    """Show what sources differ about, what was merged into a household, and members who may be one person twice."""
    if not can(request.user, "reconciliation.view", home):
        return None
    context = {
        "home": home,
        "differences": queue.of_household(home),
        "merges": queries.merges_of(home),
        "twins": queries.twins_within(home),
        "may_merge": can(request.user, "reconciliation.merge"),
    }
    return "reconciliation/_household.html", context
