"""Reading what KoboToolbox and ODK Central export: tables, and archives of submissions with their photos.

Headings are *group/question* (Kobo), *group-question* (Central), a plain name, or a label; cells hold codes or
labels. A choice of several may be split into a column each. Repeats have a sheet (Kobo) or a file (Central) of
their own, whose rows say which row they belong to. A row that can't be used is told with its place, and the
others are read.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _

from guyub.fieldwork.definition import CHOOSING, Answers, Definition, Item
from guyub.fieldwork.odk import (
    ASIDE,
    MAX_REPETITIONS,
    MAX_XML,
    NAMESPACE,
    SENT_KEYS,
    VERSION_KEYS,
    Chooser,
    Found,
    UnreadableSubmissionError,
    answer_of,
    finish,
    first_of,
    instance_in,
    read_kobo,
    read_xml,
    replaced_in,
    utc_moment,
)
from guyub.imports import guarding
from guyub.imports.reading import (
    UnreadableFileError,
    detect_delimiter,
    detect_encoding,
    sheet_names,
    xlsx_rows,
)

MAX_ROWS = 50_000
MAX_REPEAT_ROWS = 300_000
MAX_COLUMNS = 3_000
MAX_JSON = 100 * 1024 * 1024
MAX_TABLE = 200 * 1024 * 1024
MAX_MEDIA = 10 * 1024 * 1024
PARENT = ("_parent_index", "PARENT_KEY")
PLACES = ("latitude", "longitude", "altitude", "precision", "accuracy")
YES = ("1", "1.0", "true", "ya", "yes")


@dataclass(frozen=True)
class Wrong:
    """Something that was not read, or only in part: where, and why."""

    file: str
    sheet: str
    row: int
    column: str
    message: str


@dataclass
class Table:
    """A sheet or CSV file: headings, and rows with their number."""

    file: str
    sheet: str
    headings: list[str] = field(default_factory=list)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def is_repeat(self) -> bool:
        return any(heading in PARENT for heading in self.headings)


class Export:
    """A file with submissions.

    Raises (when made):
        UnreadableFileError: it is none of the kinds that are read, damaged or made to exhaust its reader.
    """

    def __init__(self, path: Path, name: str, choose: Chooser) -> None:
        self.path = path
        self.name = name
        self.choose = choose
        with path.open("rb") as file:
            start = file.read(512)
        self.kind = self._kind(start)

    def _kind(self, start: bytes) -> str:
        if start.startswith(b"PK"):
            try:
                guarding.largest_sheet(self.path)
            except guarding.SuspectWorkbookError as error:
                raise UnreadableFileError(
                    _("Isi berkas ini terlalu besar.") if error.too_large else
                    _("Berkas rusak atau berkata sandi. Unduh ulang dari Kobo atau ODK.")
                ) from error  # fmt: skip
            with zipfile.ZipFile(self.path) as archive:
                return "xlsx" if "xl/workbook.xml" in archive.namelist() else "zip"
        text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
        if text.startswith(b"<"):
            return "xml"
        if text.startswith((b"{", b"[")):
            return "json"
        if not text:
            raise UnreadableFileError(_("Berkas kosong. Periksa kembali berkas yang Anda pilih."))
        return "csv"

    def submissions(self) -> Iterator[Found | Wrong]:
        """Yield what the file holds, and what of it can't be used."""
        if self.kind == "xlsx":
            yield from joined(self._sheets(), self.choose)
        elif self.kind == "csv":
            yield from joined([table_of_csv(self.path, self.name)], self.choose)
        elif self.kind == "zip":
            yield from self._archive()
        elif self.kind == "json":
            yield from self._json()
        else:
            if self.path.stat().st_size > MAX_XML:
                raise UnreadableFileError(_("Berkas XML ini terlalu besar."))
            yield self._xml(self.path.read_bytes(), self.name)

    def media(self, place: str) -> bytes | None:
        """Return the content of a file that :attr:`Found.files` tells the place of."""
        if self.kind != "zip" or not place:
            return None
        with zipfile.ZipFile(self.path) as archive:
            if archive.getinfo(place).file_size > MAX_MEDIA:
                return None
            with archive.open(place) as file:
                content = file.read(MAX_MEDIA + 1)
        return content if len(content) <= MAX_MEDIA else None

    def _sheets(self) -> list[Table]:
        tables = []
        for name in sheet_names(self.path)[:50]:
            tables.append(table_of(self.name, name, xlsx_rows(self.path, name)))
        return tables

    def _xml(self, content: bytes, name: str) -> Found | Wrong:
        try:
            found = read_xml(content, self.choose)
        except UnreadableSubmissionError as error:
            return Wrong(name, "", 0, error.column, error.message)
        found.file = name
        return found

    def _json(self) -> Iterator[Found | Wrong]:
        if self.path.stat().st_size > MAX_JSON:
            raise UnreadableFileError(_("Berkas JSON ini terlalu besar. Ekspor per bulan."))
        try:
            content = json.loads(self.path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise UnreadableFileError(_("Isi JSON rusak. Unduh ulang dari Kobo.")) from error
        rows = content.get("results", [content]) if isinstance(content, dict) else content
        for number, row in enumerate(rows, start=1):
            try:
                found = read_kobo(row, self.choose)
            except UnreadableSubmissionError as error:
                yield Wrong(self.name, "", number, error.column, error.message)
            else:
                found.file, found.row = self.name, number
                yield found

    def _archive(self) -> Iterator[Found | Wrong]:
        with zipfile.ZipFile(self.path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            tables = []
            for name in names:
                if name.startswith("__MACOSX/"):
                    continue
                if name.lower().endswith(".csv"):
                    if archive.getinfo(name).file_size > MAX_TABLE:
                        raise UnreadableFileError(
                            _("Berkas %(name)s terlalu besar.") % {"name": name}
                        )
                    tables.append(table_from(archive.read(name), name))
            by_place = {name.rsplit("/", 1)[-1]: name for name in names if "media/" in name.lower()}
            for item in joined(tables, self.choose) if tables else ():
                if isinstance(item, Found):
                    item.files = {key: by_place.get(key, "") for key in item.files}
                yield item
            known = set(names)
            for name in [name for name in names if name.lower().endswith(".xml")]:
                if archive.getinfo(name).file_size > MAX_XML:
                    yield Wrong(name, "", 0, "", _("Kiriman ini terlalu besar."))
                    continue
                item = self._xml(archive.read(name), name)
                if isinstance(item, Found):
                    folder = name.rpartition("/")[0]
                    prefix = f"{folder}/" if folder else ""
                    item.files = {
                        key: prefix + key if prefix + key in known else by_place.get(key, "")
                        for key in item.files
                    }
                yield item
            if not tables and not any(name.lower().endswith(".xml") for name in names):
                raise UnreadableFileError(
                    _("Arsip ini tidak berisi kiriman. Pakai ZIP dari ODK: CSV atau submission.xml beserta fotonya.")
                )  # fmt: skip


def table_of(file: str, sheet: str, rows: Iterator[list[str]]) -> Table:
    """Return a sheet's rows by heading; the first row that is not blank has the headings."""
    table = Table(file, sheet)
    for number, row in enumerate(rows, start=1):
        if not any(cell.strip() for cell in row):
            continue
        if not table.headings:
            if len(row) > MAX_COLUMNS:
                raise UnreadableFileError(_("Lembar %(sheet)s punya terlalu banyak kolom. Hapus yang bukan jawaban, lalu unggah lagi.") % {"sheet": sheet or file})  # fmt: skip
            table.headings = [cell.strip() for cell in row]
            continue
        if len(table.rows) >= (MAX_REPEAT_ROWS if table.is_repeat else MAX_ROWS):
            raise UnreadableFileError(
                _("Lembar %(sheet)s berisi terlalu banyak baris. Ekspor per bulan.")
                % {"sheet": sheet or file}
            )
        cells = {
            heading: cell.strip()
            for heading, cell in zip(table.headings, row, strict=False)
            if heading and cell.strip()
        }
        table.rows.append((number, cells))
    return table


def table_of_csv(path: Path, name: str) -> Table:
    """Read a CSV file. Raises :class:`UnreadableFileError`."""
    if path.stat().st_size > MAX_TABLE:
        raise UnreadableFileError(_("Berkas %(name)s terlalu besar.") % {"name": name})
    encoding = detect_encoding(path)
    return _table_of_text(path.read_text(encoding, errors="replace"), name)


def table_from(content: bytes, name: str) -> Table:
    """Read the bytes of a CSV file, in UTF-8 or as older Excel writes it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return _table_of_text(text, name)


def _table_of_text(text: str, name: str) -> Table:
    text = text.lstrip("\ufeff").replace("\0", "")
    delimiter = detect_delimiter(text[:100_000])
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return table_of(name, "", reader)
    except csv.Error as error:
        raise UnreadableFileError(
            _("Berkas %(name)s bukan CSV yang utuh. Unduh ulang.") % {"name": name}
        ) from error


class _Columns:
    """Which heading of a table means what, in one wording of the form."""

    def __init__(self, table: Table, definition: Definition, below: str = "") -> None:
        self.plain: dict[str, Item] = {}
        self.split: dict[str, tuple[Item, str]] = {}
        self.places: dict[str, tuple[Item, str]] = {}
        self.unknown: list[str] = []
        names = _names(definition, below)
        for heading in table.headings:
            item = names.get(heading.casefold())
            if item is not None:
                self.plain.setdefault(heading, item)
            elif not self._part(heading, names) and heading and not ASIDE.fullmatch(heading):
                self.unknown.append(heading)

    def _part(self, heading: str, names: dict[str, Item]) -> bool:
        for mark in ("/", "-"):
            start, found, end = heading.rpartition(mark)
            item = names.get(start.casefold()) if found else None
            if item is None:
                continue
            if item.type == "select_multiple":
                code = next(
                    (c.name for c in item.choices if end == c.name or end in c.label.values()), None
                )
                if code is not None:
                    self.split[heading] = (item, code)
                return True
            if item.type == "geopoint" and end.casefold() in PLACES:
                self.places[heading] = (item, end.casefold())
                return True
        if heading.startswith("_") and heading.rpartition("_")[2].casefold() in PLACES:
            item = names.get(heading[1:].rpartition("_")[0].casefold())
            if item is not None and item.type == "geopoint":
                self.places[heading] = (item, heading.rpartition("_")[2].casefold())
                return True
        return False

    def answers(self, cells: dict[str, str]) -> Answers:
        """Return the answers of a row. Raises :class:`UnreadableSubmissionError`."""
        given: Answers = {}
        several: dict[str, list[str]] = {}
        for heading, (item, code) in self.split.items():
            if cells.get(heading, "").casefold() in YES or cells.get(heading) == code:
                several.setdefault(item.path, []).append(code)
        for heading, item in self.plain.items():
            if heading not in cells:
                continue
            if item.path in several:
                continue
            try:
                answer = answer_of(item, _coded(item, cells[heading]))
            except UnreadableSubmissionError as error:
                raise UnreadableSubmissionError(error.message, heading) from error
            if answer is not None:
                given[item.path] = answer
        given |= several
        parts: dict[str, dict[str, str]] = {}
        for heading, (item, part) in self.places.items():
            if heading in cells and item.path not in given:
                parts.setdefault(item.path, {})[part] = cells[heading]
        for path, found in parts.items():
            if "latitude" in found and "longitude" in found:
                rest = [
                    found.get("altitude", "0"),
                    found.get("precision", found.get("accuracy", "0")),
                ]
                given[path] = " ".join([found["latitude"], found["longitude"], *rest])
        return given


def _names(definition: Definition, below: str) -> dict[str, Item]:
    """Return what headings may call the questions of the form, or of one repeat."""
    inside = [
        item
        for item in definition.questions
        if (definition.repeats[item.path] or ("",))[-1] == below
    ]
    found: dict[str, Item] = {}
    plain = Counter(item.name.casefold() for item in inside)
    labels = Counter(label.casefold() for item in inside for label in set(item.label.values()))
    for item in inside:
        for label in item.label.values():
            if labels[label.casefold()] == 1:
                found[label.casefold()] = item
    for item in inside:
        if plain[item.name.casefold()] == 1:
            found[item.name.casefold()] = item
    for item in inside:
        paths = [item.path[1:]]
        if below:
            paths.append(item.path[len(below) + 1 :])
        for path in paths:
            found[path.casefold()] = found[path.replace("/", "-").casefold()] = item
    return found


def _coded(item: Item, text: str) -> str:
    """Return the code of a choice whose label the cell holds; any other text as it is."""
    if item.type not in CHOOSING or text in item.choice_names:
        return text
    codes = {label.casefold(): c.name for c in item.choices for label in c.label.values()}
    if text.casefold() in codes:
        return codes[text.casefold()]
    if item.type == "select_multiple" and not all(w in item.choice_names for w in text.split()):
        # Labels one after the other, the longest first: labels hold spaces themselves.
        left, found = text.casefold(), []
        for label in sorted(codes, key=len, reverse=True):
            if label in left:
                left = left.replace(label, " ", 1)
                found.append(codes[label])
        if found and not left.strip(" ,;"):
            return " ".join(found)
    return text


def joined(tables: list[Table], choose: Chooser) -> Iterator[Found | Wrong]:
    """Yield the submissions of a main table, each with its repetitions from the other tables."""
    tables = [table for table in tables if table.headings]
    mains = [table for table in tables if not table.is_repeat]
    if not mains:
        raise UnreadableFileError(_("Berkas ini tidak berisi kiriman. Periksa lembar utamanya."))
    main = mains[0]
    children: dict[str, list[tuple[Table, int, dict[str, str]]]] = {}
    for table in tables:
        if table.is_repeat:
            for number, cells in table.rows:
                key = _link(main.sheet, table, cells, own=False)
                children.setdefault(key, []).append((table, number, cells))
    readers: dict[tuple[int, str, str], _Columns] = {}
    told: set[str] = set()

    def columns(table: Table, definition: Definition, below: str = "") -> _Columns:
        key = (id(table), definition.version, below)
        if key not in readers:
            readers[key] = _Columns(table, definition, below)
        return readers[key]

    def repetitions(
        key: str, definition: Definition, given: Answers, depth: int
    ) -> Iterator[Wrong]:
        for table, number, cells in children.get(key, ()):
            repeat = _repeat_of(table, cells, definition)
            if repeat is None or depth > 8:
                yield Wrong(table.file, table.sheet, number, "", _("Lembar ini bukan bagian berulang dari formulir."))  # fmt: skip
                continue
            rows = given.setdefault(repeat.path, [])
            if len(rows) >= MAX_REPETITIONS:
                raise UnreadableSubmissionError(_("Terlalu banyak ulangan."), repeat.name)
            try:
                inner = columns(table, definition, repeat.path).answers(cells)
            except UnreadableSubmissionError as error:
                # The whole submission waits: half of a family would count as all of it.
                raise _RowError(table, number, error) from error
            rows.append(inner)
            own = _link(main.sheet, table, cells, own=True)
            yield from repetitions(own, definition, inner, depth + 1)

    for number, cells in main.rows:
        version = first_of(cells, VERSION_KEYS)
        definition = choose(version)
        reader = columns(main, definition)
        if not (reader.plain or reader.split or reader.places):
            # The list of another form, or of something else altogether.
            raise UnreadableFileError(
                _("Tidak ada kolom yang cocok dengan pertanyaan formulir ini. Pilih formulir yang dipakai untuk mengisinya, lalu unggah lagi.")
            )  # fmt: skip
        for heading in reader.unknown:
            if heading not in told:
                told.add(heading)
                yield Wrong(main.file, main.sheet, 1, heading, _("Kolom ini tidak ada di formulir dan dilewati."))  # fmt: skip
        try:
            answers = reader.answers(cells)
            key = _link(main.sheet, main, cells, own=True)
            yield from repetitions(key, definition, answers, 0)
        except _RowError as error:
            yield Wrong(
                error.table.file, error.table.sheet, error.number, error.column, error.message
            )
            continue
        except UnreadableSubmissionError as error:
            yield Wrong(main.file, main.sheet, number, error.column, error.message)
            continue
        instance = instance_in(cells) or _own_number(definition, answers)
        found = Found(
            instance, answers, version=version, replaces=replaced_in(cells),
            finished_at=utc_moment(first_of(cells, SENT_KEYS)), file=main.file, sheet=main.sheet, row=number,
        )  # fmt: skip
        yield finish(found, definition)


class _RowError(UnreadableSubmissionError):
    """A row of a repeat that can't be used."""

    def __init__(self, table: Table, number: int, error: UnreadableSubmissionError) -> None:
        super().__init__(error.message, error.column)
        self.table = table
        self.number = number


def _link(main: str, table: Table, cells: dict[str, str], *, own: bool) -> str:
    """Return the key by which a row (``own``) and those that belong to it find each other."""
    if "PARENT_KEY" in cells or "KEY" in cells:
        return cells.get("KEY" if own else "PARENT_KEY", "")
    # Kobo numbers the rows of each sheet, and names the sheet that a row belongs to.
    sheet = table.sheet if own else cells.get("_parent_table_name", main)
    return f"{sheet}#{cells.get('_index' if own else '_parent_index', '')}"


def _repeat_of(table: Table, cells: dict[str, str], definition: Definition) -> Item | None:
    repeats = [item for item in definition.walk() if item.kind == "repeat"]
    title = (table.sheet or table.file.rsplit("/", 1)[-1].rsplit(".", 1)[0]).casefold()
    for item in repeats:
        names = {item.name, item.path[1:], *item.label.values()}
        if any(title == name.casefold()[:31] for name in names):
            return item
    ending = [item for item in repeats if title.endswith(f"-{item.name.casefold()}")]
    return ending[0] if len(ending) == 1 else (repeats[0] if len(repeats) == 1 else None)


def _own_number(definition: Definition, answers: Answers) -> uuid.UUID:
    text = json.dumps([definition.id_string, answers], sort_keys=True, ensure_ascii=False)
    return uuid.uuid5(NAMESPACE, text)
