"""Pages of partners: who they are, what they are given, what was exchanged and told."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.connections import notices, partners, watching
from guyub.connections.forms import PartnerForm
from guyub.connections.minimising import GROUPS
from guyub.connections.models import ApiToken, Notice, Partner, Watch
from guyub.connections.signatures import is_for_encryption
from guyub.ui.answers import show_errors, tried
from guyub.ui.paging import page_of

PARTS = ("pertukaran", "langganan", "pemberitahuan")


def _partner(pk: int) -> Partner:
    return get_object_or_404(Partner.objects.select_related("agency"), pk=pk)


def _watch(pk: int) -> Watch:
    return get_object_or_404(Watch.objects.select_related("partner"), pk=pk)


def _notice(pk: int) -> Notice:
    return get_object_or_404(Notice.objects.select_related("watch__partner"), pk=pk)


@requires("connections.admit")
def list_page(request: HttpRequest) -> HttpResponse:
    rows = (
        Partner.objects.select_related("agency")
        .annotate(running=Count("watches", filter=Q(watches__ended_at=None)))
        .order_by("name", "pk")
    )
    return render(request, "connections/partners.html", {"page": page_of(request, rows)})


@requires("connections.admit")
def create(request: HttpRequest) -> HttpResponse:
    form = PartnerForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = partners.admit(**form.cleaned_data, actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Mitra terdaftar. Buatkan tokennya di halaman Token."))
            return redirect("connections:partner", pk=made.pk)
    return render(request, "connections/partner_form.html", {"form": form})


@requires("connections.admit", load=_partner)
def edit(request: HttpRequest, partner: Partner) -> HttpResponse:
    initial = {
        "name": partner.name,
        "agency": partner.agency_id,
        "sender_id": partner.sender_id,
        "keys_url": partner.keys_url,
        "callback": partner.callback,
        "purpose": partner.purpose,
        "purpose_codes": " ".join(partner.purpose_codes),
        "shares": partner.shares,
        "areas": list(partner.areas.values_list("pk", flat=True)),
    }
    form = PartnerForm(request.user, request.POST or None, initial=initial, is_known=True)
    if request.method == "POST" and form.is_valid():
        try:
            partners.change(partner, **form.cleaned_data, actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Perubahan disimpan."))
            return redirect("connections:partner", pk=partner.pk)
    return render(request, "connections/partner_form.html", {"form": form, "partner": partner})


@requires("connections.admit", load=_partner)
def detail(request: HttpRequest, partner: Partner) -> HttpResponse:
    """A partner with its exchanges, subscriptions or notices, by ``?bagian=``."""
    part = request.GET.get("bagian", PARTS[0])
    part = part if part in PARTS else PARTS[0]
    rows: Any = partner.exchanges.all()
    if part == "langganan":
        rows = watching.running(partner)
    elif part == "pemberitahuan":
        rows = Notice.objects.filter(watch__partner=partner).select_related("watch")
    context = {
        "partner": partner,
        "part": part,
        "page": page_of(request, rows),
        "keys": [
            (key.get("kid") or key["kty"], key.get("alg", ""), is_for_encryption(key))
            for key in partner.keys
        ],
        "is_encrypted": partners.encryption_key_of(partner) is not None,
        "shares": [GROUPS[name] for name in partner.shares if name in GROUPS],
        "hidden": [label for name, label in GROUPS.items() if name not in partner.shares],
        "areas": list(partner.areas.all()),
        "notify_at": partners.address_for(partner, "notify"),
        "tokens": list(
            ApiToken.objects.filter(agency=partner.agency, revoked_at=None).order_by("name")[:5]
        ),
    }
    return render(request, "connections/partner.html", context)


@requires("connections.admit", load=_partner)
@require_POST
def switch(request: HttpRequest, partner: Partner) -> HttpResponse:
    """Shut out, or let in again: the page says which of the two was meant."""
    active = request.POST.get("aktif") == "1"
    partners.set_active(partner, active, actor=request.user)
    messages.success(request, _("Mitra diterima lagi.") if active else _("Mitra ditutup."))
    return redirect("connections:partner", pk=partner.pk)


@requires("connections.admit", load=_partner)
@require_POST
def read_keys(request: HttpRequest, partner: Partner) -> HttpResponse:
    """Read the keys that a partner publishes, now."""
    try:
        is_new = partners.read_keys_again(partner, actor=request.user, at_once=True)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Kunci baru terbaca.") if is_new else _("Kuncinya masih sama."))
    return redirect("connections:partner", pk=partner.pk)


@requires("connections.admit", load=_watch)
@require_POST
def end_watch(request: HttpRequest, watch: Watch) -> HttpResponse:
    """End a partner's subscription from our side."""
    if watch.ended_at is None:
        watching.end(watch, actor=request.user)
        messages.success(request, _("Langganan dihentikan."))
    return _back(watch.partner_id, "langganan")


@requires("connections.admit", load=_notice)
@require_POST
def send_again(request: HttpRequest, notice: Notice) -> HttpResponse:
    """Try a notice that was given up once more."""
    tried(
        request,
        lambda: notices.send_again(notice, actor=request.user),
        _("Masuk antrean untuk dikirim lagi."),
    )
    return _back(notice.watch.partner_id, "pemberitahuan")


def _back(partner_id: int, part: str) -> HttpResponse:
    response = redirect("connections:partner", pk=partner_id)
    response.headers["Location"] += f"?bagian={part}"
    return response
