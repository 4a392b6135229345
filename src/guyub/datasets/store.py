"""Where the rows of dataset versions lie: one Parquet file per version, never changed once written.

NIK and KK numbers in it are sealed (:mod:`guyub.access.sealing`); what is read here is opened on its
way out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from guyub.access.sealing import seal_all, unseal

KEY = "nik"
# Called for the sealed NIK and KK numbers whose rows are not handed on; apps below add theirs when ready.
held_back: list[Callable[[], tuple[list[str], list[str]]]] = []
# Columns whose values are sealed.
SEALED = ("nik", "kk")
BATCH = 50_000


def version_path(dataset_code: str, number: int) -> Path:
    """Return where the rows of a version lie, whether or not they do yet."""
    return Path(settings.DATA_DIR) / "datasets" / dataset_code / f"{number}.parquet"


def write_version(source: Path, dataset_code: str, number: int) -> Path:
    """Put the Parquet file ``source`` in place as a version's rows; a second time changes nothing.

    A killed process leaves either no file or the whole one.
    """
    target = version_path(dataset_code, number)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_suffix(".part")
    shutil.copyfile(source, part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, target)
    return target


def seal_query(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    """Write the rows of ``query`` to the Parquet file ``target`` with NIK and KK sealed.

    What is sealed with another key is sealed anew. A killed process leaves no half file.
    """
    part = target.with_suffix(".part")
    batches = connection.sql(query).to_arrow_reader(BATCH)
    with pq.ParquetWriter(part, batches.schema, compression="zstd") as writer:
        for batch in batches:
            for index, name in enumerate(batch.schema.names):
                if name in SEALED:
                    texts = seal_all(batch.column(index).to_pylist())
                    batch = batch.set_column(index, name, pa.array(texts, pa.string()))
            writer.write_batch(batch)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, target)


def seal_columns(source: Path, target: Path) -> None:
    """Copy a Parquet file with NIK and KK sealed; the two paths may be one."""
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order=true")
        seal_query(connection, f"SELECT * FROM read_parquet('{source}')", target)  # noqa: S608


@dataclass(frozen=True)
class Comparison:
    """How many people were added, removed, changed and unchanged between two versions."""

    added: int
    removed: int
    changed: int
    unchanged: int


def columns_of(path: Path) -> list[str]:
    """Return the column names of a version's file, without the key."""
    described = duckdb.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()  # noqa: S608
    return [row[0] for row in described if row[0] != KEY]


def differs(columns: list[str], left: str = "a", right: str = "b") -> str:
    """Return SQL that is true when any of ``columns`` differs between two joined tables."""
    return " OR ".join(f"{left}.{c} IS DISTINCT FROM {right}.{c}" for c in columns) or "false"


def compare(older: Path, newer: Path) -> Comparison:
    """Count what changed between two versions, matching people by NIK."""
    changed = differs(columns_of(newer))
    row: Any = duckdb.execute(
        f"SELECT count(*) FILTER (a.{KEY} IS NULL), count(*) FILTER (b.{KEY} IS NULL), "  # noqa: S608
        f"count(*) FILTER (a.{KEY} IS NOT NULL AND b.{KEY} IS NOT NULL AND ({changed})), "
        f"count(*) FILTER (a.{KEY} IS NOT NULL AND b.{KEY} IS NOT NULL AND NOT ({changed})) "
        f"FROM '{older}' a FULL JOIN '{newer}' b USING ({KEY})"
    ).fetchone()
    return Comparison(added=row[0], removed=row[1], changed=row[2], unchanged=row[3])


def changes(older: Path, newer: Path, kind: str, offset: int, limit: int) -> list[dict[str, Any]]:
    """Return a page of the people who were ``added``, ``removed`` or ``changed`` between versions.

    Each has ``nik``, ``name``, ``village`` and, when changed, ``fields``: (column, old, new) as text.
    """
    columns = columns_of(newer)
    where = {
        "added": f"a.{KEY} IS NULL",
        "removed": f"b.{KEY} IS NULL",
        "changed": f"a.{KEY} IS NOT NULL AND b.{KEY} IS NOT NULL AND ({differs(columns)})",
    }[kind]
    values = ", ".join(
        f"CASE WHEN a.{c} IS DISTINCT FROM b.{c} THEN ['{c}', CAST(a.{c} AS VARCHAR), CAST(b.{c} AS VARCHAR)] END"
        for c in columns
    )
    rows = duckdb.execute(
        f"SELECT {KEY}, coalesce(b.name, a.name), coalesce(b.village, a.village), "  # noqa: S608
        f"list_filter([{values}], lambda x: x IS NOT NULL) "
        f"FROM '{older}' a FULL JOIN '{newer}' b USING ({KEY}) WHERE {where} "
        f"ORDER BY 2, 1 LIMIT {int(limit)} OFFSET {int(offset)}"
    ).fetchall()
    return [
        {
            "nik": unseal(nik),
            "name": name,
            "village": village,
            "fields": [
                (c, unseal(a or ""), unseal(b or "")) if c in SEALED else (c, a, b)
                for c, a, b in fields
            ]
            if kind == "changed"
            else [],
        }
        for nik, name, village, fields in rows
    ]


def handed_rows(path: Path, columns: list[str], area: str = "") -> Iterator[tuple[Any, ...]]:
    """Yield a version's rows for somebody outside, without those of people whose data are restricted."""
    return read_rows(path, columns, area=area, without=[tell() for tell in held_back])


def read_rows(
    path: Path,
    columns: list[str],
    batch: int = 10_000,
    area: str = "",
    without: Sequence[tuple[list[str], list[str]]] = (),
) -> Iterator[tuple[Any, ...]]:
    """Yield a version's rows by village and name, without holding them all.

    ``area`` is the Kemendagri code of a village or of what villages lie in; empty means all.
    ``without`` gives sealed NIK and KK numbers whose rows are left out.
    """
    connection = duckdb.connect()
    parts: list[str] = []
    given: dict[str, Any] = {}
    if area:
        parts.append("(village = $area OR starts_with(village, $area || '.'))")
        given["area"] = area
    there = {KEY, *columns_of(path)} if without else set()
    for place, numbers in enumerate(zip(*without, strict=True)):
        name, left_out = SEALED[place], [number for some in numbers for number in some]
        if name in there and left_out:
            parts.append(f"NOT coalesce(list_contains($without_{name}, {name}), false)")
            given[f"without_{name}"] = left_out
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    try:
        found = connection.execute(
            f"SELECT {', '.join(columns)} FROM '{path}' {where} ORDER BY village, name, {KEY}",  # noqa: S608
            given,
        )
        sealed = [i for i, name in enumerate(columns) if name in SEALED]
        while rows := found.fetchmany(batch):
            if not sealed:
                yield from rows
                continue
            for row in rows:
                values = list(row)
                for index in sealed:
                    values[index] = unseal(values[index] or "")
                yield tuple(values)
    finally:
        connection.close()
