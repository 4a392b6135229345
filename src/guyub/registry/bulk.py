"""Moving rows between the registry's database and DuckDB in bulk, the same on both databases.

PostgreSQL speaks ``COPY``; SQLite takes batches of tuples. Callers open the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.db import connection, models

from guyub.registry.models import (
    AddressKey,
    AreaCount,
    Household,
    Listing,
    Person,
    PersonKey,
    SearchKey,
    SearchKeyVariant,
)
from guyub.registry.names import keys_of, variants_of

BATCH = 20_000
NULL = r"\N"


def lock_registry() -> None:
    """Keep others from writing households and people until the transaction ends.

    SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "LOCK TABLE registry_household, registry_person IN SHARE ROW EXCLUSIVE MODE"
            )


def next_id(model: type[models.Model]) -> int:
    """Return the first id after all that are taken. Call under :func:`lock_registry`."""
    return (model._default_manager.aggregate(top=models.Max("pk"))["top"] or 0) + 1


def settle_sequence(model: type[models.Model]) -> None:
    """Tell PostgreSQL's sequence about ids that were given by hand."""
    if connection.vendor == "postgresql":
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "
                f"GREATEST((SELECT COALESCE(MAX(id), 1) FROM {table}), 1))"
            )


def register_rows(
    connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, tuple[Any, list[Any]]]
) -> None:
    """Make a DuckDB table of Python lists: ``{column: (arrow type, values)}``."""
    table = pa.table(
        {column: pa.array(values, type=kind) for column, (kind, values) in columns.items()}
    )
    connection.register("incoming_rows", table)
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming_rows")
    connection.unregister("incoming_rows")


def pull(
    duck: duckdb.DuckDBPyConnection,
    name: str,
    query: str,
    columns: dict[str, str],
    work: Path,
) -> None:
    """Make the DuckDB table ``name`` of a database query's rows; ``columns`` gives DuckDB types."""
    typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    duck.execute(f"CREATE OR REPLACE TABLE {name} ({typed})")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            path = work / f"{name}.csv"
            with (
                path.open("wb") as file,
                cursor.cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv, NULL '{NULL}')") as copy,
            ):
                for block in copy:
                    file.write(block)
            if path.stat().st_size:
                given = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
                duck.execute(
                    f"INSERT INTO {name} SELECT * FROM read_csv('{path}', header=false, "
                    f"auto_detect=false, delim=',', quote='\"', escape='\"', nullstr='{NULL}', "
                    f"columns={{{given}}})"
                )
            path.unlink()
            return
        cursor.execute(query)
        cast = ", ".join(
            f"CAST({column} AS {kind}) AS {column}" for column, kind in columns.items()
        )
        while batch := cursor.fetchmany(BATCH):
            table = pa.table(
                {
                    column: _arrow(values)
                    for column, values in zip(columns, zip(*batch, strict=True), strict=True)
                }
            )
            duck.register("pulled", table)
            duck.execute(f"INSERT INTO {name} SELECT {cast} FROM pulled")
            duck.unregister("pulled")


def _arrow(values: Iterable[Any]) -> pa.Array:
    listed = list(values)
    first = next((value for value in listed if value is not None), None)
    if first is None or isinstance(first, int | float | str):
        return pa.array(listed)
    return pa.array([None if value is None else str(value) for value in listed])


def push(
    duck: duckdb.DuckDBPyConnection,
    table: str,
    query: str,
    work: Path,
    tick: Callable[[int], None] = lambda rows: None,
    same: Mapping[str, str | int] | None = None,
) -> int:
    """Insert the rows of a DuckDB query into a database table; return how many.

    The query's column names are the table's. ``same`` gives the columns that have one value in every
    row: SQLite reads it once. ``tick`` hears how many rows went in.
    """
    literals = {name: _literal(value) for name, value in (same or {}).items()}
    if connection.vendor == "postgresql" and literals:
        added = ", ".join(f"{literal} AS {name}" for name, literal in literals.items())
        query, literals = f"SELECT *, {added} FROM ({query})", {}
    described = duck.execute(f"DESCRIBE {query}").fetchall()
    names = [row[0] for row in described]
    quoted = [f'"{name}"' for name in [*names, *literals]]
    target = f"{table} ({', '.join(quoted)})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            path = work / f"push_{table}.csv"
            copied = duck.execute(
                f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER false, NULLSTR '{NULL}')"
            ).fetchall()
            with (
                path.open("rb") as file,
                cursor.cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv, NULL '{NULL}')") as copy,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
                    tick(0)
            path.unlink()
            count = int(copied[0][0])
            tick(count)
            return count
        plain = ", ".join(_sqlite_value(name, kind) for name, kind, *_rest in described)
        marks = ", ".join(["?"] * len(names) + list(literals.values()))
        # Below Django's cursor, whose parameter rewriting would cost more than the insert.
        raw = connection.connection
        insert = f"INSERT INTO {target} VALUES ({marks})"
        rows = duck.cursor().execute(f"SELECT {plain} FROM ({query})")
        count = 0
        while batch := rows.fetchmany(BATCH):
            raw.executemany(insert, batch)
            count += len(batch)
            tick(len(batch))
        return count


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _sqlite_value(name: str, kind: str) -> str:
    if kind == "BOOLEAN":
        return f'CAST("{name}" AS INTEGER)'
    if kind.startswith(("DATE", "TIMESTAMP")):
        return f'CAST("{name}" AS VARCHAR)'
    return f'"{name}"'


def amend(duck: duckdb.DuckDBPyConnection, table: str, query: str, work: Path) -> int:
    """Update database rows from a DuckDB query of ``id`` and new column values; return how many."""
    described = duck.execute(f"DESCRIBE {query}").fetchall()
    names = [row[0] for row in described]
    count = int(duck.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0])
    if not count:
        return 0
    temporary = f"amend_{table}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {temporary}")
        cursor.execute(
            f"CREATE TEMPORARY TABLE {temporary} AS SELECT {', '.join(names)} FROM {table} WHERE 1 = 0"
        )
        push(duck, temporary, query, work)
        cursor.execute(f"CREATE INDEX {temporary}_id ON {temporary} (id)")
        sets = ", ".join(f"{name} = t.{name}" for name in names if name != "id")
        cursor.execute(f"UPDATE {table} SET {sets} FROM {temporary} t WHERE t.id = {table}.id")
        cursor.execute(f"DROP TABLE {temporary}")
    return count


def hold_ids(duck: duckdb.DuckDBPyConnection, name: str, query: str, work: Path) -> None:
    """Make a temporary database table ``name`` with the ``id`` column of a DuckDB query."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"CREATE TEMPORARY TABLE {name} (id bigint PRIMARY KEY)")
    push(duck, name, query, work)


def drop_held(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")


def refresh_statistics() -> None:
    """Let the database look at its tables anew, so that it picks the right index after a large load."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA analysis_limit = 1000")
            cursor.execute("ANALYZE")
            return
        for model in (Household, Person, PersonKey, AddressKey, Listing):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


# Counts


def recount_areas(village_ids: Iterable[int] | None = None) -> None:
    """Recount :class:`AreaCount` for the given villages, or for all."""
    where, ids = "", ""
    if village_ids is not None:
        numbers = sorted({int(number) for number in village_ids})
        if not numbers:
            return
        ids = ", ".join(str(number) for number in numbers)
        where = f"AND village_id IN ({ids})"
        AreaCount.objects.filter(village_id__in=numbers).delete()
    else:
        AreaCount.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO registry_areacount "
            "(village_id, district_id, desil, households, people, extreme_households) "
            "SELECT village_id, district_id, COALESCE(desil, 0), COUNT(*), "
            "COALESCE(SUM(member_count), 0), SUM(CASE WHEN extreme_poor THEN 1 ELSE 0 END) "
            f"FROM registry_household WHERE status = 'active' {where} "
            "GROUP BY village_id, district_id, COALESCE(desil, 0)"
        )


def refresh_households(held: str) -> None:
    """Set member count and head's name of the households whose ids are in the table ``held``."""
    members = "FROM registry_person p WHERE p.household_id = registry_household.id"
    # The head is whoever is one, else the member first recorded; the living before others.
    head = (
        f"SELECT p.name {members} ORDER BY CASE WHEN p.status = 'active' THEN 0 ELSE 1 END, "
        "CASE WHEN p.relation = 'head' THEN 0 ELSE 1 END, p.id LIMIT 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE registry_household SET member_count = (SELECT COUNT(*) {members} "
            f"AND p.status = 'active'), head_name = COALESCE(({head}), '') "
            f"WHERE id IN (SELECT id FROM {held})"
        )


# Search keys

WORD = "[^A-Z0-9]+"


def index_people(duck: duckdb.DuckDBPyConnection, query: str, work: Path) -> None:
    """Add search keys for people: ``query`` gives ``person_id``, ``village_id`` and ``name``."""
    _index(duck, query, "person_id", "name", PersonKey._meta.db_table, work)


def index_addresses(duck: duckdb.DuckDBPyConnection, query: str, work: Path) -> None:
    """Add search keys for addresses: ``household_id``, ``village_id`` and ``address``."""
    _index(duck, query, "household_id", "address", AddressKey._meta.db_table, work)


def _index(
    duck: duckdb.DuckDBPyConnection, query: str, owner: str, text: str, table: str, work: Path
) -> None:
    duck.execute(
        f"CREATE OR REPLACE TABLE words AS SELECT DISTINCT {owner}, village_id, "
        f"unnest(string_split_regex(upper(strip_accents({text})), '{WORD}')) AS word FROM ({query})"
    )
    distinct = [
        row[0]
        for row in duck.execute("SELECT DISTINCT word FROM words WHERE word <> ''").fetchall()
    ]
    pairs = [(word, key) for word in distinct for key in keys_of(word)]
    learn_keys({key for _word, key in pairs})
    register_rows(
        duck,
        "mapped_words",
        {
            "word": (pa.string(), [word for word, _key in pairs]),
            "key": (pa.string(), [key for _word, key in pairs]),
        },
    )
    push(
        duck,
        table,
        # In the order of the table's one index, which then grows at its ends alone.
        f"SELECT DISTINCT m.key AS key, w.village_id AS village_id, w.{owner} AS {owner} "
        "FROM words w JOIN mapped_words m ON m.word = w.word ORDER BY ALL",
        work,
    )
    duck.execute("DROP TABLE words; DROP TABLE mapped_words")


def learn_keys(keys: set[str]) -> None:
    """Add keys to the search vocabulary, with the variants by which a slip is forgiven."""
    known = (
        set(SearchKey.objects.values_list("key", flat=True))
        if len(keys) > 500
        else set(SearchKey.objects.filter(key__in=keys).values_list("key", flat=True))
    )
    new = sorted(keys - known)
    SearchKey.objects.bulk_create(
        [SearchKey(key=key) for key in new], ignore_conflicts=True, batch_size=5000
    )
    SearchKeyVariant.objects.bulk_create(
        [SearchKeyVariant(variant=variant, key=key) for key in new for variant in variants_of(key)],
        ignore_conflicts=True,
        batch_size=5000,
    )
