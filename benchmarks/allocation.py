"""How long a plan takes: 600,000 households, 50 sub-activities of 12 kinds of help.

    uv run python benchmarks/allocation.py [households]

Prints seconds, severe needs met, what no plan can exceed, and the distance from that, for plans without
a limit on kinds per household, with free money, and with limits of two and one. Households, target groups,
quotas and money are drawn at random (seeded); reading a registry is not part of it.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from guyub.allocation.optimum import Offer, Problem, solve

OFFERS, KINDS, VILLAGES = 50, 12, 331


def draw(households: int) -> tuple[np.ndarray, np.ndarray, list[Offer]]:
    """Draw severities, target groups and offers."""
    luck = np.random.default_rng(1)
    desil = luck.integers(1, 11, households)
    village = luck.integers(0, VILLAGES, households)
    traits = luck.random((households, 20)) < 0.3
    eligible = np.zeros((OFFERS, households), dtype=bool)
    offers = []
    for number in range(OFFERS):
        fits = desil <= luck.integers(2, 6)
        if luck.random() < 0.3:
            fits &= np.isin(village, luck.choice(VILLAGES, 60, replace=False))
        for chance in (0.7, 0.3):
            if luck.random() < chance:
                fits &= traits[:, luck.integers(0, 20)]
        eligible[number] = fits
        offers.append(
            Offer(
                kind=f"kind {number % KINDS}",
                places=int(luck.integers(200, 8_000)),
                money=int(luck.integers(1, 50)) * 100_000_000,
                unit_cost=int(luck.integers(2, 200)) * 100_000,
            )
        )
    severity = np.where(desil == 1, 2, np.where(desil == 2, 1, 0)).astype(np.int8)
    order = np.argsort(desil, kind="stable")
    return severity[order], eligible[:, order], offers


def main() -> None:
    households = int(sys.argv[1]) if len(sys.argv) > 1 else 600_000
    severity, eligible, offers = draw(households)
    print(f"{households:,} households, {len(offers)} sub-activities of {KINDS} kinds")
    print(f"{'plan':34}{'seconds':>9}{'severe met':>12}{'at most':>10}{'distance':>10}")
    for name, most_kinds, pool in (
        ("no limit on kinds", None, 0),
        ("no limit, Rp 5 thousand million free", None, 5_000_000_000),
        ("two kinds a household", 2, 0),
        ("one kind a household", 1, 0),
    ):
        begun = time.perf_counter()
        plan = solve(Problem(severity, eligible, offers, most_kinds, pool))
        took = time.perf_counter() - begun
        print(f"{name:34}{took:9.2f}{plan.severe:12,}{plan.severe_bound:10,}{plan.distance:10.2%}")


if __name__ == "__main__":
    main()
