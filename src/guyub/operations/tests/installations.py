"""Whole installations for tests: a data folder, a database, and the commands run in them for real."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from guyub.operations.archive import zstd

RELEASES = Path(__file__).resolve().parents[4] / "tests" / "releases"


def pgserver_programs() -> str:
    from pgserver._commands import POSTGRES_BIN_PATH

    return str(POSTGRES_BIN_PATH)


class Installation:
    """One installation on the kind of database that the tests run on."""

    def __init__(self, folder: Path, name: str) -> None:
        self.data = folder / name
        self.data.mkdir()
        self.database = ""
        self.environment = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "GUYUB_DATA_DIR")},
            "GUYUB_MODE": "demo",
            "GUYUB_DATA_DIR": str(self.data),
        }
        if connections["default"].vendor == "postgresql":
            self.database = f"guyub_{name}_{uuid.uuid4().hex[:8]}"
            self._administer(f'CREATE DATABASE "{self.database}"')
            url = os.environ["DATABASE_URL"]
            self.environment["DATABASE_URL"] = re.sub(
                r"(://[^/]*/)[^?]*", rf"\g<1>{self.database}", url
            )
            self.environment["GUYUB_PG_BIN"] = pgserver_programs()

    def _administer(self, statement: str) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(statement)

    def remove(self) -> None:
        if self.database:
            self._administer(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def run(self, *command: str, fails: bool = False, **environment: str) -> str:
        """Run ``guyub <command>`` and return what it said."""
        return self.python("-m", "guyub.cli", *command, fails=fails, **environment)

    def python(self, *command: str, fails: bool = False, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            env={**self.environment, **environment},
            cwd=self.data,
            capture_output=True,
            text=True,
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, said
        return said

    def load(self, version: str) -> None:
        """Fill the empty database with that of a release."""
        vendor = connections["default"].vendor
        script = zstd.decompress((RELEASES / version / f"{vendor}.sql.zst").read_bytes())
        if not self.database:
            import sqlite3

            connection = sqlite3.connect(self.data / "guyub.sqlite3")
            connection.executescript(script.decode())
            connection.close()
            return
        psql = [f"{pgserver_programs()}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        subprocess.run([*psql, self.environment["DATABASE_URL"]], input=script, check=True, stdout=subprocess.DEVNULL)  # fmt: skip

    def rows(self, table: str = "") -> dict[str, list[Any]]:
        """Return every row of every table, in an order that doesn't depend on where they lie."""
        if not self.database:
            import sqlite3

            connection: Any = sqlite3.connect(self.data / "guyub.sqlite3")
            wanted = (
                "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
            )
        else:
            connection = psycopg.connect(self.environment["DATABASE_URL"])
            wanted = "SELECT tablename FROM pg_tables WHERE schemaname='public'"
        try:
            tables = [name for (name,) in connection.execute(wanted).fetchall()]
            return {
                name: sorted(
                    connection.execute(f'SELECT * FROM "{name}"').fetchall(),
                    key=lambda row: str(row),
                )
                for name in sorted(tables)
                if table in ("", name)
            }
        finally:
            connection.close()

    def files(self) -> dict[str, str]:
        """Return the SHA-256 of every file that must survive."""
        from guyub.operations.backup import files_of

        return {
            str(path): hashlib.sha256((self.data / path).read_bytes()).hexdigest()
            for path in files_of(self.data)
        }
