"""Reads of talk and of notifications."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet

from guyub.access.roles import AGENCY_ROLES, Role
from guyub.discussions.models import Conversation, Following, Message, Notification, Thread
from guyub.discussions.subjects import Place, find_all

PAGE = 20  # messages shown at once
# Bounds of a search: how many of the newest matches are looked through for readable ones.
LOOKED_THROUGH = 600
FOUND = 30
SHORTEST_WORD = 3


@dataclass(frozen=True)
class Stretch:
    """Some messages of one thread, oldest first, and whether there are older ones still."""

    messages: list[Message]
    has_older: bool

    @property
    def first(self) -> int | None:
        return self.messages[0].pk if self.messages else None


@dataclass(frozen=True)
class Talk:
    """A thread in a list."""

    thread: Thread
    place: Place
    is_unread: bool


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
    newest = list(rows.order_by("-pk").prefetch_related("attachments")[: PAGE + 1])
    return Stretch(newest[:PAGE][::-1], has_older=len(newest) > PAGE)


def conversations_of(user: Any) -> QuerySet[Conversation]:
    """Return the conversations between agencies that ``user`` may read."""
    if user.role in (Role.SECRETARIAT, Role.AUDITOR):
        return Conversation.objects.all()
    if user.role in AGENCY_ROLES:
        return Conversation.objects.filter(agencies=user.agency_id)
    return Conversation.objects.none()


_UNREAD = Q(read_at=None) | Q(read_at__lt=F("thread__last_message_at"))


def unread_threads(user: Any) -> int:
    """Return in how many threads that ``user`` follows something is new."""
    return Following.objects.filter(_UNREAD, user=user).count()


def threads_of(user: Any, *, kind: str = "", unread: bool = False) -> QuerySet[Thread]:
    """Return the threads that ``user`` follows or takes part in, the newest message first.

    ``kind`` is ``agencies`` for conversations between agencies and ``records`` for the others.
    """
    label = Conversation._meta.label_lower
    followed = Following.objects.filter(user=user)
    if unread:
        rows = Thread.objects.filter(pk__in=followed.filter(_UNREAD).values("thread"))
    else:
        own = [str(pk) for pk in conversations_of(user).values_list("pk", flat=True)]
        rows = Thread.objects.filter(
            Q(pk__in=followed.values("thread")) | Q(subject_type=label, subject_id__in=own)
        )
    if kind == "agencies":
        rows = rows.filter(subject_type=label)
    elif kind == "records":
        rows = rows.exclude(subject_type=label)
    return rows.filter(message_count__gt=0).order_by("-last_message_at", "-pk")


def talks(user: Any, threads: Sequence[Thread]) -> list[Talk]:
    """Return ``threads`` with the records they are about, without those ``user`` may no longer read."""
    places = find_all((thread.subject_type, thread.subject_id) for thread in threads)
    read = dict(
        Following.objects.filter(user=user, thread__in=threads).values_list("thread", "read_at")
    )
    found = []
    for thread in threads:
        place = places.get((thread.subject_type, thread.subject_id))
        if place is not None and place.readable_by(user):
            at = read.get(thread.pk)
            unread = thread.pk in read and (at is None or at < (thread.last_message_at or at))
            found.append(Talk(thread, place, unread))
    return found


def search(user: Any, text: str) -> list[tuple[Message, Place]]:
    """Return the newest messages with all words of ``text``, of those that ``user`` may read.

    At most :data:`FOUND` of the newest :data:`LOOKED_THROUGH` matches; words below three letters are
    passed over.
    """
    words = [word for word in text.split()[:8] if len(word) >= SHORTEST_WORD]
    if not words:
        return []
    rows = Message.objects.filter(withdrawn_at=None).select_related("thread", "author", "agency")
    for word in words:
        rows = rows.filter(text__icontains=word)
    return list(itertools.islice(_readable(user, rows.order_by("-pk")[:LOOKED_THROUGH]), FOUND))


def _readable(user: Any, rows: QuerySet[Message]) -> Iterator[tuple[Message, Place]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, 100)):
        places = find_all((row.thread.subject_type, row.thread.subject_id) for row in batch)
        allowed = {key for key, place in places.items() if place.readable_by(user)}
        for row in batch:
            key = (row.thread.subject_type, row.thread.subject_id)
            if key in allowed:
                yield row, places[key]


def notifications(user: Any) -> QuerySet[Notification]:
    """Return the notifications of ``user``, the newest first."""
    return Notification.objects.filter(user=user)


def unread_count(user: Any) -> int:
    """Return how many notifications ``user`` has not read."""
    return Notification.objects.filter(user=user, read_at=None).count()
