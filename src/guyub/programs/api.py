"""Programs and sub-activities over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.programs import queries
from guyub.programs.models import Activity, Program, SubActivity
from guyub.programs.queries import Narrowing
from guyub.ui.cursor import CursorPages

router = Router(tags=["programs"])


class SubActivityRow(Schema):
    id: int
    code: str
    name: str
    agency: str
    year: int
    program_id: int
    activity_id: int
    strategy: str
    help_kind: str
    recipient: str
    desil_min: int | None
    desil_max: int | None
    quota: int | None
    starts_on: dt.date
    ends_on: dt.date
    is_cancelled: bool
    budget: int

    @staticmethod
    def resolve_agency(sub: Any) -> str:
        return str(sub.agency.code)

    @staticmethod
    def resolve_program_id(sub: Any) -> int:
        return int(sub.activity.program_id)

    @staticmethod
    def resolve_budget(sub: Any) -> int:
        return sum(funding.amount for funding in sub.fundings.all())


class SubActivityFull(SubActivityRow):
    description: str
    target_note: str
    cancel_reason: str
    fundings: dict[str, int]
    areas: list[str]

    @staticmethod
    def resolve_fundings(sub: Any) -> dict[str, int]:
        return {funding.source: funding.amount for funding in sub.fundings.all()}

    @staticmethod
    def resolve_areas(sub: Any) -> list[str]:
        return sorted(area.code for area in sub.areas.all())


class ProgramRow(Schema):
    id: int
    code: str
    name: str
    agency: str
    year: int
    description: str
    mission: int | None

    @staticmethod
    def resolve_agency(program: Any) -> str:
        return str(program.agency.code)

    @staticmethod
    def resolve_mission(program: Any) -> int | None:
        return program.mission.number if program.mission is not None else None


class ActivityFull(Schema):
    id: int
    code: str
    name: str
    sub_activities: list[SubActivityRow]

    @staticmethod
    def resolve_sub_activities(activity: Any) -> list[Any]:
        return list(activity.sub_activities.all())


class ProgramFull(ProgramRow):
    activities: list[ActivityFull]

    @staticmethod
    def resolve_activities(program: Any) -> list[Any]:
        return list(program.activities.all())


class Filters(Schema):
    """What to narrow to; ``agency`` is a code, amounts are rupiah."""

    year: int | None = Field(None, ge=1990, le=2200)
    agency: str = ""
    strategy: str = ""
    help_kind: str = ""
    source: str = ""
    q: str = Query("", max_length=100)

    def narrowing(self) -> Narrowing:
        return Narrowing(
            year=self.year,
            agency=self.agency,
            strategy=self.strategy,
            help_kind=self.help_kind,
            source=self.source,
            text=self.q,
        )


def _subs() -> Any:
    return SubActivity.objects.select_related("agency", "activity").prefetch_related("fundings")


@router.get("", response=list[ProgramRow], summary="Programs")
@api_requires("programs.view")
@paginate(CursorPages)
def list_programs(
    request: HttpRequest,
    filters: Filters = Query(...),  # noqa: B008 (Ninja reads the default)
) -> Any:
    """Programs that fit, or that have a sub-activity that fits; every word of ``q`` must be found."""
    return queries.programs(filters.narrowing()).select_related("agency", "mission")


@router.get("/sub-activities", response=list[SubActivityRow], summary="Sub-activities")
@api_requires("programs.view")
@paginate(CursorPages)
def list_sub_activities(
    request: HttpRequest,
    filters: Filters = Query(...),  # noqa: B008 (Ninja reads the default)
) -> Any:
    """Sub-activities that fit, cancelled ones too."""
    return queries.sub_activities(filters.narrowing()).prefetch_related("fundings")


@router.get("/sub-activities/{pk}", response=SubActivityFull, summary="One sub-activity")
@api_requires("programs.view")
def one_sub_activity(request: HttpRequest, pk: int) -> Any:
    return get_object_or_404(_subs().prefetch_related("areas"), pk=pk)


@router.get("/{pk}", response=ProgramFull, summary="One program with its tree")
@api_requires("programs.view")
def one_program(request: HttpRequest, pk: int) -> Any:
    branches = Activity.objects.prefetch_related(Prefetch("sub_activities", queryset=_subs()))
    return get_object_or_404(
        Program.objects.select_related("agency", "mission").prefetch_related(
            Prefetch("activities", queryset=branches)
        ),
        pk=pk,
    )
