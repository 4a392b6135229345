"""The Excel file of what a dataset's owner has to mend in its own list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.datasets.exports import write_xlsx
from guyub.datasets.models import Dataset
from guyub.reconciliation import queue
from guyub.registry.models import Person, SubjectKind

BATCH = 1000


def write(path: Path, dataset: Dataset, user: Any, reason: str, full: bool) -> int:
    """Write what ``dataset`` has to mend to ``path``; return how many values.

    Each line is one value: whose, what the list says, what stands, by which source and why. ``full``
    writes whole numbers instead of masked ones.
    """
    version = dataset.current_version
    info = [
        (_("Isi"), _("Isian yang perlu diperbaiki di daftar %(name)s") % {"name": dataset.name}),
        (_("Keadaan daftar"), f"{version.as_of:%d/%m/%Y}" if version else "—"),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
        (_("Alasan"), reason),
        (_("NIK dan KK"), _("lengkap") if full else _("disamarkan")),
    ]
    columns = [
        _("NIK"), _("Nomor KK"), _("Nama"), _("Desa/kelurahan"), _("Kecamatan"), _("Data"),
        _("Isi daftar Anda"), _("Isi yang berlaku"), _("Sumber"), _("Per tanggal"),
        _("Diputuskan"), _("Alasan putusan"),
    ]  # fmt: skip
    return write_xlsx(path, info, columns, _lines(dataset, full))


def _lines(dataset: Dataset, full: bool) -> Iterator[list[Any]]:
    rows = queue.handed(queue.to_mend(dataset))
    last = 0
    while batch := queue.page(rows.filter(pk__gt=last), 0, BATCH):
        last = batch[-1].pk
        homes = {one.household_id for one in batch if one.kind == SubjectKind.HOUSEHOLD}
        people = {one.subject_id for one in batch if one.kind == SubjectKind.PERSON}
        person_of = Person.objects.in_bulk(people)
        # A list is one row a person: a household's value is mended in its head's row first.
        head_of = {
            person.household_id: person
            for person in Person.objects.filter(
                household__in=homes, merged_into=None, relation="head"
            ).order_by("-pk")
        }
        for one in batch:
            home, shown = one.household, one  # the words are put there by queue.page
            person = (
                person_of.get(one.subject_id)
                if one.kind == SubjectKind.PERSON
                else head_of.get(one.household_id)
            )
            number = (person.nik if full else person.masked_nik) if person else ""
            yield [
                number, home.kk if full else home.masked_kk,
                person.name if person else home.head_name, home.village.name, home.district.name,
                shown.label, shown.shown_theirs, shown.shown_ours, one.our_origin.short_name,  # type: ignore[attr-defined]
                one.our_origin.as_of, timezone.localtime(one.settled_at).date() if one.settled_at else None,
                one.reason,
            ]  # fmt: skip
