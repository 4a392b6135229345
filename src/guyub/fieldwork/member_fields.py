"""Values of a household's members that a form may ask about: reading answers, comparing, showing, storing.

A question within a repeat names one of :data:`FIELDS` (``member.work``). Values are texts as in
:mod:`guyub.fieldwork.household_fields`: a code, a date in ISO form, a name in capitals. The NIK is the number
itself, and is shown masked.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.access.masking import mask_number
from guyub.fieldwork.household_fields import (
    RegistryField,
    UnusableAnswerError,
    read_choice,
    read_text,
)
from guyub.registry import vocabulary as v
from guyub.registry.models import Person
from guyub.registry.nik import NikError, check_shape

PREFIX = "member."
# Whom a row of the form was made for: the person's key, put in by what hands the form out.
ID = "member.id"
NIK, NAME, BIRTH_DATE = "member.nik", "member.name", "member.birth_date"
STATUS, RELATION = "member.status", "member.relation"
# By what a row can be about somebody.
TELLING = frozenset({ID, NIK, NAME})
HIDDEN_DIGIT = "•"
# What is said to be decided of somebody who is not in the registry yet.
ADDED = "member.added"


def _nik(answer: Any) -> str:
    text = re.sub(r"[\s.\-]", "", str(answer))
    if HIDDEN_DIGIT in text:
        # As it was handed out, so nobody has answered.
        return ""
    try:
        check_shape(text)
    except NikError as error:
        raise UnusableAnswerError(str(error.message)) from error
    return text


def _date(answer: Any) -> str:
    try:
        day = dt.date.fromisoformat(str(answer)[:10])
    except ValueError as error:
        raise UnusableAnswerError(_("bukan tanggal")) from error
    if day > timezone.localdate():
        raise UnusableAnswerError(_("tanggal di masa depan"))
    return day.isoformat()


def _name(answer: Any) -> str:
    return read_text(150)(answer).upper()


def _of(column: str, choices: Any) -> RegistryField:
    pairs = tuple(getattr(choices, "choices", choices))
    label = Person._meta.get_field(column).verbose_name  # type: ignore[union-attr]
    return RegistryField(PREFIX + column, label, read_choice(list(pairs)), pairs)


FIELDS: dict[str, RegistryField] = {
    field.name: field
    for field in (
        RegistryField(NIK, gettext_lazy("NIK"), _nik),
        RegistryField(NAME, gettext_lazy("nama"), _name),
        _of("sex", v.Sex),
        RegistryField(BIRTH_DATE, gettext_lazy("tanggal lahir"), _date),
        RegistryField(PREFIX + "birth_place", gettext_lazy("tempat lahir"), read_text(80)),
        _of("relation", v.Relation),
        _of("disability", v.Disability),
        _of("work", v.Work),
        _of("schooling", v.Schooling),
        _of("health_insurance", v.HealthInsurance),
        _of("status", v.RECORDED_STATUSES),
    )
}
# Who somebody is, and whether they are there at all: never changed without a choice of its own.
WEIGHTY = frozenset({NIK, NAME, BIRTH_DATE, PREFIX + "sex", STATUS})
KNOWN = (ID, *FIELDS)


def values_of(person: Person, names: Any = FIELDS) -> dict[str, str]:
    """Return what the registry holds of a person, by field."""
    values = {}
    for name in names:
        if name in FIELDS:
            value = getattr(person, FIELDS[name].column)
            values[name] = value.isoformat() if isinstance(value, dt.date) else str(value or "")
    return values


def carried(person: Person, names: Any) -> dict[str, str]:
    """Return what a phone may know of a person, by field, the NIK masked."""
    return {
        name: mask_number(value) if name == NIK else value
        for name, value in values_of(person, names).items()
    }


def same(name: str, one: str, other: str) -> bool:
    """Tell whether two values say the same; a masked NIK is the number that it hides."""
    if name == NAME:
        return plain_name(one) == plain_name(other)
    if name == NIK and HIDDEN_DIGIT in one + other:
        return _masked(one) == _masked(other)
    return one == other


def _masked(nik: str) -> str:
    return nik if HIDDEN_DIGIT in nik else mask_number(nik)


def plain_name(name: str) -> str:
    """Return a name without what differs from one writer to the next: case, dots, spaces."""
    return " ".join(re.sub(r"[^\w\s]", " ", name).upper().split())


def shown(name: str, value: str) -> str:
    """Return a value in the words that people know it by; the NIK masked."""
    if not value:
        return ""
    if name == NIK:
        return _masked(value)
    if name == BIRTH_DATE:
        return date_format(dt.date.fromisoformat(value), "j M Y")
    return FIELDS[name].shown(value) if name in FIELDS else value


def to_columns(values: dict[str, str]) -> dict[str, Any]:
    """Return what :mod:`guyub.registry.services` takes of a person, of values that are not empty."""
    return {
        FIELDS[name].column: dt.date.fromisoformat(value) if name == BIRTH_DATE else value
        for name, value in values.items()
        if value and name in FIELDS
    }
