from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import python_calamine

from guyub.demo import files
from guyub.demo.lists import write_reference
from guyub.demo.population import write_population
from guyub.imports import reading
from guyub.imports.fields import recognise


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    write_population(folder / "population.parquet", 5000, seed=1)
    write_reference(
        folder / "population.parquet", folder / "newest.parquet", dt.date(2026, 1, 1), 0, 1
    )
    return folder / "newest.parquet"


@pytest.fixture(scope="module")
def folder(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("samples") / "contoh"
    paths = files.write_sample_files(target, reference)
    assert [path.name for path in paths] == [sample.name for sample in files.SAMPLE_FILES]
    return target


@pytest.fixture(scope="module")
def known(reference: Path) -> dict[str, dict[str, Any]]:
    return {row["nik"]: row for row in pq.read_table(reference).to_pylist()}


def sheet(path: Path, name: str) -> list[list[Any]]:
    return python_calamine.load_workbook(str(path)).get_sheet_by_name(name).to_python(
        skip_empty_area=False
    )  # fmt: skip


def test_dtks_is_recognised_and_overlaps_partly(
    folder: Path, known: dict[str, dict[str, Any]]
) -> None:
    path = folder / files.DTKS.name
    fields = set(recognise(reading.look(path).headings).values())
    assert fields >= {"nik", "kk", "name", "sex", "birth_date", "village_name", "relation", "rt"}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    registered = [row for row in rows if row["NIK"] in known]
    assert 0.8 < len(registered) / len(rows) < 1
    assert any("JALAN" in row["ALAMAT"] for row in registered)
    assert {row["NAMA_KECAMATAN"] for row in rows} == {"CILONGOK"}


def test_p3ke_is_recognised_and_differs_partly(
    folder: Path, known: dict[str, dict[str, Any]]
) -> None:
    path = folder / files.P3KE.name
    fields = set(recognise(reading.look(path).headings).values())
    assert fields >= {"nik", "kk", "village_code", "desil", "extreme_poor", "floor", "sanitation"}
    headings, *rows = sheet(path, "P3KE")
    listed = [dict(zip(headings, row, strict=True)) for row in rows]
    differing = [
        row
        for row in listed
        if row["NIK"] in known and int(row["Desil Kesejahteraan"]) != known[row["NIK"]]["desil"]
    ]
    assert 0 < len(differing) < len(listed) / 2
    assert any(row["NIK"] not in known for row in listed)


def test_agency_list_has_a_title_and_headings_in_two_rows(folder: Path) -> None:
    layout = reading.look(folder / files.HOUSES.name)
    assert layout.sheet == "Usulan RTLH", "not the cover letter"
    assert layout.first_data_row == 6
    assert layout.headings[6:9] == ["Alamat Dusun", "Alamat RT", "Alamat RW"]
    assert {"nik", "name", "birth_date", "rt"} <= set(recognise(layout.headings).values())


def test_agency_list_contains_its_faults(folder: Path) -> None:
    rows = sheet(folder / files.HOUSES.name, "Usulan RTLH")[5:]
    niks = [row[2] for row in rows]
    dates = [row[5] for row in rows]
    at = {fault: number for number, fault in files.FAULTS.items()}
    assert "E+15" in niks[at["nik in scientific notation"]]
    assert len(niks[at["nik of 15 digits"]]) == 15
    assert niks[at["the same nik as an earlier row"]] in niks[:24]
    assert niks[at["no nik"]] == ""
    assert dates[at["impossible date"]] == "31 Februari 1980"
    assert rows[at["unknown village"]][9] == "Karangentah"
    wrong_date = at["birth date that disagrees with the nik"]
    assert not dates[wrong_date].endswith(niks[wrong_date][10:12])
    wrong_sex = at["sex that disagrees with the nik"]
    assert (int(niks[wrong_sex][6:8]) > 40) != (rows[wrong_sex][4] == "P")
    assert rows[at["unknown answer"]][11] == "Lumayan"
    assert any(isinstance(date, dt.date) for date in dates)
    assert any("Agustus" in str(date) for date in dates)
    assert len(rows) > 60


def test_numeric_nik_is_numeric_and_has_lost_its_last_digit(folder: Path) -> None:
    rows = sheet(folder / files.LATRINES.name, "Penerima")[1:]
    assert len(rows) == 40
    for row in rows:
        assert isinstance(row[0], float)
        assert row[0] > 1e15
        assert int(row[0]) % 10 == 0


def test_a_note_tells_what_each_file_shows(folder: Path) -> None:
    note = (folder / "BACA-SAYA.txt").read_text(encoding="utf-8")
    for sample in files.SAMPLE_FILES:
        assert sample.name in note
