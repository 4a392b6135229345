"""How templates write figures and states of progress reports."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from guyub.reports import amounts
from guyub.reports.models import Report, ReportState, Timeliness
from guyub.ui.templatetags.guyub import badge

register = template.Library()
register.filter("percent", amounts.percent)

STATE_TONES = {
    ReportState.MISSING: "neutral",
    ReportState.DRAFT: "neutral",
    ReportState.SUBMITTED: "info",
    ReportState.RETURNED: "warn",
    ReportState.ACCEPTED: "good",
}
TIMELINESS_TONES = {Timeliness.ON_TIME: "good", Timeliness.LATE: "warn", Timeliness.MISSING: "bad"}


@register.simple_tag
def state_badge(report: Report) -> SafeString:
    """Draw the state of a report."""
    return badge(report.get_state_display(), STATE_TONES[ReportState(report.state)])


@register.simple_tag
def timeliness_badge(report: Report) -> SafeString | str:
    """Draw whether a report is on time; nothing while there is time left."""
    kind = report.timeliness(timezone.localdate())
    return badge(kind.label, TIMELINESS_TONES[kind]) if kind in TIMELINESS_TONES else ""


@register.filter
def period(report: Any) -> str:
    """Write the period of a report: *Maret 2026*, *Triwulan I 2026*, or its days."""
    start, end = report.period_start, report.period_end
    after = end + dt.timedelta(days=1)
    if start.day == 1 and after.day == 1:
        months = (after.year - start.year) * 12 + after.month - start.month
        if months == 1:
            return date_format(start, "F Y")
        if months == 3 and start.month % 3 == 1:
            return f"{_('Triwulan')} {('I', 'II', 'III', 'IV')[start.month // 3]} {start.year}"
    return f"{date_format(start, 'j M')} – {date_format(end, 'j M Y')}"
