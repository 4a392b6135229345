"""Reads: open requests by their clock, the request behind a code, the contact."""

from __future__ import annotations

from django.db.models import Case, F, Q, QuerySet, When

from guyub.privacy.models import OPEN, Contact, SubjectRequest
from guyub.proposals.queries import tidy_code
from guyub.registry.models import SubjectKind, ValueChange


def requests() -> QuerySet[SubjectRequest]:
    """Return all requests: the open ones first, by how soon they are due, then the newest."""
    is_open = Case(When(state__in=OPEN, then=0), default=1)
    due = Case(When(state__in=OPEN, then=F("due_at")))
    return SubjectRequest.objects.select_related("person").order_by(
        is_open, due, "-received_at", "-pk"
    )


def corrections(request: SubjectRequest) -> QuerySet[ValueChange]:
    """Return what was changed about the person and their household since they asked, newest first."""
    person = request.person
    if person is None:
        return ValueChange.objects.none()
    return ValueChange.objects.filter(
        Q(kind=SubjectKind.PERSON, subject_id=person.pk)
        | Q(kind=SubjectKind.HOUSEHOLD, subject_id=person.household_id),
        at__gte=request.received_at,
    ).order_by("-at", "-pk")


def by_code(text: str) -> SubjectRequest | None:
    return SubjectRequest.objects.filter(code=tidy_code(text)).first()


def contact() -> Contact:
    return Contact.objects.first() or Contact()
