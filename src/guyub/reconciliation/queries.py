"""Reading merges: what is proposed, what was done, and to what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rapidfuzz import fuzz

from guyub.access import wall
from guyub.access.permissions import Scope, scope_of
from guyub.reconciliation.models import Merge, MergedRow
from guyub.reconciliation.services import MODELS, PICKABLE
from guyub.reconciliation.sources import Rule, reference_dataset, rules_in_force, weigh
from guyub.registry.models import Household, Origin, Person, SubjectKind
from guyub.registry.queries import Found, origins_of
from guyub.registry.services import stored
from guyub.registry.vocabulary import Status
from guyub.registry.wording import in_words

# Names this alike, with the same sex and birth date, may be one person.
ALIKE = 80
MEMBERS_COMPARED = 40


@dataclass
class Choice:
    """One field of two records side by side; ``suggested`` is "left" (survivor) or "right"."""

    name: str
    label: Any
    left: str
    right: str
    left_origin: Origin
    right_origin: Origin
    suggested: str
    why: str

    @property
    def differs(self) -> bool:
        return self.left != self.right


@dataclass
class Preview:
    """Two records on their way to be one."""

    kind: str
    survivor: Any
    loser: Any
    choices: list[Choice]
    same: int
    # What follows, by the words for it.
    following: list[tuple[str, int]] = field(default_factory=list)
    twins: list[tuple[Person, Person]] = field(default_factory=list)
    loser_head: Person | None = None


def flat_name(kind: str, name: str) -> str:
    """Return the column of the flat form for a field of a household or person."""
    if name != "status":
        return name
    return "household_status" if kind == SubjectKind.HOUSEHOLD else "person_status"


def shown(record: Any, name: str) -> str:
    """Return a value of a household or person as pages show it."""
    value = getattr(record, name)
    if name == "village":
        return f"{value.name} ({record.district.name})"
    text = stored(name, value)
    is_person = isinstance(record, Person)
    return in_words("person_status" if name == "status" and is_person else name, text)


def preview(kind: str, survivor: Any, loser: Any) -> Preview:
    """Return what two records say, what would win by the rule, and what would follow."""
    origins = origins_of([survivor, loser])
    reference, rules = reference_dataset(), rules_in_force()
    choices, same = [], 0
    for name in PICKABLE[SubjectKind(kind)]:
        left, right = getattr(survivor, name), getattr(loser, name)
        if left == right:
            same += 1
            continue
        left_origin = origins[survivor.origin_id_of(name)]
        right_origin = origins[loser.origin_id_of(name)]
        rule = rules.get(flat_name(kind, name), Rule())
        verdict = weigh(left_origin, right_origin, left, right, rule, reference)
        choices.append(
            Choice(
                name,
                survivor._meta.get_field(name).verbose_name,
                shown(survivor, name),
                shown(loser, name),
                left_origin,
                right_origin,
                verdict.winner,
                verdict.why,
            )
        )
    found = Preview(kind, survivor, loser, choices, same)
    if kind == SubjectKind.HOUSEHOLD:
        left_members = list(survivor.members.exclude(status=Status.MERGED).order_by("id"))
        right_members = list(loser.members.exclude(status=Status.MERGED).order_by("id"))
        found.twins = _twins((a, b) for b in right_members for a in left_members[:MEMBERS_COMPARED])
        found.loser_head = next(
            (p for p in right_members if p.relation == "head" and p.status == "active"), None
        )
        found.following.append((_("anggota keluarga"), len(right_members)))
    return found


def _twins(pairs: Iterable[tuple[Person, Person]]) -> list[tuple[Person, Person]]:
    """Return pairs that may be one person, each person in one pair at most, likeliest first."""
    likely = []
    for one, other in pairs:
        if one.birth_date is None or one.birth_date != other.birth_date or one.sex != other.sex:
            continue
        score = fuzz.token_sort_ratio(one.name, other.name)
        if score >= ALIKE:
            likely.append((score, one, other))
    likely.sort(key=lambda entry: (-entry[0], entry[1].pk, entry[2].pk))
    taken: set[int] = set()
    found = []
    for _score, one, other in likely:
        if not {one.pk, other.pk} & taken:
            taken |= {one.pk, other.pk}
            found.append((one, other))
    return found


def twins_within(home: Household) -> list[tuple[Person, Person]]:
    """Return members of one household who may be one person recorded twice."""
    members = list(home.members.filter(status=Status.ACTIVE).order_by("id")[:MEMBERS_COMPARED])
    return _twins(combinations(members, 2))


def better_first(kind: str, one: Any, other: Any) -> tuple[Any, Any]:
    """Return (survivor, loser) as proposed: who has a card number, is active, came first."""

    def rank(record: Any) -> tuple[bool, bool, int]:
        numbered = bool(record.nik if kind == SubjectKind.PERSON else record.kk)
        return (not numbered, record.status != Status.ACTIVE, record.pk)

    survivor, loser = sorted((one, other), key=rank)
    return survivor, loser


def merges_of(home: Household) -> list[Merge]:
    """Return the merges that made a household, or people who are or were in it, newest first."""
    people = list(home.members.values_list("pk", flat=True))
    return list(
        Merge.objects.filter(
            Q(kind=SubjectKind.HOUSEHOLD, survivor_id=home.pk)
            | Q(kind=SubjectKind.HOUSEHOLD, loser_id=home.pk)
            | Q(kind=SubjectKind.PERSON, survivor_id__in=people)
        ).select_related("by", "undone_by")[:20]
    )


def merges_for(user: Any) -> QuerySet[Merge]:
    """Return the merges that ``user`` may see, newest first."""
    merges = Merge.objects.select_related("village__parent", "by", "undone_by")
    scope = scope_of(user, "reconciliation.view")
    if scope is None:
        return merges.none()
    if scope is Scope.OWN_AREA:
        code = user.area_code or "-"
        merges = merges.filter(Q(village__code=code) | Q(village__code__startswith=code + "."))
    return merges


def named(merges: Iterable[Merge]) -> list[Merge]:
    """Give merges the records they are about as ``survivor`` and ``loser``. Two queries at most."""
    found = list(merges)
    for kind, model in MODELS.items():
        ids = {pk for m in found if m.kind == kind for pk in (m.survivor_id, m.loser_id)}
        # One of the two may live in another area than the merge is listed under.
        with wall.everything():
            records = model.objects.in_bulk(ids) if ids else {}
        for merge in found:
            if merge.kind == kind:
                merge.survivor = records.get(merge.survivor_id)  # type: ignore[attr-defined]
                merge.loser = records.get(merge.loser_id)  # type: ignore[attr-defined]
    return found


def moved_rows(merge: Merge) -> list[tuple[str, int]]:
    """Return how many rows of each kind a merge changed, as (what they are called, how many)."""
    counts: Counter[str] = Counter()
    for model, before in MergedRow.objects.filter(merge=merge).values_list("model", "before"):
        if before:
            counts[model] += 1
    return [(str(apps.get_model(m)._meta.verbose_name), n) for m, n in counts.most_common()]


def kept_in_words(merge: Merge) -> list[tuple[str, str]]:
    """Return what undoing left as it was edited, as (what kind of record, which value)."""
    found = []
    for label, _pk, name in merge.kept:
        model = apps.get_model(label)
        fields = {f.attname: f for f in model._meta.concrete_fields}
        known = fields.get(name)
        found.append((str(model._meta.verbose_name), str(known.verbose_name if known else name)))
    return found


@dataclass(frozen=True)
class Candidate:
    """A record that can be chosen for merging, with the household that it is or lives in."""

    record: Household | Person
    home: Household


def to_choose(found: Sequence[Found], is_people: bool, first: Any) -> list[Candidate]:
    """Return what can be chosen of what a search found: not the record chosen already, nothing merged.

    A household stands once however many of its members match. Of people, one who was found by name or
    number stands for themselves; a household found by its number or address for all its members.
    """
    if not is_people:
        homes = {row.household.pk: row.household for row in found}
        candidates = [Candidate(home, home) for home in homes.values()]
    else:
        whole = {row.household.pk: row.household for row in found if row.person is None}
        members = Person.objects.filter(household__in=whole).order_by("household", "pk")
        candidates = [
            *(Candidate(row.person, row.household) for row in found if row.person is not None),
            *(Candidate(person, whole[person.household_id]) for person in members),
        ]
    return [
        one
        for one in candidates
        if one.record.merged_into_id is None and (first is None or one.record.pk != first.pk)
    ]
