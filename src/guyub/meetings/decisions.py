"""Decisions, their ratification, and the actions that follow from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.meetings import news, queries
from guyub.meetings.models import (
    ActionItem,
    ActionState,
    ActionUpdate,
    AgendaItem,
    Consent,
    Decision,
    DecisionState,
    Meeting,
    MeetingState,
    Stance,
)


@transaction.atomic
def record_decision(
    item: AgendaItem, *, actor: Any, text: str, objections: Mapping[int, str] | None = None
) -> Decision:
    """Write down a decision taken in the room and where each agency stands on it.

    Whoever is there and may decide on the item agrees unless named in ``objections`` (agency id to
    what they say). Agencies that the item concerns and that nobody can decide for are awaited: their
    heads ratify by a date, after which the regent is asked. An objection goes to the regent at once,
    so that a decision never stalls.

    Raises:
        ValidationError: there is no text, no quorum, or an objection by who cannot decide.
    """
    meeting = Meeting.objects.select_for_update().get(pk=item.meeting_id)
    if meeting.state != MeetingState.RUNNING:
        raise ValidationError(_("Keputusan hanya dapat dicatat selama rapat berlangsung."))
    if not text.strip():
        raise ValidationError({"text": _("Tulis isi keputusannya.")})
    quorum = queries.quorum(meeting)
    if not quorum.is_met:
        raise ValidationError(
            _(
                "Kuorum belum tercapai: baru %(present)d perangkat daerah yang hadir dengan wewenang "
                "memutuskan, perlu %(needed)d dari %(invited)d. Catat kehadiran dulu, atau tunda."
            )
            % {
                "present": quorum.present,
                "needed": quorum.needed,
                "invited": quorum.invited,
            }
        )
    voices = queries.voices_on(item)
    against = dict(objections or {})
    unknown = set(against) - set(voices)
    if unknown:
        raise ValidationError(
            _("Perangkat daerah yang keberatan harus hadir dan berwenang memutuskan.")
        )
    concerned = queries.concerned_by(item)
    now = timezone.now()
    awaited = [agency for agency in concerned if agency.pk not in voices]
    state = DecisionState.ADOPTED
    if against:
        state = DecisionState.ESCALATED
    elif awaited:
        state = DecisionState.PENDING
    last = meeting.decisions.aggregate(last=models.Max("number"))["last"] or 0
    decision = Decision.objects.create(
        meeting=meeting,
        item=item,
        number=last + 1,
        text=text.strip(),
        state=state,
        decided_at=now,
        ratify_by=timezone.localdate(now) + dt.timedelta(days=meeting.ratify_days)
        if awaited
        else None,
        settled_at=now if state == DecisionState.ADOPTED else None,
    )
    Consent.objects.bulk_create(
        [
            Consent(
                decision=decision,
                agency_id=agency_id,
                stance=Stance.OBJECTED if agency_id in against else Stance.AGREED,
                on_the_day=True,
                by_delegate=voice.by_delegate,
                by=voice.user,
                note=against.get(agency_id, ""),
                at=now,
            )
            for agency_id, voice in voices.items()
        ]
        + [Consent(decision=decision, agency=agency, stance=Stance.AWAITED) for agency in awaited]
    )
    audit.record(
        "meetings.decision.record",
        actor=actor,
        subject=decision,
        detail={"state": state, "awaited": len(awaited), "objections": len(against)},
    )
    if state == DecisionState.ESCALATED:
        news.tell_regent(decision)
    elif awaited:
        news.tell_awaited(decision, awaited)
    return decision


@transaction.atomic
def ratify(consent: Consent, *, actor: Any, agrees: bool, note: str = "") -> Decision:
    """Let the head of an agency that was not there consent to a decision, or object to it.

    Raises:
        ValidationError: the agency is not awaited any more, or an objection has no reason.
    """
    decision = Decision.objects.select_for_update().get(pk=consent.decision_id)
    current = Consent.objects.select_for_update().get(pk=consent.pk)
    if decision.state != DecisionState.PENDING or current.stance != Stance.AWAITED:
        raise ValidationError(_("Keputusan ini tidak lagi menunggu pengesahan Anda."))
    if not agrees and not note.strip():
        raise ValidationError({"note": _("Tulis alasan keberatannya.")})
    current.stance = Stance.AGREED if agrees else Stance.OBJECTED
    current.by, current.at, current.note = actor, timezone.now(), note.strip()
    current.save()
    if not agrees:
        decision.state = DecisionState.ESCALATED
    elif not decision.consents.filter(stance=Stance.AWAITED).exists():
        decision.state, decision.settled_at = DecisionState.ADOPTED, timezone.now()
    decision.save()
    audit.record(
        "meetings.decision.ratify" if agrees else "meetings.decision.object",
        actor=actor,
        subject=decision,
        reason=note.strip(),
        detail={"agency": current.agency.code, "state": decision.state},
    )
    if not agrees:
        news.tell_regent(decision)
    else:
        news.end_waiting(decision, [current.agency])
    return decision


@transaction.atomic
def escalate_overdue(today: dt.date) -> list[Decision]:
    """Hand decisions whose ratification is overdue to the regent; return them."""
    overdue = list(
        Decision.objects.select_for_update().filter(
            state=DecisionState.PENDING, ratify_by__lt=today
        )
    )
    for decision in overdue:
        decision.state = DecisionState.ESCALATED
        decision.save()
        audit.record("meetings.decision.escalate", subject=decision)
        news.tell_regent(decision)
    return overdue


@transaction.atomic
def rule(decision: Decision, *, actor: Any, adopts: bool, note: str) -> Decision:
    """Let the regent end what agencies could not agree on.

    Raises:
        ValidationError: the decision does not wait for the regent, or the ruling has no reason.
    """
    current = Decision.objects.select_for_update().get(pk=decision.pk)
    if current.state != DecisionState.ESCALATED:
        raise ValidationError(_("Keputusan ini tidak sedang menunggu arahan Bupati."))
    if not note.strip():
        raise ValidationError({"note": _("Tulis arahannya.")})
    current.state = DecisionState.ADOPTED if adopts else DecisionState.REJECTED
    current.regent_note, current.settled_at = note.strip(), timezone.now()
    current.save()
    current.consents.filter(stance=Stance.AWAITED).update(stance=Stance.OVERRULED)
    news.end_waiting(current)
    audit.record(
        "meetings.decision.rule",
        actor=actor,
        subject=current,
        reason=note.strip(),
        detail={"state": current.state},
    )
    return current


# Actions


@transaction.atomic
def add_action(
    meeting: Meeting,
    *,
    actor: Any,
    text: str,
    agency: Agency,
    due_on: dt.date,
    decision: Decision | None = None,
) -> ActionItem:
    """Give an agency something to do by a date.

    Raises:
        ValidationError: a value is amiss, or the meeting has not begun.
    """
    current = Meeting.objects.select_for_update().get(pk=meeting.pk)
    if current.state not in (MeetingState.RUNNING, MeetingState.CLOSED):
        raise ValidationError(_("Tindak lanjut dicatat selama atau sesudah rapat."))
    if due_on < timezone.localdate():
        raise ValidationError({"due_on": _("Batas waktu tidak boleh sudah lewat.")})
    action = ActionItem(
        meeting=current, text=text.strip(), agency=agency, due_on=due_on, decision=decision
    )
    action.full_clean()
    action.save()
    audit.record("meetings.action.add", actor=actor, subject=action, detail={"agency": agency.code})
    return action


@transaction.atomic
def update_action(action: ActionItem, *, actor: Any, text: str, state: str) -> ActionItem:
    """Say what was done about an action, and whether it is finished.

    Raises:
        ValidationError: nothing was written, the state is no state, or who is not of the secretariat
            drops it.
    """
    current = ActionItem.objects.select_for_update().get(pk=action.pk)
    if not text.strip():
        raise ValidationError({"text": _("Tulis apa yang sudah dilakukan.")})
    if state not in ActionState.values:
        raise ValidationError({"state": _("Pilih keadaannya.")})
    if state == ActionState.DROPPED and not can(actor, "meetings.manage"):
        raise ValidationError(
            {"state": _("Hanya sekretariat yang dapat menghentikan tindak lanjut.")}
        )
    ActionUpdate.objects.create(action=current, text=text.strip(), state=state, by=actor)
    current.state = state
    current.done_at = timezone.now() if state == ActionState.DONE else None
    current.save()
    audit.record("meetings.action.update", actor=actor, subject=current, detail={"state": state})
    return current
