"""Who gets what, so that the fewest severe needs stay unmet.

A household needs a kind of help when at least one of the offers (sub-activities) of that kind is
meant for it. Each need is met at most once; an offer has places (its quota) and money. The problem
is a transportation problem with side constraints, stated over *classes* of households instead of
households: two that rank alike and may take the same offers are interchangeable, so that 600,000
households become some hundreds or thousands of whole numbers. It is solved by HiGHS (Huangfu and Hall,
*Parallelizing the dual revised simplex method*, 2018) in two stages: first as many severe needs as can
be met, then, without giving one of those up, the largest weighted sum of all needs met.

Where a household may be given no more than so many kinds of help, kinds are linked through the households
that need several. A plan of few classes is then solved as one and dealt out in turn (the wrap-around rule
of McNaughton, *Scheduling with deadlines and loss functions*, 1959), which gives nobody the same kind
twice. A plan of many classes is solved kind by kind in rounds, each dealing to those with least so far and
leaving out those who have all they may get; what the first round could reach without that limit bounds
what any plan can, so the distance shown is never too small.

In the end places change hands until nobody of the same severity who is better off has a place that one
worse off could take: so many needs can be met by many plans, and this is the one to be defended at a door.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MILD, MODERATE, SEVERE = 0, 1, 2
# What meeting a need counts for in the second stage, by severity.
WEIGHTS = (1.0, 10.0, 100.0)
# More make pages that nobody reads; and as many of one kind as a number has bits.
MOST_OFFERS, MOST_TOGETHER = 250, 60
SEVERITY_BITS = 2
UNLIMITED = 2**40
SLIGHTLY = 1e-9  # against the rounding of quotients
# Up to this many choices a plan with capped kinds is solved as one; rounds of the other way.
SMALL, ROUNDS = 4_000, 12


class NoPlanError(Exception):
    """The solver gave no plan within its time."""


@dataclass(frozen=True)
class Offer:
    """A sub-activity as the plan sees it.

    ``places`` is how many it may still take, ``money`` what it may still spend (rupiah), both
    without limit when ``None``; ``unit_cost`` is what one recipient costs (rupiah).
    """

    kind: str
    places: int | None = None
    money: int | None = None
    unit_cost: int = 0
    # How much this kind of help counts in the second stage.
    importance: float = 1.0

    @property
    def own(self) -> float:
        """How many recipients its own places and money are for, in parts too."""
        places = UNLIMITED if self.places is None else self.places
        if self.money is None or not self.unit_cost:
            return places
        return min(places, self.money / self.unit_cost)

    @property
    def may_grow(self) -> bool:
        """Whether further money would add places."""
        return self.unit_cost > 0 and (self.places is not None or self.money is not None)

    def cost_beyond(self, taken: int) -> int:
        """Return what ``taken`` recipients cost beyond its own places and money, in rupiah."""
        limits = [] if self.places is None else [self.places * self.unit_cost]
        if self.money is not None:
            limits.append(self.money)
        return max(0, taken * self.unit_cost - min(limits)) if self.may_grow else 0


@dataclass(frozen=True)
class Problem:
    """Households by row, best-placed first where they are otherwise equal.

    ``severity`` is 0 to 2 (int8, one a household); ``eligible`` has a row of booleans for each offer: whether
    it is meant for the household. ``most_kinds`` is how many kinds of help one household may be given,
    ``pool`` is money (rupiah) that buys further places of the offers as the plan likes.
    """

    severity: Any
    eligible: Any
    offers: Sequence[Offer]
    most_kinds: int | None = None
    pool: int = 0
    # Seconds for each stage.
    patience: float = 120.0


@dataclass(frozen=True)
class Plan:
    """A plan and how good it is.

    ``given`` has a row of booleans for each offer: whether the household gets it. ``severe`` is how many severe needs are
    met, ``severe_bound`` how many any plan could meet at most; ``value`` and ``value_bound`` the same
    for the weighted sum. ``added`` is the money from the pool by offer (rupiah).
    """

    given: Any
    severe: int
    severe_bound: int
    value: float
    value_bound: float
    added: list[int]
    classes: int
    choices: int

    @property
    def distance(self) -> float:
        """How far from the bound, as a share of it: 0 is proven best."""
        if self.severe_bound > self.severe:
            return (self.severe_bound - self.severe) / self.severe_bound
        return max(0.0, (self.value_bound - self.value) / self.value_bound) if self.value else 0.0


@dataclass
class _Model:
    """The whole numbers to be found, and what holds between them."""

    offer: list[int] = field(default_factory=list)
    severity: list[int] = field(default_factory=list)
    block: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    upper: list[int] = field(default_factory=list)
    # Constraints: coefficients as (constraint, variable, value), and what each may reach.
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)

    def limit(self, variables: Sequence[int], most: float, each: float = 1.0) -> int:
        number = len(self.limits)
        self.entries.extend((number, variable, each) for variable in variables)
        self.limits.append(most)
        return number


@dataclass(frozen=True)
class _Block:
    """Households by class, as far as some offers are concerned."""

    offers: tuple[int, ...]
    severity: Any  # by class
    bits: Any
    count: Any
    # The class of each household; -1 where none of the offers is meant for it.
    class_of: Any


def _kinds(problem: Problem) -> list[tuple[int, ...]]:
    kinds: dict[str, list[int]] = {}
    for number, offer in enumerate(problem.offers):
        kinds.setdefault(offer.kind, []).append(number)
    return [tuple(numbers) for numbers in kinds.values()]


def _block(problem: Problem, group: tuple[int, ...]) -> _Block:
    """Sort the households into classes, as far as some offers are concerned."""
    bits = np.zeros(len(problem.severity), dtype=np.int64)
    for place, number in enumerate(group):
        bits |= problem.eligible[number].astype(np.int64) << np.int64(place)
    key = (bits << SEVERITY_BITS) | problem.severity
    wanted = np.flatnonzero(bits)
    found, rows, count = np.unique(key[wanted], return_inverse=True, return_counts=True)
    class_of = np.full(len(bits), -1, dtype=np.int64)
    class_of[wanted] = rows
    severity = (found & ((1 << SEVERITY_BITS) - 1)).astype(np.int8)
    return _Block(group, severity, found >> SEVERITY_BITS, count, class_of)


def _is_capped(problem: Problem) -> bool:
    return problem.most_kinds is not None and problem.most_kinds < len(_kinds(problem))


def _model(problem: Problem, blocks: Sequence[_Block], in_turn: bool) -> _Model:
    model = _Model()
    for number, block in enumerate(blocks):
        for row, (severity, bits, count) in enumerate(
            zip(block.severity.tolist(), block.bits.tolist(), block.count.tolist(), strict=True)
        ):
            by_kind: dict[str, list[int]] = {}
            for place, offer in enumerate(block.offers):
                if bits >> place & 1:
                    by_kind.setdefault(problem.offers[offer].kind, []).append(len(model.offer))
                    model.offer.append(offer)
                    model.severity.append(severity)
                    model.block.append(number)
                    model.row.append(row)
                    model.upper.append(count)
            for variables in by_kind.values():
                if len(variables) > 1:
                    model.limit(variables, count)
            most = problem.most_kinds
            if in_turn and most is not None and len(by_kind) > most:
                model.limit([v for several in by_kind.values() for v in several], most * count)
    return model


def _best(
    gain: Any, matrix: csr_array, limits: Any, upper: Any, whole: Any, patience: float
) -> tuple[Any, float]:
    """Return the best values found, and what no plan can exceed.

    Raises:
        NoPlanError: none was found within ``patience`` seconds.
    """
    # Imported late here and below: it takes a second, and only the worker solves plans.
    from scipy.optimize import Bounds, LinearConstraint, milp

    found = milp(
        -gain,
        constraints=LinearConstraint(matrix, -np.inf, limits),
        bounds=Bounds(0, upper),
        integrality=whole,
        options={"time_limit": patience, "mip_rel_gap": 1e-6},
    )
    if found.x is None:
        raise NoPlanError
    bound = -found.mip_dual_bound if found.mip_dual_bound is not None else -found.fun
    return found.x, float(bound)


def solve(problem: Problem) -> Plan:
    """Find a plan.

    Raises:
        NoPlanError: the solver found none within its time.
        ValueError: there are too many offers, or too many of one kind.
    """
    if len(problem.offers) > MOST_OFFERS or any(
        len(group) > MOST_TOGETHER for group in _kinds(problem)
    ):
        raise ValueError("too many offers")
    plan = _solve(problem)
    return replace(plan, given=_worst_off_first(problem, plan.given))


def _solve(problem: Problem) -> Plan:
    if not _is_capped(problem):
        return _solve_whole(problem, [_block(problem, group) for group in _kinds(problem)])
    if len(problem.offers) <= MOST_TOGETHER:
        whole = _block(problem, tuple(range(len(problem.offers))))
        if sum(bits.bit_count() for bits in whole.bits.tolist()) <= SMALL:
            return _solve_whole(problem, [whole])
    return _solve_in_rounds(problem)


def _worst_off_first(problem: Problem, given: Any) -> Any:
    """Hand places on to those who stand before others of their severity, as long as that changes any.

    Each step gives a place of an offer to somebody worse off, so there is an end; and since severities
    and numbers stay, no sum of the plan changes.
    """
    given = given.copy()
    group_of = {number: list(group) for group in _kinds(problem) for number in group}
    levels = [np.flatnonzero(problem.severity == level) for level in (SEVERE, MODERATE, MILD)]
    changed = True
    while changed:
        changed = False
        has = _kinds_had(problem, given)
        for number in range(len(problem.offers)):
            if not given[number].any():
                continue
            without = ~given[group_of[number]].any(axis=0)
            for level in levels:
                holds = given[number][level]
                places = int(holds.sum())
                if not places:
                    continue
                may = problem.eligible[number][level] & without[level]
                if problem.most_kinds is not None:
                    may &= has[level] < problem.most_kinds
                gets = np.zeros(len(level), dtype=bool)
                gets[np.flatnonzero(holds | may)[:places]] = True
                if np.array_equal(gets, holds):
                    continue
                changed = True
                given[number, level] = gets
                has[level] += gets.astype(np.int64) - holds
    return given


def _kinds_had(problem: Problem, given: Any) -> Any:
    """Count for each household the kinds of help among ``given``."""
    found = np.zeros(len(problem.severity), dtype=np.int64)
    for group in _kinds(problem):
        found += given[list(group)].any(axis=0)
    return found


def _solve_in_rounds(problem: Problem) -> Plan:
    """Find a plan in which no household gets more kinds than it may, kind by kind."""
    offers = problem.offers
    kinds = _kinds(problem)
    given = np.zeros_like(problem.eligible)
    added = [0] * len(offers)
    rest, first = problem, None
    for _round in range(ROUNDS):
        plan = _solve_whole(rest, [_block(rest, group) for group in kinds], so_far=given)
        first = first or plan
        if not plan.given.any():
            break
        given |= plan.given
        still = problem.eligible & (_kinds_had(problem, given) < int(problem.most_kinds or 0))
        for group in kinds:
            still[list(group)] &= ~given[list(group)].any(axis=0)
        left = []
        for number, offer in enumerate(rest.offers):
            taken = int(plan.given[number].sum())
            added[number] += offer.cost_beyond(taken)
            cost = taken * offer.unit_cost
            left.append(
                replace(
                    offer,
                    places=None if offer.places is None else max(0, offer.places - taken),
                    money=None if offer.money is None else max(0, offer.money - cost),
                )
            )
        rest = replace(rest, eligible=still, offers=left, pool=max(0, problem.pool - sum(added)))
    assert first is not None
    severe, value = worth(problem, given)
    # No household can be given more than it may, which bounds the plan once more.
    most = np.minimum(_kinds_had(problem, problem.eligible), int(problem.most_kinds or 0))
    severe_bound = int(most[problem.severity == SEVERE].sum())
    top = max(offer.importance for offer in offers)
    value_bound = float((most * np.array(WEIGHTS)[problem.severity]).sum()) * top
    return replace(
        first,
        given=given,
        severe=severe,
        severe_bound=min(first.severe_bound, severe_bound),
        value=value,
        value_bound=min(first.value_bound, value_bound),
        added=added,
    )


def worth(problem: Problem, given: Any) -> tuple[int, float]:
    """Return how many severe needs ``given`` meets, and the weighted sum of all that it meets."""
    severe, value = 0, 0.0
    weights = np.array(WEIGHTS)[problem.severity]
    for number, offer in enumerate(problem.offers):
        gets = given[number]
        severe += int((problem.severity[gets] == SEVERE).sum())
        value += float(weights[gets].sum()) * offer.importance
    return severe, value


def _solve_whole(problem: Problem, blocks: Sequence[_Block], so_far: Any = None) -> Plan:
    """Solve a problem in one piece; with ``so_far``, deal first to those who have least of that."""
    from scipy.sparse import coo_array, csr_array, vstack

    offers = problem.offers
    in_turn = len(blocks) == 1 and _is_capped(problem) and so_far is None
    model = _model(problem, blocks, in_turn)
    choices = len(model.offer)
    if not choices:
        nothing = np.zeros_like(problem.eligible)
        return Plan(nothing, 0, 0, 0.0, 0.0, [0] * len(offers), 0, 0)
    offer, severity = np.array(model.offer), np.array(model.severity)
    # Behind the choices stand how many recipients of each offer the pool pays for, in parts too.
    funded = [number for number, found in enumerate(offers) if problem.pool and found.may_grow]
    for number, found in enumerate(offers):
        mine = np.flatnonzero(offer == number).tolist()
        if number in funded:
            # Not rounded down: a rest of its own money pays a part of the next place.
            row = model.limit(mine, found.own + SLIGHTLY)
            model.entries.append((row, choices + funded.index(number), -1.0))
        else:
            model.limit(mine, int(found.own + SLIGHTLY))
    if funded:
        scale = float(max(offers[number].unit_cost for number in funded))
        row = model.limit([], problem.pool / scale)
        for place, number in enumerate(funded):
            model.entries.append((row, choices + place, offers[number].unit_cost / scale))
    width = choices + len(funded)
    rows, columns, values = zip(*model.entries, strict=True)
    matrix = coo_array((values, (rows, columns)), shape=(len(model.limits), width)).tocsr()
    limits = np.array(model.limits, dtype=float)
    upper = np.concatenate([model.upper, np.full(len(funded), np.inf)]).astype(float)
    whole = np.concatenate([np.ones(choices), np.zeros(len(funded))])
    nothing_of_it = np.zeros(len(funded))

    severe = np.concatenate([(severity == SEVERE).astype(float), nothing_of_it])
    x, severe_bound = _best(severe, matrix, limits, upper, whole, problem.patience)
    met = round(float(severe @ np.round(x)))
    importance = np.array([found.importance for found in offers])
    value = np.concatenate([np.array(WEIGHTS)[severity] * importance[offer], nothing_of_it])
    if met:
        matrix = csr_array(vstack([matrix, csr_array(-severe[None, :])]))
        limits = np.append(limits, -float(met))
    x, value_bound = _best(value, matrix, limits, upper, whole, problem.patience)
    amounts = np.round(x[:choices]).astype(np.int64)
    given = _deal(problem, blocks, model, amounts, so_far)
    added = [0] * len(offers)
    for number in funded:
        added[number] = offers[number].cost_beyond(int(amounts[offer == number].sum()))
    return Plan(
        given=given,
        severe=round(float(severe[:choices] @ amounts)),
        severe_bound=int(np.floor(severe_bound + 1e-6)),
        value=float(value[:choices] @ amounts),
        value_bound=value_bound,
        added=added,
        classes=sum(len(block.count) for block in blocks),
        choices=choices,
    )


def _deal(
    problem: Problem, blocks: Sequence[_Block], model: _Model, amounts: Any, so_far: Any
) -> Any:
    """Hand the amounts of each class to its households, worst off first."""
    given = np.zeros_like(problem.eligible)
    has = _kinds_had(problem, given if so_far is None else so_far)
    block_of, row_of, offer_of = (np.array(m) for m in (model.block, model.row, model.offer))
    for number, block in enumerate(blocks):
        # Households by class, keeping their order within each.
        order = np.argsort(block.class_of, kind="stable")
        order = order[np.searchsorted(block.class_of[order], 0) :]
        starts = np.concatenate([[0], np.cumsum(block.count)])
        here = np.flatnonzero((block_of == number) & (amounts > 0)).tolist()
        # Offers of one kind stand together, so that a kind is dealt out without a gap.
        mine = sorted(here, key=lambda v: (row_of[v], problem.offers[int(offer_of[v])].kind))
        at, row = 0, -1
        members = order
        for variable in mine:
            if row_of[variable] != row:
                row, at = int(row_of[variable]), 0
                members = order[starts[row] : starts[row + 1]]
                if so_far is not None:
                    members = members[has[members] < int(problem.most_kinds or 0)]
                    members = members[np.argsort(has[members], kind="stable")]
            amount = int(amounts[variable])
            if so_far is not None:
                amount = max(0, min(amount, len(members) - at))
            chosen = members[(at + np.arange(amount)) % max(1, len(members))]
            given[offer_of[variable], chosen] = True
            at += amount
        if so_far is not None:
            has += given[list(block.offers)].any(axis=0)
    return given


def gain_of_more(problem: Problem, number: int, more: int) -> int | None:
    """Return how many more severe needs are met when offer ``number`` gets ``more`` places, paid for.

    Other kinds of help stay as they are, so only this kind is solved again; ``None`` where a limit on
    kinds per household links them.

    Raises:
        NoPlanError: the solver found no plan within its time.
    """
    if _is_capped(problem):
        return None
    kind = problem.offers[number].kind
    mine = [at for at, offer in enumerate(problem.offers) if offer.kind == kind]
    eligible = problem.eligible[mine]
    offers = [problem.offers[at] for at in mine]
    offer = offers[mine.index(number)]
    richer = replace(
        offer,
        places=None if offer.places is None else offer.places + more,
        money=None if offer.money is None else offer.money + more * offer.unit_cost,
    )
    before = replace(problem, eligible=eligible, offers=offers, pool=0)
    after = replace(before, offers=[richer if one is offer else one for one in offers])
    if not before.eligible[:, problem.severity == SEVERE].any():
        return 0
    return _most_severe(after) - _most_severe(before)


def _most_severe(problem: Problem) -> int:
    """Return how many severe needs can be met at most, without making a plan of it."""
    severe = problem.severity == SEVERE
    only = replace(
        problem,
        severity=problem.severity[severe],
        eligible=problem.eligible[:, severe],
    )
    return _solve_whole(only, [_block(only, group) for group in _kinds(only)]).severe
