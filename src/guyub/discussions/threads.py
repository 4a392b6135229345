"""The talk about one record as a part of a page, and the bell that every page has."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.discussions import files, queries, services
from guyub.discussions.subjects import ANCHOR, Place


def thread_context(request: HttpRequest, place: Place) -> dict[str, Any]:
    """Return what ``discussions/_thread.html`` shows of ``place`` to the user of ``request``.

    What is shown counts as read.
    """
    thread = queries.thread_of(place)
    if thread is not None:
        services.mark_read(place, thread, request.user)
    return {
        "place": place,
        "anchor": ANCHOR,
        "thread": thread,
        "stretch": queries.stretch(thread),
        "may_write": place.writable_by(request.user),
        "longest": services.LONGEST,
        "accept": files.ACCEPT,
    }


def bell(request: HttpRequest, user: Any) -> tuple[str, dict[str, Any]]:
    """The panel at ``ui.topbar``: how much news there is."""
    return "discussions/_bell.html", {"unread": queries.unread_count(user)}
