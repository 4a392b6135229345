"""Sending notices to partners: records of households that changed, as they are when the notice goes."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.connections import exchange_records as records
from guyub.connections import exchange_search, partners, watching
from guyub.connections.admission import principal_of
from guyub.connections.encryption import EncryptionError
from guyub.connections.exchange_messages import SUCCESS, is_secret, wrap
from guyub.connections.models import DeliveryState, Notice, TokenState, Watch
from guyub.connections.outgoing import UnreachableError, post
from guyub.connections.sealing import unseal
from guyub.connections.webhooks import wait_after

LEASE = dt.timedelta(minutes=2)
KEPT_FOR = dt.timedelta(days=90)


def _take_up(pk: int) -> Notice | None:
    now = timezone.now()
    with transaction.atomic():
        held = (
            Notice.objects.select_for_update(of=("self",))
            .select_related(
                "watch__partner", "watch__token__agency", "watch__token__account__agency"
            )
            .filter(pk=pk, state=DeliveryState.WAITING, next_at__lte=now)
            .first()
        )
        if held is not None:
            held.next_at, held.tries = now + LEASE, held.tries + 1
            held.save(update_fields=["next_at", "tries"])
    return held


def send(pk: int) -> DeliveryState | None:
    """Send a notice that is due. Returns where it stands then; ``None`` when it was not due."""
    held = _take_up(pk)
    if held is None:
        return None
    watch = held.watch
    if (
        not watch.is_running
        or not watch.partner.is_active
        or watch.token.state != TokenState.ACTIVE
    ):
        return _settle(held, DeliveryState.GIVEN_UP, _("Langganan, mitra, atau tokennya berakhir."))
    try:
        with transaction.atomic():
            message, held.told = _message(held)
            if not held.told:
                return _settle(
                    held, DeliveryState.DELIVERED, _("Tidak ada lagi yang boleh diberikan.")
                )
            answer = wrap(
                watch.partner, "notify", SUCCESS, message, len(message["notify_event"]),
                secret=is_secret(watch.partner), message_id=held.message_id,
            )  # fmt: skip
        content = json.dumps(answer, ensure_ascii=False).encode()
        status, _took = post(partners.address_for(watch.partner, "notify"), content, {})
    except (UnreachableError, EncryptionError) as failure:
        return _settle_try(held, 0, str(failure))
    return _settle_try(held, status, str(status))


def _message(held: Notice) -> tuple[dict[str, Any], int]:
    """Return the message of a notice and how many households it tells of; each is logged."""
    watch = held.watch
    user = principal_of(watch.token)
    events = {int(pk): event for pk, event in held.households.items()}
    homes = records.with_people(watching.in_scope(watch, events)).order_by("pk")
    in_full = records.may_be_full(watch.partner, user, watch.purpose, _code_of(watch))
    by_event: dict[str, list[dict[str, Any]]] = {}
    told = 0
    for home in homes:
        told += 1
        by_event.setdefault(events[home.pk], []).extend(
            records.hand_over(
                home, watch.entity, partner=watch.partner, user=user, in_full=in_full,
                purpose=watch.purpose, reference=watch.code,
            )
        )  # fmt: skip
    if told:
        audit.record(
            "connections.partner.notify", actor=user, subject=watch.partner, reason=watch.purpose,
            detail={"code": watch.code, "households": told, "in_full": in_full},
        )  # fmt: skip
    now = timezone.now().isoformat()
    return {
        "transaction_id": held.message_id,
        "notify_event": [
            {
                "reference_id": watch.reference_id,
                "timestamp": now,
                "subscription_code": watch.code,
                "reg_event_type": event,
                "data": records.data_of(watch.entity, made),
            }
            for event, made in sorted(by_event.items())
        ],
    }, told


def _code_of(watch: Watch) -> str:
    return exchange_search.read(json.loads(unseal(watch.criteria))).purpose_code


def _settle_try(held: Notice, status: int, said: str) -> DeliveryState:
    if 200 <= status < 300:
        return _settle(held, DeliveryState.DELIVERED, "")
    wait = wait_after(held.tries)
    if wait is None:
        return _settle(held, DeliveryState.GIVEN_UP, said)
    held.next_at, held.error = timezone.now() + wait, said[:250]
    held.save(update_fields=["next_at", "error"])
    return DeliveryState.WAITING


def _settle(held: Notice, state: DeliveryState, error: str) -> DeliveryState:
    held.state, held.error, held.next_at = state, error[:250], None
    held.sent_at = timezone.now() if state == DeliveryState.DELIVERED else None
    held.save(update_fields=["state", "error", "next_at", "sent_at", "told"])
    return state


@transaction.atomic
def send_again(notice: Notice, *, actor: Any) -> Notice:
    """Try once more, from the start, a notice that was given up.

    Raises:
        ValidationError: it is still being tried, was delivered, or its subscription has ended.
    """
    from guyub.connections.tasks import send_notice

    notice = Notice.objects.select_for_update().get(pk=notice.pk)
    if notice.state != DeliveryState.GIVEN_UP:
        raise ValidationError(_("Hanya pemberitahuan yang gagal yang dapat dikirim ulang."))
    if not notice.watch.is_running:
        raise ValidationError(_("Langganan ini sudah berakhir."))
    notice.state, notice.tries, notice.next_at = DeliveryState.WAITING, 0, timezone.now()
    notice.save(update_fields=["state", "tries", "next_at"])
    audit.record(
        "connections.partner.renotify", actor=actor, subject=notice.watch.partner,
        detail={"code": notice.watch.code, "households": len(notice.households)},
    )  # fmt: skip
    transaction.on_commit(lambda: send_notice.enqueue(notice.pk))
    return notice


def due(limit: int = 500) -> list[int]:
    """Return the notices whose next try is due, the longest waiting first."""
    rows = Notice.objects.filter(state=DeliveryState.WAITING, next_at__lte=timezone.now())
    return list(rows.order_by("next_at").values_list("pk", flat=True)[:limit])


def forget_old() -> int:
    """Drop notices whose time in the log is over; return how many."""
    rows = Notice.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    return rows.exclude(state=DeliveryState.WAITING).delete()[0]
