"""Pytest plugin: ``--database sqlite|postgresql`` picks what the tests run on.

PostgreSQL comes from ``DATABASE_URL`` when that is set, else from a throw-away server that PyPI's
``pgserver`` starts. Loaded early (``-p guyub.testing``), because Django reads its settings once.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

os.environ.setdefault("GUYUB_MODE", "test")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="database to run the tests on",
    )
    parser.addoption(
        "--web-role",
        action="store_true",
        help="answer the test client's requests as the role that row-level security binds (PostgreSQL)",
    )


def start_postgresql() -> str:
    """Start a throw-away PostgreSQL server and return its URL; it stops when the process ends."""
    import pgserver

    folder = tempfile.mkdtemp(prefix="guyub-pg-")
    server = pgserver.get_server(folder, cleanup_mode="delete")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    return str(server.get_uri())


TEMPLATE = "GUYUB_TEST_TEMPLATE"  # the folder of a place that is set up, for all test processes
TEMPLATE_DATABASE = f"guyub_template_{os.getpid()}"


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what all tests stand on, before the first of them runs."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        _make_template()
    _keep_sqlite_in_a_file()
    _count_requests()
    if TEMPLATE in os.environ:
        _start_from_template()
    _judge_no_test_by_its_time()
    _let_tests_clear_the_audit_log()


def _make_template() -> None:
    """Migrate once, before the processes that share the tests start; each of them copies it."""
    folder = Path(tempfile.mkdtemp(prefix="guyub-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url = os.environ.get("DATABASE_URL")
    if url:
        _on_server(url, f"CREATE DATABASE {TEMPLATE_DATABASE}")
        atexit.register(_on_server, url, f"DROP DATABASE IF EXISTS {TEMPLATE_DATABASE}")
        (folder / "database").write_text(TEMPLATE_DATABASE)
    done = _template(folder).guyub("setup", "--verbosity", "0")
    if done.returncode:
        raise pytest.UsageError(done.stderr)
    os.environ[TEMPLATE] = str(folder)


def _template(folder: Path) -> Place:
    url = os.environ.get("DATABASE_URL")
    if url:
        url = urlsplit(url)._replace(path="/" + (folder / "database").read_text()).geturl()
    return Place(folder, url)


def _judge_no_test_by_its_time() -> None:
    """Have Hypothesis let each example take its time: machines with other work are slow now and then."""
    import hypothesis

    hypothesis.settings.register_profile("guyub", deadline=None)
    hypothesis.settings.load_profile("guyub")


def _keep_sqlite_in_a_file() -> None:
    """Give each thread a connection of its own, as in production.

    A database in memory has one connection for all, in which a page's transaction ends another's.
    """
    from django.conf import settings

    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return
    database.setdefault("TEST", {})["NAME"] = str(settings.DATA_DIR / "tests.sqlite3")
    # Nothing of it need outlast a power cut.
    options = database["OPTIONS"]
    options["init_command"] += "PRAGMA synchronous=OFF;"


_answering: set[int] = set()  # threads of the test server that are making an answer


def _count_requests() -> None:
    from django.core.handlers.wsgi import WSGIHandler

    answer = WSGIHandler.get_response

    def get_response(self: Any, request: Any) -> Any:
        thread = threading.get_ident()
        _answering.add(thread)
        try:
            return answer(self, request)
        finally:
            _answering.discard(thread)

    WSGIHandler.get_response = get_response  # type: ignore[method-assign]


def let_requests_end(within: float = 30) -> None:
    """Wait until the test server has made every answer it was asked for.

    Streams that go on, such as live news, only read and are not waited for.

    Raises:
        TimeoutError: when a request is not done within that many seconds.
    """
    deadline = time.monotonic() + within
    quiet = 0
    # Twice: a request that has just arrived is in nobody's hands for a moment.
    while quiet < 2:
        if time.monotonic() > deadline:
            raise TimeoutError("a request to the test server does not end")
        quiet = 0 if _answering else quiet + 1
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def _requests_end_with_their_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the database for the next test only when nobody writes in it any more."""
    if "live_server" not in request.fixturenames:
        yield
        return
    # Taken first, so that it is given back last; browsers, taken later, are closed by then.
    request.getfixturevalue("transactional_db")
    yield
    let_requests_end()


def _start_from_template() -> None:
    """Let Django's test database begin as a copy: its own migrating then finds nothing to do."""
    from django.conf import settings
    from django.db.backends.sqlite3.creation import DatabaseCreation

    template = _template(Path(os.environ[TEMPLATE]))
    if template.database_url:
        name = urlsplit(template.database_url).path[1:]
        settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = name
        return
    original = DatabaseCreation._create_test_db  # type: ignore[attr-defined]

    def create(self: Any, *arguments: Any, **options: Any) -> str:
        name = str(original(self, *arguments, **options))
        with (
            contextlib.closing(sqlite3.connect(template.folder / "guyub.sqlite3")) as source,
            contextlib.closing(sqlite3.connect(name)) as target,
        ):
            source.backup(target)
        return name

    DatabaseCreation._create_test_db = create  # type: ignore[attr-defined]


def _on_server(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _let_tests_clear_the_audit_log() -> None:
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


# Roles are the server's, not a database's: each test process has its own.
WEB_ROLE = f"guyub_web_test_{os.getpid()}"


@pytest.fixture(scope="session")
def web_role(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A database role such as the web process signs in as; tables are granted to it by ``wall.grant``."""
    from django.db import connection

    from guyub.access import wall

    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only")
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [WEB_ROLE])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE ROLE {WEB_ROLE}")
        wall.grant(WEB_ROLE)
    yield WEB_ROLE
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {WEB_ROLE}")
        cursor.execute(f"DROP ROLE {WEB_ROLE}")


@contextlib.contextmanager
def signed_in_as(role: str) -> Iterator[None]:
    """Do what the block does as a database role."""
    from django.db import connection
    from psycopg.pq import TransactionStatus

    # Below Django's cursor: tests that count a page's queries count neither statement.
    connection.ensure_connection()
    connection.connection.execute(f"SET ROLE {role}")
    try:
        yield
    finally:
        # A failed transaction takes nothing more; its rollback sets the role back.
        if connection.connection.info.transaction_status != TransactionStatus.INERROR:
            connection.connection.execute("RESET ROLE")


@pytest.fixture
def as_web_role(web_role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every request of the test client answered as the web process's role."""
    from django.test.client import ClientHandler

    answer = ClientHandler.__call__

    def bound(self: Any, environ: dict[str, Any]) -> Any:
        with signed_in_as(web_role):
            return answer(self, environ)

    monkeypatch.setattr(ClientHandler, "__call__", bound)


@pytest.fixture(autouse=True)
def _web_role_if_wished(request: pytest.FixtureRequest) -> None:
    # A test reaches the database by its mark or by what it asks for.
    marked = request.node.get_closest_marker
    reaches = marked("django_db") or {"db", "transactional_db"} & set(request.fixturenames)
    always = request.config.getoption("--database") == "postgresql" and marked("web_role")
    if reaches and (always or request.config.getoption("--web-role")):
        request.getfixturevalue("as_web_role")


class Place:
    """A data folder with a database of its own, for what runs as a process of its own."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.folder = folder
        self.database_url = database_url
        self.environment = {**os.environ, "GUYUB_MODE": "demo", "GUYUB_DATA_DIR": str(folder)}
        self.environment["DJANGO_SETTINGS_MODULE"] = "guyub.settings"
        self.environment["COLUMNS"] = "200"
        self.environment.pop("DATABASE_URL", None)
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    def guyub(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``guyub`` here."""
        return self._run("-m", "guyub.cli", *arguments, **environment)

    def _run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], env={**self.environment, **environment},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def python(self, code: str) -> str:
        """Run Python here and return what it printed."""
        done = self._run("-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Places:
    """Makes places: empty, set up (as by ``guyub setup``, which runs once only), or a copy of one."""

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self._new_folder = new_folder
        self._server = os.environ.get("DATABASE_URL")
        self._databases: list[str] = []
        self._set_up: Place | None = None

    def empty(self) -> Place:
        """Return a place with an empty database."""
        return Place(self._new_folder("place"), self._new_database())

    def set_up(self) -> Place:
        """Return a place whose database is ready for use and holds nothing."""
        if self._set_up is None and TEMPLATE in os.environ:
            self._set_up = _template(Path(os.environ[TEMPLATE]))
        if self._set_up is None:
            self._set_up = self.empty()
            done = self._set_up.guyub("setup")
            assert done.returncode == 0, done.stderr
        return self.copy(self._set_up)

    def copy(self, place: Place) -> Place:
        """Return a place with what another holds; nobody may be using the other meanwhile."""
        folder = self._new_folder("place")
        live = [f"guyub.sqlite3{ending}" for ending in ("", "-wal", "-shm")]
        shutil.copytree(
            place.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*live)
        )
        if place.database_url:
            return Place(folder, self._new_database(urlsplit(place.database_url).path[1:]))
        source = sqlite3.connect(place.folder / "guyub.sqlite3")
        target = sqlite3.connect(folder / "guyub.sqlite3")
        source.backup(target)
        # As Guyub keeps it; the mode is the file's.
        target.execute("PRAGMA journal_mode=WAL")
        source.close()
        target.close()
        return Place(folder, None)

    def _new_database(self, template: str = "template1") -> str | None:
        if not self._server:
            return None
        name = f"guyub_place_{uuid.uuid4().hex[:8]}"
        _on_server(self._server, f"CREATE DATABASE {name} TEMPLATE {template}")
        self._databases.append(name)
        return urlsplit(self._server)._replace(path=f"/{name}").geturl()

    def clear(self) -> None:
        """Drop every database that was made."""
        for name in self._databases:
            _on_server(str(self._server), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Places for processes of their own; see :class:`Places`."""
    made = Places(tmp_path_factory.mktemp)
    yield made
    made.clear()
