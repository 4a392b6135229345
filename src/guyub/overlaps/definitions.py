"""What overlap means: the rules of ``docs/overlaps.md``, on plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from guyub.areas.models import Area, Level
from guyub.programs.vocabulary import HelpKind

# Coordination is given to nobody, and "infrastructure" is too wide a word: a road and a drain in the
# same village do not repeat each other.
NOT_COMPARED = frozenset({HelpKind.SUPPORT, HelpKind.INFRASTRUCTURE})
# Kinds of help that are compared, in the order in which pages show them.
COMPARED: tuple[str, ...] = tuple(kind for kind in HelpKind.values if kind not in NOT_COMPARED)
# Households this poor are missed when they get nothing.
POOREST = (1, 2)
DESILS = 11  # 0 is unknown, 1 to 10 the welfare ranks


class Territory:
    """The regency's villages, and for each area the set of villages in it as the bits of a number.

    ``codes`` are the villages by code; bit ``i`` stands for ``codes[i]``.
    """

    def __init__(self, areas: Iterable[Area]) -> None:
        known = sorted(areas, key=lambda area: area.code)
        self.areas: dict[str, Area] = {area.code: area for area in known}
        self.codes = [area.code for area in known if area.level == Level.VILLAGE]
        self.everywhere = (1 << len(self.codes)) - 1
        self._bits: dict[int, int] = {}
        for place, code in enumerate(self.codes):
            # A village lies in itself, its district and its regency.
            parts = code.split(".")
            for length in range(2, len(parts) + 1):
                area = self.areas.get(".".join(parts[:length]))
                if area is not None:
                    self._bits[area.pk] = self._bits.get(area.pk, 0) | 1 << place

    def villages(self, area_ids: Iterable[int]) -> int:
        """Return the villages of ``area_ids`` together; without any, the whole regency."""
        found, named = 0, False
        for area_id in area_ids:
            found |= self._bits.get(area_id, 0)
            named = True
        return found if named else self.everywhere

    def of(self, area: Area) -> int:
        return self._bits.get(area.pk, 0)

    def districts(self) -> list[Area]:
        return [area for area in self.areas.values() if area.level == Level.DISTRICT]

    def described(self, villages: int) -> list[tuple[Area, int, int]]:
        """Return the districts that ``villages`` touch: (district, villages of it, villages in all)."""
        rows = []
        for district in self.districts():
            whole = self.of(district)
            if whole & villages:
                rows.append((district, (whole & villages).bit_count(), whole.bit_count()))
        return rows


@dataclass(frozen=True)
class Reach:
    """What a sub-activity gives, to whom, where and when.

    ``desil`` is inclusive on both sides; ``villages`` are bits of a :class:`Territory`.
    """

    pk: int
    agency: int
    kind: str
    desil: tuple[int, int]
    villages: int
    starts_on: dt.date
    ends_on: dt.date


def desil_range(low: int | None, high: int | None) -> tuple[int, int]:
    """Return the target group as a range; an open side reaches to the end of the scale."""
    return (low or 1, high or DESILS - 1)


def overlap(a: Reach, b: Reach) -> bool:
    """Tell whether two sub-activities of different agencies do the same for the same people."""
    return (
        a.agency != b.agency
        and a.kind == b.kind
        and max(a.desil[0], b.desil[0]) <= min(a.desil[1], b.desil[1])
        and bool(a.villages & b.villages)
        and max(a.starts_on, b.starts_on) <= min(a.ends_on, b.ends_on)
    )


def pairs(reaches: Iterable[Reach]) -> list[tuple[int, int]]:
    """Return every overlapping pair as (smaller id, larger id), sorted."""
    by_kind: dict[str, list[Reach]] = {}
    for reach in reaches:
        by_kind.setdefault(reach.kind, []).append(reach)
    found = [
        (min(a.pk, b.pk), max(a.pk, b.pk))
        for same in by_kind.values()
        for a, b in combinations(same, 2)
        if overlap(a, b)
    ]
    return sorted(found)


def groups(linked: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return what ``linked`` pairs connect, directly or through others, each group sorted."""
    parent: dict[int, int] = {}

    def root(one: int) -> int:
        parent.setdefault(one, one)
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for a, b in linked:
        parent[root(a)] = root(b)
    members: dict[int, list[int]] = {}
    for one in parent:
        members.setdefault(root(one), []).append(one)
    return sorted(tuple(sorted(group)) for group in members.values())


def continued(
    found: Sequence[tuple[int, ...]], known: Mapping[int, frozenset[int]]
) -> dict[tuple[int, ...], int]:
    """Tell which known case each found group continues: the one it shares most members with.

    ``known`` are the members of each case by its id. Two shared members are the least: with one
    there is no overlap left of the old case. Ties go to the older case. Each case is continued once.
    """
    shared = [
        (-len(members & set(group)), case, group)
        for group in found
        for case, members in known.items()
        if len(members & set(group)) >= 2
    ]
    answer: dict[tuple[int, ...], int] = {}
    for _count, case, group in sorted(shared):
        if group not in answer and case not in answer.values():
            answer[group] = case
    return answer
