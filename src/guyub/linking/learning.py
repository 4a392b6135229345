"""What decisions teach: how one person's records really differ, and from which weight on none is wrong.

The chances ``m`` are counted again over the pairs that runs accepted by themselves together with those
that people called the same; either alone would show only the easy or only the hard ones. The threshold
is the lowest weight above which, among all pairs that people have judged, at most one in fifty was two
people. Nothing changes until the secretariat puts it into force.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from guyub.linking.model import COMPARISONS
from guyub.linking.models import Decision, LinkModel, LinkRun, Verdict, current_model
from guyub.linking.training import M_WORTH, blend

LEAST_DECISIONS = 25
WRONG_AT_MOST = 0.02
# Half a wrong pair is always imagined, so that a few right ones prove nothing.
IMAGINED = 0.5


@dataclass
class Lesson:
    """What is taught at this moment. ``weights`` are (weight, same) of each decision."""

    before: LinkModel
    chances: dict[str, dict[str, float]]
    accept: float
    decisions: int
    same: int
    sure: int
    least: int = LEAST_DECISIONS
    changes: list[tuple[Any, Any, float, float]] = field(default_factory=list)

    @property
    def is_enough(self) -> bool:
        return self.decisions >= self.least


def lesson() -> Lesson:
    """Return what all decisions on lists teach so far."""
    before = current_model()
    decisions = list(
        Decision.objects.filter(other__isnull=True).values_list(
            "verdict", "weight", "weights", "pair__run_id"
        )
    )
    counted: dict[str, Counter[str]] = {c.name: Counter() for c in COMPARISONS}
    for verdict, _weight, weights, _run in decisions:
        if verdict == Verdict.SAME:
            for comparison in COMPARISONS:
                level = comparison.level_of(int(weights[comparison.name][0]))
                if level is not None:
                    counted[comparison.name][level.name] += 1
    runs = {run for *_rest, run in decisions if run is not None}
    sure = 0
    for used, counts in LinkRun.objects.filter(pk__in=runs).values_list("used", "counts"):
        sure += counts.get("sure", 0)
        for name, levels in used.get("sure_levels", {}).items():
            if name in counted:
                counted[name].update(levels)
    chances = {
        name: blend(levels, counted[name], M_WORTH) for name, levels in before.chances.items()
    }
    told = [(weight, verdict == Verdict.SAME) for verdict, weight, _w, _r in decisions]
    taught = Lesson(
        before=before,
        chances=chances,
        accept=suggested(told, before.accept),
        decisions=len(decisions),
        same=sum(same for _weight, same in told),
        sure=sure,
    )
    for comparison in COMPARISONS:
        for level in comparison.levels:
            old = before.chances[comparison.name][level.name]
            taught.changes.append(
                (comparison.label, level.label, old, chances[comparison.name][level.name])
            )
    return taught


def suggested(told: list[tuple[float, bool]], present: float) -> float:
    """Return the threshold that decisions (weight, same) suggest; ``present`` where they suggest none.

    The lowest judged weight above which the share of wrong pairs, counting half a wrong pair more than
    there were, is at most one in fifty.
    """
    best, wrong = present, 0
    for number, (weight, same) in enumerate(sorted(told, reverse=True), start=1):
        wrong += not same
        if number < LEAST_DECISIONS:
            continue
        if (wrong + IMAGINED) / (number + 1) <= WRONG_AT_MOST:
            best = weight
    return round(best, 1)
