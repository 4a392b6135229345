"""How what the apps above keep about a household or person follows a merge."""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from guyub.audit.models import Event
from guyub.discussions.models import Following, Message, Thread
from guyub.reconciliation.following import follow, stay
from guyub.reconciliation.journal import Journal
from guyub.reconciliation.models import WAITING, Difference, DifferenceState
from guyub.registry.models import (
    AddressKey,
    Household,
    Listing,
    Move,
    Person,
    PersonKey,
    Photo,
    Restriction,
    SubjectKind,
    ValueChange,
)


def declare() -> None:
    """Declare them; called when the app is ready."""
    follow(Person, "household")
    follow(Person, "merged_into")
    follow(Household, "merged_into")
    follow(Photo, "household")
    follow(Listing, "household", by=listings)
    follow(Restriction, "household")
    follow(Restriction, "person")
    follow(Move, "person")
    follow(Move, "from_household", by=departures)
    follow(Move, "to_household", by=arrivals)
    follow(Thread, "subject_id", of=Household, by=threads, renew=count_messages)
    history = "It tells how the record itself changed, and the record stays."
    stay(ValueChange, "household_id", why=history)
    stay(ValueChange, "subject_id", why=history)
    follow(Difference, "household", by=differences_of_household)
    follow(Difference, "subject_id", of=Person, by=differences_of_person)
    stay(Event, "subject_id", why="The log tells what was done to which record.")
    stay(PersonKey, "person_id", why="Search keys are made anew.")
    stay(AddressKey, "household_id", why="Search keys are made anew.")


def listings(journal: Journal, loser: Household, survivor: Household) -> None:
    """Move listings; of two on one list the survivor's says how long either was on it."""
    mine = {item.dataset_id: item for item in survivor.listings.select_related("first_version")}
    for item in loser.listings.select_related("first_version").order_by("pk"):
        own = mine.get(item.dataset_id)
        if own is None:
            journal.change(item, household=survivor.pk)
            continue
        changes: dict[str, Any] = {}
        if item.first_version.number < own.first_version.number:
            changes["first_version"] = item.first_version_id
        if item.dropped_version_id is None and own.dropped_version_id is not None:
            changes["dropped_version"] = None
        journal.change(own, **changes)


def departures(journal: Journal, loser: Household, survivor: Household) -> None:
    _moves(journal, loser, survivor, "from_household", "to_household_id")


def arrivals(journal: Journal, loser: Household, survivor: Household) -> None:
    _moves(journal, loser, survivor, "to_household", "from_household_id")


def _moves(
    journal: Journal, loser: Household, survivor: Household, field: str, opposite: str
) -> None:
    """Let moves follow, except those between the two: they would lead from a household to itself."""
    for move in Move.objects.filter(**{field: loser}).order_by("pk"):
        if getattr(move, opposite) != survivor.pk:
            journal.change(move, **{field: survivor.pk})


def threads(journal: Journal, loser: Household, survivor: Household) -> None:
    """Let the talk about a household go on under the survivor, in one thread."""
    label = survivor._meta.label_lower
    theirs = Thread.objects.filter(subject_type=label, subject_id=str(loser.pk)).first()
    if theirs is None:
        return
    ours = Thread.objects.filter(subject_type=label, subject_id=str(survivor.pk)).first()
    if ours is None:
        journal.change(theirs, subject_id=str(survivor.pk))
        return
    for message in Message.objects.filter(thread=theirs).order_by("pk"):
        journal.change(message, thread=ours.pk)
    there = set(Following.objects.filter(thread=ours).values_list("user_id", flat=True))
    for one in Following.objects.filter(thread=theirs).exclude(user__in=there).order_by("pk"):
        journal.change(one, thread=ours.pk)


def differences_of_household(journal: Journal, loser: Household, survivor: Household) -> None:
    """Close what waits about the duplicate itself; what is about its members goes with them."""
    for one in Difference.objects.filter(household=loser).order_by("pk"):
        if one.kind == SubjectKind.PERSON:
            journal.change(
                one,
                household=survivor.pk,
                village=survivor.village_id,
                district=survivor.district_id,
            )
        elif one.is_waiting:
            journal.change(one, state=DifferenceState.GONE)


def differences_of_person(journal: Journal, loser: Person, survivor: Person) -> None:
    """Close what waits about the duplicate; its lists are compared with the survivor from now on."""
    for one in Difference.objects.filter(
        kind=SubjectKind.PERSON, subject_id=loser.pk, state__in=WAITING
    ).order_by("pk"):
        journal.change(one, state=DifferenceState.GONE)


def count_messages(household: Household) -> None:
    """Bring a thread's count and date of the last message in step with its messages."""
    for thread in Thread.objects.filter(
        subject_type=household._meta.label_lower, subject_id=str(household.pk)
    ):
        thread.message_count = thread.messages.count()
        thread.last_message_at = thread.messages.aggregate(last=Max("written_at"))["last"]
        thread.save(update_fields=["message_count", "last_message_at"])
