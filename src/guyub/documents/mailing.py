"""Schedules: who is mailed which report when, and the mailing itself.

A message for one schedule, person and day is one :class:`Dispatch`, which a constraint keeps single.
Sending takes a hold of it first, so that a second run passes it by; when the first run dies, its hold
runs out and the next run sends it, under the same Message-ID. No lock is held while the mail server
is spoken to.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.permissions import can
from guyub.access.roles import AGENCY_ROLES, Role
from guyub.accounts.models import User
from guyub.audit import services as audit
from guyub.documents import briefs, built, sources
from guyub.documents.formats import MAKERS
from guyub.documents.models import (
    BuiltReport,
    Carriage,
    Dispatch,
    DispatchState,
    Edition,
    EditionState,
    FileFormat,
    ReportKind,
    Schedule,
)
from guyub.documents.question import Question, ask, info_of
from guyub.documents.rhythm import next_after
from guyub.documents.services import content_of, file_name
from guyub.documents.workbook import rows_xlsx

log = logging.getLogger(__name__)

HOLD = dt.timedelta(minutes=15)
MOST_TRIES = 5
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class NothingToSendError(Exception):
    """There is no report to send, or this person may not read it; the message says why."""


# Schedules


def reachable(user: Any) -> QuerySet[User]:
    """Return whom ``user`` may put on a schedule: everybody, one's own agency, or oneself."""
    people = User.objects.filter(is_active=True).exclude(email="").order_by("full_name")
    if user.role == Role.SECRETARIAT:
        return people
    if user.role in AGENCY_ROLES:
        return people.filter(agency=user.agency_id)
    return people.filter(pk=user.pk)


def visible_to(user: Any) -> QuerySet[Schedule]:
    """Return the schedules that ``user`` made or gets; the secretariat sees all."""
    rows = Schedule.objects.select_related(
        "agency", "area", "program", "built", "created_by"
    ).prefetch_related("recipients")
    if can(user, "documents.manage"):
        return rows
    return rows.filter(Q(created_by=user.pk) | Q(recipients=user.pk)).distinct()


def may_change(user: Any, schedule: Schedule) -> bool:
    return bool(schedule.created_by_id == user.pk or can(user, "documents.manage"))


@transaction.atomic
def schedule(
    *, values: dict[str, Any], recipients: Iterable[Any], actor: Any, entry: Schedule | None = None
) -> Schedule:
    """Make a schedule, or change ``entry``. It goes out first on the next day of its rhythm.

    Raises:
        ValidationError: somebody on it is out of reach, or the report has no such file.
    """
    people = list(recipients)
    known = set(reachable(actor).values_list("pk", flat=True))
    if entry is not None:
        known |= set(entry.recipients.values_list("pk", flat=True))
    if not people or any(person.pk not in known for person in people):
        raise ValidationError({"recipients": _("Pilih penerima dari daftar.")})
    kind, wanted = values["kind"], {ReportKind.AGENCY: "agency", ReportKind.AREA: "area",
                                    ReportKind.PROGRAM: "program", ReportKind.BUILT: "built"}  # fmt: skip
    name = wanted.get(kind)
    if name is not None and values.get(name) is None:
        raise ValidationError({name: _("Pilih yang dilaporkan.")})
    if kind == ReportKind.BUILT:
        values = {**values, "format": FileFormat.XLSX}
        if not built.may_open(actor, values["built"]):
            raise ValidationError({"built": _("Laporan ini tidak dibagikan kepada Anda.")})
    subject = {each: values.get(each) if each == name else None for each in wanted.values()}
    fresh = {
        **subject,
        "kind": kind,
        "rhythm": values["rhythm"],
        "carriage": values["carriage"],
        "format": values["format"],
    }
    is_new = entry is None
    if entry is None:
        entry = Schedule(created_by=actor)
    if is_new or entry.rhythm != fresh["rhythm"]:
        entry.next_on = next_after(fresh["rhythm"], timezone.localdate())
    for field, value in fresh.items():
        setattr(entry, field, value)
    entry.save()
    entry.recipients.set(people)
    audit.record(
        "documents.schedule.create" if is_new else "documents.schedule.edit",
        actor=actor,
        subject=entry,
        detail={"kind": kind, "rhythm": entry.rhythm, "recipients": [x.pk for x in people]},
    )
    return entry


@transaction.atomic
def set_paused(entry: Schedule, paused: bool, *, actor: Any) -> Schedule:
    """Pause a schedule, or let it go on from the next day of its rhythm; what was missed is not sent."""
    entry.is_paused = paused
    if not paused:
        entry.next_on = next_after(entry.rhythm, timezone.localdate())
    entry.save(update_fields=["is_paused", "next_on"])
    audit.record(
        "documents.schedule.pause" if paused else "documents.schedule.resume",
        actor=actor,
        subject=entry,
    )
    return entry


@transaction.atomic
def unsubscribe(entry: Schedule, *, actor: Any) -> None:
    """Take ``actor`` off a schedule; what still waits for them is not sent."""
    entry.recipients.remove(actor)
    entry.dispatches.filter(
        user=actor, state__in=(DispatchState.WAITING, DispatchState.FAILED)
    ).update(state=DispatchState.DROPPED, error=_("Penerima berhenti berlangganan."))
    audit.record("documents.schedule.unsubscribe", actor=actor, subject=entry)


@transaction.atomic
def remove(entry: Schedule, *, actor: Any) -> None:
    """Delete a schedule and its log; the audit log keeps what was sent."""
    audit.record(
        "documents.schedule.delete", actor=actor, subject=entry, detail={"schedule": str(entry)}
    )
    entry.delete()


# Making what is sent


def _edition() -> Edition:
    found = (
        Edition.objects.filter(number__isnull=False, state=EditionState.READY)
        .select_related("document")
        .order_by("-document__year", "-number")
        .first()
    )
    if found is None:
        raise NothingToSendError(_("Belum ada edisi LP2KD yang terbit."))
    return found


def made(entry: Schedule, user: Any) -> tuple[str, bytes]:
    """Return the name and content of the file that ``user`` gets, with their own permissions.

    Raises:
        NothingToSendError: there is nothing, or nothing for this reader.
    """
    if not can(user, "documents.view"):
        raise NothingToSendError(_("Penerima tidak lagi berhak membaca laporan."))
    day, ending = f"{timezone.localdate():%Y-%m-%d}", entry.format
    if entry.kind == ReportKind.LP2KD:
        edition = _edition()
        content = content_of(edition, ending)
        if content is None:
            raise NothingToSendError(_("Berkas edisi berubah sejak diterbitkan."))
        return file_name(edition, ending), content
    year = timezone.localdate().year
    if entry.kind == ReportKind.BUILT and entry.built is not None:
        if not built.may_open(user, entry.built):
            raise NothingToSendError(_("Laporan tidak lagi dibagikan kepada penerima."))
        return f"laporan-{day}.xlsx", built_xlsx(entry.built, user)
    if entry.kind == ReportKind.AGENCY and entry.agency is not None:
        paper = briefs.of_agency(entry.agency, year, user)
        name = f"laporan-{entry.agency.code}-{day}"
    elif entry.kind == ReportKind.AREA and entry.area is not None:
        paper = briefs.of_area(entry.area, year, user)
        name = f"laporan-wilayah-{entry.area.code}-{day}"
    elif entry.kind == ReportKind.PROGRAM and entry.program is not None:
        paper = briefs.of_program(entry.program, year, user)
        name = f"laporan-program-{entry.program.pk}-{day}"
    else:
        raise NothingToSendError(_("Yang dilaporkan sudah tidak ada."))
    return f"{name}.{ending}", MAKERS[ending](paper)


def built_xlsx(report: BuiltReport, user: Any) -> bytes:
    """Run a built report for ``user`` and return it as a workbook.

    Raises:
        NothingToSendError: the reader may not read its subject, or it can no longer be run.
    """
    try:
        question = Question.read(report.question)
        answer = ask(question, user)
    except PermissionDenied as error:
        raise NothingToSendError(_("Penerima tidak berhak membaca pokok laporan ini.")) from error
    except ValidationError as error:
        raise NothingToSendError(" ".join(error.messages)) from error
    rows = [(s.name, s.owner, s.version, s.as_of) for s in sources.datasets()]
    info = info_of(answer, report.name, user)
    return rows_xlsx(info, rows, report.name, answer.table_columns(), answer.lines(), answer.source)


def url_of(entry: Schedule) -> str:
    """Return the address, without host, at which the report of a schedule is read."""
    year = timezone.localdate().year
    if entry.kind == ReportKind.BUILT and entry.built is not None:
        return reverse("documents:built", args=[entry.built.token])
    if entry.kind == ReportKind.AGENCY and entry.agency is not None:
        url = reverse("documents:agency_report", args=[entry.agency.code, entry.format])
        return f"{url}?tahun={year}"
    if entry.kind == ReportKind.AREA and entry.area is not None:
        return (
            f"{reverse('documents:area_report', args=[entry.area.code, entry.format])}?tahun={year}"
        )
    if entry.kind == ReportKind.PROGRAM and entry.program is not None:
        return reverse("documents:program_report", args=[entry.program.pk, entry.format])
    return reverse("documents:edition_file", args=[_edition().pk, entry.format])


# Sending


@transaction.atomic
def _fall_due(today: dt.date) -> int:
    """Make the dispatches of schedules whose day has come, once, and move the schedules on."""
    count = 0
    due = Schedule.objects.select_for_update().filter(is_paused=False, next_on__lte=today)
    for entry in due:
        people = entry.recipients.filter(is_active=True).exclude(email="")
        made_now = Dispatch.objects.bulk_create(
            [Dispatch(schedule=entry, user=user, due_on=entry.next_on) for user in people],
            ignore_conflicts=True,
        )
        count += len(made_now)
        entry.next_on = next_after(entry.rhythm, today)
        entry.save(update_fields=["next_on"])
    return count


def send_due(today: dt.date | None = None) -> int:
    """Send what is due and what failed before, each message once; return how many went out."""
    _fall_due(today or timezone.localdate())
    waiting = Dispatch.objects.filter(
        Q(state=DispatchState.WAITING) | Q(state=DispatchState.FAILED, tries__lt=MOST_TRIES),
        schedule__is_paused=False,
    )
    ids = list(waiting.order_by("due_on", "pk").values_list("pk", flat=True))
    return sum(send(pk) for pk in ids)


def send(dispatch_id: int) -> bool:
    """Send one dispatch unless it was sent or somebody else is at it; tell whether it went out."""
    now = timezone.now()
    free = Q(held_until=None) | Q(held_until__lt=now)
    sendable = Q(state__in=(DispatchState.WAITING, DispatchState.FAILED))
    taken = Dispatch.objects.filter(free, sendable, pk=dispatch_id).update(
        held_until=now + HOLD, tries=F("tries") + 1
    )
    if not taken:
        return False
    dispatch = Dispatch.objects.select_related(
        "user", "schedule__agency", "schedule__area", "schedule__program", "schedule__built"
    ).get(pk=dispatch_id)
    try:
        _message(dispatch).send()
    except NothingToSendError as error:
        _settle(dispatch, DispatchState.DROPPED, str(error))
        return False
    except (SMTPException, OSError) as error:
        log.warning("report dispatch %s failed: %s", dispatch_id, type(error).__name__)
        _settle(
            dispatch, DispatchState.FAILED, _("Server surel menolak atau tidak dapat dihubungi.")
        )
        return False
    except Exception:
        log.exception("report dispatch %s failed", dispatch_id)
        _settle(dispatch, DispatchState.FAILED, _("Laporan gagal dibuat."))
        return False
    _settle(dispatch, DispatchState.SENT)
    return True


def _message(dispatch: Dispatch) -> EmailMessage:
    entry, user = dispatch.schedule, dispatch.user
    attached = entry.carriage == Carriage.ATTACHMENT
    # By link it is made when it is opened; all the same it must exist now.
    name, content = made(entry, user) if attached else ("", b"")
    body = render_to_string(
        "documents/email/report.txt",
        {
            "user": user,
            "entry": entry,
            "dispatch": dispatch,
            "attached": attached,
            "site": settings.SITE_URL,
            "url": url_of(entry),
            "stop": reverse("documents:unsubscribe", args=[entry.pk]),
            "reference": sources.reference_text(),
        },
    )
    host = settings.SITE_URL.partition("//")[2].partition(":")[0] or "guyub"
    message = EmailMessage(
        f"[Guyub] {entry}",
        body,
        to=[user.email],
        headers={"Message-ID": f"<laporan-{entry.pk}-{user.pk}-{dispatch.due_on:%Y%m%d}@{host}>"},
    )
    if attached:
        message.attach(name, content, MEDIA_TYPES[name.rpartition(".")[2]])
    return message


@transaction.atomic
def _settle(dispatch: Dispatch, state: str, error: str = "") -> None:
    dispatch.state, dispatch.error, dispatch.held_until = state, error[:250], None
    dispatch.sent_at = timezone.now() if state == DispatchState.SENT else None
    dispatch.save(update_fields=["state", "error", "held_until", "sent_at"])
    audit.record(
        f"documents.dispatch.{'send' if state == DispatchState.SENT else 'fail'}",
        subject=dispatch.schedule,
        detail={"user": dispatch.user_id, "due_on": dispatch.due_on, "state": state, "why": error},
    )
