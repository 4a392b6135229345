"""The reporting calendar: which periods a sub-activity reports on.

Periods are calendar months or quarters, cut to the dates of the sub-activity, so that together they
cover exactly its days: no day is left out and none is reported twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DAY = dt.timedelta(days=1)
MONTHS_OF = {"monthly": 1, "quarterly": 3}


@dataclass(frozen=True, order=True)
class Period:
    """Days from ``start`` to ``end``, both included."""

    start: dt.date
    end: dt.date

    def overlaps(self, other: Period) -> bool:
        return self.start <= other.end and other.start <= self.end


def periods(start: dt.date, end: dt.date, frequency: str) -> list[Period]:
    """Return the months or quarters from ``start`` to ``end``, the outer ones cut to these days.

    ``frequency`` is a value of :class:`guyub.reports.models.Frequency`.

    Raises:
        ValueError: ``end`` lies before ``start``.
    """
    if end < start:
        raise ValueError("A calendar can't end before it starts.")
    length = MONTHS_OF[frequency]
    found = []
    first = start
    while first <= end:
        # The first month after the one or three that `first` lies in.
        months = first.year * 12 + (first.month - 1) // length * length + length
        last = dt.date(months // 12, months % 12 + 1, 1) - DAY
        found.append(Period(first, min(last, end)))
        first = last + DAY
    return found


def remaining(wanted: Sequence[Period], kept: Iterable[Period]) -> list[Period]:
    """Return what is left of ``wanted`` beside ``kept``: periods that already have a report.

    A wanted period that a kept one covers in part is cut down to the days that no report tells of.
    """
    taken = sorted(kept)
    found = []
    for period in wanted:
        start = period.start
        for other in taken:
            if not other.overlaps(period):
                continue
            if start < other.start:
                found.append(Period(start, other.start - DAY))
            start = max(start, other.end + DAY)
        if start <= period.end:
            found.append(Period(start, period.end))
    return found


def due_date(period_end: dt.date, grace_days: int) -> dt.date:
    """Return the last day on which a report counts as on time."""
    return period_end + dt.timedelta(days=grace_days)
