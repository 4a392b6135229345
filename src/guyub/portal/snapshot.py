"""Computing a release: true counts in, cells that may be seen out, and the tables without counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from guyub.obstacles import queries as obstacle_queries
from guyub.portal import tables
from guyub.portal.coarsening import Plan, protect_plan
from guyub.portal.models import CountTable, Release, ReleasedCell, ReleaseState
from guyub.portal.suppression import protect
from guyub.programs.models import Funding, SubActivity
from guyub.programs.vocabulary import Recipient
from guyub.reports.models import Report, ReportState
from guyub.targets.models import PublishedFigure

# Told how far a stage is: its name, how much is done, of how much.
Tell = Callable[[str, int, int], None]
Earlier = dict[tuple[int, str], list[tuple[int, int | None]]]


@dataclass(frozen=True)
class CountedTable:
    """A table of counts as it may be published."""

    table: str
    grid: tables.Grid
    cells: list[ReleasedCell]
    counts: dict[str, int]

    def is_hidden(self, area_id: int, column: str) -> bool:
        return self.cells[self.grid.number(area_id, column)].value is None


@dataclass(frozen=True)
class Snapshot:
    """All that a release publishes."""

    tables: list[CountedTable]
    programs: list[dict[str, Any]]
    figures: list[dict[str, Any]]
    obstacles: dict[str, int]


def take(
    release: Release,
    *,
    tell: Tell = lambda stage, done, total: None,
    complementary: bool = True,
) -> Snapshot:
    """Compute what ``release`` may publish, given all that has been released before.

    ``complementary=False`` leaves small cells unprotected; only tests of what that does ask for it.
    """
    tell(_("Menghitung keluarga dan penerima"), 0, 1)
    sub_activities = tables.published_sub_activities(release.year)
    households = _protected(
        release,
        CountTable.HOUSEHOLDS,
        tables.household_grid(),
        tables.household_plan,
        tables.count_households(release.version),
        tell,
        complementary,
    )
    recipients = _protected(
        release,
        CountTable.RECIPIENTS,
        tables.recipient_grid(sub_activities),
        tables.recipient_plan,
        tables.count_recipients(sub_activities),
        tell,
        complementary,
    )
    return Snapshot(
        [households, recipients],
        _programs(release, sub_activities, recipients),
        _figures(release.year),
        dict(vars(obstacle_queries.summary())),
    )


def _earlier(release: Release, table: str) -> Earlier:
    """Return what earlier releases say of each cell: (year, value or ``None`` where hidden)."""
    found: Earlier = defaultdict(list)
    rows = ReleasedCell.objects.filter(
        release__state=ReleaseState.RELEASED, table=table
    ).values_list("area_id", "column", "release__year", "value")
    for area, column, year, value in rows.exclude(release=release):
        found[area, column].append((year, value))
    return found


def _protected(
    release: Release,
    table: str,
    grid: tables.Grid,
    plan: Callable[[tables.Grid, Sequence[int]], Plan],
    counts: dict[tuple[int, str], int],
    tell: Tell,
    complementary: bool,
) -> CountedTable:
    values = grid.fill(counts)
    stage = _("Menyembunyikan angka kecil: %(table)s") % {"table": CountTable(table).label}
    earlier = _earlier(release, table)
    # Two releases set side by side are a table too, that of their differences: where a count went up or
    # down by a few, those few would show, so the newer count is hidden.
    differing: set[int] = set()
    floors: dict[int, int] = {}
    for number, area, column in grid.cells():
        for year, before in earlier.get((area.pk, column.key), ()):
            if before is not None and 0 < abs(values[number] - before) < release.threshold:
                differing.add(number)
            # Recipients of one year are mostly added to, so an attacker may take it that a count never
            # goes down: what is hidden stays hidden, what was seen is the least there can be.
            if table == CountTable.RECIPIENTS and year == release.year:
                if before is None:
                    differing.add(number)
                elif values[number] >= before:
                    floors[number] = max(before, floors.get(number, 1))
    rules = {
        "sensitive": differing,
        "weights": grid.weights(),
        "floors": floors,
        "threshold": release.threshold,
        "width": release.width,
    }
    if complementary:
        protection = protect_plan(
            plan(grid, values),
            values,
            grid.sums(),
            progress=lambda done, total: tell(stage, done, total),
            **rules,  # type: ignore[arg-type]
        )
    else:
        protection = protect(values, grid.sums(), complementary=False, **rules)  # type: ignore[arg-type]
    unseen = protection.hidden | protection.withheld
    cells = [
        ReleasedCell(
            release=release,
            table=table,
            area=area,
            column=column.key,
            value=None if number in unseen else values[number],
            is_withheld=number in protection.withheld,
        )
        for number, area, column in grid.cells()
    ]
    small = sum(0 < values[number] < release.threshold for number in protection.primary)
    return CountedTable(
        table,
        grid,
        cells,
        {
            "cells": len(values),
            "small": small,
            "changed": len(protection.primary) - small,
            "complementary": len(protection.complementary),
            "hidden": len(protection.hidden),
            "withheld": len(protection.withheld),
        },
    )


def _programs(
    release: Release, sub_activities: Sequence[SubActivity], recipients: CountedTable
) -> list[dict[str, Any]]:
    """Return sub-activities with money and progress.

    Where the number of recipients in the whole regency is hidden, so are progress and realisation: a
    third of a quota of nine would give it away.
    """
    ids = [sub.pk for sub in sub_activities]
    budgets = dict(
        Funding.objects.filter(sub_activity__in=ids)
        .order_by()
        .values_list("sub_activity")
        .annotate(total=Sum("amount"))
    )
    latest: dict[int, Report] = {}
    accepted = Report.objects.filter(sub_activity__in=ids, state=ReportState.ACCEPTED)
    for accepted_report in accepted.order_by("period_end"):
        latest[accepted_report.sub_activity_id] = accepted_report
    regency = recipients.grid.areas[0].pk if recipients.grid.areas else None
    found = []
    for sub in sub_activities:
        key = tables.sub_activity_column(sub.pk)
        counted = sub.recipient != Recipient.COMMUNITY and regency is not None
        hidden = counted and recipients.is_hidden(regency, key)  # type: ignore[arg-type]
        report = None if hidden else latest.get(sub.pk)
        found.append(
            {
                "agency_code": sub.agency.code,
                "agency": str(sub.agency),
                "program": sub.activity.program.name,
                "code": sub.code,
                "name": sub.name,
                "column": key if counted else "",
                "help_kind": str(sub.get_help_kind_display()),
                "recipient": str(sub.get_recipient_display()),
                "budget": budgets.get(sub.pk, 0),
                "realised": report.budget if report else None,
                # Whole per cent: finer figures could be divided back into numbers of recipients.
                "physical": round(report.physical)
                if report and report.physical is not None
                else None,
                "as_of": report.period_end.isoformat() if report else "",
                "hidden": hidden,
            }
        )
    return found


def _figures(year: int) -> list[dict[str, Any]]:
    """Return the published figures up to ``year`` of the regency, its province and the country."""
    province = settings.REGENCY_CODE.split(".")[0]
    figures = PublishedFigure.objects.filter(
        Q(area_code__in=[settings.REGENCY_CODE, province, ""]), year__lte=year
    ).order_by("measure", "-area_code", "year")
    return [
        {
            "measure": figure.measure,
            "label": str(figure.get_measure_display()),
            "area_code": figure.area_code,
            "year": figure.year,
            "value": str(figure.value.normalize() + 0),
            "source": figure.source,
            "url": figure.url,
            "verified": figure.is_verified,
        }
        for figure in figures
    ]
