"""The social registry standard of the Digital Convergence Initiative (SPDCI), version 1.0.0.

Messages have a header and a message, signed by their sender and perhaps encrypted. A synchronous one is
answered at once; an asynchronous one is acknowledged and answered later, signed, at the partner's
registered address.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.connections import exchange_search, partners, watching
from guyub.connections.admission import principal_of
from guyub.connections.exchange_messages import (
    PENDING,
    REJECTED,
    SUCCESS,
    RefusedError,
    is_secret,
    is_short,
    open_message,
    wrap,
)
from guyub.connections.models import (
    ApiToken,
    Exchange,
    ExchangeKind,
    ExchangeState,
    Partner,
    TokenState,
)
from guyub.connections.outgoing import UnreachableError, post
from guyub.connections.sealing import seal, unseal

MOST_REQUESTS = 20
# Seconds until an answer that could not be delivered is tried again.
WAITS = (30, 120, 600, 1800, 7200)
LEASE = dt.timedelta(minutes=2)
# What the header of an answer says its message is.
ANSWERS = {
    ExchangeKind.SEARCH: "on-search",
    ExchangeKind.SUBSCRIBE: "on-subscribe",
    ExchangeKind.UNSUBSCRIBE: "on-unsubscribe",
    ExchangeKind.STATUS: "txn-on-status",
}
# Kinds of transactions whose state may be asked for; the standard misspells one of them.
TRANSACTIONS = {
    "search": ExchangeKind.SEARCH,
    "subscribe": ExchangeKind.SUBSCRIBE,
    "subscibe": ExchangeKind.SUBSCRIBE,
    "unsubscribe": ExchangeKind.UNSUBSCRIBE,
}


# Taking messages


def _register(
    body: Any, partner: Partner, token: ApiToken, state: ExchangeState, **values: Any
) -> Exchange:
    """Keep a message by its id, so that it is taken once.

    Raises:
        RefusedError: it is a repeat, or holds no transaction_id.
    """
    transaction_id = body["message"].get("transaction_id")
    if not is_short(transaction_id, 99):
        raise RefusedError("err.request.bad", "transaction_id is required")
    try:
        with transaction.atomic():
            return Exchange.objects.create(
                partner=partner,
                token=token,
                is_encrypted=bool(body["header"].get("is_msg_encrypted")),
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
    partner, body = open_message(body, "search", token)
    secret = is_secret(partner, body["header"])
    exchange = _register(body, partner, token, ExchangeState.DONE)
    status, message, count = _found(body, exchange)
    return wrap(partner, "on-search", status, message, count, secret=secret)


def status_now(body: Any, token: ApiToken) -> dict[str, Any]:
    """Tell how far earlier messages of the same partner are.

    Raises:
        RefusedError: the message is not taken.
    """
    partner, body = open_message(body, "txn-status", token)
    secret = is_secret(partner, body["header"])
    status, message, count = _status(body, partner)
    return wrap(partner, "txn-on-status", status, message, count, secret=secret)


def take(body: Any, token: ApiToken, kind: ExchangeKind) -> Exchange:
    """Take an asynchronous message; the worker answers it.

    Raises:
        RefusedError: the message is not taken, or its sender_uri is not the registered one's host.
    """
    from guyub.connections.tasks import answer_exchange

    action = "txn-status" if kind == ExchangeKind.STATUS else str(kind.value)
    partner, body = open_message(body, action, token)
    uri = body["header"].get("sender_uri") or partners.address_for(partner, ANSWERS[kind])
    if not partners.is_registered_host(uri, partner):
        raise RefusedError("err.sender_uri.invalid", "sender_uri is not the registered address")
    if body["header"].get("is_msg_encrypted"):
        is_secret(partner, body["header"])
    with transaction.atomic():
        exchange = _register(
            body,
            partner,
            token,
            ExchangeState.WAITING,
            kind=kind,
            is_async=True,
            request=seal(json.dumps({**body, "uri": uri})),
            next_at=timezone.now(),
        )
        if kind == ExchangeKind.SUBSCRIBE:
            exchange.results = watching.subscribe(body["message"], exchange)
        elif kind == ExchangeKind.UNSUBSCRIBE:
            exchange.results = watching.unsubscribe(body["message"], exchange)
        exchange.save(update_fields=["results"])
        transaction.on_commit(lambda: answer_exchange.enqueue(exchange.pk))
    return exchange


# Answering

Answer = tuple[str, dict[str, Any], int]


def _answer(body: Any, exchange: Exchange) -> Answer:
    """Return status, message and count of requests of the answer to an asynchronous message."""
    if exchange.kind == ExchangeKind.SEARCH:
        return _found(body, exchange)
    if exchange.kind == ExchangeKind.STATUS:
        return _status(body, exchange.partner)
    ids = {"transaction_id": exchange.transaction_id, "correlation_id": exchange.correlation_id}
    good = any(row["status"] == SUCCESS for row in exchange.results)
    status = SUCCESS if good else REJECTED
    if exchange.kind == ExchangeKind.SUBSCRIBE:
        answers = watching.subscribe_response(exchange)
        return status, {**ids, "subscribe_response": answers}, len(answers)
    message = {**ids, **watching.unsubscribe_response(exchange), "status": status}
    return status, message, len(exchange.results)


def _status(body: Any, partner: Partner) -> Answer:
    asked = body["message"].get("txnstatus_request")
    kind = TRANSACTIONS.get(str(asked.get("txn_type"))) if isinstance(asked, dict) else None
    if kind is None:
        raise RefusedError(
            "err.request.bad", "txnstatus_request of txn_type search, subscribe or unsubscribe"
        )
    found = _earlier(partner, kind, asked.get("attribute_type"), asked.get("attribute_value"))
    results = [
        {"reference_id": r["reference_id"], "timestamp": found.created_at.isoformat(),
         "status": r["status"], **({"status_reason_code": r["code"]} if r["code"] else {})}
        for r in found.results
    ] if found is not None else []  # fmt: skip
    status, reason = REJECTED, ""
    if found is not None and found.state == ExchangeState.WAITING:
        status, reason = PENDING, found.error and f"tried {found.tries} times: {found.error}"
    elif found is not None and found.state == ExchangeState.DONE:
        status = SUCCESS
    elif found is not None:
        reason = f"given up after {found.tries} tries: {found.error}"
    message = {
        "transaction_id": str(body["message"].get("transaction_id", ""))[:99],
        "correlation_id": found.correlation_id if found is not None else uuid.uuid4().hex,
        "txnstatus_response": {
            "txn_type": asked["txn_type"],
            "status": status,
            **({"status_reason_message": reason[:999]} if reason else {}),
            "txn_status": {
                "transaction_id": found.transaction_id if found is not None else "",
                "correlation_id": found.correlation_id if found is not None else "",
                f"{kind.value}_response": results,
            },
        },
    }
    return status, message, len(results)


def _earlier(partner: Partner, kind: ExchangeKind, by: Any, value: Any) -> Exchange | None:
    """Return the newest message of a partner that is asked for by one of the standard's attributes."""
    earlier = Exchange.objects.filter(partner=partner, kind=kind)
    if by == "transaction_id" and isinstance(value, str):
        return earlier.filter(transaction_id=value).first()
    if by == "correlation_id" and isinstance(value, str):
        return earlier.filter(correlation_id=value).first()
    if by == "reference_id_list" and isinstance(value, list):
        references = {str(one) for one in value}
        return next(
            (o for o in earlier[:200] if references & {r["reference_id"] for r in o.results}), None
        )
    raise RefusedError("err.request.bad", "attribute_type or attribute_value is not understood")


def _found(body: Any, exchange: Exchange) -> Answer:
    """Search for each request of a message and note how each went."""
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
    return SUCCESS if good else REJECTED, message, len(responses)


def answer_later(pk: int) -> ExchangeState | None:
    """Answer an asynchronous message that is due. Returns where it stands; ``None`` when it was not."""
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
        said_status, message, count = _answer(body, held)
        secret = is_secret(held.partner)
        answer = wrap(
            held.partner,
            ANSWERS[ExchangeKind(held.kind)],
            said_status,
            message,
            count,
            secret=secret,
        )
        status, _took = post(body["uri"], json.dumps(answer, ensure_ascii=False).encode(), {})
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
    """Return the asynchronous messages whose next try is due."""
    rows = Exchange.objects.filter(state=ExchangeState.WAITING, next_at__lte=timezone.now())
    return list(rows.order_by("next_at").values_list("pk", flat=True)[:limit])
