"""When a schedule is due."""

from __future__ import annotations

import datetime as dt

from guyub.documents.models import Rhythm


def next_after(rhythm: str, day: dt.date) -> dt.date:
    """Return the first day after ``day`` on which a rhythm falls: Mondays, or first days of months.

    Quarters begin in January, April, July and October; their reports go out on the first day.
    """
    if rhythm == Rhythm.WEEKLY:
        return day + dt.timedelta(days=7 - day.weekday())
    months = 1 if rhythm == Rhythm.MONTHLY else 3
    month = ((day.month - 1) // months + 1) * months
    return dt.date(day.year + month // 12, month % 12 + 1, 1)
