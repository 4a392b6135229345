"""What pages of meetings share: finding the records they are about, and the page of one form."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from guyub.meetings.models import AgendaItem, Attendance, Invitation, Meeting


def find_meeting(pk: int) -> Meeting:
    return get_object_or_404(Meeting, pk=pk)


def find_item(pk: int) -> AgendaItem:
    return get_object_or_404(AgendaItem.objects.select_related("meeting"), pk=pk)


def find_invitation(pk: int) -> Invitation:
    rows = Invitation.objects.select_related("meeting", "agency", "replied_by")
    return get_object_or_404(rows, pk=pk)


def find_attendance(pk: int) -> Attendance:
    return get_object_or_404(Attendance.objects.select_related("meeting", "agency"), pk=pk)


def form_page(request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
    return render(request, "meetings/form.html", {"form": form, **context})
