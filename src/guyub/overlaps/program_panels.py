"""What the pages of programs and sub-activities show about overlap: the cases and their rulings."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.overlaps import queries
from guyub.overlaps.models import OverlapCase

Shown = tuple[str, dict[str, Any]] | None


def _panel(request: HttpRequest, cases: list[OverlapCase]) -> Shown:
    if not cases or not can(request.user, "overlaps.view"):
        return None
    return "overlaps/_panel.html", {"cases": cases}


def of_sub_activity(request: HttpRequest, sub_activity: Any) -> Shown:
    return _panel(request, queries.cases_about(sub_activities=sub_activity))


def of_program(request: HttpRequest, program: Any) -> Shown:
    return _panel(request, queries.cases_about(sub_activities__activity__program=program))
