"""Schedules, proposals of what to dispose of, holds, and the two people who decide."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.audit import services as audit
from guyub.discussions.models import Kind
from guyub.discussions.services import notify, settle
from guyub.registry.models import Person
from guyub.retention import queries
from guyub.retention.classes import FIRST_BASIS, ON_REQUEST, classes
from guyub.retention.models import (
    OPEN,
    REVIEWED,
    Disposal,
    Hold,
    Item,
    ItemState,
    Schedule,
    State,
)

# Records that one disposal takes up; the rest follows in the next.
MOST_ITEMS = 5000
# Characters of a reason that says something.
REASON_LENGTH = 10


def ensure_schedules() -> None:
    """Give every class of records its first schedule."""
    known = set(Schedule.objects.values_list("code", flat=True))
    Schedule.objects.bulk_create(
        [
            Schedule(code=one.code, years=one.years, basis=str(FIRST_BASIS))
            for one in classes()
            if one.scheduled and one.code not in known
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def save_schedule(schedule: Schedule, *, actor: Any) -> Schedule:
    """Set for how long a class of records is kept. Disposals already proposed keep theirs."""
    schedule.save()
    audit.record(
        "retention.schedule.save", actor=actor, subject=schedule,
        detail={"class": schedule.code, "years": schedule.years, "active": schedule.is_active},
    )  # fmt: skip
    return schedule


def years_before(day: dt.date, years: int) -> dt.date:
    """Return the same day ``years`` earlier; of a 29 February the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def propose(today: dt.date) -> list[Disposal]:
    """Propose a disposal for every class with records past their time and none under way."""
    ensure_schedules()
    made = [
        found
        for schedule in Schedule.objects.filter(is_active=True)
        if (found := _propose(schedule, today)) is not None
    ]
    if made:
        notify(
            User.objects.filter(role=Role.SECRETARIAT, is_active=True),
            Kind.TASK,
            _("Ada data yang lewat masa simpannya; tinjau usulan pemusnahannya."),
            queries.list_url(),
        )
    return made


@transaction.atomic
def _propose(schedule: Schedule, today: dt.date) -> Disposal | None:
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    if Disposal.objects.filter(code=schedule.code, state__in=OPEN).exists():
        return None
    before = years_before(today, schedule.years)
    held = set(queries.holds(schedule.code).values_list("record_id", flat=True))
    due = schedule_due(schedule.code, before, held)
    found = list(itertools.islice(due, MOST_ITEMS))
    if not found:
        return None
    disposal = Disposal.objects.create(
        code=schedule.code, years=schedule.years, basis=schedule.basis, cutoff=before,
        oldest=min(day for _pk, day in found),
    )  # fmt: skip
    Item.objects.bulk_create(
        [Item(disposal=disposal, record_id=pk, dated=day) for pk, day in found], batch_size=1000
    )
    audit.record(
        "retention.disposal.propose", subject=disposal,
        detail={"class": schedule.code, "records": len(found), "before": before},
    )  # fmt: skip
    return disposal


def schedule_due(code: str, before: dt.date, held: set[int]) -> Iterable[tuple[int, dt.date]]:
    """Yield (id, date) of records of a class that are due and not held."""
    for pk, day in queries.class_of(code).due(before, None):
        if pk not in held:
            yield pk, day


@transaction.atomic
def ask_erasure(person: Person, *, basis: str, actor: Any) -> Disposal:
    """Propose to erase one person, as they asked; a second person has to approve as always."""
    disposal = Disposal.objects.create(
        code=ON_REQUEST, years=0, basis=basis[:250], state=State.SUBMITTED,
        submitted_by=actor, submitted_at=timezone.now(),
    )  # fmt: skip
    Item.objects.create(disposal=disposal, record_id=person.pk)
    audit.record(
        "retention.disposal.propose", actor=actor, subject=disposal, detail={"class": ON_REQUEST}
    )
    return disposal


def _lock(disposal: Disposal, *states: str) -> Disposal:
    current = Disposal.objects.select_for_update().get(pk=disposal.pk)
    if current.state not in states:
        raise ValidationError(
            _("Pemusnahan ini sudah berstatus “%(state)s”.")
            % {"state": current.get_state_display()}
        )
    return current


def _reason(text: str) -> str:
    if len(text.strip()) < REASON_LENGTH:
        raise ValidationError(
            {"reason": _("Tulis alasannya, paling sedikit %(n)d huruf.") % {"n": REASON_LENGTH}}
        )
    return text.strip()[:250]


@transaction.atomic
def hold(item: Item, *, reason: str, actor: Any) -> Hold:
    """Keep one record of a disposal, now and in later ones, until the hold is lifted.

    Raises:
        ValidationError: there is no reason, or the disposal is approved already.
    """
    why = _reason(reason)
    disposal = _lock(item.disposal, *REVIEWED)
    current = Item.objects.select_for_update().get(pk=item.pk)
    made, is_new = Hold.objects.get_or_create(
        code=disposal.code, record_id=current.record_id, lifted_at=None,
        defaults={"reason": why, "placed_by": actor},
    )  # fmt: skip
    if current.state == ItemState.HELD or not is_new:
        raise ValidationError(_("Catatan ini sudah ditahan."))
    current.state = ItemState.HELD
    current.save(update_fields=["state"])
    audit.record(
        "retention.hold.place", actor=actor, subject=disposal, reason=why,
        detail={"class": disposal.code, "record": current.record_id},
    )  # fmt: skip
    return made


@transaction.atomic
def lift_hold(hold: Hold, *, actor: Any) -> Hold:
    """Let a held record go: it is disposed of with what is due next.

    Raises:
        ValidationError: it was lifted already.
    """
    current = Hold.objects.select_for_update().get(pk=hold.pk)
    if current.lifted_at is not None:
        raise ValidationError(_("Penahanan ini sudah dicabut."))
    current.lifted_at, current.lifted_by = timezone.now(), actor
    current.save()
    waiting = Item.objects.filter(
        disposal__code=current.code, disposal__state__in=REVIEWED,
        record_id=current.record_id, state=ItemState.HELD,
    )  # fmt: skip
    waiting.update(state=ItemState.WAITING)
    audit.record(
        "retention.hold.lift", actor=actor,
        detail={"class": current.code, "record": current.record_id},
    )  # fmt: skip
    return current


def _end_review() -> None:
    """Ask nobody to review any more once no proposal waits for it."""
    if not Disposal.objects.filter(state=State.PROPOSED).exists():
        settle(queries.list_url())


@transaction.atomic
def submit(disposal: Disposal, *, actor: Any) -> Disposal:
    """Say that a proposal was looked through; a second person decides.

    Raises:
        ValidationError: it is past that, or everything in it is held.
    """
    current = _lock(disposal, State.PROPOSED)
    if not current.items.filter(state=ItemState.WAITING).exists():
        raise ValidationError(_("Semua isinya ditahan; batalkan saja usulan ini."))
    current.state, current.submitted_by = State.SUBMITTED, actor
    current.submitted_at = timezone.now()
    current.save()
    audit.record("retention.disposal.submit", actor=actor, subject=current)
    _end_review()
    others = User.objects.filter(role=Role.SECRETARIAT, is_active=True).exclude(pk=actor.pk)
    notify(
        others, Kind.TASK,
        _("Pemusnahan no. %(number)d menunggu persetujuan orang kedua.") % {"number": current.pk},
        queries.url_of(current),
    )  # fmt: skip
    return current


@transaction.atomic
def approve(disposal: Disposal, *, actor: Any) -> Disposal:
    """Have a reviewed disposal carried out by the worker. It can't be taken back.

    Raises:
        ValidationError: the same person reviewed it, or it is past that.
    """
    from guyub.retention.tasks import carry_out_disposal

    current = _lock(disposal, State.SUBMITTED)
    if current.submitted_by_id == actor.pk:
        raise ValidationError(
            _("Yang meninjau dan yang menyetujui harus dua orang. Minta rekan Anda menyetujuinya.")
        )
    if not current.items.filter(state=ItemState.WAITING).exists():
        raise ValidationError(_("Semua isinya ditahan; batalkan saja usulan ini."))
    current.state, current.approved_by = State.APPROVED, actor
    current.approved_at = timezone.now()
    current.save()
    settle(queries.url_of(current))
    audit.record(
        "retention.disposal.approve", actor=actor, subject=current,
        detail={"records": current.items.filter(state=ItemState.WAITING).count()},
    )  # fmt: skip
    transaction.on_commit(lambda: carry_out_disposal.enqueue(current.pk))
    return current


@transaction.atomic
def drop(disposal: Disposal, *, reason: str, actor: Any) -> Disposal:
    """Dispose of nothing this time; what is due is proposed anew.

    Raises:
        ValidationError: there is no reason, or it is approved already.
    """
    why = _reason(reason)
    current = _lock(disposal, *REVIEWED)
    current.state, current.dropped_by, current.drop_reason = State.DROPPED, actor, why
    current.finished_at = timezone.now()
    current.save()
    settle(queries.url_of(current))
    _end_review()
    audit.record("retention.disposal.drop", actor=actor, subject=current, reason=why)
    return current
