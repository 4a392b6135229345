"""Records made ready for comparing: one Parquet file per side, with normalised names.

What is compared follows from these few columns (:func:`compared`). It is worked out only for the records
that no number settles, into files that every backend reads, so what DuckDB and Spark compare is the same
to the letter.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from guyub.imports.folder import atomic_parquet
from guyub.linking.whole_names import name_keys

# What a record must have, by DuckDB type; anything but ``id`` and ``name`` may be NULL.
RAW_COLUMNS = {
    "id": "BIGINT",
    "nik": "VARCHAR",
    "kk": "VARCHAR",
    "name": "VARCHAR",
    "birth_date": "DATE",
    "sex": "VARCHAR",
    "village": "VARCHAR",
}
# Days that stand for "some day of that year" where nobody knows the birthday.
VAGUE_DAYS = ("0101", "3112", "0107", "3006")


def prepare(duck: duckdb.DuckDBPyConnection, source: str, target: Path) -> int:
    """Write the records of ``source`` (a table or query with :data:`RAW_COLUMNS`) ready to compare.

    Numbers that are no sixteen digits become NULL: they identify nobody. Instead of the name as it was
    written there is ``name_key``, its words brought to one form, or NULL where it has none. Returns the
    number of records.
    """
    known = duck.sql(f"SELECT DISTINCT name FROM {source} WHERE name IS NOT NULL").to_arrow_table()
    names = known.column("name")
    keys = pa.array(name_keys(names.to_pylist()), pa.string())
    duck.register("known_names", pa.table({"name": names, "name_key": keys}))
    number = "CASE WHEN regexp_full_match({0}, '[1-9]\\d{{15}}') AND right({0}, 4) <> '0000' THEN {0} END"
    atomic_parquet(
        duck,
        f"""
        SELECT r.id AS unique_id, {number.format("r.nik")} AS nik, {number.format("r.kk")} AS kk,
            nullif(n.name_key, '') AS name_key, r.birth_date, r.sex, r.village
        FROM {source} r JOIN known_names n ON n.name = r.name
        """,
        target,
    )
    duck.unregister("known_names")
    (row,) = duck.execute(f"SELECT count(*) FROM '{target}'").fetchall()
    return int(row[0])


def compared(records: str) -> str:
    """Return SQL for everything that is compared of ``records``, a table of prepared ones, and for block keys."""
    vague = ", ".join(f"'{day}'" for day in VAGUE_DAYS)
    day = "strftime(birth_date, '%d')"
    month = "strftime(birth_date, '%m')"
    year = "strftime(birth_date, '%Y')"
    return f"""
        SELECT unique_id, nik, kk, name_key, array_to_string(list_sort(name_words), ' ') AS name_sorted,
            name_words, name_words[1] AS first_word, name_words[-1] AS last_word,
            left(name_key, 1) AS initial,
            {year} || {month} || {day} AS birth,
            CASE WHEN day(birth_date) <= 12 THEN {year} || {day} || {month} END AS birth_swapped,
            {year} AS birth_year,
            {year} || least({day}, {month}) || greatest({day}, {month}) AS birth_norm,
            {day} || {month} IN ({vague}) AS birth_vague,
            sex, village, left(village, 8) AS district,
            left(nik, 12) AS nik_head, right(nik, 10) AS nik_tail
        FROM (SELECT *, string_split(name_key, ' ') AS name_words FROM {records})
        """
