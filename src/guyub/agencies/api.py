"""The directory of agencies over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.agencies import queries
from guyub.agencies.models import Agency
from guyub.ui.cursor import CursorPages

router = Router(tags=["agencies"])


class AgencyRow(Schema):
    code: str
    name: str
    short_name: str
    phone: str
    email: str


class ProgramRow(Schema):
    id: int
    code: str
    name: str
    year: int


class DatasetRow(Schema):
    code: str
    name: str
    as_of: dt.date | None
    freshness: str

    @staticmethod
    def resolve_as_of(dataset: Any) -> dt.date | None:
        version = dataset.current_version
        return version.as_of if version is not None else None

    @staticmethod
    def resolve_freshness(dataset: Any) -> str:
        return str(dataset.freshness.value)


class AgencyFull(AgencyRow):
    head_name: str
    head_title: str
    website: str
    address: str
    duty: str
    functions: list[str]
    regulation: str
    topics: list[str]
    is_active: bool
    updated_at: dt.datetime
    programs: list[ProgramRow]
    datasets: list[DatasetRow]

    @staticmethod
    def resolve_functions(agency: Agency) -> list[str]:
        return [function.text for function in agency.functions.all()]

    @staticmethod
    def resolve_topics(agency: Agency) -> list[str]:
        return [topic.strip() for topic in agency.topics.split(",") if topic.strip()]

    @staticmethod
    def resolve_programs(agency: Agency) -> list[Any]:
        return list(agency.programs.all())  # type: ignore[attr-defined]

    @staticmethod
    def resolve_datasets(agency: Agency) -> list[Any]:
        return list(agency.datasets.all())  # type: ignore[attr-defined]


@router.get("", response=list[AgencyRow], summary="Active agencies, or those a question is about")
@api_requires("agencies.view")
@paginate(CursorPages)
def list_agencies(request: HttpRequest, q: str = Query("", max_length=200)) -> Any:
    """Active agencies by name; with ``q``, those that the plain question is about, best first."""
    if q.strip():
        return [match.agency for match in queries.search(q).matches]
    return Agency.objects.filter(is_active=True)


@router.get("/{code}", response=AgencyFull, summary="One agency")
@api_requires("agencies.view")
def one_agency(request: HttpRequest, code: str) -> Any:
    agency = queries.with_everything(code)
    if agency is None:
        raise Http404
    return agency
