"""Files made to do harm, at every door that takes a file: a clear answer, never a crash.

The worst of them end a process rather than raise, so those are opened in a process of their own, with
little memory.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from guyub.access.roles import Role
from guyub.discussions.files import check
from guyub.imports import guarding, reading
from guyub.imports.models import ImportRun
from guyub.imports.reading import UnreadableFileError
from guyub.imports.tests.conftest import MAN, csv_bytes, xlsx_bytes
from guyub.registry.pictures import UnusablePictureError, clean_jpeg
from guyub.reports.attachments import AttachmentError, prepare
from guyub.reports.schedules import set_schedule

MEGABYTE = b"x" * (1 << 20)
MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
DOCUMENT = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = b"http://schemas.openxmlformats.org/package/2006/"
SPREADSHEET = b"application/vnd.openxmlformats-officedocument.spreadsheetml."
OPEN, CLOSE = b"<worksheet " + MAIN + b"><sheetData>", b"</sheetData></worksheet>"


def cell(place: str, text: str) -> bytes:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'.encode()


HEAD = b'<row r="1">' + cell("A1", "NIK") + cell("B1", "Nama") + b"</row>"
Part = bytes | tuple[bytes, bytes, int, bytes]  # or: start, what repeats, how often, end


def workbook(sheet: Part, texts: Part = b"<sst " + MAIN + b"/>", **more: bytes) -> bytes:
    """Return an Excel file of one sheet as it stands; ``more`` are further parts, ``__`` for ``/``."""
    types = b"".join(
        b'<Override PartName="/xl/%s" ContentType="%s%s+xml"/>' % (name, SPREADSHEET, kind)
        for name, kind in (
            (b"workbook.xml", b"sheet.main"),
            (b"worksheets/sheet1.xml", b"worksheet"),
            (b"sharedStrings.xml", b"sharedStrings"),
        )
    )
    parts: dict[str, Part] = {
        "[Content_Types].xml": b'<Types xmlns="' + PACKAGE + b'content-types"><Default '
        b'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        b'<Default Extension="xml" ContentType="application/xml"/>' + types + b"</Types>",
        "_rels/.rels": b'<Relationships xmlns="' + PACKAGE + b'relationships"><Relationship Id="a" '
        b'Type="' + DOCUMENT + b'/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": b"<workbook " + MAIN + b' xmlns:r="' + DOCUMENT + b'"><sheets>'
        b'<sheet name="Data" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": b'<Relationships xmlns="' + PACKAGE + b'relationships">'
        b'<Relationship Id="a" Type="' + DOCUMENT + b'/worksheet" Target="worksheets/sheet1.xml"/>'
        b'<Relationship Id="b" Type="' + DOCUMENT + b'/sharedStrings" Target="sharedStrings.xml"/>'
        b"</Relationships>",
        "xl/worksheets/sheet1.xml": sheet,
        "xl/sharedStrings.xml": texts,
        **{name.replace("__", "/"): content for name, content in more.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            with archive.open(name, "w", force_zip64=isinstance(content, tuple)) as file:
                if isinstance(content, tuple):
                    file.write(content[0])
                    for _n in range(content[2]):
                        file.write(content[1])
                    file.write(content[3])
                else:
                    file.write(content)
    return out.getvalue()


def understated(content: bytes) -> bytes:
    """Return an archive whose directory says that its sheet unpacks to a hundred bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    return content.replace(struct.pack("<L", size), struct.pack("<L", 100))


def entities() -> bytes:
    laughs = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    doctype = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "xxxxxxxxxx">' + laughs + b"]>"
    return workbook(doctype + OPEN + b'<row r="1">' + cell("A1", "&m;") + b"</row>" + CLOSE)


def outside() -> bytes:
    doctype = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return workbook(doctype + OPEN + b'<row r="1">' + cell("A1", "&a;") + b"</row>" + CLOSE)


def far(*places: str) -> bytes:
    rows = b"".join(
        b'<row r="%s">' % place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").encode() + cell(place, "z")
        + b"</row>"
        for place in places
    )  # fmt: skip
    return workbook(OPEN + HEAD + rows + CLOSE)


def bombs() -> dict[str, bytes]:
    """Files of a few kilobytes that would take gigabytes, or all of the time there is."""
    return {
        "sheet of one cell": workbook(
            (OPEN + b'<row r="1"><c r="A1" t="inlineStr"><is><t>', MEGABYTE, 40, b"")
        ),
        "shared texts": workbook(
            OPEN + HEAD + CLOSE, (b"<sst " + MAIN + b">", b"<si><t>x</t></si>" * 65536, 40, b"")
        ),
        "understated sheet": understated(
            workbook((OPEN + HEAD, b"<row><c><v>1</v></c></row>" * 40_000, 15, CLOSE))
        ),
        "last cell": far("XFD1048576"),
        "wide and long": far("XFD9", "A1048576"),
        "outside of the sheet": far("ZZZZZZ9", "A99999999999999999999"),
        "entities": entities(),
        "another file": outside(),
        "deep": workbook(OPEN + b"<a>" * 500_000),
        "ten thousand columns": xlsx_bytes([["1"] * 10_000], [f"Kolom {n}" for n in range(10_000)]),
    }


OPENING = """
import resource, sys
import django
django.setup()
from pathlib import Path
from guyub.imports import reading
room = int(open("/proc/self/statm").read().split()[0]) * 4096 + 700 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (room, room))
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        layout = reading.look(path)
        reading.stage(path, layout, path.with_suffix(".out"), path.parent.parent, lambda *_: None, 9)
        print(path.name, "READ", sep="|")
    except reading.UnreadableFileError as error:
        print(path.name, error, sep="|")
"""


def test_bombs_are_refused_in_little_memory(tmp_path: Path):
    folder = tmp_path / "bombs"
    folder.mkdir()
    for name, content in bombs().items():
        (folder / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", OPENING, str(folder)],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "guyub.settings"},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr[-800:]
    told = dict(line.split("|", 1) for line in done.stdout.splitlines())
    assert set(told) == set(bombs_names)
    # One row with one value far down is a small list after all.
    assert told.pop("last cell") == "READ"
    assert all(text.startswith(("Isi berkas Excel", "Berkas Excel rusak", "Berkas punya"))
               for text in told.values()), told  # fmt: skip


bombs_names = {
    "sheet of one cell", "shared texts", "understated sheet", "last cell", "wide and long",
    "outside of the sheet", "entities", "another file", "deep", "ten thousand columns",
}  # fmt: skip


def png(width: int, height: int) -> bytes:
    """Return a PNG that says it is so large, and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">L", len(content))
            + kind
            + content
            + struct.pack(">L", zlib.crc32(kind + content))
        )

    head = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "JPEG")
    return out.getvalue()


SCRIPT = b"<script>alert(1)</script>"
NO_PICTURES = {
    "foto.png": png(50_000, 50_000),
    "potong.jpg": jpeg()[:300],
    "gambar.svg": b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
    "gambar.jpg": b"<!doctype html>" + SCRIPT,
    "halaman.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "nol.jpg": b"\0" * 2000,
    "kosong.jpg": b"\xff\xd8\xff",
}
NO_TABLES = {
    "potong.xlsx": xlsx_bytes([MAN])[:2000],
    "sandi.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 3000,
    "lama.csv": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 3000,
    "arsip.xlsx": b"PK\x05\x06" + b"\0" * 18,
    "gambar.xlsx": png(9, 9),
    "nol.csv": b"NIK;Nama\n1;\0\0\n",
    "jauh.xlsx": far("XFD9", "A1048576"),
    "entitas.xlsx": entities(),
    "lebar.csv": csv_bytes([["1"] * 10_000], [f"K{n}" for n in range(10_000)]),
    "panjang.csv": b'"' + b"x" * 5_000_000 + b'"',
    "lepas.xlsx": workbook(OPEN + b'<row r="1"><c r="A1" t="s"><v>99</v></c></row>' + CLOSE),
    "daftar.ods": workbook(OPEN + HEAD + CLOSE)[:-40],
}


@pytest.fixture
def table_doors(make_dataset: Any, make_sub_activity: Any) -> list[tuple[str, dict[str, Any]]]:
    """The pages that take a table, with the rest of their form."""
    dataset, record = make_dataset(), make_sub_activity(year=2025)
    set_schedule(record, frequency="quarterly", grace_days=10, actor=None)
    return [
        (reverse("imports:new"), {"dataset": dataset.pk, "as_of": "2026-01-01", "extent": "whole"}),
        (reverse("programs:upload"), {}),
        (reverse("reports:workbook"), {}),
        (reverse("targets:upload"), {}),
        (reverse("targets:published_upload"), {}),
        (reverse("beneficiaries:enrol_file", args=[record.pk]), {"stage": "candidate"}),
        (reverse("beneficiaries:deliver_file", args=[record.pk]), {}),
    ]


def test_every_door_for_tables_answers(table_doors: Any, client_for: Callable[..., Any]):
    client = client_for(Role.SECRETARIAT)
    for address, form in table_doors:
        for name, content in NO_TABLES.items():
            answer = client.post(address, {**form, "file": SimpleUploadedFile(name, content)})
            assert answer.context["form"].errors.get("file"), (address, name)
    assert not ImportRun.objects.exists()  # nothing of what was refused is left behind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_encodings_are_read(tmp_path: Path, encoding: str):
    path = tmp_path / "daftar"
    path.write_bytes("NIK;Nama\n3302;Renée Désirée\n".encode(encoding))
    assert reading.look(path).sample == [["3302", "Renée Désirée"]]


def test_mixed_encodings_and_nul_signs_do_not_reach_the_database(tmp_path: Path):
    path = tmp_path / "daftar"
    path.write_bytes(b"NIK;Nama\n1;caf\xe9\n2;caf\xc3\xa9\n3;\x81\n")
    assert len(reading.look(path).sample) == 3
    path.write_bytes("NIK;Nama\n1;Bu\0di\n".encode("utf-16"))
    assert reading.look(path).sample == [["1", "Budi"]]
    path.write_bytes(b"NIK;Nama\r1;Budi\r2;Siti\r")  # lines end as on old Macs
    assert reading.look(path).headings == ["NIK", "Nama"]


def test_a_claimed_size_macros_and_formulas_do_nothing(tmp_path: Path):
    path = tmp_path / "daftar"
    claim = b"<worksheet " + MAIN + b'><dimension ref="A1:XFD1048576"/><sheetData>'
    row = (
        b'<row r="2">'
        + cell("A2", "=cmd|' /C calc'!A0")
        + b'<c r="B2"><f>1+1</f><v>2</v></c></row>'
    )
    path.write_bytes(workbook(claim + HEAD + row + CLOSE, xl__vbaProject__bin=b"macro"))
    assert reading.look(path).sample == [["=cmd|' /C calc'!A0", "2"]]


def test_long_cells_are_told(tmp_path: Path):
    path = tmp_path / "daftar"
    path.write_bytes(b"NIK;Nama\n1;" + b"x" * 5_000_000 + b"\n2;Budi\n")
    layout = reading.look(path)
    with pytest.raises(UnreadableFileError, match="Berkas CSV tidak bisa dibaca"):
        reading.stage(path, layout, tmp_path / "staged", tmp_path, lambda *_a: None, 100)


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_refused(name: str):
    def upload() -> SimpleUploadedFile:
        return SimpleUploadedFile(name, NO_PICTURES[name])

    with pytest.raises(UnusablePictureError, match=r"Foto|foto"):
        clean_jpeg(upload())
    with pytest.raises(Exception, match="tidak dapat dilampirkan"):
        check(upload())
    with pytest.raises(AttachmentError):
        prepare(upload())


def test_the_door_for_photos_answers(client_for: Callable[..., Any], make_household: Any):
    client, home = client_for(Role.SECRETARIAT), make_household()
    address = reverse("registry:add_photo", args=[home.pk])
    for name, content in NO_PICTURES.items():
        answer = client.post(address, {"file": SimpleUploadedFile(name, content), "caption": "a"})
        assert answer.status_code == 422, name
    assert not home.photos.exists()


def test_what_hides_in_a_picture_is_gone():
    kept = check(SimpleUploadedFile("foto.jpg", jpeg() + SCRIPT + workbook(OPEN + CLOSE)))
    assert kept.media_type == "image/jpeg"
    assert SCRIPT not in kept.content
    assert b"PK\x03\x04" not in kept.content


def test_documents_with_macros_are_refused():
    content = workbook(OPEN + HEAD + CLOSE, **{"xl__vbaProject.bin": b"macro"})
    for name in ("laporan.xlsx", "laporan.xlsm"):
        with pytest.raises(Exception, match="makro"):
            check(SimpleUploadedFile(name, content))
        with pytest.raises(AttachmentError, match="makro"):
            prepare(SimpleUploadedFile(name, content))


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\a.exe",
        "a\r\nSet-Cookie: b",
        "foto\u202egpj.exe",
        "a\0b",
        "." * 300,
    ],
)
def test_file_names_lead_nowhere(name: str):
    upload = SimpleUploadedFile("foto.jpg", jpeg())
    upload._name = name
    for kept in (check(upload).name, prepare_again(upload).name):
        assert kept.endswith(".jpg")
        assert not set(kept) & set('/\\\r\n\0\u202e"')
        assert len(kept) < 120


def prepare_again(upload: SimpleUploadedFile) -> Any:
    upload.seek(0)
    return prepare(upload)


# Random damage


XLSX, CSV, JPEG = xlsx_bytes([MAN, [dt.date(2026, 1, 1), 1.5]]), csv_bytes([MAN]), jpeg()
CHANGES = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from("replace insert cut".split()), st.binary(max_size=6)
    ),
    min_size=1,
    max_size=8,
)


def damaged(content: bytes, changes: list[tuple[float, str, bytes]]) -> bytes:
    for where, how, new in changes:
        at = int(where * len(content))
        end = at + (0 if how == "insert" else len(new) if how == "replace" else 40)
        content = content[:at] + new + content[end:]
    return content


def repacked(changes: list[tuple[float, str, bytes]]) -> Iterator[bytes]:
    """Yield the workbook with one part damaged, in an archive that is whole."""
    with zipfile.ZipFile(io.BytesIO(XLSX)) as source:
        for damage in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                for name in source.namelist():
                    content = source.read(name)
                    archive.writestr(name, damaged(content, changes) if name == damage else content)
            yield out.getvalue()


@given(changes=CHANGES)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_random_damage_is_told_in_our_words(changes: list[tuple[float, str, bytes]]):
    with tempfile.TemporaryDirectory() as place:
        path, target = Path(place) / "daftar", Path(place) / "staged.parquet"
        for content in (damaged(XLSX, changes), damaged(CSV, changes), *repacked(changes)):
            path.write_bytes(content)
            try:
                layout = reading.look(path)
                reading.stage(path, layout, target, Path(place), lambda *_a: None, 1000)
            except UnreadableFileError as error:
                assert str(error)
    try:
        clean_jpeg(SimpleUploadedFile("foto.jpg", damaged(JPEG, changes)))
    except UnusablePictureError as error:
        assert str(error)


def test_limits_let_real_lists_through(tmp_path: Path):
    path = tmp_path / "daftar.xlsx"
    path.write_bytes(xlsx_bytes([MAN] * 300))
    assert 0 < guarding.table_size(path) <= 301 * 12 < guarding.MAX_TABLE
    assert reading.fits_in_memory(path)
