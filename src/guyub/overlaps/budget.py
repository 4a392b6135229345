"""Budget against need: what of each sub-activity's budget falls to each district, and for how many poor.

The formula is in ``docs/overlaps.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db.models import Sum

from guyub.areas.models import Area
from guyub.overlaps.definitions import DESILS, Territory, desil_range
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import HelpKind
from guyub.registry.models import AreaCount


@dataclass(frozen=True)
class Share:
    """What of a sub-activity's budget falls to one district, in rupiah."""

    sub_activity: SubActivity
    amount: int
    whole: int

    @property
    def percent(self) -> float:
        return 100 * self.amount / self.whole if self.whole else 0


@dataclass
class DistrictBudget:
    """A district's part of all budgets, and its poor households."""

    area: Area
    amount: int = 0
    poor: int = 0
    shares: list[Share] = field(default_factory=list)

    @property
    def each(self) -> int | None:
        """Rupiah per poor household; None where there is none."""
        return round(self.amount / self.poor) if self.poor else None


@dataclass(frozen=True)
class BudgetByNeed:
    districts: list[DistrictBudget]
    # Budget of coordination and data, which falls to no district.
    undivided: int

    @property
    def amount(self) -> int:
        return sum(row.amount for row in self.districts)

    @property
    def poor(self) -> int:
        return sum(row.poor for row in self.districts)

    @property
    def each(self) -> int | None:
        return round(self.amount / self.poor) if self.poor else None


def divide(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide ``amount`` in proportion to ``weights`` into whole numbers that sum up to it.

    What rounding down leaves goes to the largest remainders, the earlier of equal ones first. All
    weights nought: nothing is divided, and every part is nought.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in remainders[: amount - sum(parts)]:
        parts[i] += 1
    return parts


def by_district(year: int, *, kind: str = "", poor_up_to: int = 2) -> BudgetByNeed:
    """Return each district's part of the budgets of a year, with its poor households.

    Args:
        year: Budget year.
        kind: Only sub-activities that give this help.
        poor_up_to: Households up to this desil count as poor.
    """
    territory = Territory(Area.objects.all())
    counts = _households(territory)
    subs = SubActivity.objects.filter(year=year, is_cancelled=False).select_related("agency")
    if kind:
        subs = subs.filter(help_kind=kind)
    subs = subs.annotate(budget=Sum("fundings__amount")).order_by("agency__name", "name", "pk")
    areas: dict[int, list[int]] = {}
    through = SubActivity.areas.through.objects.filter(subactivity__in=subs.values("pk"))
    for sub_id, area_id in through.values_list("subactivity_id", "area_id"):
        areas.setdefault(sub_id, []).append(area_id)

    rows = [DistrictBudget(area) for area in territory.districts()]
    at = {row.area.code: number for number, row in enumerate(rows)}
    district_of = np.array([at[code.rpartition(".")[0]] for code in territory.codes], dtype=int)
    poor = np.bincount(
        district_of, weights=counts[:, 1 : poor_up_to + 1].sum(axis=1), minlength=len(rows)
    )
    for row, households in zip(rows, poor, strict=True):
        row.poor = int(households)
    undivided = 0
    for sub in subs:
        budget = int(sub.budget or 0)
        if sub.help_kind == HelpKind.SUPPORT:
            undivided += budget
            continue
        weights = _weights(sub, territory.villages(areas.get(sub.pk, ())), counts)
        by_row = np.bincount(district_of, weights=weights, minlength=len(rows))
        parts = divide(budget, [int(weight) for weight in by_row])
        for row, part, weight in zip(rows, parts, by_row, strict=True):
            if weight:
                row.amount += part
                row.shares.append(Share(sub, part, budget))
    for row in rows:
        row.shares.sort(key=lambda share: -share.amount)
    return BudgetByNeed(rows, undivided)


def _households(territory: Territory) -> np.ndarray:
    """Return the active households by village and desil."""
    counts = np.zeros((len(territory.codes), DESILS), dtype=np.int64)
    at = {territory.areas[code].pk: place for place, code in enumerate(territory.codes)}
    for village, desil, households in AreaCount.objects.values_list(
        "village_id", "desil", "households"
    ):
        if village in at:
            counts[at[village], desil] += households
    return counts


def _weights(sub: SubActivity, villages: int, counts: np.ndarray) -> np.ndarray:
    """Return how heavily each village weighs in a sub-activity's budget.

    By the households of its target group there; where it has none, or none is known, by the
    villages alone.
    """
    here = np.array([villages >> i & 1 for i in range(len(counts))], dtype=np.int64)
    low, high = desil_range(sub.desil_min, sub.desil_max)
    first = 0 if sub.desil_min is None and sub.desil_max is None else low
    target: np.ndarray = here * counts[:, first : high + 1].sum(axis=1)
    return target if target.any() else here
