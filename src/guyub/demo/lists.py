"""Lists drawn from one synthetic population: earlier states of the reference, and agencies' own.

Each list is one pass of DuckDB over the population's Parquet file. What differs from list to list
is decided by a hash of the family card number, so that all rows of a household agree.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb

from guyub.registry.flat import FLAT_COLUMNS, HOUSEHOLD_COLUMNS

MEMORY_LIMIT = "1GB"


def write_reference(population: Path, path: Path, as_of: dt.date, age: int, seed: int) -> None:
    """Write the reference list as it stood ``age`` versions ago (0: the newest).

    Further back, families were a little poorer and their houses worse; some have come and gone
    since, some people lived with other families, and the youngest were not born.
    """
    _write(population, path, seed, _with_movers(age), _reference(as_of, age))


def write_p3ke(population: Path, path: Path, as_of: dt.date, seed: int) -> None:
    """Write the list of the poorest three tenths, with ranks that the reference has since revised."""
    rank = "greatest(1, least(3, desil + CASE WHEN chance(kk, 'p3ke rank') < 60 THEN 1 WHEN "
    rank += "chance(kk, 'p3ke rank') < 120 THEN -1 ELSE 0 END))::TINYINT"
    values = {
        "desil": rank,
        "extreme_poor": f"({rank} = 1 AND (extreme_poor OR chance(kk, 'p3ke extreme') < 60))",
        "address": "CASE WHEN chance(kk, 'p3ke address') < 80 THEN replace(address, 'Jl.', 'Jalan') "
        "ELSE address END",
        "floor": _worse("floor", {"cement": "earth"}, 40, "p3ke floor"),
        "expenditure": "NULL",
        "latitude": "NULL",
        "longitude": "NULL",
        "household_status": "'active'",
        "person_status": "'active'",
    }
    where = f"desil <= 3 AND chance(kk, 'p3ke') < 720 AND birth_date <= DATE '{as_of}'"
    _write(population, path, seed, "population", _select(values, where))


def write_uninhabitable_houses(population: Path, path: Path, seed: int) -> None:
    """Write the list of houses unfit to live in: one row a house, its head's, seen on the spot."""
    keep = (
        "nik name sex relation kk village address hamlet rt rw floor wall roof sanitation water "
        "electricity ownership latitude longitude"
    )
    bad = (
        "(floor IN ('earth', 'bamboo'))::INT + (wall IN ('bamboo', 'wood', 'plastered_bamboo'))::INT"
        " + (roof IN ('asbestos', 'zinc', 'thatch'))::INT + (sanitation = 'none')::INT"
    )
    values = {
        # Some floors have been cemented, some roofs renewed since the census came by.
        "floor": "CASE WHEN floor = 'earth' AND chance(kk, 'rtlh floor') < 180 THEN 'cement' "
        "ELSE floor END",
        "roof": "CASE WHEN roof IN ('asbestos', 'thatch') AND chance(kk, 'rtlh roof') < 120 THEN 'tile'"
        " ELSE roof END",
        "sanitation": _worse("sanitation", {"own": "shared"}, 60, "rtlh latrine"),
    }
    where = (
        f"relation = 'head' AND household_status = 'active' AND desil <= 5 AND ({bad}) >= 2 "
        "AND chance(kk, 'rtlh') < 850"
    )
    _write(population, path, seed, "population", _select(values, where, keep.split()))


def write_stunted_children(population: Path, path: Path, as_of: dt.date, seed: int) -> None:
    """Write the list of children under five who are too short for their age."""
    keep = "nik name sex birth_date relation kk village address hamlet rt rw"
    where = (
        f"birth_date > DATE '{as_of}' - INTERVAL 5 YEAR AND birth_date <= DATE '{as_of}' "
        "AND person_status = 'active' AND chance(nik, 'stunting') < 260 - 24 * desil::INTEGER"
    )
    _write(population, path, seed, "population", _select({}, where, keep.split()))


def write_insured_by_regency(population: Path, path: Path, seed: int) -> None:
    """Write the list of people whose health insurance the regency pays."""
    keep = "nik name sex birth_date relation kk village health_insurance"
    values = {"health_insurance": "'pbi_apbd'"}
    where = (
        "person_status = 'active' AND ((health_insurance = 'pbi_apbd' AND chance(kk, 'pbi') < 900) "
        "OR (health_insurance = 'none' AND desil <= 4 AND chance(kk, 'pbi') < 250))"
    )
    _write(population, path, seed, "population", _select(values, where, keep.split()))


def _reference(as_of: dt.date, age: int) -> str:
    rank = "desil"
    for version in range(1, age + 1):
        chance = f"chance(kk, 'rank {version}')"
        rank = (
            f"greatest(1, least(10, {rank} + CASE WHEN {chance} < 62 THEN -1 "
            f"WHEN {chance} < 78 THEN -2 WHEN {chance} < 104 THEN 1 ELSE 0 END))"
        )
    values = {
        "desil": f"({rank})::TINYINT",
        "extreme_poor": f"({rank}) = 1 AND (extreme_poor OR chance(kk, 'extreme') < {30 * age})",
    }
    where = [f"birth_date <= DATE '{as_of}'"]
    if age:
        values |= {
            "expenditure": f"CASE WHEN chance(kk, 'spent') < {120 * age} THEN "
            f"(expenditure * {1 - 0.04 * age})::INTEGER // 1000 * 1000 ELSE expenditure END",
            "floor": _worse("floor", {"cement": "earth", "ceramic": "cement"}, 9 * age, "floor"),
            "sanitation": _worse("sanitation", {"own": "none"}, 10 * age, "latrine"),
            "electricity": _worse("electricity", {"pln_900": "pln_450"}, 10 * age, "power"),
            "work": "CASE WHEN work = 'employee' AND chance(nik, 'work') < 30 THEN 'labour' "
            "WHEN work = 'trade' AND chance(nik, 'work') < 20 THEN 'none' ELSE work END",
            "household_status": "'active'",
            "person_status": f"CASE WHEN chance(nik, 'died') < {450 * age} THEN 'active' "
            "ELSE person_status END",
        }
        where.append(f"chance(kk, 'came') >= {11 * age}")
    # Whoever came lately has not left: every household is on one of the lists.
    where.append(f"NOT (chance(kk, 'left') < {[24, 12, 0][age]} AND chance(kk, 'came') >= 22)")
    return _select(values, " AND ".join(where))


def _with_movers(age: int) -> str:
    """Return the rows to start from; further back some kin are still with another family nearby."""
    if not age:
        return "population"
    moved = ", ".join(
        f"CASE WHEN host.kk IS NULL THEN population.{name} ELSE host.{name} END AS {name}"
        for name in HOUSEHOLD_COLUMNS
    )
    return f"""(
        WITH host AS (
            SELECT *, row_number() OVER (PARTITION BY village ORDER BY kk) AS place,
                count(*) OVER (PARTITION BY village) AS places
            FROM population WHERE relation = 'head'
        ), mover AS (
            SELECT person.nik, host.* EXCLUDE (nik) FROM population AS person JOIN host USING (village)
            WHERE person.relation IN ('other_kin', 'parent') AND person.kk <> host.kk
                AND chance(person.nik, 'mover') < 60
                AND host.place = 1 + chance(person.nik, 'host') % host.places
        )
        SELECT population.* EXCLUDE ({", ".join(HOUSEHOLD_COLUMNS)}, relation),
            CASE WHEN host.kk IS NULL THEN population.relation ELSE 'other_kin' END AS relation,
            {moved}
        FROM population LEFT JOIN mover AS host USING (nik)
    )"""  # noqa: S608


def _worse(column: str, changes: dict[str, str], per_thousand: int, topic: str) -> str:
    cases = " ".join(
        f"WHEN {column} = '{better}' AND chance(kk, '{topic}') < {per_thousand} THEN '{worse}'"
        for better, worse in changes.items()
    )
    return f"CASE {cases} ELSE {column} END"


def _select(values: dict[str, str], where: str, keep: list[str] | None = None) -> str:
    columns = ", ".join(
        f"{values.get(name, name) if keep is None or name in keep else 'NULL'}::{kind} AS {name}"
        for name, kind in FLAT_COLUMNS.items()
    )
    return f"SELECT {columns} FROM {{source}} AS source WHERE {where}"  # noqa: S608


def _write(population: Path, path: Path, seed: int, source: str, select: str) -> None:
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        # A number below a thousand that belongs to a household or person and a topic.
        connection.execute(
            f"CREATE MACRO chance(number, topic) AS hash(number || topic || '{int(seed)}') % 1000"
        )
        connection.read_parquet(str(population)).create_view("population")
        rows = connection.sql(select.replace("{source}", source))
        rows.write_parquet(str(path), compression="zstd")
