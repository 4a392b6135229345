"""Amounts of rupiah as people read and write them."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.ui.numbers import decimal, grouped

# Far above the whole budget of a regency, and what a big integer column holds.
LIMIT = 10**15
_SCALES = (
    (10**12, gettext_lazy("triliun")),
    (10**9, gettext_lazy("miliar")),
    (10**6, gettext_lazy("juta")),
)


class BadAmountError(ValueError):
    """A text is no amount of rupiah; the message tells how to write one."""


def rupiah(amount: int | None) -> str:
    """Return an amount in full: *Rp1.250.000.000*. Nothing is a dash."""
    return "–" if amount is None else f"Rp{grouped(amount)}"


def rupiah_short(amount: int | None) -> str:
    """Return an amount to three figures or so: *Rp1,25 miliar*. Nothing is a dash."""
    if amount is None:
        return "–"
    for size, name in _SCALES:
        if amount >= size:
            value = amount / size
            digits = 0 if value >= 100 else 1 if value >= 10 else 2
            while digits and round(value, digits) == round(value, digits - 1):
                digits -= 1
            return f"Rp{decimal(value, digits)} {name}"
    return rupiah(amount)


def parse_rupiah(text: str) -> int:
    """Read an amount: ``450000``, ``Rp 450.000``, ``450.000,00``, ``450,000.00``, ``450.000,-``.

    Raises:
        BadAmountError: it is no whole amount of rupiah from 0 to below :data:`LIMIT`.
    """
    cleaned = re.sub(r"(?i)^rp\.?", "", re.sub(r"\s", "", text))
    cleaned = re.sub(r"(?:,-|\.-|,00?|\.00?)$", "", cleaned)
    if not re.fullmatch(r"\d+|\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+", cleaned, re.ASCII):
        raise BadAmountError(_("Tulis jumlah rupiah dengan angka bulat, misalnya 1.250.000.000."))
    amount = int(re.sub(r"[.,]", "", cleaned))
    if amount >= LIMIT:
        raise BadAmountError(_("Jumlah ini terlalu besar; periksa banyaknya angka nol."))
    return amount
