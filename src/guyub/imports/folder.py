"""Where an import run's bulk data lies, and how web and worker talk about it while it runs.

Progress and the wish to cancel go through files: while a run is applied, the database's one write
transaction belongs to the worker, so nobody could tell it anything through the database.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from guyub.access.sealed_files import memory_file, opened, seal_file


class CancelledRunError(Exception):
    """The user asked for the run to stop."""


@dataclass(frozen=True)
class Progress:
    """How far a run is: ``done`` of ``total`` steps of the stage called ``stage``."""

    stage: str = ""
    done: int = 0
    total: int = 0

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.done / self.total)) if self.total else 0


Report = Callable[[str, int, int], None]


class RunFolder:
    """The folder ``<DATA_DIR>/imports/<run id>``, readable by its owner only."""

    def __init__(self, run_id: int) -> None:
        self.path = Path(settings.DATA_DIR) / "imports" / str(run_id)

    def make_empty(self) -> None:
        """Make the folder for a new run, without what a run of the same number left behind."""
        self.remove()
        self.make()

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def source(self, suffix: str) -> Path:
        """The file as it was uploaded, sealed."""
        return self.path / f"source{suffix}"

    @property
    def staged(self) -> Path:
        """Every data row as text, sealed: ``row_number``, ``c0`` ... ``cN``."""
        return self.path / "staged.parquet"

    @property
    def accepted(self) -> Path:
        """The rows that passed every check, in the registry's flat form, with NIK and KK sealed."""
        return self.path / "accepted.parquet"

    @property
    def rejected(self) -> Path:
        """One line per fault, sealed: ``row_number, field, position, value, cause, hint``."""
        return self.path / "rejected.parquet"

    @property
    def differences(self) -> Path:
        """Values that differ from the registry's and did not replace them."""
        return self.path / "differences.parquet"

    @property
    def work(self) -> Path:
        """Scratch space; emptied when a stage starts."""
        return self.path / "work"

    def fresh_work(self) -> Path:
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True, mode=0o700)
        return self.work

    # Progress and cancelling

    def report(self, stage: str, done: int, total: int) -> None:
        """Note progress, and stop by raising :class:`CancelledRunError` when that was asked for."""
        target = self.path / "progress.json"
        part = target.with_suffix(".part")
        part.write_text(json.dumps({"stage": stage, "done": done, "total": total}))
        os.replace(part, target)
        if self.cancel_wanted:
            raise CancelledRunError

    def progress(self) -> Progress:
        try:
            content: dict[str, Any] = json.loads((self.path / "progress.json").read_text())
        except (FileNotFoundError, ValueError):
            return Progress()
        return Progress(**content)

    def ask_to_cancel(self) -> None:
        self.make()
        (self.path / "cancel").touch()

    def clear_cancel(self) -> None:
        (self.path / "cancel").unlink(missing_ok=True)

    @property
    def cancel_wanted(self) -> bool:
        return (self.path / "cancel").exists()

    def seconds_since_progress(self, now: float) -> float | None:
        """Return how long the worker has been silent; ``None`` when it never spoke."""
        try:
            return now - (self.path / "progress.json").stat().st_mtime
        except FileNotFoundError:
            return None


def atomic_parquet(connection: Any, query: str, target: Path) -> None:
    """Write the rows of ``query`` to ``target`` so that a killed process leaves no half file."""
    part = target.with_suffix(".part")
    escaped = str(part).replace("'", "''")
    connection.execute(f"COPY ({query}) TO '{escaped}' (FORMAT parquet, COMPRESSION zstd)")
    os.replace(part, target)


def sealed_parquet(connection: Any, query: str, target: Path) -> None:
    """Write the rows of ``query`` to the sealed file ``target``; read it with :func:`rows_in`."""
    with memory_file(target.parent) as (clear, _file):
        connection.execute(
            f"COPY ({query}) TO '{clear}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
        )
        seal_file(clear, target)


@contextlib.contextmanager
def rows_in(path: Path) -> Iterator[str]:
    """Give the SQL by which DuckDB reads a sealed Parquet file while the block lasts."""
    with opened(path) as clear:
        yield f"read_parquet('{clear}')"
