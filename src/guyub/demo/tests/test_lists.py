from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from guyub.demo import lists
from guyub.demo.population import SCHEMA, write_population

NOW, HALF, YEAR = dt.date(2026, 1, 1), dt.date(2025, 7, 1), dt.date(2025, 1, 1)
Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "population.parquet"
    write_population(path, 4000, seed=2, as_of=NOW)
    return path


@pytest.fixture(scope="module")
def listed(population: Path) -> Callable[..., Rows]:
    """Write a list and return its rows by NIK: ``listed(lists.write_p3ke, date, 1)``."""

    def read(write: Callable[..., None], *values: Any) -> Rows:
        path = population.with_name("list.parquet")
        write(population, path, *values)
        table = pq.read_table(path)
        assert (table.schema.names, table.schema.types) == (SCHEMA.names, SCHEMA.types)
        rows = {row["nik"]: row for row in table.to_pylist()}
        assert len(rows) == table.num_rows, "a NIK stands on a list once"
        return rows

    return read


@pytest.fixture(scope="module")
def references(listed: Callable[..., Rows]) -> list[Rows]:
    return [
        listed(lists.write_reference, as_of, age, 1) for age, as_of in enumerate((NOW, HALF, YEAR))
    ]


def families(rows: Rows) -> set[str]:
    return {row["kk"] for row in rows.values()}


def test_every_family_is_on_some_reference_list(population: Path, references: list[Rows]) -> None:
    everybody = set(pq.read_table(population, columns=["kk"])["kk"].to_pylist())
    assert set.union(*(families(rows) for rows in references)) == everybody


def test_reference_changes_from_version_to_version(references: list[Rows]) -> None:
    for newer, older in itertools.pairwise(references):
        assert families(newer) - families(older), "some came"
        assert families(older) - families(newer), "some left"
        both = newer.keys() & older.keys()
        changed = {nik for nik in both if newer[nik]["desil"] != older[nik]["desil"]}
        assert 0.03 < len(changed) / len(both) < 0.2
    assert all(row["birth_date"] <= YEAR for row in references[2].values())
    assert any(row["birth_date"] > YEAR for row in references[0].values())


def test_poverty_has_gone_down(references: list[Rows]) -> None:
    shares = [sum(row["desil"] <= 2 for row in rows.values()) / len(rows) for rows in references]
    assert shares[0] < shares[1] < shares[2]


def test_rows_of_a_family_agree_on_each_list(references: list[Rows]) -> None:
    household_columns = SCHEMA.names[SCHEMA.get_field_index("kk") :]
    for rows in references:
        first: Rows = {}
        for row in rows.values():
            known = first.setdefault(row["kk"], row)
            assert [row[c] for c in household_columns] == [known[c] for c in household_columns]
            assert row["desil"] == 1 or not row["extreme_poor"]


def test_some_people_lived_with_another_family(references: list[Rows]) -> None:
    now, before = references[0], references[1]
    movers = [nik for nik in now.keys() & before.keys() if now[nik]["kk"] != before[nik]["kk"]]
    assert movers
    for nik in movers:
        assert before[nik]["village"] == now[nik]["village"]
        assert before[nik]["relation"] == "other_kin"


def test_same_seed_gives_the_same_list(population: Path, tmp_path: Path) -> None:
    tables = []
    for seed in (1, 1, 2):
        lists.write_reference(population, tmp_path / "list.parquet", HALF, 1, seed)
        tables.append(pq.read_table(tmp_path / "list.parquet").sort_by("nik"))
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_p3ke_lists_the_poorest_and_partly_disagrees(
    listed: Callable[..., Rows], references: list[Rows]
) -> None:
    rows = listed(lists.write_p3ke, dt.date(2024, 6, 30), 1)
    assert 0.1 < len(rows) / len(references[0]) < 0.4
    assert {row["desil"] for row in rows.values()} == {1, 2, 3}
    both = rows.keys() & references[2].keys()
    assert any(rows[nik]["desil"] != references[2][nik]["desil"] for nik in both)
    assert any(rows[nik]["address"].startswith("Jalan") for nik in both if rows[nik]["address"])


def test_houses_are_bad_and_listed_once(
    listed: Callable[..., Rows], references: list[Rows]
) -> None:
    rows = listed(lists.write_uninhabitable_houses, 1)
    assert rows
    assert len(families(rows)) == len(rows)
    assert {row["relation"] for row in rows.values()} == {"head"}
    assert all(row["desil"] is None and row["birth_date"] is None for row in rows.values())
    both = rows.keys() & references[0].keys()
    assert any(rows[nik]["floor"] != references[0][nik]["floor"] for nik in both)


def test_stunted_children_are_under_five(listed: Callable[..., Rows]) -> None:
    rows = listed(lists.write_stunted_children, NOW, 1)
    assert rows
    assert all(row["birth_date"] > dt.date(2021, 1, 1) for row in rows.values())


def test_insured_by_the_regency(listed: Callable[..., Rows], references: list[Rows]) -> None:
    rows = listed(lists.write_insured_by_regency, 1)
    assert {row["health_insurance"] for row in rows.values()} == {"pbi_apbd"}
    known = [references[0][nik]["health_insurance"] for nik in rows.keys() & references[0].keys()]
    assert "none" in known, "some of them are not insured by the reference's account"
