"""A survey of another agency as KoboToolbox has it, to be tried: the XLSForm and an export of twelve answers.

The households are synthetic ones of the demo; two rows are wrong on purpose.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from random import Random
from typing import Any

from guyub.fieldwork.models import FormVersion
from guyub.fieldwork.services import keep_form
from guyub.fieldwork.xlsform import read_file
from guyub.registry.models import Household
from guyub.registry.vocabulary import Floor, Wall

FORM, EXPORT = "formulir-survei-rumah.xlsx", "kiriman-kobo-survei-rumah.xlsx"
VERSION = "2026081501"
NAMESPACE = uuid.UUID("9d0a8d34-3f70-4c55-8f0a-6a7f5c5c2f11")
SURVEY = [
    ["type", "name", "label::Bahasa Indonesia (id)", "label::English (en)", "hint::Bahasa Indonesia (id)",
     "required", "relevant", "constraint", "constraint_message::Bahasa Indonesia (id)", "calculation", "guyub"],
    ["start", "mulai"],
    ["end", "selesai"],
    ["begin_group", "keluarga", "Keluarga", "Household"],
    ["text", "kk", "Nomor KK", "Family card number", "16 digit, seperti pada kartu.", "yes", "",
     "regex(., '[0-9]{16}')", "Nomor KK terdiri dari 16 angka.", "", "household.kk"],
    ["text", "desa", "Kode desa/kelurahan", "Village code", "", "", "", "", "", "", "area.village"],
    ["end_group"],
    ["begin_group", "rumah", "Rumah", "House"],
    ["select_one lantai", "lantai", "Lantai terluas", "Floor", "", "yes", "", "", "", "", "household.floor"],
    ["select_one dinding", "dinding", "Dinding terluas", "Walls", "", "yes", "", "", "", "", "household.wall"],
    ["decimal", "luas", "Luas lantai (m²)", "Floor area (m²)", "", "", "", ". > 0 and . < 1000",
     "Isi antara 1 dan 1.000."],
    ["image", "foto", "Foto rumah dari depan", "Photo of the house", "", "", "", "", "", "", "household.photo"],
    ["geopoint", "lokasi", "Lokasi rumah", "Location", "", "", "", "", "", "", "household.location"],
    ["end_group"],
    ["begin_repeat", "anggota", "Anggota keluarga", "Member"],
    ["text", "nama", "Nama panggilan", "Name"],
    ["integer", "umur", "Umur (tahun)", "Age", "", "", "", ". >= 0 and . < 120", "Isi umur dalam tahun."],
    ["end_repeat"],
    ["calculate", "banyak", "", "", "", "", "", "", "", "count(${anggota})"],
    ["decimal", "luas_per_orang", "Luas per orang", "Area per person", "", "", "${luas} > 0", "", "",
     "round(${luas} div ${banyak}, 1)"],
]  # fmt: skip
HEAD = ["mulai", "selesai", "keluarga/kk", "keluarga/desa", "rumah/lantai", "rumah/dinding", "rumah/luas",
        "rumah/lokasi", "banyak", "luas_per_orang", "__version__", "_uuid", "_submission_time", "_index"]  # fmt: skip
MEMBERS = ("Sari", "Budi", "Ani", "Darto", "Wati", "Jono")


def _write(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    # Imported late: listing the commands loads this module.
    import xlsxwriter

    options = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            page.set_column(0, len(rows[0]), 20)
            for line, row in enumerate(rows):
                page.write_row(line, 0, row)


def _choices() -> list[list[Any]]:
    rows = [["list_name", "name", "label::Bahasa Indonesia (id)"]]
    for name, values in (("lantai", Floor), ("dinding", Wall)):
        rows += [[name, code, str(label)] for code, label in values.choices]
    return rows


def write_field_samples(folder: Path, actor: Any, seed: int = 1) -> FormVersion:
    """Write the two files into ``folder`` and keep the form."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = [
        ["form_title", "form_id", "version", "default_language"],
        ["Survei rumah (KoboToolbox)", "survei_rumah_kobo", VERSION, "Bahasa Indonesia (id)"],
    ]
    _write(folder / FORM, {"survey": SURVEY, "choices": _choices(), "settings": settings})
    _write(folder / EXPORT, _export(Random(seed)))  # noqa: S311
    definition = read_file(folder / FORM).definition
    assert definition is not None
    return keep_form(definition.as_json(), actor=actor)


def _export(random: Random) -> dict[str, list[list[Any]]]:
    rows: list[list[Any]] = [HEAD]
    members: list[list[Any]] = [
        ["anggota/nama", "anggota/umur", "_index", "_parent_table_name", "_parent_index"]
    ]
    homes = Household.objects.filter(desil__lte=2, merged_into=None).select_related("village")
    for number, home in enumerate(homes.order_by("pk")[:12], start=1):
        count = random.randint(1, 4)
        area = random.randint(18, 60)
        for name in random.sample(MEMBERS, count):
            members.append([name, random.randint(1, 70), len(members), "survei", number])
        floor, wall = random.choice(Floor.values), random.choice(Wall.values)
        start = f"2026-08-{14 + number:02d}T09:{number:02d}:00.000+07:00"
        rows.append([
            start, start.replace("T09", "T10"), home.kk, home.village.code,
            "marmer emas" if number == 5 else floor, wall, "luas" if number == 9 else area,
            f"-7.{random.randint(350, 520)} 109.{random.randint(100, 380)} 75 5", count,
            round(area / count, 1), VERSION, str(uuid.uuid5(NAMESPACE, str(number))),
            start[:19].replace("T09", "T03"), number,
        ])  # fmt: skip
    return {"survei": rows, "anggota": members}
