"""Other systems of the demo: two tokens, a partner that may search, and one that is told of events."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from django.utils import timezone

from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.connections import encryption, partners, services, webhooks
from guyub.connections.events import BY_ACTION, message_of
from guyub.connections.minimising import NAMES, NUMBERS, WELFARE
from guyub.connections.models import ApiToken, Attempt, Delivery, DeliveryState, TokenUse

# ``.invalid`` is nobody's, so that nothing of a demo ever reaches anybody.
RECEIVER = "https://sim-kesos.invalid/kabar-guyub"
EVENTS = ("dataset.renewed", "proposal.submitted", "proposal.decided")
MESSAGES = 8
# Days of use that a token shows, and calls on each of them, by operation.
DAYS = 14
CALLS = {"GET /api/v1/households": 46, "GET /api/v1/programs": 12, "GET /api/v1/areas": 5}


def make_connections(actors: dict[str, User], today: dt.date) -> None:
    """Connect two systems of agencies and one partner; all of them are invented."""
    secretary = actors["sekretariat"]
    agencies = Agency.objects.in_bulk(["dinsospermasdes", "dinperkim"], field_name="code")
    social, housing = agencies["dinsospermasdes"], agencies["dinperkim"]
    token = _token(
        social, "SIM Kesejahteraan Sosial", "Menampilkan desil keluarga di loket layanan",
        ["agencies:read", "registry:read", "programs:read"], 330, secretary,
    )  # fmt: skip
    _used(token, today)
    # Ends within the month, as its page says.
    _token(
        housing, "SIM Rumah Layak Huni", "Mengirim laporan kemajuan",
        ["programs:read", "reports:write"], 20, secretary,
    )  # fmt: skip
    partners.admit(
        name="Layanan Terpadu Kecamatan (contoh)", sender_id="layanan-terpadu.contoh",
        agency=social, keys=json.dumps(_public_key()),
        purpose="Memeriksa desil pemohon surat keterangan tidak mampu",
        shares=(NUMBERS, NAMES, WELFARE), areas=Area.objects.filter(code=actors["kecamatan"].area_code), actor=secretary,
    )  # fmt: skip
    _told(social, secretary)


def _token(
    agency: Agency, name: str, purpose: str, scopes: list[str], days: int, actor: User
) -> ApiToken:
    token, _key = services.make_token(
        agency=agency, name=name, purpose=purpose, scopes=scopes,
        expires_at=timezone.now() + dt.timedelta(days=days), actor=actor,
    )  # fmt: skip
    return token


def _used(token: ApiToken, today: dt.date) -> None:
    uses = [
        TokenUse(
            token=token, day=today - dt.timedelta(days=age), operation=operation,
            calls=calls + (7 * age) % 11, refused=age % 5 == 3, is_logged=True,
        )
        for age in range(1, DAYS + 1)
        for operation, calls in CALLS.items()
    ]  # fmt: skip
    TokenUse.objects.bulk_create(uses)
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now())


def _public_key() -> dict[str, Any]:
    """Return a key that a partner signs with; its private half is kept nowhere."""
    made = encryption.new_key()
    return {name: made[name] for name in ("kty", "crv", "x", "y", "kid")} | {"alg": "ES256"}


def _told(agency: Agency, actor: User) -> None:
    """Subscribe, show what the log looks like after some weeks, and pause: nothing is sent from here."""
    subscription, _secret = webhooks.subscribe(
        agency=agency, url=RECEIVER, events=EVENTS, actor=actor
    )
    actions = [action for action, name in BY_ACTION.items() if name in EVENTS]
    events = Event.objects.filter(action__in=actions).order_by("-sequence")[:MESSAGES]
    for number, event in enumerate(events):
        failed = number == 2
        made = Delivery.objects.create(
            subscription=subscription, message_id=f"msg_{uuid.uuid4().hex}",
            event=BY_ACTION[event.action],
            body=json.dumps(message_of(event), ensure_ascii=False, separators=(",", ":")),
            state=DeliveryState.GIVEN_UP if failed else DeliveryState.DELIVERED,
            tries=len(webhooks.WAITS) + 1 if failed else 1,
            next_at=event.at, delivered_at=None if failed else event.at,
        )  # fmt: skip
        Delivery.objects.filter(pk=made.pk).update(created_at=event.at)
        Attempt.objects.create(
            delivery=made, status=503 if failed else 204, milliseconds=180 + 31 * number
        )
    webhooks.set_active(subscription, False, actor=actor)
