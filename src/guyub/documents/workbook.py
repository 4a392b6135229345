"""A paper as an Excel workbook: a sheet about itself, then one sheet for each table and chart.

Text cells are written as text and never become formulas.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from guyub.documents.paper import COUNT, DECIMAL, NUMERIC, PERCENT, RUPIAH, Column, Drawing, Paper

FORMATS = {COUNT: "#,##0", RUPIAH: "#,##0", PERCENT: "0.0", DECIMAL: "#,##0.00"}
OPTIONS = {
    "in_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


class _Book:
    """A workbook with the few formats that its sheets share."""

    def __init__(self, target: io.BytesIO) -> None:
        # Imported late: it takes a while, and few requests write workbooks.
        import xlsxwriter

        self.book = xlsxwriter.Workbook(target, OPTIONS)
        self.bold = self.book.add_format({"bold": True})
        self.head = self.book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#EEF5F4"}
        )
        self.small = self.book.add_format({"italic": True, "font_color": "#566664"})
        self.numbers = {
            kind: self.book.add_format({"num_format": text}) for kind, text in FORMATS.items()
        }
        self.text = self.book.add_format({"num_format": "@"})

    def about(self, info: Iterable[tuple[str, str]], sources: Iterable[Sequence[str]]) -> Any:
        """Write the first sheet: what this is, of when, for whom, and from what."""
        sheet = self.book.add_worksheet(_("Keterangan"))
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 3, 34)
        line = 0
        for label, value in info:
            sheet.write_string(line, 0, str(label), self.bold)
            sheet.write_string(line, 1, str(value), self.text)
            line += 1
        line += 1
        heads = (_("Dataset"), _("Pemilik"), _("Versi"), _("Per tanggal"))
        for column, label in enumerate(heads):
            sheet.write_string(line, column, label, self.head)
        for row in sources:
            line += 1
            for column, value in enumerate(row):
                sheet.write_string(line, column, str(value), self.text)
        return sheet

    def table(
        self,
        name: str,
        title: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Any]],
        source: str,
    ) -> None:
        """Write one sheet: title, source, headings, rows."""
        sheet = self.book.add_worksheet(name)
        sheet.write_string(0, 0, title, self.bold)
        sheet.write_string(1, 0, f"{_('Sumber')}: {source}", self.small)
        for number, column in enumerate(columns):
            label = f"{column.label} (%)" if column.kind == PERCENT else column.label
            sheet.write_string(3, number, label, self.head)
            sheet.set_column(number, number, 18 if column.kind in NUMERIC else 34)
        sheet.freeze_panes(4, 1)
        for line, row in enumerate(rows, 4):
            for number, (value, column) in enumerate(zip(row, columns, strict=True)):
                if value is None or value == "":
                    continue
                is_number = isinstance(value, int | float) and not isinstance(value, bool)
                if is_number and column.kind in NUMERIC:
                    sheet.write_number(line, number, value, self.numbers[column.kind])
                elif is_number:
                    sheet.write_number(line, number, value)
                else:
                    sheet.write_string(line, number, str(value), self.text)


def _sources(paper: Paper) -> list[tuple[str, str, str, str]]:
    return [
        (s.name, s.owner, s.version + (f" ({_('acuan')})" if s.is_reference else ""), s.as_of)
        for s in paper.sources
    ]


def paper_xlsx(paper: Paper) -> bytes:
    """Return the numbers of ``paper`` as a workbook."""
    target = io.BytesIO()
    book = _Book(target)
    with book.book:
        book.about(paper.origin(), _sources(paper))
        for block in paper.blocks():
            if isinstance(block, Drawing):
                columns = [
                    Column(str(c.label), COUNT if c.numeric else "text")
                    for c in block.chart.columns
                ]
                # A chart's table has its figures written out where they are not whole numbers.
                rows: Sequence[Sequence[Any]] = block.chart.table
            else:
                columns, rows = block.columns, block.rows
            book.table(
                block.label, f"{block.label}. {block.title}", columns, rows, str(block.source)
            )
    return target.getvalue()


def rows_xlsx(
    info: Iterable[tuple[str, str]],
    sources: Iterable[Sequence[str]],
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    source: str,
) -> bytes:
    """Return one table as a workbook that says where it is from."""
    target = io.BytesIO()
    book = _Book(target)
    with book.book:
        book.about(info, sources)
        book.table(_("Data"), title, columns, rows, source)
    return target.getvalue()
