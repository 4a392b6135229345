"""Invitations as people receive them: e-mail with a calendar file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.meetings.models import Meeting, MeetingState


def calendar_file(meeting: Meeting) -> bytes:
    """Return the meeting as an iCalendar file (RFC 5545) that calendars take as an invitation."""
    cancelled = meeting.state == MeetingState.CANCELLED
    calendar = Calendar()
    calendar.add("prodid", "-//Guyub//Rapat//ID")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "REQUEST")
    event = Event()
    event.add("uid", f"rapat-{meeting.pk}@guyub")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", dt.datetime.now(dt.UTC))
    event.add("dtstart", meeting.starts_at.astimezone(dt.UTC))
    event.add("dtend", meeting.ends_at.astimezone(dt.UTC))
    event.add("summary", meeting.title)
    event.add("location", meeting.place)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("description", _agenda_text(meeting))
    if meeting.online_url:
        event.add("url", meeting.online_url)
    organizer = vCalAddress(f"mailto:{settings.DEFAULT_FROM_EMAIL}")
    organizer.params["CN"] = "Sekretariat TKPKD"
    event["organizer"] = organizer
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _agenda_text(meeting: Meeting) -> str:
    titles = meeting.agenda.values_list("title", flat=True)
    return "\n".join(f"{number}. {title}" for number, title in enumerate(titles, 1))


def addresses(agency: Agency) -> list[str]:
    """Return where an agency's invitation goes: its heads, and the office."""
    heads = User.objects.filter(agency=agency, role=Role.AGENCY_HEAD, is_active=True)
    found = [*heads.values_list("email", flat=True), agency.email]
    return list(dict.fromkeys(address for address in found if address))


def send_all(
    meeting: Meeting, *, changed: bool = False, cancelled: bool = False, reason: str = ""
) -> None:
    """Tell every invited agency of a change, once the change is stored."""
    agencies = Agency.objects.filter(invitations__meeting=meeting)
    send(meeting, agencies, changed=changed, cancelled=cancelled, reason=reason)


def send(
    meeting: Meeting,
    agencies: Iterable[Agency],
    *,
    changed: bool = False,
    cancelled: bool = False,
    reason: str = "",
) -> None:
    """Send invitations to ``agencies`` once the present transaction has committed."""
    subject = _("Undangan: %(title)s")
    if changed:
        subject = _("Perubahan jadwal: %(title)s")
    if cancelled:
        subject = _("Batal: %(title)s")
    context = {
        "meeting": meeting,
        "agenda": list(meeting.agenda.all()),
        "changed": changed,
        "cancelled": cancelled,
        "reason": reason,
        "path": reverse("meetings:detail", args=[meeting.pk]),
        "host": settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "",
        "secure": settings.MODE == "production",
    }
    attachment = ("undangan.ics", calendar_file(meeting), "text/calendar")
    messages = []
    for agency in agencies:
        to = addresses(agency)
        if not to:
            continue
        body = render_to_string("meetings/email/invitation.txt", {**context, "agency": agency})
        message = EmailMessage(subject % {"title": meeting.title}, body, to=to)
        message.attach(*attachment)
        messages.append(message)

    def deliver() -> None:
        for message in messages:
            # An address that fails must not keep the others from being told.
            message.send(fail_silently=True)

    transaction.on_commit(deliver)
