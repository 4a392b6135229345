"""Reads of talk."""

from __future__ import annotations

from dataclasses import dataclass

from guyub.discussions.models import Message, Thread
from guyub.discussions.subjects import Place

PAGE = 20  # messages shown at once


@dataclass(frozen=True)
class Stretch:
    """Some messages of one thread, oldest first, and whether there are older ones still."""

    messages: list[Message]
    has_older: bool

    @property
    def first(self) -> int | None:
        return self.messages[0].pk if self.messages else None


def thread_of(place: Place) -> Thread | None:
    """Return the thread about a record; ``None`` while nobody has said anything."""
    subject_type, subject_id = place.key
    return Thread.objects.filter(subject_type=subject_type, subject_id=subject_id).first()


def stretch(thread: Thread | None, before: int | None = None) -> Stretch:
    """Return the newest :data:`PAGE` messages, of those before the message ``before`` if given."""
    if thread is None:
        return Stretch([], has_older=False)
    rows = Message.objects.filter(thread=thread).select_related("author__area", "agency")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    newest = list(rows.order_by("-pk")[: PAGE + 1])
    return Stretch(newest[:PAGE][::-1], has_older=len(newest) > PAGE)
