"""How long does a comparison of all lists with the registry take, at the size of the whole regency?

``uv run python benchmarks/differences.py [--households 600000]``

Fills a throw-away SQLite database with synthetic households of three people, writes two lists as Parquet
(the reference with everybody, a survey with every fourth household), and compares twice: first when every
difference is new, then again when nothing changed. Prints the seconds of each and what was found, then
the milliseconds of the queue's page.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any


def fill(households: int, work: Path) -> None:
    """Fill the empty database and write the lists."""
    import pyarrow as pa
    from django.db import connection, transaction

    from guyub.agencies.models import Agency
    from guyub.areas.models import Area, Level
    from guyub.areas.services import load_regency
    from guyub.datasets.models import Dataset, Version
    from guyub.datasets.store import version_path
    from guyub.imports.checks import open_duckdb
    from guyub.registry import bulk
    from guyub.registry.flat import FLAT_COLUMNS
    from guyub.registry.models import Household, Origin, Person

    load_regency()
    villages = list(Area.objects.filter(level=Level.VILLAGE).values_list("id", "parent_id", "code"))
    agency = Agency.objects.create(code="dinsos", name="Dinsos")
    datasets = []
    for number, (code, day) in enumerate((("dtsen", 1), ("rtlh", 2)), start=1):
        dataset = Dataset.objects.create(code=code, name=code, owner=agency, cadence="quarterly")
        version = Version.objects.create(
            dataset=dataset, number=1, as_of=dt.date(2026, day, 1), digest=code,
            is_reference=number == 1,
        )  # fmt: skip
        dataset.current_version = version
        dataset.save()
        datasets.append(dataset)
        Origin.objects.create(
            channel="import", dataset=dataset, version=version, as_of=version.as_of
        )
    origin = Origin.objects.earliest("id").pk
    db = open_duckdb(work)
    bulk.register_rows(
        db, "places",
        {"at": (pa.int64(), list(range(len(villages)))), "id": (pa.int64(), [v[0] for v in villages]),
         "district": (pa.int64(), [v[1] for v in villages]), "code": (pa.string(), [v[2] for v in villages])},
    )  # fmt: skip
    db.execute(
        "CREATE TABLE flat AS SELECT h.n AS home, h.n * 3 + m.n AS person, p.id AS village_id, "
        "p.district AS district_id, p.code AS village, lpad(CAST(h.n * 3 + m.n AS VARCHAR), 16, '0') "
        "AS nik, lpad(CAST(h.n AS VARCHAR), 16, '0') AS kk, 'WARGA ' || h.n AS name, "
        "DATE '1985-03-12' AS birth_date, CASE WHEN m.n = 0 THEN 'head' ELSE 'child' END AS relation, "
        "'active' AS person_status, 'active' AS household_status, 'Jl Mawar ' || h.n AS address, "
        "CASE h.n % 3 WHEN 0 THEN 'earth' WHEN 1 THEN 'cement' ELSE 'tile' END AS floor, "
        "'brick' AS wall, 'tile' AS roof, 1 + h.n % 10 AS desil, 'none' AS work "
        f"FROM range(1, {households} + 1) h(n), range(3) m(n) JOIN places p ON p.at = h.n % {len(villages)}"
    )
    columns = {row[0] for row in db.execute("DESCRIBE flat").fetchall()}
    for dataset, where in ((datasets[0], "true"), (datasets[1], "home % 4 = 0")):
        changed = {"floor": "CASE WHEN home % 20 = 0 THEN 'wood' ELSE floor END",
                   "work": "CASE WHEN person % 50 = 0 THEN 'trade' ELSE work END"}  # fmt: skip
        values = ", ".join(
            f"CAST({(changed.get(n, n) if where != 'true' else n) if n in columns else 'NULL'} AS {kind}) AS {n}"
            for n, kind in FLAT_COLUMNS.items()
        )
        path = version_path(dataset.code, 1)
        path.parent.mkdir(parents=True)
        db.execute(
            f"COPY (SELECT {values} FROM flat WHERE {where} ORDER BY nik) TO '{path}' (FORMAT parquet)"
        )

    def insert(model: Any, given: dict[str, str], source: str) -> None:
        selected = []
        for field in model._meta.concrete_fields:
            if field.column in given:
                expression = given[field.column]
            elif field.null:
                continue
            elif field.get_internal_type() == "DateTimeField":
                expression = "'2026-01-01 00:00:00'"
            else:
                expression = "'{}'" if field.column == "origins" else "''"
            selected.append(f"{expression} AS {field.column}")
        bulk.push(db, model._meta.db_table, f"SELECT {', '.join(selected)} {source}", work)

    with transaction.atomic():
        insert(
            Household,
            {n: n for n in ("kk", "address", "floor", "wall", "roof", "desil", "village_id", "district_id")}
            | {"id": "home", "origin_id": str(origin), "head_name": "name", "member_count": "3",
               "status": "'active'"},
            "FROM flat WHERE relation = 'head'",
        )  # fmt: skip
        insert(
            Person,
            {n: n for n in ("nik", "name", "birth_date", "relation", "work")}
            | {"id": "person", "household_id": "home", "origin_id": str(origin), "status": "'active'"},
            "FROM flat",
        )  # fmt: skip
    db.close()
    connection.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--households", type=int, default=600_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="guyub-differences-") as place:
        os.environ |= {
            "GUYUB_DATA_DIR": place,
            "GUYUB_MODE": "demo",
            "DJANGO_SETTINGS_MODULE": "guyub.settings",
        }
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        work = Path(place) / "fill"
        work.mkdir()
        began = time.perf_counter()
        fill(options.households, work)
        print(f"filled in {time.perf_counter() - began:.0f} s")
        from guyub.access.roles import Role
        from guyub.accounts.models import User
        from guyub.reconciliation import queue
        from guyub.reconciliation.keeping import detect

        for label in ("first", "again"):
            began, spent = time.perf_counter(), time.process_time()
            run = detect()
            print(
                f"{label}: {time.perf_counter() - began:.1f} s, processor {time.process_time() - spent:.1f} s, "
                f"{run.counts if run else None}"
            )
        user = User(role=Role.SECRETARIAT, username="x")
        for label, wish in (
            ("all", queue.Narrowing()),
            ("narrowed", queue.Narrowing(attribute="floor", area="33.02.17", dataset="rtlh")),
        ):
            times = []
            for _round in range(10):
                began = time.perf_counter()
                rows = queue.narrowed(user, wish)
                queue.page(rows, 0, 26)
                queue.counted(rows)
                times.append(1000 * (time.perf_counter() - began))
            print(f"queue, {label}: median {statistics.median(times):.0f} ms")


if __name__ == "__main__":
    main()
