"""The sums of areas: households and people by desil, read from :class:`AreaCount` alone."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import QuerySet, Sum

from guyub.areas.models import Area, Level
from guyub.registry.measures import Tally
from guyub.registry.models import AreaCount


def districts() -> list[Area]:
    """Return all districts, in the order of their codes."""
    return list(Area.objects.filter(level=Level.DISTRICT))


def _tallies(counts: QuerySet[AreaCount], key: str) -> dict[int, Tally]:
    tallies: dict[int, Tally] = defaultdict(Tally)
    rows = counts.values_list(key, "desil").annotate(
        Sum("households"), Sum("people"), Sum("extreme_households")
    )
    for area_id, desil, households, people, extreme in rows:
        tally = tallies[area_id]
        tally.households[desil] += households
        tally.people[desil] += people
        tally.extreme_households += extreme
    return dict(tallies)


def tallies_by_district() -> dict[int, Tally]:
    """Return the numbers of every district, by area id."""
    return _tallies(AreaCount.objects.all(), "district_id")


def tallies_by_village(district: Area) -> dict[int, Tally]:
    """Return the numbers of the villages of ``district``, by area id."""
    return _tallies(AreaCount.objects.filter(village__parent=district), "village_id")


def tally_of_village(village: Area) -> Tally:
    """Return the numbers of one village."""
    return _tallies(AreaCount.objects.filter(village=village), "village_id").get(
        village.pk, Tally()
    )
