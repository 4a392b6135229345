"""Numbers in texts, the way the reader's language writes them."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format


def grouped(number: int) -> str:
    """Write a whole number with its thousands apart: *1.250*, in English *1,250*."""
    return str(number_format(number, force_grouping=True))


def decimal(number: Decimal | float, places: int) -> str:
    """Write a number with ``places`` decimals: *45,5*, in English *45.5*."""
    rounded = Decimal(f"{number:.{places}f}")  # number_format cuts off instead
    return str(number_format(rounded, decimal_pos=places, force_grouping=True))
