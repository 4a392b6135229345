"""Proposals, objections and complaints over HTTP: how far they are, without names and numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.access.permissions import can
from guyub.areas.models import Area, Level
from guyub.proposals import queries, services
from guyub.proposals.models import Proposal
from guyub.proposals.vocabulary import ProposalKind, ProposalState, Reason
from guyub.registry.models import Household
from guyub.registry.restriction import open_households, open_numbers
from guyub.registry.vocabulary import Sex
from guyub.ui.cursor import CursorPages

router = Router(tags=["proposals"])
SUBMITTED_HERE = (ProposalKind.PROPOSE, ProposalKind.OBJECT)


class ProposalRow(Schema):
    """Who is meant and who wrote stays in Guyub; ``nik`` is masked."""

    id: int
    code: str
    kind: ProposalKind
    reason_kind: Reason
    village: str
    agency: str | None
    household_id: int | None
    nik: str
    state: ProposalState
    outcome: str
    submitted_at: dt.datetime
    due_on: dt.date | None
    is_overdue: bool

    @staticmethod
    def resolve_code(proposal: Proposal) -> str:
        return proposal.shown_code

    @staticmethod
    def resolve_village(proposal: Proposal) -> str:
        return proposal.village.code

    @staticmethod
    def resolve_agency(proposal: Proposal) -> str | None:
        return proposal.agency.code if proposal.agency is not None else None

    @staticmethod
    def resolve_nik(proposal: Proposal) -> str:
        return proposal.masked_nik


class StepRow(Schema):
    kind: str
    happened_on: dt.date
    recorded_at: dt.datetime
    outcome: str


class ProposalFull(ProposalRow):
    steps: list[StepRow]

    @staticmethod
    def resolve_steps(proposal: Proposal) -> list[Any]:
        return list(proposal.steps.order_by("pk"))


class ProposalIn(Schema):
    """Either ``household_id``, or of a household that is not in the registry its head and village."""

    kind: ProposalKind = Field(description="propose or object", examples=["propose"])
    reason_kind: Reason
    reason: str = Field(min_length=10, max_length=5000)
    household_id: int | None = Field(None, description="A household of the registry")
    village: str = Field("", max_length=13, description="Kemendagri code")
    head_name: str = Field("", max_length=150)
    nik: str = Field("", pattern="^([0-9]{16})?$")
    kk: str = Field("", pattern="^([0-9]{16})?$")
    birth_date: dt.date | None = None
    sex: Sex | None = None
    address: str = Field("", max_length=250)
    rt: str = Field("", max_length=3)
    rw: str = Field("", max_length=3)


def _handed(proposals: QuerySet[Proposal]) -> QuerySet[Proposal]:
    """Leave out those about people whose data are restricted."""
    return open_numbers(open_households(proposals, "household__"))


@router.get("", response=list[ProposalRow], summary="Proposals, the latest first")
@api_requires("proposals.view")
@paginate(CursorPages)
def list_proposals(
    request: HttpRequest,
    kind: ProposalKind | None = None,
    state: ProposalState | None = None,
    area: str = Query("", max_length=13, description="Kemendagri code; areas below are included"),
    overdue: bool = False,
) -> Any:
    """Those that the caller may see; confidential complaints only where they are answered."""
    return _handed(
        queries.narrowed(
            request.user, kind=str(kind or ""), state=str(state or ""), area=area, overdue=overdue
        )
    )


def _proposal(request: HttpRequest, pk: int) -> Proposal:
    found = _handed(queries.visible_to(request.user)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@router.get("/{pk}", response=ProposalFull, summary="One proposal and how far it is")
@api_requires("proposals.view")
def one_proposal(request: HttpRequest, pk: int) -> Any:
    return _proposal(request, pk)


@router.post("", response={201: ProposalFull}, summary="Propose a household, or object to one")
@api_requires("proposals.submit")
def submit_proposal(request: HttpRequest, given: ProposalIn) -> Any:
    """Goes on to the village deliberation. Complaints are made by citizens, not by systems."""
    if given.kind not in SUBMITTED_HERE:
        raise ValidationError({"kind": _("Lewat API hanya usulan dan sanggahan.")})
    household = village = None
    if given.household_id is not None:
        household = (
            Household.objects.select_related("village").filter(pk=given.household_id).first()
        )
        if household is None or not can(request.user, "proposals.submit", household):
            raise ValidationError({"household_id": _("Keluarga ini tidak ada di wilayah Anda.")})
        village = household.village
    else:
        village = Area.objects.filter(code=given.village, level=Level.VILLAGE).first()
        if village is None or not can(request.user, "proposals.submit", village):
            raise ValidationError({"village": _("Tidak ada desa di wilayah Anda berkode ini.")})
    values = given.model_dump(exclude={"kind", "household_id", "village"})
    values["sex"] = values["sex"] or ""
    made = services.submit(
        village=village,
        kind=given.kind,
        values=values,
        household=household,
        actor=request.user,
    )
    return Status(201, _proposal(request, made.pk))
