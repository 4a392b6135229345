"""Reading data requests: what waits, and how fast owners answer."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from guyub.agencies.models import Agency
from guyub.sharing.models import DataRequest, RequestState

YEAR = dt.timedelta(days=365)
SIDES = ("masuk", "keluar", "semua")


def requests(user: Any, side: str = "semua", state: str = "") -> QuerySet[DataRequest]:
    """Return requests: to ``user``'s agency (``masuk``), from it (``keluar``), or all."""
    rows = DataRequest.objects.select_related("dataset__owner", "agency", "asked_by", "grant")
    if side == "masuk":
        rows = rows.filter(dataset__owner=user.agency_id or 0)
    elif side == "keluar":
        rows = rows.filter(agency=user.agency_id or 0)
    return rows.filter(state=state) if state else rows


def waiting(user: Any) -> int:
    """Count the requests that wait for an answer of ``user``'s agency."""
    if user.agency_id is None:
        return 0
    return DataRequest.objects.filter(
        dataset__owner=user.agency_id, state=RequestState.OPEN
    ).count()


@dataclass
class Responses:
    """How an owner answered over the last year."""

    agency: Agency
    asked: int = 0
    granted: int = 0
    refused: int = 0
    overdue: int = 0
    days: list[float] = field(default_factory=list)

    @property
    def median_days(self) -> float | None:
        """Median days to an answer; ``None`` when there was none."""
        return round(statistics.median(self.days), 1) if self.days else None


def responses(today: dt.date | None = None) -> list[Responses]:
    """Return per owner how requests of the last 365 days were answered, the slowest first.

    Withdrawn requests do not count.
    """
    since = timezone.now() - YEAR
    day = today or timezone.localdate()
    rows: dict[int, Responses] = {}
    found = (
        DataRequest.objects.filter(asked_at__gte=since)
        .exclude(state=RequestState.WITHDRAWN)
        .select_related("dataset__owner")
    )
    for request in found:
        owner = request.dataset.owner
        row = rows.setdefault(owner.pk, Responses(owner))
        row.asked += 1
        row.granted += request.state == RequestState.GRANTED
        row.refused += request.state == RequestState.REFUSED
        row.overdue += request.state == RequestState.OPEN and request.due_on < day
        if request.response_time is not None:
            row.days.append(request.response_time / dt.timedelta(days=1))
    return sorted(
        rows.values(), key=lambda row: (-row.overdue, -(row.median_days or 0), str(row.agency))
    )


def of_dataset(user: Any, dataset_id: int) -> list[DataRequest]:
    """Return the newest requests for a dataset that concern ``user``'s agency."""
    rows = DataRequest.objects.filter(dataset=dataset_id).select_related(
        "agency", "dataset__owner", "grant"
    )
    mine = Q(agency=user.agency_id or 0) | Q(dataset__owner=user.agency_id or 0)
    return list(rows.filter(mine)[:10])


def totals() -> dict[str, int]:
    """Count requests by state."""
    found: dict[str, int] = defaultdict(int)
    for state in DataRequest.objects.order_by().values_list("state", flat=True):
        found[state] += 1
    return dict(found)
