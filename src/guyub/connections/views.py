"""Pages of tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import public, requires
from guyub.connections import queries, reference, services
from guyub.connections.forms import ReasonForm, TokenForm
from guyub.connections.models import ApiToken, TokenState
from guyub.connections.openapi import make_api
from guyub.connections.scopes import SCOPES
from guyub.ui.answers import refused, show_errors
from guyub.ui.paging import page_of


def _token(pk: int) -> ApiToken:
    return get_object_or_404(ApiToken.objects.select_related("agency", "created_by"), pk=pk)


@requires("connections.manage")
def list_page(request: HttpRequest) -> HttpResponse:
    """Tokens by ``?keadaan=`` (berlaku, berakhir, semua) and ``?perangkat=``."""
    state = request.GET.get("keadaan", "berlaku")
    state = state if state in queries.STATES else "berlaku"
    agency = request.GET.get("perangkat", "")[:40]
    agencies = list(queries.agencies_for(request.user))
    context = {
        "page": page_of(request, queries.tokens(request.user, state, agency)),
        "state": state,
        "agency": agency,
        "agencies": agencies if len(agencies) > 1 else [],
    }
    return render(request, "connections/tokens.html", context)


@requires("connections.manage")
def create(request: HttpRequest) -> HttpResponse:
    """Make a token; its key shows on the answer and nowhere else."""
    user: Any = request.user
    form = TokenForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, key = services.make_token(**form.values(), actor=user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            return render(request, "connections/made.html", {"token": token, "key": key})
    return render(request, "connections/token_form.html", {"form": form})


@requires("connections.manage", load=_token)
def detail(request: HttpRequest, token: ApiToken) -> HttpResponse:
    return _detail(request, token, ReasonForm())


def _detail(request: HttpRequest, token: ApiToken, form: ReasonForm) -> HttpResponse:
    context = {
        "token": token,
        "scopes": [(name, SCOPES[name].label) for name in token.scopes if name in SCOPES],
        "uses": queries.uses(token),
        "is_over": token.state == TokenState.REVOKED,
        "form": form,
    }
    return render(request, "connections/token.html", context)


@requires("connections.manage", load=_token)
def revoke(request: HttpRequest, token: ApiToken) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.revoke_token(token, reason=form.cleaned_data["reason"], actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Token dicabut. Sistem itu tidak bisa memanggil lagi."))
            return redirect("connections:token", pk=token.pk)
    return _detail(request, token, form)


@requires("connections.manage", load=_token)
@require_POST
def renew(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """Change the key; the new one shows on the answer and nowhere else."""
    at_once = request.POST.get("segera") == "1"
    try:
        key = services.renew_key(token, at_once=at_once, actor=request.user)
    except ValidationError as error:
        refused(request, error)
        return redirect("connections:token", pk=token.pk)
    token.refresh_from_db()
    context = {"token": token, "key": key, "is_renewed": True}
    return render(request, "connections/made.html", context)


@public
def reference_page(request: HttpRequest) -> HttpResponse:
    """What the API offers; as open as its description, which holds no data."""
    schema = make_api().get_openapi_schema()
    context = {
        "about": reference.paragraphs(schema["info"]["description"]),
        "tags": reference.sections(schema),
    }
    return render(request, "connections/reference.html", context)
