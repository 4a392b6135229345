"""Coordination meetings over HTTP: when, what was decided, who does what by when."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.meetings.models import (
    ActionItem,
    ActionState,
    Decision,
    DecisionState,
    Meeting,
    MeetingState,
)
from guyub.ui.cursor import CursorPages

router = Router(tags=["meetings"])


class MeetingRow(Schema):
    id: int
    title: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    place: str
    state: MeetingState
    input_due_on: dt.date


class ConsentRow(Schema):
    agency: str
    stance: str

    @staticmethod
    def resolve_agency(consent: Any) -> str:
        return str(consent.agency.code)


class DecisionRow(Schema):
    id: int
    meeting_id: int
    number: int
    item: str
    text: str
    state: DecisionState
    decided_at: dt.datetime
    ratify_by: dt.date | None
    settled_at: dt.datetime | None
    consents: list[ConsentRow]

    @staticmethod
    def resolve_item(decision: Decision) -> str:
        return decision.item.title

    @staticmethod
    def resolve_consents(decision: Decision) -> list[Any]:
        return list(decision.consents.all())


class ActionRow(Schema):
    id: int
    meeting_id: int
    decision_id: int | None
    text: str
    agency: str
    due_on: dt.date
    state: ActionState
    is_overdue: bool
    done_at: dt.datetime | None

    @staticmethod
    def resolve_agency(action: ActionItem) -> str:
        return action.agency.code


class ItemRow(Schema):
    position: int
    topic: str
    title: str
    description: str


class MeetingFull(MeetingRow):
    purpose: str
    chair: str
    agenda: list[ItemRow]
    invited: list[str]
    decisions: list[DecisionRow]
    actions: list[ActionRow]

    @staticmethod
    def resolve_agenda(meeting: Meeting) -> list[Any]:
        return list(meeting.agenda.all())

    @staticmethod
    def resolve_invited(meeting: Meeting) -> list[str]:
        return sorted(invitation.agency.code for invitation in meeting.invitations.all())

    @staticmethod
    def resolve_decisions(meeting: Meeting) -> list[Any]:
        return list(_decisions().filter(meeting=meeting))

    @staticmethod
    def resolve_actions(meeting: Meeting) -> list[Any]:
        return list(meeting.actions.select_related("agency"))


def _decisions() -> Any:
    return (
        Decision.objects.select_related("item")
        .prefetch_related("consents__agency")
        .order_by("-decided_at", "number")
    )


@router.get("", response=list[MeetingRow], summary="Meetings, the latest first")
@api_requires("meetings.view")
@paginate(CursorPages)
def list_meetings(
    request: HttpRequest, state: MeetingState | None = None, since: dt.date | None = None
) -> Any:
    """``since`` leaves out what began before that day."""
    rows = Meeting.objects.order_by("-starts_at")
    if state is not None:
        rows = rows.filter(state=state)
    return rows.filter(starts_at__date__gte=since) if since is not None else rows


@router.get("/decisions", response=list[DecisionRow], summary="Decisions, the latest first")
@api_requires("meetings.view")
@paginate(CursorPages)
def list_decisions(request: HttpRequest, state: DecisionState | None = None) -> Any:
    """With how each agency concerned stands to it."""
    rows = _decisions()
    return rows.filter(state=state) if state is not None else rows


@router.get("/actions", response=list[ActionRow], summary="What follows from meetings, by due date")
@api_requires("meetings.view")
@paginate(CursorPages)
def list_actions(
    request: HttpRequest,
    agency: str = Query("", max_length=40, description="Code of the agency that has to act"),
    state: ActionState | None = None,
) -> Any:
    rows = ActionItem.objects.select_related("agency").order_by("due_on")
    if agency:
        rows = rows.filter(agency__code=agency)
    return rows.filter(state=state) if state is not None else rows


@router.get("/{pk}", response=MeetingFull, summary="One meeting with decisions and actions")
@api_requires("meetings.view")
def one_meeting(request: HttpRequest, pk: int) -> Any:
    rows = Meeting.objects.prefetch_related("agenda", "invitations__agency")
    return get_object_or_404(rows, pk=pk)
