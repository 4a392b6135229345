"""Writing into the registry what was decided about a household's members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from guyub.fieldwork import member_fields as fields
from guyub.fieldwork.comparing import Row
from guyub.fieldwork.members import Member, Members, Stranger
from guyub.fieldwork.models import FieldDecision, Submission, Visit
from guyub.fieldwork.services import day_of
from guyub.registry import services as registry
from guyub.registry.models import Channel, Household, Person

KEEP = "now"  # the choice to leave the registry as it is
ADD = "add"  # the choice to add somebody who is not in it
Final = dict[str, tuple[str, Submission]]  # {key of a row: value and whose it is}


@dataclass(frozen=True)
class Finished:
    """What became of all that was said of members; ``brought`` are submissions with a new member."""

    final: Final
    brought: set[int]


def checked_choices(
    rows: Iterable[Row], strangers: Iterable[Stranger], choices: dict[str, str]
) -> None:
    """See that there is a choice for all that needs one.

    Raises:
        ValidationError: one is missing or not offered, by the name of its field on the page.
    """
    missing = {
        f"pilih-{row.key}": _("Pilih isian mana yang dipakai untuk %(field)s.")
        % {"field": row.label}
        for row in rows
        if row.is_disputed
        and choices.get(row.key)
        not in {KEEP, *(str(voice.submission.pk) for voice in row.voices if voice.value)}
    }
    missing |= {
        f"pilih-{one.key}": _("Pilih apakah %(name)s anggota baru.") % {"name": one.name}
        for one in strangers
        if choices.get(one.key) not in ({KEEP} if one.lacks else {KEEP, ADD})
    }
    if missing:
        raise ValidationError(missing)


def chosen(rows: Iterable[Row], choices: dict[str, str]) -> Final:
    """Return the values that stand by what was chosen, or by what all agree on."""
    final: Final = {}
    for row in rows:
        choice = choices.get(row.key, "") if row.is_disputed else ""
        if row.is_disputed and choice != KEEP:
            voice = next(v for v in row.voices if str(v.submission.pk) == choice)
            if voice.value:
                final[row.key] = voice.value, voice.submission
        elif not row.is_disputed and row.agreed:
            final[row.key] = (
                row.agreed,
                next(v.submission for v in reversed(row.voices) if v.value),
            )
    return final


def note_of(submission: Submission) -> str:
    """Return what the origin of a value says of the submission that brought it."""
    return _("%(submission)s: %(round)s") % {
        "submission": submission,
        "round": submission.round or submission.form_version.form,
    }


def finish_members(
    group: Sequence[Submission],
    found: Members,
    home: Household | None,
    visit: Visit | None,
    *,
    actor: Any,
    choices: dict[str, str],
) -> Finished:
    """Change and add members as was decided, and keep each decision.

    Restricted people stay as they are.

    Raises:
        ValidationError: the registry refuses.
    """
    final = chosen(found.rows, choices)
    try:
        for member in found.known:
            _write(group, member, final, visit, actor)
        brought = {
            _add(one, home, visit, actor).pk
            for one in found.strangers
            if choices.get(one.key) == ADD and home is not None
        }
    except registry.RegistryError as error:
        raise ValidationError(str(error)) from error
    return Finished(final, brought)


def _write(
    group: Sequence[Submission], member: Member, final: Final, visit: Visit | None, actor: Any
) -> None:
    for one in group:
        values = {
            row.name: final[row.key][0]
            for row in member.rows
            if row.key in final
            and final[row.key][1].pk == one.pk
            and not fields.same(row.name, final[row.key][0], row.now)
        }
        if values:
            registry.edit_person(
                member.person,
                fields.to_columns(values),
                as_of=day_of(one.finished_at, one.received_at),
                actor=actor,
                reason=note_of(one),
                channel=Channel.FIELD,
            )
    FieldDecision.objects.bulk_create(
        FieldDecision(
            visit=visit,
            submission=final[row.key][1] if row.key in final else None,
            person=member.person,
            field=row.name,
            old=_kept(row.name, row.now),
            new=_kept(row.name, final[row.key][0] if row.key in final else row.now),
            was_disputed=row.is_disputed,
            decided_by=actor,
        )
        for row in member.rows
        if row.is_news
    )


def _kept(name: str, value: str) -> str:
    return (fields.shown(name, value) if name == fields.NIK else value)[:250]


def _add(one: Stranger, home: Household, visit: Visit | None, actor: Any) -> Submission:
    submission, values = one.submission, fields.to_columns(one.said.values)
    if registry.recorded_in(home, values) is not None:
        # Two submissions of one visit tell of the same new member.
        return submission
    person: Person = registry.add_person(
        home,
        values,
        as_of=day_of(submission.finished_at, submission.received_at),
        actor=actor,
        note=note_of(submission),
        channel=Channel.FIELD,
    )
    FieldDecision.objects.create(
        visit=visit,
        submission=submission,
        person=person,
        field=fields.ADDED,
        new=person.name[:250],
        was_disputed=True,
        decided_by=actor,
    )
    return submission
