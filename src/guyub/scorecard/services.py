"""Keeping the scores of quarters."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from guyub.audit import services as audit
from guyub.scorecard import queries
from guyub.scorecard.models import Score
from guyub.scorecard.quarters import Quarter

# After this many days a quarter's scores stay as they are.
OPEN_DAYS = 30


@transaction.atomic
def keep(quarter: Quarter, today: dt.date | None = None) -> int:
    """Reckon a quarter and keep its scores in place of earlier ones; return how many."""
    day = today or timezone.localdate()
    rows = [
        Score(quarter=quarter.start, indicator=code, agency_id=agency, credit=credit, weight=weight)
        for code, sums in queries.reckon(quarter, day).items()
        for agency, (credit, weight) in sums.items()
    ]
    Score.objects.filter(quarter=quarter.start).delete()
    Score.objects.bulk_create(rows, batch_size=500)
    audit.record("scorecard.keep", detail={"quarter": str(quarter), "scores": len(rows)})
    return len(rows)


def keep_due(today: dt.date | None = None) -> list[Quarter]:
    """Keep the quarter before this one while it is open, or if it never was kept; return what was."""
    day = today or timezone.localdate()
    last = Quarter.of(day).before
    is_open = (day - last.end).days <= OPEN_DAYS
    if is_open or not Score.objects.filter(quarter=last.start).exists():
        keep(last, day)
        return [last]
    return []
