from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from docx import Document as Word
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from guyub.documents.paper import (
    COUNT,
    PERCENT,
    RUPIAH,
    Chapter,
    Column,
    Drawing,
    Paper,
    Part,
    Source,
    Table,
    with_sum,
    written,
)
from guyub.documents.typeset import paper_pdf
from guyub.documents.word import paper_docx
from guyub.documents.workbook import paper_xlsx
from guyub.ui.charts import bars


def paper(text: str = "Paragraf.", long: bool = True, name: str = "Lumbir") -> Paper:
    rows = with_sum([[name, 1234, 5_000_000, 12.34], ["Cilongok", 6, 1, None]], "Semua", (1, 2))
    table = Table(
        "Keluarga miskin",
        [Column("Kecamatan"), Column("Keluarga", COUNT), Column("Nilai", RUPIAH), Column("Bagian", PERCENT)],
        rows,
        "Registri Guyub",
        summed=True,
    )  # fmt: skip
    chart = bars(
        "b", "Keluarga", [("Lumbir", 3), ("Cilongok", 5)], label="Kecamatan", value="Keluarga"
    )
    return Paper(
        "Laporan uji", "Tahun 2026", "Kabupaten Banyumas",
        [Chapter("Profil", [Part("Sebaran", text, [table, Drawing(chart, "Registri Guyub")], "Dinsos")])],
        [Source("DTSEN", "Dinsos", "versi 3", "1 Oktober 2026", True)],
        "DTSEN versi 3 per 1 Oktober 2026", "25 November 2026, 08.00 WIB", "Wening",
        edition="Edisi 2", is_long=long,
    )  # fmt: skip


def pdf_text(content: bytes) -> str:
    reader = PdfReader(io.BytesIO(content))
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))


def test_a_paper_comes_back_from_json_as_it_was() -> None:
    one = paper()
    data = json.loads(json.dumps(one.as_json()))

    assert Paper.from_json(data).as_json() == data


def test_pdf_has_cover_contents_numbered_tables_and_sources() -> None:
    text = pdf_text(paper_pdf(paper()))

    for wanted in (
        "KABUPATEN BANYUMAS", "Laporan uji", "Edisi 2", "Daftar isi", "Bab I Profil",
        "Tabel 1", "Keluarga miskin", "1.234", "Rp5.000.000", "12,3 %", "Rp5.000.001", "Gambar 1",
        "Sumber: Registri Guyub.", "DTSEN versi 3 per 1 Oktober 2026", "versi 3 (acuan)", "Wening",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_a_short_report_starts_on_its_first_page() -> None:
    reader = PdfReader(io.BytesIO(paper_pdf(paper(long=False))))

    first = reader.pages[0].extract_text()
    assert "Laporan uji" in first
    assert "Keluarga miskin" in first
    assert "Daftar isi" not in first


@pytest.mark.parametrize("text", ["#eval(1)", "*tebal* $x$ <label>", "= Judul palsu", "@rujukan"])
def test_markup_in_what_people_write_stays_text(text: str) -> None:
    assert text in pdf_text(paper_pdf(paper(f"Kata {text} kata")))


def test_word_has_real_headings_tables_and_pictures() -> None:
    word = Word(io.BytesIO(paper_docx(paper("Satu.\n\n- butir"))))

    headings = [p.text for p in word.paragraphs if p.style.name.startswith("Heading")]
    assert headings == ["Bab I Profil", "Sebaran", "Sumber data"]
    assert [p.text for p in word.paragraphs if p.style.name == "List Bullet"] == ["butir"]
    assert word.tables[1].rows[1].cells[0].text == "Lumbir"
    assert word.tables[1].rows[3].cells[1].text == "1.240"
    assert len(word.inline_shapes) == 1
    assert any("Tabel 1. Keluarga miskin" in p.text for p in word.paragraphs)
    assert any("Edisi 2" in cell.text for row in word.tables[0].rows for cell in row.cells)


def test_workbook_holds_numbers_and_where_they_are_from(tmp_path: Any) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(paper_xlsx(paper(name="=1+1")))
    book = CalamineWorkbook.from_path(str(path))

    assert book.sheet_names == ["Keterangan", "Tabel 1", "Gambar 1"]
    about = book.get_sheet_by_name("Keterangan").to_python()
    assert ["Data acuan", "DTSEN versi 3 per 1 Oktober 2026"] in [row[:2] for row in about]
    table = book.get_sheet_by_name("Tabel 1").to_python()
    # Text that looks like a formula stays text.
    assert table[4][:4] == ["=1+1", 1234, 5_000_000, 12.34]
    assert table[6][1] == 1240


@given(st.text(max_size=200))
def test_no_word_of_a_text_is_lost_between_paragraphs(text: str) -> None:
    pieces = list(Part("x", text).paragraphs())

    def words(value: str) -> list[str]:
        return re.sub(r"(?m)^\s*[-•*] ", "", value).split()

    lines = "\n".join(line.strip() for line in text.splitlines())
    assert words(lines) == [word for _kind, piece in pieces for word in piece.split()]


def test_numbers_are_written_as_indonesians_write_them() -> None:
    assert written(1234567, COUNT) == "1.234.567"
    assert written(12.345, PERCENT, 1) == "12,3 %"
    assert written(None, COUNT) == "–"
    assert written(0, RUPIAH) == "Rp0"
