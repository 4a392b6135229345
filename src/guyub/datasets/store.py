"""Where the rows of dataset versions lie: one Parquet file per version, never changed once written."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings

KEY = "nik"


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
