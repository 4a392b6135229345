"""Sample files such as agencies send them, to try an import with.

Their people are partly the registry's, with some values changed, and partly new.
"""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from guyub.areas.services import DATA as AREA_DATA
from guyub.demo.population import write_population
from guyub.registry import vocabulary as v

Row = dict[str, Any]


@dataclass(frozen=True)
class SampleFile:
    """One file: its name, the dataset it is for, and what it shows."""

    name: str
    dataset: str
    shows: Any


DTKS = SampleFile(
    "dtks-satu-kecamatan.csv",
    "dtks",
    _("CSV tata letak DTKS; semua kolom dikenali sendiri"),
)
P3KE = SampleFile(
    "p3ke-satu-kecamatan.xlsx",
    "p3ke",
    _("Excel tata letak P3KE; sebagian nilai berbeda dari registri"),
)
HOUSES = SampleFile(
    "usulan-rtlh-dinperkim.xlsx",
    "rtlh",
    _("Excel buatan dinas: judul, kepala tabel dua baris, sel gabungan, dan beberapa baris salah"),
)
LATRINES = SampleFile(
    "penerima-jamban-nik-angka.xlsx",
    "rtlh",
    _("Kolom NIK tersimpan sebagai angka, sehingga semua barisnya ditolak"),
)
SAMPLE_FILES = (DTKS, P3KE, HOUSES, LATRINES)
MONTHS = (
    "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
).split()


def write_sample_files(folder: Path, reference: Path, seed: int = 1) -> list[Path]:
    """Write :data:`SAMPLE_FILES` into ``folder`` and return their paths.

    ``reference`` is a list in the flat form (Parquet); the files take most of their people from its
    best represented district.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory() as scratch:
        strangers = Path(scratch) / "strangers.parquet"
        write_population(strangers, 3000, seed + 7_000)
        people = _People(reference, strangers)
    with translation.override("id"):
        _write_dtks(folder / DTKS.name, people)
        _write_p3ke(folder / P3KE.name, people)
        _write_houses(folder / HOUSES.name, people)
        _write_latrines(folder / LATRINES.name, people)
    (folder / "BACA-SAYA.txt").write_text(_read_me(), encoding="utf-8")
    return [folder / sample.name for sample in SAMPLE_FILES]


def _read_me() -> str:
    lines = [
        "Contoh berkas untuk mencoba menu Impor. Semua orang di dalamnya rekaan.",
        "Semuanya hanya memuat sebagian daftar: pada cakupan berkas, pilih Tambahan/perubahan.",
        "",
    ]
    with translation.override("id"):
        for sample in SAMPLE_FILES:
            lines += [f"{sample.name} (dataset: {sample.dataset})", f"    {sample.shows}", ""]
    return "\n".join(lines)


class _People:
    """People known to the registry and strangers, as rows of the flat form with names of places."""

    def __init__(self, reference: Path, strangers: Path) -> None:
        with (AREA_DATA / "banyumas.csv").open(encoding="utf-8") as file:
            self.names = {row["code"]: row["name"] for row in csv.DictReader(file)}
        with duckdb.connect() as db:
            db.read_parquet(str(reference)).create_view("known")
            db.read_parquet(str(strangers)).create_view("stranger")
            self.district = db.execute(
                "SELECT left(village, 8) AS district FROM known GROUP BY ALL "
                "ORDER BY count(*) DESC, district LIMIT 1"
            ).fetchall()[0][0]
            poor = (
                "household_status = 'active' AND person_status = 'active' "
                # A small demo has too few in one district.
                "ORDER BY left(village, 8) <> ?, desil, kk, relation <> 'head', birth_date LIMIT ?"
            )
            self.known = self._rows(db, f"FROM known WHERE {poor}", [self.district, 900])
            db.execute(
                "CREATE VIEW unknown AS FROM stranger WHERE kk NOT IN (SELECT kk FROM stranger WHERE "
                "nik IN (SELECT nik FROM known) OR kk IN (SELECT kk FROM known))"
            )
            self.new = self._rows(db, f"FROM unknown WHERE {poor}", [self.district, 120])

    def _rows(self, db: duckdb.DuckDBPyConnection, source: str, values: list[Any]) -> list[Row]:
        result = db.execute(f"SELECT * {source}", values)
        names = [column[0] for column in result.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        for row in rows:
            row["village_name"] = self.names[row["village"]]
            row["district_name"] = self.names[row["village"][:8]]
        return rows


def _label(choices: Any, code: str | None) -> str:
    return str(choices(code).label) if code else ""


def _yes(value: bool | None) -> str:
    return "" if value is None else "Ya" if value else "Tidak"


def _write_dtks(path: Path, people: _People) -> None:
    headings = (
        "IDDTKS NAMA_KABUPATEN NAMA_KECAMATAN NAMA_KELURAHAN ALAMAT DUSUN NO_RT NO_RW NOKK NIK NAMA "
        "JENIS_KELAMIN TMP_LAHIR TGL_LAHIR HUB_KRT PEKERJAAN"
    ).split()
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(headings)
        for number, row in enumerate(people.known[:600] + people.new[:60], start=1):
            # Lists of that time wrote streets otherwise.
            address = (row["address"] or "").upper()
            if number % 9 == 0:
                address = address.replace("JL.", "JALAN").replace("GG.", "GANG")
            writer.writerow(
                [
                    f"{number:08d}", "BANYUMAS", row["district_name"].upper(),
                    row["village_name"].upper(), address, (row["hamlet"] or "").upper(),
                    row["rt"], row["rw"], row["kk"], row["nik"], row["name"].upper(),
                    "L" if row["sex"] == "M" else "P", (row["birth_place"] or "").upper(),
                    f"{row['birth_date']:%d-%m-%Y}",
                    _label(v.Relation, row["relation"]).upper(),
                    _label(v.Work, row["work"]).upper(),
                ]
            )  # fmt: skip


def _write_p3ke(path: Path, people: _People) -> None:
    # Imported late: listing the commands loads this module.
    import xlsxwriter

    columns = {
        "No": lambda n, r: n,
        "Kabupaten/Kota": lambda n, r: "Banyumas",
        "Kecamatan": lambda n, r: r["district_name"],
        "Desa/Kelurahan": lambda n, r: r["village_name"],
        "Kode Kemendagri": lambda n, r: r["village"],
        "Alamat": lambda n, r: r["address"],
        "Nomor KK": lambda n, r: r["kk"],
        "NIK": lambda n, r: r["nik"],
        "Nama": lambda n, r: r["name"],
        "Hubungan dengan Kepala Keluarga": lambda n, r: _label(v.Relation, r["relation"]),
        "Jenis Kelamin": lambda n, r: _label(v.Sex, r["sex"]),
        "Tanggal Lahir": lambda n, r: f"{r['birth_date']:%Y-%m-%d}",
        "Pekerjaan": lambda n, r: _label(v.Work, r["work"]),
        "Pendidikan": lambda n, r: _label(v.Schooling, r["schooling"]),
        # The agency ranked some families otherwise.
        "Desil Kesejahteraan": lambda n, r: min(10, r["desil"] + (int(r["kk"]) % 7 == 0)),
        "Miskin Ekstrem": lambda n, r: _yes(r["extreme_poor"]),
        "Kepemilikan Rumah": lambda n, r: _label(v.Ownership, r["ownership"]),
        "Jenis Atap": lambda n, r: _label(v.Roof, r["roof"]),
        "Jenis Dinding": lambda n, r: _label(v.Wall, r["wall"]),
        "Jenis Lantai": lambda n, r: (
            "Semen" if int(r["kk"]) % 11 == 0 else _label(v.Floor, r["floor"])
        ),
        "Sumber Penerangan": lambda n, r: _label(v.Electricity, r["electricity"]),
        "Sumber Air Minum": lambda n, r: _label(v.Water, r["water"]),
        "Fasilitas Buang Air Besar": lambda n, r: _label(v.Sanitation, r["sanitation"]),
    }
    workbook = xlsxwriter.Workbook(str(path))
    sheet = workbook.add_worksheet("P3KE")
    heading = workbook.add_format({"bold": True, "bg_color": "#DDE7E1", "border": 1})
    sheet.write_row(0, 0, list(columns), heading)
    sheet.set_column(3, len(columns), 18)
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(people.known[:400] + people.new[60:90], start=1):
        for column, value in enumerate(columns.values()):
            sheet.write(number, column, value(number, row))
    workbook.close()


def _in_words(date: dt.date) -> str:
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


# What is wrong in the agency's file: the row among the data, counted from 0, and what it gets.
FAULTS = {
    4: "nik in scientific notation",
    9: "nik of 15 digits",
    14: "birth date that disagrees with the nik",
    19: "unknown village",
    24: "the same nik as an earlier row",
    29: "impossible date",
    34: "sex that disagrees with the nik",
    39: "no nik",
    44: "unknown answer",
}


def _spoil(number: int, row: Row, rows: list[Row]) -> None:
    """Put the mistake of :data:`FAULTS` into one row, as it is about to be written."""
    match FAULTS.get(number):
        case "nik in scientific notation":
            row["nik"] = f"{int(row['nik']):.2E}"
        case "nik of 15 digits":
            row["nik"] = row["nik"][:-1]
        case "birth date that disagrees with the nik":
            row["born"] = _in_words(
                row["birth_date"].replace(day=1, year=row["birth_date"].year - 3)
            )
        case "unknown village":
            row["village_name"] = "Karangentah"
        case "the same nik as an earlier row":
            row["nik"] = rows[2]["nik"]
            row |= {name: rows[2][name] for name in ("sex", "birth_date", "kk", "born")}
        case "impossible date":
            row["born"] = "31 Februari 1980"
        case "sex that disagrees with the nik":
            row["sex"] = "F" if row["sex"] == "M" else "M"
        case "no nik":
            row["nik"] = ""
        case "unknown answer":
            row["floor_text"] = "Lumayan"


def _heads(people: _People, known: int, new: int) -> list[Row]:
    heads = [row for row in people.known if row["relation"] == "head"][:known]
    heads += [row for row in people.new if row["relation"] == "head"][:new]
    rows = [dict(row) for row in heads]
    for row in rows:
        row["born"] = _in_words(row["birth_date"])
        row["floor_text"] = _label(v.Floor, row["floor"])
    return rows


def _write_houses(path: Path, people: _People) -> None:
    """Write the list as an agency lays it out to print it: a title, and headings in two rows."""
    import xlsxwriter

    workbook = xlsxwriter.Workbook(str(path))
    cover = workbook.add_worksheet("Pengantar")
    cover.write(0, 0, "Dengan hormat, terlampir daftar usulan RTLH untuk dipadankan.")
    sheet = workbook.add_worksheet("Usulan RTLH")
    title = workbook.add_format({"bold": True, "align": "center", "font_size": 13})
    heading = workbook.add_format(
        {"bold": True, "align": "center", "valign": "vcenter", "border": 1, "bg_color": "#E8E2D2"}
    )
    date = workbook.add_format({"num_format": "dd/mm/yyyy"})
    sheet.merge_range("A1:P1", "DAFTAR USULAN RUMAH TIDAK LAYAK HUNI (RTLH)", title)
    sheet.merge_range("A2:P2", "DINAS PERUMAHAN DAN KAWASAN PERMUKIMAN", title)
    for column, name in enumerate(
        ("No", "Nama Kepala Keluarga", "NIK", "No. KK", "L/P", "Tgl Lahir")
    ):
        sheet.merge_range(3, column, 4, column, name, heading)
    sheet.merge_range(3, 6, 3, 8, "Alamat", heading)
    sheet.write_row(4, 6, ["Dusun", "RT", "RW"], heading)
    sheet.merge_range(3, 9, 4, 9, "Desa/Kelurahan", heading)
    sheet.merge_range(3, 10, 4, 10, "Kecamatan", heading)
    sheet.merge_range(3, 11, 3, 14, "Kondisi Rumah", heading)
    sheet.write_row(4, 11, ["Lantai", "Dinding", "Atap", "Jamban"], heading)
    sheet.merge_range(3, 15, 4, 15, "Keterangan", heading)
    sheet.set_column(1, 3, 22)
    sheet.set_column(5, 15, 17)

    rows = _heads(people, 70, 12)
    for number, row in enumerate(rows):
        _spoil(number, row, rows)
        line = 5 + number
        sheet.write_row(
            line,
            0,
            [
                number + 1, row["name"], row["nik"], row["kk"], "L" if row["sex"] == "M" else "P",
                row["born"], row["hamlet"] or "", row["rt"], row["rw"], row["village_name"],
                row["district_name"], row["floor_text"], _label(v.Wall, row["wall"]),
                _label(v.Roof, row["roof"]), _label(v.Sanitation, row["sanitation"]),
                "Usulan baru" if number % 5 == 0 else "",
            ],
        )  # fmt: skip
        if number % 6 == 1 and number not in FAULTS:
            # Some typed a date that Excel knows as one.
            sheet.write_datetime(line, 5, dt.datetime.combine(row["birth_date"], dt.time()), date)
    workbook.close()


def _write_latrines(path: Path, people: _People) -> None:
    import xlsxwriter

    workbook = xlsxwriter.Workbook(str(path))
    sheet = workbook.add_worksheet("Penerima")
    whole = workbook.add_format({"num_format": "0"})
    sheet.write_row(0, 0, ["NIK", "Nama Penerima", "Desa", "Kecamatan", "Jamban"])
    sheet.set_column(0, 3, 22)
    for number, row in enumerate(_heads(people, 40, 0), start=1):
        # Excel keeps fifteen digits of a number and puts a zero for the sixteenth.
        sheet.write_number(number, 0, int(row["nik"]) // 10 * 10, whole)
        sheet.write_row(
            number, 1, [row["name"], row["village_name"], row["district_name"], "Jamban sendiri"]
        )
    workbook.close()
