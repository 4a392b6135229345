"""Reckoning who is helped with what, for every household at once, in one pass over the enrolments.

Two queries bring the registry and the year's enrolments into arrays, each row packed into one whole
number and all rows into one answer of the database, because half the time would else go into making
a Python object of every row. The rest is arithmetic on arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
from django.db import connection

from guyub.areas.models import Area, Level
from guyub.beneficiaries.models import HELPED, Enrolment
from guyub.overlaps.definitions import (
    COMPARED,
    DESILS,
    POOREST,
    Reach,
    Territory,
    desil_range,
    groups,
    pairs,
)
from guyub.overlaps.snapshot import MARKS, MEASURES, Snapshot, measure
from guyub.programs.models import SubActivity
from guyub.registry.models import Household
from guyub.registry.vocabulary import Status

# A packed household is village, desil and id from the top down; an enrolment household and
# sub-activity. 36 bits hold 68 thousand million ids, 26 bits 67 million.
ID_BITS, DESIL_BITS, SUB_BITS = 36, 4, 26


@dataclass(frozen=True)
class Reckoned:
    """What a reckoning found: groups of overlapping sub-activities, and the arrays as a snapshot."""

    groups: Sequence[tuple[int, ...]]
    kind_of: dict[int, str]
    shared: dict[tuple[int, ...], int]
    token: str
    totals: dict[str, int] = field(default_factory=dict)


def reaches(year: int, territory: Territory) -> list[Reach]:
    """Return what the sub-activities of a year that are compared reach. Two queries."""
    subs = SubActivity.objects.filter(year=year, is_cancelled=False, help_kind__in=COMPARED)
    areas: dict[int, list[int]] = {}
    through = SubActivity.areas.through.objects.filter(subactivity__in=subs)
    for sub_id, area_id in through.values_list("subactivity_id", "area_id"):
        areas.setdefault(sub_id, []).append(area_id)
    return [
        Reach(
            pk=pk,
            agency=agency,
            kind=kind,
            desil=desil_range(low, high),
            villages=territory.villages(areas.get(pk, ())),
            starts_on=starts_on,
            ends_on=ends_on,
        )
        for pk, agency, kind, low, high, starts_on, ends_on in subs.order_by("pk").values_list(
            "pk", "agency_id", "help_kind", "desil_min", "desil_max", "starts_on", "ends_on"
        )
    ]


def packed_column(expression: str, table: str, where: str, parameters: Sequence[Any]) -> Any:
    """Return one whole number per row of ``table``, as an array.

    Both databases join the numbers into one value of the answer: as bytes in PostgreSQL, as text in
    SQLite, which has no function that writes a number as bytes.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sql = f"SELECT string_agg(int8send({expression}), ''::bytea) FROM {table} WHERE {where}"
            # Django's own cursor would fetch the bytes as text, twice as long.
            with psycopg.Cursor(cursor.connection) as binary:
                found: Any = binary.execute(sql, parameters, binary=True).fetchone()
            return np.frombuffer(found[0] or b"", dtype=">i8").astype(np.int64)
        sql = f"SELECT group_concat({expression}, ' ') FROM {table} WHERE {where}"
        cursor.execute(sql, parameters)
        return np.fromstring(cursor.fetchone()[0] or "", dtype=np.int64, sep=" ")


def _households(village_at: Any) -> tuple[Any, Any, Any]:
    """Return ids, places of their villages and ranks of the active households.

    Sorted by place, then rank with the unknown last, then id.
    """
    packed = packed_column(
        f"((village_id * {1 << DESIL_BITS} + coalesce(desil, 0)) * {1 << ID_BITS}) + id",
        Household._meta.db_table,
        "status = %s",
        [Status.ACTIVE.value],
    )
    id_mask, desil_mask = (1 << ID_BITS) - 1, (1 << DESIL_BITS) - 1
    place = village_at[np.minimum(packed >> (ID_BITS + DESIL_BITS), len(village_at) - 1)]
    packed, place = packed[place >= 0], place[place >= 0]
    desil = (packed >> ID_BITS) & desil_mask
    desil[desil == 0] = DESILS
    key = ((place << DESIL_BITS | desil) << ID_BITS) | (packed & id_mask)
    key.sort()
    desil = (key >> ID_BITS) & desil_mask
    desil[desil == DESILS] = 0
    return key & id_mask, key >> (ID_BITS + DESIL_BITS), desil


def _memberships(year: int, ids: Any, subs: Sequence[Reach]) -> tuple[Any, Any]:
    """Return (place of the sub-activity in ``subs``, position of the household), sorted, each once.

    Several members of a household in one sub-activity are one membership.
    """
    marks = ", ".join(["%s"] * len(HELPED))
    packed = packed_column(
        f"household_id * {1 << SUB_BITS} + sub_activity_id",
        Enrolment._meta.db_table,
        f"year = %s AND stage IN ({marks})",
        [year, *(stage.value for stage in HELPED)],
    )
    home, sub = packed >> SUB_BITS, packed & ((1 << SUB_BITS) - 1)
    if not len(ids) or not subs or not len(packed):
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing
    position_of = places_of(ids)
    place_of = places_of(np.array([reach.pk for reach in subs]))
    position = position_of[np.minimum(home, len(position_of) - 1)]
    place = place_of[np.minimum(sub, len(place_of) - 1)]
    known = (position >= 0) & (place >= 0)
    key = place[known] * len(ids) + position[known]
    key.sort()
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[1:] != key[:-1]
    return np.divmod(key[first], len(ids))


def places_of(ids: Any) -> Any:
    """Return an array that tells for each id where in ``ids`` it stands, -1 for others.

    One longer than the largest id, so that what is cut down to its end is unknown.
    """
    places = np.full(int(ids.max()) + 2, -1, dtype=np.int64)
    places[ids] = np.arange(len(ids))
    return places


def _targets(subs: Sequence[Reach], villages: int) -> Any:
    """Return for each sub-activity, village and desil whether a household there is in its target.

    A household of unknown desil is in the target wherever the area fits: nothing shows otherwise.
    """
    inside = np.zeros((len(subs), villages, DESILS), dtype=bool)
    for row, reach in zip(inside, subs, strict=True):
        here = np.array([reach.villages >> i & 1 for i in range(villages)], dtype=bool)
        row[here, reach.desil[0] : reach.desil[1] + 1] = True
        row[here, 0] = True
    return inside


def reckon_year(year: int) -> Reckoned:
    """Find all overlap and gaps of a year and leave them as a snapshot on disk."""
    territory = Territory(Area.objects.all())
    subs = reaches(year, territory)
    village_ids = [territory.areas[code].pk for code in territory.codes]
    village_at = places_of(np.array(village_ids)) if village_ids else np.full(1, -1)
    ids, place, desil = _households(village_at)
    sub, position = _memberships(year, ids, subs)
    starts = np.searchsorted(sub, np.arange(len(subs) + 1)).tolist()

    marks = {name: np.zeros(len(ids), dtype=np.uint32) for name in MARKS}
    inside = _targets(subs, len(territory.codes))
    stray = ~inside[sub, place[position], desil[position]]
    for number, kind in enumerate(COMPARED):
        of_kind = [at for at, reach in enumerate(subs) if reach.kind == kind]
        if not of_kind:
            continue
        bit = np.uint32(1 << number)
        parts = [slice(starts[at], starts[at + 1]) for at in of_kind]
        givers = np.bincount(np.concatenate([position[p] for p in parts]), minlength=len(ids))
        marks["helped"][givers >= 1] |= bit
        marks["doubled"][givers >= 2] |= bit
        for part in parts:
            marks["outside"][position[part][stray[part]]] |= bit

    codes, bounds, sums = _sums(territory, place, desil, marks)
    found = groups(pairs(subs))
    token = Snapshot.write(
        year,
        columns={
            "ids": ids.astype(np.int64),
            "desil": desil.astype(np.int8),
            **marks,
        },
        sums=sums,
        areas=codes,
        bounds=bounds,
        members=position.astype(np.int32),
        member_bounds=[(reach.pk, starts[at], starts[at + 1]) for at, reach in enumerate(subs)],
    )
    at_of = {reach.pk: at for at, reach in enumerate(subs)}
    shared = {}
    for group in found:
        parts = [slice(starts[at_of[pk]], starts[at_of[pk] + 1]) for pk in group]
        givers = np.bincount(np.concatenate([position[p] for p in parts]), minlength=len(ids))
        shared[group] = int((givers >= 2).sum())
    whole = sums.sum(axis=0, where=_is_village(codes)[:, None, None])
    totals = {name: int(whole[MEASURES.index(name)].sum()) for name in ("households", *MARKS)}
    poor = list(POOREST)
    totals["missed"] = int(
        (whole[MEASURES.index("households")] - whole[MEASURES.index("helped")])[poor].sum()
    )
    totals["poorest"] = int(whole[MEASURES.index("households")][poor].sum())
    return Reckoned(found, {reach.pk: reach.kind for reach in subs}, shared, token, totals)


def _is_village(codes: Sequence[str]) -> Any:
    return np.array([code.count(".") == 3 for code in codes], dtype=bool)


def _sums(
    territory: Territory, place: Any, desil: Any, marks: dict[str, Any]
) -> tuple[list[str], list[tuple[int, int]], Any]:
    """Count households by area, measure and desil.

    Returns the codes of the areas, each area's slice of the sorted households, and the counts.
    """
    villages = len(territory.codes)
    cell = place * DESILS + desil

    def count(fits: Any) -> Any:
        return np.bincount(cell[fits], minlength=villages * DESILS).reshape(villages, DESILS)

    by_village = np.zeros((len(MEASURES), villages, DESILS), dtype=np.int32)
    by_village[0] = count(slice(None))
    for name in MARKS:
        by_village[MEASURES.index(name)] = count(marks[name] != 0)
        for number, kind in enumerate(COMPARED):
            fits = (marks[name] & np.uint32(1 << number)) != 0
            by_village[MEASURES.index(measure(name, kind))] = count(fits)
    ends = np.searchsorted(place, np.arange(villages + 1)).tolist()
    codes, bounds, rows = [], [], []
    for code, area in territory.areas.items():
        # Codes sort an area before what lies in it, so that its villages stand together.
        first, last = _span(territory.codes, code, area)
        codes.append(code)
        bounds.append((ends[first], ends[last]))
        rows.append(by_village[:, first:last].sum(axis=1))
    shape = (len(codes), len(MEASURES), DESILS)
    return codes, bounds, np.array(rows, dtype=np.int32).reshape(shape)


def _span(village_codes: Sequence[str], code: str, area: Area) -> tuple[int, int]:
    """Return from where to where in the sorted ``village_codes`` the villages of an area stand."""
    if area.level == Level.VILLAGE:
        at = village_codes.index(code)
        return at, at + 1
    within = [at for at, village in enumerate(village_codes) if village.startswith(code + ".")]
    return (within[0], within[-1] + 1) if within else (0, 0)
