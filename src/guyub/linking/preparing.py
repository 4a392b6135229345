"""Records made ready for comparing: one Parquet file per side, with normalised names and block keys.

The same file is read by every backend, so what DuckDB and Spark compare is the same to the letter.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from guyub.imports.folder import atomic_parquet
from guyub.linking.whole_names import name_words
from guyub.registry.bulk import register_rows

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


def prepare(
    duck: duckdb.DuckDBPyConnection, source: str, target: Path, display: bool = True
) -> int:
    """Write the records of ``source`` (a table or query with :data:`RAW_COLUMNS`) ready to compare.

    Numbers that are no sixteen digits become NULL: they identify nobody. ``display`` keeps the name as
    it was written beside the normalised one. Returns the number of records.
    """
    duck.execute(f"CREATE OR REPLACE TEMP TABLE raw_records AS SELECT * FROM {source}")
    names = [
        row[0]
        for row in duck.execute(
            "SELECT DISTINCT name FROM raw_records WHERE name IS NOT NULL"
        ).fetchall()
    ]
    words = [name_words(name) for name in names]
    register_rows(
        duck,
        "known_names",
        {
            "name": (pa.string(), names),
            "name_key": (pa.string(), [" ".join(keys) for keys in words]),
            "name_words": (pa.list_(pa.string()), words),
        },
    )
    number = "CASE WHEN regexp_full_match({0}, '[1-9]\\d{{15}}') AND right({0}, 4) <> '0000' THEN {0} END"
    vague = ", ".join(f"'{day}'" for day in VAGUE_DAYS)
    shown = "r.name AS name, " if display else ""
    day = "strftime(r.birth_date, '%d')"
    month = "strftime(r.birth_date, '%m')"
    year = "strftime(r.birth_date, '%Y')"
    atomic_parquet(
        duck,
        f"""
        SELECT r.id AS unique_id, {shown}
            {number.format("r.nik")} AS nik, {number.format("r.kk")} AS kk,
            nullif(n.name_key, '') AS name_key,
            nullif(array_to_string(list_sort(n.name_words), ' '), '') AS name_sorted,
            CASE WHEN len(n.name_words) > 0 THEN n.name_words END AS name_words,
            n.name_words[1] AS first_word, n.name_words[-1] AS last_word,
            left(n.name_words[1], 1) AS initial,
            {year} || {month} || {day} AS birth,
            CASE WHEN day(r.birth_date) <= 12 THEN {year} || {day} || {month} END AS birth_swapped,
            {year} AS birth_year,
            {year} || least({day}, {month}) || greatest({day}, {month}) AS birth_norm,
            {day} || {month} IN ({vague}) AS birth_vague,
            r.sex AS sex, r.village AS village, left(r.village, 8) AS district,
            left({number.format("r.nik")}, 12) AS nik_head,
            right({number.format("r.nik")}, 10) AS nik_tail
        FROM raw_records r LEFT JOIN known_names n ON n.name = r.name
        WHERE n.name_key IS NOT NULL
        """,
        target,
    )
    duck.execute("DROP TABLE raw_records; DROP TABLE known_names")
    (row,) = duck.execute(f"SELECT count(*) FROM '{target}'").fetchall()
    return int(row[0])
