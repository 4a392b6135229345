"""Released data over HTTP, for anybody, without a token."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import public
from guyub.portal import queries
from guyub.portal.files import BY_KEY
from guyub.portal.models import CountTable, Release, ReleasedCell
from guyub.ui.cursor import CursorPages

router = Router(tags=["public"])


class FileRow(Schema):
    dataset: str
    format: str
    rows: int
    size: int
    digest: str


class ReleaseRow(Schema):
    id: int
    year: int
    as_of: dt.date
    dataset: str
    version: int
    released_at: dt.datetime
    files: list[FileRow]

    @staticmethod
    def resolve_dataset(release: Release) -> str:
        return release.version.dataset.code

    @staticmethod
    def resolve_version(release: Release) -> int:
        return release.version.number

    @staticmethod
    def resolve_files(release: Release) -> list[Any]:
        return list(release.files.all())  # type: ignore[attr-defined]


class CellRow(Schema):
    """``value`` is null where the count is hidden (then it is not nought) or withheld (then it may be)."""

    area: str
    column: str
    value: int | None
    is_withheld: bool

    @staticmethod
    def resolve_area(cell: ReleasedCell) -> str:
        return cell.area.code


def _released(pk: int) -> Release:
    return get_object_or_404(queries.released(), pk=pk)


@router.get("/releases", response=list[ReleaseRow], auth=None, url_name="public_releases")
@public
@paginate(CursorPages)
def list_releases(request: HttpRequest) -> Any:
    """What has been released, newest first, with the files to download."""
    return queries.released().prefetch_related("files")


@router.get("/releases/{pk}/counts", response=list[CellRow], auth=None, url_name="public_counts")
@public
@paginate(CursorPages)
def counts(
    request: HttpRequest,
    pk: int,
    table: str = "households",
    area: str = "",
) -> Any:
    """Cells of ``households`` or ``recipients``; ``area`` narrows to an area and what lies in it."""
    if table not in CountTable.values:
        raise Http404
    cells = (
        ReleasedCell.objects.filter(release=_released(pk), table=table)
        .select_related("area")
        .order_by("area__code", "pk")
    )
    if area:
        cells = cells.filter(Q(area__code=area) | Q(area__code__startswith=area + "."))
    return cells


@router.get(
    "/releases/{pk}/tables/{dataset}",
    response=list[dict[str, Any]],
    auth=None,
    url_name="public_table",
)
@public
@paginate(CursorPages)
def table(request: HttpRequest, pk: int, dataset: str) -> Any:
    """A table that holds no counts of households: ``program-anggaran`` or ``angka-kemiskinan``."""
    release, publication = _released(pk), BY_KEY.get(dataset)
    if publication is None or publication.table:
        raise Http404
    names = [field.name for field in publication.fields]
    return [dict(zip(names, row, strict=True)) for row in publication.rows(release)]
