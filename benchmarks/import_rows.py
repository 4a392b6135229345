"""How fast is an import, beside DuckDB that only reads and writes the same rows?

``uv run python benchmarks/import_rows.py [--rows 1000000] [--database sqlite|postgresql]``

Prints rows per second and peak memory for: DuckDB reading the CSV and writing a table; Guyub's whole
import (read, check, compare, write to the database, with history and search keys) into an empty
registry; and the same file again. PostgreSQL is a throw-away server.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import psutil

HEADINGS = {
    "nik": "NIK", "kk": "No KK", "name": "Nama", "sex": "Jenis Kelamin",
    "birth_date": "Tanggal Lahir", "birth_place": "Tempat Lahir", "relation": "Hubungan",
    "disability": "Disabilitas", "work": "Pekerjaan", "schooling": "Pendidikan",
    "health_insurance": "Jaminan Kesehatan", "village": "Kode Desa", "address": "Alamat",
    "hamlet": "Dusun", "rt": "RT", "rw": "RW", "floor": "Lantai", "wall": "Dinding", "roof": "Atap",
    "sanitation": "Jamban", "water": "Sumber Air Minum", "electricity": "Listrik",
    "ownership": "Status Rumah", "assets": "Aset", "expenditure": "Pengeluaran per Kapita",
    "desil": "Desil",
}  # fmt: skip


def write_csv(target: Path, rows: int, folder: Path) -> None:
    """Write a CSV of synthetic people; assets are separated by ``;`` as people would."""
    from guyub.demo.population import write_population

    flat = folder / "flat.parquet"
    write_population(flat, households=rows // 3 + rows // 10, seed=7)
    columns = ", ".join(
        f"replace(assets, ',', ';') AS \"{heading}\""
        if name == "assets"
        else f"strftime(birth_date, '%d/%m/%Y') AS \"{heading}\""
        if name == "birth_date"
        else f'{name} AS "{heading}"'
        for name, heading in HEADINGS.items()
    )
    duckdb.execute(
        f"COPY (SELECT {columns} FROM '{flat}' LIMIT {rows}) TO '{target}' (HEADER, DELIMITER ',')"
    )


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float, str]:
    """Run a command; return (seconds, peak MB of it and its children, output)."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            try:
                tree = [psutil.Process(process.pid)]
                tree += tree[0].children(recursive=True)
                peak = max(peak, sum(p.memory_info().rss for p in tree))
            except psutil.Error:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _nothing = process.communicate()
    done.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(output)
    return time.perf_counter() - started, peak / 1e6, output


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="guyub-bench-"))
    environment = {**os.environ, "GUYUB_MODE": "test", "GUYUB_DATA_DIR": str(folder / "data")}
    environment.pop("DATABASE_URL", None)
    if options.database == "postgresql":
        from guyub.testing import start_postgresql

        environment["DATABASE_URL"] = start_postgresql()
    os.environ.update(environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "guyub.settings"
    import django

    django.setup()
    csv = folder / "rows.csv"
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    from guyub.agencies.models import Agency
    from guyub.areas.services import load_regency
    from guyub.datasets.models import Dataset

    load_regency()
    write_csv(csv, options.rows, folder)
    owner = Agency.objects.create(code="uji", name="Dinas Uji")
    Dataset.objects.create(code="uji", name="Uji", owner=owner, legal_basis="-", cadence="yearly")
    # The goal is stated for a million rows; the limit on an upload's bytes is another matter.
    environment["GUYUB_IMPORT_MAX_MB"] = "2000"
    print(f"{options.rows:,} rows, {len(HEADINGS)} columns, {csv.stat().st_size / 1e6:.0f} MB CSV")

    baseline = (
        "import duckdb,sys; c=duckdb.connect(sys.argv[2]); "
        "c.execute(f\"CREATE TABLE t AS SELECT * FROM read_csv('{sys.argv[1]}', all_varchar=true)\"); "
        "c.close()"
    )
    report = []
    seconds, peak, _out = measured(
        [sys.executable, "-c", baseline, str(csv), str(folder / "base.duckdb")], environment
    )
    report.append(("DuckDB: read CSV, write table", seconds, peak))
    guyub = [sys.executable, "-m", "guyub.cli"]
    line = [*guyub, "import", str(csv), "--dataset", "uji", "--as-of"]
    seconds, peak, out = measured([*line, "2026-01-01"], environment)
    print(out.strip().splitlines()[-9:])
    report.append((f"Guyub on {options.database}: whole import, empty registry", seconds, peak))
    check, peak_check, _out = measured([*line, "2026-01-01", "--check-only"], environment)
    report.append((f"Guyub on {options.database}: read and check only", check, peak_check))
    seconds, peak, _out = measured([*line, "2026-01-01"], environment)
    report.append((f"Guyub on {options.database}: the same file again", seconds, peak))
    base = report[0][1]
    print(f"{'':<60}{'s':>8}{'rows/s':>12}{'peak MB':>9}{'x DuckDB':>10}")
    for label, seconds, peak in report:
        speed = options.rows / seconds
        print(f"{label:<60}{seconds:>8.1f}{speed:>12,.0f}{peak:>9.0f}{base / seconds:>10.2f}")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
