"""The addresses of the social registry standard, our published keys, and the pages of partners."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from guyub.access.guards import public, requires
from guyub.access.permissions import can
from guyub.connections import exchange
from guyub.connections.forms import PartnerForm
from guyub.connections.models import Partner
from guyub.connections.signatures import published_keys
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of


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
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return _failed(400, "err.request.bad", "the body is not JSON")
    try:
        return JsonResponse(answer(body, token), status=status)
    except exchange.RefusedError as error:
        refused = 401 if error.code.startswith(("err.signature", "err.sender_id")) else 400
        return _failed(refused, error.code, str(error))


# Opened by a token and a signature, not by a session; hence public to the guard and exempt of CSRF.


@csrf_exempt
@public
@require_POST
def sync_search(request: HttpRequest) -> HttpResponse:
    return _answering(request, exchange.search_now)


@csrf_exempt
@public
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Acknowledge a search that is answered later."""

    def take(body: Any, token: Any) -> dict[str, Any]:
        kept = exchange.search_later(body, token)
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
def sync_status(request: HttpRequest) -> HttpResponse:
    return _answering(request, exchange.status_now)


@public
@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    """The keys that our answers are signed with, as a JWK set."""
    response = JsonResponse(published_keys(), content_type="application/jwk-set+json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


# Pages of partners


def _partner(pk: int) -> Partner:
    return get_object_or_404(Partner.objects.select_related("agency"), pk=pk)


@requires("connections.admit")
def list_page(request: HttpRequest) -> HttpResponse:
    rows = Partner.objects.select_related("agency").order_by("name", "pk")
    return render(request, "connections/partners.html", {"page": page_of(request, rows)})


@requires("connections.admit")
def create(request: HttpRequest) -> HttpResponse:
    form = PartnerForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = exchange.admit_partner(**form.cleaned_data, actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Mitra terdaftar. Buatkan tokennya di halaman Token."))
            return redirect("connections:partner", pk=made.pk)
    return render(request, "connections/partner_form.html", {"form": form})


@requires("connections.admit", load=_partner)
def detail(request: HttpRequest, partner: Partner) -> HttpResponse:
    context = {
        "partner": partner,
        "page": page_of(request, partner.exchanges.all()),
        "key_ids": [key.get("kid") or key["kty"] for key in partner.keys],
    }
    return render(request, "connections/partner.html", context)


@requires("connections.admit", load=_partner)
@require_POST
def switch(request: HttpRequest, partner: Partner) -> HttpResponse:
    """Shut out, or let in again: the page says which of the two was meant."""
    active = request.POST.get("aktif") == "1"
    exchange.set_partner_active(partner, active, actor=request.user)
    messages.success(request, _("Mitra diterima lagi.") if active else _("Mitra ditutup."))
    return redirect("connections:partner", pk=partner.pk)
