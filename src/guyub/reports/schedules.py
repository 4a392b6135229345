"""Writing the calendar and the plan of sub-activities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from guyub.audit import services as audit
from guyub.programs.models import SubActivity
from guyub.reports import curves, queries
from guyub.reports.calendar import Period, due_date, periods, remaining
from guyub.reports.models import Frequency, Report, ReportState, Schedule

BATCH = 1000


@transaction.atomic
def set_schedule(
    sub_activity: SubActivity, *, frequency: str, grace_days: int, actor: Any
) -> Schedule:
    """Set how often a sub-activity reports, and make its calendar anew.

    Reports that somebody has begun stay as they are; the days that they leave get new, empty
    reports. A plan is carried over to the new periods.
    """
    locked = SubActivity.objects.select_for_update().get(pk=sub_activity.pk)
    schedule, _created = Schedule.objects.update_or_create(
        sub_activity=locked, defaults={"frequency": frequency, "grace_days": grace_days}
    )
    existing = list(
        Report.objects.select_for_update().filter(sub_activity=locked).order_by("period_start")
    )
    plan = _points(existing)
    begun = [report for report in existing if report.state != ReportState.MISSING]
    blank = {
        Period(report.period_start, report.period_end): report
        for report in existing
        if report.state == ReportState.MISSING
    }
    wanted = remaining(
        periods(locked.starts_on, locked.ends_on, frequency),
        [Period(report.period_start, report.period_end) for report in begun],
    )
    gone = [report.pk for period, report in blank.items() if period not in wanted]
    Report.objects.filter(pk__in=gone).delete()
    staying = [report for period, report in blank.items() if period in wanted]
    for report in staying:
        report.due_on = due_date(report.period_end, grace_days)
    Report.objects.bulk_update(staying, ["due_on"])
    fresh = [
        Report(
            sub_activity=locked,
            period_start=period.start,
            period_end=period.end,
            due_on=due_date(period.end, grace_days),
        )
        for period in wanted
        if period not in blank
    ]
    if plan:
        ends = [report.period_end for report in fresh]
        for report, point in zip(
            fresh, curves.interpolate(locked.starts_on, plan, ends), strict=True
        ):
            report.planned_physical, report.planned_budget = point.physical, point.budget
    Report.objects.bulk_create(fresh)
    audit.record(
        "reports.schedule.set",
        actor=actor,
        subject=schedule,
        detail={
            "sub_activity": locked.pk,
            "frequency": frequency,
            "grace_days": grace_days,
            "kept": len(begun),
            "added": len(fresh),
            "removed": len(gone),
        },
    )
    return schedule


def _points(reports: Iterable[Report]) -> list[curves.Point]:
    """Return the plan of a sub-activity's reports; empty unless every period has one."""
    found = []
    for report in reports:
        if report.planned_physical is None or report.planned_budget is None:
            return []
        found.append(
            curves.Point(report.period_end, report.planned_physical, report.planned_budget)
        )
    return found


@transaction.atomic
def schedule_year(
    year: int,
    *,
    frequency: str = Frequency.QUARTERLY,
    grace_days: int = 10,
    shape: str = "",
    actor: Any,
) -> int:
    """Give every sub-activity of ``year`` that has no schedule this one; return how many it gave.

    ``shape`` (``curves.LINEAR`` or ``curves.S_CURVE``) fills in a proposed plan, to be changed by
    the agencies; empty leaves the plan open. Running it again changes nothing.
    """
    found = list(
        SubActivity.objects.select_for_update(of=("self",))
        .filter(year=year, is_cancelled=False, schedule=None)
        .order_by("pk")
    )
    totals = queries.budgets([sub_activity.pk for sub_activity in found])
    Schedule.objects.bulk_create(
        [Schedule(sub_activity=s, frequency=frequency, grace_days=grace_days) for s in found],
        batch_size=BATCH,
    )
    made: list[Report] = []
    for sub_activity in found:
        reports = [
            Report(
                sub_activity=sub_activity,
                period_start=period.start,
                period_end=period.end,
                due_on=due_date(period.end, grace_days),
            )
            for period in periods(sub_activity.starts_on, sub_activity.ends_on, frequency)
        ]
        if shape:
            plan = curves.propose(
                sub_activity.starts_on,
                [report.period_end for report in reports],
                totals.get(sub_activity.pk, 0),
                shape,
            )
            for report, point in zip(reports, plan, strict=True):
                report.planned_physical, report.planned_budget = point.physical, point.budget
        made += reports
    Report.objects.bulk_create(made, batch_size=BATCH)
    if found:
        audit.record(
            "reports.schedule.year",
            actor=actor,
            detail={
                "year": year,
                "frequency": frequency,
                "grace_days": grace_days,
                "plan": shape,
                "sub_activities": len(found),
                "reports": len(made),
            },
        )
    return len(found)


@transaction.atomic
def set_plan(
    sub_activity: SubActivity,
    rows: Mapping[int, tuple[Decimal | None, int | None]],
    *,
    actor: Any,
) -> int:
    """Set the plan: for each report's key the per cent and the rupiah planned by its period's end.

    Returns the number of periods whose plan changed.

    Raises:
        ValidationError: the plan falls, has gaps or does not end at 100 % and at the budget.
    """
    reports = list(
        Report.objects.select_for_update().filter(sub_activity=sub_activity).order_by("period_end")
    )
    total = queries.budgets([sub_activity.pk]).get(sub_activity.pk, 0)
    wrong = curves.flaws([rows.get(report.pk, (None, None)) for report in reports], total)
    if wrong:
        raise ValidationError([flaw.text for flaw in wrong])
    changed = []
    for report in reports:
        if (report.planned_physical, report.planned_budget) != rows[report.pk]:
            changed.append(
                {
                    "period_end": report.period_end,
                    "from": [report.planned_physical, report.planned_budget],
                    "to": list(rows[report.pk]),
                }
            )
            report.planned_physical, report.planned_budget = rows[report.pk]
    if changed:
        Report.objects.bulk_update(reports, ["planned_physical", "planned_budget"])
        audit.record(
            "reports.plan.set", actor=actor, subject=sub_activity, detail={"changed": changed}
        )
    return len(changed)
