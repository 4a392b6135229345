"""Planning and holding meetings. What follows from them lies in :mod:`guyub.meetings.decisions`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.meetings import invitations, news, queries
from guyub.meetings.models import (
    AgendaItem,
    Attendance,
    Capacity,
    Invitation,
    MandateScope,
    Meeting,
    MeetingState,
    Reply,
    Topic,
    WrittenInput,
)

# A code on the wall is good for this long; the page that shows it draws a new one every minute.
CHECK_IN_SECONDS = 180
# Letters and digits that nobody mistakes for each other on paper.
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def _locked(meeting: Meeting) -> Meeting:
    return Meeting.objects.select_for_update().get(pk=meeting.pk)


def _refuse_unless_open(meeting: Meeting) -> None:
    if not meeting.is_open_for_changes:
        raise ValidationError(_("Rapat ini sudah ditutup atau dibatalkan."))


@transaction.atomic
def plan_meeting(*, actor: Any, values: dict[str, Any]) -> Meeting:
    """Plan a meeting from the fields of :class:`Meeting` in ``values``.

    Raises:
        ValidationError: a value is amiss.
    """
    meeting = Meeting(created_by=actor, **values)
    meeting.full_clean()
    meeting.save()
    audit.record("meetings.meeting.plan", actor=actor, subject=meeting)
    return meeting


@transaction.atomic
def change_meeting(meeting: Meeting, *, actor: Any, values: dict[str, Any]) -> list[str]:
    """Change a meeting; return the changed fields. Those who are invited are told of a new time or place.

    Raises:
        ValidationError: a value is amiss, or the meeting is over.
    """
    current = _locked(meeting)
    _refuse_unless_open(current)
    changed = [name for name, value in values.items() if getattr(current, name) != value]
    if not changed:
        return []
    for name in changed:
        setattr(current, name, values[name])
    current.full_clean()
    tells = current.state == MeetingState.INVITED and bool(
        {"starts_at", "ends_at", "place", "online_url", "title"} & set(changed)
    )
    if tells:
        current.sequence += 1
    current.save()
    audit.record(
        "meetings.meeting.change", actor=actor, subject=current, detail={"fields": changed}
    )
    if tells:
        invitations.send_all(current, changed=True)
    return changed


@transaction.atomic
def cancel_meeting(meeting: Meeting, *, actor: Any, reason: str) -> None:
    """Call a meeting off and tell whoever was invited.

    Raises:
        ValidationError: no reason was given, or the meeting is over.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Tulis alasannya.")})
    current = _locked(meeting)
    _refuse_unless_open(current)
    was_invited = current.state != MeetingState.PLANNED
    current.state = MeetingState.CANCELLED
    current.sequence += 1
    current.save()
    news.end_invitation(current)
    audit.record("meetings.meeting.cancel", actor=actor, subject=current, reason=reason.strip())
    if was_invited:
        invitations.send_all(current, cancelled=True, reason=reason.strip())


# The agenda


@transaction.atomic
def fill_agenda(meeting: Meeting, *, actor: Any) -> list[AgendaItem]:
    """Add what waits for a meeting and is not on the agenda yet; return the new items.

    Escalated obstacles, unsettled overlaps, late reports, stale datasets and unfinished actions of
    earlier meetings. Doing it again adds only what is new.
    """
    current = _locked(meeting)
    _refuse_unless_open(current)
    there = set(current.agenda.exclude(subject_type="").values_list("subject_type", "subject_id"))
    position = current.agenda.aggregate(last=models.Max("position"))["last"] or 0
    made = []
    for candidate in queries.agenda_candidates(current):
        if (candidate.subject_type, candidate.subject_id) in there:
            continue
        position += 1
        item = AgendaItem.objects.create(
            meeting=current,
            position=position,
            topic=candidate.topic,
            title=candidate.title[:200],
            description=candidate.description,
            subject_type=candidate.subject_type,
            subject_id=candidate.subject_id,
            url=candidate.url,
        )
        item.agencies.set(candidate.agencies)
        made.append(item)
    audit.record("meetings.agenda.fill", actor=actor, subject=current, detail={"added": len(made)})
    return made


@transaction.atomic
def save_item(
    meeting: Meeting,
    *,
    actor: Any,
    values: dict[str, Any],
    agencies: Iterable[Agency],
    item: AgendaItem | None = None,
) -> AgendaItem:
    """Add an agenda item, or change ``item``. ``values`` holds ``title`` and ``description``.

    Raises:
        ValidationError: a value is amiss, or the meeting is over.
    """
    current = _locked(meeting)
    _refuse_unless_open(current)
    if item is None:
        last = current.agenda.aggregate(last=models.Max("position"))["last"] or 0
        item = AgendaItem(meeting=current, position=last + 1, topic=Topic.OTHER)
    for name, value in values.items():
        setattr(item, name, value)
    item.full_clean()
    item.save()
    item.agencies.set(agencies)
    audit.record("meetings.agenda.save", actor=actor, subject=current, detail={"item": item.pk})
    return item


@transaction.atomic
def move_item(item: AgendaItem, *, actor: Any, up: bool) -> None:
    """Change places with the item above or below; the first and the last stay where they are."""
    meeting = _locked(item.meeting)
    _refuse_unless_open(meeting)
    items = list(meeting.agenda.all())
    here = next(i for i, other in enumerate(items) if other.pk == item.pk)
    there = here - 1 if up else here + 1
    if not 0 <= there < len(items):
        return
    items[here], items[there] = items[there], items[here]
    for position, other in enumerate(items, 1):
        if other.position != position:
            other.position = position
            other.save(update_fields=["position"])
    audit.record("meetings.agenda.move", actor=actor, subject=meeting, detail={"item": item.pk})


@transaction.atomic
def drop_item(item: AgendaItem, *, actor: Any) -> None:
    """Take an item off the agenda.

    Raises:
        ValidationError: something was decided on it already.
    """
    meeting = _locked(item.meeting)
    _refuse_unless_open(meeting)
    if item.decisions.exists():
        raise ValidationError(_("Pokok bahasan ini sudah ada keputusannya."))
    audit.record("meetings.agenda.drop", actor=actor, subject=meeting, detail={"title": item.title})
    item.delete()


# Invitations, mandates and what agencies say beforehand


@transaction.atomic
def invite(meeting: Meeting, agencies: Iterable[Agency], *, actor: Any) -> int:
    """Invite agencies that are not invited yet; return how many. Their heads get e-mail with a calendar file.

    Raises:
        ValidationError: the meeting is over, or has nothing on its agenda.
    """
    current = _locked(meeting)
    _refuse_unless_open(current)
    if not current.agenda.exists():
        raise ValidationError(
            _(
                "Agenda masih kosong. Isi agendanya dulu, supaya yang diundang tahu apa yang dibahas."
            )
        )
    known = set(current.invitations.values_list("agency_id", flat=True))
    fresh = [agency for agency in agencies if agency.pk not in known]
    for agency in fresh:
        Invitation.objects.create(meeting=current, agency=agency)
    if current.state == MeetingState.PLANNED and (fresh or known):
        current.state = MeetingState.INVITED
        current.invited_at = timezone.now()
        current.save()
    audit.record(
        "meetings.meeting.invite",
        actor=actor,
        subject=current,
        detail={"agencies": [agency.code for agency in fresh]},
    )
    invitations.send(current, fresh)
    news.tell_invited(current, fresh)
    return len(fresh)


@transaction.atomic
def answer(invitation: Invitation, *, actor: Any, attends: bool, reason: str = "") -> Invitation:
    """Say that the head comes in person, or that the agency stays away (with a reason).

    Raises:
        ValidationError: no reason for staying away, or the meeting has begun or is over.
    """
    meeting = _locked(invitation.meeting)
    _refuse_answer(meeting)
    if not attends and not reason.strip():
        raise ValidationError({"reason": _("Tulis mengapa tidak dapat hadir.")})
    current = Invitation.objects.select_for_update().get(pk=invitation.pk)
    current.reply = Reply.ATTEND if attends else Reply.DECLINE
    current.decline_reason = "" if attends else reason.strip()[:250]
    _clear_mandate(current)
    _stamp(current, actor)
    audit.record(
        "meetings.invitation.answer",
        actor=actor,
        subject=current,
        reason=current.decline_reason,
        detail={"reply": current.reply, "agency": current.agency.code},
    )
    return current


@transaction.atomic
def delegate(
    invitation: Invitation,
    *,
    actor: Any,
    name: str,
    position: str,
    scope: str,
    items: Iterable[AgendaItem] = (),
    limits: str = "",
) -> Invitation:
    """Send somebody in the head's place, with a mandate that says what they may decide.

    The mandate counts once the head has signed it: at once when ``actor`` is the head, else by
    :func:`sign_mandate`.

    Raises:
        ValidationError: a value is amiss, or the meeting has begun or is over.
    """
    meeting = _locked(invitation.meeting)
    _refuse_answer(meeting)
    chosen = list(items)
    errors = {}
    if not name.strip():
        errors["delegate_name"] = _("Tulis nama wakilnya.")
    if scope == MandateScope.ITEMS and not chosen:
        errors["mandate_items"] = _("Pilih pokok bahasan yang boleh diputuskan wakil.")
    if scope not in MandateScope.values:
        errors["mandate_scope"] = _("Pilih wewenang wakil.")
    if any(item.meeting_id != meeting.pk for item in chosen):
        errors["mandate_items"] = _("Pokok bahasan itu bukan bagian rapat ini.")
    if errors:
        raise ValidationError(errors)
    current = Invitation.objects.select_for_update().get(pk=invitation.pk)
    current.reply = Reply.DELEGATE
    current.decline_reason = ""
    current.delegate_name, current.delegate_position = name.strip(), position.strip()
    current.mandate_scope, current.mandate_limits = scope, limits.strip()
    current.mandate_code = "".join(secrets.choice(CODE_LETTERS) for _i in range(8))
    current.mandate_signed_at = timezone.now() if _is_head(actor, current) else None
    _stamp(current, actor)
    current.mandate_items.set(chosen if scope == MandateScope.ITEMS else [])
    audit.record(
        "meetings.invitation.delegate",
        actor=actor,
        subject=current,
        detail={
            "agency": current.agency.code,
            "scope": scope,
            "signed": current.mandate_signed_at is not None,
        },
    )
    return current


@transaction.atomic
def sign_mandate(invitation: Invitation, *, actor: Any) -> Invitation:
    """Let the head sign a mandate that somebody else drew up.

    Raises:
        ValidationError: ``actor`` is not the head, there is nothing to sign, or the meeting has begun.
    """
    _refuse_answer(_locked(invitation.meeting))
    current = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if current.reply != Reply.DELEGATE or not _is_head(actor, current):
        raise ValidationError(_("Hanya kepala perangkat daerah yang dapat menandatangani mandat."))
    if current.mandate_signed_at is None:
        current.mandate_signed_at = timezone.now()
        current.save()
        news.end_invitation(current.meeting, [current.agency])
        audit.record("meetings.invitation.sign", actor=actor, subject=current)
    return current


def _is_head(actor: Any, invitation: Invitation) -> bool:
    return bool(actor.role == Role.AGENCY_HEAD and actor.agency_id == invitation.agency_id)


def _refuse_answer(meeting: Meeting) -> None:
    if meeting.state != MeetingState.INVITED:
        raise ValidationError(
            _("Undangan ini tidak dapat dijawab lagi: rapat sudah dimulai atau selesai.")
        )


def _clear_mandate(invitation: Invitation) -> None:
    invitation.delegate_name = invitation.delegate_position = ""
    invitation.mandate_scope = invitation.mandate_limits = invitation.mandate_code = ""
    invitation.mandate_signed_at = None
    invitation.mandate_items.clear()


def _stamp(invitation: Invitation, actor: Any) -> None:
    invitation.replied_at, invitation.replied_by = timezone.now(), actor
    invitation.save()
    if invitation.reply != Reply.DELEGATE or invitation.mandate_signed_at is not None:
        news.end_invitation(invitation.meeting, [invitation.agency])


@transaction.atomic
def give_input(
    meeting: Meeting, *, actor: Any, text: str, item: AgendaItem | None = None
) -> WrittenInput:
    """Keep what ``actor``'s agency says before the meeting, on one item or in general.

    Raises:
        ValidationError: nothing was written, the item is of another meeting, or the meeting is over.
    """
    _refuse_unless_open(_locked(meeting))
    if not text.strip():
        raise ValidationError({"text": _("Tulis masukannya.")})
    if item is not None and item.meeting_id != meeting.pk:
        raise ValidationError({"item": _("Pokok bahasan itu bukan bagian rapat ini.")})
    made = WrittenInput.objects.create(
        meeting=meeting, item=item, agency=actor.agency, author=actor, text=text.strip()[:4000]
    )
    audit.record(
        "meetings.input.give",
        actor=actor,
        subject=meeting,
        detail={"item": item.pk if item else None},
    )
    return made


# In the room


@transaction.atomic
def open_meeting(meeting: Meeting, *, actor: Any) -> None:
    """Begin a meeting: answers end, attendance and decisions can be taken.

    Raises:
        ValidationError: nobody is invited yet, or the meeting has begun or is over.
    """
    current = _locked(meeting)
    if current.state != MeetingState.INVITED:
        raise ValidationError(_("Rapat hanya dapat dimulai setelah undangan dikirim."))
    current.state, current.opened_at = MeetingState.RUNNING, timezone.now()
    current.save()
    news.end_invitation(current)
    audit.record("meetings.meeting.open", actor=actor, subject=current)


def check_in_token(meeting: Meeting) -> str:
    """Return the text that the QR code on the wall carries; it is good for three minutes."""
    return TimestampSigner(salt=f"guyub.meetings.{meeting.secret}").sign(str(meeting.pk))


def meeting_of_token(token: str) -> Meeting:
    """Return the running meeting that ``token`` lets people into.

    Raises:
        ValidationError: the code is stale or false, or the meeting is not running.
    """
    key = token.partition(":")[0]
    meeting = (
        Meeting.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 12 else None
    )
    try:
        if meeting is None:
            raise BadSignature
        TimestampSigner(salt=f"guyub.meetings.{meeting.secret}").unsign(
            token, max_age=CHECK_IN_SECONDS
        )
    except SignatureExpired as error:
        raise ValidationError(
            _("Kode ini sudah lewat waktunya. Pindai lagi kode yang sedang tampil di ruang rapat.")
        ) from error
    except BadSignature as error:
        raise ValidationError(
            _("Kode kehadiran tidak dikenal. Pindai kode di ruang rapat.")
        ) from error
    if meeting.state != MeetingState.RUNNING:
        raise ValidationError(_("Rapat ini belum dimulai atau sudah selesai."))
    return meeting


@transaction.atomic
def check_in(
    meeting: Meeting,
    *,
    user: Any = None,
    agency: Agency | None = None,
    name: str = "",
    position: str = "",
    mandate_code: str = "",
    by_qr: bool = True,
    recorded_by: Any = None,
    as_head: bool = False,
) -> Attendance:
    """Note that somebody is there, and as what.

    A head speaks for the agency. Anybody else of the agency does so when it delegated and they are
    the delegate: known by the mandate's code, or by the name on it. Others accompany, or are guests.
    A head is known by the account, or ``as_head`` because ``recorded_by`` of the secretariat says so.

    Raises:
        ValidationError: the meeting is not running, the person has no name, or the code is false.
    """
    current = _locked(meeting)
    if current.state != MeetingState.RUNNING:
        raise ValidationError(_("Rapat ini belum dimulai atau sudah selesai."))
    if user is not None:
        earlier = current.attendances.filter(user=user).first()
        if earlier is not None:
            return earlier
        agency, name = user.agency, user.full_name
        position = position or user.position or user.get_role_display()
    if not name.strip():
        raise ValidationError({"name": _("Tulis nama Anda.")})
    is_head = (user is not None and user.role == Role.AGENCY_HEAD) or (
        as_head and recorded_by is not None
    )
    capacity = _capacity(current, user, agency, name, mandate_code, is_head=is_head)
    made = Attendance.objects.create(
        meeting=current,
        agency=agency,
        user=user,
        name=name.strip()[:120],
        position=position.strip()[:120],
        capacity=capacity,
        by_qr=by_qr,
    )
    audit.record(
        "meetings.attendance.add",
        actor=recorded_by or user,
        subject=current,
        detail={"capacity": capacity, "agency": agency.code if agency else "", "by_qr": by_qr},
    )
    return made


def _capacity(
    meeting: Meeting,
    user: Any,
    agency: Agency | None,
    name: str,
    mandate_code: str,
    *,
    is_head: bool,
) -> Capacity:
    if agency is None:
        return Capacity.GUEST
    invitation = meeting.invitations.filter(agency=agency).first()
    if invitation is None:
        return Capacity.GUEST
    code = mandate_code.strip().upper()
    if code and code != invitation.mandate_code:
        raise ValidationError(
            {"mandate_code": _("Kode mandat tidak cocok. Lihat kode pada surat mandat Anda.")}
        )
    if meeting.attendances.filter(
        agency=agency, capacity__in=(Capacity.HEAD, Capacity.DELEGATE)
    ).exists():
        return Capacity.COMPANION
    if is_head:
        return Capacity.HEAD
    named = name.strip().casefold() == invitation.delegate_name.strip().casefold()
    if invitation.reply == Reply.DELEGATE and (code or (user is not None and named)):
        return Capacity.DELEGATE
    # Somebody sent without word beforehand sits there, and decides nothing.
    return Capacity.COMPANION


@transaction.atomic
def remove_attendance(attendance: Attendance, *, actor: Any) -> None:
    """Take back an attendance that was entered by mistake.

    Raises:
        ValidationError: the meeting is over.
    """
    meeting = _locked(attendance.meeting)
    if meeting.state != MeetingState.RUNNING:
        raise ValidationError(_("Kehadiran hanya dapat dihapus selama rapat berlangsung."))
    audit.record("meetings.attendance.remove", actor=actor, subject=meeting)
    attendance.delete()


@transaction.atomic
def close_meeting(meeting: Meeting, *, actor: Any, notes: str) -> None:
    """End a meeting with the secretariat's account of it.

    Raises:
        ValidationError: the meeting is not running.
    """
    current = _locked(meeting)
    if current.state != MeetingState.RUNNING:
        raise ValidationError(_("Rapat ini tidak sedang berlangsung."))
    current.state, current.closed_at = MeetingState.CLOSED, timezone.now()
    current.notes = notes.strip()
    current.save()
    audit.record("meetings.meeting.close", actor=actor, subject=current)
