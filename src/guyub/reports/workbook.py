"""The Excel workbook in which an agency fills in all its reports of a period at once.

It goes out with what is known already and comes back with the figures. :func:`read` compares each row
with the report it is about, and writes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.imports.reading import UnreadableFileError, fits_in_memory, look
from guyub.reports import queries, services
from guyub.reports.amounts import AmountError, read_count, read_percent, read_rupiah
from guyub.reports.models import Report, ReportState
from guyub.reports.services import Figures

MAX_BYTES = 10 * 1024 * 1024
MOST_ROWS = 5000
SHEET = "Laporan"
# Headings are not translated: a workbook must be understood whatever language its reader chose.
KEY, VERSION = "Nomor laporan", "Versi"
PHYSICAL, BUDGET, REACHED = "Realisasi fisik (%)", "Realisasi keuangan (Rp)", "Penerima manfaat"
NARRATIVE, EXPLANATION = "Uraian", "Penjelasan"
KNOWN = [
    KEY, VERSION, "Sub kegiatan", "Awal periode", "Akhir periode", "Batas waktu", "Keadaan",
    "Anggaran (Rp)", "Rencana fisik (%)", "Rencana keuangan (Rp)", "Penerima menurut penyaluran",
]  # fmt: skip
FILLED = [PHYSICAL, BUDGET, REACHED, NARRATIVE, EXPLANATION]
READERS = {
    PHYSICAL: ("physical", read_percent),
    BUDGET: ("budget", read_rupiah),
    REACHED: ("reached", read_count),
}
TEXTS = {NARRATIVE: ("narrative", 8000), EXPLANATION: ("explanation", 2000)}
COLUMN_OF = {name: heading for heading, (name, _read) in READERS.items()} | {
    name: heading for heading, (name, _most) in TEXTS.items()
}


class WorkbookError(Exception):
    """The file is no workbook of ours; the message tells the user what to do."""


@dataclass
class Checked:
    """What a workbook would change. ``faults`` say where, what stands there, and how to mend it."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    unchanged: int = 0

    def fault(self, row: int, column: str, value: Any, text: str) -> None:
        shown = "" if value is None else str(value)[:80]
        self.faults.append({"row": row, "column": column, "value": shown, "text": text})


def write(path: Path, reports: Sequence[Report], title: str) -> None:
    """Write a workbook of ``reports``, with what they say already."""
    # Imported late here and below: together they take a while, and few requests touch workbooks.
    import xlsxwriter

    ids = [report.sub_activity_id for report in reports]
    totals = queries.budgets(ids)
    reached: dict[dt.date, dict[int, tuple[int, int]]] = {}
    for end in {report.period_end for report in reports}:
        reached[end] = queries.delivered(
            [r.sub_activity_id for r in reports if r.period_end == end], end
        )
    options = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "bg_color": "#E3F1EF"})
        known = book.add_format({"text_wrap": True, "valign": "top", "bg_color": "#F5F7F6"})
        known_number = book.add_format({"num_format": "#,##0.##", "valign": "top",
                                        "bg_color": "#F5F7F6"})  # fmt: skip
        open_cell = book.add_format({"text_wrap": True, "valign": "top", "locked": False})
        open_number = book.add_format({"num_format": "#,##0.##", "valign": "top", "locked": False})
        page = book.add_worksheet(SHEET)
        page.freeze_panes(1, 3)
        page.set_row(0, 34)
        page.set_column(0, 1, 9)
        page.set_column(2, 2, 44)
        page.set_column(3, 13, 15)
        page.set_column(14, 15, 50)
        page.write_row(0, 0, [*KNOWN, *FILLED], bold)
        for line, report in enumerate(reports, start=1):
            values = [
                report.pk,
                report.version,
                report.sub_activity.name,
                f"{report.period_start:%d/%m/%Y}",
                f"{report.period_end:%d/%m/%Y}",
                f"{report.due_on:%d/%m/%Y}",
                str(report.get_state_display()),
                totals.get(report.sub_activity_id),
                report.planned_physical,
                report.planned_budget,
                reached[report.period_end].get(report.sub_activity_id, (0, 0))[0],
            ]
            for column, value in enumerate(values):
                _put(page, line, column, value, known, known_number)
            filled = [report.physical, report.budget, report.reached, report.narrative,
                      report.explanation]  # fmt: skip
            for column, value in enumerate(filled, start=len(values)):
                _put(page, line, column, value, open_cell, open_number)
        _explain(book.add_worksheet("Petunjuk"), title, bold)


def _put(page: Any, line: int, column: int, value: Any, text: Any, number: Any) -> None:
    if value is None or value == "":
        page.write_blank(line, column, None, text if column > 12 else number)
    elif isinstance(value, str):
        page.write_string(line, column, value, text)
    else:
        page.write_number(line, column, value, number)


def _explain(page: Any, title: str, bold: Any) -> None:
    page.set_column(0, 0, 100)
    page.write_string(0, 0, title, bold)
    for line, text in enumerate(
        (
            _("Isi kolom “Realisasi fisik” sampai “Penjelasan” pada lembar Laporan."),
            _("Semua angka kumulatif sejak awal tahun. Fisik dalam persen, keuangan dalam rupiah."),
            _("Penjelasan wajib bila angka turun dari laporan sebelumnya atau melebihi anggaran."),
            _("Jangan mengubah Nomor laporan dan Versi. Baris yang tidak diisi boleh dihapus."),
            _("Jangan menulis NIK atau nama penerima."),
        ),
        start=2,
    ):
        page.write_string(line, 0, text)


def _table(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a workbook by heading, with the row numbers that Excel shows.

    Raises:
        WorkbookError: it is no workbook of ours.
    """
    from python_calamine import CalamineWorkbook

    foreign = _(
        "Ini bukan buku kerja laporan dari Guyub. Unduh dahulu, isi, lalu unggah berkas itu."
    )
    if path.stat().st_size > MAX_BYTES:
        raise WorkbookError(_("Berkas lebih dari 10 MB; ini bukan buku kerja laporan dari Guyub."))
    try:
        layout = look(path, SHEET)
        if layout.kind != "xlsx" or SHEET not in layout.sheets:
            raise WorkbookError(foreign)
        if not fits_in_memory(path):
            raise WorkbookError(_("Barisnya terlalu banyak untuk buku kerja laporan."))
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(SHEET)
        first_row = (sheet.start or (0, 0))[0]
        rows = sheet.to_python(skip_empty_area=True)
    except UnreadableFileError as error:
        raise WorkbookError(str(error)) from error
    shares = _formatted_as_percent(path)
    headings: list[str] = []
    for number, row in enumerate(rows, start=first_row + 1):
        if not headings:
            found = [" ".join(str(cell).split()) for cell in row]
            if KEY in found:
                headings = found
                missing = [name for name in (VERSION, *FILLED) if name not in headings]
                if missing:
                    raise WorkbookError(
                        _("Kolom ini hilang: %(names)s. Unduh lagi buku kerjanya.")
                        % {"names": ", ".join(missing)}
                    )
            elif number > 20:
                break
            continue
        if number - first_row > MOST_ROWS:
            raise WorkbookError(_("Barisnya terlalu banyak untuk buku kerja laporan."))
        if any(str(cell).strip() for cell in row):
            cells: dict[str, Any] = dict(zip(headings, row, strict=False))
            if number in shares:
                cells[PHYSICAL] = shares[number]
            yield number, cells
    if not headings:
        raise WorkbookError(foreign)


def _formatted_as_percent(path: Path) -> dict[int, Decimal]:
    """Return the per cent of cells that Excel shows as such, by row: 0.45 with format ``0%`` is 45.

    Calamine does not tell how a cell is formatted. A workbook that openpyxl cannot read has none.
    """
    from openpyxl import load_workbook

    found: dict[int, Decimal] = {}
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception:
        return found
    try:
        column = 0
        for cells in book[SHEET].iter_rows(max_row=MOST_ROWS + 20):
            if not column:
                names = [" ".join(str(cell.value or "").split()) for cell in cells]
                column = names.index(PHYSICAL) + 1 if PHYSICAL in names else 0
                continue
            cell = next((cell for cell in cells if getattr(cell, "column", 0) == column), None)
            if cell is None or not isinstance(cell.value, int | float):
                continue
            if "%" in str(cell.number_format):
                found[int(cell.row or 0)] = Decimal(str(cell.value)) * 100
    finally:
        book.close()
    return found


def read(path: Path, agency_id: int, today: dt.date | None = None) -> Checked:
    """Compare a workbook with the reports of an agency.

    Rows that say what the report says already count as unchanged, even after the report moved on; so
    uploading the same file twice does nothing.

    Raises:
        WorkbookError: it is no workbook of ours.
    """
    today = today or timezone.localdate()
    table = list(_table(path))
    reports = {
        report.pk: report for report in queries.with_names().filter(sub_activity__agency=agency_id)
    }
    totals = queries.budgets({report.sub_activity_id for report in reports.values()})
    accepted: dict[int, list[Report]] = {}
    for known in sorted(reports.values(), key=lambda r: r.period_end):
        if known.state == ReportState.ACCEPTED:
            accepted.setdefault(known.sub_activity_id, []).append(known)
    checked, seen = Checked(), set()
    for number, cells in table:
        key = _whole(cells.get(KEY))
        report = reports.get(key) if key is not None else None
        if report is None:
            text = _("Tidak ada laporan perangkat daerah ini dengan nomor itu. Unduh lagi bukunya.")
            checked.fault(number, KEY, cells.get(KEY), text)
            continue
        if report.pk in seen:
            text = _("Nomor ini sudah ada di baris lain. Hapus salah satunya.")
            checked.fault(number, KEY, report.pk, text)
            continue
        seen.add(report.pk)
        figures = _figures(checked, number, cells)
        if figures is None:
            continue
        if figures in (Figures.of(report), Figures()):
            checked.unchanged += 1
            continue
        previous = [r for r in accepted.get(report.sub_activity_id, ())
                    if r.period_end < report.period_start]  # fmt: skip
        _compare(
            checked, number, cells, report, figures,
            previous[-1] if previous else None, totals.get(report.sub_activity_id, 0), today,
        )  # fmt: skip
    return checked


def _figures(checked: Checked, number: int, cells: dict[str, Any]) -> Figures | None:
    """Return what a row says; ``None`` after noting what can't be read."""
    values: dict[str, Any] = {}
    before = len(checked.faults)
    for heading, (name, reader) in READERS.items():
        try:
            values[name] = reader(cells.get(heading))
        except AmountError as error:
            checked.fault(number, heading, cells.get(heading), str(error))
    for heading, (name, most) in TEXTS.items():
        values[name] = str(cells.get(heading) or "").strip().replace("\r\n", "\n")
        if len(values[name]) > most:
            text = _("Terlalu panjang; paling banyak %(count)s huruf.") % {"count": most}
            checked.fault(number, heading, values[name], text)
    return Figures(**values) if len(checked.faults) == before else None


def _compare(
    checked: Checked,
    number: int,
    cells: dict[str, Any],
    report: Report,
    figures: Figures,
    previous: Report | None,
    total: int,
    today: dt.date,
) -> None:
    """Note a row that says something new as a change or as a fault."""
    state = str(report.get_state_display())
    if report.state == ReportState.SUBMITTED:
        text = _("Laporan ini sedang diperiksa Sekretariat; tunggu jawabannya.")
        checked.fault(number, KEY, state, text)
        return
    if report.state == ReportState.ACCEPTED:
        text = _("Laporan ini sudah diterima. Ajukan koreksi di halaman laporannya.")
        checked.fault(number, KEY, state, text)
        return
    if _whole(cells.get(VERSION)) != report.version:
        text = _("Laporan ini berubah sejak buku kerja diunduh. Unduh lagi, lalu isi yang baru.")
        checked.fault(number, VERSION, cells.get(VERSION), text)
        return
    wrong = services.problems(figures, previous=previous, total=total, complete=True)
    gaps = services.problems(figures, previous=previous, total=total, complete=False)
    for name, text in gaps.items():
        checked.fault(number, COLUMN_OF[name], cells.get(COLUMN_OF[name]), text)
    if gaps:
        return
    if today < report.period_end:
        wrong.setdefault("period", _("Periodenya belum selesai."))
    checked.rows.append(
        {
            "row": number,
            "report": report.pk,
            "version": report.version,
            "name": report.sub_activity.name,
            "period_end": f"{report.period_end:%d/%m/%Y}",
            "old": Figures.of(report).as_json(),
            "figures": figures.as_json(),
            # What stands in the way of handing it in; as a draft it may stay so.
            "lacks": [
                f"{COLUMN_OF[name]}: {text}" if name in COLUMN_OF else text
                for name, text in wrong.items()
            ],
        }
    )


def _whole(cell: Any) -> int | None:
    """Return a whole number from a cell that should hold one."""
    text = str(cell if cell is not None else "").strip()
    text = text[:-2] if text.endswith(".0") else text
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None
