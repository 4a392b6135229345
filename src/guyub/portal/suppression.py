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
flow through the cells: already hidden cells cost next to nothing, others their weight, and whatever the
flow passes through is hidden. Since hiding more cells never takes a witness away, the order does not
matter to safety, and one witness may serve many cells.

Cells may also be *withheld*: not published at all, not even that they are not nought. They cost nothing
and may be anything from nought up. :mod:`guyub.portal.coarsening` decides which are, and cuts tables of
thousands of cells into pieces for which a flow is found in milliseconds.

The result depends on the numbers alone, not on time or chance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

THRESHOLD = 5
WIDTH = 5
# What a unit of flow through a hidden cell costs: little, but something, or flows would run in circles.
HIDDEN_COST = 0.001
# Farther than any count goes, for programs must have an end.
FAR = 1e7
NONE: frozenset[int] = frozenset()

Change = dict[int, int]


class UnprotectableError(Exception):
    """No set of hidden cells protects ``cell``: its tables leave no room at all."""

    def __init__(self, cell: int | None) -> None:
        super().__init__(cell)
        self.cell = cell


@dataclass(frozen=True)
class Sum:
    """The cell ``total`` is the sum of the cells ``parts``."""

    total: int
    parts: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        return (self.total, *self.parts)


@dataclass(frozen=True)
class Protection:
    """Which cells are hidden, which of them for their own sake, and what proves that they are safe.

    A witness maps cells to what must be added to their counts to get the other set of counts;
    ``proof`` names the witness of each hidden cell. ``withheld`` are the cells that are not published.
    """

    hidden: frozenset[int]
    primary: frozenset[int]
    witnesses: tuple[Change, ...] = ()
    proof: dict[int, int] = field(default_factory=dict)
    withheld: frozenset[int] = NONE

    @property
    def complementary(self) -> frozenset[int]:
        return self.hidden - self.primary


class Tables:
    """Counts that add up in known ways.

    Args:
        values: The true counts. ``sums`` says how they add up.
        weights: What it costs to lose a cell, each cell 1 unless told otherwise.
        floors: What an attacker knows a count to be at the least, where that is more than 1.

    Raises:
        ValueError: the counts do not add up.
    """

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
            for cell in equation.cells:
                self.sums_of[cell].append(number)

    def cost(self, cell: int) -> float:
        """What it costs to hide a cell: of two equals, the one that more households are in costs more."""
        return self.weights[cell] * (1 + 0.1 * float(np.log2(1 + self.values[cell])))

    def room_below(self, cell: int, withheld: Collection[int] = NONE) -> int:
        """Return how much less the count could be, for all that is known without sums."""
        least = 0 if cell in withheld else 1
        return max(0, self.values[cell] - max(least, self.floors.get(cell, 0)))

    def verify(self, protection: Protection, width: int) -> None:
        """Check that every hidden cell has a witness and that every witness holds.

        Raises:
            AssertionError: one does not; nothing may be published then.
        """
        movable = protection.hidden | protection.withheld
        for change in protection.witnesses:
            for number in {number for cell in change for number in self.sums_of[cell]}:
                equation = self.sums[number]
                moved = sum(change.get(part, 0) for part in equation.parts)
                if moved != change.get(equation.total, 0):
                    raise AssertionError("a witness does not add up")
            for cell, amount in change.items():
                if cell not in movable or amount < -self.room_below(cell, protection.withheld):
                    raise AssertionError("a witness changes what is known")
        for cell in protection.hidden:
            if abs(protection.witnesses[protection.proof[cell]].get(cell, 0)) < width:
                raise AssertionError("a hidden cell has no witness")


class Piece:
    """The cells of one part of the tables, which may move while all the others stay where they are.

    Or move as a flow elsewhere wants them to: ``outside`` in the methods below is what cells that are not
    of this piece change by. Sums of which a cell lies outside ``scope`` are left to others to mind.
    """

    def __init__(
        self,
        tables: Tables,
        cells: Iterable[int],
        withheld: Collection[int] = NONE,
        scope: frozenset[int] | None = None,
    ) -> None:
        # Imported late here and below: it takes a second, and only the worker protects tables.
        from scipy.sparse import csr_array

        self.tables = tables
        of_piece = list(cells)
        self.withheld = frozenset(withheld) & frozenset(of_piece)
        # A nought that is published stays one.
        self.cells = [one for one in of_piece if tables.values[one] or one in self.withheld]
        self.place = {one: place for place, one in enumerate(self.cells)}
        numbers = sorted(
            number
            for number in {number for one in of_piece for number in tables.sums_of[one]}
            if scope is None or scope.issuperset(tables.sums[number].cells)
        )
        self._row = {number: row for row, number in enumerate(numbers)}
        count = len(self.cells)
        rows, columns, signs = [], [], []
        for row, number in enumerate(numbers):
            equation = tables.sums[number]
            for one, sign in [(equation.total, -1), *((part, 1) for part in equation.parts)]:
                place = self.place.get(one)
                if place is not None:
                    rows += [row, row]
                    columns += [place, count + place]
                    signs += [sign, -sign]
        self._matrix = csr_array((signs, (rows, columns)), shape=(len(numbers), 2 * count))
        self._cost = np.array(
            [0.0 if one in self.withheld else tables.cost(one) for one in self.cells]
        )
        self._room = np.array(
            [tables.room_below(one, self.withheld) for one in self.cells], dtype=float
        )

        # Cells that are parts of exactly two sums of the piece, and of which no sum of it is the total.
        parts_of: dict[int, list[int]] = {one: [] for one in self.cells}
        totals = set()
        for row, number in enumerate(numbers):
            totals.add(tables.sums[number].total)
            for one in tables.sums[number].parts:
                if one in parts_of:
                    parts_of[one].append(row)
        self._crossing = {
            one: (rows[0], rows[1])
            for one, rows in parts_of.items()
            if len(rows) == 2 and one not in totals
        }
        self._at_crossing = {rows: one for one, rows in self._crossing.items()}
        self._along: dict[int, list[int]] = {}
        for one, both in self._crossing.items():
            for row in both:
                self._along.setdefault(row, []).append(one)

    def room_below(self, cell: int) -> int:
        return int(self._room[self.place[cell]])

    def rectangles(self, cell: int, hidden: Collection[int]) -> Iterator[tuple[int, int, int]]:
        """Yield rectangles of cells that are unseen anyway: two beside ``cell``, and the one across.

        What ``cell`` gains, the two beside it lose and the one across gains, and no sum changes.
        """
        if cell not in self._crossing:
            return
        first, second = self._crossing[cell]
        loose = [
            [
                one
                for one in self._along[row]
                if one != cell and (one in hidden or one in self.withheld)
            ]
            for row in (first, second)
        ]
        for one in loose[0]:
            (up,) = (row for row in self._crossing[one] if row != first)
            for other in loose[1]:
                (down,) = (row for row in self._crossing[other] if row != second)
                across = self._at_crossing.get((min(up, down), max(up, down)))
                if across is not None and (across in hidden or across in self.withheld):
                    yield one, other, across

    def swap(self, cell: int, hidden: Collection[int], width: int) -> Change | None:
        """Return a change by ``width`` of ``cell`` within a rectangle that is unseen anyway.

        Most cells have one once a few are hidden, and it takes no program to find.
        """
        for one, other, across in self.rectangles(cell, hidden):
            if min(self.room_below(one), self.room_below(other)) >= width:
                return {cell: width, one: -width, other: -width, across: width}
            if min(self.room_below(cell), self.room_below(across)) >= width:
                return {cell: -width, one: width, other: width, across: -width}
        return None

    def is_vague(self, cell: int, hidden: Collection[int], threshold: int, width: int) -> bool:
        """Return whether rectangles alone show that a cell's interval is wide; ``False`` says nothing."""
        down = up = 0
        for one, other, across in self.rectangles(cell, hidden):
            up = max(up, min(self.room_below(one), self.room_below(other)))
            down = max(down, min(self.room_below(cell), self.room_below(across)))
            if down + up >= width and self.tables.values[cell] + up >= threshold:
                return True
        return False

    def flow(
        self, hidden: set[int], wanted: Mapping[int, int], outside: Mapping[int, int]
    ) -> tuple[float, Change] | None:
        """Return the cheapest change that moves the cells of ``wanted`` as it says, and its cost.

        ``None`` when there is no such change.
        """
        count = len(self.cells)
        low, high = np.zeros(2 * count), np.full(2 * count, np.inf)
        high[count:] = self._room
        for one, amount in wanted.items():
            place = self.place[one]
            if -amount > self._room[place]:
                return None
            low[place] = high[place] = max(amount, 0)
            low[count + place] = high[count + place] = max(-amount, 0)
        known = np.fromiter((one in hidden for one in self.cells), bool, count)
        cost = np.where(known, HIDDEN_COST, self._cost + HIDDEN_COST)
        return self._solve(np.concatenate([cost, cost]), low, high, outside)

    def reach(
        self, cell: int, hidden: Collection[int], outside: Mapping[int, int]
    ) -> tuple[int, int] | None:
        """Return how far a cell can go down and up while nothing more is hidden.

        Both are what is added to the count. ``None`` where the piece cannot follow ``outside``.
        """
        count, place = len(self.cells), self.place[cell]
        low, high = np.zeros(2 * count), np.zeros(2 * count)
        for at, one in enumerate(self.cells):
            if one in hidden or one in self.withheld:
                high[at], high[count + at] = FAR, self._room[at]
        found = []
        for sign in (1, -1):
            cost = np.full(2 * count, HIDDEN_COST / count)
            cost[place], cost[count + place] = sign, -sign
            answer = self._solve(cost, low, high, outside)
            if answer is None:
                return None
            found.append(answer[1].get(cell, 0))
        return found[0], found[1]

    def _solve(
        self, cost: np.ndarray, low: np.ndarray, high: np.ndarray, outside: Mapping[int, int]
    ) -> tuple[float, Change] | None:
        from scipy.optimize import Bounds, LinearConstraint, milp

        right = np.zeros(len(self._row))
        for one, amount in outside.items():
            for number in self.tables.sums_of[one]:
                row = self._row.get(number)
                if row is not None:
                    right[row] += amount if self.tables.sums[number].total == one else -amount
        count = len(self.cells)
        if not count:
            return None if right.any() else (0.0, {})
        # Without asking for whole numbers first: it takes a tenth of the time and nearly always gives them.
        for whole in (0, 1):
            found = milp(
                cost,
                constraints=LinearConstraint(self._matrix, right, right),  # type: ignore[arg-type]
                bounds=Bounds(low, high),  # type: ignore[arg-type]
                integrality=np.full(2 * count, whole),
            )
            if found.x is None:
                return None
            change = found.x[:count] - found.x[count:]
            rounded = np.rint(change)
            if whole or np.abs(change - rounded).max() < 1e-6:
                break
        moved = np.flatnonzero(rounded)
        return float(found.fun), {self.cells[at]: int(rounded[at]) for at in moved}


@dataclass
class Search:
    """The search for what to hide in a piece, and what it found.

    ``moves`` are the flows elsewhere that change cells next to this piece: each must be possible, and a
    cell may be protected by one of them. ``witnesses`` are pairs (number of the move or ``None``, change);
    ``extensions`` says how the piece follows each move.
    """

    piece: Piece
    primary: set[int]
    width: int = WIDTH
    moves: Sequence[Mapping[int, int]] = ()
    hidden: set[int] = field(default_factory=set)
    witnesses: list[tuple[int | None, Change]] = field(default_factory=list)
    proof: dict[int, int] = field(default_factory=dict)
    extensions: list[Change] = field(default_factory=list)

    def run(self) -> Search:
        """Hide what must be hidden.

        Raises:
            UnprotectableError: that is impossible.
        """
        tables = self.piece.tables
        self.hidden = set(self.primary)
        # Dear cells first: what has to be hidden for them then serves the cheap ones.
        self._waiting = deque(sorted(self.primary, key=lambda one: (-tables.weights[one], one)))
        self._protect_waiting()
        followed: dict[tuple[tuple[int, int], ...], Change] = {}
        for outside in self.moves:
            key = tuple(sorted(outside.items()))
            if key not in followed:
                found = self.piece.flow(self.hidden, {}, outside)
                if found is None:
                    raise UnprotectableError(None)
                followed[key] = found[1]
                self._hide(found[1])
            self.extensions.append(followed[key])
        self._protect_waiting()
        return self

    def protect(self, cell: int) -> None:
        """Protect one cell more, after :meth:`run`: a withheld one that could be told too closely.

        Raises:
            UnprotectableError: that is impossible.
        """
        self._waiting.append(cell)
        self._protect_waiting()

    def _hide(self, change: Change) -> None:
        for one in sorted(change):
            if one not in self.hidden and one not in self.piece.withheld:
                self.hidden.add(one)
                self._waiting.append(one)

    def _protect_waiting(self) -> None:
        while self._waiting:
            cell = self._waiting.popleft()
            if cell in self.proof:
                continue
            move, change = self._witness(cell)
            number = len(self.witnesses)
            self.witnesses.append((move, change))
            self._hide(change)
            for one, amount in change.items():
                if abs(amount) >= self.width:
                    self.proof.setdefault(one, number)

    def _witness(self, cell: int) -> tuple[int | None, Change]:
        simple = self.piece.swap(cell, self.hidden, self.width)
        if simple is not None:
            return None, simple
        amounts = [self.width]
        if self.piece.room_below(cell) >= self.width:
            amounts.append(-self.width)
        best: tuple[float, int | None, Change] | None = None
        for move in (None, *range(len(self.moves))):
            outside = {} if move is None else self.moves[move]
            for amount in amounts:
                found = self.piece.flow(self.hidden, {cell: amount}, outside)
                if found is not None and (best is None or found[0] < best[0]):
                    best = (found[0], move, found[1])
            if best is not None and move is None:
                break
        if best is None:
            raise UnprotectableError(cell)
        return best[1], best[2]


def protect(
    values: Sequence[int],
    sums: Sequence[Sum],
    *,
    sensitive: Iterable[int] = (),
    weights: Sequence[float] | None = None,
    floors: Mapping[int, int] | None = None,
    kept: Collection[int] = NONE,
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
        kept: Cells that are not to be hidden for the sake of others.
        threshold: The smallest count that may be seen.
        width: How wide the interval must be that an attacker can give for a hidden cell, at the least.
        complementary: ``False`` leaves the primary cells unprotected, to show in a test what that does.

    Raises:
        UnprotectableError: some cell cannot be protected. Where ``floors`` and ``kept`` are empty and every
            cell has a total above it this cannot happen: a cell and all its totals may grow together.
        ValueError: the counts do not add up.
    """
    tables = Tables(values, sums, weights, floors)
    primary = primary_cells(values, sensitive, threshold)
    if not complementary:
        return Protection(primary, primary)
    piece = Piece(tables, [one for one in range(len(values)) if one not in kept or one in primary])
    found = Search(piece, set(primary), width).run()
    protection = Protection(
        frozenset(found.hidden),
        primary,
        tuple(change for _move, change in found.witnesses),
        found.proof,
    )
    tables.verify(protection, width)
    return protection


def primary_cells(
    values: Sequence[int], sensitive: Iterable[int], threshold: int
) -> frozenset[int]:
    """Return the cells that are hidden for their own sake."""
    small = {cell for cell, value in enumerate(values) if 0 < value < threshold}
    return frozenset(small | {cell for cell in sensitive if values[cell]})
