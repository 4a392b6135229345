"""What the map can show: whom it counts, in which unit, as a number or as a share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

DESILS = 11  # desil 1 to 10, and 0 for those whose desil nobody knows


@dataclass
class Tally:
    """Households and people of one area by desil (index 0: unknown), and extreme poor households."""

    households: list[int] = field(default_factory=lambda: [0] * DESILS)
    people: list[int] = field(default_factory=lambda: [0] * DESILS)
    extreme_households: int = 0

    def add(self, other: Tally) -> None:
        """Count the area of ``other`` in."""
        self.households = [a + b for a, b in zip(self.households, other.households, strict=True)]
        self.people = [a + b for a, b in zip(self.people, other.people, strict=True)]
        self.extreme_households += other.extreme_households

    @property
    def all_households(self) -> int:
        return sum(self.households)

    @property
    def all_people(self) -> int:
        return sum(self.people)

    @property
    def poor_households(self) -> int:
        """Households in desil 1 and 2."""
        return sum(self.households[1:3])

    @property
    def poor_people(self) -> int:
        """People in desil 1 and 2."""
        return sum(self.people[1:3])


def total(tallies: Mapping[Any, Tally]) -> Tally:
    """Return the sum of all tallies."""
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    return whole


@dataclass(frozen=True)
class Measure:
    """A group of households; ``lowest`` to ``highest`` desil, or those in extreme poverty."""

    key: str
    label: Any
    lowest: int = 0
    highest: int = 10
    extreme: bool = False


MEASURES = (
    Measure("desil-1", _("Desil 1"), 1, 1),
    Measure("desil-1-2", _("Desil 1–2"), 1, 2),
    Measure("desil-1-4", _("Desil 1–4"), 1, 4),
    Measure("ekstrem", _("Miskin ekstrem"), extreme=True),
    Measure("semua", _("Semua yang terdaftar")),
)
UNITS = {"keluarga": _("Keluarga"), "jiwa": _("Jiwa")}
FORMS = {"jumlah": _("Jumlah"), "persen": _("Persen")}


@dataclass(frozen=True)
class Choice:
    """What the reader chose to see."""

    measure: Measure = MEASURES[1]
    unit: str = "keluarga"
    form: str = "jumlah"

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Choice:
        """Read ``ukuran``, ``satuan`` and ``nilai``; whatever is missing or unknown stays default."""
        measures = {measure.key: measure for measure in MEASURES}
        measure = measures.get(query.get("ukuran", ""), cls.measure)
        unit = query.get("satuan", "")
        form = query.get("nilai", "")
        if unit not in UNITS or measure.extreme:  # extreme poverty is a finding about a household
            unit = cls.unit
        return cls(measure, unit, form if form in FORMS else cls.form)

    @property
    def is_share(self) -> bool:
        return self.form == "persen"

    @property
    def label(self) -> str:
        """The choice in words, as the legend and the table have it."""
        words = {"unit": UNITS[self.unit], "group": self.measure.label}
        if not self.is_share:
            return _("%(unit)s: %(group)s") % words
        if self.measure.key == "semua":
            return _("%(unit)s: persen dari seluruh registri") % words
        return _("%(unit)s: %(group)s, persen dari yang terdaftar di wilayah itu") % words

    def count(self, tally: Tally) -> int:
        """Return how many households or people of ``tally`` are meant."""
        if self.measure.extreme:
            return tally.extreme_households
        counts = tally.households if self.unit == "keluarga" else tally.people
        return sum(counts[self.measure.lowest : self.measure.highest + 1])

    def base(self, tally: Tally, whole: Tally) -> int:
        """Return of how many a share is: of the area's own, or of all for the whole registry."""
        over = whole if self.measure.key == "semua" else tally
        return over.all_households if self.unit == "keluarga" else over.all_people
