"""Pytest plugin: ``--database sqlite|postgresql`` picks what the tests run on.

PostgreSQL comes from ``DATABASE_URL`` when that is set, else from a throw-away server that PyPI's
``pgserver`` starts. Loaded early (``-p guyub.testing``), because Django reads its settings once.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("GUYUB_MODE", "test")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="database to run the tests on",
    )


def start_postgresql() -> str:
    """Start a throw-away PostgreSQL server and return its URL; it stops when the process ends."""
    import pgserver

    folder = tempfile.mkdtemp(prefix="guyub-pg-")
    server = pgserver.get_server(folder, cleanup_mode="delete")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    return str(server.get_uri())


def pytest_configure(config: pytest.Config) -> None:
    """Let the end of a test that commits clear the audit log, which its triggers protect."""
    from importlib import import_module

    import django.db.backends.postgresql.base
    import django.db.backends.sqlite3.base  # noqa: F401 (their operations can't be imported first)
    from django.db.backends.postgresql.operations import DatabaseOperations as PostgreSQL
    from django.db.backends.sqlite3.operations import DatabaseOperations as SQLite

    migration = import_module("guyub.audit.migrations.0002_append_only")

    def unprotect(operations: Any, before: list[str], after: list[str]) -> None:
        original = operations.sql_flush

        def sql_flush(self: Any, style: Any, tables: Any, **options: Any) -> list[str]:
            statements = original(self, style, tables, **options)
            return [*before, *statements, *after] if "audit_event" in tables else statements

        operations.sql_flush = sql_flush

    unprotect(SQLite, migration.UNDO["sqlite"], migration.SQLITE)
    trigger = "TRIGGER audit_event_no_truncate"
    unprotect(
        PostgreSQL,
        [f"ALTER TABLE audit_event DISABLE {trigger}"],
        [f"ALTER TABLE audit_event ENABLE {trigger}"],
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    known = early_config.known_args_namespace
    # Every test session writes below its own folder, never into a developer's data.
    folder = tempfile.mkdtemp(prefix="guyub-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GUYUB_DATA_DIR"] = folder
    # WhiteNoise complains of a folder that only production fills.
    (Path(folder) / "static").mkdir()
    if known.database == "sqlite":
        os.environ.pop("DATABASE_URL", None)
    elif "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = start_postgresql()
