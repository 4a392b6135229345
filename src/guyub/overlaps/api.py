"""The HTTP API of overlap: cases, and the coverage matrix of an area."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.areas.models import Area
from guyub.overlaps import queries
from guyub.overlaps.models import OverlapCase
from guyub.ui.cursor import CursorPages

router = Router(tags=["overlaps"])


class CaseOut(Schema):
    id: int
    year: int
    help_kind: str
    state: str
    households: int
    sub_activities: list[int]
    agencies: list[str]
    ruling: str
    lead_agency: str | None
    ruling_note: str

    @staticmethod
    def resolve_sub_activities(case: OverlapCase) -> list[int]:
        return sorted(sub.pk for sub in case.sub_activities.all())

    @staticmethod
    def resolve_agencies(case: OverlapCase) -> list[str]:
        return [agency.code for agency in queries.agencies_of(case)]

    @staticmethod
    def resolve_lead_agency(case: OverlapCase) -> str | None:
        return case.lead_agency.code if case.lead_agency is not None else None


class CoverageRow(Schema):
    """Households helped, and of how many, by desil; "0" is unknown. ``help_kind`` "" is any help."""

    help_kind: str
    helped: dict[str, int]
    of: dict[str, int]


class CoverageOut(Schema):
    year: int
    area: str
    reckoned_at: dt.datetime
    rows: list[CoverageRow]


@router.get(
    "/cases",
    response=list[CaseOut],
    url_name="overlap_cases",
    summary="Cases of a year, those with most households first",
)
@api_requires("overlaps.view")
@paginate(CursorPages)
def cases(
    request: HttpRequest,
    year: int = Query(..., ge=1990, le=2200),
    state: str = Query("", max_length=20),
) -> Any:
    """Programs that give the same kind of help to the same households, and what was ruled."""
    return queries.cases(year, state=state)


@router.get(
    "/coverage/{code}",
    response=CoverageOut,
    url_name="overlap_coverage",
    summary="How far help reaches in an area",
)
@api_requires("overlaps.view")
def coverage(
    request: HttpRequest, code: str, year: int | None = Query(None, ge=1990, le=2200)
) -> Any:
    """The coverage matrix of the area ``code``."""
    area = Area.objects.filter(code=code).first()
    chosen = year if year is not None else queries.usual_year(queries.years())
    found = queries.reckoned(chosen)
    if area is None or found is None:
        raise HttpError(404, _("Wilayah ini tidak ada, atau tahun ini belum dihitung."))
    reckoning, arrays = found
    rows = [
        {
            "help_kind": row.key,
            "helped": {str(cell.desil): cell.helped for cell in row.cells},
            "of": {str(cell.desil): cell.of for cell in row.cells},
        }
        for row in queries.coverage(arrays, area)
    ]
    return {
        "year": chosen,
        "area": area.code,
        "reckoned_at": reckoning.finished_at,
        "rows": rows,
    }
