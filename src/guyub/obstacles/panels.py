"""What pages of programs, sub-activities and agencies show of obstacles."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.obstacles.models import UNSOLVED, Obstacle
from guyub.programs.models import Program, SubActivity

SHOWN = 5


def _panel(
    request: HttpRequest, narrowed: Q, query: str, report_query: str = "", may_report: bool = True
) -> tuple[str, dict[str, Any]] | None:
    if not can(request.user, "obstacles.view"):
        return None
    rows = Obstacle.objects.filter(narrowed)
    unsolved = list(
        rows.filter(state__in=UNSOLVED)
        .select_related("needed_agency")
        .order_by("due_on", "-severity", "pk")[: SHOWN + 1]
    )
    return "obstacles/_panel.html", {
        "obstacles": unsolved[:SHOWN],
        "has_more": len(unsolved) > SHOWN,
        "has_any": bool(unsolved) or rows.exists(),
        "list_url": f"{reverse('obstacles:list')}?{query}",
        "report_url": f"{reverse('obstacles:report')}{report_query}",
        "may_report": may_report and can(request.user, "obstacles.report"),
    }


def of_sub_activity(request: HttpRequest, part: SubActivity) -> tuple[str, dict[str, Any]] | None:
    """Obstacles of one sub-activity; its agency and the secretariat report here."""
    user: Any = request.user
    own = user.agency_id is None or user.agency_id == part.agency_id
    return _panel(request, Q(sub_activity=part), f"sub={part.pk}", f"?sub={part.pk}", own)


def of_program(request: HttpRequest, program: Program) -> tuple[str, dict[str, Any]] | None:
    """Obstacles of a program's sub-activities."""
    narrowed = Q(sub_activity__activity__program=program)
    return _panel(request, narrowed, f"program={program.pk}", may_report=False)


def of_agency(request: HttpRequest, agency: Agency) -> tuple[str, dict[str, Any]] | None:
    """Obstacles that an agency is needed for."""
    code = agency.code
    return _panel(request, Q(needed_agency=agency), f"dibutuhkan={code}", f"?dibutuhkan={code}")
