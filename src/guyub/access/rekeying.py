"""Sealing anew what lies in the database: numbers from before sealing, or under an earlier key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from guyub.access.sealed_fields import SEALED_FIELDS
from guyub.access.sealing import present_key, reseal, ring

BATCH = 5_000


def sealed_columns() -> Iterator[tuple[str, str]]:
    """Yield (table, column) of every field that holds sealed numbers or answers."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            if isinstance(field, SEALED_FIELDS) and field.column:
                yield model._meta.db_table, field.column


def reseal_column(
    table: str, column: str, where: str = "1 = 1", tick: Callable[[int], None] = lambda rows: None
) -> int:
    """Seal a column with the present key, row by row as needed; return how many rows changed.

    Each batch is a transaction, so that a run that was broken off goes on where it stopped. ``where``
    is SQL that narrows the rows.
    """
    changed, last = 0, -1
    # A letter of the key's name may be "_", which LIKE would take for any letter.
    start = present_key().start
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id, {column} FROM {table} WHERE id > %s AND {column} <> '' "
                f"AND substr({column}, 1, 3) <> %s AND {where} ORDER BY id LIMIT {BATCH}",
                [last, start],
            )
            rows = cursor.fetchall()
            if not rows:
                return changed
            last = rows[-1][0]
            _write(cursor, table, column, [(reseal(text), key) for key, text in rows])
        changed += len(rows)
        tick(changed)


def _write(cursor: Any, table: str, column: str, rows: list[tuple[str, int]]) -> None:
    if connection.vendor == "postgresql":
        cursor.execute(
            f"UPDATE {table} t SET {column} = n.text "
            "FROM unnest(%s::text[], %s::bigint[]) AS n(text, id) WHERE t.id = n.id",
            [[text for text, _key in rows], [key for _text, key in rows]],
        )
        return
    cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE id = %s", rows)


def unreadable_columns() -> list[str]:
    """Return the sealed columns whose first or last number no known key opens, as ``table.column``."""
    found, names = [], connection.introspection.table_names()
    for table, column in sealed_columns():
        if table not in names:
            continue
        with connection.cursor() as cursor:
            for order in ("", "DESC"):
                cursor.execute(
                    f"SELECT {column} FROM {table} WHERE {column} <> '' ORDER BY id {order} LIMIT 1"
                )
                row = cursor.fetchone()
                if row and row[0].startswith("s") and row[0][1:3] not in ring():
                    found.append(f"{table}.{column}")
                    break
    return found
