"""What a password may not be besides what Django refuses."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level

# Whoever guesses at Guyub's doors begins with these.
_WORDS = {
    "guyub", "tkpkd", "tkpk", "sekretariat", "operator", "kepala", "bupati", "auditor", "admin", "dinas",
    "badan", "kabupaten", "pemkab", "pemda", "pemerintah", "kecamatan", "kelurahan", "desa",
    "kemiskinan", "miskin", "rahasia", "kata", "sandi", "katasandi", "password", "indonesia",
}  # fmt: skip
# Letters that must be left when those words are taken away.
OWN_LETTERS = 6


class OrganisationWordsValidator:
    """Refuses what is little more than words of the organisation: ``Banyumas2026!``, ``dinsos-guyub``.

    Source: OWASP ASVS 5.0, 6.1.2 and 6.2.11. The words are roles, the regency, its districts, the
    agencies' codes and what stands in their names.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ``ValidationError`` when fewer than six letters are the user's own."""
        text = password.casefold()
        found = [word for word in _words() if word in text]
        # The longest first: "katasandi" before "kata".
        for word in sorted(found, key=len, reverse=True):
            text = text.replace(word, " ")
        if found and len(re.sub(r"[\W\d_]", "", text)) < OWN_LETTERS:
            raise ValidationError(
                _("Kata sandi ini terutama berisi kata yang mudah ditebak di sini, misalnya %(word)s. Tambahkan beberapa kata lain."),
                code="organisation_words",
                params={"word": max(found, key=len)},
            )  # fmt: skip

    def get_help_text(self) -> str:
        return _("Kata sandi jangan hanya berisi nama kabupaten, kecamatan, dinas, atau jabatan.")


def _words() -> set[str]:
    names = Area.objects.exclude(level=Level.VILLAGE).values_list("name", flat=True)
    agencies = Agency.objects.values_list("code", "name")
    said = " ".join([*names, *(part for agency in agencies for part in agency)]).casefold()
    return _WORDS | {word for word in re.findall(r"[^\W\d_]+", said) if len(word) > 3}
