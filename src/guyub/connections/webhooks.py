"""Telling other systems: who wants to hear what, the outbox, and sending with retries.

Messages follow Standard Webhooks (standardwebhooks.com): headers ``webhook-id``,
``webhook-timestamp`` and ``webhook-signature`` (``v1,`` and a base64 HMAC-SHA256 of id, timestamp and
body joined by dots).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import random
import secrets
import uuid
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.audit.models import Event
from guyub.connections.events import BY_ACTION, KINDS, PING, message_of
from guyub.connections.models import Attempt, Delivery, DeliveryState, Subscription
from guyub.connections.outgoing import UnreachableError, post, read_target
from guyub.connections.sealing import seal, unseal

SECRET_MARK = "whsec_"  # noqa: S105
# Seconds until the next try after the first, second ... failed one: about three days in all.
WAITS = (30, 120, 600, 1800, 7200, 18_000, 43_200, 86_400, 86_400)
# Waits vary by this share, so that receivers that were down are not all called at once.
JITTER = 0.2
# Whoever took a message up is given this long before another may.
LEASE = dt.timedelta(minutes=2)
KEPT_FOR = dt.timedelta(days=90)
GONE = 410


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature that Standard Webhooks asks for; ``secret`` begins with ``whsec_``."""
    key = base64.b64decode(secret.removeprefix(SECRET_MARK))
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def _new_secret() -> str:
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(32)).decode()


@transaction.atomic
def subscribe(
    *, agency: Agency, url: str, events: Iterable[str], actor: Any
) -> tuple[Subscription, str]:
    """Have an agency's system told of ``events``; return the subscription and its secret.

    Raises:
        ValidationError: the address may not be sent to, or no event is chosen.
    """
    read_target(url)
    wanted = [name for name in KINDS if name in set(events)]
    if not wanted:
        raise ValidationError({"events": _("Pilih paling sedikit satu kejadian.")})
    secret = _new_secret()
    made = Subscription(
        agency=agency, url=url.strip(), events=wanted, secret=seal(secret), created_by=actor
    )
    made.full_clean(exclude=["created_by"])
    made.save()
    audit.record(
        "connections.webhook.create",
        actor=actor,
        subject=made,
        detail={"agency": agency.code, "events": wanted},
    )
    return made, secret


@transaction.atomic
def renew_secret(subscription: Subscription, *, actor: Any) -> str:
    """Give a subscription another secret and return it; the former one signs nothing any more."""
    secret = _new_secret()
    subscription.secret = seal(secret)
    subscription.save(update_fields=["secret"])
    audit.record("connections.webhook.renew", actor=actor, subject=subscription)
    return secret


@transaction.atomic
def set_active(subscription: Subscription, active: bool, *, actor: Any) -> Subscription:
    """Pause a subscription, or take it up again. While it is paused nothing is kept for it."""
    subscription.is_active = active
    subscription.save(update_fields=["is_active"])
    verb = "resume" if active else "pause"
    audit.record(f"connections.webhook.{verb}", actor=actor, subject=subscription)
    return subscription


# The outbox


def keep(event: Event) -> None:
    """Put a message for each subscriber of ``event`` into the outbox, within its transaction."""
    name = BY_ACTION.get(event.action)
    if name is None:
        return
    wanting = [
        subscription
        for subscription in Subscription.objects.filter(is_active=True)
        if name in subscription.events
    ]
    if wanting:
        message = message_of(event)
        for subscription in wanting:
            _put(subscription, name, message)


def _put(subscription: Subscription, name: str, message: dict[str, Any]) -> Delivery:
    from guyub.connections.tasks import send_message

    made = Delivery.objects.create(
        subscription=subscription,
        message_id=f"msg_{uuid.uuid4().hex}",
        event=name,
        body=json.dumps(message, ensure_ascii=False, separators=(",", ":")),
        next_at=timezone.now(),
    )
    transaction.on_commit(lambda: send_message.enqueue(made.pk))
    return made


@transaction.atomic
def ping(subscription: Subscription, *, actor: Any) -> Delivery:
    """Send a message that tells nothing, to try the receiver out."""
    audit.record("connections.webhook.ping", actor=actor, subject=subscription)
    message = {"type": PING, "timestamp": timezone.now().isoformat(), "data": {}}
    return _put(subscription, PING, message)


@transaction.atomic
def send_again(delivery: Delivery, *, actor: Any) -> Delivery:
    """Try once more, from the start, what was given up or delivered.

    Raises:
        ValidationError: it is still being tried, or its subscription is paused.
    """
    from guyub.connections.tasks import send_message

    delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if delivery.state == DeliveryState.WAITING:
        raise ValidationError(_("Kiriman ini masih dicoba."))
    if not delivery.subscription.is_active:
        raise ValidationError(_("Langganan ini dijeda. Lanjutkan dahulu."))
    delivery.state, delivery.tries, delivery.next_at = DeliveryState.WAITING, 0, timezone.now()
    delivery.save(update_fields=["state", "tries", "next_at"])
    audit.record("connections.webhook.resend", actor=actor, subject=delivery.subscription)
    transaction.on_commit(lambda: send_message.enqueue(delivery.pk))
    return delivery


# Sending


def wait_after(tries: int) -> dt.timedelta | None:
    """Return how long to wait after ``tries`` failed ones; ``None`` when it is given up."""
    if tries > len(WAITS):
        return None
    return dt.timedelta(seconds=WAITS[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311


def _take_up(pk: int) -> Delivery | None:
    """Return a message that is due and hold it for :data:`LEASE`; ``None`` when it is not to be sent."""
    now = timezone.now()
    with transaction.atomic():
        held = (
            Delivery.objects.select_for_update(of=("self",))
            .select_related("subscription")
            .filter(pk=pk, state=DeliveryState.WAITING, next_at__lte=now)
            .first()
        )
        if held is None:
            return None
        if not held.subscription.is_active:
            held.state = DeliveryState.GIVEN_UP
            held.save(update_fields=["state"])
            return None
        held.next_at, held.tries = now + LEASE, held.tries + 1
        held.save(update_fields=["next_at", "tries"])
    return held


def send(pk: int) -> DeliveryState | None:
    """Send a message that is due. Returns where it stands then; ``None`` when it was not due."""
    delivery = _take_up(pk)
    if delivery is None:
        return None
    body = delivery.body.encode()
    timestamp = int(timezone.now().timestamp())
    secret = unseal(delivery.subscription.secret)
    headers = {
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, delivery.message_id, timestamp, body),
    }
    status, took, error = 0, 0, ""
    try:
        status, took = post(delivery.subscription.url, body, headers)
    except UnreachableError as failure:
        error = str(failure)
    return _settle(delivery, status, took, error)


@transaction.atomic
def _settle(delivery: Delivery, status: int, took: int, error: str) -> DeliveryState:
    """Write down how a try went, and when the next is."""
    now = timezone.now()
    Attempt.objects.create(
        delivery=delivery, status=status or None, error=error[:250], milliseconds=took
    )
    if 200 <= status < 300:
        delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, now
    else:
        wait = None if status == GONE else wait_after(delivery.tries)
        if wait is None:
            delivery.state = DeliveryState.GIVEN_UP
        else:
            delivery.next_at = now + wait
    delivery.save(update_fields=["state", "delivered_at", "next_at"])
    if status == GONE:
        # The receiver says that it wants no more.
        Subscription.objects.filter(pk=delivery.subscription_id).update(is_active=False)
        audit.record("connections.webhook.pause", subject=delivery.subscription, reason="410 Gone")
    return DeliveryState(delivery.state)


def due(limit: int = 500) -> list[int]:
    """Return the messages whose next try is due, the longest waiting first."""
    rows = Delivery.objects.filter(state=DeliveryState.WAITING, next_at__lte=timezone.now())
    return list(rows.order_by("next_at").values_list("pk", flat=True)[:limit])


def forget_old() -> int:
    """Drop messages whose time in the log is over; return how many."""
    rows = Delivery.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    return rows.exclude(state=DeliveryState.WAITING).delete()[1].get("connections.Delivery", 0)
