"""Telling people what meetings want of them, in the page and by e-mail as they prefer."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.discussions.models import Kind
from guyub.discussions.services import notify, settle
from guyub.meetings.models import Decision, Meeting


def _heads(agencies: Iterable[Agency]) -> QuerySet[User]:
    return User.objects.filter(role=Role.AGENCY_HEAD, agency__in=list(agencies), is_active=True)


def tell_invited(meeting: Meeting, agencies: Iterable[Agency]) -> None:
    """Tell the heads of ``agencies`` that their answer is awaited."""
    notify(
        _heads(agencies),
        Kind.TASK,
        _("Undangan rapat: %(title)s") % {"title": meeting.title},
        _meeting_url(meeting),
    )


def _meeting_url(meeting: Meeting) -> str:
    return reverse("meetings:detail", args=[meeting.pk])


def _decision_url(decision: Decision) -> str:
    return reverse("meetings:decision", args=[decision.pk])


def end_invitation(meeting: Meeting, agencies: Iterable[Agency] | None = None) -> None:
    """Note that no answer to the invitation is awaited any more, of ``agencies`` or of anybody."""
    settle(_meeting_url(meeting), None if agencies is None else _heads(agencies))


def end_waiting(decision: Decision, agencies: Iterable[Agency] | None = None) -> None:
    """Note that a decision waits for nobody any more, or not for ``agencies``."""
    settle(_decision_url(decision), None if agencies is None else _heads(agencies))


def tell_awaited(decision: Decision, agencies: Iterable[Agency]) -> None:
    """Tell the heads of ``agencies`` that a decision waits for their ratification."""
    notify(
        _heads(agencies),
        Kind.TASK,
        _("Keputusan rapat menunggu pengesahan Anda: %(text)s") % {"text": decision.text},
        _decision_url(decision),
    )


def tell_regent(decision: Decision) -> None:
    """Tell the regent that a decision waits for their word, and for nobody else's any more."""
    end_waiting(decision)
    notify(
        User.objects.filter(role=Role.REGENT, is_active=True),
        Kind.TASK,
        _("Keputusan rapat menunggu arahan Bupati: %(text)s") % {"text": decision.text},
        _decision_url(decision),
    )
