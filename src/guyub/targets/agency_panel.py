"""What an agency's page shows about its indicators."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.targets import queries

MOST_ROWS = 12


def indicators_of_agency(request: HttpRequest, agency: Agency) -> tuple[str, dict[str, Any]] | None:
    """Return the panel of the indicators that ``agency`` is in charge of."""
    if not can(request.user, "targets.view"):
        return None
    rows = queries.of_agency(agency)
    if not rows:
        return None
    return "targets/_agency.html", {
        "rows": rows[:MOST_ROWS],
        "more": len(rows) - MOST_ROWS,
        "agency": agency,
    }
