"""A report as plain data: chapters of text, tables and charts.

The page, the PDF, the Word file and the workbook are all drawn from one :class:`Paper`, so that they
say the same. A paper goes into JSON and comes back unchanged: that is how an issued edition keeps its
figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from guyub.programs.money import rupiah
from guyub.ui.charts import Chart
from guyub.ui.charts import Column as ChartColumn

# What a column holds; all but text and dates stand to the right.
TEXT, COUNT, RUPIAH, PERCENT, DECIMAL, YEAR, DATE = (
    "text", "count", "rupiah", "percent", "decimal", "year", "date",
)  # fmt: skip
NUMERIC = (COUNT, RUPIAH, PERCENT, DECIMAL)
# Only these are drawn from; a paper that comes from the database holds nothing else.
KINDS = ("table", "drawing")


def written(value: Any, kind: str = TEXT, places: int = 1) -> str:
    """Write a value out as its column wants it; a dash where there is none."""
    if value is None or value == "":
        return "–"
    if kind == COUNT:
        return number_format(int(value), force_grouping=True)
    if kind == RUPIAH:
        return rupiah(int(value))
    if kind in (PERCENT, DECIMAL):
        exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        text = number_format(exact, decimal_pos=places, use_l10n=True, force_grouping=True)
        return f"{text} %" if kind == PERCENT else text
    if kind == DATE:
        day = value if isinstance(value, dt.date) else parse_date(str(value))
        return date_format(day, "j M Y") if day else str(value)
    return str(value)


def plain(value: Any) -> Any:
    """Return a value as JSON has it: numbers as numbers, dates in ISO form, the rest as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


@dataclass
class Column:
    """A column of a table. ``places`` counts the figures behind the point of decimals and per cent."""

    label: str
    kind: str = TEXT
    places: int = 1

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC


@dataclass
class Table:
    """A table. With ``summed`` its last row is the sum of the others."""

    title: str
    columns: list[Column]
    rows: list[list[Any]]
    source: str
    summed: bool = False
    note: str = ""
    number: int = 0

    kind = "table"

    def __post_init__(self) -> None:
        self.title, self.source, self.note = str(self.title), str(self.source), str(self.note)
        self.rows = [[plain(value) for value in row] for row in self.rows]

    @property
    def label(self) -> str:
        return _("Tabel %(number)d") % {"number": self.number}

    @property
    def written_rows(self) -> list[list[str]]:
        """The rows written out for readers."""
        return [
            [written(v, c.kind, c.places) for v, c in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]


@dataclass
class Drawing:
    """A chart or map with its source. ``width`` in pixels is what files draw it with."""

    chart: Chart
    source: str
    width: int = 640
    number: int = 0

    kind = "drawing"

    @property
    def title(self) -> str:
        return self.chart.title

    @property
    def label(self) -> str:
        return _("Gambar %(number)d") % {"number": self.number}


Block = Table | Drawing


@dataclass
class Part:
    """A headed piece of a chapter: what was written, and the tables and charts that go with it."""

    title: str
    text: str = ""
    blocks: list[Block] = field(default_factory=list)
    by: str = ""  # the agency that wrote it; empty for the secretariat

    def paragraphs(self) -> Iterator[tuple[str, str]]:
        """Yield the text as ``(kind, text)``: ``p`` a paragraph, ``li`` an item of a list.

        An empty line ends a paragraph; a line that begins with a hyphen is an item.
        """
        running: list[str] = []
        for line in [*self.text.splitlines(), ""]:
            line = line.strip()
            if line[:2] in ("- ", "• ", "* ") or not line:
                if running:
                    yield "p", " ".join(running)
                    running = []
                if line:
                    yield "li", line[2:].strip()
            else:
                running.append(line)


@dataclass
class Chapter:
    title: str
    parts: list[Part] = field(default_factory=list)


@dataclass
class Source:
    """One source of the figures: a dataset or a module of Guyub, and as of when."""

    name: str
    owner: str
    version: str
    as_of: str
    is_reference: bool = False


@dataclass
class Paper:
    """A whole report. ``facts`` stand on the cover or at the head of the page."""

    title: str
    subtitle: str
    regency: str
    chapters: list[Chapter]
    sources: list[Source]
    reference: str
    made_at: str
    made_by: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    edition: str = ""
    is_long: bool = False  # with a cover and a table of contents

    def __post_init__(self) -> None:
        tables = drawings = 0
        for block in self.blocks():
            if isinstance(block, Table):
                tables += 1
                block.number = tables
            else:
                drawings += 1
                block.number = drawings

    def blocks(self) -> Iterator[Block]:
        """Yield the tables and drawings in order."""
        for chapter in self.chapters:
            for part in chapter.parts:
                yield from part.blocks

    def tables(self) -> list[Table]:
        return [block for block in self.blocks() if isinstance(block, Table)]

    def drawings(self) -> list[Drawing]:
        return [block for block in self.blocks() if isinstance(block, Drawing)]

    def origin(self) -> list[tuple[str, str]]:
        """Return what every file states about itself, as (label, value)."""
        found = [(_("Isi"), self.title), (_("Tentang"), self.subtitle), *self.facts]
        if self.edition:
            found.append((_("Edisi"), self.edition))
        return [
            *found,
            (_("Data acuan"), self.reference),
            (_("Dibuat"), self.made_at),
            (_("Oleh"), self.made_by),
        ]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "chapters": [_chapter_json(chapter) for chapter in self.chapters]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Paper:
        """Return the paper that :meth:`as_json` wrote."""
        return cls(
            **{
                **data,
                "chapters": [_chapter(chapter) for chapter in data["chapters"]],
                "sources": [Source(**source) for source in data["sources"]],
                "facts": [(label, value) for label, value in data["facts"]],
            }
        )


def _chapter_json(chapter: Chapter) -> dict[str, Any]:
    return {
        "title": chapter.title,
        "parts": [
            {
                "title": part.title,
                "text": part.text,
                "by": part.by,
                "blocks": [block_json(block) for block in part.blocks],
            }
            for part in chapter.parts
        ],
    }


def block_json(block: Block) -> dict[str, Any]:
    """Return a table or drawing as JSON has it."""
    if isinstance(block, Table):
        return {"kind": block.kind, **asdict(block)}
    chart = asdict(block.chart)
    chart["table"] = [[plain(value) for value in row] for row in block.chart.table]
    chart["rows"] = [{k: plain(v) for k, v in row.items()} for row in block.chart.rows]
    chart["columns"] = [{"label": str(c.label), "numeric": c.numeric} for c in block.chart.columns]
    chart["title"], chart["caption"] = str(block.chart.title), str(block.chart.caption)
    return {
        "kind": block.kind,
        "chart": chart,
        "source": str(block.source),
        "width": block.width,
        "number": block.number,
    }


def _chapter(data: dict[str, Any]) -> Chapter:
    return Chapter(
        data["title"],
        [
            Part(
                part["title"],
                part["text"],
                [block_from_json(b) for b in part["blocks"]],
                part["by"],
            )
            for part in data["parts"]
        ],
    )


def block_from_json(data: dict[str, Any]) -> Block:
    """Return the table or drawing that :func:`block_json` wrote."""
    values = {name: value for name, value in data.items() if name != "kind"}
    if data["kind"] == "table":
        values["columns"] = [Column(**column) for column in values["columns"]]
        return Table(**values)
    chart = {**values["chart"]}
    chart["columns"] = [ChartColumn(**column) for column in chart["columns"]]
    return Drawing(**{**values, "chart": Chart(**chart)})


def share(part: float | None, whole: float | None) -> float | None:
    """Return ``part`` of ``whole`` in per cent; ``None`` where there is no whole."""
    return 100 * (part or 0) / whole if whole else None


def with_sum(rows: Sequence[Sequence[Any]], label: str, summed: Sequence[int]) -> list[list[Any]]:
    """Return ``rows`` with one more that adds up the columns ``summed``."""
    if not rows:
        return []
    last: list[Any] = [None] * len(rows[0])
    last[0] = label
    for column in summed:
        last[column] = sum(row[column] or 0 for row in rows)
    return [*(list(row) for row in rows), last]
