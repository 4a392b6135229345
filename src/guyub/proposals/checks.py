"""What proposals may hold: texts, dates, files, and what is known of a household that is new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access import wall
from guyub.discussions import files as checking
from guyub.discussions.numbers import mask_numbers
from guyub.proposals.vocabulary import REASONS, ProposalKind, Reason
from guyub.registry.models import Household, Person
from guyub.registry.nik import NikError, check_against_record, check_shape
from guyub.registry.vocabulary import Status

MOST_FILES = 5
SHORTEST_REASON = 20  # letters
LONGEST_TEXT = 5000  # letters
HEAD_FIELDS = ("head_name", "nik", "kk", "birth_date", "sex", "address", "rt", "rw")


def masked(text: str, field: str, *, shortest: int = 0) -> str:
    """Tidy ``text`` and mask the NIK and KK numbers in it."""
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise ValidationError(
            {field: _("Terlalu panjang: paling banyak %(limit)d huruf.") % {"limit": LONGEST_TEXT}}
        )
    if len(text) < shortest:
        raise ValidationError(
            {field: _("Uraikan sedikit lagi, paling sedikit %(n)d huruf.") % {"n": shortest}}
        )
    return mask_numbers(text)[0]


def check_day(day: dt.date, since: dt.date) -> None:
    if day > timezone.localdate():
        raise ValidationError({"happened_on": _("Tanggal ini masih di depan.")})
    if day < since:
        raise ValidationError(
            {
                "happened_on": _("Tanggal ini sebelum pengajuannya (%(day)s).")
                % {"day": f"{since:%d/%m/%Y}"}
            }
        )


def _is_taken(model: Any, **number: str) -> bool:
    """Tell whether somebody has a number, in any area."""
    with wall.everything():
        return bool(model.objects.filter(**number).exists())


def check_head(values: dict[str, Any]) -> None:
    """Check what is known of a household that is not in the registry."""
    errors: dict[str, Any] = {}
    if not values.get("head_name", "").strip():
        errors["head_name"] = _("Tulis nama kepala keluarga.")
    nik = values.get("nik", "")
    if nik:
        try:
            check_shape(nik)
            check_against_record(nik, values.get("birth_date"), values.get("sex", ""))
        except NikError as error:
            errors["nik"] = error.message
        if "nik" not in errors and _is_taken(Person, nik=nik):
            errors["nik"] = _(
                "NIK ini sudah ada di registri. Cari di registri, lalu usulkan dari halaman keluarganya."
            )
    kk = values.get("kk", "")
    if kk and not (len(kk) == 16 and kk.isascii() and kk.isdigit()):
        errors["kk"] = _("Nomor KK harus tepat 16 angka, tanpa spasi atau huruf.")
    elif kk and _is_taken(Household, kk=kk):
        errors["kk"] = _("Nomor KK ini sudah ada di registri. Cari keluarganya di sana.")
    if values.get("birth_date") and values["birth_date"] > timezone.localdate():
        errors["birth_date"] = _("Tanggal lahir ada di masa depan.")
    if errors:
        raise ValidationError(errors)


def refusal(kind: str, household: Household) -> str:
    """Return why nothing can be proposed or objected about a household, and what to do; else empty."""
    if household.merged_into_id is not None or household.status == Status.MERGED:
        return _(
            "Keluarga ini tercatat ganda dan sudah digabung. Buka data utamanya di registri, lalu ajukan "
            "dari sana."
        )
    if household.status == Status.ERASED:
        return _(
            "Data keluarga ini sudah dimusnahkan. Bila keluarganya masih ada, usulkan sebagai keluarga "
            "baru."
        )
    if household.status == Status.DIED:
        return _(
            "Semua anggota keluarga ini tercatat meninggal. Bila keliru, betulkan dahulu statusnya di "
            "halaman keluarga; bila ada anggota yang kini berkeluarga sendiri, usulkan sebagai keluarga "
            "baru."
        )
    if household.status == Status.MOVED and kind == ProposalKind.OBJECT:
        return _("Keluarga ini sudah tercatat pindah, jadi tidak perlu disanggah.")
    return ""


def check_household(kind: str, reason_kind: str, household: Household) -> None:
    """Check that a household of the registry is one to propose, or to object to.

    Raises:
        ValidationError: it is gone, or moved away and nobody says that it came back.
    """
    if why := refusal(kind, household):
        raise ValidationError(why)
    if household.status == Status.MOVED and reason_kind != Reason.NEW_FAMILY:
        raise ValidationError(
            {
                "reason_kind": _(
                    "Keluarga ini tercatat pindah. Bila sudah kembali ke sini, pilih “%(reason)s”; bila "
                    "tidak, usulkan di desa tempat tinggalnya sekarang."
                )
                % {"reason": Reason.NEW_FAMILY.label}
            }
        )


def check_reason(kind: str, reason_kind: str) -> None:
    if reason_kind not in REASONS[kind]:
        raise ValidationError({"reason_kind": _("Pilih perihal yang sesuai jenisnya.")})


def checked_files(uploads: Sequence[Any], *, pdf: bool, field: str) -> list[checking.Checked]:
    if len(uploads) > MOST_FILES:
        raise ValidationError({field: _("Paling banyak %(n)d berkas.") % {"n": MOST_FILES}})
    kept = []
    for upload in uploads:
        try:
            file = checking.check(upload)
        except ValidationError as error:
            raise ValidationError({field: error.messages}) from error
        if file.media_type != checking.JPEG and not (pdf and file.media_type == checking.PDF):
            raise ValidationError(
                {
                    field: _("Unggah foto (JPEG atau PNG) atau PDF.")
                    if pdf
                    else _("Unggah foto (JPEG atau PNG).")
                }
            )
        kept.append(file)
    return kept
