"""Writing progress reports: the steps of a report, its files, and whole workbooks.

The calendar and the plan are written by :mod:`guyub.reports.schedules`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.programs.money import rupiah
from guyub.reports import queries
from guyub.reports.amounts import percent
from guyub.reports.attachments import MOST_FILES, AttachmentError, prepare
from guyub.reports.models import (
    Attachment,
    Report,
    ReportEvent,
    ReportState,
    Step,
    Upload,
)


class ReportError(Exception):
    """The step is not possible as things stand; the message tells the user why."""


class ConflictError(ReportError):
    """Somebody else changed the report in the meantime."""


@dataclass(frozen=True)
class Figures:
    """What a report says: per cent, rupiah and recipients, each from the year's start on."""

    physical: Decimal | None = None
    budget: int | None = None
    reached: int | None = None
    narrative: str = ""
    explanation: str = ""

    @classmethod
    def of(cls, report: Report) -> Figures:
        return cls(
            report.physical, report.budget, report.reached, report.narrative, report.explanation
        )

    def as_json(self) -> dict[str, Any]:
        physical = None if self.physical is None else f"{self.physical:.2f}"
        return asdict(self) | {"physical": physical}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Figures:
        physical = content.get("physical")
        known = {**content, "physical": None if physical is None else Decimal(physical)}
        return cls(**known)


# The steps of a report

# From which states each step may be taken, and the state it leads to.
STEPS: dict[Step, tuple[frozenset[ReportState], ReportState]] = {
    # A returned report stays marked as such until it is handed in again.
    Step.SAVED: (
        frozenset({ReportState.MISSING, ReportState.DRAFT, ReportState.RETURNED}),
        ReportState.DRAFT,
    ),
    Step.SUBMITTED: (
        frozenset({ReportState.MISSING, ReportState.DRAFT, ReportState.RETURNED}),
        ReportState.SUBMITTED,
    ),
    Step.CORRECTED: (frozenset({ReportState.ACCEPTED}), ReportState.SUBMITTED),
    Step.RETURNED: (frozenset({ReportState.SUBMITTED}), ReportState.RETURNED),
    Step.ACCEPTED: (frozenset({ReportState.SUBMITTED}), ReportState.ACCEPTED),
}


def _lock(report: Report, version: int, step: Step) -> Report:
    """Return the report as it is now, held for writing, or say why the step can't be taken."""
    current = (
        Report.objects.select_for_update(of=("self",))
        .select_related("sub_activity__agency")
        .get(pk=report.pk)
    )
    if current.version != version:
        last = current.events.select_related("by").first()
        who = str(last.by) if last is not None and last.by is not None else _("orang lain")
        raise ConflictError(
            _(
                "%(who)s mengubah laporan ini sesudah Anda membukanya. Bandingkan dengan isian "
                "Anda di bawah, lalu kirim lagi bila yang Anda tulis yang benar."
            )
            % {"who": who}
        )
    if current.state not in STEPS[step][0]:
        raise ReportError(
            _("Laporan yang keadaannya “%(state)s” tidak bisa diubah dengan cara ini.")
            % {"state": current.get_state_display()}
        )
    return current


def _take(current: Report, step: Step, *, actor: Any, remark: str = "") -> Report:
    """Set the state that ``step`` leads to and write the step down."""
    now = timezone.now()
    keeps_state = step is Step.SAVED and current.state == ReportState.RETURNED
    if not keeps_state:
        current.state = STEPS[step][1]
    if current.state == ReportState.SUBMITTED and step in (Step.SUBMITTED, Step.CORRECTED):
        current.submitted_at = now
        current.first_submitted_at = current.first_submitted_at or now
        current.accepted_at = None
    elif step is Step.ACCEPTED:
        current.accepted_at = now
    current.version += 1
    current.save()
    ReportEvent.objects.create(
        report=current,
        step=step,
        state=current.state,
        values=Figures.of(current).as_json(),
        remark=remark,
        by=actor,
        at=now,
    )
    return current


def _fill(current: Report, figures: Figures) -> bool:
    """Put ``figures`` on the report; tell whether that changed anything."""
    changed = Figures.of(current) != figures
    for name, value in asdict(figures).items():
        setattr(current, name, value)
    return changed


def _trace(report: Report) -> dict[str, Any]:
    return {
        "sub_activity": report.sub_activity_id,
        "period_end": report.period_end,
        "physical": report.physical,
        "budget": report.budget,
        "reached": report.reached,
    }


def problems(
    figures: Figures, *, previous: Report | None, total: int, complete: bool = True
) -> dict[str, str]:
    """Return what is wrong with ``figures``, by field; empty when they may be handed in.

    ``previous`` is the last accepted report before, ``total`` the budget in rupiah (0 when none is
    recorded). A draft (``complete`` false) may have gaps.
    """
    found: dict[str, str] = {}
    if figures.physical is not None and not 0 <= figures.physical <= 100:
        found["physical"] = _("Persen harus antara 0 dan 100.")
    if not complete:
        return found
    for name, text in (
        ("physical", _("Isi realisasi fisik.")),
        ("budget", _("Isi realisasi keuangan; tulis 0 bila belum ada.")),
        ("reached", _("Isi jumlah penerima; tulis 0 bila belum ada.")),
    ):
        if getattr(figures, name) is None:
            found.setdefault(name, text)
    if not figures.narrative.strip():
        found["narrative"] = _("Ceritakan yang dikerjakan pada periode ini.")
    if figures.explanation.strip():
        return found
    if previous is not None:
        before = {"date": f"{previous.period_end:%d/%m/%Y}"}
        falls = _("Lebih rendah daripada %(was)s per %(date)s. Perbaiki, atau isi Penjelasan.")
        if (
            figures.physical is not None
            and previous.physical is not None
            and figures.physical < previous.physical
        ):
            found.setdefault("physical", falls % (before | {"was": percent(previous.physical)}))
        if (
            figures.budget is not None
            and previous.budget is not None
            and figures.budget < previous.budget
        ):
            found.setdefault("budget", falls % (before | {"was": rupiah(previous.budget)}))
    if total and figures.budget is not None and figures.budget > total:
        found.setdefault(
            "budget",
            _("Lebih besar daripada anggaran, yaitu %(total)s. Perbaiki, atau isi Penjelasan.")
            % {"total": rupiah(total)},
        )
    return found


def _check(current: Report, *, complete: bool) -> None:
    wrong = problems(
        Figures.of(current),
        previous=queries.previous_accepted(current),
        total=queries.budgets([current.sub_activity_id]).get(current.sub_activity_id, 0),
        complete=complete,
    )
    if wrong:
        raise ValidationError(wrong)


@transaction.atomic
def save_draft(
    report: Report, *, version: int, figures: Figures, files: Sequence[Any] = (), actor: Any
) -> Report:
    """Keep figures and files that are not handed in yet. Saving the same again changes nothing.

    Raises:
        AttachmentError: a file is not taken.
        ConflictError: the report is no longer at ``version``.
        ReportError: it is under review or accepted.
        ValidationError: a figure is out of its range.
    """
    current = _lock(report, version, Step.SAVED)
    changed = _fill(current, figures)
    if not changed and not files and current.state != ReportState.MISSING:
        return current
    _check(current, complete=False)
    _attach(current, files, actor)
    _take(current, Step.SAVED, actor=actor)
    audit.record("reports.report.save", actor=actor, subject=current, detail=_trace(current))
    return current


@transaction.atomic
def submit(
    report: Report,
    *,
    version: int,
    figures: Figures | None = None,
    files: Sequence[Any] = (),
    actor: Any,
    today: dt.date | None = None,
) -> Report:
    """Hand a report in for review, with new ``figures`` or those saved before.

    Raises:
        AttachmentError: a file is not taken.
        ConflictError: the report is no longer at ``version``.
        ReportError: its period is not over, or it is under review or accepted already.
        ValidationError: a figure is missing or needs an explanation.
    """
    current = _lock(report, version, Step.SUBMITTED)
    if (today or timezone.localdate()) < current.period_end:
        raise ReportError(
            _("Periode ini belum selesai; laporannya bisa diajukan mulai %(date)s.")
            % {"date": f"{current.period_end:%d/%m/%Y}"}
        )
    if figures is not None:
        _fill(current, figures)
    _check(current, complete=True)
    _attach(current, files, actor)
    _take(current, Step.SUBMITTED, actor=actor)
    audit.record("reports.report.submit", actor=actor, subject=current, detail=_trace(current))
    return current


@transaction.atomic
def correct(
    report: Report,
    *,
    version: int,
    figures: Figures,
    reason: str,
    files: Sequence[Any] = (),
    actor: Any,
) -> Report:
    """Hand in other figures or further files for an accepted report.

    They are reviewed again; what was accepted before stays in the history.

    Raises:
        AttachmentError: a file is not taken.
        ConflictError: the report is no longer at ``version``.
        ReportError: it is not accepted, or nothing differs.
        ValidationError: a figure is missing or needs an explanation, or there is no reason.
    """
    current = _lock(report, version, Step.CORRECTED)
    if not reason.strip():
        raise ValidationError({"reason": _("Tulis alasan koreksinya.")})
    if not _fill(current, figures) and not files:
        raise ReportError(_("Tidak ada angka atau uraian yang berubah."))
    _check(current, complete=True)
    _attach(current, files, actor)
    _take(current, Step.CORRECTED, actor=actor, remark=reason.strip())
    audit.record(
        "reports.report.correct",
        actor=actor,
        subject=current,
        reason=reason.strip(),
        detail=_trace(current),
    )
    return current


@transaction.atomic
def send_back(report: Report, *, version: int, remark: str, actor: Any) -> Report:
    """Return a report to its agency, with what is to be mended.

    Raises:
        ConflictError: the report is no longer at ``version``.
        ReportError: it is not under review.
        ValidationError: there is no remark.
    """
    current = _lock(report, version, Step.RETURNED)
    if not remark.strip():
        raise ValidationError({"remark": _("Tulis apa yang perlu diperbaiki.")})
    _take(current, Step.RETURNED, actor=actor, remark=remark.strip())
    audit.record(
        "reports.report.return",
        actor=actor,
        subject=current,
        reason=remark.strip(),
        detail=_trace(current),
    )
    return current


@transaction.atomic
def accept(report: Report, *, version: int, remark: str = "", actor: Any) -> Report:
    """Accept a report under review.

    Raises:
        ConflictError: the report is no longer at ``version``.
        ReportError: it is not under review.
    """
    current = _lock(report, version, Step.ACCEPTED)
    _take(current, Step.ACCEPTED, actor=actor, remark=remark.strip())
    audit.record("reports.report.accept", actor=actor, subject=current, detail=_trace(current))
    return current


# Photos and documents


def _attach(current: Report, files: Sequence[Any], actor: Any) -> None:
    """Keep photos and documents with a report that is held for writing.

    One that is with it already is passed over: whoever got no answer sends the same once more.
    """
    # All are checked before the first is written to disk.
    fresh = [given for given in map(prepare, files) if not _is_attached(current, given.content)]
    if current.attachments.count() + len(fresh) > MOST_FILES:
        raise AttachmentError(
            _("Paling banyak %(count)s lampiran untuk satu laporan. Kurangi dahulu.")
            % {"count": MOST_FILES}
        )
    for prepared in fresh:
        attachment = Attachment(
            report=current,
            name=prepared.name,
            media_type=prepared.media_type,
            size=len(prepared.content),
            added_by=actor,
        )
        attachment.file.save(prepared.name, ContentFile(prepared.content), save=False)
        attachment.save()
        audit.record(
            "reports.attachment.add",
            actor=actor,
            subject=current,
            detail={"media_type": attachment.media_type, "bytes": attachment.size},
        )


def _is_attached(current: Report, content: bytes) -> bool:
    for attachment in current.attachments.filter(size=len(content)):
        with attachment.file.open("rb") as file:
            if file.read() == content:
                return True
    return False


@transaction.atomic
def remove_attachment(attachment: Attachment, *, actor: Any) -> None:
    """Remove a file from a report that is not under review.

    Raises:
        ReportError: the report is under review or accepted.
    """
    current = Report.objects.select_for_update().get(pk=attachment.report_id)
    if current.state in (ReportState.SUBMITTED, ReportState.ACCEPTED):
        raise ReportError(_("Lampiran laporan yang sudah diajukan tidak bisa dihapus."))
    file = attachment.file
    attachment.delete()
    transaction.on_commit(lambda: file.storage.delete(str(file.name)))
    audit.record("reports.attachment.remove", actor=actor, subject=current)


# Workbooks


@transaction.atomic
def keep_upload(*, agency_id: int, name: str, checked: Any, actor: Any) -> Upload:
    """Keep what a workbook would change until somebody applies it."""
    upload = Upload.objects.create(
        agency_id=agency_id,
        name=name[-150:],
        rows=checked.rows,
        faults=checked.faults,
        unchanged=checked.unchanged,
        added_by=actor,
    )
    audit.record(
        "reports.upload.check",
        actor=actor,
        subject=upload,
        detail={"rows": len(upload.rows), "faults": len(upload.faults)},
    )
    return upload


@transaction.atomic
def apply_upload(
    upload: Upload, *, hand_in: bool, actor: Any, today: dt.date | None = None
) -> tuple[int, list[str]]:
    """Write the rows of a checked workbook, as drafts or handed in at once.

    Returns how many reports were written, and for each that was not a line that says why: it was
    changed since the check, or lacks what handing in demands.

    Raises:
        ReportError: it was applied already.
    """
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    if locked.applied_at is not None:
        raise ReportError(_("Berkas ini sudah diterapkan."))
    written, refused = 0, []
    reports = Report.objects.select_related("sub_activity").in_bulk(
        [row["report"] for row in locked.rows]
    )
    for row in locked.rows:
        report = reports.get(row["report"])
        if report is None or report.owning_agency_id != locked.agency_id:
            refused.append(_("Baris %(row)s: laporannya sudah tidak ada.") % {"row": row["row"]})
            continue
        given = {"version": row["version"], "figures": Figures.from_json(row["figures"])}
        try:
            if hand_in:
                submit(report, **given, actor=actor, today=today)
            else:
                save_draft(report, **given, actor=actor)
            written += 1
        except ConflictError:
            refused.append(
                _("Baris %(row)s: laporannya berubah sejak berkas diperiksa; unggah lagi.")
                % {"row": row["row"]}
            )
        except ReportError as error:
            refused.append(f"{_('Baris')} {row['row']}: {error}")
        except ValidationError as error:
            refused.append(f"{_('Baris')} {row['row']}: {' '.join(error.messages)}")
    locked.applied_at = timezone.now()
    locked.save(update_fields=["applied_at"])
    audit.record(
        "reports.upload.apply",
        actor=actor,
        subject=locked,
        detail={"written": written, "refused": len(refused), "handed_in": hand_in},
    )
    return written, refused
