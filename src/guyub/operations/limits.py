"""Rate limits: how often one person or one address may do what is costly or tempting.

A process takes several turns at once from the shared count, and lets requests pass on them without
asking again, so that a limit of hundreds costs a write for every twentieth of it. What holds in all
processes together is never more than the limit; a little less may be had when turns that one process
took are left over.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.utils import timezone

from guyub.access.guards import PUBLIC
from guyub.operations.models import Allowance

clock = time.time  # seconds since 1970

SHARE = 20  # a process takes this part of a limit at once


@dataclasses.dataclass(frozen=True)
class Limit:
    """``count`` requests in ``seconds``, of one account, or of one address of whoever has none."""

    name: str
    count: int
    seconds: int

    @property
    def share(self) -> int:
        return max(1, self.count // SHARE)


def limit_of(request: HttpRequest, view: Any, route: Any) -> Limit | None:
    """Return the limit that a request counts against.

    By what the view's guard asks for, so that a new export or reveal has its limit without a word.
    Signing in is limited by allauth (``ACCOUNT_RATE_LIMITS``), and by the account tried as well.
    """
    permission = getattr(view, "required_permission", "")
    if route is not None and "api" in route.namespaces:
        # A token has a limit of its own, which its agency chose (guyub.connections).
        return None if hasattr(request, "api_token") else _named("api")
    if permission.endswith(".reveal"):
        return _named("reveal") if request.method == "POST" else None
    if permission.endswith(".export") or permission == "sharing.take":
        # The file comes by POST; the page that asks for the reason takes nothing out.
        return _named("export") if request.method == "POST" else None
    if permission == PUBLIC and request.method == "POST":
        return _named("public_form")
    if permission == PUBLIC and not request.path.startswith(("/sehat/", "/metrics")):
        return _named("public_page")
    return None


def _named(name: str) -> Limit:
    count, seconds = settings.RATE_LIMITS[name]
    return Limit(name, count, seconds)


_lock = threading.Lock()
# key -> (turns in hand, monotonic time at which the stretch is over)
_turns: dict[str, tuple[int, float]] = {}
MOST_KEYS = 10_000


def who(request: HttpRequest) -> str:
    """Return whom a request counts for."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return f"u{user.pk}"
    return f"a{request.META.get('REMOTE_ADDR', '')}"


def wait_for(limit: Limit, whose: str) -> int:
    """Use up one turn of ``whose``; return 0, or the seconds until there are turns again."""
    now = clock()
    stretch = int(now // limit.seconds)
    left = int((stretch + 1) * limit.seconds - now) + 1
    key = f"{limit.name}:{whose}:{stretch}"[:120]
    with _lock:
        in_hand, _until = _turns.get(key, (0, 0.0))
        if in_hand > 0:
            _turns[key] = (in_hand - 1, now + left)
            return 0
        if in_hand < 0:  # known to be used up
            return left
    try:
        used = _take(key, limit.share, left)
    except DatabaseError:
        # A database too busy to count is no reason to turn people away.
        return 0
    got = limit.share - max(0, used - limit.count)
    with _lock:
        if len(_turns) > MOST_KEYS:
            for old in [k for k, (_n, until) in _turns.items() if until < now]:
                del _turns[old]
            if len(_turns) > MOST_KEYS:
                _turns.clear()
        _turns[key] = (got - 1 if got > 0 else -1, now + left)
    return 0 if got > 0 else left


def _take(key: str, share: int, left: int) -> int:
    """Add ``share`` to the shared count and return what it then is, in one statement."""
    table = connection.ops.quote_name(Allowance._meta.db_table)
    expires = timezone.now() + dt.timedelta(seconds=left)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (key, used, expires_at) VALUES (%s, %s, %s) "  # noqa: S608
            f"ON CONFLICT (key) DO UPDATE SET used = {table}.used + excluded.used RETURNING used",
            [key, share, connection.ops.adapt_datetimefield_value(expires)],
        )
        return int(cursor.fetchone()[0])


def forget() -> None:
    """Let go of the turns in hand; for tests, whose database starts anew."""
    with _lock:
        _turns.clear()
