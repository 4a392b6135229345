"""Pages of talk and notifications, and talk as parts of other pages."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.access.roles import AGENCY_ROLES, Role
from guyub.discussions import people, queries, services, subjects
from guyub.discussions.forms import ConversationForm, PreferenceForm
from guyub.discussions.models import Attachment, Conversation, Message, Notification, Preference
from guyub.discussions.subjects import Place, place_of
from guyub.discussions.threads import thread_context
from guyub.ui.paging import page_of

# Milliseconds until a browser asks for news again (see docs/decisions/0009-live-news.md).
ASK_AGAIN = 20_000
TABS = (
    ("", gettext_lazy("Semua")),
    ("belum", gettext_lazy("Belum dibaca")),
    ("antar", gettext_lazy("Antarperangkat daerah")),
)


def _place(subject_type: str, subject_id: str) -> Place:
    place = subjects.find(subject_type, subject_id)
    if place is None:
        raise Http404
    return place


def _place_of_thread(thread: Any) -> Place:
    return _place(thread.subject_type, thread.subject_id)


def _message(pk: int) -> Message:
    return get_object_or_404(Message.objects.select_related("thread"), pk=pk)


def _attachment(pk: int) -> Attachment:
    return get_object_or_404(Attachment.objects.select_related("message__thread"), pk=pk)


def _conversation(pk: int) -> Conversation:
    rows = Conversation.objects.select_related("started_by").prefetch_related("agencies")
    return get_object_or_404(rows, pk=pk)


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


# The talk about one record


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
    if not place.writable_by(request.user):
        raise PermissionDenied(place.subject.writing)
    text = str(request.POST.get("pesan", ""))
    try:
        written = services.write(
            place.record, text, author=request.user, uploads=request.FILES.getlist("lampiran")
        )
    except ValidationError as error:
        return _answer(request, place, error=" ".join(error.messages), draft=text)
    return _answer(request, place, note=_told_of_masking(written.masked))


def _told_of_masking(masked: int) -> str:
    if not masked:
        return ""
    return ngettext(
        "Nomor NIK atau KK dalam pesan Anda disamarkan.",
        "%(count)d nomor NIK atau KK dalam pesan Anda disamarkan.",
        masked,
    ) % {"count": masked}


@requires("discussions.write", load=_message)
@require_POST
def withdraw(request: HttpRequest, message: Message) -> HttpResponse:
    place = _place_of_thread(message.thread)
    _must_read(request.user, place)
    try:
        services.withdraw(message, actor=request.user)
    except ValidationError as error:
        raise PermissionDenied("discussions.write") from error
    return _answer(request, place, note=_("Pesan ditarik."))


@requires("discussions.view", load=_attachment)
def attachment(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    _must_read(request.user, _place_of_thread(attachment.message.thread))
    return FileResponse(
        attachment.file.open("rb"),
        as_attachment=not attachment.is_picture,
        filename=attachment.name,
        content_type=attachment.media_type,
    )


@requires("discussions.write", load=_place)
def mentions(request: HttpRequest, place: Place) -> HttpResponse:
    """Who can be mentioned whose name begins like ``?q=``."""
    _must_read(request.user, place)
    offers = people.offers(request.GET.get("q", ""), place)
    return render(request, "discussions/_mentions.html", {"offers": offers})


# All talk that is one's own


@requires("discussions.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """The threads that one follows or takes part in; ``?tampil=`` is one of :data:`TABS`."""
    tab = request.GET.get("tampil", "")
    threads = queries.threads_of(
        request.user, unread=tab == "belum", kind="agencies" if tab == "antar" else ""
    )
    page = page_of(request, threads)
    context = {
        "page": page,
        "talks": queries.talks(request.user, list(page)),
        "tabs": TABS,
        "tab": tab,
        "may_start": _may_converse(request.user),
        "unread": queries.unread_threads(request.user),
    }
    return render(request, "discussions/list.html", context)


def _may_converse(user: Any) -> bool:
    return can(user, "discussions.write") and (
        user.role == Role.SECRETARIAT or user.role in AGENCY_ROLES
    )


@requires("discussions.view")
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """What was said with the words of ``cari``. By POST: people search for names, too."""
    text = str(request.POST.get("cari", "")).strip()[:100]
    context = {
        "text": text,
        "found": queries.search(request.user, text),
        "limit": queries.FOUND,
        "shortest": queries.SHORTEST_WORD,
    }
    return render(request, "discussions/search.html", context)


@requires("discussions.write")
def start(request: HttpRequest) -> HttpResponse:
    """Start a conversation; ``?perangkat=`` is the code of an agency to talk to."""
    if not _may_converse(request.user):
        raise PermissionDenied("discussions.write")
    form = ConversationForm(request.POST or None, user=request.user)
    code = request.GET.get("perangkat", "")
    if code:
        form.initial["agencies"] = form.fields["agencies"].queryset.filter(code=code)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            conversation = services.start_conversation(author=request.user, **form.cleaned_data)
        except ValidationError as error:
            for field, errors in error.message_dict.items():
                form.add_error(field if field in form.fields else None, errors)
        else:
            return redirect("discussions:conversation", pk=conversation.pk)
    return render(request, "discussions/start.html", {"form": form})


@requires("discussions.view", load=_conversation)
def conversation(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    _must_read(request.user, place_of(conversation))
    return render(request, "discussions/conversation.html", {"conversation": conversation})


# Notifications


@requires("discussions.view")
def notifications(request: HttpRequest) -> HttpResponse:
    page = page_of(request, queries.notifications(request.user))
    return render(
        request,
        "discussions/notifications.html",
        {"page": page, "unread": queries.unread_count(request.user)},
    )


def _notification(pk: int) -> Notification:
    return get_object_or_404(Notification, pk=pk)


@requires("discussions.view", load=_notification)
def open_notification(request: HttpRequest, notification: Notification) -> HttpResponse:
    """Lead to the page that a notification is about, and count it as read."""
    if notification.user_id != request.user.pk:
        raise Http404
    services.mark_notifications_read(request.user, notification)
    # Kept by our own services, yet a redirect never leaves the site.
    if not url_has_allowed_host_and_scheme(notification.url, allowed_hosts=None):
        raise Http404
    return redirect(notification.url)


@requires("discussions.view")
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    services.mark_notifications_read(request.user)
    return redirect("discussions:notifications")


@requires("discussions.view")
def preferences(request: HttpRequest) -> HttpResponse:
    preference = Preference.objects.filter(user=request.user.pk).first()
    form = PreferenceForm(request.POST or None, initial=PreferenceForm.initial_for(preference))
    if request.method == "POST" and form.is_valid():
        services.set_preference(request.user, **form.cleaned_data)
        messages.success(request, _("Pilihan tersimpan."))
        return redirect("discussions:notifications")
    return render(request, "discussions/preferences.html", {"form": form})


@requires("discussions.view")
def stream(request: HttpRequest) -> HttpResponse:
    """News as server-sent events: one event, and when the browser is to ask again.

    The answer ends at once, so that an open page holds none of the few server threads.
    """
    newest = queries.notifications(request.user).filter(read_at=None)[:1]
    news = {
        "unread": queries.unread_count(request.user),
        "newest": [{"text": row.text, "url": row.url, "id": row.pk} for row in newest],
    }
    body = f"retry: {ASK_AGAIN}\nevent: kabar\ndata: {json.dumps(news)}\n\n"
    return HttpResponse(body, content_type="text/event-stream")
