"""How much of a table is published: as fine as it can be without hiding what readers ask for first.

A table is cut in two. The *top* are the cells that everybody asks for: the regency and its districts. The
*blocks* below it hold the detail: the villages of one district, or the sub-activities of one form of help.
The top is protected first, without its blocks; the regency's counts are not to be hidden for the sake
of others if that is possible at all. Then each block is protected so that nothing more of the top is
hidden. Where that is impossible, or most of a group of cells would be hidden, the group is left out, down to
the whole block. What is left out is *withheld*: an attacker does not even know which of those cells are
nought.

Why the pieces together are as safe as the whole: a witness within a block leaves the top and with it
all other blocks as they are. A witness of the top is followed by every block that it touches: a flow
through the block is found that takes up what the top's cells change by, and what it passes through is
hidden. Put together they are a witness of the whole table; :meth:`Tables.verify` checks each of them
against every sum before anything is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from guyub.portal.suppression import (
    NONE,
    THRESHOLD,
    WIDTH,
    Change,
    Piece,
    Protection,
    Search,
    Sum,
    Tables,
    UnprotectableError,
    primary_cells,
)

# Of a group of cells, noughts aside, this share may be hidden before the whole group is left out.
MOST_HIDDEN = 2 / 3


@dataclass(frozen=True)
class Part:
    """A part of a table that is protected by itself: the top or a block.

    ``groups`` are sets of cells that can be left out, the one that is missed least first; ``rest`` is what
    can be left out at the very last. ``kept`` are sets of cells not to be hidden for the sake of others,
    from the strictest on; the last may be empty.
    """

    key: str
    cells: tuple[int, ...]
    groups: tuple[frozenset[int], ...]
    kept: tuple[frozenset[int], ...]
    rest: frozenset[int]


@dataclass(frozen=True)
class Plan:
    """How a table is cut."""

    top: Part
    blocks: tuple[Part, ...]


@dataclass(frozen=True)
class Found:
    """What was found of one part: what it withholds, and the search that says what it hides."""

    withheld: frozenset[int]
    search: Search


@dataclass
class Attempt:
    """The protection of one part, given what stands around it.

    ``above`` is what the top withholds, ``moves`` are the flows of the top that pass beside a block, and
    ``scope`` is the top where the part is the top: sums that reach beyond it are minded by the blocks.
    """

    tables: Tables
    part: Part
    primary: frozenset[int]
    threshold: int
    width: int
    scope: frozenset[int] | None = None
    above: frozenset[int] = NONE
    moves: Sequence[Mapping[int, int]] = ()
    beside: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        inner = frozenset(self.part.cells)
        near = {
            one
            for cell in inner
            for number in self.tables.sums_of[cell]
            for one in self.tables.sums[number].cells
        }
        self.beside = frozenset(near - inner)

    def run(self) -> Found:
        """Protect the part.

        Raises:
            UnprotectableError: nothing helps.
        """
        part = self.part
        tries = [(kept, part.groups) for kept in part.kept]
        tries += [(kept, (*part.groups, part.rest)) for kept in part.kept[1:]]
        for kept, groups in [*tries, (NONE, part.groups)]:
            found = self._leave_out(kept, groups)
            if found is not None:
                return self._without_rest(kept, found)
        raise UnprotectableError(None)

    def _without_rest(self, kept: frozenset[int], found: Found) -> Found:
        """Leave out the rest too, where most of what is left of it would be hidden."""
        if not self._is_mostly_hidden(self.part.rest, found):
            return found
        try:
            return self._protect(kept, found.withheld | self.part.rest)
        except UnprotectableError:
            return found

    def _leave_out(self, kept: frozenset[int], groups: Sequence[frozenset[int]]) -> Found | None:
        """Leave out group after group until the others are protected and mostly seen."""
        best: Found | None = None
        withheld = self._under_withheld()
        while True:
            left = [group for group in groups if not group <= withheld]
            try:
                best = self._protect(kept, withheld)
                # Those first of which no part can be left out by itself.
                further = [
                    group
                    for group in left
                    if not any(other < group for other in left)
                    and self._is_mostly_hidden(group, best)
                ]
            except UnprotectableError as error:
                further = [group for group in left if error.cell in group][:1]
                if error.cell is None or error.cell in withheld:
                    # No cell in particular, or one that can be told from what is still shown beside it.
                    further = left[:1]
            if not further:
                return best
            withheld = withheld.union(*further)

    def _under_withheld(self) -> frozenset[int]:
        """Return the cells that add up to one that is withheld: shown, they would bring it back."""
        inner = frozenset(self.part.cells)
        return frozenset(
            cell
            for cell in inner
            for number in self.tables.sums_of[cell]
            if self.tables.sums[number].total in self.above
        )

    def _is_mostly_hidden(self, group: frozenset[int], found: Found) -> bool:
        counted = [one for one in group - found.withheld if self.tables.values[one]]
        hidden = sum(one in found.search.hidden for one in counted)
        return hidden > MOST_HIDDEN * len(counted)

    def _protect(self, kept: frozenset[int], withheld: frozenset[int]) -> Found:
        cells = [
            one
            for one in self.part.cells
            if one not in kept or one in self.primary or one in withheld
        ]
        piece = Piece(self.tables, cells, withheld, self.scope)
        own = self.primary.intersection(cells)
        search = Search(piece, set(own - withheld), self.width, self.moves).run()
        # Of a block that is left out as a whole nothing is known but what the top says.
        if len(withheld) < len(self.part.cells):
            self._protect_withheld(search, sorted(own & withheld))
        return Found(withheld, search)

    def _protect_withheld(self, search: Search, small: Sequence[int]) -> None:
        """See to it that nobody can tell a withheld cell too closely either.

        Raises:
            UnprotectableError: somebody can, and hiding more does not help.
        """
        piece, free = search.piece, sorted(self.above & self.beside)
        if free:
            # What is withheld above may be anything too; other blocks show nothing below it, so they follow.
            piece = Piece(
                self.tables,
                [*search.piece.cells, *free],
                search.piece.withheld.union(free),
                self.above.union(self.part.cells, self.beside),
            )
        for one in small:
            if self._is_vague(piece, one, search.hidden):
                continue
            if free:
                raise UnprotectableError(one)
            search.protect(one)

    def _is_vague(self, piece: Piece, cell: int, hidden: set[int]) -> bool:
        if piece.is_vague(cell, hidden, self.threshold, self.width):
            return True
        low, high, value = 0, 0, self.tables.values[cell]
        for outside in ({}, *self.moves):
            reached = piece.reach(cell, hidden, outside)
            if reached is not None:
                low, high = min(low, reached[0]), max(high, reached[1])
            if high - low >= self.width and value + high >= self.threshold:
                return True
        return False


def protect_plan(
    plan: Plan,
    values: Sequence[int],
    sums: Sequence[Sum],
    *,
    sensitive: Iterable[int] = (),
    weights: Sequence[float] | None = None,
    floors: Mapping[int, int] | None = None,
    threshold: int = THRESHOLD,
    width: int = WIDTH,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Protection:
    """Return what must be hidden or withheld of a table; for arguments see :func:`suppression.protect`.

    ``progress`` is told how many parts are done, of how many.

    Raises:
        UnprotectableError: not even the coarsest form can be protected.
        ValueError: the counts do not add up.
    """
    tables = Tables(values, sums, weights, floors)
    primary = primary_cells(values, sensitive, threshold)
    parts = 1 + len(plan.blocks)
    progress(0, parts)
    scope = frozenset(plan.top.cells)
    top = Attempt(tables, plan.top, primary, threshold, width, scope).run()
    progress(1, parts)
    witnesses = [change for _move, change in top.search.witnesses]
    # Witnesses that prove nothing need not be followed.
    needed = sorted({top.search.proof[one] for one in top.search.hidden})
    found: list[tuple[Found, list[int]]] = []
    for done, block in enumerate(plan.blocks, start=2):
        attempt = Attempt(tables, block, primary, threshold, width, above=top.withheld)
        touching, moves = [], []
        for at in needed:
            outside = {
                one: amount for one, amount in witnesses[at].items() if one in attempt.beside
            }
            if outside:
                touching.append(at)
                moves.append(outside)
        attempt.moves = moves
        found.append((attempt.run(), touching))
        progress(done, parts)
    protection = _joined(primary, top, found)
    tables.verify(protection, width)
    return protection


def _joined(
    primary: frozenset[int], top: Found, blocks: Sequence[tuple[Found, Sequence[int]]]
) -> Protection:
    """Put parts together; each block comes with the numbers of the top's witnesses that it follows."""
    following: dict[int, dict[int, Change]] = {}
    for number, (block, touching) in enumerate(blocks):
        for at, extension in zip(touching, block.search.extensions, strict=True):
            following.setdefault(at, {})[number] = extension

    def whole(at: int, of: Mapping[int, Change]) -> Change:
        """Return a witness of the top together with what blocks change by."""
        change = dict(top.search.witnesses[at][1])
        for extension in of.values():
            change |= extension
        return change

    witnesses = [whole(at, following.get(at, {})) for at in range(len(top.search.witnesses))]
    proof = {one: top.search.proof[one] for one in top.search.hidden}
    for number, (block, touching) in enumerate(blocks):
        first = len(witnesses)
        for move, change in block.search.witnesses:
            if move is None:
                witnesses.append(change)
            else:
                at = touching[move]
                witnesses.append(whole(at, following[at] | {number: change}))
        proof |= {one: first + block.search.proof[one] for one in block.search.hidden}
    used = {at: place for place, at in enumerate(sorted(set(proof.values())))}
    withheld = top.withheld.union(*(block.withheld for block, _touching in blocks))
    return Protection(
        frozenset(top.search.hidden).union(*(block.search.hidden for block, _touching in blocks)),
        primary - withheld,
        tuple(witnesses[at] for at in used),
        {one: used[at] for one, at in proof.items()},
        withheld,
    )
