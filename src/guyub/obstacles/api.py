"""Obstacles over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema

from guyub.access.guards import api_requires
from guyub.obstacles import queries
from guyub.obstacles.models import Obstacle

router = Router(tags=["obstacles"])
PAGE = 100


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


@router.get("", response=list[ObstacleRow], summary="Obstacles, unsolved first, by due date")
@api_requires("obstacles.view")
def list_obstacles(
    request: HttpRequest,
    state: str = Query("", description="open, working, escalated, solved, or belum: unsolved"),
    category: str = "",
    needed_agency: str = Query("", description="code of the agency needed"),
    area: str = Query("", description="Kemendagri code; areas below are included"),
    overdue: bool = False,
    page: int = Query(1, ge=1, le=10_000),
) -> Any:
    """A hundred a page."""
    filters = queries.Filters.read(
        {
            "keadaan": state,
            "jenis": category,
            "dibutuhkan": needed_agency,
            "wilayah": area,
            "lewat": "1" if overdue else "",
        }
    )
    rows = queries.obstacles(filters, request.user)
    return list(rows[(page - 1) * PAGE : page * PAGE])


@router.get("/{obstacle_id}", response=ObstacleFull, summary="One obstacle with its steps")
@api_requires("obstacles.view")
def one_obstacle(request: HttpRequest, obstacle_id: int) -> Any:
    rows = Obstacle.objects.select_related("needed_agency", "agency", "area")
    return get_object_or_404(rows.prefetch_related("steps"), pk=obstacle_id)
