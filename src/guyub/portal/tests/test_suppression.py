"""The rules of hiding cells, on small tables known by heart and on random ones."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guyub.portal.suppression import Sum, protect
from guyub.portal.tests.attack import Known, broken


def table(inner: list[list[int]]) -> tuple[list[int], list[Sum]]:
    """Return the cells of a table with its totals (last row, last column) and its sums."""
    rows = [[*row, sum(row)] for row in inner]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    width = len(rows[0])
    sums = [
        Sum(r * width + width - 1, tuple(r * width + c for c in range(width - 1)))
        for r in range(len(rows))
    ]
    sums += [
        Sum((len(rows) - 1) * width + c, tuple(r * width + c for r in range(len(rows) - 1)))
        for c in range(width)
    ]
    return [value for row in rows for value in row], sums


def known(values: list[int], sums: list[Sum], hidden: frozenset[int]) -> Known:
    return Known(
        {n: None if n in hidden else value for n, value in enumerate(values)},
        [(one.total, one.parts) for one in sums],
    )


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    values, sums = table([[10, 20], [0, 40]])
    assert not protect(values, sums).hidden


def test_a_small_cell_takes_three_others_of_a_rectangle_with_it() -> None:
    values, sums = table([[3, 20, 30], [40, 50, 60], [70, 80, 90]])
    found = protect(values, sums)
    assert found.primary == {0}
    assert len(found.hidden) == 4
    assert not broken(known(values, sums, found.hidden))


def test_small_cells_alone_are_found_by_subtraction() -> None:
    values, sums = table([[3, 20, 30], [40, 50, 60], [70, 80, 90]])
    found = protect(values, sums, complementary=False)
    assert broken(known(values, sums, found.hidden)) == {0: (3, 3)}


def test_two_small_cells_of_one_row_are_not_enough() -> None:
    # Both hidden, and their sum of five is known: each lies between one and four.
    values, sums = table([[2, 3, 30], [40, 50, 60], [70, 80, 90]])
    alone = protect(values, sums, complementary=False)
    assert set(broken(known(values, sums, alone.hidden))) == {0, 1}
    assert not broken(known(values, sums, protect(values, sums).hidden))


def test_noughts_are_shown_and_help_nobody_hide() -> None:
    values, sums = table([[3, 0, 0], [0, 50, 60], [0, 80, 90]])
    found = protect(values, sums)
    assert not broken(known(values, sums, found.hidden))
    assert all(values[cell] for cell in found.hidden)


def test_a_lonely_household_takes_the_totals_with_it() -> None:
    values, sums = table([[1, 0], [0, 0]])
    found = protect(values, sums)
    assert found.hidden == {cell for cell, value in enumerate(values) if value}


def test_dear_cells_are_spared() -> None:
    values, sums = table([[3, 20, 30], [40, 50, 60], [70, 80, 90]])
    weights = [100.0 if number % 4 == 1 else 1.0 for number in range(16)]
    assert not any(cell % 4 == 1 for cell in protect(values, sums, weights=weights).hidden)


def test_what_must_be_hidden_for_another_reason_is_protected_too() -> None:
    values, sums = table([[30, 20, 30], [40, 50, 60], [70, 80, 90]])
    found = protect(values, sums, sensitive=[5])
    assert 5 in found.primary
    assert not broken(known(values, sums, found.hidden))


def test_counts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="not the sum"):
        protect([1, 2, 4], [Sum(2, (0, 1))])


def random_tables(seed: int, villages: int, size: int) -> tuple[list[int], list[Sum]]:
    """Return a region of two districts by three groups, whose total is also split in two otherwise.

    Like the published table: cells belong to an area (the region, its districts, their villages) and a
    column (the total, the groups, and the second split), ``size`` is the largest count.
    """
    chance = random.Random(seed)
    areas = [(0, 0), *((1, 0) for _ in range(2))]
    areas += [(2, 1 + chance.randrange(2)) for _ in range(villages)]
    values = [[0] * 6 for _ in areas]
    for place, (level, parent) in enumerate(areas):
        if level == 2:
            groups = [chance.choice([0, chance.randint(0, size)]) for _ in range(3)]
            part = chance.randint(0, sum(groups))
            row = [sum(groups), *groups, part, sum(groups) - part]
            for at in (place, parent, 0):
                values[at] = [a + b for a, b in zip(values[at], row, strict=True)]
    sums = []
    for place in range(len(areas)):
        base = 6 * place
        sums += [Sum(base, (base + 1, base + 2, base + 3)), Sum(base, (base + 4, base + 5))]
        level = areas[place][0]
        inside = [n for n, (lower, up) in enumerate(areas) if lower == level + 1 and up == place]
        if inside:
            sums += [Sum(base + c, tuple(6 * n + c for n in inside)) for c in range(6)]
        elif level < 2:
            assert not any(values[place])
    return [value for row in values for value in row], sums


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([3, 12, 60]))
def test_no_attacker_narrows_a_hidden_cell_of_random_tables(
    seed: int, villages: int, size: int
) -> None:
    values, sums = random_tables(seed, villages, size)
    found = protect(values, sums)

    assert not broken(known(values, sums, found.hidden))
    assert found.hidden == protect(values, sums).hidden
    for cell in found.hidden:
        change = found.witnesses[found.proof[cell]]
        assert abs(change[cell]) >= 5
        assert set(change) <= found.hidden
        other = [value + change.get(number, 0) for number, value in enumerate(values)]
        assert all(other[one] >= 1 for one in change)
        assert all(sum(other[part] for part in one.parts) == other[one.total] for one in sums)


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_what_grew_from_an_earlier_release_is_known_to_the_attacker(seed: int) -> None:
    values, sums = random_tables(seed, 4, 40)
    chance = random.Random(seed)
    floors = {
        n: max(1, value - chance.randint(5, 9)) for n, value in enumerate(values) if value > 9
    }
    found = protect(values, sums, floors=floors)
    facts = known(values, sums, found.hidden)
    for number, floor in floors.items():
        facts.cells[f"then {number}"] = floor
        facts.grown.append((f"then {number}", number))
    assert not broken(
        Known({c: v for c, v in facts.cells.items() if not isinstance(c, str)} | {
            f"then {n}": floor for n, floor in floors.items() if floor >= 5
        }, facts.sums, [pair for pair in facts.grown if facts.cells[pair[0]] >= 5])
    )  # fmt: skip
