"""Writing a form as an XLSForm workbook, and as the XForm (XML) that ODK Collect fills in.

Reading a workbook that was written here gives the same form again. The XForm comes from pyxform, the
converter that ODK and KoboToolbox use themselves; it gets cells, never a file.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

from guyub.fieldwork.definition import Choice, Definition, Expression, Item
from guyub.fieldwork.xlsform_sheets import CHOICES, SETTINGS, SURVEY, TRANSLATED, language_heading

# Those of an item that stand in a column of their own, in the order of the sheet.
COLUMNS = (
    "required", "relevant", "constraint", "calculation", "choice_filter", "repeat_count", "read_only",
    "default", "appearance", "parameters", "guyub",
)  # fmt: skip
WIDTHS = {"type": 28, "name": 24, "relevant": 36, "constraint": 36, "calculation": 36}
YES = "true()"


class UnconvertibleFormError(Exception):
    """The tools of ODK do not take the form; the message is theirs."""


def sheets_of(definition: Definition) -> dict[str, list[list[str]]]:
    """Return the cells of the three sheets, headings first."""
    languages = definition.languages or ("id",)
    lists = _Lists()
    translated = [f"{name}::{language_heading(code)}" for name in TRANSLATED for code in languages]
    survey = [["type", "name", *translated, *COLUMNS]]
    for kind, item in _in_order(definition.items):
        if item is None:
            survey.append([kind])
            continue
        texts = [getattr(item, name).get(code, "") for name in TRANSLATED for code in languages]
        survey.append([lists.type_of(item), item.name, *texts, *map(str, _cells(item))])
    extras = list(dict.fromkeys(key for choices in lists.names for c in choices for key in c.extra))
    labels = [f"label::{language_heading(code)}" for code in languages]
    rows = [["list_name", "name", *labels, *extras]]
    for choices, name in lists.names.items():
        rows += [
            [name, choice.name, *(choice.label.get(code, "") for code in languages),
             *(choice.extra.get(key, "") for key in extras)]
            for choice in choices
        ]  # fmt: skip
    return {SURVEY: survey, CHOICES: rows, SETTINGS: _settings(definition, languages)}


def _settings(definition: Definition, languages: tuple[str, ...]) -> list[list[str]]:
    first = languages[0]
    others = [code for code in definition.title if code != first]
    return [
        ["form_title", "form_id", "version", "default_language",
         *(f"title::{language_heading(code)}" for code in others)],
        [definition.title.get(first, ""), definition.id_string, definition.version, language_heading(first),
         *(definition.title[code] for code in others)],
    ]  # fmt: skip


def _in_order(items: tuple[Item, ...]) -> Iterator[tuple[str, Item | None]]:
    for item in items:
        yield "", item
        if item.kind != "question":
            yield from _in_order(item.items)
            yield f"end_{item.kind}", None


class _Lists:
    """Names the lists of choices; questions with the same choices share one."""

    def __init__(self) -> None:
        self.names: dict[_Choices, str] = {}

    def type_of(self, item: Item) -> str:
        if item.kind != "question":
            return f"begin_{item.kind}"
        if not item.type.startswith("select_"):
            return item.type
        choices = _Choices(item.choices)
        if choices not in self.names:
            name, taken = item.name, set(self.names.values())
            while name in taken:
                name += "_2"
            self.names[choices] = name
        return f"{item.type} {self.names[choices]}"


class _Choices(tuple[Choice, ...]):
    """A list of choices that can be looked up by what is in it."""

    def __hash__(self) -> int:
        return hash(tuple(choice.name for choice in self))


def _source(value: Expression | str | None) -> str:
    return value.source if isinstance(value, Expression) else value or ""


def _cells(item: Item) -> list[str]:
    required = _source(item.required)
    return [
        "yes" if required == YES else required,
        *(_source(getattr(item, name)) for name in COLUMNS[1:6]),
        "yes" if item.read_only else "",
        _source(item.default),
        item.appearance,
        " ".join(f"{name}={value}" for name, value in item.parameters.items()),
        item.field,
    ]


def write(definition: Definition) -> bytes:
    """Return the form as an XLSForm workbook; cells are text, never formulas."""
    # Imported late: it takes a while, and few requests write workbooks.
    import xlsxwriter

    options = {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False,
               "strings_to_urls": False}  # fmt: skip
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, options) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        for name, rows in sheets_of(definition).items():
            page = book.add_worksheet(name)
            page.freeze_panes(1, 2)
            for column, heading in enumerate(rows[0]):
                page.set_column(column, column, WIDTHS.get(heading, 34 if "::" in heading else 16))
            for line, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell:
                        page.write_string(line, column, cell, text if line else bold)
    return out.getvalue()


def xform_of(definition: Definition) -> str:
    """Return the form as an XForm (XML).

    Raises:
        UnconvertibleFormError: pyxform does not take it.
    """
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    sheets: dict[str, Any] = {}
    for name, rows in sheets_of(definition).items():
        headings = rows[0]
        kept = [i for i, heading in enumerate(headings) if heading != "guyub" and not heading.startswith("title::")]  # fmt: skip
        sheets[name] = [
            {headings[i]: row[i] for i in kept if i < len(row) and row[i]} for row in rows[1:]
        ]
        sheets[f"{name}_header"] = [{headings[i]: None for i in kept}]
    # It logs what it does not like of a form; that is told to who brought the form instead.
    logging.getLogger("pyxform.xls2xform").setLevel(logging.ERROR)
    try:
        result = convert(sheets, form_name="data", warnings=[])
    except PyXFormError as error:
        raise UnconvertibleFormError(str(error)) from error
    return result.xform
