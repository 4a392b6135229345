"""Making and changing sub-activities with their money and areas.

Services call these inside their transactions, with the agency held, and tell the log: of one by one or
of a whole file at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guyub.areas.models import Area, Level
from guyub.programs import rules
from guyub.programs.models import Activity, Funding, SubActivity


def changes(record: Any, values: Mapping[str, Any]) -> list[str]:
    """Set ``values`` on ``record`` and return the names of the fields that differ."""
    changed = [field for field, value in values.items() if getattr(record, field) != value]
    for field in changed:
        setattr(record, field, values[field])
    return changed


def place_sub_activity(
    activity: Activity,
    values: Mapping[str, Any],
    fundings: Mapping[str, int],
    areas: Iterable[Area],
) -> SubActivity:
    """Make a sub-activity for ``activity``, whose agency and year it takes.

    Raises:
        ValidationError: a value is amiss; faults of an amount stand under its source.
    """
    program = activity.program
    sub_activity = SubActivity(
        activity=activity, agency=program.agency, year=program.year, **values
    )
    rules.check_sub_activity(sub_activity, fundings)
    sub_activity.save(force_insert=True)
    _set_fundings(sub_activity, fundings)
    sub_activity.areas.set(settled_areas(areas))
    return sub_activity


def change_sub_activity(
    sub_activity: SubActivity,
    values: Mapping[str, Any],
    fundings: Mapping[str, int],
    areas: Iterable[Area],
) -> list[str]:
    """Change a sub-activity and return the names of what changed, ``fundings`` and ``areas`` among them.

    Raises:
        ValidationError: a value is amiss, or what it gives is changed after people were enrolled.
    """
    current = (
        SubActivity.objects.select_for_update(of=("self",))
        .select_related("activity__program", "agency")
        .get(pk=sub_activity.pk)
    )
    changed = changes(current, values)
    wanted = {source: amount for source, amount in fundings.items() if amount}
    money_changed = wanted != dict(current.fundings.values_list("source", "amount"))  # type: ignore[attr-defined]
    settled = settled_areas(areas)
    areas_changed = {area.pk for area in settled} != set(current.areas.values_list("pk", flat=True))
    if changed or money_changed:
        rules.check_sub_activity(current, fundings, set(changed))
    if changed:
        current.save()
    if money_changed:
        _set_fundings(current, fundings)
        changed.append("fundings")
    if areas_changed:
        current.areas.set(settled)
        changed.append("areas")
    return changed


def _set_fundings(sub_activity: SubActivity, fundings: Mapping[str, int]) -> None:
    Funding.objects.filter(sub_activity=sub_activity).delete()
    Funding.objects.bulk_create(
        Funding(sub_activity=sub_activity, source=source, amount=amount)
        for source, amount in fundings.items()
        if amount
    )


def settled_areas(areas: Iterable[Area]) -> list[Area]:
    """Return areas without those that another covers; none when they make up the whole regency."""
    chosen = {area.pk: area for area in areas}
    if any(area.level == Level.REGENCY for area in chosen.values()):
        return []
    settled = [area for area in chosen.values() if area.parent_id not in chosen]
    districts = Area.objects.filter(level=Level.DISTRICT)
    if settled and all(area.level == Level.DISTRICT for area in settled):
        return [] if len(settled) == districts.count() else settled
    return settled
