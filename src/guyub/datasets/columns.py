"""What the columns of a list are called."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

LABELS: dict[str, Any] = {
    "nik": "NIK", "kk": "KK", "name": _("nama"), "sex": _("jenis kelamin"),
    "birth_date": _("tanggal lahir"), "birth_place": _("tempat lahir"), "relation": _("hubungan"),
    "disability": _("disabilitas"), "work": _("pekerjaan"), "schooling": _("pendidikan"),
    "health_insurance": _("jaminan kesehatan"), "person_status": _("status orang"),
    "village": _("desa/kelurahan"), "address": _("alamat"), "hamlet": _("dusun"), "rt": "RT", "rw": "RW",
    "floor": _("lantai"), "wall": _("dinding"), "roof": _("atap"), "sanitation": _("jamban"),
    "water": _("air minum"), "electricity": _("listrik"), "ownership": _("status rumah"),
    "assets": _("aset"), "expenditure": _("pengeluaran per kapita"), "desil": _("desil"),
    "extreme_poor": _("miskin ekstrem"), "latitude": _("lintang"), "longitude": _("bujur"),
    "household_status": _("status keluarga"),
}  # fmt: skip


def label_of(column: str) -> str:
    """Return what ``column`` is called; its own name when it has no other."""
    return str(LABELS.get(column, column))
