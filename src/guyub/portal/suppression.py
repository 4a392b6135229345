"""Cell suppression: which counts of a set of linked tables must be hidden so that no household shows.

A count of 1 to ``threshold`` - 1 is *primary*: it is hidden because it is small. Hiding it alone does not
help, for tables publish sums, and a sum less the other parts is the hidden part. So further cells are
hidden, the *complementary* ones, until an attacker who knows every published cell, how the cells add up,
that counts are whole and that no hidden count is nought (noughts are published) can say no more of a
hidden cell than that it lies in an interval at least ``width`` wide that reaches ``threshold``. This is
the interval criterion, with sliding protection, of Fischetti and Salazar-Gonzalez (2001, *Management
Science* 47(7)) and Hundepol et al. (2012, *Statistical Disclosure Control*, chapter 4).

Protection is proved, not hoped for: for each hidden cell there is a *witness*, another set of whole counts
that agrees with all that is published and in which the cell differs by ``width``. A witness is the cheapest
flow through the cells, found by integer programming (HiGHS): already hidden cells cost next to nothing,
others their weight, and whatever the flow passes through is hidden. Since hiding more cells never takes a
witness away, the order does not matter to safety, and one witness may serve many cells. The program is
solved on the neighbourhood of the cell first, and on all tables only where that is not enough.

The result depends on the numbers alone, not on time or chance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

THRESHOLD = 5
WIDTH = 5
# What a unit of flow through a hidden cell costs: little, but something, or flows would run in circles.
HIDDEN_COST = 0.001
NEIGHBOURS = 2


class UnprotectableError(Exception):
    """No set of hidden cells protects a cell: its tables leave no room at all."""


@dataclass(frozen=True)
class Sum:
    """The cell ``total`` is the sum of the cells ``parts``."""

    total: int
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Protection:
    """Which cells are hidden, which of them for their own sake, and what proves that they are safe.

    A witness maps cells to what must be added to their counts to get the other set of counts;
    ``proof`` names the witness of each hidden cell.
    """

    hidden: frozenset[int]
    primary: frozenset[int]
    witnesses: tuple[dict[int, int], ...] = ()
    proof: dict[int, int] = field(default_factory=dict)

    @property
    def complementary(self) -> frozenset[int]:
        return self.hidden - self.primary


class Tables:
    """Counts that add up in known ways, and the search for flows through them."""

    def __init__(
        self,
        values: Sequence[int],
        sums: Sequence[Sum],
        weights: Sequence[float] | None = None,
        floors: Mapping[int, int] | None = None,
    ) -> None:
        self.values = list(values)
        self.sums = list(sums)
        self.weights = [1.0] * len(self.values) if weights is None else list(weights)
        self.floors = floors or {}
        self.sums_of: list[list[int]] = [[] for _ in self.values]
        for number, equation in enumerate(self.sums):
            found = sum(self.values[part] for part in equation.parts)
            if found != self.values[equation.total]:
                raise ValueError(f"cell {equation.total} is not the sum of its parts")
            for cell in (equation.total, *equation.parts):
                self.sums_of[cell].append(number)

    def room_below(self, cell: int) -> int:
        """Return how much less the count could be, for all that is known without sums."""
        return max(0, self.values[cell] - max(1, self.floors.get(cell, 1)))

    def near(self, cell: int, steps: int) -> list[int]:
        """Return the cells that are not nought within ``steps`` sums of ``cell``, in order."""
        found, edge = {cell}, {cell}
        for _step in range(steps):
            reached: set[int] = set()
            for one in edge:
                for number in self.sums_of[one]:
                    equation = self.sums[number]
                    reached.update((equation.total, *equation.parts))
            edge = {one for one in reached - found if self.values[one]}
            found |= edge
        return sorted(found)

    def flow(
        self, cell: int, amount: int, hidden: set[int], cells: Sequence[int]
    ) -> tuple[float, dict[int, int]] | None:
        """Return the cheapest change of ``cells`` that moves ``cell`` by ``amount``, and its cost.

        Cells outside ``cells`` stay as they are. ``None`` when there is no such change.
        """
        index = {one: place for place, one in enumerate(cells)}
        count = len(cells)
        numbers = sorted({number for one in cells for number in self.sums_of[one]})
        rows, columns, signs = [], [], []
        for row, number in enumerate(numbers):
            equation = self.sums[number]
            for one, sign in [(equation.total, -1), *((part, 1) for part in equation.parts)]:
                place = index.get(one)
                if place is not None:
                    rows += [row, row]
                    columns += [place, count + place]
                    signs += [sign, -sign]
        matrix = csr_array((signs, (rows, columns)), shape=(len(numbers), 2 * count))
        cost = np.array([HIDDEN_COST if one in hidden else self.weights[one] for one in cells])
        low, high = np.zeros(2 * count), np.full(2 * count, np.inf)
        high[count:] = [self.room_below(one) for one in cells]
        place = index[cell]
        low[place] = high[place] = max(amount, 0)
        low[count + place] = high[count + place] = max(-amount, 0)
        found = milp(
            np.concatenate([cost, cost]),
            constraints=LinearConstraint(matrix, 0, 0),  # type: ignore[arg-type]
            bounds=Bounds(low, high),  # type: ignore[arg-type]
            integrality=np.ones(2 * count),
        )
        if found.x is None:
            return None
        change = np.rint(found.x[:count] - found.x[count:]).astype(int)
        moved = {one: int(change[place]) for one, place in index.items() if change[place]}
        return float(found.fun), moved

    def witness(self, cell: int, hidden: set[int], width: int) -> dict[int, int]:
        """Return the cheapest change that moves ``cell`` by ``width``, up or down.

        Raises:
            UnprotectableError: there is none.
        """
        amounts = [width]
        if self.room_below(cell) >= width:
            amounts.append(-width)
        steps, known = NEIGHBOURS, 0
        while True:
            cells = self.near(cell, steps)
            if len(cells) == known:
                raise UnprotectableError(cell)
            known = len(cells)
            found = [self.flow(cell, amount, hidden, cells) for amount in amounts]
            best = min((one for one in found if one is not None), key=lambda f: f[0], default=None)
            if best is not None:
                return best[1]
            steps += 1


def protect(
    values: Sequence[int],
    sums: Sequence[Sum],
    *,
    sensitive: Iterable[int] = (),
    weights: Sequence[float] | None = None,
    floors: Mapping[int, int] | None = None,
    threshold: int = THRESHOLD,
    width: int = WIDTH,
    complementary: bool = True,
) -> Protection:
    """Return what must be hidden of ``values``, the counts of all cells of all tables.

    Args:
        values: The true counts. ``sums`` says how they add up.
        sensitive: Cells to hide for other reasons than a small count. Noughts among them are ignored.
        weights: What it costs to lose a cell, each cell 1 unless told otherwise.
        floors: What an attacker knows a count to be at the least, where that is more than 1.
        threshold: The smallest count that may be seen.
        width: How wide the interval must be that an attacker can give for a hidden cell, at the least.
        complementary: ``False`` leaves the primary cells unprotected, to show in a test what that does.

    Raises:
        UnprotectableError: some cell cannot be protected. Where ``floors`` is empty and every cell has a
            total above it this cannot happen: a cell and all its totals may grow together.
        ValueError: the counts do not add up.
    """
    tables = Tables(values, sums, weights, floors)
    small = {cell for cell, value in enumerate(values) if 0 < value < threshold}
    primary = small | {cell for cell in sensitive if values[cell]}
    if not complementary:
        return Protection(frozenset(primary), frozenset(primary))
    hidden = set(primary)
    witnesses: list[dict[int, int]] = []
    proof: dict[int, int] = {}
    # Dear cells first: what has to be hidden for them then serves the cheap ones.
    waiting = deque(sorted(primary, key=lambda cell: (-tables.weights[cell], cell)))
    while waiting:
        cell = waiting.popleft()
        if cell in proof:
            continue
        change = tables.witness(cell, hidden, width)
        number = len(witnesses)
        witnesses.append(change)
        for one in sorted(change):
            if one not in hidden:
                hidden.add(one)
                waiting.append(one)
            if abs(change[one]) >= width:
                proof.setdefault(one, number)
    return Protection(frozenset(hidden), frozenset(primary), tuple(witnesses), proof)
