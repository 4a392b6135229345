"""Copying sub-activities with what they hang on into the next budget year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from guyub.programs import rules
from guyub.programs.models import Activity, Mission, Program, SubActivity
from guyub.programs.placing import place_sub_activity

COPIED = (
    "code", "name", "description", "strategy", "help_kind", "recipient", "desil_min", "desil_max",
    "target_note", "quota",
)  # fmt: skip


@dataclass
class Copied:
    """What copying made, and what it passed over with the reason."""

    made: list[SubActivity] = field(default_factory=list)
    skipped: list[tuple[SubActivity, str]] = field(default_factory=list)


def a_year_later(day: dt.date) -> dt.date:
    """Return the same day a year later; 28 February for the 29th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def scaled(amount: int, percent: int) -> int:
    """Return ``percent`` of an amount of rupiah, rounded to the whole rupiah, halves up."""
    return (amount * percent + 50) // 100


def copy(sub_activities: Iterable[SubActivity], percent: int) -> Copied:
    """Copy sub-activities of one agency and year into the next year, their money at ``percent``.

    Programs and activities that the next year lacks come along. Whatever it has already, by code or by
    name, is passed over, and so is what was cancelled. Run it inside a transaction.
    """
    outcome = Copied()
    programs: dict[int, Program] = {}
    activities: dict[int, Activity] = {}
    for sub in sub_activities:
        if sub.is_cancelled:
            outcome.skipped.append((sub, _("Dibatalkan")))
            continue
        if exists_next_year(sub):
            outcome.skipped.append((sub, _("Sudah ada di tahun berikutnya")))
            continue
        fundings = {
            source: scaled(amount, percent)
            for source, amount in sub.fundings.values_list("source", "amount")  # type: ignore[attr-defined]
        }
        values = {name: getattr(sub, name) for name in COPIED}
        values["starts_on"] = a_year_later(sub.starts_on)
        values["ends_on"] = a_year_later(sub.ends_on)
        try:
            activity = _activity(sub.activity, programs, activities)
            made = place_sub_activity(activity, values, fundings, sub.areas.all())
        except ValidationError as error:
            outcome.skipped.append((sub, " ".join(error.messages)))
            continue
        outcome.made.append(made)
    return outcome


def exists_next_year(sub: SubActivity) -> bool:
    """Tell whether the agency's next year has this sub-activity, by code or, lacking one, by name."""
    later = SubActivity.objects.filter(agency_id=sub.agency_id, year=sub.year + 1)
    if sub.code:
        return later.filter(code=sub.code).exists()
    return later.filter(name__iexact=sub.name, activity__name__iexact=sub.activity.name).exists()


def _activity(
    activity: Activity, programs: dict[int, Program], known: dict[int, Activity]
) -> Activity:
    if activity.pk in known:
        return known[activity.pk]
    program = _program(activity.program, programs)
    siblings = Activity.objects.filter(program=program).select_related("program__agency")
    found = (siblings.filter(code=activity.code).first() if activity.code else None) or (
        siblings.filter(name__iexact=activity.name).first()
    )
    if found is None:
        found = Activity(program=program, code=activity.code, name=activity.name)
        rules.check_activity(found)
        found.save(force_insert=True)
    known[activity.pk] = found
    return found


def _program(program: Program, known: dict[int, Program]) -> Program:
    if program.pk in known:
        return known[program.pk]
    later = Program.objects.filter(
        agency_id=program.agency_id, year=program.year + 1
    ).select_related("agency")
    found = (later.filter(code=program.code).first() if program.code else None) or (
        later.filter(name__iexact=program.name).first()
    )
    if found is None:
        found = Program(
            agency=program.agency,
            year=program.year + 1,
            code=program.code,
            name=program.name,
            description=program.description,
            mission=_mission(program.mission, program.year + 1),
        )
        rules.check_program(found)
        found.save(force_insert=True)
    known[program.pk] = found
    return found


def _mission(mission: Mission | None, year: int) -> Mission | None:
    """Return the mission for ``year``: the same while its plan runs, then none."""
    if mission is None or not mission.first_year <= year <= mission.last_year:
        return None
    return mission
