"""Writing lists to Excel and CSV files that say where they are from.

Cells never become formulas: Excel files hold text as text, and in CSV a text that a spreadsheet would
run (``= + - @``, tab, carriage return) gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

EXCEL_ROWS = 1_000_000
RISKY = ("=", "+", "-", "@", "\t", "\r")
Info = Sequence[tuple[str, str]]


def write_xlsx(
    path: Path, info: Info, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Write ``rows`` under ``columns`` to an Excel file, ``info`` (label, value) on its first sheet.

    Rows beyond what one sheet holds go on to further sheets. Returns the number of rows.
    """
    # Imported late: it takes a while, and few requests write workbooks.
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_numbers": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    count = 0
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True})
        text = book.add_format({"num_format": "@"})
        about = book.add_worksheet(_("Keterangan"))
        about.set_column(0, 0, 24)
        about.set_column(1, 1, 70)
        for line, (label, value) in enumerate(info):
            about.write_string(line, 0, label, bold)
            about.write_string(line, 1, value)
        page, line, sheets = None, 0, 0
        for row in rows:
            if page is None or line > EXCEL_ROWS:
                sheets += 1
                name = _("Data") if sheets == 1 else f"{_('Data')} {sheets}"
                page, line = book.add_worksheet(name), 1
                page.freeze_panes(1, 0)
                page.set_column(0, len(columns), 18)
                page.write_row(0, 0, columns, bold)
            for column, value in enumerate(row):
                if value is None or value == "":
                    continue
                if isinstance(value, int | float) and not isinstance(value, bool):
                    page.write_number(line, column, value)
                else:
                    page.write_string(line, column, as_text(value), text)
            line += 1
            count += 1
        if page is None:
            book.add_worksheet(_("Data")).write_row(0, 0, columns, bold)
    return count


def write_csv(path: Path, info: Info, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write ``rows`` to a CSV file (UTF-8 with a mark, so that Excel reads it), ``info`` in front."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for label, value in info:
            writer.writerow([f"# {label}", harmless(value)])
        writer.writerow([harmless(column) for column in columns])
        for row in rows:
            writer.writerow(
                [harmless(as_text(value)) if value is not None else "" for value in row]
            )
            count += 1
    return count


def as_text(value: Any) -> str:
    """Return a value as people write it."""
    if isinstance(value, bool):
        return _("Ya") if value else _("Tidak")
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    return str(value)


def harmless(text: str) -> str:
    """Return ``text`` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(RISKY) else text
