"""Reading an XLSForm, the spreadsheet in which KoboToolbox and ODK have forms written.

Every fault is told with its sheet, row and column; only a form without faults becomes a definition. What
Guyub does not do but can leave out is told as a remark.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from guyub.fieldwork import placing
from guyub.fieldwork.definition import (
    CHOOSING,
    DEFAULT_LANGUAGE,
    OTHER,
    SILENT,
    Choice,
    Definition,
    Expression,
    Item,
    Texts,
)
from guyub.fieldwork.expressions import ExpressionError, Tree, parse, paths_of
from guyub.fieldwork.xlsform_sheets import (
    CHOICES,
    SETTINGS,
    SURVEY,
    UNUSED,
    Fault,
    Row,
    cells_of_workbook,
    language_code,
    parameters_of,
    read_sheet,
    truth,
    understood,
)

MAX_QUESTIONS = 1_500
MAX_DEPTH = 8
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
PLAIN_TYPES = {
    "string": "text", "int": "integer", "photo": "image", "gps": "geopoint", "location": "geopoint",
    "trigger": "acknowledge", "datetime": "datetime", "phone number": "text", "add note prompt": "note",
    "q string": "text", "q picture": "image", "get_today": "today", "percentage": "integer",
    "background-audio": "",
} | {name: name for name in (
    "text", "integer", "decimal", "range", "date", "time", "image", "audio", "video", "file", "geopoint",
    "barcode", "acknowledge", "note", "calculate", "hidden", "start", "end", "today",
)}  # fmt: skip
# Kept as hidden: phones tell Guyub who sends and when in another way.
LEFT_OUT = frozenset(
    "deviceid phonenumber username email simserial subscriberid imei audit start-geopoint"
    " background-audio background-geopoint".split()
)
REFUSED = frozenset(
    "select_one_from_file select_multiple_from_file select_one_external geotrace geoshape rank osm csv-external"
    " xml-external begin_kobomatrix begin_score begin_rank loop".split()
)
SELECT = re.compile(
    r"(select_one|select1|select one from|select one|select_multiple|select all that apply from"
    r"|select all that apply|select multiple from|select multiple)\s+(.+?)(\s+or_other|\s+or specify other)?",
    re.I,
)
OPEN = re.compile(r"begin[ _](group|repeat|lgroup|looped group)", re.I)
CLOSE = re.compile(r"end[ _](group|repeat|lgroup|looped group)", re.I)
OTHER_LABEL = gettext_noop("Lainnya")
OTHER_QUESTION = gettext_noop("Sebutkan yang lain")


@dataclass
class Reading:
    """What was read of a form: its definition when there are no faults, and remarks in any case."""

    definition: Definition | None = None
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)


@dataclass
class _Draft:
    """A row of the survey on its way to an item."""

    row: Row
    kind: str
    name: str
    path: str
    type: str = ""
    choices: tuple[Choice, ...] = ()
    or_other: bool = False
    inner: list[_Draft] = field(default_factory=list)


def read_file(path: Path, *, name: str = "", known_fields: Collection[str] = ()) -> Reading:
    """Read a workbook. ``name`` is the form's where its settings give none; see :func:`read_cells`.

    Raises:
        UnreadableFileError: no workbook that may be opened.
    """
    return read_cells(cells_of_workbook(path), name=name, known_fields=known_fields)


def read_cells(
    cells: dict[str, list[list[str]]], *, name: str = "", known_fields: Collection[str] = ()
) -> Reading:
    """Read the cells of the sheets ``survey``, ``choices`` and ``settings``.

    ``known_fields`` are what the column ``guyub`` may name.
    """
    return _Reader(cells, name, known_fields).read()


class _Reader:
    def __init__(
        self, cells: dict[str, list[list[str]]], name: str, known_fields: Collection[str]
    ) -> None:
        self.faults: list[Fault] = []
        self.remarks: list[Fault] = []
        self.name = name
        self.known_fields = known_fields
        self.cells = cells
        settings = read_sheet(SETTINGS, cells.get(SETTINGS, []), DEFAULT_LANGUAGE, self.faults)
        self.settings = settings.rows[0] if settings.rows else Row(2)
        self.language = (
            language_code(self.settings["default_language"])
            if self.settings["default_language"]
            else DEFAULT_LANGUAGE
        )
        self.survey = read_sheet(SURVEY, cells.get(SURVEY, []), self.language, self.faults)
        self.choice_sheet = read_sheet(CHOICES, cells.get(CHOICES, []), self.language, self.faults)
        self.lists: dict[str, tuple[Choice, ...]] = {}
        self.columns: set[str] = set()
        self.drafts: list[_Draft] = []
        self.by_name: dict[str, list[str]] = {}
        self.rows_of: dict[str, int] = {}

    def fault(self, sheet: str, row: int, column: str, message: str) -> None:
        self.faults.append(Fault(sheet, row, column, message))

    def remark(self, sheet: str, row: int, column: str, message: str) -> None:
        self.remarks.append(Fault(sheet, row, column, message))

    def read(self) -> Reading:
        if not self.survey.rows or "type" not in self.survey.headings:
            self.fault(
                SURVEY, 0, "",
                _("Lembar survey dengan kolom type, name, dan label belum ada. Pakai templat XLSForm."),
            )  # fmt: skip
            return Reading(None, self.faults)
        if self.cells.get("external_choices"):
            self.fault("external_choices", 0, "", _("Pilihan dari luar belum didukung. Pindahkan ke lembar choices."))  # fmt: skip
        self.read_choices()
        self.read_survey()
        items = tuple(self.item(draft) for draft in self.drafts)
        languages = self.languages()
        definition = Definition(
            self.id_string(), self.settings["version"][:100], self.title(), languages, items
        )
        for path, message in placing.misplaced(definition):
            self.fault(SURVEY, self.rows_of[path], "guyub", message)
        for path, column, message in placing.unread(definition):
            self.remark(SURVEY, self.rows_of[path], column, message)
        if not self.faults:
            self.find_circles(definition)
        self.look_at_unused()
        return Reading(None if self.faults else definition, self.faults, self.remarks)

    # Settings

    def id_string(self) -> str:
        text = self.settings["id_string"] or re.sub(r"[^A-Za-z0-9_-]+", "_", self.name).strip("_")
        if not text:
            self.fault(
                SETTINGS, 2, "form_id", _("Isi kode formulir (form_id), misalnya survei_2026.")
            )
        elif len(text) > 100:
            self.fault(SETTINGS, 2, "form_id", _("Kode formulir paling panjang 100 huruf."))
        return text

    def title(self) -> Texts:
        found = {code: text[:200] for code, text in self.settings.text("title").items()}
        return found or {self.language: (self.name or self.settings["id_string"])[:200]}

    def languages(self) -> tuple[str, ...]:
        found = [*self.survey.languages, *self.choice_sheet.languages] or [self.language]
        ordered = [self.language] if self.language in found else []
        return tuple(dict.fromkeys([*ordered, *found]))

    # Choices

    def read_choices(self) -> None:
        sheet = self.choice_sheet
        own = {"list_name", "name", "label", *UNUSED}
        self.columns = {
            key[1:] for row in sheet.rows for key in row.cells if key.startswith("=")
        } | set(sheet.headings)
        may_repeat = truth(self.settings["allow_choice_duplicates"]) is True
        lists: dict[str, list[Choice]] = {}
        seen: set[tuple[str, str]] = set()
        for row in sheet.rows:
            list_name, name = row["list_name"], row["name"]
            if not list_name:
                if name or row.texts:
                    self.fault(CHOICES, row.number, "list_name", _("Tulis nama daftar pilihannya."))
                continue
            if not name:
                self.fault(CHOICES, row.number, "name", _("Tulis kode pilihan ini."))
                continue
            if re.search(r"\s", name):
                self.fault(
                    CHOICES, row.number, "name",
                    _("Kode pilihan tidak boleh memuat spasi. Ganti dengan garis bawah (_)."),
                )  # fmt: skip
            if (list_name, name) in seen:
                message = _("Kode “%(name)s” sudah ada dalam daftar %(list)s. Ganti salah satunya.")
                if not may_repeat:
                    self.fault(CHOICES, row.number, "name", message % {"name": name, "list": list_name})  # fmt: skip
                continue
            seen.add((list_name, name))
            if not row.text("label"):
                self.remark(CHOICES, row.number, "label", _("Pilihan ini tanpa label; kodenya yang tampil."))  # fmt: skip
            extra = {
                key[1:]: value
                for key, value in row.cells.items()
                if key.startswith("=") and understood(key[1:])[0] not in own
            }
            lists.setdefault(list_name, []).append(Choice(name, row.text("label"), extra))
        self.lists = {key: tuple(choices) for key, choices in lists.items()}

    # Survey

    def read_survey(self) -> None:
        opened: list[_Draft] = []
        for row in self.survey.rows:
            kind = " ".join(row["type"].split())
            if not kind:
                if row["name"] or row.text("label"):
                    self.fault(SURVEY, row.number, "type", _("Tulis jenis pertanyaannya, misalnya text."))  # fmt: skip
                continue
            siblings = opened[-1].inner if opened else self.drafts
            above = opened[-1].path if opened else ""
            closing = CLOSE.fullmatch(kind)
            if closing:
                wanted = "group" if closing[1].lower() == "group" else "repeat"
                if not opened or opened[-1].kind != wanted:
                    self.unbalanced(row, wanted, opened)
                    continue
                opened.pop()
                continue
            opening = OPEN.fullmatch(kind)
            if opening:
                draft = self.draft(
                    row, "group" if opening[1].lower() == "group" else "repeat", above
                )
                siblings.append(draft)
                opened.append(draft)
                if len(opened) == MAX_DEPTH + 1:
                    self.fault(SURVEY, row.number, "type", _("Kelompok bertumpuk terlalu dalam."))
                continue
            question = self.question(row, kind, above)
            if question is not None:
                siblings.append(question)
                if question.or_other:
                    siblings.append(self.other_question(question, above))
        for draft in opened:
            self.fault(
                SURVEY, draft.row.number, "type",
                _("Kelompok “%(name)s” dibuka tetapi tidak ditutup. Tambahkan baris end_%(kind)s.")
                % {"name": draft.name, "kind": draft.kind},
            )  # fmt: skip
        if len(self.rows_of) > MAX_QUESTIONS:
            self.fault(SURVEY, 0, "", _("Formulir ini punya lebih dari %(n)d pertanyaan. Pecahlah.") % {"n": MAX_QUESTIONS})  # fmt: skip
        if not self.rows_of and not self.faults:
            self.fault(SURVEY, 0, "", _("Formulir ini belum punya pertanyaan."))

    def unbalanced(self, row: Row, wanted: str, opened: list[_Draft]) -> None:
        if not opened:
            message = _("Baris end_%(kind)s ini tidak punya pembuka. Hapus, atau tambahkan begin_%(kind)s.") % {"kind": wanted}  # fmt: skip
        else:
            message = _(
                "Di sini harus ditutup “%(name)s” (baris %(row)d) dengan end_%(open)s, bukan end_%(kind)s."
            ) % {
                "name": opened[-1].name,
                "row": opened[-1].row.number,
                "open": opened[-1].kind,
                "kind": wanted,
            }
        self.fault(SURVEY, row.number, "type", message)

    def draft(self, row: Row, kind: str, above: str) -> _Draft:
        name = row["name"]
        if not name and kind == "group":
            name = f"kelompok_{row.number}"
        if not name:
            self.fault(
                SURVEY, row.number, "name", _("Tulis nama tanpa spasi, misalnya jumlah_anggota.")
            )
            name = f"_{row.number}"
        elif not NAME.fullmatch(name) or len(name) > 64:
            self.fault(
                SURVEY, row.number, "name",
                _("Nama “%(name)s” hanya boleh memuat huruf, angka, _ - dan titik, diawali huruf, paling panjang 64.")
                % {"name": name[:80]},
            )  # fmt: skip
        path = f"{above}/{name}"
        if path == "/meta":
            self.fault(
                SURVEY, row.number, "name", _("Nama “meta” dipakai alat ODK sendiri. Ganti.")
            )
        if path in self.rows_of:
            self.fault(
                SURVEY, row.number, "name",
                _("Nama “%(name)s” sudah dipakai di baris %(row)d. Ganti salah satunya.")
                % {"name": name, "row": self.rows_of[path]},
            )  # fmt: skip
        self.rows_of[path] = row.number
        self.by_name.setdefault(name, []).append(path)
        return _Draft(row, kind, name, path)

    def question(self, row: Row, kind: str, above: str) -> _Draft | None:
        first = kind.split()[0].lower()
        if first in REFUSED or first.startswith(("begin_", "end_")):
            message = (
                _("Pilihan dari berkas lain belum didukung. Pindahkan daftarnya ke lembar choices, lalu pakai select_one.")
                if first.endswith("from_file") or first == "select_one_external"
                else _("Jenis “%(type)s” belum didukung di Guyub. Ganti dengan jenis lain, atau hapus barisnya.") % {"type": kind}
            )  # fmt: skip
            self.fault(SURVEY, row.number, "type", message)
            return None
        chosen = SELECT.fullmatch(kind)
        if chosen:
            draft = self.draft(row, "question", above)
            one = chosen[1].lower().replace(" ", "_").startswith(("select_one", "select1"))
            draft.type = "select_one" if one else "select_multiple"
            draft.choices = self.list_of(row, chosen[2].strip())
            if chosen[3]:
                draft.or_other = True
                if OTHER not in {choice.name for choice in draft.choices}:
                    draft.choices = (*draft.choices, Choice(OTHER, self.in_all(OTHER_LABEL)))
            return draft
        plain = kind.lower()
        if plain in LEFT_OUT:
            self.remark(SURVEY, row.number, "type", _("Guyub tidak merekam “%(type)s”; barisnya dilewati.") % {"type": kind})  # fmt: skip
            draft = self.draft(row, "question", above)
            draft.type = "hidden"
            return draft
        meaning = PLAIN_TYPES.get(plain)
        if not meaning:
            near = difflib.get_close_matches(
                plain, [*PLAIN_TYPES, "select_one", "select_multiple"], 1
            )
            hint = _(" Mungkin maksudnya %(near)s?") % {"near": near[0]} if near else ""
            if first in ("select_one", "select_multiple"):
                hint = _(" Tulis nama daftarnya, misalnya select_one ya_tidak.")
            self.fault(SURVEY, row.number, "type", _("Jenis “%(type)s” tidak dikenal.") % {"type": kind[:60]} + hint)  # fmt: skip
            return None
        draft = self.draft(row, "question", above)
        draft.type = meaning
        if not row.text("label") and meaning not in SILENT and not row["calculation"]:
            self.remark(
                SURVEY, row.number, "label", _("Pertanyaan ini tanpa label; namanya yang tampil.")
            )
        return draft

    def other_question(self, question: _Draft, above: str) -> _Draft:
        name = f"{question.name}_{OTHER}"
        row = Row(question.row.number, {
            "name": name, "type": "text", "relevant": f"selected(${{{question.name}}}, '{OTHER}')",
        }, {"label": self.in_all(OTHER_QUESTION)})  # fmt: skip
        draft = self.draft(row, "question", above)
        draft.type = "text"
        return draft

    def in_all(self, text: str) -> Texts:
        found = {}
        for language in self.languages():
            with override(language if language in ("id", "en") else DEFAULT_LANGUAGE):
                found[language] = _(text)
        return found

    def list_of(self, row: Row, name: str) -> tuple[Choice, ...]:
        if name in self.lists:
            return self.lists[name]
        near = difflib.get_close_matches(name, list(self.lists), 1)
        hint = _(" Mungkin maksudnya %(near)s?") % {"near": near[0]} if near else ""
        self.fault(
            SURVEY, row.number, "type",
            _("Daftar “%(name)s” tidak ada di lembar choices.") % {"name": name[:60]} + hint,
        )  # fmt: skip
        return ()

    # Items

    def resolve(self, name: str) -> str:
        paths = self.by_name.get(name, [])
        if len(paths) == 1:
            return paths[0]
        if paths:
            raise LookupError(_("Ada %(n)d pertanyaan bernama “%(name)s”. Ganti nama salah satunya.") % {"n": len(paths), "name": name})  # fmt: skip
        near = difflib.get_close_matches(name, list(self.by_name), 1)
        hint = _(" Mungkin maksudnya ${%(near)s}?") % {"near": near[0]} if near else ""
        raise LookupError(
            _("Tidak ada pertanyaan bernama “%(name)s”.") % {"name": name[:60]} + hint
        )

    def expression(self, draft: _Draft, column: str, *, columns: bool = False) -> Expression | None:
        text = draft.row[column]
        if not text:
            return None
        try:
            tree = parse(text, self.resolve, columns=columns)
        except ExpressionError as error:
            self.fault(
                SURVEY, draft.row.number, column,
                _("%(message)s (huruf ke-%(at)d)") % {"message": error.message, "at": error.start + 1},
            )  # fmt: skip
            return None
        if columns:
            for name in _columns_in(tree):
                if name not in self.columns:
                    self.fault(
                        SURVEY, draft.row.number, column,
                        _("Lembar choices tidak punya kolom “%(name)s”.") % {"name": name},
                    )  # fmt: skip
        return Expression(text, tree)

    def yes_or_expression(self, draft: _Draft, column: str) -> Expression | None:
        said = truth(draft.row[column])
        if said is None:
            return self.expression(draft, column)
        return Expression("true()", ["call", "true"]) if said else None

    def default(self, draft: _Draft) -> Expression | str | None:
        text = draft.row["default"]
        if not text:
            return None
        looks_reckoned = "${" in text or re.search(r"[A-Za-z-]\s*\(", text)
        if not looks_reckoned:
            return text
        if "${" not in text:
            try:
                parse(text, self.resolve)
            except ExpressionError:
                return text  # words with brackets
        return self.expression(draft, "default")

    def item(self, draft: _Draft) -> Item:
        row = draft.row
        if draft.kind != "question":
            return Item(
                draft.kind, draft.name, draft.path, label=row.text("label"), hint=row.text("hint"),
                relevant=self.expression(draft, "relevant"), appearance=row["appearance"],
                repeat_count=self.expression(draft, "repeat_count") if draft.kind == "repeat" else None,
                items=tuple(self.item(inner) for inner in draft.inner),
            )  # fmt: skip
        calculation = self.expression(draft, "calculation")
        if draft.type == "calculate" and calculation is None and not row["calculation"]:
            self.fault(
                SURVEY, row.number, "calculation", _("Tulis rumusnya, misalnya ${a} + ${b}.")
            )
        read_only = truth(row["read_only"])
        if read_only is None:
            self.remark(SURVEY, row.number, "read_only", _("Rumus di sini belum didukung; tulis yes atau no."))  # fmt: skip
        field_name = row["guyub"]
        if field_name and self.known_fields and field_name not in self.known_fields:
            near = difflib.get_close_matches(field_name, list(self.known_fields), 1)
            hint = _(" Mungkin maksudnya %(near)s?") % {"near": near[0]} if near else ""
            self.fault(SURVEY, row.number, "guyub", _("Isian registri “%(name)s” tidak dikenal.") % {"name": field_name[:60]} + hint)  # fmt: skip
        return Item(
            "question", draft.name, draft.path, draft.type,
            label=row.text("label"), hint=row.text("hint"),
            required=self.yes_or_expression(draft, "required"),
            required_message=row.text("required_message"),
            relevant=self.expression(draft, "relevant"),
            constraint=self.expression(draft, "constraint"),
            constraint_message=row.text("constraint_message"),
            calculation=calculation,
            choice_filter=self.expression(draft, "choice_filter", columns=True)
            if draft.type in CHOOSING else None,
            choices=draft.choices,
            read_only=bool(read_only),
            default=self.default(draft),
            appearance=row["appearance"], field=field_name,
            parameters=dict(parameters_of(row["parameters"])),
        )  # fmt: skip

    # The whole

    def find_circles(self, definition: Definition) -> None:
        """Refuse what depends on itself: neither a phone nor the server could ever work it out."""
        needs: dict[str, set[str]] = {}
        for item in definition.walk():
            found: set[str] = set()
            for one in (item, *definition.above[item.path]):
                found |= paths_of(one.relevant.tree) if one.relevant else set()
            if item.calculation is not None:
                found |= paths_of(item.calculation.tree)
            needs[item.path] = found
        done: set[str] = set()
        for start in needs:
            circle = _circle(start, needs, done)
            if circle:
                names = " → ".join(path.rsplit("/", 1)[1] for path in circle)
                item = definition.by_path[circle[0]]
                self.fault(
                    SURVEY, self.rows_of[circle[0]],
                    "calculation" if item.calculation is not None else "relevant",
                    _("Rumus ini berputar pada dirinya sendiri: %(names)s. Putuskan salah satunya.")
                    % {"names": names},
                )  # fmt: skip
                return

    def look_at_unused(self) -> None:
        for sheet in (self.survey, self.choice_sheet):
            for heading in sheet.headings:
                if heading in UNUSED and any(row[heading] for row in sheet.rows):
                    self.remark(
                        sheet.name, 0, heading, _("Kolom ini belum dipakai Guyub dan dilewati.")
                    )
        if self.settings["public_key"]:
            self.remark(SETTINGS, 2, "public_key", _("Kiriman terenkripsi tidak bisa dibaca Guyub. Kosongkan public_key."))  # fmt: skip


def _columns_in(tree: Tree) -> set[str]:
    found, todo = set(), [tree]
    while todo:
        node = todo.pop()
        if node[0] == "column":
            found.add(node[1])
        todo += [
            part
            for part in node[1:]
            if isinstance(part, list) and part and isinstance(part[0], str)
        ]
    return found


def _circle(start: str, needs: dict[str, set[str]], done: set[str]) -> list[str]:
    """Return a way from a path back to itself, empty if there is none."""
    way: list[str] = []
    todo: list[tuple[str, bool]] = [(start, False)]
    while todo:
        path, is_left = todo.pop()
        if is_left:
            way.pop()
            done.add(path)
        elif path in way:
            return [*way[way.index(path) :], path]
        elif path not in done:
            way.append(path)
            todo.append((path, True))
            todo += [(other, False) for other in sorted(needs.get(path, ()))]
    return []
