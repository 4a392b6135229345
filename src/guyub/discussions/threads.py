"""The talk about one record as a part of a page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.discussions import queries
from guyub.discussions.services import LONGEST
from guyub.discussions.subjects import ANCHOR, Place


def thread_context(request: HttpRequest, place: Place) -> dict[str, Any]:
    """Return what ``discussions/_thread.html`` shows of ``place`` to the user of ``request``."""
    thread = queries.thread_of(place)
    return {
        "place": place,
        "anchor": ANCHOR,
        "thread": thread,
        "stretch": queries.stretch(thread),
        "may_write": place.writable_by(request.user),
        "longest": LONGEST,
    }
