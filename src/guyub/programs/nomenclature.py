"""Codes of the national nomenclature of programs, activities and sub-activities.

Source of the structure: Permendagri 90/2019 as updated by Kepmendagri 900.1.15.5-1317/2023::

    1 . 04 . 03 . 2 . 03 . 0002
    |   |    |    |   |    sub-activity (sub kegiatan), four digits
    |   |    |    +---+--- activity (kegiatan): level of government, number
    |   |    program
    |   field of affairs (bidang urusan)
    affairs (urusan)

``X`` and ``XX`` stand in the first two places of codes that every agency has alike.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _


class CodeLevel(enum.IntEnum):
    """What a code names. The value is the number of its parts."""

    AFFAIRS = 1
    FIELD = 2
    PROGRAM = 3
    ACTIVITY = 5
    SUB_ACTIVITY = 6


EXAMPLES = {
    CodeLevel.PROGRAM: "1.04.03",
    CodeLevel.ACTIVITY: "1.04.03.2.03",
    CodeLevel.SUB_ACTIVITY: "1.04.03.2.03.0002",
}
_PARTS = (r"(?:\d|X)", r"(?:\d\d|XX)", r"\d\d", r"\d", r"\d\d", r"\d{4}")


class BadCodeError(ValueError):
    """A text is no code of the nomenclature; the message tells the user how it should look."""


@dataclass(frozen=True, order=True)
class Code:
    """One code, as its parts."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)

    @property
    def level(self) -> CodeLevel:
        return CodeLevel(len(self.parts))

    @property
    def parent(self) -> Code | None:
        """The code one level up; ``None`` for affairs."""
        levels = list(CodeLevel)
        place = levels.index(self.level)
        return Code(self.parts[: levels[place - 1]]) if place else None

    def is_under(self, other: Code) -> bool:
        """Tell whether this code lies below ``other``, at any distance."""
        size = len(other.parts)
        return len(self.parts) > size and self.parts[:size] == other.parts


def parse(text: str, level: CodeLevel | None = None) -> Code:
    """Read a code, of ``level`` where one is asked for. Spaces around it and its dots are let pass.

    Raises:
        BadCodeError: it is not built as the nomenclature builds codes, or is of another level.
    """
    parts = tuple(part.strip().upper() for part in text.strip().strip(".").split("."))
    if level is not None and len(parts) != level:
        raise BadCodeError(_how_it_looks(level))
    if len(parts) not in list(CodeLevel):
        raise BadCodeError(_how_it_looks(CodeLevel.SUB_ACTIVITY))
    for part, pattern in zip(parts, _PARTS, strict=False):
        # ASCII digits only: other scripts' digits look alike and compare unequal.
        if not re.fullmatch(pattern, part, re.ASCII):
            raise BadCodeError(_how_it_looks(CodeLevel(len(parts))))
    return Code(parts)


def check_under(child: str, parent: str) -> None:
    """See that ``child`` lies directly below ``parent``; a missing code contradicts nothing.

    Raises:
        BadCodeError: it does not.
    """
    if child and parent and parse(child).parent != parse(parent):
        raise BadCodeError(
            _("Kode %(child)s tidak berada di bawah %(parent)s. Awali kode dengan %(parent)s.")
            % {"child": child, "parent": parent}
        )


def _how_it_looks(level: CodeLevel) -> str:
    if level is CodeLevel.PROGRAM:
        return _("Kode program terdiri atas tiga bagian dipisah titik, misalnya 1.04.03.")
    if level is CodeLevel.ACTIVITY:
        return _("Kode kegiatan terdiri atas lima bagian dipisah titik, misalnya 1.04.03.2.03.")
    if level is CodeLevel.SUB_ACTIVITY:
        return _(
            "Kode sub kegiatan terdiri atas enam bagian dipisah titik dan berakhir empat angka, "
            "misalnya 1.04.03.2.03.0002."
        )
    return _("Kode urusan dan bidang ditulis 1 dan 1.04.")
