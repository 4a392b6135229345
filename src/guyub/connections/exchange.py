"""The social registry standard of the Digital Convergence Initiative (SPDCI), version 1.0.0.

Messages have a header and a message, signed by their sender. A synchronous search is answered at once;
an asynchronous one is acknowledged and answered later, signed, at the partner's registered address.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.connections import exchange_search
from guyub.connections.admission import principal_of
from guyub.connections.models import ApiToken, Exchange, ExchangeState, Partner, TokenState
from guyub.connections.outgoing import UnreachableError, post, read_target
from guyub.connections.sealing import seal, unseal
from guyub.connections.signatures import SignatureError, own_keys, read_keys, sign, verify

VERSION = "1.0.0"
# How far a message's clock may be off, and so how old a replay may be.
CLOCK = dt.timedelta(minutes=10)
MOST_REQUESTS = 20
# Seconds until an answer that could not be delivered is tried again.
WAITS = (30, 120, 600, 1800, 7200)
LEASE = dt.timedelta(minutes=2)
SUCCESS, REJECTED, PENDING = "succ", "rjct", "pdng"


class RefusedError(Exception):
    """The message is not taken; ``code`` is one of the standard's errors."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# Partners


@transaction.atomic
def admit_partner(
    *, name: str, sender_id: str, agency: Agency, keys: str, callback: str = "", actor: Any
) -> Partner:
    """Register a system that may search, with its public keys (a JWK or a JWK set).

    Raises:
        ValidationError: a field is wrong, or the sender_id is taken.
    """
    try:
        known = read_keys(keys)
    except ValueError as error:
        raise ValidationError(
            {"keys": _("Tempel kunci publik berbentuk JWK atau JWKS; bukan kunci pribadi.")}
        ) from error
    if callback.strip():
        try:
            read_target(callback)
        except ValidationError as error:
            raise ValidationError({"callback": error.messages}) from error
    partner = Partner(
        name=" ".join(name.split()), sender_id=sender_id.strip(), agency=agency, keys=known,
        callback=callback.strip(), created_by=actor,
    )  # fmt: skip
    partner.full_clean(exclude=["created_by"])
    partner.save()
    audit.record(
        "connections.partner.admit", actor=actor, subject=partner, detail={"agency": agency.code}
    )
    return partner


@transaction.atomic
def set_partner_active(partner: Partner, active: bool, *, actor: Any) -> Partner:
    """Shut a partner out, or let it in again."""
    partner.is_active = active
    partner.save(update_fields=["is_active"])
    verb = "readmit" if active else "exclude"
    audit.record(f"connections.partner.{verb}", actor=actor, subject=partner)
    return partner


# Taking messages


def open_message(body: Any, action: str, token: ApiToken) -> Partner:
    """Check a message's form, sender, time and signature; return its partner.

    Raises:
        RefusedError: something about it is wrong.
    """
    header = body.get("header") if isinstance(body, dict) else None
    if not isinstance(header, dict) or not isinstance(body.get("message"), dict):
        raise RefusedError("err.request.bad", "header and message are required")
    if header.get("action") != action:
        raise RefusedError("err.request.bad", f"action must be {action}")
    if header.get("is_msg_encrypted"):
        raise RefusedError("err.encryption.invalid", "encrypted messages are not taken")
    if header.get("version", VERSION) != VERSION:
        raise RefusedError("err.version.not_supported", f"version must be {VERSION}")
    if not _short(header.get("message_id"), 120) or not _short(header.get("sender_id"), 120):
        raise RefusedError("err.request.bad", "message_id and sender_id are required")
    partner = Partner.objects.filter(sender_id=header["sender_id"], is_active=True).first()
    if partner is None or partner.agency_id != token.agency_id:
        raise RefusedError("err.sender_id.invalid", "this sender is not registered for the token")
    if not body.get("signature"):
        raise RefusedError("err.signature.missing", "signature is required")
    try:
        verify(body["signature"], header, body["message"], partner.keys)
    except SignatureError as error:
        raise RefusedError("err.signature.invalid", "the signature does not fit") from error
    try:
        sent = parse_datetime(str(header.get("message_ts", "")))
    except ValueError:
        sent = None
    if sent is None or sent.tzinfo is None or abs(timezone.now() - sent) > CLOCK:
        raise RefusedError("err.request.bad", "message_ts must be the present time with its zone")
    return partner


def _short(text: Any, most: int) -> bool:
    return isinstance(text, str) and 0 < len(text) <= most


def _register(
    body: Any, partner: Partner, token: ApiToken, state: ExchangeState, **values: Any
) -> Exchange:
    """Keep a message by its id, so that it is taken once.

    Raises:
        RefusedError: it is a repeat, or holds no transaction_id.
    """
    transaction_id = body["message"].get("transaction_id")
    if not _short(transaction_id, 99):
        raise RefusedError("err.request.bad", "transaction_id is required")
    try:
        with transaction.atomic():
            return Exchange.objects.create(
                partner=partner,
                token=token,
                message_id=body["header"]["message_id"],
                transaction_id=transaction_id,
                correlation_id=uuid.uuid4().hex,
                state=state,
                **values,
            )
    except IntegrityError as error:
        raise RefusedError("err.request.bad", "this message_id was used before") from error


def search_now(body: Any, token: ApiToken) -> dict[str, Any]:
    """Answer a synchronous search.

    Raises:
        RefusedError: the message is not taken.
    """
    partner = open_message(body, "search", token)
    exchange = _register(body, partner, token, ExchangeState.DONE)
    return _answered(body, exchange)


def search_later(body: Any, token: ApiToken) -> Exchange:
    """Take an asynchronous search; the worker answers it.

    Raises:
        RefusedError: the message is not taken, or its sender_uri is not the registered one's host.
    """
    from guyub.connections.tasks import answer_exchange

    partner = open_message(body, "search", token)
    uri = body["header"].get("sender_uri") or partner.callback
    if not partner.callback or not isinstance(uri, str) or not _same_host(uri, partner.callback):
        raise RefusedError("err.sender_uri.invalid", "sender_uri is not the registered address")
    with transaction.atomic():
        exchange = _register(
            body,
            partner,
            token,
            ExchangeState.WAITING,
            is_async=True,
            request=seal(json.dumps({**body, "uri": uri})),
            next_at=timezone.now(),
        )
        transaction.on_commit(lambda: answer_exchange.enqueue(exchange.pk))
    return exchange


def _same_host(one: str, other: str) -> bool:
    try:
        first, second = urlsplit(one), urlsplit(other)
        return (first.scheme, first.hostname, first.port) == (
            second.scheme,
            second.hostname,
            second.port,
        )
    except ValueError:
        return False


def status_now(body: Any, token: ApiToken) -> dict[str, Any]:
    """Tell how far earlier searches of the same partner are.

    Raises:
        RefusedError: the message is not taken.
    """
    partner = open_message(body, "txn-status", token)
    asked = body["message"].get("txnstatus_request")
    if not isinstance(asked, dict) or asked.get("txn_type") != "search":
        raise RefusedError("err.request.bad", "txnstatus_request of txn_type search is required")
    kind, value = asked.get("attribute_type"), asked.get("attribute_value")
    earlier = Exchange.objects.filter(partner=partner)
    if kind == "transaction_id" and isinstance(value, str):
        found = list(earlier.filter(transaction_id=value)[:1])
    elif kind == "correlation_id" and isinstance(value, str):
        found = list(earlier.filter(correlation_id=value)[:1])
    elif kind == "reference_id_list" and isinstance(value, list):
        references = {str(one) for one in value}
        found = [
            one for one in earlier[:200] if references & {r["reference_id"] for r in one.results}
        ][:1]
    else:
        raise RefusedError("err.request.bad", "attribute_type or attribute_value is not understood")
    results = [
        {"reference_id": r["reference_id"], "timestamp": one.created_at.isoformat(),
         "status": r["status"], **({"status_reason_code": r["code"]} if r["code"] else {})}
        for one in found for r in one.results
    ]  # fmt: skip
    if found and found[0].state == ExchangeState.WAITING:
        status = PENDING
    else:
        status = SUCCESS if found else REJECTED
    message = {
        "transaction_id": str(body["message"].get("transaction_id", ""))[:99],
        "correlation_id": found[0].correlation_id if found else uuid.uuid4().hex,
        "txnstatus_response": {
            "txn_type": "search",
            "txn_status": {
                "transaction_id": found[0].transaction_id if found else "",
                "correlation_id": found[0].correlation_id if found else "",
                "search_response": results,
            },
        },
    }
    return _sealed_message(body, "txn-on-status", status, message, len(results))


# Answering


def _answered(body: Any, exchange: Exchange) -> dict[str, Any]:
    """Search for each request of a message, note how each went, and return the signed answer."""
    user = principal_of(exchange.token)
    requests = body["message"].get("search_request")
    if not isinstance(requests, list) or not 0 < len(requests) <= MOST_REQUESTS:
        raise RefusedError("err.request.bad", f"search_request holds 1 to {MOST_REQUESTS} requests")
    responses: list[dict[str, Any]] = []
    results = []
    for one in requests:
        one = one if isinstance(one, dict) else {}
        reference = str(one.get("reference_id") or "")[:99]
        response: dict[str, Any] = {
            "reference_id": reference, "timestamp": timezone.now().isoformat(), "status": SUCCESS,
        }  # fmt: skip
        code = ""
        try:
            if not reference:
                raise exchange_search.RejectedError(
                    "rjct.reference_id.invalid", "reference_id is required"
                )
            response |= exchange_search.answer(
                one.get("search_criteria"),
                partner=exchange.partner,
                user=user,
                reference=reference,
            )
        except exchange_search.RejectedError as error:
            code = error.code
            response |= {
                "status": REJECTED,
                "status_reason_code": code,
                "status_reason_message": str(error)[:999],
            }
        responses.append(response)
        results.append({"reference_id": reference, "status": response["status"], "code": code})
    exchange.results = results
    exchange.save(update_fields=["results"])
    message = {
        "transaction_id": exchange.transaction_id,
        "correlation_id": exchange.correlation_id,
        "search_response": responses,
    }
    good = any(response["status"] == SUCCESS for response in responses)
    return _sealed_message(
        body, "on-search", SUCCESS if good else REJECTED, message, len(responses)
    )


def _sealed_message(
    body: Any, action: str, status: str, message: dict[str, Any], count: int
) -> dict[str, Any]:
    """Wrap an answer into its header and sign it."""
    header = {
        "version": VERSION,
        "message_id": uuid.uuid4().hex,
        "message_ts": timezone.now().isoformat(),
        "action": action,
        "status": status,
        "total_count": count,
        "completed_count": count,
        "sender_id": urlsplit(settings.SITE_URL).netloc,
        "receiver_id": body["header"]["sender_id"],
        "is_msg_encrypted": False,
    }
    # As it travels, so that what is signed is what is read.
    message = json.loads(json.dumps(message))
    return {
        "signature": sign(header, message, own_keys()[0]),
        "header": header,
        "message": message,
    }


def answer_later(pk: int) -> ExchangeState | None:
    """Answer an asynchronous search that is due. Returns where it stands; ``None`` when it was not."""
    now = timezone.now()
    with transaction.atomic():
        held = (
            Exchange.objects.select_for_update(of=("self",))
            .select_related("partner", "token__agency", "token__account__agency")
            .filter(pk=pk, state=ExchangeState.WAITING, next_at__lte=now)
            .first()
        )
        if held is None:
            return None
        held.next_at, held.tries = now + LEASE, held.tries + 1
        held.save(update_fields=["next_at", "tries"])
    if not held.partner.is_active or held.token.state != TokenState.ACTIVE:
        return _settle(held, ExchangeState.GIVEN_UP, _("Mitra atau tokennya tidak berlaku lagi."))
    body = json.loads(unseal(held.request))
    try:
        content = json.dumps(_answered(body, held), ensure_ascii=False).encode()
        status, _took = post(body["uri"], content, {})
    except RefusedError as error:
        return _settle(held, ExchangeState.GIVEN_UP, str(error))
    except UnreachableError as error:
        status, said = 0, str(error)
    else:
        said = str(status)
    if 200 <= status < 300:
        return _settle(held, ExchangeState.DONE, "")
    if held.tries > len(WAITS):
        return _settle(held, ExchangeState.GIVEN_UP, said)
    held.next_at = timezone.now() + dt.timedelta(seconds=WAITS[held.tries - 1])
    held.error = said[:250]
    held.save(update_fields=["next_at", "error"])
    return ExchangeState.WAITING


def _settle(held: Exchange, state: ExchangeState, error: str) -> ExchangeState:
    """End an exchange; what was asked is forgotten with it."""
    held.state, held.error, held.request, held.next_at = state, error[:250], "", None
    held.save(update_fields=["state", "error", "request", "next_at"])
    return state


def due(limit: int = 200) -> list[int]:
    """Return the asynchronous searches whose next try is due."""
    rows = Exchange.objects.filter(state=ExchangeState.WAITING, next_at__lte=timezone.now())
    return list(rows.order_by("next_at").values_list("pk", flat=True)[:limit])
