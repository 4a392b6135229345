"""Quarters of the calendar year, the periods that scores are reckoned for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone


@dataclass(frozen=True, order=True)
class Quarter:
    """One quarter, known by its first day."""

    start: dt.date

    @classmethod
    def of(cls, day: dt.date) -> Quarter:
        """Return the quarter that ``day`` lies in."""
        return cls(dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1))

    @classmethod
    def read(cls, text: str) -> Quarter | None:
        """Return the quarter that ``2026-4`` names; ``None`` for anything else."""
        year, _dash, number = text.partition("-")
        if year.isdecimal() and len(year) == 4 and year > "1999" and number in ("1", "2", "3", "4"):
            return cls(dt.date(int(year), int(number) * 3 - 2, 1))
        return None

    def __str__(self) -> str:
        return f"{self.start.year}-{self.number}"

    @property
    def number(self) -> int:
        return (self.start.month + 2) // 3

    @property
    def end(self) -> dt.date:
        """The last day."""
        month = self.start.month + 3
        after = (
            dt.date(self.start.year + 1, 1, 1) if month > 12 else self.start.replace(month=month)
        )
        return after - dt.timedelta(days=1)

    @property
    def before(self) -> Quarter:
        return Quarter.of(self.start - dt.timedelta(days=1))

    @property
    def moments(self) -> tuple[dt.datetime, dt.datetime]:
        """The first moment of the quarter and the first after it."""
        first = dt.datetime.combine(self.start, dt.time())
        after = dt.datetime.combine(self.end + dt.timedelta(days=1), dt.time())
        return timezone.make_aware(first), timezone.make_aware(after)

    def until(self, today: dt.date) -> dt.date:
        """The last day that counts: the quarter's end, or today while it runs."""
        return min(self.end, today)
