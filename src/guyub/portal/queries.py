"""Reading what has been released. Nothing here looks at the registry, the lists or the enrolments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.formats import number_format

from guyub.areas.models import Area, Level
from guyub.datasets.models import Version
from guyub.portal.models import CountTable, Release, ReleasedCell, ReleasedFile, ReleaseState
from guyub.portal.tables import EXTREME, POOR, TOTAL, kind_column
from guyub.programs.money import rupiah_short
from guyub.targets.models import Measure

# How a hidden number is written, and one that is not published at all.
HIDDEN_SIGN = "•"
WITHHELD_SIGN = "–"


def released() -> QuerySet[Release]:
    """Return the releases that everybody may see, newest first."""
    return Release.objects.filter(state=ReleaseState.RELEASED).select_related(
        "version__dataset__owner"
    )


def choose(text: str) -> tuple[Release | None, list[Release]]:
    """Return the release that ``?terbitan=`` asks for (the newest when it asks amiss), and all of them."""
    every = list(released())
    chosen = next((one for one in every if str(one.pk) == text), every[0] if every else None)
    return chosen, every


def all_releases() -> QuerySet[Release]:
    """Return releases in any state, for those who manage them."""
    return Release.objects.select_related("version__dataset", "created_by", "released_by")


def versions_to_release() -> list[Version]:
    """Return the versions of the reference dataset that have not been released, newest first."""
    reference = Version.objects.filter(is_reference=True).first()
    if reference is None:
        return []
    return list(
        Version.objects.filter(dataset=reference.dataset_id)
        .exclude(release__state__in=[ReleaseState.RELEASED, ReleaseState.COMPUTING])
        .select_related("dataset", "release")
        .order_by("-as_of", "-number")
    )


# Counts


@dataclass(frozen=True)
class Row:
    """The published counts of one area, by column. ``None`` is hidden, or withheld where that says so."""

    area: Area
    values: dict[str, int | None] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    def __getitem__(self, column: str) -> int | None:
        return self.values.get(column)

    def written(self, column: str) -> str:
        return WITHHELD_SIGN if column in self.withheld else written(self.values.get(column))


def written(value: int | None) -> str:
    return HIDDEN_SIGN if value is None else str(number_format(value, force_grouping=True))


def rows(
    release: Release, table: str, areas: Iterable[Area], columns: Sequence[str] = ()
) -> list[Row]:
    """Return the rows of ``areas``, in their order. One query."""
    found: dict[int, dict[str, int | None]] = defaultdict(dict)
    withheld: dict[int, set[str]] = defaultdict(set)
    ordered = list(areas)
    cells = ReleasedCell.objects.filter(release=release, table=table, area__in=ordered)
    if columns:
        cells = cells.filter(column__in=columns)
    listed = cells.values_list("area_id", "column", "value", "is_withheld")
    for area, column, value, is_withheld in listed:
        found[area][column] = value
        if is_withheld:
            withheld[area].add(column)
    return [Row(area, found[area.pk], frozenset(withheld[area.pk])) for area in ordered]


def regency() -> Area | None:
    return Area.objects.filter(code=settings.REGENCY_CODE).first()


def districts() -> list[Area]:
    return list(
        Area.objects.filter(
            level=Level.DISTRICT, code__startswith=settings.REGENCY_CODE + "."
        ).order_by("name")
    )


def household_columns(release: Release, level: int = Level.REGENCY) -> list[dict[str, Any]]:
    """Return the columns of the table of households that areas of ``level`` have."""
    return [c for c in release.columns.get(CountTable.HOUSEHOLDS, ()) if level <= c["lowest"]]


def kind_columns(release: Release) -> list[dict[str, str]]:
    """Return the columns of the table of recipients that stand for a form of help."""
    return [
        column
        for column in release.columns.get(CountTable.RECIPIENTS, ())
        if column["key"] == kind_column(column["kind"])
    ]


@dataclass(frozen=True)
class Table:
    """Rows of households as a page shows them: names and figures under columns.

    ``left_out`` are the labels of the columns that are withheld from every row.
    """

    columns: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    left_out: list[str]
    has_hidden: bool


def table_of(release: Release, found: Sequence[Row], level: int) -> Table:
    """Lay out the households of areas in the columns that ``level`` has and that are published."""
    every = household_columns(release, level)
    shown = [c for c in every if not all(c["key"] in row.withheld for row in found)]
    return Table(
        shown,
        [{"name": row.area.name, "figures": figures(row, shown)} for row in found],
        [c["label"] for c in every if c not in shown],
        any(row[c["key"]] is None for row in found for c in shown),
    )


def figures(row: Row, columns: Sequence[dict[str, Any]]) -> list[str]:
    """Write out the households of an area, column by column."""
    return [row.written(column["key"]) for column in columns]


# What releases are compared by, and how many of them, the newest.
COMPARED = (TOTAL, POOR, EXTREME)
RELEASES_COMPARED = 8


def history(releases: Sequence[Release], area: Area) -> list[dict[str, Any]]:
    """Return the headline counts of an area in each release, oldest first. One query.

    Only what was published is set side by side, so nothing more is told than the releases tell.
    """
    newest = list(releases)[:RELEASES_COMPARED]
    found: dict[int, dict[str, int | None]] = defaultdict(dict)
    withheld: dict[int, set[str]] = defaultdict(set)
    cells = ReleasedCell.objects.filter(
        release__in=newest, table=CountTable.HOUSEHOLDS, area=area, column__in=COMPARED
    ).values_list("release_id", "column", "value", "is_withheld")
    for release, column, value, is_withheld in cells:
        found[release][column] = value
        if is_withheld:
            withheld[release].add(column)
    rows = {one.pk: Row(area, found[one.pk], frozenset(withheld[one.pk])) for one in newest}
    return [
        {"release": one, "figures": [rows[one.pk].written(column) for column in COMPARED]}
        for one in reversed(newest)
    ]


# Programs


@dataclass
class AgencySum:
    """An agency's sub-activities and the sums of those figures of them that are published."""

    name: str
    programs: list[dict[str, Any]] = field(default_factory=list)
    helped: Row | None = None

    @property
    def budget_text(self) -> str:
        return rupiah_short(self.budget)

    @property
    def realised_text(self) -> str:
        return rupiah_short(self.realised)

    @property
    def lines(self) -> list[dict[str, str]]:
        """The sub-activities as a page shows them."""
        return [
            {
                "name": row["name"],
                "program": row["program"],
                "help_kind": row["help_kind"],
                "budget": rupiah_short(row["budget"]),
                "realised": HIDDEN_SIGN if row["hidden"] else rupiah_short(row["realised"]),
                "physical": _percent(row),
                "helped": self.helped.written(row["column"])
                if row["column"] and self.helped is not None
                else "–",
            }
            for row in self.programs
        ]

    @property
    def budget(self) -> int:
        return sum(row["budget"] for row in self.programs)

    @property
    def realised(self) -> int:
        return sum(row["realised"] or 0 for row in self.programs)

    @property
    def physical(self) -> int | None:
        """Mean physical progress in per cent, weighted by budget; ``None`` where none is published."""
        known = [row for row in self.programs if row["physical"] is not None and row["budget"]]
        weight = sum(row["budget"] for row in known)
        if not weight:
            return None
        return round(sum(row["physical"] * row["budget"] for row in known) / weight)

    @property
    def hidden(self) -> int:
        return sum(row["hidden"] for row in self.programs)


def _percent(row: dict[str, Any]) -> str:
    if row["hidden"]:
        return HIDDEN_SIGN
    return "–" if row["physical"] is None else f"{row['physical']} %"


def by_agency(release: Release, helped: Row | None = None) -> list[AgencySum]:
    """Return the programs of a release by agency, the largest budget first.

    ``helped`` are the recipients in the whole regency.
    """
    found: dict[str, AgencySum] = {}
    for row in release.programs:
        found.setdefault(row["agency"], AgencySum(row["agency"], helped=helped)).programs.append(
            row
        )
    return sorted(found.values(), key=lambda agency: (-agency.budget, agency.name))


# Figures


def poverty_rates(release: Release) -> list[tuple[int, list[Decimal | None]]]:
    """Return P0 by year: of the regency, the province and the country."""
    codes = [settings.REGENCY_CODE, settings.REGENCY_CODE.split(".")[0], ""]
    found: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for figure in release.figures:
        if figure["measure"] == Measure.P0:
            found[figure["year"]][figure["area_code"]] = Decimal(figure["value"])
    return [(year, [found[year].get(code) for code in codes]) for year in sorted(found)]


def latest_figure(release: Release, measure: str) -> dict[str, Any] | None:
    """Return the newest published figure of the regency."""
    own = [
        figure
        for figure in release.figures
        if figure["measure"] == measure and figure["area_code"] == settings.REGENCY_CODE
    ]
    return max(own, key=lambda figure: figure["year"], default=None)


def files_of(releases: Iterable[Release]) -> dict[int, list[ReleasedFile]]:
    """Return the files of releases, by the release's id. One query."""
    found: dict[int, list[ReleasedFile]] = defaultdict(list)
    for file in ReleasedFile.objects.filter(release__in=list(releases)).select_related("release"):
        found[file.release_id].append(file)
    return found
