"""Writes that may be repeated safely: the header ``Idempotency-Key``.

The key is kept in the same transaction as what the call wrote. Of two calls with one key at the same
time, PostgreSQL lets the second wait at the unique key and SQLite at the lock for writing; either
then finds the first one's answer. A call that was refused keeps nothing and may be mended and sent
again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.connections.models import KeptAnswer
from guyub.connections.problems import problem

HEADER = "Idempotency-Key"
LONGEST_KEY = 120
KEPT_FOR = dt.timedelta(hours=24)
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def fingerprint_of(request: HttpRequest) -> str:
    """Return what tells one call from another: method, address and body."""
    text = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    text.update(request.body)
    return text.hexdigest()


def once(
    request: HttpRequest, key: str, owner: str, answer: Callable[[HttpRequest], HttpResponse]
) -> HttpResponse:
    """Return ``answer(request)``, or what the same call was answered before.

    ``owner`` is whose key it is; keys of others do not matter.
    """
    if len(key) > LONGEST_KEY or not key.isprintable():
        return problem(
            400, _("`Idempotency-Key` paling panjang %(most)d huruf.") % {"most": LONGEST_KEY}
        )
    fingerprint = fingerprint_of(request)
    KeptAnswer.objects.filter(
        owner=owner, key=key, created_at__lt=timezone.now() - KEPT_FOR
    ).delete()
    try:
        with transaction.atomic():
            kept = KeptAnswer.objects.create(owner=owner, key=key, fingerprint=fingerprint)
            response = answer(request)
            if 200 <= response.status_code < 300:
                kept.status = response.status_code
                kept.content_type = response.headers.get("Content-Type", "")[:100]
                kept.body = response.content
                kept.save(update_fields=["status", "content_type", "body"])
            else:
                transaction.set_rollback(True)
            return response
    except IntegrityError:
        # It is kept already: by a call before this one, or one at the same time that is done now.
        found = KeptAnswer.objects.filter(owner=owner, key=key).first()
        if found is None:
            raise
    if found.fingerprint != fingerprint:
        return problem(
            422, _("`Idempotency-Key` ini sudah dipakai untuk kiriman lain. Pakai kunci baru.")
        )
    response = HttpResponse(bytes(found.body), status=found.status, content_type=found.content_type)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def forget_old(now: dt.datetime | None = None) -> int:
    """Drop kept answers whose time is over; return how many."""
    before = (now or timezone.now()) - KEPT_FOR
    return KeptAnswer.objects.filter(created_at__lt=before).delete()[0]
