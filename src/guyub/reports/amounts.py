"""Amounts as Indonesians write them: ``45,5 %`` and ``Rp 1.250.000``, typed or from a cell of Excel."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from guyub.programs.money import LIMIT, BadAmountError, parse_rupiah
from guyub.ui.numbers import decimal

LARGEST_COUNT = 2_000_000_000


class AmountError(ValueError):
    """The text is no such amount; the message tells the user how to write it."""


def _number(cell: Any) -> Decimal | None:
    """Return a number that came as one, ``None`` for text."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        return None
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return Decimal(str(cell))


def read_percent(cell: Any) -> Decimal | None:
    """Read per cent with up to two decimals; ``None`` for an empty cell.

    Raises:
        AmountError: it is no number from 0 to 100.
    """
    number = _number(cell)
    if number is None:
        text = _text(cell).rstrip("%").strip()
        if not text:
            return None
        if not re.fullmatch(r"\d{1,3}(?:[.,]\d{1,6})?", text, re.ASCII):
            raise AmountError(_("Tulis persen dengan angka, misalnya 45 atau 45,5."))
        number = Decimal(text.replace(",", "."))
    if not 0 <= number <= 100:
        raise AmountError(_("Persen harus antara 0 dan 100."))
    return number.quantize(Decimal("0.01"))


def _whole(cell: Any, largest: int) -> int | None:
    """Return a whole number that came as one; ``None`` for text.

    Raises:
        AmountError: it has decimals, or is out of range.
    """
    number = _number(cell)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise AmountError(_("Tulis angka bulat, tanpa angka di belakang koma."))
    if not 0 <= number <= largest:
        raise AmountError(_("Angka ini di luar batas; periksa lagi jumlah nolnya."))
    return int(number)


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def read_rupiah(cell: Any) -> int | None:
    """Read whole rupiah (``1250000``, ``Rp 1.250.000,00``); ``None`` for an empty cell.

    Raises:
        AmountError: it is no such amount.
    """
    if _number(cell) is not None:
        return _whole(cell, LIMIT)
    try:
        return parse_rupiah(_text(cell)) if _text(cell) else None
    except BadAmountError as error:
        raise AmountError(str(error)) from error


def read_count(cell: Any) -> int | None:
    """Read a number of recipients; ``None`` for an empty cell.

    Raises:
        AmountError: it is no whole number from 0 on.
    """
    if _number(cell) is not None:
        return _whole(cell, LARGEST_COUNT)
    text = _text(cell)
    if not text:
        return None
    if not re.fullmatch(r"\d{1,10}|\d{1,3}(?:\.\d{3}){1,3}", text, re.ASCII):
        raise AmountError(_("Tulis angka bulat, misalnya 1.250."))
    return _whole(int(text.replace(".", "")), LARGEST_COUNT)


def percent(value: Decimal | None) -> str:
    """Write per cent out: ``45,5%``; a dash when there is none."""
    if value is None:
        return "–"
    places = max(0, -int(value.quantize(Decimal("0.01")).normalize().as_tuple().exponent))
    return decimal(value, places) + "%"
