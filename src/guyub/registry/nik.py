"""What a NIK says and when it can't be right.

A NIK is 16 digits: six for the district where its holder was first registered, six for the birth date
(DDMMYY, with 40 added to the day for women) and a serial number from 0001 (Permendagri 73/2022 and
the *Buku Pedoman Dokumen Kependudukan*). The importer checks the same rules in SQL
(:mod:`guyub.imports.checks`).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from guyub.areas.services import national_district_codes


class NikError(ValueError):
    """A NIK that can't be right; the message says why and how to mend it."""

    def __init__(self, message: Any) -> None:
        super().__init__(message)
        self.message = message


def birth_digits(birth_date: dt.date, sex: str) -> str:
    """Return the six digits that a birth date and sex (``M``/``F``) give in a NIK."""
    day = birth_date.day + (40 if sex == "F" else 0)
    return f"{day:02d}{birth_date:%m%y}"


def check_shape(nik: str) -> None:
    """Check a NIK by itself.

    Raises:
        NikError: not 16 digits, no such district, an impossible date, or serial 0000.
    """
    if not re.fullmatch(r"\d{16}", nik):
        raise NikError(_("NIK harus tepat 16 angka, tanpa spasi atau huruf."))
    if nik[:6] not in national_district_codes():
        raise NikError(_("Enam angka pertama NIK bukan kode kecamatan. Cocokkan dengan KTP."))
    day = int(nik[6:8])
    try:
        # Two digits of a year can't rule out 29 February; 2000 was a leap year.
        dt.date(2000, int(nik[8:10]), day - 40 if day > 40 else day)
    except ValueError as error:
        raise NikError(
            _("Tanggal lahir di dalam NIK tidak mungkin. Cocokkan dengan KTP.")
        ) from error
    if nik.endswith("0000"):
        raise NikError(_("Empat angka terakhir NIK tidak mungkin 0000. Cocokkan dengan KTP."))


def check_against_record(nik: str, birth_date: dt.date | None, sex: str) -> None:
    """Check a well-formed NIK against what else is recorded of its holder.

    Raises:
        NikError: birth date or sex disagree.
    """
    told_day = int(nik[6:8])
    if sex and (sex == "F") != (told_day > 40):
        raise NikError(
            _(
                "Jenis kelamin tidak cocok dengan NIK: pada NIK perempuan, tanggal lahir ditambah 40."
            )
        )
    told = f"{told_day - 40 if told_day > 40 else told_day:02d}{nik[8:12]}"
    if birth_date is not None and told != f"{birth_date:%d%m%y}":
        raise NikError(_("Tanggal lahir tidak cocok dengan angka ke-7 sampai ke-12 NIK."))
