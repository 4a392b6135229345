"""Indicators and poverty figures over HTTP."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.targets import queries
from guyub.targets.models import Estimate, Indicator
from guyub.targets.poverty import Measured
from guyub.ui.cursor import CursorPages

router = Router(tags=["targets"])


class IndicatorRow(Schema):
    code: str
    name: str
    kind: str
    owner: str
    unit: str
    direction: str

    @staticmethod
    def resolve_owner(indicator: Indicator) -> str:
        return indicator.owner.code


class YearRow(Schema):
    year: int
    target: Decimal | None
    actual: Decimal | None
    source: str
    note: str
    achievement: Decimal | None = None
    standing: str = ""


class IndicatorFull(IndicatorRow):
    formula: str
    source: str
    is_active: bool
    years: list[YearRow]

    @staticmethod
    def resolve_years(indicator: Indicator) -> list[dict[str, Any]]:
        found = []
        for entry in indicator.years.all():  # type: ignore[attr-defined]
            progress = queries.progress_of(indicator, entry.year)
            found.append(
                {
                    "year": entry.year,
                    "target": entry.target,
                    "actual": entry.actual,
                    "source": entry.source,
                    "note": entry.note,
                    "achievement": progress.achievement,
                    "standing": progress.standing.value,
                }
            )
        return found


class FigureRow(Schema):
    measure: str
    area_code: str
    year: int
    value: Decimal
    source: str
    url: str
    is_verified: bool
    evidence: str


class MeasuredRow(Schema):
    """P0, P1 and P2 are shares, not per cent; ``rse`` is in per cent."""

    measure: str
    domain: str
    value: float
    se: float | None
    low: float | None
    high: float | None
    rse: float | None
    reliability: str


class EstimateRow(Schema):
    id: int
    title: str
    basis: str
    as_of: dt.date
    line: Decimal
    households: int
    people: Decimal
    digest: str
    is_official: bool = False
    results: list[MeasuredRow]

    @staticmethod
    def resolve_households(estimate: Estimate) -> int:
        return estimate.rows

    @staticmethod
    def resolve_results(estimate: Estimate) -> list[Measured]:
        return [Measured(**result) for result in estimate.results]


@router.get("/indicators", response=list[IndicatorRow], summary="Active indicators")
@api_requires("targets.view")
@paginate(CursorPages)
def indicators(request: HttpRequest, kind: str = Query("", max_length=10)) -> Any:
    found = Indicator.objects.filter(is_active=True).select_related("owner")
    return found.filter(kind=kind) if kind else found


@router.get("/indicators/{code}", response=IndicatorFull, summary="One indicator with its years")
@api_requires("targets.view")
def indicator(request: HttpRequest, code: str) -> Any:
    found = queries.find_indicator(code)
    if found is None:
        raise Http404
    return found


@router.get("/poverty/published", response=list[FigureRow], summary="Published poverty figures")
@api_requires("targets.view")
@paginate(CursorPages)
def published_figures(request: HttpRequest, measure: str = Query("", max_length=15)) -> Any:
    return queries.published(measure)


@router.get("/poverty/estimates", response=list[EstimateRow], summary="Measured, not official")
@api_requires("targets.view")
@paginate(CursorPages)
def estimates(request: HttpRequest) -> Any:
    """Estimates, the newest first, each of everybody and of its domains."""
    return Estimate.objects.filter(computed_at__isnull=False)
