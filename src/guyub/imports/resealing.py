"""Sealing anew what lies in the data folder: files from before sealing, or under an earlier key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings

from guyub.access.rekeying import reseal_column, sealed_columns
from guyub.access.sealed_files import key_name, opened, seal_file
from guyub.access.sealing import is_current, is_sealed, present_key, seal, unseal
from guyub.audit import services as audit
from guyub.datasets.store import SEALED, seal_columns

# Parquet files whose NIK and KK columns are sealed.
COLUMNS = ("datasets/*/*.parquet", "imports/*/accepted.parquet", "imports/*/differences.parquet")
# Files that are sealed whole.
WHOLE = (
    "imports/*/source.bin", "imports/*/staged.parquet", "imports/*/rejected.parquet",
    "batches/*/source.bin", "batches/*/staged.parquet", "batches/*/rejected.parquet",
    "linking/*/source.bin", "linking/*/staged.parquet", "linking/*/records.parquet",
    "linking/*/people.parquet",
    "media/**/*",
)  # fmt: skip


def files_of(patterns: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files in the data folder that fit one of ``patterns``."""
    for pattern in patterns:
        for path in sorted(Path(settings.DATA_DIR).glob(pattern)):
            if path.is_file() and path.suffix != ".part":
                yield path


def reseal_files() -> int:
    """Seal every file with the present key as needed; return how many were."""
    changed = 0
    for path in files_of(WHOLE):
        if key_name(path) == present_key().name:
            continue
        with opened(path) as clear:
            seal_file(clear, path)
        changed += 1
    for path in files_of(COLUMNS):
        if not _is_current(path):
            seal_columns(path, path)
            changed += 1
    return changed


def _is_current(path: Path) -> bool:
    """Tell whether a Parquet file's numbers are sealed with the present key; a file has one key."""
    with duckdb.connect() as db:
        described = db.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
        for name in (row[0] for row in described if row[0] in SEALED):
            rows = db.execute(
                f"SELECT {name} FROM read_parquet('{path}') "
                f"WHERE coalesce({name}, '') <> '' LIMIT 1"
            ).fetchall()
            if rows and not is_current(rows[0][0]):
                return False
    return True


def reseal_layouts(model: Any) -> int:
    """Seal the sample rows kept with the uploads of ``model``; return how many uploads changed."""
    changed = 0
    for pk, layout in model.objects.values_list("pk", "layout").iterator():
        sample = layout.get("sample") or []
        if all(is_current(cell) for row in sample for cell in row):
            continue
        layout["sample"] = [
            [seal(unseal(cell) if is_sealed(cell) else cell) for cell in row] for row in sample
        ]
        model.objects.filter(pk=pk).update(layout=layout)
        changed += 1
    return changed


def _silent(place: str, rows: int) -> None:
    """Tell nobody how far it is."""


def reseal_everything(tick: Callable[[str, int], None] | None = None) -> dict[str, int]:
    """Seal numbers and files with the present key; return how many rows or files changed, by place.

    Nobody else may write meanwhile. Run again, it goes on where it was broken off.
    """
    from django.apps import apps

    done: dict[str, int] = {}
    for table, column in sealed_columns():
        place = f"{table}.{column}"
        done[place] = reseal_column(table, column, tick=partial(tick or _silent, place))
    for column in ("old", "new"):
        place = f"registry_valuechange.{column}"
        done[place] = reseal_column("registry_valuechange", column, "field IN ('nik', 'kk')")
    for label in ("imports.ImportRun", "beneficiaries.Batch", "linking.LinkRun"):
        done[label] = reseal_layouts(apps.get_model(label))
    done["files"] = reseal_files()
    audit.record("imports.data.rekey", detail={k: v for k, v in done.items() if v})
    return done
