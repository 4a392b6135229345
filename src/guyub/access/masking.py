"""Masking of NIK and KK numbers, which is how every page shows them until someone says why not."""

from __future__ import annotations


def mask_number(number: str) -> str:
    """Return ``number`` with all but its area part and last two digits hidden.

    ``3302011203850001`` becomes ``330201••••••••01``: enough to tell two people in a list apart,
    while birth date, sex and serial number stay hidden.
    """
    if not number:
        return ""
    if len(number) != 16:
        return "•" * len(number)
    return f"{number[:6]}••••••••{number[-2:]}"
