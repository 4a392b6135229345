"""Plans over the year (S-curves): proposals, what a plan must satisfy, and values between its points.

Planned figures count from the start of the sub-activity to the end of a period: per cent of the work,
and rupiah of the budget.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from guyub.programs.money import rupiah

HUNDREDTH = Decimal("0.01")
WHOLE = Decimal(100)
LINEAR, S_CURVE = "lurus", "s"
# How steep the S is: with 8, a quarter of the time brings 11 % of the work and half of it 50 %.
STEEPNESS = 8.0


@dataclass(frozen=True)
class Point:
    """What is planned to be done by the end of ``day``: per cent and rupiah."""

    day: dt.date
    physical: Decimal
    budget: int


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a plan: in which row, counted from 0, and in which column."""

    row: int
    column: str  # "physical" or "budget"
    text: str


def share_done(elapsed: float, shape: str) -> float:
    """Return the share of the work done after ``elapsed`` of the time, both from 0 to 1.

    The S is the logistic curve, stretched so that it begins at 0 and ends at 1::

        (L(t) - L(0)) / (L(1) - L(0)),  L(t) = 1 / (1 + exp(-STEEPNESS * (t - 1/2)))
    """
    if shape == LINEAR:
        return elapsed

    def logistic(t: float) -> float:
        return 1 / (1 + math.exp(-STEEPNESS * (t - 0.5)))

    return (logistic(elapsed) - logistic(0)) / (logistic(1) - logistic(0))


def propose(start: dt.date, ends: Sequence[dt.date], total: int, shape: str) -> list[Point]:
    """Return a plan from ``start`` through the period ends ``ends``, up to 100 % and ``total`` rupiah."""
    if not ends:
        return []
    days = (ends[-1] - start).days + 1
    points = []
    for end in ends:
        share = share_done(((end - start).days + 1) / days, shape)
        physical = (Decimal(share) * WHOLE).quantize(HUNDREDTH, ROUND_HALF_UP)
        points.append(Point(end, physical, round(share * total)))
    points[-1] = Point(ends[-1], WHOLE, total)
    return points


def interpolate(start: dt.date, plan: Sequence[Point], ends: Sequence[dt.date]) -> list[Point]:
    """Return ``plan`` read at other period ends, along straight lines between its points."""
    known = [Point(start - dt.timedelta(days=1), Decimal(0), 0), *plan]
    found = []
    for end in ends:
        after = next((p for p in known if p.day >= end), known[-1])
        before = [p for p in known if p.day <= end][-1] if known[0].day <= end else known[0]
        span = (after.day - before.day).days
        share = Decimal((end - before.day).days) / Decimal(span) if span > 0 else Decimal(0)
        physical = before.physical + (after.physical - before.physical) * share
        budget = before.budget + round((after.budget - before.budget) * share)
        found.append(Point(end, physical.quantize(HUNDREDTH, ROUND_HALF_UP), budget))
    return found


def flaws(rows: Sequence[tuple[Decimal | None, int | None]], total: int) -> list[Flaw]:
    """Return what keeps ``rows`` (per cent, rupiah; one per period) from being a plan.

    A plan has every figure, never falls, and ends at 100 % and at ``total`` rupiah.
    """
    found = []
    highest: tuple[Decimal, int] = (Decimal(0), 0)
    for number, (physical, budget) in enumerate(rows):
        last = number == len(rows) - 1
        if physical is None:
            found.append(Flaw(number, "physical", _("Isi rencana fisik periode ini.")))
        elif not 0 <= physical <= WHOLE:
            found.append(Flaw(number, "physical", _("Rencana fisik antara 0 dan 100 persen.")))
        elif physical < highest[0]:
            found.append(
                Flaw(number, "physical", _("Rencana tidak boleh turun dari periode sebelumnya."))
            )
        elif last and physical != WHOLE:
            found.append(Flaw(number, "physical", _("Periode terakhir harus 100 persen.")))
        if budget is None:
            found.append(Flaw(number, "budget", _("Isi rencana keuangan periode ini.")))
        elif budget < highest[1]:
            found.append(
                Flaw(number, "budget", _("Rencana tidak boleh turun dari periode sebelumnya."))
            )
        elif last and budget != total:
            text = _("Periode terakhir harus sama dengan anggaran, yaitu %(total)s.")
            found.append(Flaw(number, "budget", text % {"total": rupiah(total)}))
        elif budget > total:
            text = _("Lebih besar daripada anggaran, yaitu %(total)s.")
            found.append(Flaw(number, "budget", text % {"total": rupiah(total)}))
        highest = (max(highest[0], physical or Decimal(0)), max(highest[1], budget or 0))
    return found
