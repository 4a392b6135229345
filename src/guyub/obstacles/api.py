"""Obstacles over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.access.permissions import in_area
from guyub.access.roles import AREA_ROLES
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.obstacles import queries, services
from guyub.obstacles.models import Category, Obstacle
from guyub.programs.models import SubActivity
from guyub.ui.cursor import CursorPages

router = Router(tags=["obstacles"])


class ObstacleRow(Schema):
    id: int
    title: str
    category: str
    severity: int
    state: str
    needed_agency: str
    reporting_agency: str | None
    area: str | None
    sub_activity_id: int | None
    due_on: dt.date
    days_late: int
    reported_at: dt.datetime
    solved_at: dt.datetime | None

    @staticmethod
    def resolve_needed_agency(obstacle: Obstacle) -> str:
        return obstacle.needed_agency.code

    @staticmethod
    def resolve_reporting_agency(obstacle: Obstacle) -> str | None:
        return obstacle.agency.code if obstacle.agency is not None else None

    @staticmethod
    def resolve_area(obstacle: Obstacle) -> str | None:
        return obstacle.area.code if obstacle.area is not None else None


class StepRow(Schema):
    kind: str
    text: str
    state: str
    at: dt.datetime


class ObstacleFull(ObstacleRow):
    description: str
    solution: str
    steps: list[StepRow]

    @staticmethod
    def resolve_steps(obstacle: Obstacle) -> list[Any]:
        return list(obstacle.steps.all())


class ObstacleIn(Schema):
    """NIK and KK numbers in the texts are masked before they are kept."""

    title: str = Field(min_length=5, max_length=150, examples=["Data penerima belum padan"])
    description: str = Field(min_length=5, max_length=20_000)
    category: Category = Field(examples=["data"])
    severity: int = Field(ge=1, le=4)
    needed_agency: str = Field(max_length=40, description="Code of the agency that can solve it")
    due_on: dt.date = Field(description="By when it is needed")
    sub_activity_id: int | None = Field(None, description="A sub-activity of one's own agency")
    area: str | None = Field(None, max_length=13, description="Kemendagri code")


class StepIn(Schema):
    text: str = Field(min_length=1, max_length=20_000)


@router.get("", response=list[ObstacleRow], summary="Obstacles, unsolved first, by due date")
@api_requires("obstacles.view")
@paginate(CursorPages)
def list_obstacles(
    request: HttpRequest,
    state: str = Query("", description="open, working, escalated, solved, or belum: unsolved"),
    category: str = "",
    needed_agency: str = Query("", description="code of the agency needed"),
    area: str = Query("", description="Kemendagri code; areas below are included"),
    overdue: bool = False,
) -> Any:
    """Narrowed by what is given; what makes no sense narrows nothing."""
    filters = queries.Filters.read(
        {
            "keadaan": state,
            "jenis": category,
            "dibutuhkan": needed_agency,
            "wilayah": area,
            "lewat": "1" if overdue else "",
        }
    )
    return queries.obstacles(filters, request.user)


def _obstacle(obstacle_id: int) -> Obstacle:
    rows = Obstacle.objects.select_related("needed_agency", "agency", "area", "reporting_area")
    return get_object_or_404(rows.prefetch_related("steps"), pk=obstacle_id)


@router.get("/{obstacle_id}", response=ObstacleFull, summary="One obstacle with its steps")
@api_requires("obstacles.view")
def one_obstacle(request: HttpRequest, obstacle_id: int) -> Any:
    return _obstacle(obstacle_id)


@router.post("", response={201: ObstacleFull}, summary="Report an obstacle")
@api_requires("obstacles.report")
def report_obstacle(request: HttpRequest, given: ObstacleIn) -> Any:
    """The agency that is needed is notified."""
    user: Any = request.user
    needed = Agency.objects.filter(code=given.needed_agency, is_active=True).first()
    if needed is None:
        raise ValidationError({"needed_agency": _("Tidak ada perangkat daerah aktif berkode ini.")})
    sub_activity = area = None
    if given.sub_activity_id is not None:
        sub_activity = SubActivity.objects.filter(pk=given.sub_activity_id).first()
        if sub_activity is None or (
            user.agency_id is not None and sub_activity.agency_id != user.agency_id
        ):
            raise ValidationError({"sub_activity_id": _("Bukan sub kegiatan Anda.")})
    if given.area is not None:
        area = Area.objects.filter(code=given.area).first()
        if area is None:
            raise ValidationError({"area": _("Wilayah ini tidak ada.")})
    if user.role in AREA_ROLES and (area is None or not in_area(user.area_code, area.code)):
        raise ValidationError({"area": _("Tulis wilayah di dalam wilayah tugas Anda.")})
    made = services.report(
        title=given.title,
        description=given.description,
        category=given.category,
        severity=given.severity,
        needed_agency=needed,
        due_on=given.due_on,
        sub_activity=sub_activity,
        area=area,
        actor=user,
    )
    return Status(201, _obstacle(made.pk))


@router.post(
    "/{obstacle_id}/steps", response={201: ObstacleFull}, summary="Tell what was done about it"
)
@api_requires("obstacles.report", load=_obstacle)
def add_step(request: HttpRequest, obstacle: Obstacle, given: StepIn) -> Any:
    """The first step of the agency that is needed takes the obstacle up."""
    services.add_step(obstacle, given.text, actor=request.user)
    return Status(201, _obstacle(obstacle.pk))


@router.post(
    "/{obstacle_id}/solution", response=ObstacleFull, summary="Close it with how it was solved"
)
@api_requires("obstacles.report", load=_obstacle)
def solve_obstacle(request: HttpRequest, obstacle: Obstacle, given: StepIn) -> Any:
    services.solve(obstacle, given.text, actor=request.user)
    return _obstacle(obstacle.pk)
