"""The rules of overlap against answers found by trying out every desil, village and day."""

from __future__ import annotations

import datetime as dt
from itertools import combinations
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guyub.areas.models import Area, Level
from guyub.overlaps.budget import divide
from guyub.overlaps.definitions import (
    Reach,
    Territory,
    continued,
    desil_range,
    groups,
    overlap,
    pairs,
)

# A regency with two districts of two villages each.
AREAS = [
    Area(pk=1, code="33.02", name="Kabupaten", level=Level.REGENCY),
    Area(pk=2, code="33.02.01", name="Satu", level=Level.DISTRICT),
    Area(pk=3, code="33.02.02", name="Dua", level=Level.DISTRICT),
    *(
        Area(pk=10 + i, code=f"33.02.0{1 + i // 2}.200{i % 2}", name=f"D{i}", level=Level.VILLAGE)
        for i in range(4)
    ),
]
INSIDE = {1: {0, 1, 2, 3}, 2: {0, 1}, 3: {2, 3}, **{10 + i: {i} for i in range(4)}}
FIRST = dt.date(2026, 1, 1)
ranks = st.none() | st.integers(1, 10)
programs = st.builds(
    SimpleNamespace,
    agency=st.integers(1, 3),
    kind=st.sampled_from(["food", "cash"]),
    low=ranks,
    high=ranks,
    areas=st.sets(st.sampled_from(list(INSIDE)), max_size=3),
    start=st.integers(0, 8),
    days=st.integers(0, 6),
)


def reach_of(pk: int, program: Any) -> Reach:
    return Reach(
        pk=pk,
        agency=program.agency,
        kind=program.kind,
        desil=desil_range(program.low, program.high),
        villages=Territory(AREAS).villages(program.areas),
        starts_on=FIRST + dt.timedelta(program.start),
        ends_on=FIRST + dt.timedelta(program.start + program.days),
    )


def points(program: Any) -> set[tuple[int, int, int]]:
    """Every (desil, village, day) that a program serves, straight from the definition."""
    villages = (
        set().union(*(INSIDE[pk] for pk in program.areas)) if program.areas else set(range(4))
    )
    return {
        (desil, village, day)
        for desil in range(1, 11)
        if (program.low is None or desil >= program.low)
        and (program.high is None or desil <= program.high)
        for village in villages
        for day in range(program.start, program.start + program.days + 1)
    }


def collide(a: Any, b: Any) -> bool:
    return a.agency != b.agency and a.kind == b.kind and bool(points(a) & points(b))


@given(programs, programs)
def test_two_programs_overlap_when_they_share_a_desil_a_village_and_a_day(a, b):
    assert overlap(reach_of(1, a), reach_of(2, b)) == collide(a, b)
    assert overlap(reach_of(2, b), reach_of(1, a)) == collide(a, b)


@given(st.lists(programs, max_size=7))
def test_all_pairs_and_groups_are_found(found):
    linked = pairs([reach_of(pk, program) for pk, program in enumerate(found)])
    expected = [
        (a, b) for a, b in combinations(range(len(found)), 2) if collide(found[a], found[b])
    ]
    assert linked == expected
    # Groups: walk from each program to whatever is reached.
    reached: set[tuple[int, ...]] = set()
    for one in {pk for pair in expected for pk in pair}:
        group = {one}
        while True:
            wider = group | {x for pair in expected if group & set(pair) for x in pair}
            if wider == group:
                break
            group = wider
        reached.add(tuple(sorted(group)))
    assert set(groups(linked)) == reached
    assert len(groups(linked)) == len(reached)


def test_a_group_continues_the_case_it_shares_most_with():
    known = {7: frozenset({1, 2, 3}), 8: frozenset({3, 4, 5, 6}), 9: frozenset({20, 21})}
    found = [(1, 2, 3, 4), (5, 6), (20, 30)]
    assert continued(found, known) == {(1, 2, 3, 4): 7, (5, 6): 8}


@given(
    st.lists(st.lists(st.integers(1, 12), min_size=2, max_size=5, unique=True), max_size=4),
    st.lists(st.lists(st.integers(1, 12), min_size=2, max_size=5, unique=True), max_size=4),
)
def test_a_case_is_continued_by_one_group_at_most(found, known):
    shapes = list(dict.fromkeys(tuple(sorted(group)) for group in found))
    cases = {pk: frozenset(members) for pk, members in enumerate(known)}
    answer = continued(shapes, cases)
    assert len(set(answer.values())) == len(answer)
    assert all(len(set(group) & cases[case]) >= 2 for group, case in answer.items())
    # What shares nothing with a case that went on is the only thing left out.
    for group in shapes:
        if group not in answer:
            rivals = {pk for pk, members in cases.items() if len(members & set(group)) >= 2}
            assert rivals <= set(answer.values())


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_a_divided_budget_adds_up_and_is_fair(amount, weights):
    parts = divide(amount, weights)
    whole = sum(weights)
    if not whole:
        assert not any(parts)
        return
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - amount * weight) < whole


def test_places_of_a_territory():
    territory = Territory(AREAS)
    assert territory.villages([]) == territory.everywhere == 0b1111
    assert territory.villages([2, 12]) == 0b0111
    described = territory.described(territory.villages([2, 12]))
    assert [(area.name, here, whole) for area, here, whole in described] == [
        ("Satu", 2, 2),
        ("Dua", 1, 2),
    ]
