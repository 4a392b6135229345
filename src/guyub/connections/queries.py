"""Reading tokens and what they were used for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils import timezone

from guyub.access.permissions import OWN_AGENCY, scope_of
from guyub.agencies.models import Agency
from guyub.connections.models import (
    ApiToken,
    Delivery,
    DeliveryState,
    Subscription,
    TokenUse,
)

STATES = ("berlaku", "berakhir", "semua")


def own(user: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Narrow ``rows`` (of an agency) to those that ``user`` manages."""
    scope = scope_of(user, "connections.manage")
    if scope is None:
        return rows.none()
    return rows.filter(agency=user.agency_id or 0) if scope is OWN_AGENCY else rows


def agencies_for(user: Any) -> QuerySet[Agency]:
    """Return the active agencies that ``user`` may connect systems for."""
    rows = Agency.objects.filter(is_active=True)
    if scope_of(user, "connections.manage") is OWN_AGENCY:
        return rows.filter(pk=user.agency_id or 0)
    return rows


def tokens(user: Any, state: str = "berlaku", agency: str = "") -> QuerySet[ApiToken]:
    """Return the tokens that ``user`` manages, newest first, narrowed by state and agency code."""
    rows = own(user, ApiToken.objects.select_related("agency", "created_by"))
    ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
    if state == "berlaku":
        rows = rows.exclude(ended)
    elif state == "berakhir":
        rows = rows.filter(ended)
    return rows.filter(agency__code=agency) if agency else rows


def uses(token: ApiToken, days: int = 30) -> list[dict[str, Any]]:
    """Return calls and refusals of a token per operation over the last ``days`` days, most first."""
    since = timezone.localdate() - dt.timedelta(days=days - 1)
    rows = (
        TokenUse.objects.filter(token=token, day__gte=since)
        .order_by()
        .values("operation")
        .annotate(all_calls=Sum("calls"), all_refused=Sum("refused"))
        .order_by("-all_calls", "operation")[:50]
    )
    return [dict(row) for row in rows]


def subscriptions(user: Any) -> QuerySet[Subscription]:
    """Return the receivers that ``user`` manages, with how many messages wait and were given up."""
    return (
        own(user, Subscription.objects.select_related("agency"))
        .annotate(
            waiting=Count("deliveries", filter=Q(deliveries__state=DeliveryState.WAITING)),
            given_up=Count("deliveries", filter=Q(deliveries__state=DeliveryState.GIVEN_UP)),
            last_good=Max("deliveries__delivered_at"),
        )
        .order_by("agency__name", "pk")
    )


def deliveries(subscription: Subscription, state: str = "") -> QuerySet[Delivery]:
    """Return the messages to a receiver with their tries, newest first."""
    rows = Delivery.objects.filter(subscription=subscription).prefetch_related("attempts")
    return rows.filter(state=state) if state else rows
