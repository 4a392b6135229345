"""How long does a release take to work out, and how much of it is hidden?

``uv run python benchmarks/portal.py [--households 20000 100000 600000]``

For each size, in a process of its own with a throw-away SQLite database: writes two versions of the list, a
year apart, of synthetic households (each year some move up or down and some come and go), with recipients
of a hundred sub-activities in sixteen forms of help, and works out and publishes a release of each. Prints
seconds by the clock and of the processor, peak memory, and of each table the share of cells that are
hidden and withheld, and of the households (at the finest level) that are in such cells.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

KINDS, SUB_ACTIVITIES, YEARS = 16, 100, (2025, 2026)
# Of a hundred households, how many change their place in the list from one year to the next.
DRIFT = 0.06


def write_version(
    path: Any, villages: list[str], weights: np.ndarray, households: int, year: int
) -> None:
    """Write the rows of one year: one person a household, which is what is counted."""
    import polars as pl

    luck = np.random.default_rng(1)
    village = luck.choice(len(villages), households, p=weights)
    tilt = luck.normal(0, 0.4, len(villages))[village]
    rank = luck.normal(0, 1, households) - tilt
    moved = np.random.default_rng(year)
    if year != YEARS[0]:
        changed = moved.random(households) < DRIFT
        rank = np.where(changed, rank + moved.normal(0, 1, households), rank)
    order = np.argsort(np.argsort(rank))
    desil = 1 + (10 * order // households)
    extreme = order < 0.011 * households
    gone = moved.random(households) < (0.0 if year == YEARS[0] else 0.01)
    frame = pl.DataFrame(
        {
            "nik": np.char.zfill(np.arange(households).astype(str), 16),
            "kk": np.char.zfill(np.arange(households).astype(str), 16),
            "village": np.array(villages)[village],
            "desil": desil.astype(np.int8),
            "extreme_poor": extreme,
            "household_status": np.where(gone, "gone", "active"),
            "person_status": np.repeat("active", households),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)


def draw_recipients(
    sub_activities: list[Any], districts: list[Any], households: int
) -> dict[tuple[int, str], int]:
    """Draw who is helped by what: a few large sub-activities, many small ones, some in few districts."""
    from guyub.portal.tables import sub_activity_column

    luck = np.random.default_rng(2)
    weights = luck.dirichlet(np.full(len(districts), 8.0))
    found: dict[tuple[int, str], int] = {}
    for sub in sub_activities:
        size = int(households * min(0.4, 0.00005 * np.exp(luck.normal(3.5, 2.2))))
        share = weights * (luck.random(len(districts)) < luck.choice([1.0, 1.0, 0.3]))
        if not size or not share.sum():
            continue
        for area, count in zip(districts, luck.multinomial(size, share / share.sum()), strict=True):
            found[area.pk, sub_activity_column(sub.pk)] = int(count)
    return found


def make_programs(year: int) -> None:
    from guyub.agencies.models import Agency
    from guyub.programs.models import Activity, Program, SubActivity
    from guyub.programs.vocabulary import HelpKind, Recipient

    agency = Agency.objects.get(code="dinsos")
    program, _new = Program.objects.get_or_create(agency=agency, year=year, name="Program")
    activity, _new = Activity.objects.get_or_create(program=program, name="Kegiatan")
    kinds = HelpKind.values[:KINDS]
    SubActivity.objects.bulk_create(
        SubActivity(
            activity=activity, agency=agency, year=year, code=f"{year}.{number}",
            name=f"Sub kegiatan {number}", help_kind=kinds[number % KINDS],
            recipient=Recipient.HOUSEHOLD, starts_on=dt.date(year, 1, 1), ends_on=dt.date(year, 12, 31),
        )
        for number in range(SUB_ACTIVITIES)
    )  # fmt: skip


def measure(households: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from guyub.agencies.models import Agency
    from guyub.areas.models import Area, Level
    from guyub.areas.services import load_regency
    from guyub.datasets.models import Dataset, Version
    from guyub.datasets.store import version_path
    from guyub.portal import services, snapshot, tables

    call_command("migrate", verbosity=0)
    load_regency()
    agency = Agency.objects.create(code="dinsos", name="Dinsos")
    dataset = Dataset.objects.create(code="dtsen", name="DTSEN", owner=agency, cadence="yearly")
    villages = list(Area.objects.filter(level=Level.VILLAGE).order_by("code"))
    districts = list(Area.objects.filter(level=Level.DISTRICT).order_by("code"))
    weights = np.random.default_rng(3).dirichlet(np.full(len(villages), 6.0))
    tables.count_recipients = lambda found: draw_recipients(list(found), districts, households)
    took: list[tuple[str, float, float]] = []
    protected = snapshot._protected

    def timed(release: Any, table: str, *rest: Any) -> Any:
        begun, busy = time.perf_counter(), time.process_time()
        found = protected(release, table, *rest)
        took.append((table, time.perf_counter() - begun, time.process_time() - busy))
        unseen = [c for c in found.cells if c.value is None]
        finest = found.grid.areas[-1].level
        values = found.grid.fill(counts[table](release))
        at_finest = sum(
            values[n] for n, a, c in found.grid.cells() if a.level == finest and c.key == "total"
        )
        lost = sum(
            values[n] for n, a, c in found.grid.cells()
            if a.level == finest and c.key == "total" and found.cells[n].value is None
        )  # fmt: skip
        top = [
            c for c in unseen
            if c.area.level == Level.REGENCY and c.column in tables.HEADLINES
        ]  # fmt: skip
        district_heads = [
            c for c in found.cells
            if c.area.level == Level.DISTRICT and c.column in tables.HEADLINES
        ]  # fmt: skip
        seen = sum(c.value is not None for c in district_heads)
        print(
            f"| {households:,} | {release.year} | {table} | {took[-1][1]:.1f} | {took[-1][2]:.1f} "
            f"| {len(found.cells):,} | {found.counts['hidden'] / len(found.cells):.1%} "
            f"| {found.counts['withheld'] / len(found.cells):.1%} | {lost / max(1, at_finest):.1%} "
            f"| {3 - len(top) if table == 'households' else 1 - len(top)} "
            f"| {seen} of {len(district_heads)} |",
            flush=True,
        )
        return found

    counts = {
        "households": lambda release: tables.count_households(release.version),
        "recipients": lambda release: tables.count_recipients(
            tables.published_sub_activities(release.year)
        ),
    }
    snapshot._protected = timed
    for number, year in enumerate(YEARS, start=1):
        make_programs(year)
        version = Version.objects.create(
            dataset=dataset, number=number, as_of=dt.date(year, 10, 1), digest=str(year),
            is_reference=number == 1,
        )  # fmt: skip
        write_version(
            version_path("dtsen", number), [v.code for v in villages], weights, households, year
        )
        begun, busy = time.perf_counter(), time.process_time()
        services.publish(services.compute(services.prepare(version, actor=None)), actor=None)
        print(
            f"| {households:,} | {year} | whole release | {time.perf_counter() - begun:.1f} "
            f"| {time.process_time() - busy:.1f} | | | | | | |", flush=True
        )  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{households:,} households: peak memory {peak:,.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, nargs="*", default=[20_000, 100_000, 600_000])
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure(options.households[0])
        return
    print(f"load average {os.getloadavg()[0]:.1f} at the start")
    print("| households | year | table | clock, s | processor, s | cells | hidden | withheld "
          "| households in unseen totals | regency headlines seen | of districts |")  # fmt: skip
    for households in options.households:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, __file__, "--here", "--households", str(households)],
                env=os.environ
                | {"GUYUB_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "guyub.settings"},
                check=True,
            )
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
