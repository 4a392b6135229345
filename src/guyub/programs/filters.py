"""What lists of programs may be narrowed to, and how an address says it."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from guyub.programs.queries import Narrowing
from guyub.programs.vocabulary import FundingSource, HelpKind, Strategy

ALL_YEARS = "semua"
# Query parameter, what it narrows, its label and its choices.
CHOICES: tuple[tuple[str, str, Any, Any], ...] = (
    ("strategi", "strategy", _("Strategi"), Strategy),
    ("bantuan", "help_kind", _("Bentuk bantuan"), HelpKind),
    ("dana", "source", _("Sumber dana"), FundingSource),
)


def narrowing_of(query: QueryDict, years: list[int]) -> Narrowing:
    """Read what a list is narrowed to: the newest year when none is asked, unknown values dropped."""
    asked = query.get("tahun", "")
    year = next((y for y in years if str(y) == asked), None)
    if year is None and asked != ALL_YEARS and years:
        year = years[0]
    picked = {}
    for parameter, name, _label, choices in CHOICES:
        value = query.get(parameter, "")
        picked[name] = value if value in choices.values else ""
    return Narrowing(
        year=year,
        agency=query.get("perangkat", "")[:40],
        text=query.get("q", "").strip()[:100],
        **picked,
    )
