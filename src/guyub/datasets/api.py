"""Datasets over HTTP: what there is, whose, and how fresh."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.datasets import queries
from guyub.datasets.models import Dataset
from guyub.ui.cursor import CursorPages

router = Router(tags=["datasets"])


class DatasetOut(Schema):
    code: str
    name: str
    owner: str
    legal_basis: str
    cadence: str
    freshness: str
    as_of: dt.date | None
    people: int
    households: int
    is_reference: bool

    @staticmethod
    def resolve_owner(dataset: Dataset) -> str:
        return dataset.owner.code

    @staticmethod
    def resolve_freshness(dataset: Dataset) -> str:
        return dataset.freshness.value

    @staticmethod
    def resolve_as_of(dataset: Dataset) -> dt.date | None:
        return dataset.current_version.as_of if dataset.current_version else None

    @staticmethod
    def resolve_people(dataset: Dataset) -> int:
        return dataset.current_version.people if dataset.current_version else 0

    @staticmethod
    def resolve_households(dataset: Dataset) -> int:
        return dataset.current_version.households if dataset.current_version else 0

    @staticmethod
    def resolve_is_reference(dataset: Dataset) -> bool:
        return bool(dataset.current_version and dataset.current_version.is_reference)


@router.get("", response=list[DatasetOut], url_name="datasets", summary="Datasets by name")
@api_requires("datasets.view")
@paginate(CursorPages)
def datasets(
    request: HttpRequest, owner: str = Query("", max_length=40, description="Code of the agency")
) -> Any:
    return queries.all_datasets(owner)


@router.get("/{code}", response=DatasetOut, url_name="dataset", summary="One dataset")
@api_requires("datasets.view")
def dataset(request: HttpRequest, code: str) -> Dataset:
    return get_object_or_404(queries.all_datasets(), code=code)
