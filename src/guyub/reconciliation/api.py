"""Reconciliation over HTTP: the queue, what was merged, and the two deeds of settling and merging."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.reconciliation import queries, queue, services, settling
from guyub.reconciliation.models import Difference, DifferenceState, Merge
from guyub.registry.models import SubjectKind
from guyub.ui.cursor import CursorPages, Keyed

router = Router(tags=["reconciliation"])


class DifferenceOut(Schema):
    id: int
    household: int
    person: int | None  # null where the household itself is meant
    village: str  # Kemendagri code
    attribute: str
    ours: str
    our_source: str  # code of the dataset; "manual" where somebody entered it
    our_as_of: dt.date
    theirs: str
    their_source: str
    their_as_of: dt.date
    suggested: str  # "ours", "theirs", or "" where people decide
    why: str
    state: str
    winner: str
    settled_at: dt.datetime | None


class MergeOut(Schema):
    id: int
    kind: str  # "household" or "person"
    survivor: int
    loser: int
    village: str
    picked: list[str]
    reason: str
    at: dt.datetime
    undone_at: dt.datetime | None

    @staticmethod
    def resolve_kind(merge: Merge) -> str:
        return "household" if merge.kind == SubjectKind.HOUSEHOLD else "person"

    @staticmethod
    def resolve_survivor(merge: Merge) -> int:
        return merge.survivor_id

    @staticmethod
    def resolve_loser(merge: Merge) -> int:
        return merge.loser_id

    @staticmethod
    def resolve_village(merge: Merge) -> str:
        return merge.village.code


class SettleIn(Schema):
    ids: list[int] = Field(min_length=1, max_length=settling.MOST_AT_ONCE)
    side: Literal["ours", "theirs", "suggested"]
    reason: str = Field(min_length=10, max_length=300)


class Done(Schema):
    done: int
    left: int = Field(description="Changed meanwhile, or without a suggestion.")


class MergeIn(Schema):
    kind: Literal["household", "person"]
    survivor: int
    loser: int
    reason: str = Field(min_length=10, max_length=300)


@router.get(
    "/differences",
    response=list[DifferenceOut],
    url_name="differences",
    summary="What lists say otherwise than the registry",
)
@api_requires("reconciliation.view")
@paginate(CursorPages)
def differences(
    request: HttpRequest,
    state: str = Query(DifferenceState.OPEN.value, max_length=10),
    attribute: str = Query("", max_length=30),
    area: str = Query("", max_length=13, description="Kemendagri code"),
    dataset: str = Query("", max_length=60, description="Code of the list"),
) -> Any:
    """Both values of each with source and date, and who wins by the rule."""
    wish = queue.Narrowing(state=state, attribute=attribute, area=area, dataset=dataset)
    return Keyed(queue.handed(queue.narrowed(request.user, wish)), _shown)


def _shown(keys: list[int]) -> list[dict[str, Any]]:
    rows = Difference.objects.filter(pk__in=keys).order_by("pk")
    return [
        {
            "id": one.pk,
            "household": one.household_id,
            "person": one.subject_id if one.kind == SubjectKind.PERSON else None,
            "village": one.village.code,
            "attribute": one.field,
            "ours": one.ours,
            "our_source": one.our_dataset.code if one.our_dataset else "manual",
            "our_as_of": one.our_as_of,
            "theirs": one.theirs,
            "their_source": one.dataset.code,
            "their_as_of": one.their_as_of,
            "suggested": one.suggested,
            "why": one.why,
            "state": one.state,
            "winner": one.winner,
            "settled_at": one.settled_at,
        }
        for one in rows.select_related("dataset", "our_dataset", "village")
    ]


@router.get("/merges", response=list[MergeOut], url_name="merges", summary="Merges, newest first")
@api_requires("reconciliation.view")
@paginate(CursorPages)
def merges(request: HttpRequest) -> Any:
    """Also those that were undone."""
    return queries.merges_for(request.user)


@router.post(
    "/differences/settle",
    response=Done,
    url_name="settle_differences",
    summary="Settle differences",
)
@api_requires("reconciliation.settle")
def settle(request: HttpRequest, given: SettleIn) -> Any:
    """The owners of lists that lost are notified."""
    chosen = list(Difference.objects.filter(pk__in=given.ids))
    done, left = settling.settle(chosen, side=given.side, reason=given.reason, actor=request.user)
    return {"done": done, "left": left}


@router.post(
    "/merges", response={201: MergeOut}, url_name="merge_records", summary="Merge two records"
)
@api_requires("reconciliation.merge")
def merge(request: HttpRequest, given: MergeIn) -> Any:
    """Of values that differ, those stand that win by the rules of sources."""
    letter = SubjectKind.PERSON if given.kind == "person" else SubjectKind.HOUSEHOLD
    related = ("village", "district") if letter == SubjectKind.HOUSEHOLD else ("household",)
    found = services.MODELS[letter].objects.select_related(*related)
    records = found.in_bulk([given.survivor, given.loser])
    if given.survivor not in records or given.loser not in records:
        raise ValidationError(_("Pilih dua data yang ada di registri."))
    survivor, loser = records[given.survivor], records[given.loser]
    preview = queries.preview(letter, survivor, loser)
    picked = [choice.name for choice in preview.choices if choice.suggested == "right"]
    deed = services.merge_households if letter == SubjectKind.HOUSEHOLD else services.merge_people
    done = deed(loser, survivor, picked=picked, reason=given.reason, actor=request.user)
    return Status(201, Merge.objects.select_related("village").get(pk=done.pk))
