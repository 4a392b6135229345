"""What progress reports show on the pages of sub-activities, programs and agencies."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.programs.models import Program, SubActivity
from guyub.reports import queries
from guyub.reports.charts import s_curve

Shown = tuple[str, dict[str, Any]] | None


def sub_activity_panel(request: HttpRequest, sub_activity: SubActivity) -> Shown:
    """The latest figures and the S-curve."""
    if not can(request.user, "reports.view"):
        return None
    reports = queries.of_sub_activity(sub_activity)
    total = queries.budgets([sub_activity.pk]).get(sub_activity.pk, 0)
    told = [report for report in reports if report.state in queries.REPORTED]
    today = timezone.localdate()
    return "reports/_sub_activity_panel.html", {
        "sub_activity": sub_activity,
        "reports": reports,
        "latest": told[-1] if told else None,
        "next": next((r for r in reports if r.state in queries.UNSENT), None),
        "total": total,
        "chart": s_curve(reports, total, _("Rencana dan realisasi")),
        "today": today,
        "may_edit": can(request.user, "reports.edit", sub_activity),
    }


def program_panel(request: HttpRequest, program: Program) -> Shown:
    """The latest figures of a program's sub-activities."""
    if not can(request.user, "reports.view"):
        return None
    rows = queries.latest_of_program(program)
    if not rows:
        return None
    return "reports/_program_panel.html", {"rows": rows, "program": program}


def agency_panel(request: HttpRequest, agency: Agency) -> Shown:
    """How an agency keeps its due dates this year."""
    if not can(request.user, "reports.view"):
        return None
    year = timezone.localdate().year
    found = queries.late_by_agency(year, agency_id=agency.pk)
    if not found:
        return None
    return "reports/_agency_panel.html", {"row": found[0], "year": year}
