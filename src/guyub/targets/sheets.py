"""Excel and CSV files of targets and realisation, and of published figures: out and in again.

Reading checks every row and tells of each fault where it is and how to mend it; only a file without
faults is written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.access.permissions import can
from guyub.datasets.exports import write_xlsx
from guyub.imports import reading
from guyub.imports.reading import Layout, UnreadableFileError
from guyub.targets.decimals import BadNumberError, parse_decimal
from guyub.targets.models import Indicator, IndicatorYear, Measure, PublishedFigure
from guyub.targets.services import YearRow, YearValues, check_year
from guyub.ui.languages import in_every_language

MOST_ROWS = 5000
MOST_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row; ``row_number`` counts as Excel does, 0 for the file as a whole."""

    row_number: int
    column: str
    message: str


# Column of the file: (heading, other headings that mean the same)
Columns = dict[str, tuple[Any, tuple[str, ...]]]

YEAR_COLUMNS: Columns = {
    "code": (gettext_lazy("Kode"), ("kode indikator", "code")),
    "name": (gettext_lazy("Indikator"), ("nama indikator", "nama")),
    "owner": (gettext_lazy("Penanggung jawab"), ("perangkat daerah",)),
    "unit": (gettext_lazy("Satuan"), ()),
    "year": (gettext_lazy("Tahun"), ("year",)),
    "target": (gettext_lazy("Target"), ()),
    "actual": (gettext_lazy("Realisasi"), ("capaian",)),
    "source": (gettext_lazy("Sumber realisasi"), ("sumber",)),
    "note": (gettext_lazy("Keterangan"), ("catatan",)),
}
FIGURE_COLUMNS: Columns = {
    "measure": (gettext_lazy("Ukuran"), ("measure",)),
    "area_code": (gettext_lazy("Kode wilayah"), ("area_code", "wilayah")),
    "year": (gettext_lazy("Tahun"), ("year",)),
    "value": (gettext_lazy("Nilai"), ("value",)),
    "source": (gettext_lazy("Sumber"), ("source",)),
    "url": (gettext_lazy("Alamat sumber"), ("url", "tautan")),
    "is_verified": (gettext_lazy("Sudah dicocokkan"), ("verified", "dicocokkan")),
    "evidence": (gettext_lazy("Dicocokkan dengan"), ("evidence",)),
}


def write_years(
    path: Path, year: int, entries: Iterable[tuple[Indicator, IndicatorYear | None]]
) -> int:
    """Write the indicators with their target and realisation of ``year``; return how many."""
    info = [
        (_("Isi"), _("Target dan realisasi indikator tahun %(year)s") % {"year": year}),
        (_("Dibuat"), f"{timezone.localtime():%d/%m/%Y %H:%M}"),
        (
            _("Cara memakai"),
            _(
                "Isi kolom Target, Realisasi, Sumber realisasi dan Keterangan pada lembar Data, "
                "lalu unggah lagi. Jangan ubah kolom Kode dan Tahun. Realisasi wajib bersumber."
            ),
        ),
    ]
    rows = (
        (
            indicator.code,
            indicator.name,
            str(indicator.owner),
            indicator.unit,
            year,
            _number(entry.target if entry else None),
            _number(entry.actual if entry else None),
            entry.source if entry else "",
            entry.note if entry else "",
        )
        for indicator, entry in entries
    )
    return write_xlsx(path, info, [str(c) for c, _o in YEAR_COLUMNS.values()], rows)


def write_figures(path: Path, figures: Iterable[PublishedFigure]) -> int:
    """Write published figures; return how many."""
    info = [
        (_("Isi"), _("Angka kemiskinan terbitan BPS yang tercatat di Guyub")),
        (_("Dibuat"), f"{timezone.localtime():%d/%m/%Y %H:%M}"),
        (_("Ukuran"), "; ".join(f"{m.value} = {m.label}" for m in Measure)),
        (_("Kode wilayah"), _("33.02 untuk kabupaten, 33 untuk provinsi, kosong untuk nasional")),
    ]
    rows = (
        (
            f.measure,
            f.area_code,
            f.year,
            _number(f.value),
            f.source,
            f.url,
            _("ya") if f.is_verified else _("tidak"),
            f.evidence,
        )
        for f in figures
    )
    return write_xlsx(path, info, [str(c) for c, _o in FIGURE_COLUMNS.values()], rows)


def _number(value: Decimal | None) -> float | None:
    return float(value) if value is not None else None


@dataclass(frozen=True)
class Cells:
    """One row of a file as text by the name of its column."""

    row_number: int
    values: dict[str, str]
    from_excel: bool

    def text(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def decimal(self, name: str) -> Decimal | None:
        """Read a number; ``None`` where the cell is empty or a dash. Raises ``BadNumberError``."""
        text = self.text(name)
        if text in ("", "-", "–", "—"):
            return None
        return parse_decimal(text, from_excel=self.from_excel)

    def year(self) -> int | None:
        text = self.text("year").removesuffix(".0")
        return int(text) if text.isdigit() and len(text) == 4 else None


def read_rows(path: Path, columns: Columns, needed: Sequence[str]) -> Iterator[Cells]:
    """Yield the rows of a CSV or XLSX file; columns are known by their headings, in any order.

    Raises:
        UnreadableFileError: it cannot be read, is too long, or lacks a needed column.
    """
    # Imported late, as in guyub.targets.poverty.
    import polars as pl

    layout = _layout(path)
    known = {
        word.casefold(): name
        for name, (heading, others) in columns.items()
        for word in (*in_every_language(heading), *others)
    }
    position = {
        known[heading.casefold()]: index
        for index, heading in reversed(list(enumerate(layout.headings)))
        if heading.casefold() in known
    }
    missing = [str(columns[name][0]) for name in needed if name not in position]
    if missing:
        raise UnreadableFileError(
            _("Kolom tidak ditemukan: %(names)s. Pakai berkas yang diunduh dari halaman ini.")
            % {"names": ", ".join(missing)}
        )
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        staged = work / "staged.parquet"
        reading.stage(path, layout, staged, work, lambda *_args: None, MOST_ROWS)
        frame = pl.read_parquet(staged)
    for row in frame.iter_rows(named=True):
        values = {name: row[f"c{index}"] or "" for name, index in position.items()}
        yield Cells(int(row["row_number"]), values, layout.kind == "xlsx")


def _layout(path: Path) -> Layout:
    """Look at the sheet that our own downloads call *Data*, or else at the likeliest one."""
    layout = reading.look(path)
    if _("Data") in layout.sheets and layout.sheet != _("Data"):
        layout = reading.look(path, _("Data"))
    return layout


def _collect(
    rows: Iterable[Cells], read: Callable[[Cells, list[Fault]], Any]
) -> tuple[list[Any], list[Fault]]:
    """Read every row with ``read``, which returns a value, nothing, or adds to the faults."""
    found: list[Any] = []
    faults: list[Fault] = []
    for cells in rows:
        before = len(faults)
        value = read(cells, faults)
        if value is not None and len(faults) == before:
            found.append(value)
    return found, faults


def read_years(path: Path, user: Any) -> tuple[list[YearRow], list[Fault]]:
    """Return the rows of an uploaded file that say something, and what is wrong with others.

    An empty cell leaves what is there. ``user`` decides whose indicators may be written.

    Raises:
        UnreadableFileError: the file as a whole cannot be used.
    """
    indicators = {i.code: i for i in Indicator.objects.select_related("owner")}
    entries = {(e.indicator_id, e.year): e for e in IndicatorYear.objects.all()}
    may_manage = can(user, "targets.manage")
    seen: dict[tuple[str, int], int] = {}

    def read(cells: Cells, faults: list[Fault]) -> YearRow | None:
        def fault(name: str, message: str) -> None:
            faults.append(Fault(cells.row_number, str(YEAR_COLUMNS[name][0]), message))

        indicator = indicators.get(cells.text("code").casefold())
        if indicator is None:
            fault("code", _("Kode “%(code)s” tidak dikenal.") % {"code": cells.text("code")[:40]})
            return None
        year = cells.year()
        if year is None:
            fault("year", _("Tahun ditulis dengan empat angka, misalnya 2026."))
            return None
        old = entries.get((indicator.pk, year))
        numbers: dict[str, Decimal | None] = {}
        for name in ("target", "actual"):
            try:
                given = cells.decimal(name)
            except BadNumberError as error:
                fault(name, str(error))
                return None
            numbers[name] = given if given is not None else getattr(old, name, None)
        values = YearValues(
            numbers["target"],
            numbers["actual"],
            cells.text("source") or getattr(old, "source", ""),
            cells.text("note") or getattr(old, "note", ""),
        )
        before = YearValues(
            getattr(old, "target", None),
            getattr(old, "actual", None),
            getattr(old, "source", ""),
            getattr(old, "note", ""),
        )
        if (indicator.code, year) in seen:
            first = seen[(indicator.code, year)]
            fault("code", _("Indikator dan tahun ini sudah ada di baris %(row)s.") % {"row": first})
            return None
        seen[(indicator.code, year)] = cells.row_number
        if values == before:
            return None
        if not can(user, "targets.edit", indicator):
            fault("code", _("Indikator ini tanggung jawab %(name)s.") % {"name": indicator.owner})
        elif values.target != before.target and not may_manage:
            fault("target", _("Target hanya diubah Sekretariat TKPKD. Kosongkan sel ini."))
        else:
            entry = IndicatorYear(indicator=indicator, year=year, **vars(values))
            try:
                check_year(entry)
            except ValidationError as error:
                for name, texts in error.message_dict.items():
                    fault(name if name in YEAR_COLUMNS else "code", " ".join(texts))
        return YearRow(cells.row_number, indicator, year, values)

    return _collect(read_rows(path, YEAR_COLUMNS, ("code", "year")), read)


# What each measure can be at all; outside it something went wrong with the decimals.
LIMITS: dict[str, tuple[Decimal, Decimal]] = {
    Measure.P0: (Decimal(0), Decimal(100)),
    Measure.P1: (Decimal(0), Decimal(100)),
    Measure.P2: (Decimal(0), Decimal(100)),
    Measure.POOR: (Decimal(0), Decimal(300_000)),
    Measure.LINE: (Decimal(50_000), Decimal(10_000_000)),
    Measure.GINI: (Decimal(0), Decimal(1)),
    Measure.UNEMPLOYMENT: (Decimal(0), Decimal(100)),
    Measure.HDI: (Decimal(0), Decimal(100)),
}
YES = {"ya", "y", "yes", "1", "true", "benar", "sudah"}


def read_figures(path: Path) -> tuple[list[PublishedFigure], list[Fault]]:
    """Return the published figures in an uploaded file, not saved, and what is wrong with others.

    Raises:
        UnreadableFileError: the file as a whole cannot be used.
    """
    measures = {m.value: m for m in Measure} | {str(m.label).casefold(): m for m in Measure}
    this_year = timezone.localdate().year
    seen: dict[tuple[str, str, int], int] = {}

    def read(cells: Cells, faults: list[Fault]) -> PublishedFigure | None:
        def fault(name: str, message: str) -> None:
            faults.append(Fault(cells.row_number, str(FIGURE_COLUMNS[name][0]), message))

        measure = measures.get(cells.text("measure").casefold())
        if measure is None:
            allowed = ", ".join(m.value for m in Measure)
            fault("measure", _("Ukuran tidak dikenal. Pakai: %(names)s.") % {"names": allowed})
        year = cells.year()
        if year is None or not 1970 <= year <= this_year:
            fault("year", _("Tahun antara 1970 dan %(last)s.") % {"last": this_year})
        area = cells.text("area_code")
        if not all(part.isdigit() for part in area.split(".")) and area:
            fault(
                "area_code", _("Tulis kode Kemendagri, misalnya 33.02; kosongkan untuk nasional.")
            )
        source = cells.text("source")
        if not source:
            fault("source", _("Tulis terbitan BPS asal angka ini."))
        value = None
        try:
            value = cells.decimal("value")
        except BadNumberError as error:
            fault("value", str(error))
        else:
            if value is None:
                fault("value", _("Nilai kosong."))
            elif measure is not None:
                low, high = LIMITS[measure]
                if not low <= value <= high:
                    fault(
                        "value",
                        _("Di luar %(low)s sampai %(high)s. Periksa letak komanya.")
                        % {"low": low, "high": high},
                    )
        verified = cells.text("is_verified").casefold() in YES
        evidence = cells.text("evidence")
        if verified and not evidence:
            fault("evidence", _("Sebut terbitan atau halaman tempat angka ini dicocokkan."))
        if measure is None or year is None or value is None:
            return None
        key = (measure.value, area, year)
        if key in seen:
            fault(
                "measure",
                _("Ukuran, wilayah dan tahun ini sudah ada di baris %(row)s.") % {"row": seen[key]},
            )
            return None
        seen[key] = cells.row_number
        figure = PublishedFigure(
            measure=measure, area_code=area, year=year, value=value, source=source,
            url=cells.text("url"), is_verified=verified, evidence=evidence,
        )  # fmt: skip
        try:
            figure.clean_fields(exclude=["source"])
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                fault(name if name in FIGURE_COLUMNS else "value", " ".join(texts))
        return figure

    needed = ("measure", "area_code", "year", "value", "source")
    return _collect(read_rows(path, FIGURE_COLUMNS, needed), read)
