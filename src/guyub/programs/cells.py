"""Reading the cells of an uploaded tree of programs into values, with a fault for each that fails."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from guyub.areas.models import Area
from guyub.imports.values import BadValueError, parse_date, parse_desil
from guyub.programs import money, nomenclature, workbook
from guyub.programs.nomenclature import BadCodeError, CodeLevel
from guyub.programs.rules import FIRST_YEAR, LAST_YEAR
from guyub.programs.vocabulary import FundingSource
from guyub.ui.languages import in_every_language


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row: its column's heading, what stands there and how to mend it."""

    column: str
    value: str
    message: str


@dataclass
class ReadRow:
    """A row as values. ``values`` lacks what the file has no column for, and what is faulty."""

    number: int  # as Excel shows it
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def blame(self, key: str, value: Any, message: str) -> None:
        self.faults.append(Fault(workbook.heading(key), str(value or ""), message))


class CellError(ValueError):
    """A cell can't be taken; the message tells how to mend it."""


class AreaFinder:
    """Finds areas by code or name."""

    def __init__(self) -> None:
        self.by_code: dict[str, Area] = {}
        self.by_name: dict[str, list[Area]] = {}
        for area in Area.objects.select_related("parent"):
            self.by_code[area.code] = area
            for name in {area.name, area.title, self._within(area)}:
                self.by_name.setdefault(name.casefold(), []).append(area)

    @staticmethod
    def _within(area: Area) -> str:
        parent = area.parent.name if area.parent is not None else ""
        return f"{area.name} ({parent})"

    def find(self, text: str) -> list[Area]:
        """Return the areas that a cell lists; none for the whole regency.

        Raises:
            CellError: one of them is unknown, or its name stands for several.
        """
        if text.casefold() in ("", "seluruh kabupaten", "kabupaten", "semua"):
            return []
        return [self._one(part) for part in re.split(r"[;,\n]", text) if part.strip()]

    def _one(self, text: str) -> Area:
        name = " ".join(text.split())
        match = re.match(r"[\d.]+", name)
        if match:
            area = self.by_code.get(match[0].strip("."))
            if area is None:
                raise CellError(
                    _("Kode wilayah %(code)s tidak dikenal. Lihat lembar Pilihan.")
                    % {"code": match[0]}
                )
            return area
        found = self.by_name.get(name.casefold(), [])
        if len(found) > 1:
            # A district of the same name as one of its villages is not what a village list means.
            raise CellError(
                _("“%(name)s” ada di beberapa tempat: %(codes)s. Tulis kodenya.")
                % {"name": name, "codes": ", ".join(area.code for area in found)}
            )
        if not found:
            raise CellError(
                _("Wilayah “%(name)s” tidak dikenal. Tulis kode atau nama dari lembar Pilihan.")
                % {"name": name}
            )
        return found[0]


def _text(limit: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        squeezed = " ".join(text.split())
        if len(squeezed) > limit:
            raise CellError(_("Paling panjang %(limit)d huruf. Singkatkan.") % {"limit": limit})
        return squeezed

    return read


def _whole(text: str) -> int | None:
    if not text:
        return None
    digits = re.sub(r"(?<=\d)[.,](?=\d{3}(?:\D|$))", "", text)
    if not re.fullmatch(r"\d{1,9}", digits, re.ASCII):
        raise CellError(_("Isi dengan angka bulat."))
    return int(digits)


def _year(text: str) -> int:
    if not re.fullmatch(r"\d{4}", text, re.ASCII) or not FIRST_YEAR <= int(text) <= LAST_YEAR:
        raise CellError(
            _("Isi tahun anggaran antara %(first)d dan %(last)d.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )
    return int(text)


def _desil(text: str) -> int | None:
    if not text:
        return None
    try:
        return parse_desil(text)
    except BadValueError as error:
        raise CellError(_("Isi desil dengan angka 1 sampai 10.")) from error


def _day(text: str) -> dt.date | None:
    if not text:
        return None
    try:
        return parse_date(text)
    except (BadValueError, ValueError) as error:
        raise CellError(_("Tulis tanggal seperti 01/02/2026.")) from error


def _code(level: CodeLevel) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            return str(nomenclature.parse(text, level)) if text else ""
        except BadCodeError as error:
            raise CellError(str(error)) from error

    return read


def _choice(choices: Any) -> Callable[[str], str]:
    known = {
        name.casefold(): value
        for value, label in choices.choices
        for name in in_every_language(label)
    }
    known |= {value: value for value in choices.values}

    def read(text: str) -> str:
        value = known.get(" ".join(text.split()).casefold())
        if value is None:
            raise CellError(
                _("Pilih salah satu: %(choices)s.")
                % {"choices": ", ".join(str(label) for label in choices.labels)}
            )
        return str(value)

    return read


def _rupiah(text: str) -> int:
    try:
        return money.parse_rupiah(text) if text else 0
    except money.BadAmountError as error:
        raise CellError(str(error)) from error


def readers(areas: AreaFinder) -> dict[str, Callable[[str], Any]]:
    """Return what reads each column, by key."""
    found: dict[str, Callable[[str], Any]] = {
        "id": _whole,
        "agency": _text(200),
        "year": _year,
        "program_code": _code(CodeLevel.PROGRAM),
        "program": _text(250),
        "mission": _whole,
        "activity_code": _code(CodeLevel.ACTIVITY),
        "activity": _text(250),
        "code": _code(CodeLevel.SUB_ACTIVITY),
        "name": _text(250),
        "description": workbook.one_kind_of_line_end,
        "desil_min": _desil,
        "desil_max": _desil,
        "target_note": _text(250),
        "quota": _whole,
        "starts_on": _day,
        "ends_on": _day,
        "areas": areas.find,
        **{source.value: _rupiah for source in FundingSource},
    }
    for key in ("strategy", "help_kind", "recipient"):
        found[key] = _choice(workbook.BY_KEY[key].choices)
    return found


def read_rows(sheet: workbook.Sheet) -> list[ReadRow]:
    """Read every row of a sheet."""
    areas = AreaFinder()
    reader = readers(areas)
    rows = []
    for number, cells in sheet.rows:
        row = ReadRow(number)
        for key, read in reader.items():
            if key not in sheet.keys:
                continue
            text = cells.get(key, "")
            if not text and workbook.BY_KEY[key].required:
                row.blame(key, text, _("Wajib diisi."))
                continue
            if not text and key == "recipient":
                continue  # keeps what is recorded; a new one is for households
            try:
                row.values[key] = read(text)
            except CellError as error:
                row.blame(key, text, str(error))
        rows.append(row)
    return rows
