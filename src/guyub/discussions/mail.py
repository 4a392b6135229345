"""Notifications by e-mail: at once or once a day, as each person prefers."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import ngettext

from guyub.accounts.models import User
from guyub.discussions.models import MailMode, Notification

logger = logging.getLogger(__name__)

# What is older has been seen in the page or is no longer news.
WINDOW = dt.timedelta(days=3)
MOST = 30  # notifications named in one message


def _unmailed(user: Any, kinds: Iterable[str]) -> list[Notification]:
    return list(
        Notification.objects.select_for_update()
        .filter(user=user, mailed_at=None, read_at=None, created_at__gte=timezone.now() - WINDOW)
        .exclude(kind__in=kinds)
        .order_by("created_at", "pk")
    )


@transaction.atomic
def send(user: User) -> int:
    """Mail ``user`` their unread notifications that were not mailed yet; return how many.

    When the mail server refuses, they stay unmailed and go with the next message.
    """
    preference = getattr(user, "notification_preference", None)
    news = _unmailed(user, preference.unmailed_kinds if preference is not None else [])
    if not news or not user.email or not user.is_active:
        return 0
    subject = ngettext("[Guyub] %(count)d kabar baru", "[Guyub] %(count)d kabar baru", len(news))
    body = render_to_string(
        "discussions/email/news.txt",
        {
            "user": user,
            "news": news[:MOST],
            "more": max(0, len(news) - MOST),
            "site": settings.SITE_URL,
        },
    )
    try:
        EmailMessage(subject % {"count": len(news)}, body, to=[user.email]).send()
    except (SMTPException, OSError) as error:
        logger.warning("Notifications of account %s were not mailed: %s", user.pk, error)
        return 0
    Notification.objects.filter(pk__in=[row.pk for row in news]).update(mailed_at=timezone.now())
    return len(news)


def send_digests() -> tuple[int, int]:
    """Mail the digest to whoever gets one and has news; return how many people and notifications."""
    people = (
        User.objects.select_related("notification_preference")
        .filter(
            is_active=True,
            notifications__mailed_at=None,
            notifications__read_at=None,
            notifications__created_at__gte=timezone.now() - WINDOW,
        )
        .exclude(notification_preference__mail__in=[MailMode.NEVER, MailMode.IMMEDIATE])
        .distinct()
    )
    counts = [count for count in map(send, people) if count]
    return len(counts), sum(counts)
