"""Leaving detail out of tables, on random small ones, against every set of counts that there can be."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from guyub.portal.coarsening import Part, Plan, protect_plan
from guyub.portal.suppression import Protection, Sum
from guyub.portal.tests.attack import Known, broken

pytestmark = pytest.mark.own_database


@dataclass
class Table:
    """Areas (the region, its districts, their villages) by columns (the total and its parts)."""

    values: list[int]
    sums: list[Sum]
    plan: Plan
    weights: list[float]


def make(districts: Sequence[Sequence[Sequence[int]]], splits: Sequence[int]) -> Table:
    """Make a table from the finest counts of each village of each district.

    ``splits`` says into how many parts the total is split, in one or more ways; a village lists the parts
    of all ways one after another.
    """
    width = 1 + sum(splits)
    rows: list[list[int]] = [[0] * width]
    parents: list[int | None] = [None]
    for _villages in districts:
        rows.append([0] * width)
        parents.append(0)
    for at, villages in enumerate(districts, start=1):
        for parts in villages:
            row = [sum(parts[: splits[0]]), *parts]
            rows.append(row)
            parents.append(at)
            for up in (at, 0):
                rows[up] = [a + b for a, b in zip(rows[up], row, strict=True)]
    number = lambda area, column: area * width + column  # noqa: E731
    sums = []
    for area in range(len(rows)):
        start = 1
        for size in splits:
            parts = tuple(number(area, start + n) for n in range(size))
            sums.append(Sum(number(area, 0), parts))
            start += size
        inside = [one for one, up in enumerate(parents) if up == area]
        if inside:
            sums += [
                Sum(number(area, column), tuple(number(one, column) for one in inside))
                for column in range(width)
            ]
    count = len(districts)

    def cells(areas: Sequence[int], columns: Sequence[int]) -> frozenset[int]:
        return frozenset(number(area, column) for area in areas for column in columns)

    def groups(areas: Sequence[int]) -> tuple[frozenset[int], ...]:
        found, start = [], 1
        for size in splits:
            found.append(cells(areas, range(start, start + size)))
            start += size
        return tuple(found)

    middle, every = range(1, count + 1), range(width)
    top = cells(range(count + 1), every)
    blocks = []
    for at in middle:
        inside = [one for one, up in enumerate(parents) if up == at]
        own = cells(inside, every)
        kept = (cells(inside, [0]), frozenset[int]())
        blocks.append(Part(str(at), tuple(sorted(own)), groups(inside), kept, own))
    region = cells([0], every)
    plan = Plan(
        Part(
            "",
            tuple(sorted(top)),
            groups(middle),
            (region | cells(middle, [0]), region, cells([0], [0])),
            cells(middle, every),
        ),
        tuple(blocks),
    )
    weights = [
        [1000.0, *[40.0] * count, *[1.0] * len(rows)][n // width] for n in range(len(rows) * width)
    ]
    return Table([value for row in rows for value in row], sums, plan, weights)


def protect(table: Table) -> Protection:
    return protect_plan(table.plan, table.values, table.sums, weights=table.weights)


def known(table: Table, found: Protection) -> Known:
    unseen = found.hidden | found.withheld
    return Known(
        {n: None if n in unseen else value for n, value in enumerate(table.values)},
        [(one.total, one.parts) for one in table.sums],
        withheld=set(found.withheld),
    )


def drawn(seed: int, size: int, splits: Sequence[int]) -> Table:
    chance = random.Random(seed)
    districts = []
    for _district in range(chance.randint(1, 4)):
        villages = []
        for _village in range(chance.randint(1, 4)):
            groups = [chance.choice([0, chance.randint(0, size)]) for _part in range(splits[0])]
            parts = list(groups)
            for ways in splits[1:]:
                left = sum(groups)
                for _part in range(ways - 1):
                    parts.append(chance.randint(0, min(left, 6)))
                    left -= parts[-1]
                parts.append(left)
            villages.append(parts)
        districts.append(villages)
    return make(districts, splits)


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.sampled_from([2, 8, 30]), st.sampled_from([(2,), (3,), (3, 2)]))
def test_no_attacker_narrows_what_is_hidden_or_withheld(
    seed: int, size: int, splits: tuple[int, ...]
) -> None:
    table = drawn(seed, size, splits)
    found = protect(table)
    assert not broken(known(table, found))
    assert found == protect(table)
    assert not found.hidden & found.withheld


def worlds(table: Table, found: Protection, most: int) -> np.ndarray:
    """Return every set of counts that agrees with all that is published, one a row.

    The finest counts are at most ``most``.
    """
    totals = {one.total for one in table.sums}
    unseen = found.hidden | found.withheld
    inner = [n for n in range(len(table.values)) if n not in totals]
    open_cells = [n for n in inner if n in unseen]
    assume(len(open_cells) <= 5)
    lists = [np.arange(0 if n in found.withheld else 1, most + 1) for n in open_cells]
    grid = np.meshgrid(*lists, indexing="ij") if lists else []
    count = grid[0].size if grid else 1
    world = np.zeros((count, len(table.values)), dtype=int)
    for n in inner:
        world[:, n] = table.values[n]
    for n, counts in zip(open_cells, grid, strict=True):
        world[:, n] = counts.ravel()
    # Columns of an area from its parts, villages before districts before the region.
    done = set(inner)
    agrees = np.ones(count, dtype=bool)
    left = list(table.sums)
    while left:
        ready = [one for one in left if all(part in done for part in one.parts)]
        for one in ready:
            total = world[:, list(one.parts)].sum(axis=1)
            if one.total in done:
                agrees &= world[:, one.total] == total
            world[:, one.total] = total
            done.add(one.total)
        left = [one for one in left if one not in ready]
    for n, value in enumerate(table.values):
        if n not in unseen:
            agrees &= world[:, n] == value
        elif n in found.hidden:
            agrees &= world[:, n] >= 1
    return world[agrees]


@settings(max_examples=8)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=1, max_size=2),
    st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=1, max_size=2),
)
def test_every_set_of_counts_that_agrees_leaves_room(
    first: list[list[int]], second: list[list[int]]
) -> None:
    """The same by brute force: no linear programs, every table of counts is written down."""
    table = make([first, second], (2,))
    found = protect(table)
    every = worlds(table, found, 15)
    assert (every == table.values).all(axis=1).any()
    for cell in found.hidden | found.withheld:
        low, high = every[:, cell].min(), every[:, cell].max()
        if cell in found.withheld and (low >= 5 or high == 0):
            continue
        assert high - low >= 5, (cell, low, high)
        assert high >= 5


def test_the_region_is_seen_where_its_villages_are_too_small() -> None:
    table = make(
        [[[2, 3], [1, 9], [0, 4]], [[3, 3], [2, 8], [4, 4]], [[6, 9], [1, 1], [3, 5]]], (2,)
    )
    found = protect(table)
    assert not {0, 1, 2} & (found.hidden | found.withheld)
    assert found.withheld
    assert not broken(known(table, found))


def test_large_tables_are_published_as_they_are() -> None:
    table = make([[[20, 30], [40, 90]], [[30, 33], [22, 81]]], (2,))
    found = protect(table)
    assert not found.hidden
    assert not found.withheld


def test_one_small_village_takes_no_total_with_it() -> None:
    table = make([[[3, 30], [40, 90], [20, 70], [24, 72]], [[30, 33], [22, 81], [50, 60]]], (2,))
    found = protect(table)
    assert len(found.hidden) == 4
    assert not found.withheld
    assert all(cell % 3 for cell in found.hidden)


def test_progress_is_told() -> None:
    table, told = make([[[3, 30]], [[30, 33]]], (2,)), []
    protect_plan(
        table.plan,
        table.values,
        table.sums,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
