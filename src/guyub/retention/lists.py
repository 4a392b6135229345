"""Taking erased people out of what lies in files: versions of lists, imports and linkings.

Every step can be done again: a file without any of the numbers is left as it is. A file is written anew
beside the old one and takes its place at once, so that a killed process leaves either.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.db.models import QuerySet

from guyub.access.sealed_files import opened
from guyub.access.sealing import seal_all, unseal
from guyub.beneficiaries.models import Batch
from guyub.datasets.store import SEALED
from guyub.imports.folder import RunFolder, rows_in, sealed_parquet
from guyub.imports.models import ImportRun
from guyub.imports.models import State as RunState
from guyub.linking.models import LinkRun

# Imports, linkings and batches call it the same.
ENDED = (RunState.DONE, RunState.FAILED, RunState.CANCELLED)


def take_out(sealed: Iterable[str]) -> dict[str, int]:
    """Take the rows with any of the sealed numbers out of all files; return how many files of each kind.

    ``versions`` and ``linkings`` are written anew. Of ``imports`` whose file held one of them all is
    deleted: an uploaded file can't be stored with a row less.
    """
    plain = [unseal(text) for text in sealed]
    if not plain:
        return {}
    # As they are sealed in lists by now.
    numbers = [text for text in seal_all(plain) if text]
    root = Path(settings.DATA_DIR)
    versions = [p for p in sorted(root.glob("datasets/*/*.parquet")) if _rewrite(p, numbers)]
    linkings = [
        path
        for name in ("people", "records")
        for path in sorted(root.glob(f"linking/*/{name}.parquet"))
        if _rewrite_sealed(path, plain)
    ]
    runs = list(_imports_with(numbers, plain))
    for folder in runs:
        folder.remove()
    for model in (ImportRun, LinkRun, Batch):
        forget_samples(model._default_manager.filter(state__in=ENDED))
    return {"versions": len(versions), "linkings": len(linkings), "imports": len(runs)}


def forget_samples(runs: QuerySet[Any]) -> None:
    """Take away the first rows that are kept with an upload to show its columns: it has served."""
    for run in runs.exclude(layout={}):
        if run.layout.get("sample"):
            run.layout["sample"] = []
            run.save(update_fields=["layout"])


def _scratch(numbers: list[str]) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with the numbers in a table ``gone``."""
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order=true")
    connection.execute("CREATE TABLE gone (number VARCHAR)")
    connection.execute("INSERT INTO gone SELECT unnest($numbers)", {"numbers": numbers})
    return connection


def _has(connection: duckdb.DuckDBPyConnection, source: str) -> str:
    """Return the condition that a row of ``source`` has one of the numbers; empty when none has."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    columns = [row[0] for row in described]
    tests = [
        f"coalesce({name} IN (SELECT number FROM gone), false)"
        for name in SEALED
        if name in columns
    ]
    if not tests:
        return ""
    test = " OR ".join(tests)
    found = connection.execute(f"SELECT 1 FROM {source} WHERE {test} LIMIT 1").fetchall()
    return test if found else ""


def _rewrite(path: Path, numbers: list[str]) -> bool:
    """Write a list without the rows that have one of the sealed ``numbers``."""
    with _scratch(numbers) as connection:
        source = f"read_parquet('{path}')"
        test = _has(connection, source)
        if not test:
            return False
        part = path.with_suffix(".part")
        connection.execute(
            f"COPY (SELECT * FROM {source} WHERE NOT ({test})) TO '{part}' "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, path)
    return True


def _rewrite_sealed(path: Path, plain: list[str]) -> bool:
    """The same for a file that is sealed whole and holds plain numbers."""
    with _scratch(plain) as connection, rows_in(path) as source:
        test = _has(connection, source)
        if test:
            kept = f"SELECT * FROM {source} WHERE NOT ({test})"
            sealed_parquet(connection, kept, path)
    return bool(test)


def _imports_with(numbers: list[str], plain: list[str]) -> Iterator[RunFolder]:
    """Yield the folders of finished imports whose file held one of the numbers."""
    for run in ImportRun.objects.filter(state__in=ENDED).order_by("pk"):
        folder = RunFolder(run.pk)
        if _accepted_has(folder, numbers) or _staged_has(folder, run, plain):
            yield folder


def _accepted_has(folder: RunFolder, numbers: list[str]) -> bool:
    if not folder.accepted.exists():
        return False
    with _scratch(numbers) as connection:
        return bool(_has(connection, f"read_parquet('{folder.accepted}')"))


def _staged_has(folder: RunFolder, run: ImportRun, plain: list[str]) -> bool:
    columns = [position for position, field in run.mapping.items() if field in SEALED]
    if not columns or not folder.staged.exists():
        return False
    tests = " OR ".join(
        f"regexp_replace(coalesce(c{int(position)}, ''), '[^0-9]', '', 'g') "
        "IN (SELECT number FROM gone)"
        for position in columns
    )
    with _scratch(plain) as connection, opened(folder.staged) as clear:
        found = connection.execute(
            f"SELECT 1 FROM read_parquet('{clear}') WHERE {tests} LIMIT 1"
        ).fetchall()
    return bool(found)
