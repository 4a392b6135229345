"""What a round brought, as an Excel file that says where it is from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.datasets.exports import write_xlsx
from guyub.discussions.numbers import mask_numbers
from guyub.fieldwork.answers import SILENT, in_words, questions, repeats
from guyub.fieldwork.models import Round, in_language
from guyub.registry.models import Household
from guyub.registry.restriction import open_households

CHUNK = 500


def write_round(path: Path, record: Round, *, reason: str, actor: Any) -> int:
    """Write a round's submissions, a row each, to ``path``, and log it; return the number of rows.

    Answers within repeats are counted only: a row is a submission. NIK and KK numbers are masked.
    """
    asked = [
        q
        for q in questions(record.form_version.definition, repeats=False)
        if q["type"] not in SILENT
    ]
    counted = list(repeats(record.form_version.definition))
    info = [
        (_("Isi"), _("Hasil putaran kunjungan: %(title)s") % {"title": record.title}),
        (_("Formulir"), str(record.form_version)),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{actor} ({actor.get_role_display()})"),
        (_("Alasan"), reason),
        (_("NIK dan KK"), _("disamarkan")),
    ]
    columns = [
        _("Kiriman"), _("Keadaan"), _("Keluarga"), _("Kecamatan"), _("Desa/kelurahan"), _("Petugas"),
        _("Selesai diisi"), _("Diterima"),
        *(in_language(q["label"]) or q["name"] for q in asked),
        *(_("Jumlah: %(what)s") % {"what": in_language(r["label"]) or r["name"]} for r in counted),
    ]  # fmt: skip
    count = write_xlsx(path, info, columns, _rows(record, asked, counted))
    audit.record(
        "fieldwork.round.export",
        actor=actor,
        subject=record,
        reason=reason.strip(),
        detail={"rows": count},
    )
    return count


def _rows(
    record: Round, asked: list[dict[str, Any]], counted: list[dict[str, Any]]
) -> Iterator[list[Any]]:
    rows = open_households(
        record.submissions.select_related("household", "visit", "village__parent", "sent_by"),
        "household__",
    )
    last = 0
    while True:
        # By key, so that no list of all of them is held.
        chunk = list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK])
        if not chunk:
            return
        last = chunk[-1].pk
        for one in chunk:
            home: Household | None = one.household
            village = one.village
            yield [
                one.pk,
                one.get_state_display(),
                str(home or one.visit or "—"),
                village.parent.name if village is not None and village.parent else "",
                village.title if village is not None else "",
                str(one.sent_by or one.get_source_display()),
                f"{timezone.localtime(one.finished_at):%d/%m/%Y %H.%M}" if one.finished_at else "",
                f"{timezone.localtime(one.received_at):%d/%m/%Y %H.%M}",
                *(mask_numbers(in_words(q, one.answers.get(q["path"])))[0] for q in asked),
                *(len(one.answers.get(r["path"]) or ()) for r in counted),
            ]
