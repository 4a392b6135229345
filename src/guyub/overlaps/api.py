"""The HTTP API of overlap: cases, and the coverage matrix of an area."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from ninja.errors import HttpError

from guyub.access.guards import api_requires
from guyub.areas.models import Area
from guyub.overlaps import queries

router = Router(tags=["overlaps"])
LIMIT = 200


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


@router.get("/cases", response=list[CaseOut], url_name="overlap_cases")
@api_requires("overlaps.view")
def cases(request: HttpRequest, year: int, state: str = "", offset: int = 0) -> list[Any]:
    """The cases of a year, those with most households first, at most 200 at a time."""
    start = max(0, offset)
    return [
        {
            "id": case.pk,
            "year": case.year,
            "help_kind": case.help_kind,
            "state": case.state,
            "households": case.households,
            "sub_activities": sorted(sub.pk for sub in case.sub_activities.all()),
            "agencies": [agency.code for agency in queries.agencies_of(case)],
            "ruling": case.ruling,
            "lead_agency": case.lead_agency.code if case.lead_agency else None,
            "ruling_note": case.ruling_note,
        }
        for case in queries.cases(year, state=state)[start : start + LIMIT]
    ]


@router.get("/coverage/{code}", response=CoverageOut, url_name="overlap_coverage")
@api_requires("overlaps.view")
def coverage(request: HttpRequest, code: str, year: int | None = None) -> Any:
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
