"""The certificate of a disposal (*berita acara pemusnahan*): what went, on what basis, by whom, when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.retention.models import Disposal
from guyub.ui.numbers import grouped
from guyub.ui.typesetting import pdf

TEMPLATE = Path(__file__).parent / "typst" / "certificate.typ"


def certificate_pdf(disposal: Disposal) -> bytes:
    """Typeset the certificate of a finished disposal. Nobody whose data went is named."""
    kind, outcome = disposal.record_class, disposal.outcome
    files = [
        (_("Berkas dihapus"), "files"),
        (_("Versi daftar ditulis ulang tanpa yang dimusnahkan"), "versions"),
        (_("Berkas pencocokan ditulis ulang"), "linkings"),
        (_("Impor yang berkasnya dihapus seluruhnya"), "imports"),
    ]
    data = {
        "title": _("Berita acara pemusnahan data pribadi"),
        "number": _("Nomor %(n)d") % {"n": disposal.pk},
        "regency": settings.REGENCY_NAME,
        "facts": [
            [_("Kelas data"), str(kind.name)],
            [_("Yang dimusnahkan"), str(kind.erased)],
            [_("Yang tetap disimpan"), str(kind.kept)],
            [_("Dasar"), disposal.basis],
            [_("Masa simpan"), _period(disposal)],
            [_("Tanggal tertua"), _day(disposal.oldest)],
        ],
        "counts": [
            [_("Dimusnahkan"), grouped(outcome.get("done", 0))],
            [_("Ditahan dengan alasan"), grouped(outcome.get("held", 0))],
            [_("Dilewati karena masa simpannya belum habis lagi"), grouped(outcome.get("skipped", 0))],
            *[[label, grouped(outcome[key])] for label, key in files if outcome.get(key)],
        ],
        "people": [
            [_("Diusulkan"), _("Guyub, menurut jadwal retensi") if disposal.cutoff else str(disposal.submitted_by), _moment(disposal.proposed_at)],
            [_("Ditinjau"), str(disposal.submitted_by), _moment(disposal.submitted_at)],
            [_("Disetujui"), str(disposal.approved_by), _moment(disposal.approved_at)],
            [_("Selesai dikerjakan"), _("Guyub"), _moment(disposal.finished_at)],
        ],
        "words": {
            "counts": _("Jumlah"),
            "people": _("Tinjauan dan persetujuan"),
            "signatures": [str(disposal.submitted_by), str(disposal.approved_by)],
            "roles": [_("Peninjau"), _("Penyetuju")],
        },
        "foot": _(
            "Cadangan sistem yang dibuat sebelumnya masih memuat data ini sampai masa simpan cadangan "
            "lewat. Pemusnahan tercatat di jejak audit. Dicetak %(when)s."
        )
        % {"when": _moment(timezone.now())},
    }  # fmt: skip
    return pdf(TEMPLATE, data)


def _period(disposal: Disposal) -> str:
    if disposal.cutoff is None:
        return _("Atas permintaan pemilik data")
    return _("%(years)d tahun; sebelum %(day)s") % {
        "years": disposal.years, "day": _day(disposal.cutoff),
    }  # fmt: skip


def _day(day: Any) -> str:
    return date_format(day, "j F Y") if day else "–"


def _moment(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "j F Y H.i") if moment else "–"
