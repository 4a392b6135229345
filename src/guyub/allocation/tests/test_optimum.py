"""The planner against brute force, and what must hold of every plan."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guyub.allocation import optimum
from guyub.allocation.optimum import SEVERE, WEIGHTS, Offer, Problem, gain_of_more, solve, worth

offers_drawn = st.lists(
    st.builds(
        Offer,
        kind=st.sampled_from("abc"),
        places=st.none() | st.integers(0, 3),
        money=st.none() | st.integers(0, 40),
        unit_cost=st.integers(0, 15),
        importance=st.sampled_from([1.0, 2.0]),
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def problems(draw: st.DrawFn, households: int = 3) -> Problem:
    offers = draw(offers_drawn)
    size = draw(st.integers(1, households))
    rows = st.lists(
        st.lists(st.booleans(), min_size=size, max_size=size),
        min_size=len(offers), max_size=len(offers),
    )  # fmt: skip
    levels = st.lists(st.integers(0, 2), min_size=size, max_size=size)
    return Problem(
        severity=np.array(draw(levels), dtype=np.int8),
        eligible=np.array(draw(rows), dtype=bool),
        offers=offers,
        most_kinds=draw(st.none() | st.integers(1, 3)),
        pool=draw(st.sampled_from([0, 0, 7, 30])),
    )


def fits(problem: Problem, given_rows: np.ndarray) -> bool:
    """Say whether a plan keeps every rule, by counting."""
    extra = 0
    for row, offer in zip(given_rows, problem.offers, strict=True):
        taken = int(row.sum())
        own = [] if offer.places is None else [offer.places * offer.unit_cost]
        own += [] if offer.money is None else [offer.money]
        if offer.unit_cost and own:
            extra += max(0, taken * offer.unit_cost - min(own))
        elif offer.places is not None and taken > offer.places:
            return False
    for column in given_rows.T:
        kinds = [offer.kind for gets, offer in zip(column, problem.offers, strict=True) if gets]
        if len(set(kinds)) != len(kinds):
            return False
        if problem.most_kinds is not None and len(kinds) > problem.most_kinds:
            return False
    return not (given_rows & ~problem.eligible).any() and extra <= problem.pool


def best(problem: Problem) -> tuple[int, float]:
    """Try every plan: the most severe needs met, and then the largest weighted sum."""
    where = np.argwhere(problem.eligible)
    found = (0, 0.0)
    for taken in itertools.product([False, True], repeat=len(where)):
        plan = np.zeros_like(problem.eligible)
        plan[tuple(where[list(taken)].T)] = True
        if fits(problem, plan):
            found = max(found, worth(problem, plan))
    return found


@settings(max_examples=30)
@given(problems())
def test_no_plan_is_better(problem: Problem) -> None:
    plan = solve(problem)
    assert fits(problem, plan.given)
    severe, value = best(problem)
    assert (plan.severe, plan.value) == (severe, pytest.approx(value))
    assert plan.severe_bound == severe
    assert plan.distance == pytest.approx(0, abs=1e-6)
    assert worth(problem, plan.given) == (plan.severe, pytest.approx(plan.value))


@settings(max_examples=20)
@given(problems(households=12))
def test_in_rounds_every_rule_holds_and_the_bound_is_true(problem: Problem) -> None:
    if not optimum._is_capped(problem):
        return
    exact, rounds = solve(problem), optimum._solve_in_rounds(problem)
    assert fits(problem, rounds.given)
    assert rounds.severe <= exact.severe <= rounds.severe_bound
    assert worth(problem, rounds.given) == (rounds.severe, pytest.approx(rounds.value))
    assert sum(rounds.added) <= problem.pool


def test_the_worst_off_of_a_class_come_first() -> None:
    problem = Problem(
        severity=np.full(5, SEVERE, dtype=np.int8),
        eligible=np.ones((1, 5), dtype=bool),
        offers=[Offer("house", places=2)],
    )
    assert solve(problem).given.tolist() == [[True, True, False, False, False]]


def test_severe_needs_come_before_any_number_of_lesser_ones() -> None:
    # One place costs as much as a hundred; the hundred lesser needs weigh more in sum.
    severity = np.array([SEVERE] + [1] * 100, dtype=np.int8)
    eligible = np.array([[True] + [False] * 100, [False] + [True] * 100])
    offers = [Offer("a", money=0, unit_cost=100), Offer("b", money=0, unit_cost=1)]
    assert 100 * WEIGHTS[1] > WEIGHTS[2]
    plan = solve(Problem(severity, eligible, offers, pool=100))
    assert plan.severe == 1
    assert plan.added == [100, 0]


def test_a_limit_on_kinds_deals_in_turn() -> None:
    problem = Problem(
        severity=np.full(4, SEVERE, dtype=np.int8),
        eligible=np.ones((2, 4), dtype=bool),
        offers=[Offer("a", places=2), Offer("b", places=2)],
        most_kinds=1,
    )
    plan = solve(problem)
    assert plan.severe == 4
    assert plan.given.sum(axis=0).tolist() == [1, 1, 1, 1]


def test_what_more_places_would_bring() -> None:
    problem = Problem(
        severity=np.full(30, SEVERE, dtype=np.int8),
        eligible=np.ones((1, 30), dtype=bool),
        offers=[Offer("a", places=10, money=100, unit_cost=10)],
    )
    assert gain_of_more(problem, 0, 5) == 5
    assert gain_of_more(problem, 0, 100) == 20


def test_nothing_to_give_is_a_plan_too() -> None:
    nobody = Problem(np.zeros(3, dtype=np.int8), np.zeros((1, 3), dtype=bool), [Offer("a")])
    assert not solve(nobody).given.any()
    many = Problem(np.zeros(1, dtype=np.int8), np.zeros((61, 1), dtype=bool), [Offer("a")] * 61)
    with pytest.raises(ValueError, match="offers"):
        solve(many)
