"""Households of the registry over HTTP: NIK and KK masked, until somebody says what for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.registry import queries, services
from guyub.registry.models import Household, Person
from guyub.registry.restriction import (
    household_ids,
    is_restricted,
    open_households,
    open_people,
    person_ids,
)
from guyub.registry.vocabulary import Status
from guyub.ui.cursor import CursorPages, Keyed

router = Router(tags=["registry"])


class HouseholdRow(Schema):
    """``kk`` is masked; ``desil`` 1 is the poorest tenth."""

    id: int
    kk: str
    head_name: str
    members: int
    village: str = Field(description="Kemendagri code")
    desil: int | None
    extreme_poor: bool | None
    status: str
    updated_at: dt.datetime

    @staticmethod
    def resolve_kk(home: Household) -> str:
        return home.masked_kk

    @staticmethod
    def resolve_members(home: Household) -> int:
        return home.member_count

    @staticmethod
    def resolve_village(home: Household) -> str:
        return home.village.code


class MemberRow(Schema):
    """``nik`` is masked."""

    id: int
    nik: str
    name: str
    sex: str
    birth_date: dt.date | None
    relation: str
    disability: str
    work: str
    schooling: str
    health_insurance: str
    status: str

    @staticmethod
    def resolve_nik(person: Person) -> str:
        return person.masked_nik


class HouseholdFull(HouseholdRow):
    address: str
    hamlet: str
    rt: str
    rw: str
    floor: str
    wall: str
    roof: str
    sanitation: str
    water: str
    electricity: str
    ownership: str
    assets: list[str]
    expenditure: int | None = Field(description="Rupiah per person per month")
    people: list[MemberRow]

    @staticmethod
    def resolve_assets(home: Household) -> list[str]:
        return home.asset_list

    @staticmethod
    def resolve_people(home: Household) -> list[Person]:
        return list(open_people(home.members.order_by("id")))


class Lookup(Schema):
    number: str = Field(pattern="^[0-9]{16}$", description="NIK or KK number, in full")


class Purpose(Schema):
    purpose: str = Field(
        min_length=10, max_length=500, description="Why the numbers are needed; it is kept"
    )


class MemberNumber(Schema):
    id: int
    nik: str


class Numbers(Schema):
    id: int
    kk: str
    people: list[MemberNumber]


def _household(pk: int) -> Household:
    found = Household.objects.select_related("village").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _refuse_restricted(home: Household) -> None:
    if is_restricted(home):
        raise HttpError(
            403, _("Pemrosesan data keluarga ini sedang dibatasi atas permintaan pemiliknya.")
        )


@router.get("/households", response=list[HouseholdRow], summary="Households by id")
@api_requires("registry.view")
@paginate(CursorPages)
def list_households(
    request: HttpRequest,
    area: str = Query("", max_length=13, description="Kemendagri code of a district or village"),
    desil: int | None = Query(None, ge=1, le=10),
    status: Status = Query(Status.ACTIVE),  # noqa: B008 (Ninja reads the default)
) -> Any:
    """Those whom the caller may see, along their ids; the list is not counted."""
    filters = queries.Filters(
        area=area, desil=(desil,) if desil is not None else (), status=str(status)
    )
    return Keyed(open_households(queries.narrowed(request.user, filters)))


@router.post("/lookup", response=list[HouseholdRow], summary="Find a household by NIK or KK")
@api_requires("registry.view")
def look_up(request: HttpRequest, given: Lookup) -> Any:
    """The household of that number, or an empty list. The number travels in the body, not the address."""
    answer = queries.search(request.user, given.number, queries.Filters(status=""))
    hidden = set(household_ids()) if answer.rows else set()
    return [found.household for found in answer.rows if found.household.pk not in hidden]


@router.get("/households/{pk}", response=HouseholdFull, summary="One household with its members")
@api_requires("registry.view", load=_household)
def one_household(request: HttpRequest, home: Household) -> Any:
    _refuse_restricted(home)
    return home


@router.post(
    "/households/{pk}/identifiers", response=Numbers, summary="NIK and KK of a household in full"
)
@api_requires("registry.reveal", load=_household)
def identifiers(request: HttpRequest, home: Household, given: Purpose) -> Any:
    """Each call is kept in the audit log with its purpose."""
    _refuse_restricted(home)
    try:
        people = services.reveal(home, reason=given.purpose, actor=request.user)
    except services.RegistryError as error:
        raise HttpError(422, str(error)) from error
    hidden = set(person_ids())
    return {
        "id": home.pk, "kk": home.kk, "people": [one for one in people if one.pk not in hidden],
    }  # fmt: skip
