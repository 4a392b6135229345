"""Pages of the calendar and the plan of sub-activities."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.programs.models import SubActivity
from guyub.reports import curves, queries, schedules
from guyub.reports.amounts import AmountError, percent, read_percent, read_rupiah
from guyub.reports.charts import s_curve
from guyub.reports.forms import ScheduleForm, YearScheduleForm, grouped
from guyub.reports.models import Frequency, Report, Schedule


def load_sub_activity(pk: int) -> SubActivity:
    return get_object_or_404(
        SubActivity.objects.select_related("agency", "activity__program"), pk=pk
    )


def _schedule(sub_activity: SubActivity) -> Schedule | None:
    return Schedule.objects.filter(sub_activity=sub_activity).first()


@require_GET
@requires("reports.view", load=load_sub_activity)
def sub_activity_page(request: HttpRequest, sub_activity: SubActivity) -> HttpResponse:
    """The calendar of a sub-activity with its S-curve."""
    reports = queries.of_sub_activity(sub_activity)
    for report in reports:
        report.sub_activity = sub_activity
    total = queries.budgets([sub_activity.pk]).get(sub_activity.pk, 0)
    schedule = _schedule(sub_activity)
    context = {
        "sub_activity": sub_activity,
        "reports": reports,
        "schedule": schedule,
        "total": total,
        "chart": s_curve(reports, total, _("Rencana dan realisasi")),
        "calendar_is_off": bool(reports) and not _covers(reports, sub_activity),
        "plan_is_open": bool(reports) and bool(curves.flaws(_plan(reports), total)),
        "may_edit": can(request.user, "reports.edit", sub_activity),
    }
    return render(request, "reports/sub_activity.html", context)


def _covers(reports: list[Report], sub_activity: SubActivity) -> bool:
    """Tell whether the calendar still fits the dates of the sub-activity."""
    return (
        reports[0].period_start == sub_activity.starts_on
        and reports[-1].period_end == sub_activity.ends_on
    )


def _plan(reports: list[Report]) -> list[tuple[Decimal | None, int | None]]:
    return [(report.planned_physical, report.planned_budget) for report in reports]


@require_http_methods(["GET", "POST"])
@requires("reports.edit", load=load_sub_activity)
def schedule(request: HttpRequest, sub_activity: SubActivity) -> HttpResponse:
    known = _schedule(sub_activity)
    initial = {
        "frequency": known.frequency if known else Frequency.QUARTERLY,
        "grace_days": known.grace_days if known else 10,
    }
    form = ScheduleForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        schedules.set_schedule(sub_activity, **form.cleaned_data, actor=request.user)
        messages.success(request, _("Jadwal tersimpan dan kalender laporan diperbarui."))
        return redirect("reports:sub_activity", pk=sub_activity.pk)
    context = {"form": form, "sub_activity": sub_activity, "schedule": known}
    return render(request, "reports/schedule.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("reports.review")
def schedule_year(request: HttpRequest) -> HttpResponse:
    """Give all sub-activities of a year that have no schedule the same one."""
    this_year = timezone.localdate().year
    years = queries.budget_years()
    initial = {
        "year": this_year if this_year in years else (years or [this_year])[0],
        "frequency": Frequency.QUARTERLY,
        "grace_days": 10,
        "shape": curves.S_CURVE,
    }
    form = YearScheduleForm(years, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        count = schedules.schedule_year(**form.cleaned_data, actor=request.user)
        if count:
            text = _("%(count)d sub kegiatan mendapat jadwal laporan.") % {"count": count}
            messages.success(request, text)
        else:
            messages.info(request, _("Semua sub kegiatan tahun itu sudah punya jadwal."))
        return redirect("reports:schedule_year")
    context = {"form": form, "coverage": queries.schedule_coverage()}
    return render(
        request, "reports/schedule_year.html", context, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
@requires("reports.edit", load=load_sub_activity)
def plan(request: HttpRequest, sub_activity: SubActivity) -> HttpResponse:
    """The grid of planned figures. ``?usulan=lurus`` or ``s`` fills it in without keeping it."""
    reports = queries.of_sub_activity(sub_activity)
    if not reports:
        messages.info(request, _("Buat jadwal laporan dahulu; rencana diisi menurut periodenya."))
        return redirect("reports:schedule", pk=sub_activity.pk)
    total = queries.budgets([sub_activity.pk]).get(sub_activity.pk, 0)
    shape = request.GET.get("usulan", "")
    grid = [_row(report) for report in reports]
    if request.method == "POST":
        values = _read(request, grid)
        for flaw in curves.flaws([values[row["report"].pk] for row in grid], total):
            grid[flaw.row]["faults"].setdefault(flaw.column, flaw.text)
        if not any(row["faults"] for row in grid):
            try:
                changed = schedules.set_plan(sub_activity, values, actor=request.user)
            except ValidationError as error:  # the calendar or the budget has just changed
                messages.error(request, " ".join(error.messages))
            else:
                text = _("Rencana tersimpan.") if changed else _("Tidak ada yang berubah.")
                messages.success(request, text)
                return redirect("reports:sub_activity", pk=sub_activity.pk)
    elif shape in (curves.LINEAR, curves.S_CURVE):
        ends = [report.period_end for report in reports]
        points = curves.propose(sub_activity.starts_on, ends, total, shape)
        for row, point in zip(grid, points, strict=True):
            row["physical"] = percent(point.physical).rstrip("%")
            row["budget"] = grouped(point.budget)
    context = {
        "sub_activity": sub_activity,
        "grid": grid,
        "total": total,
        "shape": shape,
        "is_faulty": any(row["faults"] for row in grid),
    }
    return render(
        request, "reports/plan.html", context, status=422 if context["is_faulty"] else 200
    )


def _row(report: Report) -> dict[str, Any]:
    physical = report.planned_physical
    return {
        "report": report,
        "physical": "" if physical is None else percent(physical).rstrip("%"),
        "budget": grouped(report.planned_budget),
        "faults": {},
    }


def _read(
    request: HttpRequest, grid: list[dict[str, Any]]
) -> dict[int, tuple[Decimal | None, int | None]]:
    """Take what was typed into the grid; what can't be read becomes a fault of its row."""
    found = {}
    for row in grid:
        key = row["report"].pk
        values: dict[str, Any] = {"physical": None, "budget": None}
        for name, field, read in (
            ("physical", f"fisik-{key}", read_percent),
            ("budget", f"uang-{key}", read_rupiah),
        ):
            row[name] = request.POST.get(field, "")[:30]
            try:
                values[name] = read(row[name])
            except AmountError as error:
                row["faults"][name] = str(error)
        found[key] = (values["physical"], values["budget"])
    return found
