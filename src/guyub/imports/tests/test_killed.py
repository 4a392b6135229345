"""A worker killed at any moment leaves all or nothing, and the run can be taken up again."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from guyub.demo.population import write_population

ROWS_SQL = "SELECT count(*) FROM registry_person"


def guyub(folder: Path, *arguments: str, **options: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "GUYUB_DATA_DIR": str(folder), "GUYUB_MODE": "test"}
    environment.pop("DATABASE_URL", None)
    return subprocess.Popen(
        [sys.executable, "-m", "guyub.cli", *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def run(folder: Path, *arguments: str) -> str:
    process = guyub(folder, *arguments)
    output, _nothing = process.communicate(timeout=180)
    assert process.returncode == 0, output
    return output


def count(folder: Path, query: str) -> int:
    connection = sqlite3.connect(folder / "guyub.sqlite3", timeout=60)
    try:
        return int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


@pytest.fixture(scope="module")
def list_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import duckdb

    folder = tmp_path_factory.mktemp("list")
    write_population(folder / "flat.parquet", households=4000, seed=3)
    target = folder / "daftar.csv"
    duckdb.execute(
        'COPY (SELECT nik AS NIK, kk AS "No KK", name AS Nama, sex AS JK, village AS "Kode Desa", '
        f"desil AS Desil, relation AS Hubungan FROM '{folder}/flat.parquet') TO '{target}' (HEADER)"
    )
    return target


@pytest.mark.own_database
def test_kill_at_random_moments_then_resume(tmp_path: Path, list_file: Path) -> None:
    people = sum(1 for _line in list_file.open()) - 1
    run(tmp_path, "setup", "-v0")
    run(
        tmp_path, "shell", "-v0", "-c",
        "from guyub.areas.services import load_regency; load_regency()\n"
        "from guyub.agencies.models import Agency\nfrom guyub.datasets.models import Dataset\n"
        "a = Agency.objects.create(code='uji', name='Uji')\n"
        "Dataset.objects.create(code='uji', name='Uji', owner=a, legal_basis='-', cadence='yearly')",
    )  # fmt: skip
    luck = random.Random(11)
    first = guyub(tmp_path, "import", str(list_file), "--dataset", "uji", "--as-of", "2026-01-01")
    process, kills = first, 0
    for _round in range(6):
        time.sleep(luck.uniform(1.2, 3.6))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        # Never half a list, whatever the moment.
        assert count(tmp_path, ROWS_SQL) in (0, people)
        if count(tmp_path, "SELECT count(*) FROM imports_importrun") == 0 or count(
            tmp_path, "SELECT count(*) FROM imports_importrun WHERE state = 'mapping'"
        ):
            process = guyub(
                tmp_path, "import", str(list_file), "--dataset", "uji", "--as-of", "2026-01-01"
            )
        else:
            number = count(tmp_path, "SELECT max(id) FROM imports_importrun")
            process = guyub(tmp_path, "import", "--resume", str(number))
    assert kills > 0
    process.kill()
    process.wait()
    waiting = count(
        tmp_path,
        "SELECT coalesce(max(id), 0) FROM imports_importrun WHERE state IN ('checking', 'checked', 'applying')",
    )
    if waiting:
        run(tmp_path, "import", "--resume", str(waiting))
    else:
        run(tmp_path, "import", str(list_file), "--dataset", "uji", "--as-of", "2026-01-01")
    assert count(tmp_path, ROWS_SQL) == people
    assert count(tmp_path, "SELECT count(*) FROM datasets_version") == 1
    assert count(tmp_path, "SELECT count(DISTINCT nik) FROM registry_person") == people
    again = run(tmp_path, "import", str(list_file), "--dataset", "uji", "--as-of", "2026-01-01")
    assert "Selesai" in again
    assert count(tmp_path, "SELECT count(*) FROM datasets_version") == 1


@pytest.mark.django_db
def test_a_run_whose_worker_died_is_found(importing, monkeypatch) -> None:
    from guyub.imports import services
    from guyub.imports.folder import RunFolder
    from guyub.imports.models import State
    from guyub.longruns.running import held

    from .conftest import MAN

    done = importing([MAN], apply=False)
    services.approve(done, None)
    assert [lost.pk for lost in services.abandoned()] == [done.pk]
    with held(RunFolder(done.pk)) as mine:
        assert mine
        # Held, as by a live worker: nobody else takes it up.
        assert services.abandoned() == []
        assert services.work(done.pk).state == State.APPLYING
    assert services.work(done.pk).state == State.DONE
    assert services.abandoned() == []
