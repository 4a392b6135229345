from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from guyub.areas.services import national_district_codes
from guyub.demo import places, population
from guyub.demo.population import SCHEMA, write_population
from guyub.registry import vocabulary as v

AS_OF = dt.date(2026, 1, 1)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    path = tmp_path_factory.mktemp("population") / "p.parquet"
    write_population(path, 3000, seed=5, as_of=AS_OF)
    return pq.read_table(path).to_pylist()


def in_nik(row: dict[str, Any]) -> tuple[int, int, int, bool]:
    """Day, month, two-digit year and whether it is a woman's, as the NIK says."""
    day, month, year = (int(row["nik"][at : at + 2]) for at in (6, 8, 10))
    return day - 40 * (day > 40), month, year, day > 40


def test_counts_are_those_of_the_file(tmp_path: Path) -> None:
    seen: list[int] = []
    counts = write_population(tmp_path / "p.parquet", 700, seed=1, progress=seen.append)
    rows = pq.read_table(tmp_path / "p.parquet").to_pylist()
    assert counts.households == 700 == sum(seen) == len({row["kk"] for row in rows})
    assert counts.people == len(rows)
    extreme = {row["kk"] for row in rows if row["extreme_poor"]}
    assert counts.extreme_households == len(extreme)


def test_file_has_the_flat_form(tmp_path: Path) -> None:
    write_population(tmp_path / "p.parquet", 5)
    assert pq.read_schema(tmp_path / "p.parquet").equals(SCHEMA)


@pytest.mark.parametrize("households", [0, -3])
def test_refuses_to_make_nobody(tmp_path: Path, households: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        write_population(tmp_path / "p.parquet", households)


def test_same_seed_gives_the_same_people(tmp_path: Path) -> None:
    tables = []
    for number, seed in enumerate((3, 3, 4)):
        write_population(tmp_path / f"{number}.parquet", 200, seed=seed)
        tables.append(pq.read_table(tmp_path / f"{number}.parquet"))
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_numbers_are_unique_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population, "CHUNK", 450)
    seen: list[int] = []
    counts = write_population(tmp_path / "p.parquet", 2000, progress=seen.append)
    rows = pq.read_table(tmp_path / "p.parquet").to_pylist()
    assert seen == [450, 450, 450, 450, 200]
    assert len({row["nik"] for row in rows}) == len(rows) == counts.people
    assert len({row["kk"] for row in rows}) == 2000


def test_nik_agrees_with_birth_date_and_sex(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        born = row["birth_date"]
        expected = (born.day, born.month, born.year % 100, row["sex"] == "F")
        assert in_nik(row) == expected
    assert {row["sex"] for row in rows} == {"M", "F"}


def test_nik_and_kk_are_well_formed(rows: list[dict[str, Any]]) -> None:
    districts = national_district_codes()
    for row in rows:
        for number in (row["nik"], row["kk"]):
            assert len(number) == 16
            assert number.isdigit()
            assert number[:6] in districts
            assert number[12:] != "0000"
        assert row["kk"][:6] == row["village"][:8].replace(".", "")
    assert len({row["nik"] for row in rows}) == len(rows)
    from_elsewhere = sum(not row["nik"].startswith("3302") for row in rows) / len(rows)
    assert 0.02 < from_elsewhere < 0.15


def test_every_household_is_one_block_with_one_head_first(rows: list[dict[str, Any]]) -> None:
    blocks: list[list[dict[str, Any]]] = []
    for row in rows:
        if not blocks or blocks[-1][0]["kk"] != row["kk"]:
            blocks.append([])
        blocks[-1].append(row)
    assert len(blocks) == 3000
    household_columns = SCHEMA.names[SCHEMA.get_field_index("kk") :]
    for members in blocks:
        assert members[0]["relation"] == "head"
        relations = Counter(member["relation"] for member in members)
        assert relations["head"] == 1
        assert relations["spouse"] <= 1
        for column in household_columns:
            assert len({member[column] for member in members}) == 1
    assert 2.8 < len(rows) / len(blocks) < 3.3


def test_ages_fit_relations(rows: list[dict[str, Any]]) -> None:
    heads = {row["kk"]: row for row in rows if row["relation"] == "head"}
    for row in rows:
        assert row["birth_date"] <= AS_OF
        head = heads[row["kk"]]
        years = (row["birth_date"] - head["birth_date"]).days / 365.25
        if row["relation"] == "head":
            assert (AS_OF - row["birth_date"]).days / 365.25 >= 18
        elif row["relation"] == "spouse":
            assert row["sex"] != head["sex"]
        elif row["relation"] == "child":
            assert years > 15
        elif row["relation"] == "grandchild":
            assert years > 35
        elif row["relation"] == "parent":
            assert years < -15
        if (AS_OF - row["birth_date"]).days < 12 * 365:
            assert row["schooling"] == "none"
            assert row["work"] in ("none", "student")


def test_coded_values_are_known(rows: list[dict[str, Any]]) -> None:
    vocabularies = {
        "relation": v.Relation, "disability": v.Disability, "work": v.Work,
        "schooling": v.Schooling, "health_insurance": v.HealthInsurance, "floor": v.Floor,
        "wall": v.Wall, "roof": v.Roof, "sanitation": v.Sanitation, "water": v.Water,
        "electricity": v.Electricity, "ownership": v.Ownership, "household_status": v.Status,
        "person_status": v.Status,
    }  # fmt: skip
    for row in rows:
        for column, choices in vocabularies.items():
            assert row[column] in choices.values, column
        codes = (row["assets"] or "").split(",") if row["assets"] else []
        assert codes == sorted(codes)
        assert set(codes) <= set(v.Asset.values)
        assert all(value != "" for value in row.values())


def test_the_poor_live_poorer(rows: list[dict[str, Any]]) -> None:
    heads = [row for row in rows if row["relation"] == "head"]
    poor = [row for row in heads if row["desil"] <= 2]
    rich = [row for row in heads if row["desil"] >= 9]
    assert {row["desil"] for row in heads} == set(range(1, 11))
    assert all(row["desil"] == 1 for row in heads if row["extreme_poor"])
    assert any(row["extreme_poor"] for row in heads)

    def share(group: list[dict[str, Any]], column: str, *values: str) -> float:
        return sum(row[column] in values for row in group) / len(group)

    assert share(poor, "floor", "earth", "bamboo") > 5 * share(rich, "floor", "earth", "bamboo")
    assert (
        share(poor, "health_insurance", "pbi_apbn")
        > 0.4
        > share(rich, "health_insurance", "pbi_apbn")
    )
    assert share(rich, "schooling", "degree") > share(poor, "schooling", "degree")
    assert sum("car" in (row["assets"] or "") for row in rich) > sum(
        "car" in (row["assets"] or "") for row in poor
    )
    spent = [row["expenditure"] for row in poor if row["expenditure"]]
    more = [row["expenditure"] for row in rich if row["expenditure"]]
    assert max(spent) < min(more)


def test_households_lie_in_villages_by_size(rows: list[dict[str, Any]]) -> None:
    villages = places.villages()
    assert len(villages.codes) == 331
    homes = Counter(row["village"] for row in rows if row["relation"] == "head")
    assert set(homes) <= set(villages.codes.tolist())
    for at, code in enumerate(villages.codes):
        assert abs(homes[code] - 3000 * villages.weight[at]) < 1
    by_district = Counter(row["village"][:8] for row in rows if row["relation"] == "head")
    assert len(by_district) == 27
    assert by_district["33.02.17"] == max(by_district.values())  # Cilongok
    assert by_district["33.02.09"] == min(by_district.values())  # Somagede


def test_known_places_lie_in_the_regency(rows: list[dict[str, Any]]) -> None:
    known = [row for row in rows if row["latitude"] is not None]
    assert 0.2 < len(known) / len(rows) < 0.6
    for row in known:
        assert places.SOUTH <= row["latitude"] <= places.NORTH
        assert places.WEST <= row["longitude"] <= places.EAST


def test_names_follow_the_generation(rows: list[dict[str, Any]]) -> None:
    def single(people: list[dict[str, Any]]) -> float:
        return sum(" " not in row["name"] for row in people) / len(people)

    old = [row for row in rows if row["birth_date"].year < 1960]
    young = [row for row in rows if row["birth_date"].year > 2000]
    assert single(old) > 0.6 > 0.2 > single(young)
    assert len({row["name"] for row in rows}) > len(rows) / 3
    for row in rows:
        assert row["name"] == " ".join(row["name"].split())
        assert len(set(row["name"].split())) == len(row["name"].split())
