"""What is looked at in an Excel file before a library may open it.

A few kilobytes can claim to be gigabytes (zip bombs), and one stray cell in the last column of the last
row makes a reader ask for a table of seventeen thousand million cells. Both would end the process, not
the upload; so sizes, packing and the outermost cell are looked at first, in little memory.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

MAX_PARTS = 10_000
MAX_UNPACKED = 4 * 1024**3
# Texts are held whole by every reader; of 200 MB the shortest possible take about 600 MB of memory.
MAX_TEXTS = 200 * 1024**2
MAX_OTHER_PART = 60 * 1024**2
# Sheets pack to a tenth or a thirtieth; only what repeats one letter packs to less than a hundredth.
MAX_RATIO = 150
RATIO_FROM = 20 * 1024**2
LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
# The table that calamine makes reaches to the outermost cell: 100 bytes of memory a cell, measured.
MAX_TABLE = 14_000_000
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]+)""")
_BLOCK = 1 << 20


class SuspectWorkbookError(Exception):
    """It is damaged or made to exhaust its reader; ``too_large`` tells which."""

    def __init__(self, *, too_large: bool) -> None:
        super().__init__("too large" if too_large else "damaged")
        self.too_large = too_large


def largest_sheet(path: Path) -> int:
    """Return the unpacked bytes of the largest sheet, judged from the directory of the archive.

    Raises:
        SuspectWorkbookError: it is no archive, or one of its parts is larger than any list needs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SuspectWorkbookError(too_large=False) from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise SuspectWorkbookError(too_large=True)
    largest = 0
    for part in parts:
        if part.flag_bits & 1:  # with a password of the archive
            raise SuspectWorkbookError(too_large=False)
        if part.file_size > RATIO_FROM and part.file_size > MAX_RATIO * part.compress_size:
            raise SuspectWorkbookError(too_large=True)
        name = part.filename.replace("\\", "/").casefold().lstrip("/")
        if name.startswith("xl/worksheets/"):
            largest = max(largest, part.file_size)
        elif part.file_size > (MAX_TEXTS if "sharedstrings" in name else MAX_OTHER_PART) and (
            name.endswith((".xml", ".rels"))
        ):
            raise SuspectWorkbookError(too_large=True)
    return largest


def table_size(path: Path) -> int:
    """Return how many cells the widest table of the sheets has, blank ones included.

    Unpacks every part that readers parse, without keeping it, so that a part which is longer than the
    archive's directory says is found here.

    Raises:
        SuspectWorkbookError: a part is not what the directory says, declares entities, or has a cell
            outside of any sheet.
    """
    most = 0
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            name = part.filename.replace("\\", "/").casefold()
            if not name.endswith((".xml", ".rels")):
                continue
            rows = columns = length = 0
            tail = b""
            for block in _unpacked(path, part):
                if not length and b"<!DOCTYPE" in block[:65536]:
                    raise SuspectWorkbookError(too_large=False)
                length += len(block)
                if length > part.file_size:
                    raise SuspectWorkbookError(too_large=True)
                if "worksheets/" not in name:
                    continue
                places = set(_REFERENCE.findall(tail + block))
                tail = block[-64:]
                for letters in {letters for letters, _row in places}:
                    if len(letters) > 3:
                        raise SuspectWorkbookError(too_large=False)
                    columns = max(columns, _column(letters))
                rows = max(rows, max((int(row[:9]) for _letters, row in places), default=0))
            if rows > LAST_ROW or columns > LAST_COLUMN:
                raise SuspectWorkbookError(too_large=False)
            most = max(most, rows * columns)
    return most


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _unpacked(path: Path, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a part really unpacks to, however long the directory says it is."""
    with path.open("rb") as file:
        file.seek(part.header_offset)
        head = file.read(30)
        if len(head) < 30 or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SuspectWorkbookError(too_large=False)
        file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
        left = part.compress_size
        unpacker = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None
        while left > 0:
            packed = file.read(min(left, _BLOCK))
            if not packed:
                raise SuspectWorkbookError(too_large=False)
            left -= len(packed)
            if unpacker is None:
                yield packed
                continue
            while packed and not unpacker.eof:
                try:
                    yield unpacker.decompress(packed, _BLOCK)
                except zlib.error as error:
                    raise SuspectWorkbookError(too_large=False) from error
                packed = unpacker.unconsumed_tail
