"""How long does it take to count the households of a rule, with the whole regency in the registry?

First fill a data folder (SQLite) or a database (``DATABASE_URL``), as for ``pages.py``::

    GUYUB_DATA_DIR=/some/folder uv run guyub demo --households 600000 --no-serve
    GUYUB_DATA_DIR=/some/folder uv run python benchmarks/targeting.py [--rounds 5]

Prints for each rule the matches and the median milliseconds of: reading the text, the count per
district that the editor shows while someone writes, and a sample of twenty.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guyub.settings")

RULES = (
    "desil <= 2",
    "true",
    'desil <= 4 && (floor in ["earth", "bamboo"] || wall in ["bamboo", "wood"])',
    'sanitation in ["none", "public"] && !("car" in assets)',
    "!(desil >= 3) || !has(expenditure)",
    "expenditure * member_count < 2000000",
    'members.exists(m, m.age >= 7 && m.age <= 18 && m.work != "student")',
    'desil <= 4 && members.exists(m, m.age >= 7 && m.age <= 18 && m.work != "student")',
    'members.exists(m, m.disability in ["physical", "visual", "multiple"])',
    "member_count == 1 && members.all(m, m.age >= 60)",
    "members.filter(m, m.age < 18).size() >= 3",
    'desil <= 4 && members.exists(m, m.health_insurance == "none") && !extreme_poor',
    'district == "33.02.17" && members.exists(m, m.age < 5)',
)


def measured(rounds: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the median time in milliseconds, and what the work returned."""
    times, result = [], None
    for _round in range(rounds):
        started = time.perf_counter()
        result = work()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times), result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sql", action="store_true", help="print each rule's SQL")
    options = parser.parse_args()
    import django

    django.setup()
    from django.db import connection

    from guyub.registry.models import Household, Person
    from guyub.targeting import queries
    from guyub.targeting.checking import understand

    print(
        f"{connection.vendor}: {Household.objects.count():,} households, "
        f"{Person.objects.count():,} people, {options.rounds} rounds"
    )
    print(f"{'rule':<92}{'matches':>9}{'read':>7}{'count':>8}{'sample':>8}")
    for text in RULES:
        reading, meant = measured(options.rounds, lambda text=text: understand(text))
        counting, counts = measured(options.rounds, lambda meant=meant: queries.per_district(meant))
        sampling, _rows = measured(
            options.rounds,
            lambda meant=meant: list(
                queries.households_matching(meant).order_by("desil", "id")[:20]
            ),
        )
        total = sum(counts.values())
        print(f"{text:<92}{total:>9,}{reading:>7.1f}{counting:>8.0f}{sampling:>8.0f}")
        if options.sql:
            print(queries.households_matching(meant).query)


if __name__ == "__main__":
    main()
