"""What rules can ask of a household and of its members: names, kinds of values, labels, codes."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from guyub.registry import vocabulary as v

MEMBERS = "members"
HOUSEHOLD = "household"


class Kind(enum.Enum):
    """What values an attribute has, and so what can be asked of it."""

    NUMBER = "number"  # a whole number
    DECIMAL = "decimal"
    CODE = "code"  # one of a few codes
    TEXT = "text"
    FLAG = "flag"  # yes or no
    DATE = "date"
    AGE = "age"  # years completed on the day that is asked about
    AREA = "area"  # a Kemendagri code
    CODES = "codes"  # several of a few codes


@dataclass(frozen=True)
class Attribute:
    """One attribute. ``field`` is the model field that holds it.

    ``maximum`` bounds a number's absolute value, so that no calculation can overflow unseen.
    ``always_known`` tells that every record has a value.
    """

    name: str
    kind: Kind
    label: Any
    field: str
    choices: tuple[tuple[str, Any], ...] = ()
    maximum: int = 0
    unit: Any = ""
    always_known: bool = False

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(code for code, _label in self.choices)

    def label_of(self, code: str) -> str:
        """Return what ``code`` is called."""
        return str(dict(self.choices).get(code, code))


def _coded(name: str, label: Any, choices: Any, **values: Any) -> Attribute:
    return Attribute(name, Kind.CODE, label, name, tuple(choices.choices), **values)


def _by_name(attributes: Iterable[Attribute]) -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in attributes}


HOUSEHOLD_ATTRIBUTES = _by_name(
    [
        Attribute("desil", Kind.NUMBER, _("Desil kesejahteraan"), "desil", maximum=32_767),
        Attribute("extreme_poor", Kind.FLAG, _("Miskin ekstrem"), "extreme_poor"),
        Attribute(
            "expenditure",
            Kind.NUMBER,
            _("Pengeluaran per kapita"),
            "expenditure",
            maximum=2**31 - 1,
            unit=_("rupiah per orang per bulan"),
        ),
        Attribute(
            "member_count",
            Kind.NUMBER,
            _("Jumlah anggota"),
            "member_count",
            maximum=32_767,
            unit=_("orang"),
            always_known=True,
        ),
        Attribute("district", Kind.AREA, _("Kecamatan"), "district", always_known=True),
        Attribute("village", Kind.AREA, _("Desa/kelurahan"), "village", always_known=True),
        _coded("floor", _("Lantai"), v.Floor),
        _coded("wall", _("Dinding"), v.Wall),
        _coded("roof", _("Atap"), v.Roof),
        _coded("sanitation", _("Jamban"), v.Sanitation),
        _coded("water", _("Air minum"), v.Water),
        _coded("electricity", _("Listrik"), v.Electricity),
        _coded("ownership", _("Status rumah"), v.Ownership),
        Attribute("assets", Kind.CODES, _("Aset"), "assets", tuple(v.Asset.choices)),
        Attribute("hamlet", Kind.TEXT, _("Dusun"), "hamlet"),
        Attribute("rt", Kind.TEXT, _("RT"), "rt"),
        Attribute("rw", Kind.TEXT, _("RW"), "rw"),
        Attribute("latitude", Kind.DECIMAL, _("Lintang"), "latitude"),
        Attribute("longitude", Kind.DECIMAL, _("Bujur"), "longitude"),
        _coded("status", _("Status keluarga"), v.Status, always_known=True),
    ]
)

MEMBER_ATTRIBUTES = _by_name(
    [
        Attribute("age", Kind.AGE, _("Umur"), "birth_date", maximum=200, unit=_("tahun")),
        _coded("sex", _("Jenis kelamin"), v.Sex),
        _coded("relation", _("Hubungan dengan kepala keluarga"), v.Relation),
        _coded("schooling", _("Pendidikan yang ditamatkan"), v.Schooling),
        _coded("work", _("Pekerjaan"), v.Work),
        _coded("disability", _("Disabilitas"), v.Disability),
        _coded("health_insurance", _("Jaminan kesehatan"), v.HealthInsurance),
        Attribute("birth_date", Kind.DATE, _("Tanggal lahir"), "birth_date"),
        _coded("status", _("Status anggota"), v.Status, always_known=True),
    ]
)
