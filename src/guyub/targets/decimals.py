"""Numbers as people write them, in Indonesian and in spreadsheets."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

LONGEST = 30
_GROUPED_BY_DOTS = re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})+")
_GROUPED_BY_COMMAS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+")


class BadNumberError(ValueError):
    """A text is no number; the message says how to write it."""


def parse_decimal(text: str, *, from_excel: bool = False) -> Decimal:
    """Read a number: ``12,53``, ``12.53``, ``1.234.567,8``, ``Rp 529.310``, ``12,53 %``.

    A single dot before three digits (``529.310``) groups thousands, as Indonesian has it, unless the
    text is a cell of an Excel file (``from_excel``): there a dot is what separates decimals.

    Raises:
        BadNumberError: it is no number.
    """
    cleaned = re.sub(r"(?i)^rp\.?|[\s\u00a0%]", "", text.strip().lstrip("#'"))
    wrong = BadNumberError(
        _("“%(text)s” bukan angka. Tulis misalnya 12,53 atau 529310.") % {"text": text[:LONGEST]}
    )
    if not cleaned or len(cleaned) > LONGEST:
        raise wrong
    if "," in cleaned and "." in cleaned:
        # Whichever comes last separates the decimals.
        if cleaned.rfind(",") > cleaned.rfind("."):
            cleaned = cleaned.replace(".", "").replace(",", ".")
        else:
            cleaned = cleaned.replace(",", "")
    elif "," in cleaned:
        grouped = cleaned.count(",") > 1 and _GROUPED_BY_COMMAS.fullmatch(cleaned)
        cleaned = cleaned.replace(",", "" if grouped else ".")
    elif _GROUPED_BY_DOTS.fullmatch(cleaned) and (cleaned.count(".") > 1 or not from_excel):
        cleaned = cleaned.replace(".", "")
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?", cleaned):
        raise wrong
    try:
        return Decimal(cleaned)
    except InvalidOperation as error:  # pragma: no cover - the pattern lets nothing else through
        raise wrong from error
