"""The Excel file of rejected rows: to correct there and upload again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
from django.utils.translation import gettext as _

from guyub.imports.folder import RunFolder, rows_in
from guyub.imports.models import ImportRun
from guyub.imports.queries import Rejection, as_rejection
from guyub.imports.reading import NUMBER_MARK

MAX_ROWS = 1_000_000


def write_corrections(run: ImportRun, target: Path) -> int:
    """Write the rejected rows of a run to ``target``; return how many."""
    folder = RunFolder(run.pk)
    # "Konfirmasi NIK" lets the user state that an odd NIK was compared with the identity card.
    confirm = [] if "nik_confirmed" in run.mapping.values() else ["Konfirmasi NIK"]
    return write_rejected(
        folder, run.layout["headings"], lambda *fault: as_rejection(run, *fault), target, confirm
    )


def write_rejected(
    folder: RunFolder,
    headings: Sequence[str],
    tell: Callable[..., Rejection],
    target: Path,
    confirm: Sequence[str] = (),
) -> int:
    """Write the rejected rows in ``folder`` to ``target``; return how many.

    The file has the headings of the upload, so that it is recognised when it comes back, and in front
    of them where each row stood, what is wrong and how to mend it (``tell`` puts a fault in words), and
    empty columns called ``confirm``. Faulty cells are coloured. Every cell is text: Excel can't turn a
    NIK into a number again, nor run what looks like a formula.
    """
    # Imported late: it takes a while, and few requests write workbooks.
    import xlsxwriter

    cells = ", ".join(f"s.c{i}" for i in range(len(headings)))
    count = 0
    with (
        rows_in(folder.rejected) as rejected,
        rows_in(folder.staged) as staged,
        duckdb.connect() as connection,
    ):
        rows = connection.execute(
            "SELECT r.row_number, r.position, r.field, r.value, r.cause, r.hint, "  # noqa: S608
            f"{cells} FROM {rejected} r JOIN {staged} s "
            "ON s.row_number = r.row_number ORDER BY r.row_number, r.position"
        )
        options = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False,
                   "strings_to_urls": False}  # fmt: skip
        with xlsxwriter.Workbook(str(target), options) as book:
            page = book.add_worksheet(_("Ditolak"))
            bold = book.add_format({"bold": True, "bg_color": "#E3F1EF", "text_wrap": True})
            text = book.add_format({"num_format": "@"})
            faulty = book.add_format({"num_format": "@", "bg_color": "#FBE6E3"})
            note = book.add_format({"text_wrap": True, "font_color": "#566664"})
            names = [_("Baris asal"), _("Kesalahan"), _("Cara memperbaiki"), *confirm, *headings]
            page.freeze_panes(1, 0)
            page.set_column(0, 0, 10)
            page.set_column(1, 2, 44, note)
            page.set_column(3, 3 + len(names), 20, text)
            for column, name in enumerate(names):
                page.write_string(0, column, name, bold)
            for number, group in groupby(_stream(rows), key=lambda row: row[0]):
                faults = list(group)
                told = [tell(*fault[:6]) for fault in faults]
                wrong = {fault[1] for fault in faults}
                count += 1
                page.write_string(count, 0, str(number), note)
                page.write_string(
                    count, 1, "\n".join(f"{t.column}: {t.what}" if t.column else t.what for t in told), note
                )  # fmt: skip
                page.write_string(count, 2, "\n".join(t.how for t in told), note)
                first = 3 + len(confirm)
                for position in range(len(headings)):
                    value = faults[0][6 + position]
                    style = faulty if position in wrong else text
                    if value:
                        page.write_string(
                            count, first + position, value.removeprefix(NUMBER_MARK), style
                        )
                    elif position in wrong:
                        page.write_blank(count, first + position, None, style)
                if count >= MAX_ROWS:
                    break
    return count


def _stream(rows: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := rows.fetchmany(5000):
        yield from batch
