"""Areas over HTTP."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.areas.models import Area, Level
from guyub.ui.cursor import CursorPages

router = Router(tags=["areas"])
Kind = Literal["regency", "district", "village", "urban_ward"]


class AreaRow(Schema):
    code: str
    name: str
    level: int
    kind: Kind
    parent: str | None

    @staticmethod
    def resolve_kind(area: Area) -> str:
        return "urban_ward" if area.is_urban_ward else Level(area.level).name.lower()

    @staticmethod
    def resolve_parent(area: Area) -> str | None:
        return area.parent.code if area.parent is not None else None


@router.get("", response=list[AreaRow], summary="Areas by level and parent")
@api_requires("areas.view")
@paginate(CursorPages)
def list_areas(
    request: HttpRequest,
    level: int | None = Query(None, ge=1, le=4),
    parent: str = Query("", max_length=13),
) -> Any:
    """Areas by code; ``level`` 2 regency, 3 district, 4 village; ``parent`` a Kemendagri code."""
    areas = Area.objects.select_related("parent")
    if level is not None:
        areas = areas.filter(level=level)
    if parent:
        areas = areas.filter(parent__code=parent)
    return areas


@router.get("/{code}", response=AreaRow, summary="One area")
@api_requires("areas.view")
def one_area(request: HttpRequest, code: str) -> Any:
    return get_object_or_404(Area.objects.select_related("parent"), code=code)
