"""Progress reports over HTTP."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Field, Path, Query, Router, Schema
from ninja.errors import HttpError
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.reports import queries, services
from guyub.reports.models import Report, ReportState
from guyub.ui.cursor import CursorPages

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
    """``version`` goes back with each write, so that nobody overwrites what they have not seen."""

    version: int
    narrative: str
    explanation: str


class FiguresIn(Schema):
    """What a report says: per cent, rupiah and recipients, each from the year's start on."""

    version: int = Field(ge=0, le=2_147_483_647, description="As read from the report.")
    physical: Decimal | None = Field(None, ge=0, le=100, decimal_places=2)
    budget: int | None = Field(None, ge=0, le=10**15)
    reached: int | None = Field(None, ge=0, le=2_147_483_647)
    narrative: str = Field("", max_length=20_000)
    explanation: str = Field("", max_length=20_000)

    def figures(self) -> services.Figures:
        return services.Figures(
            self.physical, self.budget, self.reached, self.narrative, self.explanation
        )


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
@paginate(CursorPages)
def list_reports(
    request: HttpRequest,
    year: int | None = Query(None, ge=1990, le=2200),
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
@paginate(CursorPages)
def lateness(request: HttpRequest, year: int = Path(..., ge=1990, le=2200)) -> Any:
    return queries.late_by_agency(year)


@router.get("/deviations/{year}", response=list[DeviationRow], summary="Work behind its plan")
@api_requires("reports.view")
@paginate(CursorPages)
def deviations(request: HttpRequest, year: int = Path(..., ge=1990, le=2200)) -> Any:
    return queries.deviations(year)


def _report(pk: int) -> Report:
    report = queries.with_names().filter(pk=pk).first()
    if report is None:
        raise Http404
    return report


@router.get("/{pk}", response=ReportFull, summary="One report")
@api_requires("reports.view")
def one_report(request: HttpRequest, pk: int) -> Any:
    return _report(pk)


@router.post("/{pk}/draft", response=ReportFull, summary="Keep figures without handing them in")
@api_requires("reports.edit", load=_report)
def save_report(request: HttpRequest, report: Report, given: FiguresIn) -> Any:
    """Replaces what was saved before. Refused with 409 when ``version`` is no longer the newest."""
    try:
        services.save_draft(
            report, version=given.version, figures=given.figures(), actor=request.user
        )
    except services.ReportError as error:
        raise HttpError(409, str(error)) from error
    return _report(report.pk)


@router.post("/{pk}/submission", response=ReportFull, summary="Hand a report in for review")
@api_requires("reports.submit", load=_report)
def submit_report(request: HttpRequest, report: Report, given: FiguresIn) -> Any:
    """Its period must be over and all figures given; refused with 409 while it is under review."""
    try:
        services.submit(report, version=given.version, figures=given.figures(), actor=request.user)
    except services.ReportError as error:
        raise HttpError(409, str(error)) from error
    return _report(report.pk)
