"""Writing the audit log. Every other app's services call :func:`record` inside their transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from guyub.access.client import client_address
from guyub.audit.models import ChainHead, Event

SYSTEM = "Sistem"

# Called with each event within its transaction; apps below add theirs when they are ready.
listeners: list[Callable[[Event], None]] = []


def seal_of(event: Event) -> str:
    """Return the seal of ``event``: HMAC-SHA256 over its fields and the previous seal, in hex.

    The key is ``settings.AUDIT_KEY``, so that write access to the database alone does not suffice
    to forge a chain that verifies.
    """
    content = json.dumps(
        [
            event.sequence,
            event.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            event.actor_id,
            event.actor_name,
            event.actor_role,
            event.action,
            event.subject_type,
            event.subject_id,
            event.reason,
            event.detail,
            event.address,
            event.previous_seal,
        ],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hmac.new(settings.AUDIT_KEY.encode(), content.encode(), hashlib.sha256).hexdigest()


@transaction.atomic
def record(
    action: str,
    *,
    actor: Any = None,
    subject: models.Model | None = None,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> Event:
    """Append one event to the chain and return it.

    ``action`` reads ``app.subject.verb`` (``registry.person.reveal``). ``actor`` is a user, or
    ``None`` for the system itself. ``detail`` must hold no personal value. The event commits or
    rolls back with the write that it tells of.
    """
    head, _created = ChainHead.objects.select_for_update().get_or_create(id=1)
    known = actor is not None and getattr(actor, "is_authenticated", False)
    event = Event(
        sequence=head.sequence + 1,
        at=timezone.now(),
        actor_id=actor.pk if known else None,
        actor_name=str(actor) if known else SYSTEM,
        actor_role=actor.role if known else "",
        action=action,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        reason=reason,
        # Through JSON once, so that what is sealed is exactly what is stored.
        detail=json.loads(json.dumps(detail or {}, default=str)),
        address=client_address.get(),
        previous_seal=head.seal,
    )
    event.seal = seal_of(event)
    event.save(force_insert=True)
    head.sequence, head.seal = event.sequence, event.seal
    head.save(update_fields=["sequence", "seal"])
    for tell in listeners:
        tell(event)
    return event


def drop_anchor() -> dict[str, Any]:
    """Note the chain's newest link in a file outside the database, and return the note.

    Whoever later cuts off the end of the log, or rewrites it with the key, contradicts the note.
    Auditors keep copies of it elsewhere.
    """
    from guyub.audit.queries import anchors_path

    head, _created = ChainHead.objects.get_or_create(id=1)
    anchor = {
        "sequence": head.sequence,
        "seal": head.seal,
        "at": timezone.now().isoformat(timespec="seconds"),
    }
    with anchors_path().open("a") as file:
        file.write(json.dumps(anchor) + "\n")
    return anchor
