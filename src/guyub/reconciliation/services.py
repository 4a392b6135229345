"""Merging two records that are one household or one person, and undoing it exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.reconciliation import following
from guyub.reconciliation.journal import Journal, put_back
from guyub.reconciliation.models import Merge, MergedRow
from guyub.registry import bulk
from guyub.registry import services as registry
from guyub.registry.models import (
    HOUSEHOLD_FIELDS,
    PERSON_FIELDS,
    Household,
    Person,
    SubjectKind,
    ValueChange,
)
from guyub.registry.vocabulary import Relation, Status

MODELS: dict[str, type[Any]] = {SubjectKind.HOUSEHOLD: Household, SubjectKind.PERSON: Person}
# What one may choose of either record. Numbers are the record's own: choose the survivor by them.
PICKABLE = {
    SubjectKind.HOUSEHOLD: tuple(name for name in HOUSEHOLD_FIELDS if name != "kk"),
    SubjectKind.PERSON: tuple(name for name in PERSON_FIELDS if name != "nik"),
}
REASON_LENGTH = 10


def require_reason(reason: str) -> str:
    """Return ``reason`` tidied up.

    Raises:
        ValidationError: it is too short to say anything.
    """
    reason = reason.strip()
    if len(reason) < REASON_LENGTH:
        raise ValidationError({"reason": _("Tulis alasannya, paling sedikit 10 huruf.")})
    return reason[:300]


def _lock(kind: str, first: int, second: int) -> dict[int, Any]:
    """Lock two records, and for people their households before them; always in the same order."""
    model = MODELS[kind]
    if kind == SubjectKind.PERSON:
        homes = Person.objects.filter(pk__in=(first, second)).values_list("household_id", flat=True)
        list(Household.objects.select_for_update().filter(pk__in=list(homes)).order_by("pk"))
    rows = model.objects.select_for_update().filter(pk__in=(first, second)).order_by("pk")
    found = {row.pk: row for row in rows}
    if len(found) != 2:
        raise ValidationError(_("Pilih dua data yang berbeda."))
    return found


def refusal(loser: Any, survivor: Any) -> str:
    """Return why ``loser`` can't be merged into ``survivor``; empty when it can."""
    if loser.pk == survivor.pk:
        return _("Pilih dua data yang berbeda.")
    if loser.merged_into_id or survivor.merged_into_id:
        return _("Salah satu data ini sudah digabung ke data lain. Pakai data utamanya.")
    if isinstance(loser, Household) and loser.kk and not survivor.kk:
        return _("Keluarga yang punya nomor KK harus menjadi data utama. Tukar arahnya.")
    if isinstance(loser, Person) and loser.nik and not survivor.nik:
        return _("Orang yang punya NIK harus menjadi data utama. Tukar arahnya.")
    return ""


@transaction.atomic
def merge_households(
    loser: Household,
    survivor: Household,
    *,
    picked: Iterable[str],
    reason: str,
    actor: Any,
    same_people: Sequence[tuple[int, int]] = (),
    former_head: str = Relation.OTHER_KIN,
) -> Merge:
    """Make two households one.

    Args:
        loser: The duplicate. It stays in the database as merged, with its number.
        survivor: What stands afterwards, under its own number.
        picked: Fields whose value is taken from the loser.
        reason: Why they are one household; at least ten letters.
        actor: Who does it.
        same_people: Pairs of person ids, one of the loser's members and one of the survivor's, that
            are one person and are merged along.
        former_head: What the loser's head is to the survivor's head, where they are two people.

    Raises:
        ValidationError: one of them is merged already, the number would be lost, or no reason is given.
    """
    merge, lost, kept, journal = _begin(SubjectKind.HOUSEHOLD, loser, survivor, reason, actor)
    villages = [lost.village_id, kept.village_id]
    members = [*lost.members.all(), *kept.members.all()]
    mine = {person.pk for person in members if person.household_id == kept.pk}
    theirs = {person.pk for person in members if person.household_id == lost.pk}
    pairs = dict(same_people)
    if not (pairs.keys() <= theirs and set(pairs.values()) <= mine) or len(
        set(pairs.values())
    ) != len(list(same_people)):
        raise ValidationError(_("Setiap anggota hanya bisa disamakan dengan satu anggota lain."))
    if former_head not in Relation.values or former_head == Relation.HEAD:
        raise ValidationError(_("Pilih hubungan kepala keluarga yang digabung."))
    _forget([lost, kept], members)
    with (
        journal.watching(lost, "member_count", "head_name"),
        journal.watching(kept, "member_count", "head_name"),
    ):
        _move(journal, lost, kept)
        has_head = any(
            person.pk in mine and person.relation == Relation.HEAD and person.status == "active"
            for person in members
        )
        for person in members:
            if person.pk in theirs:
                person.refresh_from_db()
                if has_head and person.relation == Relation.HEAD and person.status == "active":
                    journal.change(person, relation=former_head)
        _pick(journal, lost, kept, SubjectKind.HOUSEHOLD, picked)
        journal.change(lost, merged_into=kept.pk, status=Status.MERGED)
        for home in (lost, kept):
            registry.refresh(home)
    journal.keep()
    _renew([lost, kept], members, villages=villages)
    _record("reconciliation.merge.households", merge, picked)
    for lost_person, kept_person in pairs.items():
        one, other = Person.objects.get(pk=lost_person), Person.objects.get(pk=kept_person)
        # Of a child who had no NIK at first, what knows the number stands.
        swapped = bool(one.nik and not other.nik)
        child = merge_people(
            other if swapped else one,
            one if swapped else other,
            picked=(),
            reason=reason,
            actor=actor,
        )
        child.parent = merge
        child.save(update_fields=["parent"])
    return merge


@transaction.atomic
def merge_people(
    loser: Person, survivor: Person, *, picked: Iterable[str], reason: str, actor: Any
) -> Merge:
    """Make two records of one person one; parameters as of :func:`merge_households`.

    The survivor stays in its household, and the duplicate goes with it from then on.
    """
    merge, lost, kept, journal = _begin(SubjectKind.PERSON, loser, survivor, reason, actor)
    homes = list(Household.objects.filter(pk__in={lost.household_id, kept.household_id}))
    home_of = {home.pk: home for home in homes}
    _forget([], [lost, kept])
    with (
        journal.watching(home_of[lost.household_id], "member_count", "head_name"),
        journal.watching(home_of[kept.household_id], "member_count", "head_name"),
    ):
        _move(journal, lost, kept)
        _pick(journal, lost, kept, SubjectKind.PERSON, picked)
        journal.change(lost, merged_into=kept.pk, status=Status.MERGED, household=kept.household_id)
        for home in homes:
            registry.refresh(home)
    journal.keep()
    _renew(homes, [lost, kept], subjects=[lost, kept], addresses=False)
    _record("reconciliation.merge.people", merge, picked)
    return merge


def _begin(
    kind: str, loser: Any, survivor: Any, reason: str, actor: Any
) -> tuple[Merge, Any, Any, Journal]:
    reason = require_reason(reason)
    locked = _lock(kind, loser.pk, survivor.pk)
    lost, kept = locked[loser.pk], locked[survivor.pk]
    if why := refusal(lost, kept):
        raise ValidationError(why)
    home = kept if kind == SubjectKind.HOUSEHOLD else kept.household
    merge = Merge.objects.create(
        kind=kind, survivor_id=kept.pk, loser_id=lost.pk, village_id=home.village_id,
        reason=reason, by=actor, at=timezone.now(),
    )  # fmt: skip
    journal = Journal(merge)
    # Whatever happens to the survivor later must be undone before this.
    journal.note(kept, {}, {})
    return merge, lost, kept, journal


def _move(journal: Journal, lost: Any, kept: Any) -> None:
    for followed in following.of_kind(type(lost)):
        assert followed.move is not None
        followed.move(journal, lost, kept)


def _pick(journal: Journal, lost: Any, kept: Any, kind: str, picked: Iterable[str]) -> None:
    """Take the values of ``picked`` from the loser, with their origins and in the history."""
    names = [name for name in PICKABLE[SubjectKind(kind)] if name in set(picked)]
    values: dict[str, Any] = {}
    origins = dict(kept.origins)
    for name in names:
        attname = kept._meta.get_field(name).attname
        if getattr(lost, attname) == getattr(kept, attname):
            continue
        _history(kind, kept, name, lost, lost.origin_id_of(name))
        values[name] = getattr(lost, attname)
        origins[name] = lost.origin_id_of(name)
    if "village" in values:
        values["district"] = lost.district_id
    if values:
        journal.change(kept, **values, origins=origins)
    journal.merge.picked = [name for name in names if name in values]
    journal.merge.save(update_fields=["picked"])


def _history(kind: str, kept: Any, name: str, other: Any, new_origin: int) -> None:
    ValueChange.objects.create(
        kind=kind,
        subject_id=kept.pk,
        household_id=kept.pk if kind == SubjectKind.HOUSEHOLD else kept.household_id,
        field=name,
        old=registry.stored(name, getattr(kept, name)),
        new=registry.stored(name, getattr(other, name)),
        old_origin_id=kept.origin_id_of(name),
        new_origin_id=new_origin,
        at=timezone.now(),
    )


def _forget(homes: Sequence[Household], people: Sequence[Person]) -> None:
    """Take records out of the search keys, as they are before the change."""
    villages = dict(
        Household.objects.filter(pk__in={p.household_id for p in people}).values_list(
            "pk", "village_id"
        )
    )
    for home in homes:
        registry.forget_address(home)
    for person in people:
        registry.forget_person(person.pk, person.name, villages[person.household_id])


def _renew(
    homes: Sequence[Household],
    people: Sequence[Person],
    *,
    subjects: Sequence[Any] = (),
    addresses: bool = True,
    villages: Iterable[int] = (),
) -> None:
    """Bring search keys, counts and kept sums in step with how things stand now."""
    present = list(Household.objects.filter(pk__in=[home.pk for home in homes]))
    if addresses:
        for home in present:
            if home.merged_into_id is None:
                registry.index_address(home)
    for person in Person.objects.filter(pk__in=[p.pk for p in people]).select_related("household"):
        if person.merged_into_id is None:
            registry.index_person(person, person.household.village_id)
    bulk.recount_areas(
        {*villages, *(h.village_id for h in homes), *(h.village_id for h in present)}
    )
    for subject in subjects or present:
        for followed in following.of_kind(type(subject)):
            if followed.renew is not None:
                followed.renew(subject)


def _record(action: str, merge: Merge, picked: Iterable[str]) -> None:
    audit.record(
        action,
        actor=merge.by,
        subject=merge,
        reason=merge.reason,
        detail={
            "survivor": merge.survivor_id,
            "loser": merge.loser_id,
            "picked": merge.picked,
            "rows": merge.rows.count(),
        },
    )


# Undoing


def blocking(merge: Merge) -> list[Merge]:
    """Return later merges that touched the same records, so that they must be undone first."""
    family = {merge.pk, *merge.children.values_list("pk", flat=True)}
    rows = {(row.model, row.row_id) for row in MergedRow.objects.filter(merge__in=family)}
    later = MergedRow.objects.filter(
        merge__undone_at=None,
        merge_id__gt=merge.pk,
        row_id__in={row_id for _model, row_id in rows},
    ).exclude(merge__in=family)
    found = {row.merge_id for row in later if (row.model, row.row_id) in rows}
    # A pair of people merged along is undone with its household.
    return list(Merge.objects.filter(pk__in=found).order_by("-pk"))


@transaction.atomic
def unmerge(merge: Merge, *, reason: str, actor: Any) -> Merge:
    """Take two merged records apart again, each as it was.

    What was edited since the merge stays with the record on which it stands, and ``kept`` tells which
    values these are. People who were merged along with their households are taken apart first.

    Raises:
        ValidationError: it was undone already, a later merge builds on it, or no reason is given.
    """
    reason = require_reason(reason)
    merge = Merge.objects.select_for_update(of=("self",)).select_related("village").get(pk=merge.pk)
    if merge.undone_at is not None:
        raise ValidationError(_("Penggabungan ini sudah dipisah."))
    later = blocking(merge)
    if later:
        raise ValidationError(
            _("Data ini digabung lagi sesudahnya. Pisahkan dahulu penggabungan nomor %(numbers)s.")
            % {"numbers": ", ".join(str(one.pk) for one in later[:5])}
        )
    for child in merge.children.filter(undone_at=None).order_by("-pk"):
        unmerge(child, reason=reason, actor=actor)
    locked = _lock(merge.kind, merge.loser_id, merge.survivor_id)
    lost, kept = locked[merge.loser_id], locked[merge.survivor_id]
    before = {name: getattr(kept, name) for name in merge.picked}
    is_household = merge.kind == SubjectKind.HOUSEHOLD
    homes = [lost, kept] if is_household else _homes_of(merge)
    people = list(kept.members.all()) + list(lost.members.all()) if is_household else [lost, kept]
    _forget(homes if is_household else [], people)
    try:
        with transaction.atomic():
            left = put_back(merge, (lost._meta.label_lower, lost.pk))
    except IntegrityError as error:
        raise ValidationError(
            _("Sesudah digabung, data baru dicatat yang bertentangan dengan keadaan semula.")
        ) from error
    merge.undone_by, merge.undone_at, merge.undo_reason = actor, timezone.now(), reason
    merge.kept = [[model, pk, field] for model, pk, field in left]
    merge.save(update_fields=["undone_by", "undone_at", "undo_reason", "kept"])
    now_kept = MODELS[merge.kind].objects.get(pk=kept.pk)
    for name in merge.picked:
        if getattr(now_kept, name) != before[name]:
            setattr(kept, name, before[name])
            _history(merge.kind, kept, name, now_kept, now_kept.origin_id_of(name))
    derived = {"member_count", "head_name"}
    for home in Household.objects.filter(pk__in=[home.pk for home in homes]):
        if any(m == "registry.household" and pk == home.pk and f in derived for m, pk, f in left):
            registry.refresh(home)
    _renew(
        homes, people, subjects=() if is_household else [lost, kept], addresses=is_household,
        villages=[home.village_id for home in homes],
    )  # fmt: skip
    audit.record(
        "reconciliation.merge.undo",
        actor=actor,
        subject=merge,
        reason=reason,
        detail={"survivor": kept.pk, "loser": lost.pk, "kept": len(left)},
    )
    return merge


def _homes_of(merge: Merge) -> list[Household]:
    """Return the households that a merge of people touches: where they are, and where they were."""
    ids = set(
        Person.objects.filter(pk__in=(merge.loser_id, merge.survivor_id)).values_list(
            "household_id", flat=True
        )
    )
    row = merge.rows.filter(model="registry.person", row_id=merge.loser_id).last()
    if row is not None and "household_id" in row.before:
        ids.add(row.before["household_id"])
    return list(Household.objects.filter(pk__in=ids))
