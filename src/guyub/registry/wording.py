"""Stored values in the words of the user: codes, dates, amounts, yes and no."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.registry.flat import FLAT_COLUMNS
from guyub.registry.models import HOUSEHOLD_FIELDS, PERSON_FIELDS, Household, Person
from guyub.registry.vocabulary import Asset
from guyub.ui.numbers import grouped

# Columns of the flat form that have another name in the database.
_FLAT_NAMES = {"person_status": (Person, "status"), "household_status": (Household, "status")}


@cache
def _vocabularies() -> dict[str, dict[Any, Any]]:
    fields: dict[str, Any] = {
        **{name: Household._meta.get_field(name) for name in HOUSEHOLD_FIELDS},
        **{name: Person._meta.get_field(name) for name in PERSON_FIELDS},
        **{flat: model._meta.get_field(name) for flat, (model, name) in _FLAT_NAMES.items()},
    }
    return {name: dict(field.flatchoices) for name, field in fields.items() if field.choices}


def decoded(column: str, value: Any) -> Any:
    """Return the label of a coded value, a list of assets in words, and anything else as it is."""
    if value is None or value == "":
        return value
    if column == "assets":
        labels = dict(Asset.choices)
        return ", ".join(str(labels.get(code, code)) for code in str(value).split(","))
    labels = _vocabularies().get(column, {})
    return str(labels[value]) if value in labels else value


def in_words(column: str, text: str) -> str:
    """Return a value that history or a version keeps as text the way pages show it."""
    kind = FLAT_COLUMNS.get(column, "")
    if not text:
        return ""
    if kind == "BOOLEAN":
        return _("Ya") if text.lower() == "true" else _("Tidak")
    if kind == "DATE":
        return date_format(dt.date.fromisoformat(text), "j M Y")
    if column == "expenditure":
        return f"Rp {grouped(int(text))}"
    return str(decoded(column, text))
