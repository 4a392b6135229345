"""How long does a whole reckoning of overlap take, with the whole regency and all programs?

``uv run python benchmarks/overlap.py [--database sqlite|postgresql] [--households 600000]``

Fills a throw-away database with synthetic households, sub-activities of ten agencies and enrolments,
then reckons from nothing: every overlap between programs, the households helped twice, missed or
outside the target, the coverage matrix of every area, and the cases written. Prints the seconds of each
part, then the median and 95th percentile in milliseconds of the pages that show the result, and the
processor time that a page takes of this process, which other work on the machine hardly touches.
PostgreSQL is a throw-away server.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

YEAR = 2026
SEED = 11


def rows_sql(model: Any, values: dict[str, str], count: int) -> str:
    """Return SQL that inserts ``count`` rows, ``values`` being SQL in ``n`` (1, 2, ...)."""
    from django.db import models

    columns, expressions = [], []
    for field in model._meta.concrete_fields:
        if field.column in values:
            expression = values[field.column]
        elif field.primary_key or field.null:
            continue
        elif isinstance(field, models.DateTimeField):
            expression = "CURRENT_TIMESTAMP"
        elif isinstance(field, models.JSONField):
            expression = "'{}'"
        elif isinstance(field, models.BooleanField):
            expression = "false"
        elif isinstance(field, models.CharField | models.TextField):
            default = field.get_default()
            expression = f"'{default}'"
        else:
            expression = "0"
        columns.append(field.column)
        expressions.append(expression)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "
        f"WITH RECURSIVE numbers(n) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
        f"SELECT {', '.join(expressions)} FROM numbers"
    )


def fill(households: int, sub_activities: int, enrolments: int) -> dict[str, int]:
    """Fill the empty database; return what it holds."""
    from django.db import connection, transaction

    from guyub.agencies.models import Agency
    from guyub.areas.models import Area, Level
    from guyub.areas.services import load_regency
    from guyub.beneficiaries.models import Enrolment
    from guyub.overlaps.definitions import COMPARED
    from guyub.programs.models import Activity, Funding, Program, SubActivity
    from guyub.registry.models import AreaCount, Household, Origin

    luck = np.random.default_rng(SEED)
    load_regency()
    villages = list(Area.objects.filter(level=Level.VILLAGE).order_by("pk"))
    first, count = villages[0].pk, len(villages)
    assert villages[-1].pk - first + 1 >= count
    origin = Origin.objects.create(channel="import", as_of=dt.date(YEAR, 1, 1))
    ids = [village.pk for village in villages]
    parents = [village.parent_id for village in villages]

    def pick(of: list[int], place: str) -> str:
        return (
            f"(CASE {place} " + " ".join(f"WHEN {i} THEN {v}" for i, v in enumerate(of)) + " END)"
        )

    with transaction.atomic(), connection.cursor() as cursor:
        # Every thousandth household has no rank; the others spread evenly over the ten.
        cursor.execute(
            rows_sql(
                Household,
                {
                    "kk": "'3302' || CAST(100000000000 + n AS text)",
                    "head_name": "'KELUARGA ' || n",
                    "address": "'RT 01 RW 02'",
                    "village_id": pick(ids, f"(n * 7919) % {count}"),
                    "district_id": pick(parents, f"(n * 7919) % {count}"),
                    "desil": "CASE WHEN n % 1000 = 0 THEN NULL ELSE 1 + (n / 7) % 10 END",
                    "origin_id": str(origin.pk),
                },
                households,
            )
        )
        cursor.execute(
            f"INSERT INTO {AreaCount._meta.db_table} "
            "(village_id, district_id, desil, households, people, extreme_households) "
            "SELECT village_id, district_id, coalesce(desil, 0), count(*), 0, 0 "
            f"FROM {Household._meta.db_table} GROUP BY 1, 2, 3"
        )
    agencies = [Agency.objects.create(code=f"opd{i}", name=f"Dinas {i}") for i in range(10)]
    districts = list(Area.objects.filter(level=Level.DISTRICT))
    programs = [
        Activity.objects.create(
            program=Program.objects.create(agency=agency, year=YEAR, name=f"Program {agency.code}"),
            name=f"Kegiatan {agency.code}",
        )
        for agency in agencies
    ]
    subs = []
    for number in range(sub_activities):
        activity = programs[number % len(agencies)]
        start = int(luck.integers(1, 7))
        low = int(luck.integers(1, 4))
        subs.append(
            SubActivity(
                activity=activity,
                agency=activity.program.agency,
                year=YEAR,
                name=f"Sub kegiatan {number}",
                strategy="expenditure",
                help_kind=COMPARED[int(luck.integers(len(COMPARED)))],
                desil_min=low,
                desil_max=low + int(luck.integers(0, 4)),
                starts_on=dt.date(YEAR, start, 1),
                ends_on=dt.date(YEAR, start + int(luck.integers(2, 6)), 28),
            )
        )
    subs = SubActivity.objects.bulk_create(subs)
    Funding.objects.bulk_create(
        Funding(sub_activity=sub, source="apbd_regency", amount=int(luck.integers(1, 90)) * 10**8)
        for sub in subs
    )
    # A tenth reach the whole regency, the others one to three districts.
    reach: list[list[Area]] = []
    for number, sub in enumerate(subs):
        chosen = [] if number % 10 == 0 else luck.choice(
            len(districts), size=int(luck.integers(1, 4)), replace=False
        ).tolist()  # fmt: skip
        reach.append([districts[i] for i in chosen])
        sub.areas.set(reach[-1])

    homes = np.array(
        list(Household.objects.values_list("pk", "district_id", "desil").iterator(50_000)),
        dtype=float,
    )
    desil = np.nan_to_num(homes[:, 2]).astype(int)
    everybody = homes[:, 0].astype(np.int64)
    per_sub = enrolments // sub_activities
    table = Enrolment._meta.db_table
    now = dt.datetime(YEAR, 6, 1, tzinfo=dt.UTC)

    def tuples() -> Iterator[tuple[Any, ...]]:
        for sub, areas in zip(subs, reach, strict=True):
            fits = (desil >= sub.desil_min) & (desil <= sub.desil_max)
            if areas:
                fits &= np.isin(homes[:, 1], [area.pk for area in areas])
            inside = homes[fits, 0].astype(np.int64)
            # One in twenty stands outside the target, as lists made by hand have it.
            taken = luck.choice(inside, size=min(len(inside), per_sub * 19 // 20), replace=False)
            strays = luck.choice(everybody, size=per_sub - len(taken))
            for home in np.unique(np.concatenate([taken, strays])).tolist():
                yield (
                    sub.pk,
                    sub.agency_id,
                    YEAR,
                    sub.help_kind,
                    home,
                    "delivered",
                    now,
                    "",
                    "file",
                    now,
                )

    columns = (
        "sub_activity_id, agency_id, year, help_kind, household_id, stage, stage_since, reason, entry, "
        "created_at"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in tuples():
                    copy.write_row(row)
        else:
            marks = ", ".join(["?"] * 10)
            connection.connection.executemany(
                f"INSERT INTO {table} ({columns}) VALUES ({marks})",
                ((*r[:6], str(r[6])[:19], *r[7:9], str(r[9])[:19]) for r in tuples()),
            )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return {
        "households": Household.objects.count(),
        "sub-activities": len(subs),
        "enrolments": Enrolment.objects.count(),
    }


def reckoned(rounds: int) -> None:
    """Reckon ``rounds`` times and print the seconds of the parts and of the whole."""
    from guyub.areas.models import Area
    from guyub.overlaps import reckoning
    from guyub.overlaps.definitions import Territory, groups, pairs
    from guyub.overlaps.models import OverlapCase
    from guyub.overlaps.services import reckon

    started = time.perf_counter()
    linked = pairs(reckoning.reaches(YEAR, Territory(Area.objects.all())))
    seconds = time.perf_counter() - started
    print(
        f"pairs of programs alone: {len(linked):,} in {len(groups(linked))} groups, {seconds:.2f} s"
    )
    for number in range(rounds):
        started, processor = time.perf_counter(), time.process_time()
        found = reckon(YEAR)
        seconds = time.perf_counter() - started
        processor = time.process_time() - processor
        label = "from nothing" if number == 0 else "again"
        print(
            f"everything, {label}: {seconds:.2f} s ({processor:.2f} s of this process's processor)"
        )
    print(f"cases: {OverlapCase.objects.count()}; households: {found.totals}")


def pages(rounds: int) -> None:
    """Print how long the pages take that show the result."""
    from django.test import Client

    from guyub.accounts.models import User
    from guyub.areas.models import Area
    from guyub.overlaps.models import OverlapCase

    user = User.objects.create(
        username="ukur", email="ukur@contoh.test", full_name="Ukur", role="secretariat"
    )
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(user, generate_totp_secret())
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    luck = np.random.default_rng(SEED)
    districts = list(Area.objects.filter(level=3).values_list("code", flat=True))
    case = OverlapCase.objects.all()[0].pk
    root = "/tumpang-tindih/"

    def somewhere() -> str:
        return districts[int(luck.integers(len(districts)))]

    asked = [
        ("cases", lambda: root),
        ("case with most households", lambda: f"{root}kasus/{case}/"),
        ("findings, regency", lambda: f"{root}keluarga/"),
        ("findings, a district", lambda: f"{root}keluarga/?wilayah={somewhere()}&temuan=terlewat"),
        ("list: helped twice, regency", lambda: f"{root}keluarga/daftar/?temuan=rangkap"),
        ("list: missed, a district",
         lambda: f"{root}keluarga/daftar/?temuan=terlewat&wilayah={somewhere()}"),
        ("list: outside the target, page 200",
         lambda: f"{root}keluarga/daftar/?temuan=luar-sasaran&halaman=200"),
        ("list: behind a case", lambda: f"{root}keluarga/daftar/?kasus={case}"),
        ("list: behind a cell of the matrix",
         lambda: f"{root}keluarga/daftar/?temuan=belum&bentuk=cash&desil=1&wilayah={somewhere()}"),
        ("coverage matrix, regency", lambda: f"{root}cakupan/"),
        ("coverage of a kind by district", lambda: f"{root}cakupan/wilayah/?bentuk=cash"),
        ("budget against need", lambda: f"{root}anggaran/"),
        ("budget of a district", lambda: f"{root}anggaran/{somewhere()}/"),
    ]  # fmt: skip
    print(f"{'page':<42}{'median ms':>10}{'p95 ms':>10}{'processor ms':>14}")
    for label, path in asked:
        times = []
        client.get(path())  # the first request also compiles the template
        processor = time.process_time()
        for _round in range(rounds):
            started = time.perf_counter()
            response = client.get(path())
            times.append(1000 * (time.perf_counter() - started))
            if response.status_code != 200:
                raise SystemExit(f"{label}: {response.status_code}")
        ranked = sorted(times)
        high = ranked[int(0.95 * (len(ranked) - 1))]
        processor = 1000 * (time.process_time() - processor) / rounds
        print(f"{label:<42}{statistics.median(ranked):>10.0f}{high:>10.0f}{processor:>14.0f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--households", type=int, default=600_000)
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--enrolments", type=int, default=1_500_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="guyub-bench-"))
    os.environ.update(GUYUB_MODE="test", GUYUB_DATA_DIR=str(folder))
    os.environ.pop("DATABASE_URL", None)
    if options.database == "postgresql":
        from guyub.testing import start_postgresql

        os.environ["DATABASE_URL"] = start_postgresql()
    os.environ["DJANGO_SETTINGS_MODULE"] = "guyub.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("setup", verbosity=0)
    started = time.perf_counter()
    size = fill(options.households, options.programs, options.enrolments)
    told = ", ".join(f"{count:,} {name}" for name, count in size.items())
    print(f"{options.database}: {told} (filled in {time.perf_counter() - started:.0f} s)")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    reckoned(options.rounds)
    pages(30)
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
