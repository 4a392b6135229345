"""A reckoned plan: the arrays on disk, and the sums that pages show."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from guyub.allocation.facts import Facts
from guyub.allocation.models import Scenario
from guyub.allocation.optimum import Offer, Plan, Problem
from guyub.areas.models import Area, Level
from guyub.longruns.folder import LongRunFolder

COLUMNS = ("ids", "villages", "severity", "raised", "eligible", "helped", "given")
SEVERITIES = ("mild", "moderate", "severe")
# "So many places more" of the sums.
MORE = 100


class PlanMissingError(Exception):
    """The files of a plan are gone; reckoning again brings them back."""


class ScenarioFolder(LongRunFolder):
    """Where the worker says how far a scenario is: ``<DATA_DIR>/allocations/<id>``."""

    place = "allocations"


@dataclass(frozen=True)
class Arrays:
    """The plan, one entry a household, the worst off first; see :class:`guyub.allocation.facts.Facts`.

    ``offers`` are ids of sub-activities. ``eligible`` and ``given`` hold eight households to a byte.
    """

    offers: Sequence[int]
    kinds: Sequence[str]
    kind_of: Sequence[int]  # by offer: its place in ``kinds``
    ids: Any
    villages: Any
    severity: Any
    raised: Any
    eligible: Any
    helped: Any
    given: Any

    def _any(self, packed: Any, numbers: Sequence[int]) -> Any:
        found = np.bitwise_or.reduce(packed[list(numbers)], axis=0)
        return np.unpackbits(found, count=len(self.ids)).astype(bool)

    def of_kind(self, kind: int) -> list[int]:
        """Return the places of the offers of a kind."""
        return [at for at, found in enumerate(self.kind_of) if found == kind]

    def needs(self, kind: int) -> Any:
        """Return who needs a kind of help."""
        return self._any(self.eligible, self.of_kind(kind))

    def met(self, kind: int) -> Any:
        """Return whose need of a kind the plan meets."""
        return self._any(self.given, self.of_kind(kind))

    def gets(self, number: int) -> Any:
        """Return who gets something of an offer."""
        return self._any(self.given, [number])

    def gets_anything(self) -> Any:
        """Return who gets something of any offer."""
        return self._any(self.given, range(len(self.offers)))

    def offers_at(self, packed: Any, at: int) -> set[int]:
        """Return the places of the offers that are set for the household at ``at``."""
        column = packed[:, at >> 3] >> (7 - (at & 7)) & 1
        return set(np.flatnonzero(column).tolist())


def store(scenario: Scenario, facts: Facts, plan: Plan) -> str:
    """Write a plan to disk beside whatever is there; return its token."""
    token = secrets.token_hex(8)
    folder = ScenarioFolder(scenario.pk).path / token
    part = folder.with_suffix(".part")
    part.mkdir(parents=True, mode=0o700)
    for name, column in _packed(facts, plan).items():
        np.save(part / f"{name}.npy", column)
    os.replace(part, folder)
    return token


def _packed(facts: Facts, plan: Plan) -> dict[str, Any]:
    """Return the columns of :class:`Arrays`."""
    columns = {name: getattr(facts, name) for name in COLUMNS if name != "given"}
    packed = {"eligible": facts.eligible, "given": plan.given}
    return columns | {name: np.packbits(rows, axis=1) for name, rows in packed.items()}


def load(scenario: Scenario) -> Arrays:
    """Open the plan of a scenario; the arrays are read from disk as far as they are looked at.

    Raises:
        PlanMissingError: its files are gone.
    """
    try:
        columns = _columns(str(ScenarioFolder(scenario.pk).path / scenario.token))
    except FileNotFoundError as error:
        raise PlanMissingError from error
    result = scenario.result
    return Arrays(result["offers"], result["kinds"], result["kind_of"], **columns)


@lru_cache(maxsize=8)
def _columns(folder: str) -> dict[str, Any]:
    return {name: np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in COLUMNS}


def sweep(scenario: Scenario) -> None:
    """Remove the plans of a scenario that are no longer its plan."""
    for path in ScenarioFolder(scenario.pk).path.glob("*/"):
        if path.name != scenario.token:
            shutil.rmtree(path, ignore_errors=True)


def problem_of(scenario: Scenario, facts: Facts) -> Problem:
    """Return what the solver is asked."""
    return Problem(
        severity=facts.severity,
        eligible=facts.eligible,
        offers=[
            Offer(
                kind=offer.sub_activity.help_kind,
                places=offer.places,
                money=offer.money,
                unit_cost=offer.unit_cost,
                importance=float(offer.importance),
            )
            for offer in facts.offers
        ],
        most_kinds=scenario.most_kinds,
        pool=scenario.pool,
    )


def _by_severity(severity: Any, fits: Any) -> list[int]:
    """Count by severity: mild, moderate, severe."""
    return [int(n) for n in np.bincount(severity[fits], minlength=len(SEVERITIES))]


def sums(facts: Facts, plan: Plan) -> dict[str, Any]:
    """Return the sums of a plan: needs and needs met by severity, kind and district."""
    kinds = list(facts.kinds)
    kind_of = [kinds.index(offer.sub_activity.help_kind) for offer in facts.offers]
    arrays = Arrays(
        [offer.sub_activity_id for offer in facts.offers],
        kinds,
        kind_of,
        **_packed(facts, plan),
    )
    district_of = dict(Area.objects.filter(level=Level.VILLAGE).values_list("pk", "parent_id"))
    villages = np.array(sorted(district_of), dtype=np.int64)
    districts = np.array([district_of[pk] for pk in villages.tolist()], dtype=np.int64)
    where = np.searchsorted(villages, facts.villages) if len(villages) else facts.villages
    by_kind: dict[str, Any] = {}
    needs, met = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    # Per village: severe needs, of them met, all needs, of them met.
    places = np.zeros((4, max(1, len(villages))), dtype=np.int64)
    for number, kind in enumerate(kinds):
        wanted, gets = arrays.needs(number), arrays.met(number)
        is_severe = facts.severity == SEVERITIES.index("severe")
        by_kind[kind] = [_by_severity(facts.severity, wanted), _by_severity(facts.severity, gets)]
        needs += by_kind[kind][0]
        met += by_kind[kind][1]
        for row, fits in enumerate((wanted & is_severe, gets & is_severe, wanted, gets)):
            places[row] += np.bincount(where[fits], minlength=places.shape[1])
    by_district: dict[int, list[int]] = {}
    for at, district in enumerate(districts.tolist()):
        found = by_district.setdefault(int(district), [0, 0, 0, 0])
        for row in range(4):
            found[row] += int(places[row, at])
    return {
        "offers": list(arrays.offers),
        "kinds": kinds,
        "kind_of": kind_of,
        "households": len(facts.ids),
        "helped_households": int(plan.given.any(axis=0).sum()),
        "needs": needs.tolist(),
        "met": met.tolist(),
        "severe_bound": plan.severe_bound,
        "distance": plan.distance,
        "value": plan.value,
        "value_bound": plan.value_bound,
        "by_kind": by_kind,
        "by_district": [[pk, *row] for pk, row in by_district.items() if row[2]],
        "classes": plan.classes,
        "choices": plan.choices,
    }


def offer_sums(facts: Facts, plan: Plan, number: int) -> dict[str, Any]:
    """Return the sums of one offer: who it is for and who gets it, by severity, and the money."""
    offer = facts.offers[number]
    gets = plan.given[number]
    given = _by_severity(facts.severity, gets)
    return {
        "eligible": _by_severity(facts.severity, facts.eligible[number]),
        "given": given,
        "spent": sum(given) * offer.unit_cost,
        "added": plan.added[number],
    }
