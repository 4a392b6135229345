"""The folder of a long run: how web and worker talk about it while it runs, and its scratch space.

Progress and the wish to cancel go through files: while a run is applied, the database's one write
transaction may belong to the worker, so nobody could tell it anything through the database.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings


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


class LongRunFolder:
    """The folder ``<DATA_DIR>/<place>/<run id>``, readable by its owner only."""

    place: ClassVar[str]

    def __init__(self, run_id: int) -> None:
        self.path = Path(settings.DATA_DIR) / self.place / str(run_id)

    def make_empty(self) -> None:
        """Make the folder for a new run, without what a run of the same number left behind."""
        self.remove()
        self.make()

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    # Scratch

    @property
    def work(self) -> Path:
        """Scratch space; emptied when a stage starts. It may hold rows in the clear."""
        return self.path / "work"

    def fresh_work(self) -> Path:
        self.clear_work()
        self.work.mkdir(parents=True, mode=0o700)
        return self.work

    def clear_work(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)

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
