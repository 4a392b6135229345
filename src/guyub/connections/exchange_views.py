"""The addresses of the social registry standard, and our published keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from guyub.access import wall
from guyub.access.guards import public
from guyub.access.permissions import can
from guyub.connections import exchange
from guyub.connections.exchange_messages import RefusedError
from guyub.connections.models import ExchangeKind
from guyub.connections.signatures import published_keys


def _failed(status: int, code: str, message: str) -> JsonResponse:
    """An error of the transport, in the standard's form."""
    return JsonResponse({"errors": [{"code": code, "message": message}]}, status=status)


def _answering(
    request: HttpRequest, answer: Callable[[Any, Any], dict[str, Any]], status: int = 200
) -> JsonResponse:
    """Take a message in, from a token that may read the registry, and answer it."""
    token = getattr(request, "api_token", None)
    if token is None:
        refusal = _failed(401, "err.request.unauthorized", "a bearer token is required")
        refusal.headers["WWW-Authenticate"] = 'Bearer realm="Guyub"'
        return refusal
    if not can(request.user, "registry.view"):
        return _failed(403, "err.request.forbidden", "the token lacks the scope registry:read")
    # Agencies' tokens reach the whole regency; what a partner is given is narrowed from there.
    wall.apply(wall.ALL)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return _failed(400, "err.request.bad", "the body is not JSON")
    try:
        return JsonResponse(answer(body, token), status=status)
    except RefusedError as error:
        refused = 401 if error.code.startswith(("err.signature", "err.sender_id")) else 400
        return _failed(refused, error.code, str(error))


# Opened by a token and a signature, not by a session; hence public to the guard and exempt of CSRF.


@csrf_exempt
@public
@require_POST
def sync_search(request: HttpRequest) -> HttpResponse:
    return _answering(request, exchange.search_now)


def _acknowledging(request: HttpRequest, kind: ExchangeKind) -> HttpResponse:
    """Acknowledge a message that is answered later."""

    def take(body: Any, token: Any) -> dict[str, Any]:
        kept = exchange.take(body, token, kind)
        return {
            "message": {
                "ack_status": "ACK",
                "timestamp": timezone.now().isoformat(),
                "correlation_id": kept.correlation_id,
            }
        }

    return _answering(request, take, status=202)


@csrf_exempt
@public
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    return _acknowledging(request, ExchangeKind.SEARCH)


@csrf_exempt
@public
@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    return _acknowledging(request, ExchangeKind.SUBSCRIBE)


@csrf_exempt
@public
@require_POST
def unsubscribe(request: HttpRequest) -> HttpResponse:
    return _acknowledging(request, ExchangeKind.UNSUBSCRIBE)


@csrf_exempt
@public
@require_POST
def status(request: HttpRequest) -> HttpResponse:
    return _acknowledging(request, ExchangeKind.STATUS)


@csrf_exempt
@public
@require_POST
def sync_status(request: HttpRequest) -> HttpResponse:
    return _answering(request, exchange.status_now)


@public
@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    """The keys that our answers are signed with, as a JWK set."""
    response = JsonResponse(published_keys(), content_type="application/jwk-set+json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
