"""The tables of counts: what their rows and columns are, how they add up, and the true counts in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _

from guyub.areas.models import Area, Level
from guyub.beneficiaries.models import HELPED, Enrolment
from guyub.datasets.models import Version
from guyub.datasets.store import version_path
from guyub.portal.coarsening import Part, Plan
from guyub.portal.suppression import Sum
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import HelpKind, Recipient

TOTAL = "total"
# What it costs to lose a cell: readers miss a regency's more than a village's, a headline's most.
WEIGHTS = {Level.REGENCY: 1000.0, Level.DISTRICT: 40.0, Level.VILLAGE: 1.0}
HEADLINE_WEIGHT = 3.0
# The groups of desil, each household in one. Who is not ranked yet stands with those better off.
GROUPS: dict[str, tuple[int, ...]] = {
    "desil_1": (1,),
    "desil_2": (2,),
    "desil_3": (3,),
    "desil_4": (4,),
    "desil_5_up": (0, 5, 6, 7, 8, 9, 10),
}
POOR, NEXT = "desil_1_2", "desil_3_4"
EXTREME, NOT_EXTREME = "extreme", "not_extreme"
# The counts that pages show first.
HEADLINES = {TOTAL, POOR, EXTREME}
DESILS = {POOR, NEXT, *GROUPS}
BETTER_OFF = {NEXT, "desil_3", "desil_4", "desil_5_up"}
EXTREMES = {EXTREME, NOT_EXTREME}


@dataclass(frozen=True)
class Column:
    """A column; ``kind`` and ``agency`` say of a sub-activity what it gives and whose it is.

    ``lowest`` is the lowest level of areas that have the column.
    """

    key: str
    label: str
    kind: str = ""
    agency: str = ""
    lowest: int = Level.VILLAGE.value

    def as_json(self) -> dict[str, str | int]:
        return dict(vars(self))


class Grid:
    """Areas by columns: the cells of a table in order, and how they add up.

    ``made_of`` are pairs (column, the columns it is the sum of). Areas come with all that lie in them,
    down to the lowest level of the table, larger ones first. A column that areas of the lowest level do
    not have is counted for them all the same, and published from the level above.
    """

    def __init__(
        self,
        areas: Sequence[Area],
        columns: Sequence[Column],
        made_of: Sequence[tuple[str, tuple[str, ...]]],
    ) -> None:
        self.areas, self.columns, self.made_of = areas, columns, made_of
        self._cells = [
            (area, column) for area in areas for column in columns if area.level <= column.lowest
        ]
        self._number = {(a.pk, c.key): number for number, (a, c) in enumerate(self._cells)}

    def number(self, area_id: int, column: str) -> int:
        return self._number[area_id, column]

    def cells(self) -> Iterator[tuple[int, Area, Column]]:
        """Yield every cell: its number, its area and its column."""
        for number, (area, column) in enumerate(self._cells):
            yield number, area, column

    def numbers(self, wanted: Callable[[Area, Column], bool]) -> frozenset[int]:
        """Return the cells that ``wanted`` says yes to."""
        return frozenset(number for number, area, column in self.cells() if wanted(area, column))

    def weights(self) -> list[float]:
        return [
            WEIGHTS[Level(area.level)] * (HEADLINE_WEIGHT if column.key in HEADLINES else 1)
            for _number, area, column in self.cells()
        ]

    def sums(self) -> list[Sum]:
        """Return how the cells add up, across columns and from the parts of an area to the area."""
        found = []
        for area in self.areas:
            for whole, parts in self.made_of:
                if all((area.pk, part) in self._number for part in parts):
                    cells = tuple(self.number(area.pk, part) for part in parts)
                    found.append(Sum(self.number(area.pk, whole), cells))
        inside: dict[int, list[int]] = defaultdict(list)
        for area in self.areas:
            if area.parent_id is not None:
                inside[area.parent_id].append(area.pk)
        for number, area, column in self.cells():
            children = inside[area.pk]
            if children and (children[0], column.key) in self._number:
                found.append(
                    Sum(number, tuple(self.number(child, column.key) for child in children))
                )
        return found

    def fill(self, counts: Mapping[tuple[int, str], int]) -> list[int]:
        """Return the value of every cell from ``counts``: those of the lowest areas and finest columns."""
        values = [0] * len(self._cells)
        # A total that is made up in two ways is counted from the first of them alone.
        seen: set[str] = set()
        above: dict[str, str] = {}
        for whole, parts in self.made_of:
            if whole not in seen:
                above.update(dict.fromkeys(parts, whole))
            seen.add(whole)
        parent = {area.pk: area.parent_id for area in self.areas}
        for (area_id, column), count in counts.items():
            columns = [column]
            while columns[-1] in above:
                columns.append(above[columns[-1]])
            at: int | None = area_id
            while at in parent:
                for key in columns:
                    number = self._number.get((at, key))
                    if number is not None:
                        values[number] += count
                at = parent[at]
        return values


def _areas(*levels: Level) -> list[Area]:
    regency = Area.objects.filter(code=settings.REGENCY_CODE)
    below = Area.objects.filter(
        code__startswith=settings.REGENCY_CODE + ".", level__in=[level.value for level in levels]
    )
    return sorted([*regency, *below], key=lambda area: (area.level, area.code))


# Households


def household_grid() -> Grid:
    """Return the table of households: regency, districts and villages by desil and extreme poverty.

    Villages have wider groups: a village has too few households for single desils to be of use once
    small counts are hidden, and each hidden one would take cells of its district with it.
    """
    district = Level.DISTRICT.value
    columns = [
        Column(TOTAL, _("Semua keluarga")),
        Column(POOR, _("Desil 1–2")),
        Column("desil_1", _("Desil 1"), lowest=district),
        Column("desil_2", _("Desil 2"), lowest=district),
        Column(NEXT, _("Desil 3–4")),
        Column("desil_3", _("Desil 3"), lowest=district),
        Column("desil_4", _("Desil 4"), lowest=district),
        Column("desil_5_up", _("Desil 5+")),
        Column(EXTREME, _("Miskin ekstrem")),
        Column(NOT_EXTREME, _("Bukan ekstrem")),
    ]
    made_of = [
        (TOTAL, (POOR, NEXT, "desil_5_up")),
        (POOR, ("desil_1", "desil_2")),
        (NEXT, ("desil_3", "desil_4")),
        (TOTAL, (EXTREME, NOT_EXTREME)),
    ]
    return Grid(_areas(Level.DISTRICT, Level.VILLAGE), columns, made_of)


def household_plan(grid: Grid, _values: Sequence[int]) -> Plan:
    """Return how the table of households is cut: the villages of each district are a block."""

    def of(cells: frozenset[int], columns: set[str]) -> frozenset[int]:
        return cells & grid.numbers(lambda _area, column: column.key in columns)

    regency = grid.numbers(lambda area, _column: area.level == Level.REGENCY)
    districts = grid.numbers(lambda area, _column: area.level == Level.DISTRICT)
    top = Part(
        "",
        tuple(sorted(regency | districts)),
        groups=(
            of(districts, EXTREMES),
            of(districts, {"desil_3", "desil_4"}),
            of(districts, {"desil_1", "desil_2"}),
            of(districts, BETTER_OFF),
            of(districts, DESILS),
        ),
        kept=(regency | of(districts, {TOTAL}), regency, of(regency, HEADLINES)),
        rest=districts,
    )
    inside: dict[int | None, set[int]] = defaultdict(set)
    for number, area, _column in grid.cells():
        if area.level == Level.VILLAGE:
            inside[area.parent_id].add(number)
    blocks = []
    for district in grid.areas:
        cells = frozenset(inside[district.pk])
        if cells:
            groups = (of(cells, EXTREMES), of(cells, BETTER_OFF), of(cells, DESILS))
            kept = (of(cells, {TOTAL}), frozenset[int]())
            blocks.append(Part(district.code, tuple(sorted(cells)), groups, kept, cells))
    return Plan(top, tuple(blocks))


def count_households(version: Version) -> dict[tuple[int, str], int]:
    """Return the active households of a version by village id and column.

    A household is what shares a family card, or a person who has none; like the registry's own counts.
    """
    path = version_path(version.dataset.code, version.number)
    rows = duckdb.execute(
        "SELECT village, desil, extreme, count(*) FROM ("
        "SELECT coalesce(kk, nik) AS home, min(village) AS village, "
        "coalesce(min(desil), 0) AS desil, coalesce(bool_or(extreme_poor), false) AS extreme "
        "FROM read_parquet($path) WHERE coalesce(household_status, 'active') = 'active' "
        "AND coalesce(person_status, 'active') = 'active' GROUP BY home) "
        "GROUP BY village, desil, extreme",
        {"path": str(path)},
    ).fetchall()
    ids = dict(Area.objects.filter(level=Level.VILLAGE).values_list("code", "pk"))
    group_of = {desil: key for key, desils in GROUPS.items() for desil in desils}
    found: dict[tuple[int, str], int] = defaultdict(int)
    for village, desil, extreme, count in rows:
        if village in ids:
            found[ids[village], group_of[desil]] += count
            found[ids[village], EXTREME if extreme else NOT_EXTREME] += count
    return dict(found)


# Recipients


def kind_column(kind: str) -> str:
    return f"kind_{kind}"


def sub_activity_column(pk: int) -> str:
    return f"sub_{pk}"


def published_sub_activities(year: int) -> list[SubActivity]:
    """Return the sub-activities of a year that go on, in the order in which they are published."""
    return list(
        SubActivity.objects.filter(year=year, is_cancelled=False)
        .select_related("agency", "activity__program")
        .order_by("agency__name", "activity__program__name", "name", "pk")
    )


def recipient_grid(sub_activities: Sequence[SubActivity]) -> Grid:
    """Return the table of recipients: regency and districts by form of help and sub-activity.

    A recipient of two sub-activities counts in both: the table counts help, not heads.
    """
    by_kind: dict[str, list[SubActivity]] = defaultdict(list)
    for sub_activity in sub_activities:
        if sub_activity.recipient != Recipient.COMMUNITY:
            by_kind[sub_activity.help_kind].append(sub_activity)
    kinds = [kind for kind in HelpKind.values if kind in by_kind]
    columns = [Column(TOTAL, _("Semua bantuan"))]
    made_of = [(TOTAL, tuple(kind_column(kind) for kind in kinds))]
    for kind in kinds:
        columns.append(Column(kind_column(kind), str(HelpKind(kind).label), kind=kind))
        keys = tuple(sub_activity_column(sub.pk) for sub in by_kind[kind])
        made_of.append((kind_column(kind), keys))
        columns += [
            Column(key, sub.name, kind=kind, agency=str(sub.agency))
            for key, sub in zip(keys, by_kind[kind], strict=True)
        ]
    return Grid(_areas(Level.DISTRICT), columns, made_of if kinds else [])


def recipient_plan(grid: Grid, values: Sequence[int]) -> Plan:
    """Return how the table of recipients is cut: the sub-activities of each form of help are a block."""
    regency = grid.numbers(lambda area, _column: area.level == Level.REGENCY)
    by_column: dict[str, set[int]] = defaultdict(set)
    for number, _area, column in grid.cells():
        by_column[column.key].add(number)

    def in_districts(keys: Iterable[str]) -> tuple[frozenset[int], ...]:
        """Return the districts' cells of each column; columns of fewer recipients are missed less."""
        found = [by_column[key] - regency for key in keys]
        found.sort(key=lambda cells: (sum(values[one] for one in cells), min(cells, default=0)))
        return tuple(frozenset(cells) for cells in found)

    below = {whole: parts for whole, parts in grid.made_of if whole != TOTAL}
    top = frozenset(by_column[TOTAL].union(*(by_column[kind] for kind in below)))
    total = frozenset(by_column[TOTAL])
    blocks = []
    for kind, keys in below.items():
        cells = frozenset().union(*(by_column[key] for key in keys))
        kept = (cells & regency, frozenset[int]())
        blocks.append(Part(kind, tuple(sorted(cells)), in_districts(keys), kept, cells))
    return Plan(
        Part(
            "",
            tuple(sorted(top)),
            groups=in_districts(below),
            kept=(top & (regency | total), top & regency, total & regency),
            rest=top - regency,
        ),
        tuple(blocks),
    )


def count_recipients(sub_activities: Sequence[SubActivity]) -> dict[tuple[int, str], int]:
    """Return who is helped by each sub-activity, by district id and column."""
    wanted = [sub.pk for sub in sub_activities if sub.recipient != Recipient.COMMUNITY]
    rows = (
        Enrolment.objects.filter(sub_activity__in=wanted, stage__in=HELPED)
        .order_by()
        .values_list("household__district", "sub_activity")
        .annotate(n=Count("*"))
    )
    return {(district, sub_activity_column(pk)): n for district, pk, n in rows}
