"""Reading progress reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from guyub.access.permissions import Scope, can, scope_of
from guyub.beneficiaries.models import Delivery
from guyub.programs.models import Funding, Program, SubActivity
from guyub.reports.deviations import Deviation, judge, worst_first
from guyub.reports.models import Report, ReportState, Timeliness

REPORTED = (ReportState.SUBMITTED, ReportState.ACCEPTED)
# Reports that an agency still has to hand in.
UNSENT = (ReportState.MISSING, ReportState.DRAFT, ReportState.RETURNED)
SOON = dt.timedelta(days=7)


def budgets(sub_activities: Iterable[int]) -> dict[int, int]:
    """Return the budget in rupiah by sub-activity, for those that have one."""
    rows = (
        Funding.objects.filter(sub_activity__in=list(sub_activities))
        .order_by()
        .values("sub_activity")
        .annotate(total=Sum("amount"))
        .values_list("sub_activity", "total")
    )
    return dict(rows)


def previous_accepted(report: Report) -> Report | None:
    """Return the last accepted report on a period before that of ``report``."""
    return (
        Report.objects.filter(
            sub_activity=report.sub_activity_id,
            period_end__lt=report.period_start,
            state=ReportState.ACCEPTED,
        )
        .order_by("-period_end")
        .first()
    )


def delivered(sub_activities: Iterable[int], until: dt.date) -> dict[int, tuple[int, int]]:
    """Return by sub-activity who was reached by ``until``, as the delivery records have it.

    Counts from the start of that year: recipients (each once) and rupiah. Sub-activities without a
    delivery are missing.
    """
    rows = (
        Delivery.objects.filter(
            sub_activity__in=list(sub_activities),
            delivered_on__gte=dt.date(until.year, 1, 1),
            delivered_on__lte=until,
        )
        .order_by()
        .values("sub_activity")
        .annotate(recipients=Count("enrolment", distinct=True), rupiah=Sum("amount"))
        .values_list("sub_activity", "recipients", "rupiah")
    )
    return {pk: (recipients, rupiah or 0) for pk, recipients, rupiah in rows}


def own_agency(user: Any) -> int | None:
    """Return the agency that ``user`` writes reports for, ``None`` for people who read all."""
    if scope_of(user, "reports.submit") is Scope.OWN_AGENCY:
        return int(user.agency_id)
    return None


def with_names() -> QuerySet[Report]:
    """Return reports of sub-activities that go on, with what a list says about them."""
    return Report.objects.filter(sub_activity__is_cancelled=False).select_related(
        "sub_activity__agency"
    )


def years() -> list[int]:
    """Return the budget years that have a calendar, newest first."""
    return list(
        SubActivity.objects.filter(schedule__isnull=False)
        .order_by("-year")
        .values_list("year", flat=True)
        .distinct()
    )


def budget_years() -> list[int]:
    """Return the years that have sub-activities, newest first."""
    return list(SubActivity.objects.order_by("-year").values_list("year", flat=True).distinct())


def schedule_coverage() -> list[Any]:
    """Return by year, newest first, how many sub-activities there are and how many have a schedule."""
    return list(
        SubActivity.objects.filter(is_cancelled=False)
        .order_by("-year")
        .values("year")
        .annotate(all=Count("pk"), scheduled=Count("schedule"))
    )


def for_workbook(agency_id: int, end: dt.date) -> QuerySet[Report]:
    """Return an agency's reports on periods that end on ``end``, as a workbook lists them."""
    return (
        with_names()
        .filter(sub_activity__agency=agency_id, period_end=end)
        .order_by("sub_activity__code", "sub_activity__name", "pk")
    )


def workbook_periods(agency_id: int) -> list[Any]:
    """Return the last days of an agency's periods, newest first, with how many reports are unsent."""
    return list(
        with_names()
        .filter(sub_activity__agency=agency_id, period_start__lte=timezone.localdate())
        .order_by("-period_end")
        .values("period_end")
        .annotate(all=Count("pk"), unsent=Count("pk", filter=Q(state__in=UNSENT)))
    )


def period_ends(year: int) -> list[dt.date]:
    """Return the days on which periods of ``year`` end, in order."""
    return list(
        with_names()
        .filter(sub_activity__year=year)
        .order_by("period_end")
        .values_list("period_end", flat=True)
        .distinct()
    )


def timely(kind: str, today: dt.date) -> Q:
    """Return the condition for reports of a :class:`Timeliness`, as :meth:`Report.timeliness` has it."""
    if kind == Timeliness.ON_TIME:
        return Q(first_submitted_at__date__lte=F("due_on"))
    if kind == Timeliness.LATE:
        return Q(first_submitted_at__date__gt=F("due_on"))
    unsent = Q(first_submitted_at=None)
    return unsent & (Q(due_on__lt=today) if kind == Timeliness.MISSING else Q(due_on__gte=today))


def due(today: dt.date) -> Q:
    """Return the condition for reports that are counted: handed in, or past their due date."""
    return Q(first_submitted_at__isnull=False) | Q(due_on__lt=today)


def reports(
    *,
    year: int | None = None,
    agency: str = "",
    state: str = "",
    timeliness: str = "",
    period_end: dt.date | None = None,
    text: str = "",
    today: dt.date | None = None,
) -> QuerySet[Report]:
    """Return reports by due date, narrowed by what is given. ``timeliness`` also takes ``due``."""
    today = today or timezone.localdate()
    rows = with_names().order_by("due_on", "sub_activity__agency__name", "sub_activity__name", "pk")
    if year is not None:
        rows = rows.filter(sub_activity__year=year)
    if agency:
        rows = rows.filter(sub_activity__agency__code=agency)
    if state:
        rows = rows.filter(state=state)
    if timeliness == "due":
        rows = rows.filter(due(today))
    elif timeliness:
        rows = rows.filter(timely(timeliness, today))
    if period_end is not None:
        rows = rows.filter(period_end=period_end)
    for word in text.split()[:8]:
        rows = rows.filter(sub_activity__name__icontains=word)
    return rows


def to_do(today: dt.date) -> Q:
    """Return the condition for reports that an agency can and should work on by now."""
    return Q(state__in=UNSENT, period_start__lte=today)


def counts(rows: QuerySet[Report]) -> dict[str, int]:
    """Return how many of ``rows`` are in each state, and all of them as ``semua``."""
    found = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    return {**found, "semua": sum(found.values())}


def to_review() -> QuerySet[Report]:
    """Return reports under review, those that wait longest first."""
    return with_names().filter(state=ReportState.SUBMITTED).order_by("submitted_at", "pk")


def of_sub_activity(sub_activity: SubActivity) -> list[Report]:
    """Return the reports of a sub-activity in order of time."""
    return list(sub_activity.reports.order_by("period_end"))


def latest_of_program(program: Program) -> list[tuple[SubActivity, Report | None]]:
    """Return a program's sub-activities that report, each with its newest report that was sent."""
    sub_activities = list(
        SubActivity.objects.filter(
            activity__program=program, is_cancelled=False, schedule__isnull=False
        ).order_by("code", "name")
    )
    newest: dict[int, Report] = {}
    rows = Report.objects.filter(sub_activity__in=sub_activities, state__in=REPORTED)
    for report in rows.order_by("period_end").defer("narrative", "explanation"):
        newest[report.sub_activity_id] = report
    return [(sub_activity, newest.get(sub_activity.pk)) for sub_activity in sub_activities]


# Lateness


@dataclass(frozen=True)
class Punctuality:
    """How an agency keeps its due dates. ``days_late`` is the mean over late and missing reports."""

    agency_id: int
    agency: str
    code: str
    due: int
    on_time: int
    late: int
    missing: int
    days_late: float

    @property
    def on_time_share(self) -> int:
        """Per cent of the reports due that came on time."""
        return round(100 * self.on_time / self.due) if self.due else 100


def late_by_agency(
    year: int,
    *,
    period_end: dt.date | None = None,
    agency_id: int | None = None,
    today: dt.date | None = None,
) -> list[Punctuality]:
    """Return each agency's punctuality in ``year``, the least punctual first.

    A report counts once it was handed in or its due date has passed. The day of its first
    submission decides; one that has not come is late by the days that have passed since.
    """
    today = today or timezone.localdate()
    rows = with_names().filter(due(today), sub_activity__year=year)
    if period_end is not None:
        rows = rows.filter(period_end=period_end)
    if agency_id is not None:
        rows = rows.filter(sub_activity__agency=agency_id)
    tallies: dict[int, dict[str, Any]] = {}
    for report in rows.order_by().only(
        "due_on",
        "first_submitted_at",
        "sub_activity__agency__name",
        "sub_activity__agency__short_name",
        "sub_activity__agency__code",
    ):
        agency = report.sub_activity.agency
        tally = tallies.setdefault(
            agency.pk,
            {"agency": agency.name, "code": agency.code, "on_time": 0, "late": 0, "missing": 0,
             "days": 0},
        )  # fmt: skip
        kind = report.timeliness(today)
        tally[kind.value] += 1
        if kind is not Timeliness.ON_TIME:
            tally["days"] += report.days_late(today)
    found = [
        Punctuality(
            agency_id=pk,
            agency=t["agency"],
            code=t["code"],
            due=t["on_time"] + t["late"] + t["missing"],
            on_time=t["on_time"],
            late=t["late"],
            missing=t["missing"],
            days_late=t["days"] / max(1, t["late"] + t["missing"]),
        )
        for pk, t in tallies.items()
    ]
    return sorted(found, key=lambda p: (p.on_time_share, -p.days_late, p.agency))


# Deviations


def deviations(year: int, *, agency: str = "", level: str = "") -> list[Deviation]:
    """Return the sub-activities of ``year`` whose latest report falls behind, the gravest first.

    Reports under review count as much as accepted ones: an alarm that waits for a review is late.
    """
    rows = with_names().filter(sub_activity__year=year, state__in=REPORTED, physical__isnull=False)
    if agency:
        rows = rows.filter(sub_activity__agency__code=agency)
    latest: dict[int, list[Report]] = {}
    for report in rows.order_by("-period_end").defer("narrative", "explanation"):
        newest = latest.setdefault(report.sub_activity_id, [])
        if len(newest) < 2:
            newest.append(report)
    judged = (judge(pair[0], pair[1] if len(pair) > 1 else None) for pair in latest.values())
    return worst_first(d for d in judged if d is not None and level in ("", d.level))


# What waits


@dataclass(frozen=True)
class Waiting:
    """Reports that wait for somebody. ``kind`` is one of late, returned, due, review."""

    kind: str
    count: int
    oldest: dt.date | None


def waiting(user: Any, today: dt.date | None = None) -> list[Waiting]:
    """Return what waits for ``user``: late, returned and soon due reports of their agency, and for
    the secretariat the reports to review. Kinds of which there are none are left out.
    """
    today = today or timezone.localdate()
    found = []
    agency = own_agency(user)
    if agency is not None:
        own = with_names().filter(sub_activity__agency=agency)
        late = own.filter(timely(Timeliness.MISSING, today))
        returned = own.filter(state=ReportState.RETURNED)
        soon = own.filter(
            first_submitted_at=None,
            period_end__lte=today,
            due_on__gte=today,
            due_on__lte=today + SOON,
        )
        found = [("late", late), ("returned", returned), ("due", soon)]
    elif can(user, "reports.review"):
        queue = to_review()
        first = queue.first()
        count = queue.count()
        day = (
            timezone.localtime(first.submitted_at).date() if first and first.submitted_at else None
        )
        return [Waiting("review", count, day)] if count else []
    result = []
    for kind, rows in found:
        dates: Sequence[dt.date] = list(rows.order_by("due_on").values_list("due_on", flat=True))
        if dates:
            result.append(Waiting(kind, len(dates), dates[0]))
    return result
