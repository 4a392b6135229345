"""Data requests over HTTP: who asked whom for what, and how it was answered. Never the data."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.sharing import queries
from guyub.sharing.models import DataRequest, RequestState
from guyub.ui.cursor import CursorPages

router = Router(tags=["sharing"])


class RequestRow(Schema):
    id: int
    dataset: str
    owner: str
    agency: str
    state: RequestState
    asked_at: dt.datetime
    due_on: dt.date
    is_overdue: bool
    answered_at: dt.datetime | None

    @staticmethod
    def resolve_dataset(asked: DataRequest) -> str:
        return asked.dataset.code

    @staticmethod
    def resolve_owner(asked: DataRequest) -> str:
        return asked.dataset.owner.code

    @staticmethod
    def resolve_agency(asked: DataRequest) -> str:
        return asked.agency.code


class GrantRow(Schema):
    columns: list[str]
    area: str | None
    with_numbers: bool
    ends_on: dt.date
    is_active: bool

    @staticmethod
    def resolve_area(grant: Any) -> str | None:
        return grant.area.code if grant.area is not None else None


class RequestFull(RequestRow):
    purpose: str
    legal_basis: str
    columns: list[str]
    with_numbers: bool
    wanted_until: dt.date
    answer: str
    grant: GrantRow | None = None

    @staticmethod
    def resolve_grant(asked: DataRequest) -> Any:
        return getattr(asked, "grant", None)


SIDES = {"received": "masuk", "sent": "keluar", "all": "semua"}


@router.get("/requests", response=list[RequestRow], summary="Data requests, the latest first")
@api_requires("sharing.view")
@paginate(CursorPages)
def list_requests(
    request: HttpRequest,
    side: Literal["received", "sent", "all"] = Query(
        "all", description="To one's own agency, from it, or all"
    ),
    state: RequestState | None = None,
) -> Any:
    return queries.requests(request.user, SIDES[side], str(state or ""))


@router.get("/requests/{pk}", response=RequestFull, summary="One data request")
@api_requires("sharing.view")
def one_request(request: HttpRequest, pk: int) -> Any:
    rows = DataRequest.objects.select_related("dataset__owner", "agency", "grant__area")
    return get_object_or_404(rows, pk=pk)
