"""The second wall: PostgreSQL itself keeps rows of other areas from a page that forgot to.

The permission module decides; the wall only repeats, in the database, how far the guard of the present
page reaches. Policies on personal tables read the setting ``guyub.reach`` of the connection:

- ``all``: every row;
- a Kemendagri code: households of that area, and what hangs on them;
- empty: no row. So each request begins, and so a page stays that carries no guard.

The guards set it (:func:`enter`). The policies bind every database role but the owner of the tables and
superusers, so the web process signs in as a role of its own (``guyub wall`` makes its grants), while the
worker and commands sign in as the owner. SQLite has nothing of the kind: there the permission module
stands alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import psycopg
from django.db import connection
from django.db.migrations.operations import RunPython
from django.db.migrations.operations.base import Operation
from django.http import HttpRequest, HttpResponse

ALL, NOTHING = "all", ""
# Of this thread of work. Commands, tasks and tests of services reach everything.
_reach: ContextVar[str] = ContextVar("guyub_reach", default=ALL)

POLICY = "guyub_wall"
SETTING = "(SELECT current_setting('guyub.reach', true))"
# What a policy lets through, for a table with a village and for one that hangs on a household.
BY_VILLAGE = (
    f"{SETTING} = 'all' OR {{column}} IN (SELECT a.id FROM areas_area a WHERE a.code = {SETTING} "
    f"OR starts_with(a.code, {SETTING} || '.'))"
)
# The policy of the other table holds within.
BY_HOUSEHOLD = (
    f"{SETTING} = 'all' OR EXISTS (SELECT 1 FROM registry_household h WHERE h.id = {{column}})"
)


def through(table: str, column: str) -> str:
    """Return what lets through the rows whose ``column`` points at a row of ``table`` that is let through."""
    return f"{SETTING} = 'all' OR EXISTS (SELECT 1 FROM {table} o WHERE o.id = {column})"


# Nobody but who reaches everything.
NO_AREA = f"{SETTING} = 'all'"


def current() -> str:
    return _reach.get()


def apply(reach: str) -> None:
    """Tell the database how far the present work reaches."""
    _reach.set(reach)
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        # Below Django's cursor: no part of what the page asks.
        connection.connection.execute("SELECT set_config('guyub.reach', %s, false)", [reach])


def on_connection(connection: Any, **_kwargs: Any) -> None:
    """Tell a new connection what the work that opened it reaches."""
    if connection.vendor == "postgresql":
        connection.connection.execute("SELECT set_config('guyub.reach', %s, false)", [current()])


@contextlib.contextmanager
def everything() -> Iterator[None]:
    """Reach every row within the block: to see whether a number is taken, or to count."""
    before = current()
    if before == ALL:
        yield
        return
    apply(ALL)
    try:
        yield
    finally:
        _reach.set(before)
        # In a transaction that failed nothing can be set; its rollback sets it back.
        with contextlib.suppress(psycopg.Error):
            apply(before)


class WallMiddleware:
    """Begins each request with no reach at all, whatever the connection's last request had."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if connection.vendor != "postgresql":
            return self.get_response(request)
        token = _reach.set(NOTHING)
        untold = True

        def at_first_query(
            execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]
        ) -> Any:
            nonlocal untold
            if untold:
                untold = False
                apply(current())
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(at_first_query):
                return self.get_response(request)
        finally:
            _reach.reset(token)


def build(schema_editor: Any, table: str, condition: str) -> None:
    """Put the wall's policy on a table (in a migration)."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        # What is written must lie within reach as well.
        schema_editor.execute(
            f"CREATE POLICY {POLICY} ON {table} USING ({condition}) WITH CHECK ({condition})"
        )


def take_down(schema_editor: Any, table: str) -> None:
    """Undo :func:`build`."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {table}")
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def policies(tables: Iterable[tuple[str, str]]) -> list[Operation]:
    """Return the operations of a migration that puts the wall on tables, or renews it there."""
    listed = list(tables)

    def up(_apps: Any, schema_editor: Any) -> None:
        for table, condition in listed:
            take_down(schema_editor, table)
            build(schema_editor, table, condition)

    def down(_apps: Any, schema_editor: Any) -> None:
        for table, _condition in listed:
            take_down(schema_editor, table)

    return [RunPython(up, down)]


def stands() -> bool:
    """Tell whether the policies bind the role that this connection signed in as."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_security_active('registry_household')")
        return bool(cursor.fetchone()[0])


def grant(role: str) -> None:
    """Let a database role use every table and sequence, those of later versions too.

    Called by the owner of the tables. The role must exist; the wall binds it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(%s), quote_ident(current_schema())", [role])
        name, schema = cursor.fetchone()
        for what, rights in (
            ("TABLES", "SELECT, INSERT, UPDATE, DELETE"),
            ("SEQUENCES", "USAGE, SELECT, UPDATE"),
        ):
            cursor.execute(f"GRANT {rights} ON ALL {what} IN SCHEMA {schema} TO {name}")
            cursor.execute(
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {rights} ON {what} TO {name}"
            )
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
