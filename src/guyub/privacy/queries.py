"""Reads: open requests by their clock, the request behind a code, the contact."""

from __future__ import annotations

from django.db.models import Case, F, QuerySet, When

from guyub.privacy.models import OPEN, Contact, SubjectRequest
from guyub.proposals.queries import tidy_code


def requests() -> QuerySet[SubjectRequest]:
    """Return all requests: the open ones first, by how soon they are due, then the newest."""
    is_open = Case(When(state__in=OPEN, then=0), default=1)
    due = Case(When(state__in=OPEN, then=F("due_at")))
    return SubjectRequest.objects.select_related("person").order_by(
        is_open, due, "-received_at", "-pk"
    )


def by_code(text: str) -> SubjectRequest | None:
    return SubjectRequest.objects.filter(code=tidy_code(text)).first()


def contact() -> Contact:
    return Contact.objects.first() or Contact()
