"""Pages of data requests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.datasets import columns
from guyub.datasets.models import Dataset
from guyub.sharing import queries, services
from guyub.sharing.forms import AskForm, GrantForm, RefuseForm, RevokeForm
from guyub.sharing.models import DataRequest, OwnRequest, RequestState
from guyub.ui.answers import refused, tried
from guyub.ui.paging import page_of

RELATED = (
    "dataset__owner",
    "dataset__current_version",
    "agency",
    "area",
    "asked_by",
    "answered_by",
)


def _request(pk: int) -> DataRequest:
    return get_object_or_404(DataRequest.objects.select_related(*RELATED), pk=pk)


def _own_request(pk: int) -> OwnRequest:
    return get_object_or_404(OwnRequest.objects.select_related(*RELATED), pk=pk)


@requires("sharing.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Requests by ``?arah=`` (masuk, keluar, semua) and ``?keadaan=``, and how fast owners answer."""
    user: Any = request.user
    side = request.GET.get("arah", "")
    if side not in queries.SIDES:
        side = "masuk" if user.agency_id is not None else "semua"
    state = request.GET.get("keadaan", "")
    state = state if state in RequestState.values else ""
    context = {
        "page": page_of(request, queries.requests(user, side, state)),
        "side": side,
        "state": state,
        "states": RequestState.choices,
        "has_agency": user.agency_id is not None,
        "waiting": queries.waiting(user),
        "responses": queries.responses(),
        "may_ask": can(user, "sharing.ask") and user.agency_id is not None,
    }
    return render(request, "sharing/list.html", context)


@requires("sharing.ask")
def ask(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    if user.agency_id is None:
        raise PermissionDenied("sharing.ask")
    chosen = Dataset.objects.filter(code=request.GET.get("dataset", "")).first()
    form = AskForm(user, request.POST or None, initial={"dataset": chosen})
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        dataset = values.pop("dataset")
        try:
            made = services.ask(dataset, actor=user, values=values)
        except ValidationError as error:
            refused(request, error, form)
        else:
            messages.success(request, _("Permintaan terkirim kepada pemilik data."))
            return redirect("sharing:detail", pk=made.pk)
    return render(request, "sharing/ask.html", {"form": form})


@requires("sharing.view", load=_request)
def detail(request: HttpRequest, asked: DataRequest) -> HttpResponse:
    return _detail(request, asked)


def _detail(request: HttpRequest, asked: DataRequest, **forms: Any) -> HttpResponse:
    user: Any = request.user
    is_open = asked.state == RequestState.OPEN
    held = getattr(asked, "grant", None)
    own = OwnRequest(pk=asked.pk, agency_id=asked.agency_id)
    context = {
        "asked": asked,
        "asked_columns": [columns.label_of(name) for name in asked.columns],
        "grant": held,
        "granted_columns": [columns.label_of(name) for name in held.columns] if held else [],
        "handovers": list(held.handovers.select_related("version", "taken_by")[:20])
        if held
        else [],
        "may_answer": is_open and can(user, "sharing.answer", asked),
        "may_withdraw": is_open and can(user, "sharing.withdraw", own),
        "may_take": held is not None and held.is_active and can(user, "sharing.take", own),
        "may_revoke": held is not None and held.is_active and can(user, "sharing.answer", asked),
        "grant_form": GrantForm(asked),
        "refuse_form": RefuseForm(),
        "revoke_form": RevokeForm(),
        **forms,
    }
    return render(request, "sharing/detail.html", context)


@requires("sharing.answer", load=_request)
@require_POST
def grant(request: HttpRequest, asked: DataRequest) -> HttpResponse:
    form = GrantForm(asked, request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            services.grant(
                asked,
                actor=request.user,
                chosen=given["columns"],
                area=given["area"],
                with_numbers=given.get("with_numbers", False),
                ends_on=given["ends_on"],
                note=given["note"],
            )
        except ValidationError as error:
            refused(request, error, form)
        else:
            messages.success(request, _("Data diberikan. Pemintanya dapat mengambilnya sekarang."))
            return redirect("sharing:detail", pk=asked.pk)
    return _detail(request, asked, grant_form=form)


@requires("sharing.answer", load=_request)
@require_POST
def refuse(request: HttpRequest, asked: DataRequest) -> HttpResponse:
    tried(
        request,
        lambda: services.refuse(asked, actor=request.user, reason=request.POST.get("answer", "")),
        _("Permintaan ditolak dengan alasan."),
    )
    return redirect("sharing:detail", pk=asked.pk)


@requires("sharing.answer", load=_request)
@require_POST
def revoke(request: HttpRequest, asked: DataRequest) -> HttpResponse:
    tried(
        request,
        lambda: services.revoke(asked, actor=request.user, reason=request.POST.get("reason", "")),
        _("Izin dicabut."),
    )
    return redirect("sharing:detail", pk=asked.pk)


@requires("sharing.withdraw", load=_own_request)
@require_POST
def withdraw(request: HttpRequest, asked: OwnRequest) -> HttpResponse:
    tried(
        request,
        lambda: services.withdraw(asked, actor=request.user),
        _("Permintaan ditarik."),
    )
    return redirect("sharing:detail", pk=asked.pk)


@requires("sharing.take", load=_own_request)
@require_POST
def take(request: HttpRequest, asked: OwnRequest) -> HttpResponseBase:
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "data.xlsx"
        try:
            made = services.hand_over(asked, actor=request.user, target=target)
        except ValidationError as error:
            refused(request, error)
            return redirect("sharing:detail", pk=asked.pk)
        name = f"{asked.dataset.code}-v{made.version.number}.xlsx"
        return FileResponse(target.open("rb"), as_attachment=True, filename=name)
