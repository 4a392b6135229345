"""The sheets of an XLSForm as text, with where each cell stands, and what its headings mean.

A workbook is opened by the same guarded readers as any list that is uploaded (:mod:`guyub.imports.reading`);
nothing here runs what stands in it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from guyub.fieldwork.definition import DEFAULT_LANGUAGE, Texts
from guyub.imports import guarding
from guyub.imports.reading import UnreadableFileError, is_workbook, sheet_names, xlsx_rows

SURVEY, CHOICES, SETTINGS = "survey", "choices", "settings"
MAX_SHEETS = 30
# Of XML: a form of a thousand questions has less than two megabytes.
MAX_BYTES = 30 * 1024 * 1024
MAX_ROWS = {SURVEY: 3_000, CHOICES: 30_000, SETTINGS: 20}
MAX_COLUMNS = 250
MAX_CELL = 10_000

LANGUAGES = {
    "id": "Bahasa Indonesia",
    "en": "English",
    "jv": "Basa Jawa",
    "su": "Basa Sunda",
}
LANGUAGE_NAMES = {
    "bahasa indonesia": "id", "indonesia": "id", "indonesian": "id", "bahasa": "id",
    "english": "en", "inggris": "en", "bahasa inggris": "en",
    "bahasa jawa": "jv", "basa jawa": "jv", "jawa": "jv", "javanese": "jv",
    "bahasa sunda": "su", "basa sunda": "su", "sunda": "su",
}  # fmt: skip
# Other spellings of headings, as tools for XLSForm know them.
ALIASES = {
    "command": "type", "tag": "name", "value": "name", "caption": "label", "relevance": "relevant",
    "calculate": "calculation", "constraining_message": "constraint_message",
    "jr:constraintmsg": "constraint_message", "jr:requiredmsg": "required_message",
    "requiredmsg": "required_message", "readonly": "read_only", "count": "repeat_count",
    "jr:count": "repeat_count", "list name": "list_name", "list": "list_name",
    "form_id": "id_string", "set_form_id": "id_string", "form_title": "title", "set_form_title": "title",
}  # fmt: skip
TRANSLATED = ("label", "hint", "required_message", "constraint_message")
# Of settings too, beyond what XLSForm knows: title::English (en).
BY_LANGUAGE = (*TRANSLATED, "title")
# What tools for XLSForm know and Guyub does not do.
UNUSED = (
    "guidance_hint", "trigger", "image", "big-image", "audio", "video", "media", "autoplay", "save_to",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """What is wrong in a form: where, and how to mend it. ``row`` is as Excel counts, 0 for the sheet."""

    sheet: str
    row: int
    column: str
    message: str

    @property
    def place(self) -> str:
        parts = [_("lembar %(sheet)s") % {"sheet": self.sheet}] if self.sheet else []
        if self.row:
            parts.append(_("baris %(row)d") % {"row": self.row})
        if self.column:
            parts.append(_("kolom %(column)s") % {"column": self.column})
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message

    def as_json(self) -> dict[str, Any]:
        return {
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "message": self.message,
        }


@dataclass
class Row:
    """One row: its cells by heading, its texts by heading and language."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    texts: dict[str, Texts] = field(default_factory=dict)

    def __getitem__(self, heading: str) -> str:
        return self.cells.get(heading, "")

    def text(self, heading: str) -> Texts:
        return self.texts.get(heading, {})


@dataclass
class Sheet:
    """A sheet with headings that mean something, and its rows that are not blank."""

    name: str
    headings: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def cells_of_workbook(path: Path) -> dict[str, list[list[str]]]:
    """Return the cells of the sheets that matter, by their name in small letters.

    Raises:
        UnreadableFileError: it is no workbook, carries macros, is damaged or larger than any form.
    """
    if not is_workbook(path):
        raise UnreadableFileError(_("Berkas ini bukan XLSForm: pakai berkas Excel (.xlsx)."))
    names = sheet_names(path)  # looks at sizes and packing first
    try:
        too_wide = guarding.table_size(path) > guarding.MAX_TABLE
    except guarding.SuspectWorkbookError as error:
        raise UnreadableFileError(
            _(
                "Berkas Excel ini rusak atau tidak wajar. Simpan ulang sebagai .xlsx di Excel, lalu unggah lagi."
            )
        ) from error
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if too_wide or len(names) > MAX_SHEETS or sum(part.file_size for part in parts) > MAX_BYTES:
        raise UnreadableFileError(
            _("Isi berkas ini terlalu besar untuk sebuah formulir. Hapus lembar dan kolom lain.")
        )
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise UnreadableFileError(_("Berkas ini berisi makro. Simpan ulang sebagai .xlsx biasa."))
    found: dict[str, list[list[str]]] = {}
    for name in names:
        key = name.strip().casefold()
        if key not in MAX_ROWS and key != "external_choices":
            continue
        rows: list[list[str]] = []
        for row in xlsx_rows(path, name):
            if any(cell.strip() for cell in row[MAX_COLUMNS:]):
                raise UnreadableFileError(
                    _("Lembar %(sheet)s punya lebih dari %(most)d kolom. Hapus yang tak terpakai.")
                    % {"sheet": name, "most": MAX_COLUMNS}
                )
            rows.append([cell.strip() for cell in row[:MAX_COLUMNS]])
            if len(rows) > MAX_ROWS.get(key, 1) and any(rows[-1]):
                raise UnreadableFileError(
                    _("Lembar %(sheet)s berisi lebih dari %(most)d baris. Pecah formulirnya.")
                    % {"sheet": name, "most": MAX_ROWS.get(key, 1)}
                )
        found[key] = rows
    return found


def language_code(name: str) -> str:
    """Return the code of a language as headings name it: *English (en)*, *id*, *Bahasa Indonesia*."""
    found = re.search(r"\(([A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?)\)\s*$", name)
    if found:
        return found[1].lower()
    plain = " ".join(name.split()).casefold()
    return (
        LANGUAGE_NAMES.get(plain)
        or re.sub(r"[^a-z0-9-]+", "-", plain).strip("-")[:20]
        or DEFAULT_LANGUAGE
    )


def language_heading(code: str) -> str:
    """Return how a language is named in headings; :func:`language_code` reads it back."""
    return f"{LANGUAGES.get(code, code)} ({code})"


def understood(heading: str) -> tuple[str, str]:
    """Return what a heading means and in which language, which is empty where none is named."""
    parts = [
        part.strip() for part in re.split(r"::|(?<!jr):(?!:)", heading.strip()) if part.strip()
    ]
    if not parts:
        return "", ""
    while len(parts) > 1 and parts[0].lower() in ("bind", "control", "body", "media"):
        if parts[0].lower() == "media":
            return "media", ""
        parts = parts[1:]
    plain = " ".join(parts[0].split()).lower()
    name = ALIASES.get(plain) or ALIASES.get(plain.replace(" ", "_")) or plain.replace(" ", "_")
    return name, language_code(parts[1]) if len(parts) > 1 else ""


def read_sheet(
    name: str, cells: Sequence[Sequence[str]], default_language: str, faults: list[Fault]
) -> Sheet:
    """Turn cells into rows by heading; what is wrong goes to ``faults``."""
    sheet = Sheet(name)
    start = next((i for i, row in enumerate(cells) if any(row)), None)
    if start is None:
        return sheet
    places: list[tuple[int, str, str, str]] = []
    seen: dict[tuple[str, str], str] = {}
    for position, heading in enumerate(cells[start]):
        meaning, language = understood(heading)
        if not meaning:
            continue
        if meaning in BY_LANGUAGE:
            language = language or default_language
            if language not in sheet.languages:
                sheet.languages.append(language)
        if (meaning, language) in seen:
            faults.append(
                Fault(name, start + 1, heading,
                      _("Judul kolom ini ada dua kali. Hapus atau ganti salah satunya."))
            )  # fmt: skip
            continue
        seen[meaning, language] = heading
        if meaning not in sheet.headings:
            sheet.headings.append(meaning)
        # Extra columns of choices keep the case that filters use.
        places.append((position, meaning, language, heading))
    for number, row in enumerate(cells[start + 1 :], start=start + 2):
        if not any(row):
            continue
        found = Row(number)
        for position, meaning, language, heading in places:
            cell = row[position] if position < len(row) else ""
            if len(cell) > MAX_CELL:
                faults.append(
                    Fault(name, number, heading, _("Isi sel ini terlalu panjang. Ringkaskan."))
                )
                cell = ""
            if not cell:
                continue
            if meaning in BY_LANGUAGE:
                found.texts.setdefault(meaning, {})[language] = cell
            else:
                found.cells[meaning] = cell
                found.cells.setdefault("=" + heading.strip(), cell)
        sheet.rows.append(found)
    return sheet


def truth(text: str) -> bool | None:
    """Return what a cell for yes or no says; ``None`` for anything else."""
    plain = text.strip().lower()
    if plain in ("yes", "true", "true()", "ya", "1"):
        return True
    return False if plain in ("", "no", "false", "false()", "tidak", "0") else None


def parameters_of(text: str) -> Mapping[str, str]:
    """Return the pairs of the column ``parameters``: ``start=0 end=10``."""
    found = re.findall(r"([A-Za-z][\w-]*)\s*=\s*([^\s,;=]+)", text)
    return {name.lower(): value for name, value in found}
