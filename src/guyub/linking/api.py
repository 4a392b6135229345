"""Linking over HTTP: runs, how they stand, and what became of each row. Numbers are masked."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.linking import queries
from guyub.linking.models import LinkRun
from guyub.ui.cursor import CursorPages

router = Router(tags=["linking"])


def _run(run_id: int) -> LinkRun:
    return get_object_or_404(LinkRun.objects.select_related("agency"), pk=run_id)


class LinkRunOut(Schema):
    id: int
    kind: str
    title: str
    agency: str | None
    state: str
    created_at: dt.datetime
    finished_at: dt.datetime | None

    @staticmethod
    def resolve_agency(run: LinkRun) -> str | None:
        return run.agency.code if run.agency is not None else None


class LinkRunDetail(LinkRunOut):
    """``stages`` counts the rows of a list by outcome; ``waiting`` the pairs nobody has judged."""

    stages: dict[str, int]
    waiting: int
    accept: float | None
    review: float | None

    @staticmethod
    def resolve_stages(run: LinkRun) -> dict[str, int]:
        return queries.stage_counts(run) if run.is_done and not run.finds_duplicates else {}

    @staticmethod
    def resolve_waiting(run: LinkRun) -> int:
        return queries.queue_counts(run)["waiting"]

    @staticmethod
    def resolve_accept(run: LinkRun) -> float | None:
        return run.used.get("thresholds", {}).get("accept")

    @staticmethod
    def resolve_review(run: LinkRun) -> float | None:
        return run.used.get("thresholds", {}).get("review")


class LinkRowOut(Schema):
    """``person_id`` and ``household_id`` are given once the row is linked."""

    row: int
    name: str
    masked_nik: str
    outcome: str
    weight: float | None
    person_id: int | None
    household_id: int | None


@router.get("", response=list[LinkRunOut], url_name="link_runs", summary="Linkings, newest first")
@api_requires("linking.view")
@paginate(CursorPages)
def link_runs(request: HttpRequest) -> Any:
    return queries.runs_for(request.user)


@router.get(
    "/{run_id}", response=LinkRunDetail, url_name="link_run", summary="One linking and its counts"
)
@api_requires("linking.view", load=_run)
def link_run(request: HttpRequest, run: LinkRun) -> LinkRun:
    return run


@router.get(
    "/{run_id}/rows",
    response=list[LinkRowOut],
    url_name="link_rows",
    summary="What became of each row of the list",
)
@api_requires("linking.view", load=_run)
@paginate(CursorPages)
def link_rows(request: HttpRequest, run: LinkRun) -> Any:
    return _Rows(run)


class _Rows:
    """The rows of a run's list, read a slice at a time."""

    def __init__(self, run: LinkRun) -> None:
        self.run = run

    def __len__(self) -> int:
        return queries.handed_count(self.run)

    def __getitem__(self, part: slice) -> list[LinkRowOut]:
        rows = queries.rows_of(self.run, (), part.start, part.stop - part.start, handed=True)
        return [
            LinkRowOut(
                row=row.record.number,
                name=row.record.name,
                masked_nik=row.record.masked_nik,
                outcome=row.stage,
                weight=row.weight,
                person_id=row.person.pk if row.is_linked and row.person else None,
                household_id=row.person.household_id if row.is_linked and row.person else None,
            )
            for row in rows
        ]
