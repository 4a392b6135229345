"""The Excel layout of the tree of programs: one row a sub-activity, one column a source of money.

:func:`write` makes the file that :func:`read` takes back. Cells never become formulas: text is stored
as text.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.imports.reading import UnreadableFileError, is_workbook, sheet_names, xlsx_rows
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import FundingSource, HelpKind, Recipient, Strategy
from guyub.ui.languages import in_every_language

MAX_ROWS = 5_000
# Of XML, which the reader holds whole: read while somebody waits for the page.
MAX_UNPACKED = 60 * 1024 * 1024
HEAD_ROWS = 20
SPARE_ROWS = 500  # below the last row, where the choices are offered too
DATE = "dd/mm/yyyy"
MONEY = "#,##0"
INTEGER = "0"
TEXT = "@"


@dataclass(frozen=True)
class Column:
    """A column: ``key`` in the code, ``heading`` in the file, what to write in it."""

    key: str
    heading: Any
    width: int
    note: Any
    format: str = TEXT
    choices: Any = None
    required: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("id", gettext_lazy("ID"), 8, gettext_lazy("Nomor dari Guyub. Jangan diubah; kosongkan untuk sub kegiatan baru."), INTEGER),
    Column("agency", gettext_lazy("Perangkat daerah"), 18, gettext_lazy("Singkatan, nama atau kodenya dalam Guyub."), required=True),
    Column("year", gettext_lazy("Tahun"), 8, gettext_lazy("Tahun anggaran, misalnya 2026."), INTEGER, required=True),
    Column("program_code", gettext_lazy("Kode program"), 13, gettext_lazy("Misalnya 1.04.04. Boleh kosong.")),
    Column("program", gettext_lazy("Program"), 34, gettext_lazy("Nama program. Bila kodenya belum ada, program ini dibuat."), required=True),
    Column("mission", gettext_lazy("Misi"), 6, gettext_lazy("Nomor misi daerah. Untuk program yang sudah ada, ubah di halamannya."), INTEGER),
    Column("activity_code", gettext_lazy("Kode kegiatan"), 15, gettext_lazy("Misalnya 1.04.04.2.01. Boleh kosong.")),
    Column("activity", gettext_lazy("Kegiatan"), 34, gettext_lazy("Nama kegiatan. Bila belum ada, kegiatan ini dibuat."), required=True),
    Column("code", gettext_lazy("Kode sub kegiatan"), 20, gettext_lazy("Misalnya 1.04.04.2.01.0003. Boleh kosong.")),
    Column("name", gettext_lazy("Sub kegiatan"), 44, gettext_lazy("Nama sub kegiatan."), required=True),
    Column("description", gettext_lazy("Uraian"), 40, gettext_lazy("Apa yang dikerjakan.")),
    Column("strategy", gettext_lazy("Strategi"), 28, gettext_lazy("Pilih dari daftar."), choices=Strategy, required=True),
    Column("help_kind", gettext_lazy("Bentuk bantuan"), 28, gettext_lazy("Pilih dari daftar."), choices=HelpKind, required=True),
    Column("recipient", gettext_lazy("Penerima"), 20, gettext_lazy("Pilih dari daftar. Kosong berarti keluarga."), choices=Recipient),
    Column("desil_min", gettext_lazy("Desil dari"), 10, gettext_lazy("1 sampai 10; 1 paling miskin. Kosong berarti tidak dibatasi."), INTEGER),
    Column("desil_max", gettext_lazy("Desil sampai"), 12, gettext_lazy("1 sampai 10. Kosong berarti tidak dibatasi."), INTEGER),
    Column("target_note", gettext_lazy("Ciri sasaran"), 30, gettext_lazy("Ciri lain keluarga atau orangnya.")),
    Column("quota", gettext_lazy("Kuota"), 10, gettext_lazy("Banyaknya penerima."), MONEY),
    Column("starts_on", gettext_lazy("Mulai"), 12, gettext_lazy("Tanggal dalam tahun anggaran, misalnya 01/02/2026. Kosong berarti 1 Januari."), DATE),
    Column("ends_on", gettext_lazy("Selesai"), 12, gettext_lazy("Tanggal dalam tahun anggaran. Kosong berarti 31 Desember."), DATE),
    Column("areas", gettext_lazy("Wilayah"), 40, gettext_lazy("Kode atau nama kecamatan dan desa, dipisah titik koma. Kosong berarti seluruh kabupaten.")),
    *(
        Column(source.value, source.label, 18, gettext_lazy("Rupiah dari sumber ini, tanpa sen. Kosong berarti tidak ada."), MONEY)
        for source in FundingSource
    ),
    Column("remark", gettext_lazy("Keterangan"), 16, gettext_lazy("Hanya untuk dibaca. Pembatalan dilakukan di halaman sub kegiatan.")),
)  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}


def heading(key: str) -> str:
    """Return what a column is called in the file."""
    return str(BY_KEY[key].heading)


def row_of(
    sub: SubActivity, fundings: dict[str, int], areas: Sequence[Area]
) -> dict[str, str | int | dt.date | None]:
    """Return a sub-activity as a row of the file, by key of the column."""
    activity, program = sub.activity, sub.activity.program
    return {
        "id": sub.pk,
        "agency": str(sub.agency),
        "year": sub.year,
        "program_code": program.code,
        "program": program.name,
        "mission": program.mission.number if program.mission is not None else None,
        "activity_code": activity.code,
        "activity": activity.name,
        "code": sub.code,
        "name": sub.name,
        "description": one_kind_of_line_end(sub.description),
        "strategy": sub.get_strategy_display(),  # type: ignore[attr-defined]
        "help_kind": sub.get_help_kind_display(),  # type: ignore[attr-defined]
        "recipient": sub.get_recipient_display(),  # type: ignore[attr-defined]
        "desil_min": sub.desil_min,
        "desil_max": sub.desil_max,
        "target_note": sub.target_note,
        "quota": sub.quota,
        "starts_on": sub.starts_on,
        "ends_on": sub.ends_on,
        "areas": "; ".join(f"{area.code} {area.name}" for area in areas),
        **{source.value: fundings.get(source.value) or None for source in FundingSource},
        "remark": _("Dibatalkan") if sub.is_cancelled else "",
    }


def one_kind_of_line_end(text: str) -> str:
    """Return text as Excel breaks its lines; browsers send two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def rows_of(sub_activities: Iterable[SubActivity]) -> Iterator[dict[str, Any]]:
    """Yield rows for sub-activities whose fundings and areas are prefetched."""
    for sub in sub_activities:
        fundings = {f.source: f.amount for f in sub.fundings.all()}  # type: ignore[attr-defined]
        yield row_of(sub, fundings, sorted(sub.areas.all(), key=lambda area: area.code))


def write(path: Path, rows: Iterable[dict[str, Any]], about: Sequence[tuple[str, str]]) -> int:
    """Write an Excel file of ``rows``; return how many. ``about`` stands on its second sheet.

    Without rows the file is the empty form.
    """
    # Imported late: it takes a while, and few requests write workbooks.
    import xlsxwriter

    options = {
        "strings_to_numbers": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        page = book.add_worksheet(_("Program"))
        styles = {
            name: book.add_format({"num_format": name}) for name in (TEXT, INTEGER, MONEY, DATE)
        }
        bold = book.add_format({"bold": True, "bg_color": "#E3F1EF", "text_wrap": True})
        page.freeze_panes(1, 0)
        for place, column in enumerate(COLUMNS):
            page.set_column(place, place, column.width, styles[column.format])
            page.write_string(0, place, str(column.heading), bold)
        count = 0
        for count, row in enumerate(rows, start=1):
            for place, column in enumerate(COLUMNS):
                value, style = row[column.key], styles[column.format]
                if value is None or value == "":
                    continue
                if isinstance(value, dt.date):
                    page.write_datetime(count, place, dt.datetime.combine(value, dt.time()), style)
                elif isinstance(value, int):
                    page.write_number(count, place, value, style)
                else:
                    page.write_string(count, place, str(value), style)
        _write_notes(book, about, bold)
        _write_choices(book, page, count + SPARE_ROWS, bold)
        page.autofilter(0, 0, max(count, 1), len(COLUMNS) - 1)
        page.activate()
    return count


def _write_notes(book: Any, about: Sequence[tuple[str, str]], bold: Any) -> None:
    page = book.add_worksheet(_("Petunjuk"))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    page.set_column(0, 0, 24, wrapped)
    page.set_column(1, 1, 90, wrapped)
    line = 0
    for label, value in about:
        page.write_string(line, 0, label, bold)
        page.write_string(line, 1, value, wrapped)
        line += 1
    line += 1
    page.write_string(line, 0, _("Kolom"), bold)
    page.write_string(line, 1, _("Cara mengisi"), bold)
    for column in COLUMNS:
        line += 1
        note = str(column.note)
        page.write_string(line, 0, str(column.heading), wrapped)
        page.write_string(
            line, 1, f"{note} {_('Wajib diisi.')}" if column.required else note, wrapped
        )


def _write_choices(book: Any, page: Any, last_row: int, bold: Any) -> None:
    """Write the lists of choices on a sheet of their own and offer them in their columns."""
    name = _("Pilihan")
    lists = book.add_worksheet(name)
    lists.set_column(0, 8, 34)
    offered = [
        (place, str(column.heading), [str(label) for label in column.choices.labels])
        for place, column in enumerate(COLUMNS)
        if column.choices is not None
    ]
    agencies = [str(agency) for agency in Agency.objects.filter(is_active=True)]
    if agencies:
        offered.append(([c.key for c in COLUMNS].index("agency"), heading("agency"), agencies))
    for position, (place, title, values) in enumerate(offered):
        lists.write_string(0, position, title, bold)
        for line, value in enumerate(values, start=1):
            lists.write_string(line, position, value)
        letter = chr(ord("A") + position)
        page.data_validation(
            1,
            place,
            last_row,
            place,
            {
                "validate": "list",
                "source": f"='{name}'!${letter}$2:${letter}${len(values) + 1}",
                "error_type": "warning",
                "error_title": _("Tidak ada dalam daftar"),
                "error_message": _("Pilih salah satu dari daftar."),
            },
        )
    lists.write_string(0, len(offered), heading("areas"), bold)
    areas = Area.objects.filter(level__in=[Level.DISTRICT, Level.VILLAGE])
    for line, area in enumerate(areas, start=1):
        lists.write_string(line, len(offered), f"{area.code} {area.name}")


@dataclass(frozen=True)
class Sheet:
    """What a file holds: the keys of its columns and its rows, with Excel's row numbers."""

    keys: frozenset[str]
    rows: list[tuple[int, dict[str, str]]]


def read(path: Path) -> Sheet:
    """Read a file in this layout, its columns in any order, other columns passed over.

    Raises:
        UnreadableFileError: it is no Excel file, has no such table or a required column is missing.
    """
    if not is_workbook(path):
        raise UnreadableFileError(_("Berkas ini bukan Excel (.xlsx)."))
    if _unpacked_size(path) > MAX_UNPACKED:
        raise UnreadableFileError(_("Isi berkas ini terlalu besar untuk daftar program."))
    missing: list[str] = []
    for name in sheet_names(path)[:10]:
        found = _read_sheet(xlsx_rows(path, name))
        if isinstance(found, Sheet):
            return found
        if found and (not missing or len(found) < len(missing)):
            missing = found
    if missing:
        raise UnreadableFileError(
            _("Kolom ini tidak ada: %(names)s. Pakai templat dari Guyub dan jangan ganti judulnya.")
            % {"names": ", ".join(missing)}
        )
    raise UnreadableFileError(
        _("Berkas ini tidak berisi tabel program. Unduh templatnya, lalu isi di sana.")
    )


def _unpacked_size(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableFileError(
            _("Berkas Excel rusak atau tidak lengkap. Simpan ulang di Excel, lalu unggah lagi.")
        ) from error


def _read_sheet(rows: Iterator[list[str]]) -> Sheet | list[str]:
    """Return the table of a sheet; the headings it lacks when it is nearly one; ``[]`` if no table."""
    titles = {
        _plain(title): column.key
        for column in COLUMNS
        for title in in_every_language(column.heading)
    }
    places: dict[int, str] = {}
    found: list[tuple[int, dict[str, str]]] = []
    for number, row in enumerate(rows, start=1):
        if not places:
            places = {
                i: titles[_plain(cell)] for i, cell in enumerate(row) if _plain(cell) in titles
            }
            if len(places) < 4:
                places = {}
                if number >= HEAD_ROWS:
                    return []
                continue
            missing = [
                str(column.heading)
                for column in COLUMNS
                if column.required and column.key not in places.values()
            ]
            if missing:
                return missing
            continue
        cells = {key: row[i].strip() for i, key in places.items() if i < len(row)}
        if any(cells.values()):
            found.append((number, cells))
        if len(found) > MAX_ROWS:
            raise UnreadableFileError(
                _("Berkas berisi lebih dari %(limit)d baris. Bagi per perangkat daerah.")
                % {"limit": MAX_ROWS}
            )
    return Sheet(frozenset(places.values()), found) if places else []


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
