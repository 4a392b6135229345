"""What an attacker does who has every published page and file: linear programs over all tables at once.

The attacker knows how the tables add up, that counts are whole numbers, that a hidden count is at least
one, and nothing of how the hidden cells were chosen. Written apart from :mod:`guyub.portal.suppression`, so
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

Cell = Hashable
Interval = tuple[int, float]


@dataclass
class Known:
    """Published counts (``None`` is hidden) and sums: (total, parts)."""

    cells: dict[Cell, int | None] = field(default_factory=dict)
    sums: list[tuple[Cell, Sequence[Cell]]] = field(default_factory=list)
    # Pairs (smaller, larger): what the attacker takes to have grown from one release to the next.
    grown: list[tuple[Cell, Cell]] = field(default_factory=list)

    def hidden(self) -> list[Cell]:
        return [cell for cell, value in self.cells.items() if value is None]


def intervals(known: Known, cells: Iterable[Cell] | None = None) -> dict[Cell, Interval]:
    """Return the least and the greatest count that each hidden cell can have."""
    unknown = known.hidden()
    place = {cell: number for number, cell in enumerate(unknown)}
    equal, equal_to = [], []
    for total, parts in known.sums:
        row, right = np.zeros(len(unknown)), 0
        for cell, sign in [(total, -1), *((part, 1) for part in parts)]:
            value = known.cells[cell]
            if value is None:
                row[place[cell]] += sign
            else:
                right -= sign * value
        if row.any():
            equal.append(row)
            equal_to.append(right)
        else:
            assert right == 0, "published tables contradict each other"
    above, above_to = [], []
    for smaller, larger in known.grown:
        row, right = np.zeros(len(unknown)), 0
        for cell, sign in ((smaller, 1), (larger, -1)):
            value = known.cells[cell]
            if value is None:
                row[place[cell]] += sign
            else:
                right -= sign * value
        if row.any():
            above.append(row)
            above_to.append(right)
    found: dict[Cell, Interval] = {}
    for cell in unknown if cells is None else cells:
        ends = []
        for sign in (1, -1):
            cost = np.zeros(len(unknown))
            cost[place[cell]] = sign
            answer = linprog(
                cost,
                A_eq=np.array(equal) if equal else None,
                b_eq=equal_to or None,
                A_ub=np.array(above) if above else None,
                b_ub=above_to or None,
                bounds=(1, None),
            )
            assert answer.status in (0, 3), answer.message
            ends.append(math.inf if answer.status == 3 else abs(answer.fun))
        found[cell] = (math.ceil(ends[0] - 1e-6), ends[1] if ends[1] == math.inf else
                       math.floor(ends[1] + 1e-6))  # fmt: skip
    return found


def broken(known: Known, threshold: int = 5, width: int = 5) -> dict[Cell, Interval]:
    """Return the hidden cells of which too much can be said, and every small count that is shown."""
    found = {
        cell: (low, high)
        for cell, (low, high) in intervals(known).items()
        if high - low < width or high < threshold
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
        known.cells[release, area, row["kelompok"]] = _count(row["keluarga"], row["keterangan"])
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
        known.cells[release, area, column] = _count(row["penerima"], row["keterangan"])
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


def _count(text: str, state: str) -> int | None:
    assert (text == "") == (state == "disembunyikan")
    return int(text) if text else None


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
