"""Talk as parts of other pages: reading on, writing, taking back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.discussions import queries, services, subjects
from guyub.discussions.models import Message
from guyub.discussions.subjects import Place
from guyub.discussions.threads import thread_context


def _place(subject_type: str, subject_id: str) -> Place:
    place = subjects.find(subject_type, subject_id)
    if place is None:
        raise Http404
    return place


def _message(pk: int) -> Message:
    return get_object_or_404(Message.objects.select_related("thread"), pk=pk)


def _must_read(user: Any, place: Place) -> None:
    """Whoever may not see the record may not read about it either."""
    if not place.readable_by(user):
        raise PermissionDenied(place.subject.permission)


def _answer(request: HttpRequest, place: Place, **context: Any) -> HttpResponse:
    """Show the talk again in its place, or lead back to the record's page without script."""
    if request.htmx:  # type: ignore[attr-defined]
        return render(
            request, "discussions/_thread.html", {**thread_context(request, place), **context}
        )
    for note in filter(None, (context.get("note"), context.get("error"))):
        messages.add_message(
            request, messages.ERROR if "error" in context else messages.WARNING, note
        )
    return redirect(place.url)


@requires("discussions.view", load=_place)
def thread(request: HttpRequest, place: Place) -> HttpResponse:
    """The talk about one record, or with ``?sebelum=`` (a message's key) what was said before."""
    _must_read(request.user, place)
    before = request.GET.get("sebelum", "")
    if not before.isdecimal() or len(before) > 18:
        return _answer(request, place)
    stretch = queries.stretch(queries.thread_of(place), int(before))
    return render(request, "discussions/_messages.html", {"place": place, "stretch": stretch})


@requires("discussions.write", load=_place)
@require_POST
def write(request: HttpRequest, place: Place) -> HttpResponse:
    _must_read(request.user, place)
    text = str(request.POST.get("pesan", ""))
    try:
        written = services.write(place.record, text, author=request.user)
    except ValidationError as error:
        return _answer(request, place, error=" ".join(error.messages), draft=text)
    note = ""
    if written.masked:
        note = ngettext(
            "Nomor NIK atau KK dalam pesan Anda disamarkan.",
            "%(count)d nomor NIK atau KK dalam pesan Anda disamarkan.",
            written.masked,
        ) % {"count": written.masked}
    return _answer(request, place, note=note)


@requires("discussions.write", load=_message)
@require_POST
def withdraw(request: HttpRequest, message: Message) -> HttpResponse:
    place = _place(message.thread.subject_type, message.thread.subject_id)
    _must_read(request.user, place)
    try:
        services.withdraw(message, actor=request.user)
    except ValidationError as error:
        raise PermissionDenied("discussions.write") from error
    return _answer(request, place, note=_("Pesan ditarik."))
