"""Where an import run's bulk data lies, and how Parquet files are written whole and sealed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from guyub.access.sealed_files import memory_file, opened, seal_file
from guyub.longruns.folder import LongRunFolder


class RunFolder(LongRunFolder):
    """The folder of a run that is about a file: ``<DATA_DIR>/imports/<run id>``."""

    place = "imports"

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
