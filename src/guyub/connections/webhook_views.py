"""Pages of subscriptions: who is told of what, and how each message went."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.connections import queries, webhooks
from guyub.connections.events import KINDS
from guyub.connections.forms import WebhookForm
from guyub.connections.models import Delivery, DeliveryState, Subscription
from guyub.ui.answers import show_errors, tried
from guyub.ui.paging import page_of


def _subscription(pk: int) -> Subscription:
    return get_object_or_404(Subscription.objects.select_related("agency"), pk=pk)


def _delivery(pk: int) -> Delivery:
    return get_object_or_404(Delivery.objects.select_related("subscription"), pk=pk)


@requires("connections.manage")
def list_page(request: HttpRequest) -> HttpResponse:
    context = {"page": page_of(request, queries.subscriptions(request.user))}
    return render(request, "connections/webhooks.html", context)


@requires("connections.manage")
def create(request: HttpRequest) -> HttpResponse:
    """Add a receiver; the secret shows on the answer and nowhere else."""
    user: Any = request.user
    form = WebhookForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = webhooks.subscribe(**form.cleaned_data, actor=user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            return _show_secret(request, made, secret)
    return render(request, "connections/webhook_form.html", {"form": form})


def _show_secret(request: HttpRequest, made: Subscription, secret: str) -> HttpResponse:
    context = {"subscription": made, "secret": secret}
    return render(request, "connections/secret.html", context)


@requires("connections.manage", load=_subscription)
def detail(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """A receiver with the log of its messages, narrowed by ``?keadaan=``."""
    state = request.GET.get("keadaan", "")
    state = state if state in DeliveryState.values else ""
    page = page_of(request, queries.deliveries(subscription, state))
    soon = timezone.now() + dt.timedelta(minutes=1)
    context = {
        # What is about to be tried shows by itself; long waits are not watched.
        "waits": any(
            row.state == DeliveryState.WAITING and row.next_at is not None and row.next_at < soon
            for row in page
        ),
        "subscription": subscription,
        "events": [(name, KINDS[name].label) for name in subscription.events if name in KINDS],
        "page": page,
        "state": state,
        "states": DeliveryState.choices,
    }
    return render(request, "connections/webhook.html", context)


@requires("connections.manage", load=_subscription)
@require_POST
def ping(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    webhooks.ping(subscription, actor=request.user)
    messages.success(request, _("Kabar percobaan masuk antrean; hasilnya muncul di bawah."))
    return redirect("connections:webhook", pk=subscription.pk)


@requires("connections.manage", load=_subscription)
@require_POST
def switch(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """Pause, or take up again: the page says which of the two was meant."""
    active = request.POST.get("aktif") == "1"
    webhooks.set_active(subscription, active, actor=request.user)
    messages.success(request, _("Dilanjutkan.") if active else _("Dijeda."))
    return redirect("connections:webhook", pk=subscription.pk)


@requires("connections.manage", load=_subscription)
@require_POST
def renew(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    secret = webhooks.renew_secret(subscription, actor=request.user)
    return _show_secret(request, subscription, secret)


@requires("connections.manage", load=_delivery)
@require_POST
def resend(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    tried(
        request,
        lambda: webhooks.send_again(delivery, actor=request.user),
        _("Masuk antrean untuk dikirim lagi."),
    )
    return redirect("connections:webhook", pk=delivery.subscription_id)
