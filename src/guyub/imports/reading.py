"""Reading uploaded files: what is in them (:func:`look`), then every row as text (:func:`stage`).

CSV goes through DuckDB; XLSX through calamine, or through openpyxl's streaming reader when the sheet
is so large that calamine, which holds it whole, would need more than a gigabyte.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from guyub.access.sealed_files import opened, seal_file
from guyub.access.sealing import is_sealed, seal, unseal
from guyub.imports import guarding
from guyub.imports.fields import BY_HEADING, normal, recognise, score_headings
from guyub.imports.folder import RunFolder
from guyub.longruns.folder import Report
from guyub.ui.numbers import grouped

HEAD_ROWS = 40
SAMPLE_ROWS = 8
MAX_COLUMNS = 400
# Uncompressed XML above which calamine's memory would pass about 1 GB (26 bytes of XML a cell,
# 100 bytes a cell in memory, both measured).
STREAM_SHEET_BYTES = 350 * 1024 * 1024
# Excel keeps 15 digits; a whole number this long has lost its last one.
INTEGER_LIMIT = 10**15
NUMBER_MARK = "#"


class UnreadableFileError(Exception):
    """The file can't be read; the message tells the user why and what to do."""


@dataclass
class Layout:
    """What the head of a file shows.

    ``headings`` are the column names (two-row headings joined), ``first_data_row`` the 1-based row
    number, as Excel shows it, of the first row of data, ``sample`` its first rows as text.
    """

    kind: str  # "csv" or "xlsx"
    headings: list[str] = field(default_factory=list)
    first_data_row: int = 2
    # The lower of two rows of headings, blank where nothing stands above.
    lower_headings: list[str] = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what the database keeps; the sample, which is people's data, is sealed."""
        return {**asdict(self), "sample": [[seal(cell) for cell in row] for row in self.sample]}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Layout:
        return cls(**{**content, "sample": sample_of(content)})


def sample_of(content: dict[str, Any]) -> list[list[str]]:
    """Return the sample rows of a layout that :meth:`Layout.as_json` made."""
    return [
        [unseal(cell) if is_sealed(cell) else cell for cell in row]
        for row in content.get("sample", [])
    ]


def columns_shown(layout: dict[str, Any], mapping: dict[str, str]) -> list[dict[str, Any]]:
    """Return what a page shows of each column: heading, field it is taken for, a few values.

    ``layout`` is what :meth:`Layout.as_json` made; long numbers in the sample are masked.
    """
    sample = sample_of(layout)
    columns = []
    for position, heading in enumerate(layout.get("headings", [])):
        values = [row[position] for row in sample if position < len(row) and row[position]]
        columns.append(
            {
                "position": position,
                "heading": heading,
                "field": mapping.get(str(position), ""),
                "sample": [_hidden(value) for value in values[:3]],
            }
        )
    return columns


def _hidden(value: str) -> str:
    """Hide the middle of long numbers: the sample shall show the form, not whose they are."""
    digits = sum(character.isdigit() for character in value)
    return f"{value[:6]}••••{value[-2:]}" if digits >= 12 else value[:40]


def is_workbook(path: Path) -> bool:
    """Tell by its first bytes whether a file is an Excel workbook (.xlsx), or something else.

    Raises:
        UnreadableFileError: it is one of old Excel, or locked by a password.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"\xd0\xcf\x11\xe0":
        raise UnreadableFileError(
            _(
                "Ini berkas Excel lama (.xls) atau berkas berkata sandi. Buka di Excel, lalu simpan "
                "sebagai “Excel Workbook (.xlsx)” tanpa kata sandi."
            )
        )
    return magic.startswith(b"PK")


def look(path: Path, sheet: str = "") -> Layout:
    """Read the head of ``path`` and tell what is in it.

    Raises:
        UnreadableFileError: it is no CSV or XLSX, is empty, or is damaged.
    """
    if path.stat().st_size == 0:
        raise UnreadableFileError(_("Berkas kosong. Periksa kembali berkas yang Anda pilih."))
    if is_workbook(path):
        layout = Layout(kind="xlsx")
        layout.sheets = sheet_names(path)
        layout.sheet = sheet if sheet in layout.sheets else _likely_sheet(path, layout.sheets)
        head = _head(xlsx_rows(path, layout.sheet))
    else:
        layout = Layout(kind="csv", encoding=detect_encoding(path))
        text = _decoded_head(path, layout.encoding)
        layout.delimiter = detect_delimiter(text)
        head = _csv_head(text, layout.delimiter)
    head = [[_clean(cell) for cell in row] for row in head]
    if not any(any(row) for row in head):
        raise UnreadableFileError(
            _("Berkas tidak berisi data. Periksa kembali berkas yang Anda pilih.")
        )
    width = max(len(row) for row in head)
    if width > MAX_COLUMNS:
        raise UnreadableFileError(
            _(
                "Berkas punya %(count)s kolom; paling banyak %(limit)s. Hapus kolom yang tak terpakai."
            )
            % {"count": width, "limit": MAX_COLUMNS}
        )
    start, height = find_headings(head)
    # As wide as the headings or most rows are; a single longer row has not split as it should.
    lengths = [len(row) for row in head[start + height :]]
    usual = max(set(lengths), key=lengths.count) if lengths else 0
    width = max(usual, *(len(row) for row in head[start : start + height]))
    head = [row[:width] for row in head]
    layout.headings = unique(join_headings(head[start : start + height], width))
    layout.first_data_row = start + height + 1
    if height == 2:
        lower = [*head[start + 1], *[""] * (width - len(head[start + 1]))]
        layout.lower_headings = [
            below if joined != below else ""
            for below, joined in zip(lower, layout.headings, strict=True)
        ]
    layout.sample = [
        row + [""] * (width - len(row))
        for row in head[start + height : start + height + SAMPLE_ROWS]
        if any(row)
    ]
    return layout


def find_headings(head: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return where the headings are in the first rows of a file: (row index, number of rows).

    Titles above the table are skipped. A second row belongs to the headings when, read together
    with the first, the two name more known columns than the first alone and it holds no numbers,
    as where *Alamat* is merged over *RT* and *RW*.
    """
    best, best_score = 0, -1.0
    for index, row in enumerate(head[:25]):
        texts = [cell for cell in row if cell]
        if len(texts) < 2 and len(row) > 1:
            continue
        words = sum(1 for cell in texts if not any(c.isdigit() for c in cell))
        score = 10 * score_headings(row) + words / (len(texts) or 1) - index / 100
        if score > best_score:
            best, best_score = index, score
    if best + 1 < len(head):
        first, second = head[best], head[best + 1]
        width = max(len(first), len(second))
        joined = join_headings([first, second], width)
        plain = all(not any(c.isdigit() for c in cell) for cell in second)
        has_gaps = any(not cell for cell in first[:width]) or len(first) < width
        if plain and has_gaps and any(second) and score_headings(joined) >= score_headings(first):
            return best, 2
        # A row above that only spans groups of columns: the best row was its lower half.
    if best > 0 and score_headings(head[best]):
        above = head[best - 1]
        width = max(len(above), len(head[best]))
        filled = [cell for cell in above if cell]
        joined = join_headings([above, head[best]], width)
        if len(filled) > 1 and score_headings(joined) > score_headings(head[best]):
            return best - 1, 2
    return best, 1


def join_headings(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Join one or two rows of headings column by column.

    A blank in the upper of two rows takes over the text to its left where the lower row has text:
    that is how a merged cell reads.
    """
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    if len(padded) == 1:
        return [cell or _("Kolom %(n)s") % {"n": i + 1} for i, cell in enumerate(padded[0])]
    upper, lower = padded
    names, spanning = [], ""
    for index in range(width):
        spanning = upper[index] or (spanning if lower[index] else "")
        parts = [part for part in (spanning, lower[index]) if part]
        names.append(" ".join(parts) or _("Kolom %(n)s") % {"n": index + 1})
    return names


def unique(names: Sequence[str]) -> list[str]:
    """Number repeated names: *Nama*, *Nama (2)*."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


# CSV


def detect_encoding(path: Path) -> str:
    """Return ``utf-8``, ``utf-16`` or ``cp1252``, judged from the byte order mark and the bytes.

    Raises:
        UnreadableFileError: it is binary.
    """
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        is_utf8 = True
        while block := file.read(1 << 20):
            if b"\0" in block:
                raise UnreadableFileError(
                    _("Berkas ini bukan CSV atau XLSX. Simpan daftar Anda sebagai salah satunya.")
                )
            if is_utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    is_utf8 = False
        if is_utf8:
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                is_utf8 = False
    return "utf-8" if is_utf8 else "cp1252"


def detect_delimiter(text: str) -> str:
    """Return the separator that splits the first lines most evenly into most columns."""
    best, best_score = ",", 0.0
    for delimiter in (",", ";", "\t", "|"):
        widths = [len(row) for row in _csv_head(text, delimiter) if any(row)]
        usual = max(set(widths), key=widths.count) if widths else 1
        score = usual * widths.count(usual) / (len(widths) or 1) if usual > 1 else 0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _csv_head(text: str, delimiter: str) -> list[list[str]]:
    """Split the first rows; what stands behind a cell of more than 131,072 letters is left out."""
    head: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            head.append(row)
            if len(head) == HEAD_ROWS:
                break
    except csv.Error:
        pass
    return head


def _decoded_head(path: Path, encoding: str) -> str:
    with path.open("rb") as file:
        block = file.read(256 * 1024)
    text = block.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    text = text.replace("\0", "")
    lines = text.splitlines(keepends=True)
    # The last line may have been cut in the middle.
    return "".join(lines[:-1] if len(block) == 256 * 1024 and len(lines) > 1 else lines)


def _as_utf8(path: Path, encoding: str, work: Path) -> Path:
    if encoding == "utf-8":
        return path
    target = work / "utf8.csv"
    with (
        path.open(encoding=encoding, errors="replace", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        while block := source.read(1 << 20):
            out.write(block.replace("\0", ""))
    return target


# XLSX


def _damaged() -> str:
    return _(
        "Berkas Excel rusak atau tidak lengkap. Buka di Excel, simpan ulang, lalu unggah lagi."
    )


def _sheet_bytes(path: Path) -> int:
    try:
        return guarding.largest_sheet(path)
    except guarding.SuspectWorkbookError as error:
        raise _suspect(error) from error


def fits_in_memory(path: Path) -> bool:
    """Tell whether a workbook's sheets may be held whole. Raises :class:`UnreadableFileError`."""
    if _sheet_bytes(path) > STREAM_SHEET_BYTES:
        return False
    try:
        return guarding.table_size(path) <= guarding.MAX_TABLE
    except guarding.SuspectWorkbookError as error:
        raise _suspect(error) from error


def _suspect(error: guarding.SuspectWorkbookError) -> UnreadableFileError:
    if error.too_large:
        return UnreadableFileError(
            _("Isi berkas Excel ini terlalu besar. Simpan sebagai CSV, atau bagi per kecamatan.")
        )
    return UnreadableFileError(_damaged())


def _is_damage(error: BaseException) -> bool:
    """Tell whether a library failed: calamine's failed assertions are no ``Exception``."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def sheet_names(path: Path) -> list[str]:
    """Return the names of the sheets that hold cells. Raises :class:`UnreadableFileError`."""
    import python_calamine

    _sheet_bytes(path)
    try:
        book = python_calamine.load_workbook(str(path))
        cells = python_calamine.SheetTypeEnum.WorkSheet
        names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == cells]
    except BaseException as error:
        if not _is_damage(error):
            raise
        raise UnreadableFileError(_damaged()) from error
    if not names:
        raise UnreadableFileError(_("Berkas Excel ini tidak punya lembar berisi data."))
    return names


def _likely_sheet(path: Path, sheets: Sequence[str]) -> str:
    """Return the sheet whose head names most known columns: the first may be a cover letter."""
    if len(sheets) == 1:
        return sheets[0]
    scores = []
    for name in sheets[:10]:
        head = _head(xlsx_rows(path, name))
        scores.append(max((score_headings([_clean(c) for c in row]) for row in head), default=0))
    return sheets[scores.index(max(scores))]


def _head(rows: Iterator[list[str]]) -> list[list[str]]:
    return [row for row, _n in zip(rows, range(HEAD_ROWS), strict=False)]


def xlsx_rows(path: Path, sheet: str) -> Iterator[list[str]]:
    """Yield every row of a sheet as text, from Excel's row 1, blank rows included."""
    read = _calamine_rows if fits_in_memory(path) else _openpyxl_rows
    try:
        for number, row in enumerate(read(path, sheet), start=1):
            if number > guarding.LAST_ROW:
                raise UnreadableFileError(_damaged())
            yield row
    except (UnreadableFileError, GeneratorExit):
        raise
    except BaseException as error:  # a damaged part may surface anywhere in either library
        if not _is_damage(error):
            raise
        raise UnreadableFileError(_damaged()) from error


def _calamine_rows(path: Path, sheet: str) -> Iterator[list[str]]:
    import python_calamine

    page = python_calamine.load_workbook(str(path)).get_sheet_by_name(sheet)
    # calamine gives rows from the first of the sheet, but columns from the first used one.
    margin = [""] * (page.start or (0, 0))[1]
    for row in page.iter_rows():
        yield margin + [cell_text(cell) for cell in row]


def _openpyxl_rows(path: Path, sheet: str) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    with path.open("rb") as file:
        workbook = load_workbook(file, read_only=True, data_only=True)
        try:
            page = workbook[sheet]
            page.reset_dimensions()
            for row in page.iter_rows(values_only=True):
                yield [cell_text(cell) for cell in row]
        finally:
            workbook.close()


def cell_text(cell: Any) -> str:
    """Return a cell's value as the text a person would have typed.

    Dates become ISO dates; whole numbers lose their ``.0``. A number too long for Excel to have
    kept exactly is marked with ``#``, so that a NIK that was stored as a number can be refused
    instead of being taken with a wrong last digit.
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.replace("\0", "")  # PostgreSQL keeps no such sign
    if isinstance(cell, bool):
        return "Ya" if cell else "Tidak"
    if isinstance(cell, int | float):
        if cell != cell:  # NaN
            return ""
        if abs(cell) >= INTEGER_LIMIT:
            return f"{NUMBER_MARK}{int(cell)}" if abs(cell) < 1e18 else f"{cell:.2E}"
        return str(int(cell)) if float(cell).is_integer() else repr(float(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return str(cell)


def _clean(cell: str) -> str:
    return " ".join(cell.split())


# Staging


def stage_sealed(folder: RunFolder, layout: Layout, report: Report, limit: int) -> None:
    """Stage a folder's upload, both sealed; see :func:`stage`."""
    work = folder.fresh_work()
    clear = work / "staged.parquet"
    with opened(folder.source(".bin")) as source:
        stage(source, layout, clear, work, report, limit)
    seal_file(clear, folder.staged)
    clear.unlink()


def stage(path: Path, layout: Layout, target: Path, work: Path, report: Report, limit: int) -> int:
    """Write every data row of ``path`` as text to the Parquet file ``target``; return the count.

    Columns: ``row_number`` (as Excel counts, from 1) and ``c0`` ... one per heading. Wholly blank
    rows are left out. CSV rows that can't be split are kept with ``malformed`` true.

    Raises:
        UnreadableFileError: damaged midway, or more than ``limit`` rows.
    """
    part = target.with_suffix(".part")
    if layout.kind == "xlsx":
        count = _stage_rows(
            xlsx_rows(path, layout.sheet), layout, part, report, limit, path.stat().st_size
        )
    else:
        count = _stage_csv(path, layout, part, work, report)
    if count > limit:
        raise UnreadableFileError(
            _("Berkas punya lebih dari %(limit)s baris. Bagi menjadi beberapa berkas.")
            % {"limit": grouped(limit)}
        )
    if count == 0:
        raise UnreadableFileError(_("Di bawah baris judul tidak ada satu pun baris data."))
    part.replace(target)
    return count


def _stage_rows(
    rows: Iterator[list[str]], layout: Layout, part: Path, report: Report, limit: int, size: int
) -> int:
    width = len(layout.headings)
    names = [f"c{i}" for i in range(width)]
    schema = pa.schema(
        [("row_number", pa.int64()), ("malformed", pa.bool_())] + [(n, pa.string()) for n in names]
    )
    count = 0
    batch: list[tuple[int, list[str]]] = []

    def flush(writer: pq.ParquetWriter) -> None:
        columns: list[Any] = [[number for number, _row in batch], [False] * len(batch)]
        columns += [[row[i] or None for _n, row in batch] for i in range(width)]
        writer.write_batch(pa.record_batch(columns, schema=schema))

    report("stage", 0, 0)
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for number, row in enumerate(rows, start=1):
            if number < layout.first_data_row or not any(row):
                continue
            batch.append((number, [*row[:width], *[""] * (width - len(row))]))
            count += 1
            if count > limit:
                break
            if len(batch) == 20_000:
                flush(writer)
                batch.clear()
                report("stage", count, 0)
        if batch:
            flush(writer)
    return count


def _stage_csv(path: Path, layout: Layout, part: Path, work: Path, report: Report) -> int:
    source = _as_utf8(path, layout.encoding, work)
    width = len(layout.headings)
    names = [f"c{i}" for i in range(width)]
    report("stage", 0, 1)
    connection = duckdb.connect()
    try:
        connection.execute("SET preserve_insertion_order=true; SET memory_limit='900MB'")
        connection.execute(f"SET temp_directory='{work}'")
        # One column more than there are headings: whatever lands there did not split as it should.
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in [*names, "overflow"])
        options = (
            f"header=false, skip={layout.first_data_row - 1}, auto_detect=false, "
            f"columns={{{columns}}}, delim='{layout.delimiter}', quote='\"', escape='\"', "
            "null_padding=true, strict_mode=false, max_line_size=2000000"
        )
        read = f"read_csv('{source}', {options})"
        blank = " AND ".join(f"coalesce(trim({name}), '') = ''" for name in names)
        query = (
            "SELECT * FROM (SELECT row_number() OVER () + "
            f"{layout.first_data_row - 1} AS row_number, coalesce(trim(overflow), '') <> '' AS malformed, "
            "* EXCLUDE (overflow) FROM {source}) "
            f"WHERE NOT ({blank})"
        )
        try:
            count = _copy(connection, query.format(source=read), part)
        except duckdb.Error:
            # Some line can't be split: read on, setting such lines aside by number.
            lenient = f"read_csv('{source}', {options}, ignore_errors=true, store_rejects=true)"
            _copy(connection, query.format(source=lenient), part)
            connection.execute(
                "CREATE TABLE faulty AS SELECT DISTINCT line, csv_line FROM reject_errors"
            )
            whole = work / "whole.parquet"
            padding = ", ".join(["csv_line"] + ["NULL"] * (width - 1))
            # Rows after a faulty line move down by the faulty lines above them.
            count = _copy(
                connection,
                f"SELECT row_number + (SELECT count(*) FROM faulty WHERE line <= row_number) "
                f"AS row_number, malformed, {', '.join(names)} FROM '{part}' "
                f"UNION ALL SELECT line, true, {padding} FROM faulty",
                whole,
            )
            whole.replace(part)
    except duckdb.Error as error:
        raise UnreadableFileError(
            _("Berkas CSV tidak bisa dibaca. Buka di Excel lalu simpan ulang sebagai “CSV UTF-8”.")
        ) from error
    finally:
        connection.close()
        if source != path:
            source.unlink(missing_ok=True)
    report("stage", 1, 1)
    return count


def _copy(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    copied = connection.execute(
        f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    ).fetchall()
    return int(copied[0][0])


def recognised(layout: Layout) -> dict[str, str]:
    """Return {column position: field} for the headings that are known layouts' own.

    Where nobody knows what stands over a group of columns, the lower heading tells: *Kondisi Rumah*
    over *Lantai* is *Lantai*.
    """
    found = recognise(layout.headings)
    for position, heading in enumerate(layout.lower_headings):
        field = BY_HEADING.get(normal(heading))
        if field and position not in found and field not in found.values():
            found[position] = field
    return {str(position): name for position, name in found.items()}
