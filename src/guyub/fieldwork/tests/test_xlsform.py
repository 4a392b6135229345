"""Forms from spreadsheets: what is understood, what is refused and where, and the way back."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from guyub.fieldwork import xlsform_sheets
from guyub.fieldwork.checking import check_answers
from guyub.fieldwork.definition import Choice, Definition, Expression, Item
from guyub.fieldwork.expressions import parse
from guyub.fieldwork.tests.test_checking import FORM, YES
from guyub.fieldwork.xlsform import read_cells, read_file
from guyub.fieldwork.xlsform_writing import UnconvertibleFormError, sheets_of, write, xform_of
from guyub.imports.reading import UnreadableFileError

pytestmark = pytest.mark.own_database

Rows = list[list[Any]]
SURVEY: Rows = [
    ["type", "name", "label::Bahasa Indonesia (id)", "label::English (en)", "hint::Bahasa Indonesia (id)",
     "required", "bind::relevant", "constraint", "constraint_message::Bahasa Indonesia (id)", "calculation",
     "choice_filter", "control::appearance", "default", "parameters", "guyub", "catatan penyusun"],
    ["start", "mulai"],
    ["deviceid", "alat"],
    ["begin group", "rumah", "Rumah", "House"],
    ["select one lantai or_other", "lantai", "Lantai terluas", "Floor", "", "yes", "", "", "", "", "", "minimal",
     "", "", "household.floor", "lihat sendiri"],
    ["select_multiple bantuan", "bantuan", "Bantuan", "", "", "", "${lantai} = 'tanah'",
     "not(selected(., 'tidak') and count-selected(.) > 1)", "Tidak bersama yang lain."],
    ["end group"],
    ["select_one kec", "kec", "Kecamatan", "", "", True],
    ["select_one desa", "desa", "Desa", "", "", "TRUE", "", "", "", "", "kecamatan = ${kec}"],
    ["begin_repeat", "anggota", "Anggota"],
    ["integer", "umur", "Umur", "", "", "", "", ". >= 0", "", "", "", "", 17],
    ["end_repeat"],
    ["calculate", "banyak", "", "", "", "", "", "", "", "count(${anggota})"],
    ["date", "tanggal", "Tanggal", "", "", "", "", "", "", "", "", "", "today()"],
    ["range", "nilai", "Nilai", "", "", "", "", "", "", "", "", "", "", "start=1 end=5 step=1"],
]  # fmt: skip
CHOICES: Rows = [
    ["list_name", "name", "label::Bahasa Indonesia (id)", "label::English (en)", "kecamatan"],
    ["lantai", "tanah", "Tanah", "Earth"],
    ["bantuan", "pkh", "PKH"],
    ["bantuan", "tidak", "Tidak ada"],
    ["kec", 1, "Lumbir"],
    ["kec", 2, "Wangon"],
    ["desa", "a", "Cirahab", "", 1],
    ["desa", "b", "Banteran", "", 2],
]
SETTINGS: Rows = [
    ["form_title", "form_id", "version", "default_language"],
    ["Survei rumah", "survei_rumah", 20260801, "Bahasa Indonesia (id)"],
]


def book(path: Path, survey: Rows, choices: Rows = CHOICES, settings: Rows = SETTINGS) -> Path:
    with xlsxwriter.Workbook(str(path)) as workbook:
        for name, rows in (("survey", survey), ("choices", choices), ("settings", settings)):
            page = workbook.add_worksheet(name)
            for line, row in enumerate(rows):
                page.write_row(line, 0, row)
    return path


def test_a_workbook_becomes_a_form(tmp_path):
    reading = read_file(book(tmp_path / "f.xlsx", SURVEY), known_fields=["household.floor"])
    assert reading.faults == []
    form = reading.definition
    assert (form.id_string, form.version, form.title) == (
        "survei_rumah", "20260801", {"id": "Survei rumah"},
    )  # fmt: skip
    assert form.languages == ("id", "en")
    assert [item.path for item in form.walk()] == [
        "/mulai", "/alat", "/rumah", "/rumah/lantai", "/rumah/lantai_other", "/rumah/bantuan", "/kec", "/desa",
        "/anggota", "/anggota/umur", "/banyak", "/tanggal", "/nilai",
    ]  # fmt: skip
    floor = form.by_path["/rumah/lantai"]
    assert (floor.type, floor.field, floor.appearance) == (
        "select_one",
        "household.floor",
        "minimal",
    )
    assert floor.label == {"id": "Lantai terluas", "en": "Floor"}
    assert [choice.name for choice in floor.choices] == ["tanah", "other"]
    assert form.by_path["/rumah/lantai_other"].relevant.tree == [
        "call", "selected", ["ref", "/rumah/lantai"], ["str", "other"],
    ]  # fmt: skip
    assert form.by_path["/desa"].choices[1].extra == {"kecamatan": "2"}
    assert form.by_path["/kec"].required == YES
    assert form.by_path["/anggota/umur"].default == "17"
    assert form.by_path["/tanggal"].default.tree == ["call", "today"]
    assert form.by_path["/nilai"].parameters == {"start": "1", "end": "5", "step": "1"}
    assert [remark.row for remark in reading.remarks] == [3]  # deviceid

    answers = {
        "/rumah/lantai": "other",
        "/rumah/lantai_other": "kayu",
        "/kec": "2",
        "/desa": "a",
        "/nilai": 9,
    }
    assert [problem.path for problem in check_answers(form, answers)] == ["/desa", "/nilai"]


def faults_of(survey: Rows, choices: Rows = CHOICES, **settings_cells: str) -> list[str]:
    settings_rows = (
        SETTINGS if not settings_cells else [list(settings_cells), list(settings_cells.values())]
    )
    cells = {
        name: [[str(cell) for cell in row] for row in rows]
        for name, rows in (("survey", survey), ("choices", choices), ("settings", settings_rows))
    }
    reading = read_cells(cells)
    assert (reading.definition is None) == bool(reading.faults)
    return [str(fault) for fault in reading.faults]


HEAD = ["type", "name", "label", "relevant", "calculation", "choice_filter"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["txet", "a", "A"]], "lembar survey, baris 2, kolom type: Jenis “txet” tidak dikenal. Mungkin maksudnya text?"),
        ([["select_one", "a", "A"]], "baris 2, kolom type: Jenis “select_one” tidak dikenal. Tulis nama daftarnya"),
        ([["select_one kecc", "a", "A"]], "baris 2, kolom type: Daftar “kecc” tidak ada di lembar choices. Mungkin maksudnya kec?"),
        ([["select_one_from_file desa.csv", "a", "A"]], "baris 2, kolom type: Pilihan dari berkas lain belum didukung"),
        ([["geoshape", "a", "A"]], "baris 2, kolom type: Jenis “geoshape” belum didukung"),
        ([["text", "a b", "A"]], "baris 2, kolom name: Nama “a b” hanya boleh"),
        ([["text", "", "A"]], "baris 2, kolom name: Tulis nama tanpa spasi"),
        ([["", "a", "A"]], "baris 2, kolom type: Tulis jenis pertanyaannya"),
        ([["text", "a", "A"], ["text", "a", "B"]], "baris 3, kolom name: Nama “a” sudah dipakai di baris 2."),
        ([["text", "meta", "A"]], "baris 2, kolom name: Nama “meta”"),
        ([["begin group", "g", "G"], ["text", "a", "A"]], "baris 2, kolom type: Kelompok “g” dibuka tetapi tidak ditutup. Tambahkan baris end_group."),
        ([["text", "a", "A"], ["end repeat"]], "baris 3, kolom type: Baris end_repeat ini tidak punya pembuka."),
        ([["begin repeat", "r", "R"], ["text", "a", "A"], ["end group"], ["end repeat"]], "baris 4, kolom type: Di sini harus ditutup “r” (baris 2) dengan end_repeat, bukan end_group."),
        ([["text", "umur", "A"], ["text", "b", "B", "${umr} > 1"]], "baris 3, kolom relevant: Tidak ada pertanyaan bernama “umr”. Mungkin maksudnya ${umur}? (huruf ke-1)"),
        ([["text", "a", "A", "1 > pulldata('x')"]], "baris 2, kolom relevant: Fungsi pulldata() belum didukung di Guyub. Hapus, atau hitung dengan cara lain. (huruf ke-5)"),
        ([["calculate", "a", "", "", "${b} + 1"], ["calculate", "b", "", "", "${a} + 1"]], "baris 2, kolom calculation: Rumus ini berputar pada dirinya sendiri: a → b → a."),
        ([["begin group", "g", "G", "${a} = 1"], ["text", "a", "A"], ["end group"]], "berputar pada dirinya sendiri: a → a"),
        ([["calculate", "a"]], "baris 2, kolom calculation: Tulis rumusnya"),
        ([["select_one desa", "a", "A", "", "", "kecamatn = 1"]], "baris 2, kolom choice_filter: Lembar choices tidak punya kolom “kecamatn”."),
        ([["begin_kobomatrix", "m", "M"]], "Jenis “begin_kobomatrix” belum didukung"),
        ([], "lembar survey: Lembar survey dengan kolom type"),
        ([["begin group", "g"], ["text", "a", "A"], ["end group"], ["begin group", "h"], ["text", "a", "A"], ["end group"], ["note", "n", "N", "${a} = 1"]], "baris 8, kolom relevant: Ada 2 pertanyaan bernama “a”."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(rows, expected):
    found = faults_of([HEAD, *rows])
    assert any(expected in fault for fault in found), found


def test_faults_of_choices_and_settings():
    rows = [["list_name", "name", "label"], ["ya", "y", "Ya"], ["ya", "y", "Ya"], ["ya", "a b", "x"],
            ["", "z", "Z"], ["ya", "", "T"]]  # fmt: skip
    found = faults_of([HEAD, ["select_one ya", "a", "A"]], rows, form_title="", form_id="")
    assert [fault.split(":")[0] for fault in found] == [
        "lembar choices, baris 3, kolom name", "lembar choices, baris 4, kolom name",
        "lembar choices, baris 5, kolom list_name", "lembar choices, baris 6, kolom name",
        "lembar settings, baris 2, kolom form_id",
    ]  # fmt: skip
    assert "dua kali" in faults_of([[*HEAD, "label"], ["text", "a", "A"]])[0]


def test_a_registry_field_that_is_not_there(tmp_path):
    survey = [["type", "name", "label", "guyub"], ["text", "a", "A", "household.flor"]]
    reading = read_file(book(tmp_path / "f.xlsx", survey), known_fields=["household.floor"])
    assert "Mungkin maksudnya household.floor?" in str(reading.faults[0])


@pytest.mark.parametrize(
    "heading", ["label::Bahasa Indonesia (id)", "Label:id", "label :: Indonesian", "label"]
)
def test_languages_in_headings(heading):
    assert xlsform_sheets.understood(heading)[0] == "label"
    assert xlsform_sheets.understood(heading)[1] in ("id", "")


# The way back


def test_a_form_survives_the_spreadsheet(tmp_path):
    path = tmp_path / "f.xlsx"
    path.write_bytes(write(FORM))
    assert read_file(path).definition == FORM


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
WORDS = st.text("abcé =+-@'\"<&😀", min_size=1, max_size=12).map(str.strip).filter(bool)
TEXTS = st.dictionaries(st.sampled_from(["id", "en"]), WORDS, max_size=2)


@st.composite
def forms(draw: Any) -> Definition:
    names = iter(draw(st.lists(NAMES, min_size=24, max_size=24, unique=True)))
    known: list[str] = []

    def says(text: str, **options: Any) -> Expression:
        return Expression(
            text,
            parse(
                text, lambda name: dict((p.rsplit("/", 1)[1], p) for p in known)[name], **options
            ),
        )

    def question(above: str) -> Item:
        name = next(names)
        kind = draw(
            st.sampled_from(
                ["text", "integer", "date", "select_one", "select_multiple", "image", "geopoint"]
            )
        )
        choices: tuple[Choice, ...] = ()
        choice_filter = None
        if kind.startswith("select"):
            codes = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
            choices = tuple(Choice(c, draw(TEXTS), {"wilayah": draw(WORDS)}) for c in codes)
            if known:
                choice_filter = says(f"wilayah = ${{{known[-1].rsplit('/', 1)[1]}}}", columns=True)
        other = known[-1].rsplit("/", 1)[1] if known else ""
        item = Item(
            "question", name, f"{above}/{name}", kind, label=draw(TEXTS), hint=draw(TEXTS),
            required=draw(st.sampled_from([None, YES])), required_message=draw(TEXTS),
            relevant=says(f"${{{other}}} != ''") if other and draw(st.booleans()) else None,
            constraint=says("string-length(.) < 9 or . = today()") if draw(st.booleans()) else None,
            constraint_message=draw(TEXTS), choice_filter=choice_filter, choices=choices,
            read_only=draw(st.booleans()), default=draw(st.none() | WORDS), appearance=draw(st.sampled_from(["", "minimal"])),
            field=draw(st.sampled_from(["", "household.floor"])),
        )  # fmt: skip
        known.append(item.path)
        return item

    def part(above: str, depth: int) -> Item:
        if depth == 2 or draw(st.booleans()):
            return question(above)
        name, kind = next(names), draw(st.sampled_from(["group", "repeat"]))
        path = f"{above}/{name}"
        return Item(kind, name, path, label=draw(TEXTS),
                    items=tuple(part(path, depth + 1) for _n in range(draw(st.integers(1, 2)))))  # fmt: skip

    items = tuple(part("", 0) for _n in range(draw(st.integers(1, 3))))
    return Definition(
        "f",
        draw(st.sampled_from(["", "7"])),
        draw(TEXTS.filter(lambda t: "id" in t)),
        ("id", "en"),
        items,
    )


@settings(max_examples=40, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(forms())
def test_any_form_survives_its_cells(form):
    reading = read_cells(sheets_of(form))
    assert reading.faults == []
    assert reading.definition == form


def test_odk_takes_what_guyub_writes():
    xform = xform_of(FORM)
    assert 'id="uji"' in xform
    assert "/data/rumah/lantai" in xform
    assert "guyub" not in xform
    unheard = Definition(
        "x", "1", {"id": "X"}, ("id",), (Item("question", "a", "/a", "select_one"),)
    )
    with pytest.raises(UnconvertibleFormError):
        xform_of(unheard)


# Files that are made to hurt


def repacked(path: Path, add: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in add.items():
            archive.writestr(name, content)
    return path


def test_a_workbook_with_macros_is_refused(tmp_path):
    path = repacked(book(tmp_path / "f.xlsx", SURVEY), {"xl/vbaProject.bin": b"x"})
    with pytest.raises(UnreadableFileError, match="makro"):
        read_file(path)


def test_a_workbook_that_swells_is_refused(tmp_path):
    path = repacked(book(tmp_path / "f.xlsx", SURVEY), {"xl/sharedStrings2.xml": b" " * 40_000_000})
    with pytest.raises(UnreadableFileError, match="terlalu besar"):
        read_file(path)


def test_ten_thousand_columns_are_refused(tmp_path):
    wide = [[*SURVEY[0], *[f"x{n}" for n in range(10_000)]], *SURVEY[1:]]
    with pytest.raises(UnreadableFileError, match="250 kolom"):
        read_file(book(tmp_path / "f.xlsx", wide))


def test_a_form_without_end_is_refused(tmp_path):
    rows = [HEAD, *[["note", f"n{n}", "x"] for n in range(3_100)]]
    with pytest.raises(UnreadableFileError, match="3000 baris"):
        read_file(book(tmp_path / "f.xlsx", rows))


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"PK\3\4" + b"\0" * 60, b"\xd0\xcf\x11\xe0" + b"\0" * 600, b"type,name\n"],
)
def test_what_is_no_workbook_is_refused(tmp_path, content):
    path = tmp_path / "f.xlsx"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError):
        read_file(path)


def test_entities_are_refused(tmp_path):
    path = tmp_path / "f.xlsx"
    book(path, SURVEY)
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part.endswith("sharedStrings.xml"):
                content = content.replace(b"?>", b'?><!DOCTYPE a [<!ENTITY b "b">]>', 1)
            new.writestr(part, content)
    path.write_bytes(out.getvalue())
    with pytest.raises(UnreadableFileError):
        read_file(path)


def told_of(*rows: list[str]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Return (row, message) of the faults and of the remarks about a survey."""
    heading = ["type", "name", "label", "guyub"]
    reading = read_cells(
        {"survey": [heading, *rows], "settings": [["form_title", "form_id"], ["Uji", "uji"]]},
        known_fields=["member.name", "member.work", "household.kk"],
    )
    return (
        [(one.row, one.message) for one in reading.faults],
        [(one.row, one.message) for one in reading.remarks],
    )


NAME = ["text", "nama", "Nama", "member.name"]
END = ["end_repeat"]


def test_a_repeat_of_families_around_members_is_refused_with_how_to_mend_it():
    [(row, message)], _remarks = told_of(
        ["begin_repeat", "keluarga", "Keluarga"],
        ["begin_repeat", "anggota", "Anggota"],
        NAME,
        END,
        END,
    )
    assert row == 4
    assert "“anggota” ada di dalam bagian berulang “keluarga”" in message
    assert "sekali per keluarga" in message


def test_many_answers_about_one_member_are_refused_with_how_to_mend_it():
    [(row, message)], _remarks = told_of(
        ["begin_repeat", "anggota", "Anggota"], NAME,
        ["begin_repeat", "usaha", "Usaha"], ["text", "kerja", "Pekerjaan", "member.work"], END, END,
    )  # fmt: skip
    assert row == 5
    assert "“usaha” ada di dalam bagian anggota “anggota”" in message
    # Whom a row is about has to be asked in that row.
    faults, _remarks = told_of(
        ["begin_repeat", "anggota", "Anggota"], ["text", "kerja", "Pekerjaan", "member.work"],
        ["begin_repeat", "nama2", "Nama"], NAME, END, END,
    )  # fmt: skip
    assert [row for row, _message in faults] == [3, 5]


def test_what_is_kept_but_not_read_is_told_and_refuses_nothing():
    faults, remarks = told_of(
        ["begin_repeat", "anggota", "Anggota"], NAME, ["text", "nokk", "KK", "household.kk"],
        ["begin_repeat", "penyakit", "Penyakit"], ["text", "apa", "Apa"], END, END,
        ["text", "nokk2", "KK", "household.kk"],
    )  # fmt: skip
    assert faults == []
    assert [row for row, _message in remarks] == [4, 5]
    assert "“household.kk” tidak dibaca di dalam bagian berulang “anggota”" in remarks[0][1]
    assert "“penyakit” ada di dalam “anggota”" in remarks[1][1]
