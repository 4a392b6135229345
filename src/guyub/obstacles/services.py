"""Writes to obstacles: reporting one and everything that is done about it.

Who may act is ``can(user, "obstacles.report", obstacle)``: the secretariat, the heads and operators of
the agency that reported and of the agency that is needed, and the operators of the reporting area.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.access.roles import AGENCY_ROLES, AREA_ROLES, Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.discussions.models import Kind
from guyub.discussions.numbers import mask_numbers
from guyub.discussions.people import people_of, secretariat
from guyub.discussions.services import notify, settle
from guyub.obstacles.models import (
    ALLOWED,
    UNSOLVED,
    Action,
    Obstacle,
    ObstacleState,
    ObstacleStep,
)
from guyub.programs.models import SubActivity

SOON = dt.timedelta(days=3)
REMIND_AGAIN = dt.timedelta(days=7)


def _url(obstacle: Obstacle) -> str:
    return reverse("obstacles:detail", args=[obstacle.pk])


def _reporters(obstacle: Obstacle) -> list[User]:
    """Return who should hear what becomes of an obstacle that they reported."""
    people = people_of([obstacle.agency_id]) if obstacle.agency_id is not None else []
    return [*people, obstacle.reported_by]


def _tell(users: Iterable[User], kind: str, text: str, obstacle: Obstacle, actor: Any) -> None:
    notify((user for user in users if user != actor), kind, text, _url(obstacle))


def _agency_of(actor: Any) -> Agency | None:
    return actor.agency if actor is not None and actor.role in AGENCY_ROLES else None


def _add_step(obstacle: Obstacle, kind: Action, text: str, actor: Any) -> ObstacleStep:
    return ObstacleStep.objects.create(
        obstacle=obstacle,
        kind=kind,
        text=text,
        state=obstacle.state,
        by=actor,
        agency=_agency_of(actor),
        at=timezone.now(),
    )


def _required(text: str, field: str, message: str) -> str:
    text = mask_numbers(text.strip())[0]
    if not text:
        raise ValidationError({field: message})
    return text


def _open_for(obstacle: Obstacle, action: Action) -> Obstacle:
    """Lock an obstacle for ``action``.

    Raises:
        ValidationError: its state does not allow that.
    """
    rows = Obstacle.objects.select_for_update(of=("self",)).select_related(
        "needed_agency", "agency", "reported_by"
    )
    found = rows.get(pk=obstacle.pk)
    if found.state not in ALLOWED[action]:
        raise ValidationError(
            _('Kendala ini berkeadaan "%(state)s", sehingga tidak dapat lagi: %(action)s.')
            % {"state": found.get_state_display(), "action": action.label}
        )
    return found


@transaction.atomic
def report(
    *,
    title: str,
    description: str,
    category: str,
    severity: int,
    needed_agency: Agency,
    due_on: dt.date,
    actor: Any,
    sub_activity: SubActivity | None = None,
    area: Area | None = None,
) -> Obstacle:
    """Report an obstacle and ask ``needed_agency`` to solve it. NIK and KK numbers are masked.

    Raises:
        ValidationError: a field is wrong, or the due date lies in the past.
    """
    if due_on < timezone.localdate():
        raise ValidationError({"due_on": _("Batas waktu tidak boleh sudah lewat.")})
    obstacle = Obstacle(
        title=mask_numbers(" ".join(title.split()))[0],
        description=mask_numbers(description.strip())[0],
        category=category,
        severity=severity,
        sub_activity=sub_activity,
        area=area,
        agency=_agency_of(actor),
        reporting_area=actor.area if actor.role in AREA_ROLES else None,
        needed_agency=needed_agency,
        due_on=due_on,
        reported_by=actor,
        reported_at=timezone.now(),
    )
    obstacle.full_clean()
    obstacle.save()
    _add_step(obstacle, Action.REPORT, "", actor)
    audit.record(
        "obstacles.obstacle.report",
        actor=actor,
        subject=obstacle,
        detail={"needed": needed_agency.code, "category": category, "severity": severity},
    )
    text = _("Kendala baru menunggu Anda: %(title)s") % {"title": obstacle.title}
    _tell(people_of([needed_agency]), Kind.TASK, text, obstacle, actor)
    return obstacle


@transaction.atomic
def add_step(obstacle: Obstacle, text: str, *, actor: Any) -> Obstacle:
    """Note what was done. The first step of the needed agency or the secretariat starts the work.

    Raises:
        ValidationError: nothing is told, or the obstacle is solved.
    """
    obstacle = _open_for(obstacle, Action.STEP)
    text = _required(text, "text", _("Tulis langkah yang sudah diambil."))
    takes_it_up = actor.role == Role.SECRETARIAT or (
        actor.role in AGENCY_ROLES and actor.agency_id == obstacle.needed_agency_id
    )
    if obstacle.state == ObstacleState.OPEN and takes_it_up:
        obstacle.state = ObstacleState.WORKING
        obstacle.save(update_fields=["state", "updated_at"])
    _add_step(obstacle, Action.STEP, text, actor)
    audit.record("obstacles.obstacle.step", actor=actor, subject=obstacle)
    news = _("Langkah baru pada kendala: %(title)s") % {"title": obstacle.title}
    people = [*_reporters(obstacle), *people_of([obstacle.needed_agency_id])]
    _tell(people, Kind.NEWS, news, obstacle, actor)
    return obstacle


@transaction.atomic
def hand_over(obstacle: Obstacle, agency: Agency, reason: str, *, actor: Any) -> Obstacle:
    """Ask another agency instead; the obstacle is open again for it.

    Raises:
        ValidationError: there is no reason, it is the same agency, or the obstacle is solved.
    """
    obstacle = _open_for(obstacle, Action.HAND_OVER)
    reason = _required(reason, "reason", _("Tulis alasannya."))
    former = obstacle.needed_agency
    if agency.pk == former.pk:
        raise ValidationError({"agency": _("Kendala ini sudah ditujukan ke sana.")})
    obstacle.needed_agency = agency
    if obstacle.state == ObstacleState.WORKING:
        obstacle.state = ObstacleState.OPEN
    obstacle.reminded_on = None
    obstacle.save(update_fields=["needed_agency", "state", "reminded_on", "updated_at"])
    settle(_url(obstacle), people_of([former]))
    told = _("Dari %(former)s ke %(agency)s: %(reason)s")
    _add_step(
        obstacle,
        Action.HAND_OVER,
        told % {"former": former, "agency": agency, "reason": reason},
        actor,
    )
    audit.record(
        "obstacles.obstacle.hand_over",
        actor=actor,
        subject=obstacle,
        reason=reason,
        detail={"from": former.code, "to": agency.code},
    )
    text = _("Kendala diserahkan kepada Anda: %(title)s") % {"title": obstacle.title}
    _tell(people_of([agency]), Kind.TASK, text, obstacle, actor)
    news = _("Kendala diserahkan ke %(agency)s: %(title)s")
    news = news % {"agency": agency, "title": obstacle.title}
    _tell([*_reporters(obstacle), *people_of([former])], Kind.NEWS, news, obstacle, actor)
    return obstacle


@transaction.atomic
def solve(obstacle: Obstacle, solution: str, *, actor: Any) -> Obstacle:
    """Close an obstacle with how it was solved.

    Raises:
        ValidationError: the solution is not told, or it is solved already.
    """
    obstacle = _open_for(obstacle, Action.SOLVE)
    obstacle.solution = _required(solution, "solution", _("Tulis bagaimana kendala diselesaikan."))
    obstacle.state = ObstacleState.SOLVED
    obstacle.solved_at = timezone.now()
    obstacle.save(update_fields=["solution", "state", "solved_at", "updated_at"])
    settle(_url(obstacle))
    _add_step(obstacle, Action.SOLVE, obstacle.solution, actor)
    audit.record("obstacles.obstacle.solve", actor=actor, subject=obstacle)
    text = _("Kendala selesai: %(title)s") % {"title": obstacle.title}
    people = [*_reporters(obstacle), *people_of([obstacle.needed_agency_id])]
    _tell(people, Kind.NEWS, text, obstacle, actor)
    return obstacle


@transaction.atomic
def reopen(obstacle: Obstacle, reason: str, *, actor: Any) -> Obstacle:
    """Open a solved obstacle again; its former solution stays among the steps.

    Raises:
        ValidationError: there is no reason, or it is not solved.
    """
    obstacle = _open_for(obstacle, Action.REOPEN)
    reason = _required(reason, "reason", _("Tulis alasannya."))
    obstacle.state = ObstacleState.OPEN
    obstacle.solution, obstacle.solved_at, obstacle.escalated_at = "", None, None
    obstacle.reminded_on = None
    obstacle.save()
    _add_step(obstacle, Action.REOPEN, reason, actor)
    audit.record("obstacles.obstacle.reopen", actor=actor, subject=obstacle, reason=reason)
    text = _("Kendala dibuka kembali: %(title)s") % {"title": obstacle.title}
    _tell(people_of([obstacle.needed_agency_id]), Kind.TASK, text, obstacle, actor)
    _tell(_reporters(obstacle), Kind.NEWS, text, obstacle, actor)
    return obstacle


@transaction.atomic
def escalate(obstacle: Obstacle, reason: str, *, actor: Any) -> Obstacle:
    """Bring an obstacle to a coordination meeting.

    Raises:
        ValidationError: there is no reason, or it is solved or brought there already.
    """
    obstacle = _open_for(obstacle, Action.ESCALATE)
    reason = _required(reason, "reason", _("Tulis alasannya."))
    obstacle.state = ObstacleState.ESCALATED
    obstacle.escalated_at = timezone.now()
    obstacle.save(update_fields=["state", "escalated_at", "updated_at"])
    _add_step(obstacle, Action.ESCALATE, reason, actor)
    audit.record("obstacles.obstacle.escalate", actor=actor, subject=obstacle, reason=reason)
    text = _("Kendala dibawa ke rapat koordinasi: %(title)s") % {"title": obstacle.title}
    _tell(secretariat(), Kind.TASK, text, obstacle, actor)
    people = [*_reporters(obstacle), *people_of([obstacle.needed_agency_id])]
    _tell(people, Kind.NEWS, text, obstacle, actor)
    return obstacle


@transaction.atomic
def extend(obstacle: Obstacle, due_on: dt.date, reason: str, *, actor: Any) -> Obstacle:
    """Move the due date.

    Raises:
        ValidationError: there is no reason, the date is past or the same, or it is solved.
    """
    obstacle = _open_for(obstacle, Action.EXTEND)
    reason = _required(reason, "reason", _("Tulis alasannya."))
    if due_on < timezone.localdate():
        raise ValidationError({"due_on": _("Batas waktu tidak boleh sudah lewat.")})
    if due_on == obstacle.due_on:
        raise ValidationError({"due_on": _("Batas waktunya sudah tanggal itu.")})
    former, obstacle.due_on, obstacle.reminded_on = obstacle.due_on, due_on, None
    obstacle.save(update_fields=["due_on", "reminded_on", "updated_at"])
    told = _("Dari %(former)s ke %(due)s: %(reason)s")
    _add_step(
        obstacle,
        Action.EXTEND,
        told
        % {
            "former": date_format(former, "j F Y"),
            "due": date_format(due_on, "j F Y"),
            "reason": reason,
        },
        actor,
    )
    audit.record(
        "obstacles.obstacle.extend",
        actor=actor,
        subject=obstacle,
        reason=reason,
        detail={"from": former, "to": due_on},
    )
    news = _("Batas waktu kendala diubah: %(title)s") % {"title": obstacle.title}
    people = [*_reporters(obstacle), *people_of([obstacle.needed_agency_id])]
    _tell(people, Kind.NEWS, news, obstacle, actor)
    return obstacle


@transaction.atomic
def remind(today: dt.date | None = None) -> int:
    """Remind needed agencies of what is due within three days or overdue; return of how many.

    Once before the due date, and once a week after it.
    """
    today = today or timezone.localdate()
    due = (
        Obstacle.objects.filter(state__in=UNSOLVED, due_on__lte=today + SOON)
        .filter(
            Q(reminded_on=None)
            # Reminded before it was due, and now it is late.
            | Q(due_on__lt=today, reminded_on__lte=today - REMIND_AGAIN)
        )
        .select_related("needed_agency")
        .order_by("pk")
    )
    count = 0
    for obstacle in due.iterator():
        if obstacle.due_on < today:
            text = _("Terlambat %(days)d hari: %(title)s")
        else:
            text = _("Jatuh tempo %(days)d hari lagi: %(title)s")
        values = {"days": abs((today - obstacle.due_on).days), "title": obstacle.title}
        notify(people_of([obstacle.needed_agency_id]), Kind.DUE, text % values, _url(obstacle))
        Obstacle.objects.filter(pk=obstacle.pk).update(reminded_on=today)
        count += 1
    if count:
        audit.record("obstacles.remind", detail={"count": count})
    return count


@transaction.atomic
def load(entries: Iterable[tuple[Obstacle, list[ObstacleStep]]], *, actor: Any) -> list[Obstacle]:
    """Keep obstacles with what was done about them, as another system (or the demo) kept them.

    NIK and KK numbers are masked; nobody is notified.
    """
    pairs = list(entries)
    for obstacle, steps in pairs:
        obstacle.title = mask_numbers(obstacle.title)[0]
        obstacle.description = mask_numbers(obstacle.description)[0]
        for step in steps:
            step.text = mask_numbers(step.text)[0]
    made = Obstacle.objects.bulk_create([obstacle for obstacle, _steps in pairs])
    for obstacle, steps in pairs:
        for step in steps:
            step.obstacle = obstacle
    ObstacleStep.objects.bulk_create(step for _obstacle, steps in pairs for step in steps)
    audit.record("obstacles.load", actor=actor, detail={"count": len(made)})
    return made


@transaction.atomic
def log_export(*, actor: Any, count: int, filters: dict[str, str]) -> None:
    """Note that a list was downloaded."""
    audit.record("obstacles.list.export", actor=actor, detail={"rows": count, "filters": filters})
