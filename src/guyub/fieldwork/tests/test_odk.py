"""Submissions as ODK and KoboToolbox send and export them become the same answers."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from guyub.fieldwork.checking import check_answers
from guyub.fieldwork.odk import Found, UnreadableSubmissionError, read_kobo, read_xml
from guyub.fieldwork.odk_exports import Export, Wrong
from guyub.fieldwork.tests.test_checking import FORM, GOOD
from guyub.imports.reading import UnreadableFileError

pytestmark = pytest.mark.own_database

NUMBER = "1f7d6c6e-62b4-4d51-9d56-2f3c1d5a7b10"
XML = f"""<?xml version="1.0"?>
<data xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms" id="uji" version="1">
  <punya_rumah>ya</punya_rumah>
  <rumah><lantai>tanah</lantai><luas>36</luas></rumah>
  <kec>wangon</kec><desa>banteran</desa>
  <anggota jr:template=""><nama/><umur/></anggota>
  <anggota><nama>Sari</nama><umur>31</umur><sekolah><kelas/></sekolah></anggota>
  <anggota><nama>Budi</nama><umur>9</umur><sekolah><kelas>3</kelas></sekolah></anggota>
  <anggota><nama/><umur>2</umur></anggota>
  <lahir>1994-02-28</lahir><jam>09:30:00.000+07:00</jam>
  <tempat>-7.42 109.23 75 4.5</tempat><foto>depan.jpg</foto><jumlah/>
  <orx:meta><orx:instanceID>uuid:{NUMBER}</orx:instanceID></orx:meta>
</data>""".encode()
KOBO: dict[str, Any] = {
    "_id": 7, "_uuid": NUMBER, "__version__": "1", "_xform_id_string": "uji", "formhub/uuid": "x",
    "meta/instanceID": f"uuid:{NUMBER}", "_submission_time": "2026-08-17T03:00:00", "_tags": [],
    "punya_rumah": "ya", "rumah/lantai": "tanah", "rumah/luas": "36", "kec": "wangon", "desa": "banteran",
    "anggota": [
        {"anggota/nama": "Sari", "anggota/umur": "31"},
        {"anggota/nama": "Budi", "anggota/umur": "9", "anggota/sekolah/kelas": 3},
        {"anggota/umur": 2},
    ],
    "lahir": "1994-02-28", "jam": "09:30:00.000+07:00", "tempat": "-7.42 109.23 75 4.5", "foto": "depan.jpg",
}  # fmt: skip
MAIN = [
    ["start", "Punya rumah", "rumah/lantai", "rumah/lantai/tanah", "rumah/lantai/ubin", "luas", "kec", "desa",
     "lahir", "jam", "_tempat_latitude", "_tempat_longitude", "foto", "__version__", "_uuid", "_index", "aneh"],
    ["", "ya", "tanah", 1, 0, 36, "wangon", "Banteran", dt.date(1994, 2, 28), "09:30:00.000+07:00", -7.42,
     109.23, "depan.jpg", "1", NUMBER, 1, "x"],
    ["", "ya", "ubin", 0, 1, "luas sekali", "wangon", "banteran", "", "", "", "", "", "1", str(uuid.uuid4()), 2],
    ["", "tidak", "", "", "", "", "Lumbir", "cirahab", "", "", "", "", "", "1", str(uuid.uuid4()), 3],
    ["", "tidak", "", "", "", "", "", "", "", "", "", "", "", "1", str(uuid.uuid4()), 4],
]  # fmt: skip
REPEAT = [
    [
        "anggota/nama",
        "umur",
        "anggota/sekolah/kelas",
        "_index",
        "_parent_table_name",
        "_parent_index",
    ],
    ["Sari", 31, "", 1, "Uji", 1],
    ["Budi", 9, 3, 2, "Uji", 1],
    ["", 2, "", 3, "Uji", 1],
    ["Ani", 44, "", 4, "Uji", 3],
    ["Edi", "tua", "", 5, "Uji", 4],
]


def choose(_version: str) -> Any:
    return FORM


def without(answers: dict[str, Any], *paths: str) -> dict[str, Any]:
    return {path: value for path, value in answers.items() if path not in paths}


def test_openrosa_xml():
    found = read_xml(XML, choose)
    assert found.answers == GOOD
    assert (found.instance, found.form_id, found.version, found.replaces) == (
        uuid.UUID(NUMBER), "uji", "1", None,
    )  # fmt: skip
    assert found.files == {"depan.jpg": ""}
    assert check_answers(FORM, found.answers) == []


def test_json_of_kobo():
    found = read_kobo(KOBO, choose)
    assert found.answers == GOOD
    assert found.instance == uuid.UUID(NUMBER)
    assert found.finished_at == dt.datetime(2026, 8, 17, 3, tzinfo=dt.UTC)
    assert found.unknown == []


def test_an_edited_submission_names_the_one_before():
    before = str(uuid.uuid4())
    content = XML.replace(b"<orx:instanceID>", f"<orx:deprecatedID>uuid:{before}</orx:deprecatedID><orx:instanceID>".encode())  # fmt: skip
    assert read_xml(content, choose).replaces == uuid.UUID(before)
    assert read_kobo({**KOBO, "meta/deprecatedID": f"uuid:{before}"}, choose).replaces == uuid.UUID(
        before
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<data", "rusak"),
        (b'<!DOCTYPE a [<!ENTITY b "bbbb">]><data>&b;</data>', "rusak"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><data/>', "rusak"),
        (b"<data><a>1</a></data>", "instanceID"),
        (XML.replace(b"<luas>36", b"<luas>banyak"), "Isi dengan angka"),
        (XML.replace(b"<anggota>", b"<anggota/>" * 600 + b"<anggota>", 1), "ulangan"),
        (b"<a>" + b" " * 6_000_000 + b"</a>", "MB"),
    ],
    ids=["cut", "entity", "file", "nameless", "type", "repeats", "size"],
)
def test_xml_that_is_not_taken(content, words):
    with pytest.raises(UnreadableSubmissionError, match=words):
        read_xml(content, choose)


@given(st.binary(max_size=60) | st.text("<>/a=\"' &;!", max_size=60).map(str.encode))
def test_whatever_is_sent_is_read_or_refused(content):
    try:
        read_xml(content, choose)
    except UnreadableSubmissionError as error:
        assert error.message


@pytest.mark.parametrize(
    "content", [None, [], "x", {}, {"_uuid": ""}, {**KOBO, "anggota": "x"}, {**KOBO, "lahir": {}}]
)
def test_json_that_is_not_taken(content):
    with pytest.raises(UnreadableSubmissionError):
        read_kobo(content, choose)


def workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in (("Uji", MAIN), ("anggota", REPEAT)):
            page = book.add_worksheet(name)
            for line, row in enumerate(rows):
                page.write_row(line, 0, row)
    return path


def read(path: Path, name: str = "") -> tuple[list[Found], list[Wrong]]:
    items = list(Export(path, name or path.name, choose).submissions())
    return (
        [item for item in items if isinstance(item, Found)],
        [item for item in items if isinstance(item, Wrong)],
    )


def test_a_workbook_of_kobo(tmp_path):
    found, wrong = read(workbook(tmp_path / "kobo.xlsx"))
    assert found[0].answers == {**GOOD, "/tempat": "-7.42 109.23 0 0"}
    assert (found[0].instance, found[0].row) == (uuid.UUID(NUMBER), 2)
    assert found[1].answers == {
        "/punya_rumah": "tidak", "/kec": "lumbir", "/desa": "cirahab",
        "/anggota": [{"/anggota/nama": "Ani", "/anggota/umur": 44}],
    }  # fmt: skip
    assert [(w.sheet, w.row, w.column) for w in wrong] == [
        ("Uji", 1, "aneh"), ("Uji", 3, "luas"), ("anggota", 6, "umur"),
    ]  # fmt: skip
    assert wrong[1].message == "“luas sekali”: Isi dengan angka, misalnya 3."
    assert len(found) == 2


def test_the_same_rows_have_the_same_numbers(tmp_path):
    path = tmp_path / "tanpa-nomor.csv"
    path.write_text("punya_rumah;kec\nya;wangon\ntidak;lumbir\n", encoding="cp1252")
    first, again = read(path)[0], read(path)[0]
    assert [one.instance for one in first] == [one.instance for one in again]
    assert len({one.instance for one in first}) == 2


def test_a_national_number_that_became_a_number_is_told(tmp_path):
    path = tmp_path / "kobo.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("Uji")
        page.write_row(0, 0, ["jam", "_uuid"])
        page.write_row(1, 0, [3302011708940001, NUMBER])
    _found, wrong = read(path)
    assert "teks" in wrong[0].message or "jam" in wrong[0].message


def test_an_archive_of_central(tmp_path):
    path = tmp_path / "uji.zip"
    main = f"SubmissionDate,punya_rumah,rumah-lantai,kec,desa,foto,KEY\n2026-08-17T03:00:00Z,ya,tanah,wangon,banteran,depan.jpg,uuid:{NUMBER}\n"
    inner = f"nama,umur,PARENT_KEY,KEY\nSari,31,uuid:{NUMBER},uuid:{NUMBER}/anggota[1]\nBudi,9,uuid:{NUMBER},uuid:{NUMBER}/anggota[2]\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("uji.csv", main)
        archive.writestr("uji-anggota.csv", inner)
        archive.writestr("media/depan.jpg", b"foto")
    found, wrong = read(path)
    assert wrong == []
    assert found[0].answers == {
        "/punya_rumah": "ya", "/rumah/lantai": ["tanah"], "/kec": "wangon", "/desa": "banteran",
        "/foto": "depan.jpg",
        "/anggota": [{"/anggota/nama": "Sari", "/anggota/umur": 31}, {"/anggota/nama": "Budi", "/anggota/umur": 9}],
    }  # fmt: skip
    assert Export(path, "x", choose).media(found[0].files["depan.jpg"]) == b"foto"


def test_an_archive_of_xml_with_photos(tmp_path):
    path = tmp_path / "kiriman.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"instances/{NUMBER}/submission.xml", XML)
        archive.writestr(f"instances/{NUMBER}/depan.jpg", b"foto")
        archive.writestr("instances/lain/submission.xml", b"<rusak")
        archive.writestr("instances/lain/depan.jpg", b"orang lain")
    found, wrong = read(path)
    assert found[0].answers == GOOD
    assert Export(path, "x", choose).media(found[0].files["depan.jpg"]) == b"foto"
    assert [w.file for w in wrong] == ["instances/lain/submission.xml"]


def test_a_file_of_json(tmp_path):
    path = tmp_path / "kobo.json"
    path.write_text(json.dumps({"count": 2, "results": [KOBO, {"x": 1}]}))
    found, wrong = read(path)
    assert found[0].answers == GOOD
    assert [(w.row, w.column) for w in wrong] == [(2, "_uuid")]


@pytest.mark.parametrize("content", [b"", b"PK\3\4x", b"{", b"\0\1\2", b"[" * 100_000])
def test_files_that_are_not_taken(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError):
        read(path)


def test_an_archive_that_swells_is_refused(tmp_path):
    path = tmp_path / "x.zip"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 60_000_000)
    path.write_bytes(out.getvalue())
    with pytest.raises(UnreadableFileError, match="terlalu besar"):
        read(path)
