"""Overlap in the demo: reckoned from what the demo holds, one case talked over, two settled."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from guyub.discussions.services import write
from guyub.overlaps.models import OverlapCase, Ruling
from guyub.overlaps.services import reckon, settle
from guyub.programs.vocabulary import HelpKind


def make_overlaps(actors: dict[str, Any], year: int) -> None:
    """Reckon the overlap of ``year``; let agencies talk, and the secretariat settle two cases.

    ``actors`` are the demo's users by name.
    """
    secretary = actors["sekretariat"]
    reckon(year, actor=secretary)
    houses = _case(year, HelpKind.HOUSE_REPAIR)
    if houses is not None:
        write(
            houses,
            _(
                "Kami sudah memeriksa daftar penerima BSPS. Sebagian rumah memang juga ada di daftar "
                "Baznas dan BPBD; kami siap menyatukan daftarnya."
            ),
            author=actors["operator-perkim"],
        )
        write(
            houses,
            _("Dinsospermasdes setuju, asal rumah keluarga penyandang disabilitas didahulukan."),
            author=actors["operator"],
        )
        _settle(
            houses,
            Ruling.ONE_LEADS,
            "dinperkim",
            _(
                "Dinperkim memegang daftar rumah tidak layak huni dan menetapkan giliran. Perangkat "
                "daerah dan lembaga lain mengambil nama dari daftar itu, tidak membuat daftar sendiri."
            ),
            secretary,
        )
    cash = _case(year, HelpKind.CASH)
    if cash is not None:
        _settle(
            cash,
            Ruling.SPLIT_GROUPS,
            "dinsospermasdes",
            _(
                "Keluarga penerima PKH tidak menerima BLT Dana Desa. Santunan Baznas untuk lanjut usia "
                "yang belum menerima keduanya."
            ),
            secretary,
        )
    food = _case(year, HelpKind.FOOD)
    if food is not None:
        write(
            food,
            _("Mohon daftar penerima permakanan lansia, supaya tidak bertemu dengan sembako."),
            author=actors["kepala"],
        )


def _case(year: int, kind: str) -> OverlapCase | None:
    """Return the case of a kind of help with most households."""
    return OverlapCase.objects.filter(year=year, help_kind=kind).first()


def _settle(case: OverlapCase, ruling: str, code: str, note: str, actor: Any) -> None:
    sub = case.sub_activities.filter(agency__code=code).select_related("agency").first()
    if sub is not None:
        settle(case, ruling=ruling, lead_agency=sub.agency, note=note, actor=actor)
