"""Requests of people about their data have an end of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.privacy.models import SubjectRequest
from guyub.retention.classes import Described, RecordClass, register
from guyub.retention.erasing import Leftover


def _due(before: dt.date, only: Sequence[int] | None) -> Iterable[tuple[int, dt.date]]:
    start = timezone.make_aware(dt.datetime.combine(before, dt.time()))
    rows = SubjectRequest.objects.filter(closed_at__lt=start).exclude(name="")
    found = rows if only is None else rows.filter(pk__in=only)
    for pk, closed in found.order_by("closed_at", "pk").values_list("pk", "closed_at"):
        yield pk, timezone.localdate(closed)


def _describe(ids: Sequence[int]) -> Described:
    rows = SubjectRequest.objects.filter(pk__in=ids)
    return {one.pk: (str(one), _("NIK %(nik)s") % {"nik": one.masked_nik}) for one in rows}


def _erase(ids: Sequence[int], before: dt.date) -> dict[int, Leftover]:
    SubjectRequest.objects.filter(pk__in=ids).update(
        name="", nik="", contact="", wish="", identity="", answer="", person=None
    )
    return {pk: Leftover() for pk in ids}


def declare() -> None:
    """Add the class; called when the app is ready."""
    register(RecordClass(
        code="privacy-requests", name=gettext_lazy("Permintaan pemilik data yang sudah dijawab"), years=5,
        erased=gettext_lazy("Nama, NIK, kontak, uraian, dan jawaban"),
        kept=gettext_lazy("Bahwa ada permintaan, jenisnya, kapan diterima dan dijawab"),
        due=_due, describe=_describe, erase=_erase,
    ))  # fmt: skip
