"""Taking a household or a person out of the database for good.

Their rows stay as empty shells, so that what must be kept (that so many rupiah were handed over on such
a day) still counts, yet says of nobody. What is only about them is deleted. Whatever else points at a
household or person must be declared here or by its app, with :func:`erase_with` or :func:`keep`; a
test fails otherwise.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, ProtectedError, Q, QuerySet
from django.utils import timezone

from guyub.access.sealing import seal
from guyub.beneficiaries.models import Delivery, Enrolment, EnrolmentStep
from guyub.discussions.models import Attachment, Message, Thread
from guyub.fieldwork.models import Attachment as FieldFile
from guyub.fieldwork.models import AttachmentPart, FieldDecision, Submission, Visit
from guyub.linking.models import Decision, Pair
from guyub.proposals.models import Proposal, ProposalFile, ProposalStep
from guyub.reconciliation.models import Difference, MergedRow
from guyub.registry import bulk
from guyub.registry.models import (
    HOUSEHOLD_FIELDS,
    PERSON_FIELDS,
    Channel,
    Household,
    Listing,
    Move,
    Origin,
    Person,
    Photo,
    Restriction,
    SubjectKind,
    ValueChange,
)
from guyub.registry.services import forget_address, forget_person, refresh
from guyub.registry.vocabulary import Status


@dataclass
class Leftover:
    """What remains to be done outside the database: stored files, and sealed numbers in lists."""

    files: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    def add(self, other: Leftover) -> None:
        self.files += other.files
        self.numbers += other.numbers


@dataclass(frozen=True)
class Erased:
    """Whom it is about: ids, duplicates merged into them included."""

    households: frozenset[int]
    people: frozenset[int]


Eraser = Callable[[Erased], Leftover]
_erasers: list[Eraser] = []
_declared: dict[str, str] = {}


def erase_with(eraser: Eraser, *fields: str, how: str) -> None:
    """Have ``eraser`` called for whoever is erased; it sees to ``fields`` (``app.Model.field``)."""
    if eraser not in _erasers:
        _erasers.append(eraser)
    _declared.update(dict.fromkeys(fields, how))


def keep(*fields: str, why: str) -> None:
    """Say that rows go on pointing at the empty shell, and why they may."""
    _declared.update(dict.fromkeys(fields, why))


def declared() -> dict[str, str]:
    """Return what is said of each field that points at a household or person."""
    return dict(_declared)


def erase_household(household: Household) -> Leftover:
    """Erase a household with all its members. Call within a transaction."""
    homes = [household, *Household.objects.filter(merged_into=household)]
    ids = {home.pk for home in homes}
    people = set(Person.objects.filter(household__in=ids).values_list("pk", flat=True))
    people |= set(Person.objects.filter(merged_into__in=people).values_list("pk", flat=True))
    return _erase(Erased(frozenset(ids), frozenset(people)))


def erase_person(person: Person) -> Leftover:
    """Erase one person; the household stays while others live in it. Call within a transaction."""
    home = person.household
    same = {person.pk, *Person.objects.filter(merged_into=person).values_list("pk", flat=True)}
    others = home.members.exclude(pk__in=same).exclude(status__in=(Status.MERGED, Status.ERASED))
    if not others.exists():
        return erase_household(home)
    left = _erase(Erased(frozenset(), frozenset(same)))
    refresh(home)
    bulk.recount_areas([home.village_id])
    return left


def _erase(whom: Erased) -> Leftover:
    homes = list(Household.objects.select_for_update().filter(pk__in=whom.households))
    people = list(
        Person.objects.select_for_update(of=("self",))
        .select_related("household")
        .filter(pk__in=whom.people)
    )
    numbers = [p.nik for p in people] + [h.kk for h in homes]
    left = Leftover(numbers=[seal(number) for number in numbers if number])
    for eraser in _erasers:
        left.add(eraser(whom))
    _forget_origins([*homes, *people], whom)
    now = timezone.now()
    for person in people:
        forget_person(person.pk, person.name, person.household.village_id)
        _empty(person, PERSON_FIELDS)
        # Nobody's number: no place begins with 00, and none can be guessed back.
        person.nik = f"00{secrets.randbelow(10**14):014d}"
        person.updated_at = now
    for home in homes:
        forget_address(home)
        _empty(home, HOUSEHOLD_FIELDS)
        home.head_name, home.member_count = "", 0
    for record in [*people, *homes]:
        record.save()
    if homes:
        bulk.recount_areas({home.village_id for home in homes})
    return left


def _empty(record: Household | Person, names: Iterable[str]) -> None:
    """Blank the values of a record. Where it was stays: sums by village are no data of anybody."""
    for name in names:
        kind = record._meta.get_field(name)
        if name in ("village", "status"):
            continue
        setattr(record, name, None if kind.null else "")  # type: ignore[union-attr]
    record.origins = {}
    record.status = Status.ERASED


def _forget_origins(records: list[Any], whom: Erased) -> None:
    """Take away what people wrote when they entered values by hand, and the history of the values."""
    changes = ValueChange.objects.filter(
        Q(kind=SubjectKind.PERSON, subject_id__in=whom.people)
        | Q(kind=SubjectKind.HOUSEHOLD, subject_id__in=whom.households)
    )
    ids = {record.origin_id for record in records}
    ids |= {int(pk) for record in records for pk in record.origins.values()}
    for pair in changes.values_list("old_origin_id", "new_origin_id"):
        ids.update(pk for pk in pair if pk is not None)
    changes.delete()
    # What is said of a whole list stays; one entry by hand is about one record.
    Origin.objects.filter(pk__in=ids, channel=Channel.MANUAL).exclude(note="").update(note="")


# What hangs on them


def _registry(whom: Erased) -> Leftover:
    photos = Photo.objects.filter(household__in=whom.households)
    files = [str(name) for name in photos.values_list("file", flat=True)]
    photos.delete()
    Listing.objects.filter(household__in=whom.households).delete()
    Restriction.objects.filter(
        Q(household__in=whom.households) | Q(person__in=whom.people)
    ).delete()
    Move.objects.filter(
        Q(person__in=whom.people)
        | Q(from_household__in=whom.households)
        | Q(to_household__in=whom.households)
    ).delete()
    return Leftover(files)


def _comparisons(whom: Erased) -> Leftover:
    Difference.objects.filter(
        Q(household__in=whom.households) | Q(kind=SubjectKind.PERSON, subject_id__in=whom.people)
    ).delete()
    MergedRow.objects.filter(
        Q(model="registry.household", row_id__in=whom.households)
        | Q(model="registry.person", row_id__in=whom.people)
    ).delete()
    Pair.objects.filter(person__in=whom.people).delete()
    Decision.objects.filter(Q(person__in=whom.people) | Q(other__in=whom.people)).delete()
    return Leftover()


def _help(whom: Erased) -> Leftover:
    """Take away enrolments that came to nothing; of the others keep only what was handed over."""
    mine = Enrolment.objects.filter(Q(household__in=whom.households) | Q(person__in=whom.people))
    given = Exists(Delivery.objects.filter(enrolment=OuterRef("pk")))
    for enrolment in mine.filter(~given):
        try:
            enrolment.delete()
        except ProtectedError:
            # Something further down hangs on it; it stays without words.
            continue
    mine.update(reason="")
    EnrolmentStep.objects.filter(enrolment__in=mine.values("pk")).update(reason="", note="")
    return Leftover()


def blank_proposals(proposals: QuerySet[Proposal]) -> dict[int, Leftover]:
    """Leave of proposals and complaints that there was one, where, of what kind and how it ended."""
    ids = list(proposals.values_list("pk", flat=True))
    left: dict[int, Leftover] = {pk: Leftover() for pk in ids}
    files = ProposalFile.objects.filter(step__proposal__in=ids)
    for owner, name in files.values_list("step__proposal_id", "file"):
        left[owner].files.append(str(name))
    files.delete()
    ProposalStep.objects.filter(proposal__in=ids).update(text="", answer="")
    Visit.objects.filter(proposal__in=ids).update(name="", address="", rt="", rw="")
    for proposal in Proposal.objects.filter(pk__in=ids):
        for name in (
            "head_name", "nik", "kk", "sex", "address", "rt", "rw", "reason", "citizen_name",
            "citizen_contact",
        ):  # fmt: skip
            setattr(proposal, name, "")
        proposal.birth_date = None
        proposal.save()
    return left


def _proposals(whom: Erased) -> Leftover:
    known = Person.objects.filter(pk__in=whom.people).exclude(nik="")
    numbers = list(known.values_list("nik", flat=True))
    left = Leftover()
    found = Proposal.objects.filter(Q(household__in=whom.households) | Q(nik__in=numbers))
    for one in blank_proposals(found).values():
        left.add(one)
    return left


def blank_submissions(submissions: QuerySet[Submission]) -> dict[int, Leftover]:
    """Leave of what came from the field that it came: when, by whom, in which round."""
    ids = list(submissions.values_list("pk", flat=True))
    left: dict[int, Leftover] = {pk: Leftover() for pk in ids}
    for model, owner in ((AttachmentPart, "attachment__submission"), (FieldFile, "submission")):
        rows = model._default_manager.filter(**{f"{owner}__in": ids}).exclude(file="")
        for pk, name in rows.values_list(f"{owner}_id", "file"):
            left[pk].files.append(str(name))
    FieldFile.objects.filter(submission__in=ids).delete()
    FieldDecision.objects.filter(Q(submission__in=ids) | Q(visit__submissions__in=ids)).update(
        old="", new=""
    )
    for submission in Submission.objects.filter(pk__in=ids):
        submission.answers, submission.seen, submission.decision_note = {}, {}, ""
        submission.matches = {}
        # A fingerprint of answers could be tried out against guesses.
        submission.digest = ""
        submission.save(update_fields=["answers", "seen", "matches", "decision_note", "digest"])
    return left


def _field_work(whom: Erased) -> Leftover:
    visits = Visit.objects.filter(household__in=whom.households)
    visits.update(name="", address="", rt="", rw="")
    left = Leftover()
    came = Submission.objects.filter(Q(household__in=whom.households) | Q(visit__in=visits))
    for one in blank_submissions(came).values():
        left.add(one)
    return left


def blank_messages(messages: QuerySet[Message]) -> dict[int, Leftover]:
    """Take text and files out of messages; like one that was withdrawn, each leaves its place."""
    ids = list(messages.values_list("pk", flat=True))
    left: dict[int, Leftover] = {pk: Leftover() for pk in ids}
    files = Attachment.objects.filter(message__in=ids)
    for message, name in files.values_list("message_id", "file"):
        left[message].files.append(str(name))
    files.delete()
    Message.objects.filter(pk__in=ids).update(text="", withdrawn_at=timezone.now())
    return left


def _talk(whom: Erased) -> Leftover:
    threads = Thread.objects.filter(
        subject_type=Household._meta.label_lower, subject_id__in=[str(pk) for pk in whom.households]
    )
    left = Leftover()
    for one in blank_messages(Message.objects.filter(thread__in=threads)).values():
        left.add(one)
    return left


def declare() -> None:
    """Say what becomes of everything above; called when the app is ready."""
    erase_with(
        _registry, "registry.Photo.household", "registry.Listing.household",
        "registry.Restriction.household", "registry.Restriction.person", "registry.Move.person",
        "registry.Move.from_household", "registry.Move.to_household", how="deleted",
    )  # fmt: skip
    erase_with(
        _comparisons, "reconciliation.Difference.household", "reconciliation.Difference.subject_id",
        "linking.Pair.person", "linking.Decision.person", "linking.Decision.other", how="deleted",
    )  # fmt: skip
    erase_with(
        _help, "beneficiaries.Enrolment.household", "beneficiaries.Enrolment.person",
        how="deleted without deliveries; else amount and date stay, as proof of spending",
    )  # fmt: skip
    erase_with(_proposals, "proposals.Proposal.household", how="emptied of names and words")
    erase_with(
        _field_work, "fieldwork.Visit.household", "fieldwork.Submission.household",
        "fieldwork.FieldDecision.person", how="emptied of answers and files",
    )  # fmt: skip
    erase_with(_talk, "discussions.Thread.subject_id", how="emptied of words and files")
    changed = "deleted with the record's history"
    _declared.update({
        "registry.ValueChange.subject_id": changed, "registry.ValueChange.household_id": changed,
        "registry.PersonKey.person_id": "search keys are taken out",
        "registry.AddressKey.household_id": "search keys are taken out",
    })  # fmt: skip
    keep(
        "registry.Person.household", "registry.Person.merged_into", "registry.Household.merged_into",
        why="shells of one household stay together",
    )  # fmt: skip
    keep("connections.RegistryChange.household_id", why="dropped as soon as partners were told")
    keep("meetings.AgendaItem.subject_id", why="an agenda is never about one household")
    keep("audit.Event.subject_id", why="the log holds ids, no values, and stays whole")
