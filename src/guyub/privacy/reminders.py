"""Reminding the secretariat of clocks that run: requests to be answered, breaches to be told of.

Each is reminded of once before it is due and once when it is late, however often the job runs.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.discussions.models import Kind
from guyub.discussions.services import notify
from guyub.privacy.models import LIMIT, OPEN, Breach, Reminded, SubjectRequest

# The job runs once a day: what falls due before it runs again is brought up now, with time to act.
AHEAD = dt.timedelta(hours=30)


def remind(now: dt.datetime | None = None) -> int:
    """Notify the secretariat of what falls due within :data:`AHEAD` or is late; return of how much."""
    now = now or timezone.now()
    secretariat = list(User.objects.filter(role=Role.SECRETARIAT, is_active=True))
    count = 0
    requests = SubjectRequest.objects.filter(state__in=OPEN, due_at__lte=now + AHEAD)
    for request in requests.exclude(reminded=Reminded.LATE).order_by("pk"):
        count += _tell(
            request, request.due_at, now, secretariat,
            str(request), reverse("privacy:request", args=[request.pk]),
        )  # fmt: skip
    untold = Q(authority_told_at=None) | Q(subjects_told_at=None)
    breaches = Breach.objects.filter(untold, found_at__lte=now + AHEAD - LIMIT)
    for breach in breaches.exclude(reminded=Reminded.LATE).order_by("pk"):
        what = _("Kegagalan pelindungan data: beri tahu lembaga dan pemilik data")
        count += _tell(
            breach, breach.due_at, now, secretariat,
            what, reverse("privacy:breach", args=[breach.pk]),
        )  # fmt: skip
    return count


@transaction.atomic
def _tell(
    record: Any, due_at: dt.datetime, now: dt.datetime, users: list[User], what: str, url: str
) -> int:
    current = type(record)._default_manager.select_for_update().get(pk=record.pk)
    step = Reminded.LATE if now > due_at else Reminded.BEFORE
    if current.reminded == step:
        return 0
    current.reminded = step
    current.save(update_fields=["reminded"])
    text = (
        _("Lewat batas 3 x 24 jam (%(due)s): %(what)s")
        if step == Reminded.LATE
        else _("Batasnya %(due)s: %(what)s")
    )
    when = date_format(timezone.localtime(due_at), "j F Y H.i")
    notify(users, Kind.DUE, text % {"due": when, "what": what}, url)
    return 1
