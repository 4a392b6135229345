"""What an attacker does who has every published page and file: linear programs over all tables at once.

The attacker knows how the tables add up, that counts are whole numbers, that a hidden count is at least
one and a withheld one at least nought, and nothing of how those cells were chosen. Written apart from :mod:`guyub.portal.suppression`, so
that a mistake there is not repeated here.
"""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

Cell = Hashable
Interval = tuple[int, float]


@dataclass
class Known:
    """Published counts (``None`` is hidden) and sums: (total, parts). ``withheld`` ones may be nought."""

    cells: dict[Cell, int | None] = field(default_factory=dict)
    sums: list[tuple[Cell, Sequence[Cell]]] = field(default_factory=list)
    # Pairs (smaller, larger): what the attacker takes to have grown from one release to the next.
    grown: list[tuple[Cell, Cell]] = field(default_factory=list)
    withheld: set[Cell] = field(default_factory=set)

    def hidden(self) -> list[Cell]:
        return [cell for cell, value in self.cells.items() if value is None]


def intervals(
    known: Known, cells: Iterable[Cell] | None = None, enough: tuple[int, int] | None = None
) -> dict[Cell, Interval]:
    """Return the least and the greatest count that each hidden cell can have.

    With ``enough`` (a width and a greatest count) less is sought: of a cell which two answers found so
    far show to be that wide and to reach that count, those two are returned.
    """
    # Parts of a nought are nought; whatever hangs together through sums is a program of its own.
    values = dict(known.cells)
    for total, parts in sorted(known.sums, key=lambda one: len(str(one[0]))):
        if values[total] == 0:
            values |= dict.fromkeys((part for part in parts if part in known.withheld), 0)
    links: list[tuple[list[tuple[Cell, int]], int, bool]] = []
    for (terms, right), is_equal in [
        *((_open_terms(values, [(total, -1), *((part, 1) for part in parts)]), True)
          for total, parts in known.sums),
        *((_open_terms(values, [(smaller, 1), (larger, -1)]), False)
          for smaller, larger in known.grown),
    ]:  # fmt: skip
        if terms:
            links.append((terms, right, is_equal))
        else:
            assert right == 0 or not is_equal, "published tables contradict each other"
    unknown = known.hidden()
    found: dict[Cell, Interval] = {cell: (0, 0) for cell in unknown if values[cell] == 0}
    left = [cell for cell in unknown if values[cell] is None]
    wanted = set(left if cells is None else cells)
    for group, program in _components(left, links):
        if wanted & set(group):
            found |= _solved(
                group, program, [c for c in group if c in wanted], known.withheld, enough
            )
    return found


Link = tuple[list[tuple[Cell, int]], int, bool]


def _open_terms(
    values: Mapping[Cell, int | None], terms: Iterable[tuple[Cell, int]]
) -> tuple[list[tuple[Cell, int]], int]:
    """Return the terms of an equation that are not known, and what they add up to."""
    unknown, right = [], 0
    for cell, sign in terms:
        value = values[cell]
        if value is None:
            unknown.append((cell, sign))
        else:
            right -= sign * value
    return unknown, right


def _components(
    cells: Sequence[Cell], links: Sequence[Link]
) -> Iterable[tuple[list[Cell], list[Link]]]:
    above = {cell: cell for cell in cells}

    def root(cell: Cell) -> Cell:
        while above[cell] != cell:
            above[cell] = above[above[cell]]
            cell = above[cell]
        return cell

    for terms, _right, _is_equal in links:
        for cell, _sign in terms[1:]:
            above[root(cell)] = root(terms[0][0])
    groups: dict[Cell, tuple[list[Cell], list[Link]]] = {}
    for cell in cells:
        groups.setdefault(root(cell), ([], []))[0].append(cell)
    for link in links:
        groups[root(link[0][0][0])][1].append(link)
    return groups.values()


def _solved(
    unknown: Sequence[Cell],
    links: Sequence[Link],
    cells: Iterable[Cell],
    withheld: set[Cell],
    enough: tuple[int, int] | None,
) -> dict[Cell, Interval]:
    place = {cell: number for number, cell in enumerate(unknown)}
    matrices: dict[bool, tuple[list[np.ndarray], list[int]]] = {True: ([], []), False: ([], [])}
    for terms, right, is_equal in links:
        row = np.zeros(len(unknown))
        for cell, sign in terms:
            row[place[cell]] += sign
        matrices[is_equal][0].append(row)
        matrices[is_equal][1].append(right)
    (equal, equal_to), (above, above_to) = matrices[True], matrices[False]
    program = {
        "A_eq": csr_array(np.array(equal)) if equal else None,
        "b_eq": equal_to or None,
        "A_ub": csr_array(np.array(above)) if above else None,
        "b_ub": above_to or None,
        "bounds": [(0 if one in withheld else 1, None) for one in unknown],
    }
    lowest, highest = np.full(len(unknown), np.inf), np.full(len(unknown), -np.inf)
    found: dict[Cell, Interval] = {}
    for cell in cells:
        at = place[cell]
        if enough is not None and highest[at] >= lowest[at]:
            low, high = _whole(lowest[at], highest[at])
            if high - low >= enough[0] and high >= enough[1]:
                found[cell] = (low, high)
                continue
        ends = []
        for sign in (1, -1):
            cost = np.zeros(len(unknown))
            cost[at] = sign
            answer = linprog(cost, **program)
            assert answer.status in (0, 3), answer.message
            ends.append(math.inf if answer.status == 3 else abs(answer.fun))
            if answer.status == 0:
                lowest, highest = np.minimum(lowest, answer.x), np.maximum(highest, answer.x)
        found[cell] = _whole(*ends)
    return found


def _whole(low: float, high: float) -> Interval:
    """Return the least and the greatest whole number between two bounds."""
    return math.ceil(low - 1e-6), high if high == math.inf else math.floor(high + 1e-6)


def broken(known: Known, threshold: int = 5, width: int = 5) -> dict[Cell, Interval]:
    """Return the hidden cells of which too much can be said, and every small count that is shown.

    Of a withheld cell too much is said where it may be small and its interval is narrow: that it is
    nought, or large, may be known.
    """
    found = {
        cell: (low, high)
        for cell, (low, high) in intervals(known, enough=(width, threshold)).items()
        if (high - low < width or high < threshold)
        and not (cell in known.withheld and (low >= threshold or high == 0))
    }
    for cell, value in known.cells.items():
        if value is not None and 0 < value < threshold:
            found[cell] = (value, value)
    return found


def read_households(text: str, release: int = 0) -> Known:
    """Read the table of households from its CSV file."""
    known, parents = Known(), {}
    for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"):
        area = row["kode_kemendagri"]
        _add(known, (release, area, row["kelompok"]), row["keluarga"], row["keterangan"])
        parents[area] = _parent(area)
    sums = {
        "total": ["desil_1_2", "desil_3_4", "desil_5_up"],
        "desil_1_2": ["desil_1", "desil_2"],
        "desil_3_4": ["desil_3", "desil_4"],
    }
    for area in parents:
        for whole, parts in [*sums.items(), ("total", ["extreme", "not_extreme"])]:
            cells = [(release, area, part) for part in parts]
            if cells[0] in known.cells:
                known.sums.append(((release, area, whole), cells))
    columns = dict.fromkeys(cell[2] for cell in known.cells)
    _add_areas(known, parents, release, list(columns))
    return known


def read_recipients(text: str, release: int = 0) -> Known:
    """Read the table of recipients from its CSV file; a form of help stands before its sub-activities."""
    known, parents, order = Known(), {}, []
    for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"):
        area, column = row["kode_kemendagri"], row["kode_bantuan"]
        _add(known, (release, area, column), row["penerima"], row["keterangan"])
        parents[area] = _parent(area)
        if column not in order:
            order.append(column)
    below: dict[str, list[str]] = defaultdict(list)
    kind = ""
    for column in order:
        if column.startswith("kind_"):
            kind = column
            below["total"].append(column)
        elif column.startswith("sub_"):
            below[kind].append(column)
    for area in parents:
        for whole, parts in below.items():
            known.sums.append(((release, area, whole), [(release, area, part) for part in parts]))
    _add_areas(known, parents, release, order)
    return known


def joined(parts: Iterable[Known]) -> Known:
    """Put several tables side by side."""
    whole = Known()
    for part in parts:
        whole.cells |= part.cells
        whole.withheld |= part.withheld
        whole.sums += part.sums
        whole.grown += part.grown
    return whole


def told_by_differences(
    older: Mapping[Cell, int | None], newer: Mapping[Cell, int | None], threshold: int = 5
) -> list[Cell]:
    """Return the cells whose change from one release to another is seen to be small but not nought."""
    return [
        cell
        for cell, value in newer.items()
        if value is not None
        and older.get(cell) is not None
        and 0 < abs(value - older[cell]) < threshold
    ]


def _add(known: Known, cell: Cell, text: str, state: str) -> None:
    assert state in ("ditampilkan", "disembunyikan", "tidak diterbitkan")
    assert (text == "") == (state != "ditampilkan")
    known.cells[cell] = int(text) if text else None
    if state == "tidak diterbitkan":
        known.withheld.add(cell)


def _parent(area: str) -> str:
    return area.rpartition(".")[0]


def _add_areas(
    known: Known, parents: Mapping[str, str], release: int, columns: Sequence[str]
) -> None:
    inside: dict[str, list[str]] = defaultdict(list)
    for area, parent in parents.items():
        if parent in parents:
            inside[parent].append(area)
    for parent, children in inside.items():
        for column in columns:
            cells = [(release, child, column) for child in children]
            if cells[0] in known.cells:
                known.sums.append(((release, parent, column), cells))
