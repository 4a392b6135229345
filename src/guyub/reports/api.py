"""Progress reports over HTTP."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from ninja.pagination import LimitOffsetPagination, paginate

from guyub.access.guards import api_requires
from guyub.reports import queries
from guyub.reports.models import Report, ReportState

router = Router(tags=["reports"])


class ReportRow(Schema):
    """Figures count from the start of the year; physical ones are per cent, budgets rupiah."""

    id: int
    agency: str
    sub_activity_id: int
    sub_activity: str
    period_start: dt.date
    period_end: dt.date
    due_on: dt.date
    state: str
    planned_physical: Decimal | None
    planned_budget: int | None
    physical: Decimal | None
    budget: int | None
    reached: int | None
    first_submitted_at: dt.datetime | None
    accepted_at: dt.datetime | None

    @staticmethod
    def resolve_agency(report: Report) -> str:
        return report.sub_activity.agency.code

    @staticmethod
    def resolve_sub_activity(report: Report) -> str:
        return report.sub_activity.name


class ReportFull(ReportRow):
    narrative: str
    explanation: str


class PunctualityRow(Schema):
    agency: str
    code: str
    due: int
    on_time: int
    late: int
    missing: int
    days_late: float
    on_time_share: int


class DeviationRow(Schema):
    """``behind`` is planned less realised, in points."""

    report: ReportRow
    behind: Decimal | None
    level: str
    reasons: list[str]


@router.get("", response=list[ReportRow], summary="Reports by due date")
@api_requires("reports.view")
@paginate(LimitOffsetPagination)
def list_reports(
    request: HttpRequest,
    year: int | None = None,
    agency: str = Query("", max_length=40),
    state: str = Query("", max_length=10),
) -> Any:
    """Reports of sub-activities that go on, narrowed by budget year, agency code and state."""
    known = state if state in ReportState.values else ""
    if state and not known:
        return Report.objects.none()
    return queries.reports(year=year, agency=agency, state=known)


@router.get("/lateness/{year}", response=list[PunctualityRow], summary="Punctuality by agency")
@api_requires("reports.view")
def lateness(request: HttpRequest, year: int) -> Any:
    return queries.late_by_agency(year)


@router.get("/deviations/{year}", response=list[DeviationRow], summary="Work behind its plan")
@api_requires("reports.view")
def deviations(request: HttpRequest, year: int) -> Any:
    return queries.deviations(year)


@router.get("/{pk}", response=ReportFull, summary="One report")
@api_requires("reports.view")
def one_report(request: HttpRequest, pk: int) -> Any:
    report = queries.with_names().filter(pk=pk).first()
    if report is None:
        raise Http404
    return report
