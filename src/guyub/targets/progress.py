"""How far an indicator has come: achievement against the target, and which way it moves.

Achievement in per cent follows the guideline for performance reports of government institutions
(*LAKIP*, decree of the head of LAN 239/IX/6/8/2003): realisation over target where higher is better,
and (2 * target - realisation) / target where lower is better. PermenPANRB 6/2022 words the second as
1 + (1 - realisation/target). The five grades are those of Permendagri 86/2017 for judging plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from guyub.targets.models import Direction, Indicator, IndicatorYear

HUNDRED = Decimal(100)


def achievement(target: Decimal | None, actual: Decimal | None, direction: str) -> Decimal | None:
    """Return the achievement in per cent, not below 0; ``None`` where it cannot be told.

    A target of nought is met by nought alone (100 %); missing it has no percentage.
    """
    if target is None or actual is None:
        return None
    if not target:
        return HUNDRED if is_met(target, actual, direction) else None
    share = actual / target if direction == Direction.UP else (2 * target - actual) / target
    return max(share * HUNDRED, Decimal(0))


def is_met(target: Decimal, actual: Decimal, direction: str) -> bool:
    """Tell whether ``actual`` is at least as good as ``target``."""
    return actual >= target if direction == Direction.UP else actual <= target


class Standing(StrEnum):
    """Where an indicator stands against its target of a year."""

    MET = "met"
    BEHIND = "behind"
    WAITING = "waiting"  # no realisation yet
    NO_TARGET = "no_target"


STANDING_LABELS = {
    Standing.MET: _("Tercapai"),
    Standing.BEHIND: _("Belum tercapai"),
    Standing.WAITING: _("Menunggu realisasi"),
    Standing.NO_TARGET: _("Tanpa target"),
}
STANDING_TONES = {
    Standing.MET: "good",
    Standing.BEHIND: "bad",
    Standing.WAITING: "warn",
    Standing.NO_TARGET: "neutral",
}

# Lowest achievement in per cent of each grade, best first.
GRADES: tuple[tuple[int, Any], ...] = (
    (91, _("Sangat tinggi")),
    (76, _("Tinggi")),
    (66, _("Sedang")),
    (51, _("Rendah")),
    (0, _("Sangat rendah")),
)


def grade_of(percent: Decimal) -> Any:
    """Return the grade of an achievement; the annex leaves gaps (90 to 91), which round half up."""
    rounded = int(percent + Decimal("0.5"))
    return next(label for lowest, label in GRADES if rounded >= lowest)


@dataclass(frozen=True)
class Progress:
    """One indicator in one year; ``previous`` is the last earlier year with a realisation."""

    indicator: Indicator
    year: int
    entry: IndicatorYear | None
    previous: IndicatorYear | None = None

    @property
    def target(self) -> Decimal | None:
        return self.entry.target if self.entry is not None else None

    @property
    def actual(self) -> Decimal | None:
        return self.entry.actual if self.entry is not None else None

    @property
    def achievement(self) -> Decimal | None:
        return achievement(self.target, self.actual, self.indicator.direction)

    @property
    def grade(self) -> Any:
        percent = self.achievement
        return grade_of(percent) if percent is not None else ""

    @property
    def standing(self) -> Standing:
        if self.actual is None:
            return Standing.WAITING
        if self.target is None:
            return Standing.NO_TARGET
        met = is_met(self.target, self.actual, self.indicator.direction)
        return Standing.MET if met else Standing.BEHIND

    @property
    def standing_label(self) -> Any:
        return STANDING_LABELS[self.standing]

    @property
    def standing_tone(self) -> str:
        return STANDING_TONES[self.standing]

    @property
    def change(self) -> Decimal | None:
        """How much the realisation differs from the previous one, in the indicator's unit."""
        if self.actual is None or self.previous is None or self.previous.actual is None:
            return None
        return self.actual - self.previous.actual

    @property
    def improves(self) -> bool | None:
        """Whether the realisation moved the right way; ``None`` without change or comparison."""
        change = self.change
        if not change:
            return None
        return (change > 0) == (self.indicator.direction == Direction.UP)
