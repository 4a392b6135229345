"""Which fields of a household a partner is given: as few as its purpose needs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

NUMBERS, NAMES, BIRTH, ADDRESS = "numbers", "names", "birth", "address"
COORDINATES, WELFARE, MEMBERS, DISABILITY = "coordinates", "welfare", "members", "disability"

# Groups of fields, in the order in which they are offered.
GROUPS: dict[str, Any] = {
    NUMBERS: _("NIK dan nomor KK, tersamar kecuali tujuannya mengizinkan"),
    NAMES: _("Nama"),
    BIRTH: _("Tanggal lahir dan jenis kelamin"),
    ADDRESS: _("Alamat"),
    COORDINATES: _("Titik lokasi rumah"),
    WELFARE: _("Desil dan miskin ekstrem"),
    MEMBERS: _("Anggota selain kepala keluarga"),
    DISABILITY: _("Disabilitas"),
}
# What a new partner is given unless the secretariat chooses more.
USUAL = (NUMBERS, NAMES, WELFARE)
# Attributes that may only be searched by when the partner is given what they tell.
NEEDED = {"desil": WELFARE, "poverty_score": WELFARE, "extreme_poor": WELFARE}


def all_groups() -> list[str]:
    """Return the names of all groups."""
    return list(GROUPS)
