"""Reminding agencies by e-mail of reports that fall due: three days before, on the day, a week late.

One letter per agency and occasion lists all the reports concerned, so nobody gets twenty. Each
report is reminded of once per occasion, however often the command runs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.reports import queries
from guyub.reports.models import Occasion, Reminder, Report

DAYS_BEFORE = 3
DAYS_LATE = 7
# Older ones are not brought up: an installation that starts to remind shall not begin with a flood.
LATE_UNTIL = 30
LISTED = 40


@dataclass(frozen=True)
class Sent:
    """A letter that went out, or (``recipients`` 0) could not for want of an active account."""

    agency: Agency
    occasion: Occasion
    reports: int
    recipients: int


def due_window(occasion: Occasion, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the due dates, both included, of which ``occasion`` reminds on ``today``."""
    if occasion is Occasion.BEFORE:
        return today + dt.timedelta(days=1), today + dt.timedelta(days=DAYS_BEFORE)
    if occasion is Occasion.TODAY:
        return today, today
    return today - dt.timedelta(days=LATE_UNTIL), today - dt.timedelta(days=DAYS_LATE)


def send_reminders(today: dt.date | None = None) -> Iterator[Sent]:
    """Send what is due on ``today`` and yield each letter as it has gone out.

    What was sent is written down with it: when a letter fails, its reports are tried again next time.
    """
    today = today or timezone.localdate()
    for occasion in Occasion:
        first, last = due_window(occasion, today)
        agencies = (
            Agency.objects.filter(
                is_active=True,
                sub_activities__is_cancelled=False,
                sub_activities__reports__first_submitted_at=None,
                sub_activities__reports__due_on__range=(first, last),
            )
            .order_by("name")
            .distinct()
        )
        for agency in list(agencies):
            sent = _remind(agency, occasion, first, last)
            if sent is not None:
                yield sent


@transaction.atomic
def _remind(agency: Agency, occasion: Occasion, first: dt.date, last: dt.date) -> Sent | None:
    # Held to the end, so that two runs at once do not both send.
    Agency.objects.select_for_update().get(pk=agency.pk)
    reports = list(
        queries.with_names()
        .filter(sub_activity__agency=agency, first_submitted_at=None, due_on__range=(first, last))
        .exclude(reminders__occasion=occasion)
        .order_by("due_on", "sub_activity__name")
    )
    if not reports:
        return None
    people = User.objects.filter(agency=agency, is_active=True).exclude(email="")
    operators = list(people.filter(role=Role.AGENCY_OPERATOR).values_list("email", flat=True))
    heads = list(people.filter(role=Role.AGENCY_HEAD).values_list("email", flat=True))
    if not operators and not heads:
        return Sent(agency, occasion, len(reports), 0)
    Reminder.objects.bulk_create(
        [Reminder(report=report, occasion=occasion, sent_at=timezone.now()) for report in reports]
    )
    audit.record(
        "reports.remind",
        subject=agency,
        detail={"occasion": occasion.value, "reports": [report.pk for report in reports]},
    )
    with translation.override(settings.LANGUAGE_CODE):
        # An agency without an operator is told through its head.
        _letter(agency, occasion, reports, operators or heads, heads if operators else []).send()
    return Sent(agency, occasion, len(reports), len(operators) + len(heads))


def _letter(
    agency: Agency,
    occasion: Occasion,
    reports: Sequence[Report],
    to: Sequence[str],
    cc: Sequence[str],
) -> EmailMessage:
    number = len(reports)
    subjects = {
        Occasion.BEFORE: ngettext(
            "%(n)d laporan kemajuan segera jatuh tempo",
            "%(n)d laporan kemajuan segera jatuh tempo",
            number,
        ),
        Occasion.TODAY: ngettext(
            "%(n)d laporan kemajuan jatuh tempo hari ini",
            "%(n)d laporan kemajuan jatuh tempo hari ini",
            number,
        ),
        Occasion.LATE: ngettext(
            "%(n)d laporan kemajuan belum masuk",
            "%(n)d laporan kemajuan belum masuk",
            number,
        ),
    }
    body = render_to_string(
        "reports/email/reminder.txt",
        {
            "agency": agency,
            "occasion": occasion,
            "reports": reports[:LISTED],
            "further": max(0, number - LISTED),
            "address": settings.SITE_URL + reverse("reports:list"),
        },
    )
    return EmailMessage(
        subject=f"[Guyub] {subjects[occasion] % {'n': number}}",
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=list(to),
        cc=list(cc),
    )


def told(sent: Sent) -> str:
    """Return a line for the log of whoever runs the command."""
    line = _("%(agency)s: %(occasion)s, %(reports)d laporan, %(recipients)d penerima") % {
        "agency": sent.agency,
        "occasion": sent.occasion.label,
        "reports": sent.reports,
        "recipients": sent.recipients,
    }
    if not sent.recipients:
        line += " " + _("(tidak dikirim: tidak ada akun aktif)")
    return line
