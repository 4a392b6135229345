"""What a plan is reckoned from: every household's severity, and which sub-activities it is meant for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from guyub.allocation.models import Scenario, ScenarioOffer
from guyub.allocation.optimum import MILD, MODERATE, SEVERE
from guyub.areas.models import Area
from guyub.beneficiaries.applying import within_areas
from guyub.beneficiaries.models import HELPED, Enrolment
from guyub.overlaps.definitions import DESILS, Territory, desil_range
from guyub.overlaps.reckoning import ID_BITS, SUB_BITS, packed_column, places_of
from guyub.programs.models import SubActivity
from guyub.registry.models import Household
from guyub.registry.restriction import HOUSEHOLD_IDS
from guyub.registry.vocabulary import Status
from guyub.targeting.queries import households_matching

HOUSEHOLDS = Household._meta.db_table
# Households of unknown expenditure stand behind the others of their desil.
UNKNOWN_EXPENDITURE = 2**31 - 1

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Facts:
    """All arrays have one entry a household, the worst off first: by desil, expenditure, id.

    ``eligible`` has a row for each offer: whether the household still needs what it gives and is in its
    target group. ``helped`` has bit *k* set where it is helped with ``kinds[k]`` already this year.
    """

    offers: Sequence[ScenarioOffer]
    kinds: Sequence[str]
    ids: Any  # int64
    villages: Any  # int64: ids of areas
    severity: Any  # int8
    raised: Any  # bool: whether a priority rule raised the severity
    eligible: Any  # bool, offers by households
    helped: Any  # int64


def gather(scenario: Scenario, tell: Tell) -> Facts:
    """Read the registry, the year's enrolments and the rules. A few queries, and one per sub-activity.

    Raises:
        RuleError: a rule that decides who a sub-activity is for can't be understood.
    """
    offers = [
        offer
        for offer in scenario.offers.select_related("sub_activity").order_by("pk")
        if offer.included
    ]
    subs = [offer.sub_activity for offer in offers]
    kinds = sorted({sub.help_kind for sub in subs})
    steps = len(offers) + 2
    ids, villages, desil, extreme = _households()
    position = places_of(ids) if len(ids) else np.full(1, -1)
    tell(1, steps)

    severity = np.full(len(ids), MILD, dtype=np.int8)
    known = desil > 0
    severity[known & (desil <= scenario.moderate_desil)] = MODERATE
    severity[known & (desil <= scenario.severe_desil)] = SEVERE
    if scenario.extreme_is_severe:
        severity[extreme] = SEVERE
    raised = np.zeros(len(ids), dtype=bool)
    for rule in scenario.priority_rules.select_related("current_version"):
        if rule.current_version is not None:
            raised |= _mask(households_matching(rule.current_version), position, len(ids))
    severity[raised] = np.minimum(severity[raised] + 1, SEVERE)

    helped = _helped(scenario.year, kinds, position, len(ids))
    tell(2, steps)
    territory = Territory(Area.objects.all())
    eligible = np.zeros((len(subs), len(ids)), dtype=bool)
    for number, sub in enumerate(subs):
        fits = _target(sub, territory, position, villages, desil)
        fits &= (helped >> kinds.index(sub.help_kind) & 1) == 0
        eligible[number] = fits
        tell(number + 3, steps)
    return Facts(offers, kinds, ids, villages, severity, raised, eligible, helped)


def _households() -> tuple[Any, Any, Any, Any]:
    """Return ids, villages, desils (0 unknown) and whether extremely poor, of the active households."""
    active = (f"status = %s AND id NOT IN ({HOUSEHOLD_IDS})", [Status.ACTIVE.value])
    # village, then extreme poverty in one bit and desil in four, then id from the top down.
    first = packed_column(
        f"((village_id * 32 + CASE WHEN extreme_poor THEN 16 ELSE 0 END + coalesce(desil, 0))"
        f" * {1 << ID_BITS}) + id",
        HOUSEHOLDS,
        *active,
    )
    ids = first & ((1 << ID_BITS) - 1)
    rest = first >> ID_BITS
    order = np.argsort(ids)
    ids, rest = ids[order], rest[order]
    desil = rest & 15
    extreme = (rest >> 4 & 1).astype(bool)
    villages = rest >> 5
    # Ids fit into the 32 bits below an expenditure of 31.
    second = packed_column(
        f"coalesce(expenditure, {UNKNOWN_EXPENDITURE}) * {1 << 32} + id", HOUSEHOLDS, *active
    )
    owner = second & ((1 << 32) - 1)
    second = second[np.argsort(owner)]
    if len(second) != len(ids) or not np.array_equal(np.sort(owner), ids):
        # Somebody came or went between the two queries; who is not in both waits for the next time.
        both = np.intersect1d(ids, owner)
        keep, keep_second = np.isin(ids, both), np.isin(np.sort(owner), both)
        ids, desil, extreme, villages = ids[keep], desil[keep], extreme[keep], villages[keep]
        second = second[keep_second]
    rank = np.lexsort((ids, second >> 32, np.where(desil > 0, desil, DESILS)))
    return ids[rank], villages[rank], desil[rank], extreme[rank]


def _mask(households: QuerySet[Any], position: Any, size: int) -> Any:
    """Return which households of the arrays ``households`` names."""
    found = np.zeros(size, dtype=bool)
    try:
        sql, parameters = households.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return found
    ids = packed_column("id", HOUSEHOLDS, f"id IN ({sql})", parameters)
    at = position[np.minimum(ids, len(position) - 1)]
    found[at[at >= 0]] = True
    return found


def _helped(year: int, kinds: Sequence[str], position: Any, size: int) -> Any:
    """Return for each household the kinds that it is helped with already, as bits."""
    helped = np.zeros(size, dtype=np.int64)
    marks = ", ".join(["%s"] * len(HELPED))
    pairs = packed_column(
        f"household_id * {1 << SUB_BITS} + sub_activity_id",
        Enrolment._meta.db_table,
        f"year = %s AND stage IN ({marks})",
        [year, *(stage.value for stage in HELPED)],
    )
    home, sub = pairs >> SUB_BITS, pairs & ((1 << SUB_BITS) - 1)
    at = position[np.minimum(home, len(position) - 1)] if len(pairs) else home
    of_kind = dict(SubActivity.objects.filter(year=year).values_list("pk", "help_kind"))
    for number, kind in enumerate(kinds):
        mine = np.array([pk for pk, found in of_kind.items() if found == kind], dtype=np.int64)
        given = at[np.isin(sub, mine) & (at >= 0)]
        helped[given] |= np.int64(1) << np.int64(number)
    return helped


def _target(
    sub: SubActivity, territory: Territory, position: Any, villages: Any, desil: Any
) -> Any:
    """Return which households a sub-activity is for: by its rules where it has any, else by desil."""
    areas = list(sub.areas.all())
    rules = sub.targeting_rules.select_related("current_version")
    versions = [rule.current_version for rule in rules if rule.current_version is not None]
    if versions:
        fits = np.zeros(len(villages), dtype=bool)
        for version in versions:
            found = within_areas(households_matching(version), [area.code for area in areas], "")
            fits |= _mask(found, position, len(villages))
        return fits
    bits = territory.villages(area.pk for area in areas)
    ids = [
        territory.areas[code].pk for place, code in enumerate(territory.codes) if bits >> place & 1
    ]
    low, high = desil_range(sub.desil_min, sub.desil_max)
    everyone = low <= 1 and high >= DESILS - 1
    # Unknown desil: nobody can say that a sub-activity for the poor is meant for them.
    by_rank = (desil >= low) & (desil <= high) & ((desil > 0) | everyone)
    return np.isin(villages, np.array(ids, dtype=np.int64)) & by_rank
