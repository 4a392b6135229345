"""Values of a household that a form may ask about: reading answers, comparing, showing, storing.

A question of a form names one of :data:`FIELDS` (``household.floor``). Every value is a text here, as the
history of the registry keeps it: a code, a number in digits, assets in order with commas between, and a
place as ``latitude,longitude`` in degrees. An empty text is no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.registry import vocabulary as v
from guyub.registry.models import Household

PREFIX = "household."
LOCATION = "household.location"
PHOTO = "household.photo"  # pictures for the household's page
FIT = "enrolment.fit"  # whether a candidate is fit for the help: "ya" or "tidak"
FIT_REASON = "enrolment.reason"
YES, NO = "ya", "tidak"
# Two places nearer than this are one: what telephones measure differs by that much.
SAME_PLACE = 150  # metres
_METRES_PER_DEGREE = 111_320
LARGEST_EXPENDITURE = 1_000_000_000  # rupiah


class UnusableAnswerError(ValueError):
    """An answer is none that the registry can hold; the message tells why."""


def read_text(longest: int) -> Callable[[Any], str]:
    """Return what reads a text of at most ``longest`` letters."""

    def read(answer: Any) -> str:
        text = " ".join(str(answer).split())
        if len(text) > longest:
            raise UnusableAnswerError(_("lebih dari %(n)d huruf") % {"n": longest})
        return text

    return read


def read_choice(choices: list[tuple[str, Any]]) -> Callable[[Any], str]:
    """Return what reads one of the registry's codes."""
    codes = {code for code, _label in choices}

    def read(answer: Any) -> str:
        if str(answer) not in codes:
            raise UnusableAnswerError(
                _("“%(answer)s” bukan pilihan di registri") % {"answer": answer}
            )
        return str(answer)

    return read


def _assets(answer: Any) -> str:
    chosen = answer if isinstance(answer, list) else str(answer).split()
    unknown = [code for code in chosen if code not in v.Asset.values]
    if unknown:
        raise UnusableAnswerError(
            _("“%(answer)s” bukan pilihan di registri") % {"answer": unknown[0]}
        )
    return ",".join(sorted(chosen))


def _rupiah(answer: Any) -> str:
    try:
        amount = int(answer)
    except (TypeError, ValueError) as error:
        raise UnusableAnswerError(_("bukan angka bulat")) from error
    if not 0 <= amount < LARGEST_EXPENDITURE:
        raise UnusableAnswerError(_("di luar batas yang masuk akal"))
    return str(amount)


def _place(answer: Any) -> str:
    parts = answer if isinstance(answer, list) else str(answer).replace(",", " ").split()
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
    except (TypeError, ValueError, IndexError) as error:
        raise UnusableAnswerError(_("bukan koordinat")) from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise UnusableAnswerError(_("koordinat di luar bumi"))
    return f"{latitude:.6f},{longitude:.6f}"


@dataclass(frozen=True)
class RegistryField:
    """One value of a household or person, how an answer is read and which codes there are."""

    name: str
    label: Any
    reader: Callable[[Any], str]
    choices: tuple[tuple[str, Any], ...] = ()

    @property
    def column(self) -> str:
        return self.name.partition(".")[2]

    def read(self, answer: Any) -> str:
        """Return an answer as the registry would hold it; empty when there is none.

        Raises:
            UnusableAnswerError: the registry has no such value.
        """
        return "" if answer in (None, "", []) else self.reader(answer)

    def shown(self, value: str) -> str:
        """Return a value with its codes in words."""
        labels = {code: str(label) for code, label in self.choices}
        return ", ".join(labels.get(part, part) for part in value.split(",")) if labels else value


def _of(column: str, choices: type[Any] | None = None, longest: int = 0) -> RegistryField:
    label = Household._meta.get_field(column).verbose_name  # type: ignore[union-attr]
    if choices is not None:
        return RegistryField(
            PREFIX + column, label, read_choice(choices.choices), tuple(choices.choices)
        )
    return RegistryField(PREFIX + column, label, read_text(longest))


FIELDS: dict[str, RegistryField] = {
    field.name: field
    for field in (
        RegistryField(
            PREFIX + "status",
            gettext_lazy("status"),
            read_choice(v.RECORDED_STATUSES),
            tuple(v.RECORDED_STATUSES),
        ),
        _of("address", longest=250),
        _of("hamlet", longest=80),
        _of("rt", longest=3),
        _of("rw", longest=3),
        _of("floor", v.Floor),
        _of("wall", v.Wall),
        _of("roof", v.Roof),
        _of("sanitation", v.Sanitation),
        _of("water", v.Water),
        _of("electricity", v.Electricity),
        _of("ownership", v.Ownership),
        RegistryField(PREFIX + "assets", gettext_lazy("aset"), _assets, tuple(v.Asset.choices)),
        RegistryField(PREFIX + "expenditure", gettext_lazy("pengeluaran per kapita"), _rupiah),
        RegistryField(LOCATION, gettext_lazy("letak rumah"), _place),
    )
}
# What a form's extra column may name.
KNOWN = (*FIELDS, PHOTO, FIT, FIT_REASON)


def values_of(home: Household, names: Any = FIELDS) -> dict[str, str]:
    """Return what the registry holds of a household, by field."""
    values = {}
    for name in names:
        if name == LOCATION:
            known = home.latitude is not None and home.longitude is not None
            values[name] = f"{home.latitude:.6f},{home.longitude:.6f}" if known else ""
        elif name in FIELDS:
            value = getattr(home, FIELDS[name].column)
            values[name] = "" if value is None else str(value)
    return values


def same(name: str, one: str, other: str) -> bool:
    """Tell whether two values say the same; places do when they are about as near as phones measure."""
    if name != LOCATION or not one or not other:
        return one == other
    (a, b), (c, d) = (map(float, text.split(",")) for text in (one, other))
    north, east = a - c, (b - d) * math.cos(math.radians(a))
    return math.hypot(north, east) * _METRES_PER_DEGREE <= SAME_PLACE


def shown(name: str, value: str) -> str:
    """Return a value in the words that people know it by."""
    return FIELDS[name].shown(value) if value and name in FIELDS else value


def to_columns(values: dict[str, str]) -> dict[str, Any]:
    """Return what :func:`guyub.registry.services.edit_household` takes, of values that are not empty."""
    columns: dict[str, Any] = {}
    for name, value in values.items():
        if not value:
            continue
        if name == LOCATION:
            latitude, longitude = value.split(",")
            columns |= {"latitude": float(latitude), "longitude": float(longitude)}
        elif name == PREFIX + "expenditure":
            columns["expenditure"] = int(value)
        else:
            columns[FIELDS[name].column] = value
    return columns
