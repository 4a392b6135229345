"""Reads: schedules with what is due, a disposal's records by what they are called, holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse

from guyub.retention.classes import class_of as class_of
from guyub.retention.classes import classes
from guyub.retention.models import OPEN, Disposal, Hold, Item, ItemState, Schedule


def list_url() -> str:
    return reverse("retention:list")


def url_of(disposal: Disposal) -> str:
    return reverse("retention:disposal", args=[disposal.pk])


def disposals() -> QuerySet[Disposal]:
    """Return all disposals with how many records each has, the newest first."""
    return Disposal.objects.annotate(records=Count("items")).order_by("-pk")


def waiting() -> int:
    """Return how many disposals wait for somebody."""
    return Disposal.objects.filter(state__in=OPEN).count()


def schedules() -> list[dict[str, Any]]:
    """Return every scheduled class with its schedule."""
    known = {schedule.code: schedule for schedule in Schedule.objects.all()}
    return [
        {"kind": kind, "schedule": known.get(kind.code)} for kind in classes() if kind.scheduled
    ]


def holds(code: str = "") -> QuerySet[Hold]:
    """Return the holds in force, of one class or of all."""
    rows = Hold.objects.filter(lifted_at=None).select_related("placed_by")
    return rows.filter(code=code) if code else rows


def counts(disposal: Disposal) -> dict[str, int]:
    """Return how many records of a disposal stand where."""
    found = dict(
        disposal.items.order_by()
        .values_list("state")
        .annotate(n=Count("pk"))
        .values_list("state", "n")
    )
    return {state: found.get(state, 0) for state in ItemState.values}


def described(disposal: Disposal, items: Sequence[Item]) -> list[Item]:
    """Give items ``called`` and ``where``, masked; both empty once the record is gone."""
    names = disposal.record_class.describe([item.record_id for item in items])
    reasons = dict(
        holds(disposal.code)
        .filter(record_id__in=[item.record_id for item in items])
        .values_list("record_id", "reason")
    )
    for item in items:
        extra: Any = item
        gone = item.state in (ItemState.DONE, ItemState.FILES)
        extra.called, extra.where = ("", "") if gone else names.get(item.record_id, ("", ""))
        extra.why = reasons.get(item.record_id, "")
    return list(items)
