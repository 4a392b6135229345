"""Reading files as they really come."""

from __future__ import annotations

import datetime as dt

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from guyub.imports import reading
from guyub.imports.fields import normal, recognise
from guyub.imports.reading import UnreadableFileError, cell_text, find_headings, join_headings
from guyub.imports.values import BadValueError, parse_date, parse_desil, parse_rupiah, parse_yes

from .conftest import HEADINGS, MAN, csv_bytes


def staged(path, tmp_path, layout=None):
    import duckdb

    layout = layout or reading.look(path)
    target = tmp_path / "staged.parquet"
    reading.stage(path, layout, target, tmp_path, lambda *_a: None, 1000)
    return layout, duckdb.execute(f"SELECT * FROM '{target}' ORDER BY row_number").fetchall()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_and_encodings(tmp_path, delimiter, encoding):
    path = tmp_path / "a.csv"
    rows = [[*MAN[:2], "Café Siti", *MAN[3:]]]
    path.write_bytes(csv_bytes(rows, delimiter=delimiter).decode().encode(encoding))
    layout, found = staged(path, tmp_path)
    assert layout.headings == HEADINGS
    assert found[0][0] == 2
    assert found[0][4] == "Café Siti"


def test_titles_and_two_row_headings_are_understood(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.merge_range("A1:F1", "DAFTAR PENERIMA BANTUAN TAHUN 2026")
        page.write_row("A3", ["No", "NIK", "Nama"])
        page.merge_range("D3:F3", "Alamat")
        page.write_row("A4", ["", "", "", "Desa", "RT", "RW"])
        page.write_row("A5", [1, MAN[0], "Budi", "Cirahab", "1", "2"])
    layout, found = staged(path, tmp_path)
    assert layout.headings == ["No", "NIK", "Nama", "Alamat Desa", "Alamat RT", "Alamat RW"]
    assert layout.first_data_row == 5
    assert found[0][:1] + found[0][2:] == (5, "1", MAN[0], "Budi", "Cirahab", "1", "2")
    assert set(recognise(layout.headings).values()) >= {"nik", "name", "rt", "rw"}


def test_columns_under_an_unknown_heading_are_known_by_their_own(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row("A1", ["NIK", "Nama", "Desa", "Nomor HP"])
        page.merge_range("E1:G1", "Kondisi Rumah")
        page.write_row("A2", ["", "", "", "", "Lantai", "Atap", "Sejak"])
        page.write_row("A3", [MAN[0], "Budi", "Cirahab", "0812", "Tanah", "Genteng", "2020"])
    found = reading.recognised(reading.look(path))
    # Nothing stands over the phone number, so it is not taken for an asset.
    assert found == {"0": "nik", "1": "name", "2": "village_name", "4": "floor", "5": "roof"}


def test_a_cover_sheet_is_skipped(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Surat").write(0, 0, "Dengan hormat")
        page = book.add_worksheet("Data")
        page.write_row(0, 0, HEADINGS)
        page.write_row(1, 0, MAN)
    layout = reading.look(path)
    assert (layout.sheet, layout.sheets) == ("Data", ["Surat", "Data"])


def test_both_excel_readers_agree(tmp_path, monkeypatch):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        date = book.add_format({"num_format": "dd/mm/yyyy"})
        page.write_row(1, 1, ["NIK", "Nama", "Tgl Lahir", "Nilai", "Aktif"])
        page.write_row(2, 1, [3302011203850001, "Budi"])
        page.write_datetime(2, 3, dt.datetime(1985, 3, 12), date)
        page.write(2, 4, 1.5)
        page.write(2, 5, True)
    small = staged(path, tmp_path)
    monkeypatch.setattr(reading, "STREAM_SHEET_BYTES", 0)
    assert staged(path, tmp_path) == small
    assert small[1][0][2:] == (None, "#3302011203850001", "Budi", "1985-03-12", "1.5", "Ya")


def test_lines_that_do_not_split_are_kept_as_such(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("NIK,Nama,Desa\n1,a,b\n2,a,b,c,d\n3,a,b\n", encoding="utf-8")
    _layout, found = staged(path, tmp_path)
    assert [(row[0], row[1]) for row in found] == [(2, False), (3, True), (4, False)]


def test_too_many_rows_and_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("NIK,Nama\n" + "1,a\n" * 1200, encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"1\.000 baris"):
        staged(path, tmp_path)
    path.write_text(",".join(f"k{i}" for i in range(10_000)) + "\n1\n", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="kolom"):
        reading.look(path)


@given(st.lists(st.lists(st.text(max_size=12), max_size=6), min_size=1, max_size=12))
def test_finding_headings_never_fails_and_stays_within_the_file(head):
    start, height = find_headings(head)
    assert 0 <= start < len(head)
    assert start + height <= len(head)
    width = max(len(row) for row in head)
    assert len(join_headings(head[start : start + height], width)) == width


@given(st.dates(dt.date(1900, 1, 1), dt.date(2025, 12, 31)))
def test_dates_are_read_however_they_are_written(date):
    months = (
        "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
    )
    name = months.split()[date.month - 1]
    for text in (
        f"{date:%d/%m/%Y}", f"{date:%d-%m-%Y}", f"{date.day}.{date.month}.{date.year}", date.isoformat(),
        f"{date.day} {name} {date.year}", f"{date:%d}-{name[:3]}-{date.year}", f"{date.isoformat()} 00:00:00",
    ):  # fmt: skip
        assert parse_date(text) == date, text


@given(st.text(max_size=20))
def test_parsers_answer_or_refuse_but_never_break(text):
    for parse in (parse_date, parse_desil, parse_rupiah, parse_yes):
        try:
            parse(text)
        except BadValueError as error:
            assert error.cause


@given(st.integers(0, 1_999_999_999))
def test_rupiah_is_read_with_and_without_dots(amount):
    dotted = f"{amount:,}".replace(",", ".")
    assert (
        parse_rupiah(str(amount))
        == parse_rupiah(f"Rp {dotted},-")
        == parse_rupiah(dotted)
        == amount
    )


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates()))
def test_any_cell_becomes_text(value):
    assert isinstance(cell_text(value), str)


@given(st.text(max_size=30))
def test_normal_headings_are_stable(text):
    assert normal(normal(text)) == normal(text)
