"""What people may talk about: how a record is named, where its page is and who may read it.

``discussions`` stands above the apps whose records are talked about, so each of them says so itself in
its ``AppConfig.ready``::

    subjects.register(Dataset, permission="datasets.view", kind=_("Dataset"),
                      url=lambda dataset: reverse("datasets:detail", args=[dataset.code]))

and shows the talk on the record's page with ``{% load discussions %}`` and ``{% discussion record %}``.
Whoever may see the record (``permission`` on it) may read what is said about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from guyub.access.permissions import GRANTS, can

ANCHOR = "pembicaraan"  # id of the talk on a record's page


@dataclass(frozen=True)
class Subject:
    """How records of one model are talked about."""

    model: type[models.Model]
    permission: str
    kind: Any  # what users call such a record
    title: Callable[[Any], str]
    url: Callable[[Any], str]
    related: tuple[str, ...]
    # A name that is a poor person's never goes into notifications or mail.
    is_personal: bool
    writing: str  # what one needs on a record to write about it
    # Narrows who may read, beside the permission.
    also: Callable[[Any, Any], bool] | None


@dataclass(frozen=True)
class Place:
    """One record as a subject of talk."""

    subject: Subject
    record: Any

    @property
    def title(self) -> str:
        return self.subject.title(self.record)

    @property
    def public_title(self) -> str:
        """The title as it may stand outside the record's own page."""
        return str(self.subject.kind) if self.subject.is_personal else self.title

    @property
    def url(self) -> str:
        """Address of the talk on the record's page."""
        return f"{self.subject.url(self.record)}#{ANCHOR}"

    @property
    def key(self) -> tuple[str, str]:
        return self.subject.model._meta.label_lower, str(self.record.pk)

    def readable_by(self, user: Any) -> bool:
        """Tell whether ``user`` may see the record, and so read what is said about it."""
        return can(user, self.subject.permission, self.record) and (
            self.subject.also is None or self.subject.also(user, self.record)
        )

    def writable_by(self, user: Any) -> bool:
        """Tell whether ``user`` may take part in the talk."""
        return (
            can(user, "discussions.write")
            and can(user, self.subject.writing, self.record)
            and self.readable_by(user)
        )


_subjects: dict[str, Subject] = {}


def register(
    model: type[models.Model],
    *,
    permission: str,
    url: Callable[[Any], str],
    title: Callable[[Any], str] = str,
    kind: Any = None,
    related: Sequence[str] = (),
    is_personal: bool = False,
    writing: str = "",
    also: Callable[[Any, Any], bool] | None = None,
) -> None:
    """Let people talk about records of ``model``.

    Args:
        model: Whose records.
        permission: What one needs on a record to read (see :mod:`guyub.access.permissions`).
        url: Gives the address of a record's page, which shows ``{% discussion record %}``.
        title: Names a record.
        kind: What users call such a record; the model's verbose name when missing.
        related: What to fetch along with a record for the permission, title and address.
        is_personal: The title is somebody's name.
        writing: What one needs on a record to write, where not all who may write anything may.
        also: A further condition ``also(user, record)`` on reading.

    Raises:
        ImproperlyConfigured: there is no such permission.
    """
    for name in filter(None, (permission, writing)):
        if name not in GRANTS:
            raise ImproperlyConfigured(f"Unknown permission {name!r}")
    _subjects[model._meta.label_lower] = Subject(
        model=model,
        permission=permission,
        kind=kind or model._meta.verbose_name,
        title=title,
        url=url,
        related=tuple(related),
        is_personal=is_personal,
        writing=writing or "discussions.write",
        also=also,
    )


def place_of(record: models.Model) -> Place:
    """Return ``record`` as a subject of talk.

    Raises:
        ImproperlyConfigured: its app has not registered its model.
    """
    label = record._meta.label_lower
    if label not in _subjects:
        raise ImproperlyConfigured(f"{label} is not registered with guyub.discussions.subjects")
    return Place(_subjects[label], record)


def find(subject_type: str, subject_id: str) -> Place | None:
    """Return the record of that model label and key; ``None`` when there is none to talk about."""
    return find_all([(subject_type, subject_id)]).get((subject_type, subject_id))


def find_all(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Place]:
    """Return the records of ``keys`` that exist, by key; one query a model."""
    wanted: dict[str, list[str]] = {}
    for subject_type, subject_id in keys:
        # Keys are numbers; anything else in an address finds nothing.
        if subject_type in _subjects and subject_id.isascii() and subject_id.isdigit():
            wanted.setdefault(subject_type, []).append(subject_id)
    found = {}
    for subject_type, ids in wanted.items():
        subject = _subjects[subject_type]
        records = subject.model._default_manager.select_related(*subject.related)
        for record in records.filter(pk__in=ids):
            found[subject_type, str(record.pk)] = Place(subject, record)
    return found
