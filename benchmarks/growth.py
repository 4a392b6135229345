"""How do pages and long jobs grow with the registry?

For each size a database of its own, and twice this command::

    export DATABASE_URL=postgresql://... GUYUB_DATA_DIR=/some/folder GUYUB_MODE=demo
    uv run python benchmarks/growth.py fill 1800000      # once
    uv run python benchmarks/growth.py measure           # as often as wanted, on a quiet machine

``fill`` makes so many synthetic people and loads one list of all of them (the demo loads eight), with
rules and recipients in proportion, and prints what that took. ``measure`` prints the size on disk, the
long jobs, and for each page of ``benchmarks/pages.py`` the median and 95th percentile of the clock and
the median of the processor's time, in milliseconds.

All sizes have Banyumas' 331 villages, so that a village of the largest has more households than a real
one: what is measured is the growth of the tables, not of the number of areas.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guyub.settings")
PEOPLE_PER_HOUSEHOLD = 3.078  # of the demo's population
# As many as the demo's population can number; more come from several populations.
REGENCY_PEOPLE = 1_850_000
# What is added to the province in the numbers of each further population, so that none meets another's.
MOVES = (0, 6, 12, 33, 39, 45)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Print the seconds that something takes."""
    started, worked = time.perf_counter(), time.process_time()
    yield
    print(
        f"{name}: {time.perf_counter() - started:.1f} s, "
        f"{time.process_time() - worked:.1f} s of the processor",
        flush=True,
    )


def fill(people: int) -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from guyub.agencies.services import load_agencies
    from guyub.areas.services import load_regency
    from guyub.demo import lists
    from guyub.demo.beneficiaries import REGENCY, enrol_recipients, scale_down
    from guyub.demo.population import write_population
    from guyub.demo.rules import make_rules
    from guyub.demo.services import make_accounts, make_datasets, quarters_before
    from guyub.imports.services import load_flat
    from guyub.programs.services import load_programs

    households = round(people / PEOPLE_PER_HOUSEHOLD)
    today = timezone.localdate()
    as_of = quarters_before(today)[0]
    call_command("setup", verbosity=0)
    load_regency()
    load_agencies()
    load_programs(today.year)
    actors = make_accounts()
    datasets = make_datasets(actors["sekretariat"])
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
        scratch = Path(folder)
        population, path = scratch / "population.parquet", scratch / "list.parquet"
        with stage("making the people"):
            parts = math.ceil(people / REGENCY_PEOPLE)
            for part in range(parts):
                write_population(
                    population, households // parts, 1 + part, lambda _done: None, as_of=as_of
                )
                lists.write_reference(population, scratch / f"part-{part}.parquet", as_of, 0, 1)
            # As if each part came from a regency of its own: no number of one is in another.
            duckdb.execute(
                "COPY (SELECT * EXCLUDE (filename, moved) REPLACE ("
                "(substr(nik, 1, 2)::INT + moved) || substr(nik, 3) AS nik, "
                "(substr(kk, 1, 2)::INT + moved) || substr(kk, 3) AS kk) "
                f"FROM (SELECT *, {list(MOVES)}[1 + regexp_extract(filename, 'part-([0-9]+)', 1)::INT] AS moved "
                f"FROM read_parquet('{scratch}/part-*.parquet', filename = true))) "
                f"TO '{path}' (FORMAT parquet)"
            )
        with stage("loading the list"):
            load_flat(
                datasets["dtsen"],
                path,
                as_of,
                actor=actors["sekretariat"],
                file_name="DTSEN.parquet",
            )
    make_rules(actors["sekretariat"], today.year)
    scale_down(households / REGENCY)
    with stage("enrolling"):
        enrol_recipients(today.year, 1, lambda _done, _total: None)
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"peak memory of the process: {peak / 1024:,.0f} MB")


def measure(rounds: int) -> None:
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone
    from pages import pages, percentile_95, times

    from guyub.beneficiaries.models import Enrolment
    from guyub.overlaps.services import reckon
    from guyub.registry.models import Household, Person
    from guyub.targeting.models import Rule
    from guyub.targeting.queries import tally

    counts = {model.__name__: model.objects.count() for model in (Person, Household, Enrolment)}
    print(f"{connection.vendor}; load average {os.getloadavg()[0]:.1f}; {counts}")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database()) / 1048576")
            print(f"database: {cursor.fetchone()[0]:,} MB")
    else:
        print(
            f"database: {Path(settings.DATABASES['default']['NAME']).stat().st_size / 2**20:,.0f} MB"
        )
    jobs: list[tuple[str, Callable[[], Any]]] = [
        ("reckoning overlaps", lambda: reckon(timezone.localdate().year)),
        *(
            (
                f"counting whom a rule matches ({rule.name})",
                lambda rule=rule: tally(rule.current_version),
            )  # type: ignore[misc]
            for rule in Rule.objects.order_by("pk")[:3]
        ),
    ]
    for name, job in jobs:
        with stage(name):
            job()
    for label, ask in pages():
        clock, processor = times(label, ask, rounds)
        print(
            f"| {label} | {statistics.median(clock):.0f} | {percentile_95(clock):.0f} "
            f"| {statistics.median(processor):.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("fill", "measure"))
    parser.add_argument("people", type=int, nargs="?", default=100_000)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    import django

    django.setup()
    if options.what == "fill":
        fill(options.people)
    else:
        measure(options.rounds)


if __name__ == "__main__":
    main()
