"""How long obstacles take, and which causes come back."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from rapidfuzz import fuzz, process, utils

from guyub.obstacles.models import UNSOLVED, Category, Obstacle, ObstacleState
from guyub.obstacles.queries import overdue

SIMILAR = 82  # token similarity in per cent from which two titles tell of the same thing
COMPARED = 600  # newest obstacles whose titles are compared
GROUPS = 12


@dataclass(frozen=True)
class Duration:
    """Days from report to solution of one group; quartiles by the inclusive method."""

    key: str
    label: str
    solved: int
    unsolved: int
    late: int
    lower: float | None
    median: float | None
    upper: float | None


def quartiles(days: list[float]) -> tuple[float | None, float | None, float | None]:
    """Return lower quartile, median and upper quartile; of one value, the value thrice."""
    if not days:
        return None, None, None
    if len(days) == 1:
        return days[0], days[0], days[0]
    lower, median, upper = statistics.quantiles(days, n=4, method="inclusive")
    return lower, median, upper


def durations(by: str, since: dt.date) -> list[Duration]:
    """Return how long obstacles reported since ``since`` took.

    ``by`` is ``category``, ``agency`` (the one needed) or ``all``. The slowest first; groups without a
    solved one last.
    """
    rows = Obstacle.objects.filter(reported_at__date__gte=since).values_list(
        "category",
        "needed_agency__code",
        "needed_agency__short_name",
        "needed_agency__name",
        "state",
        "due_on",
        "reported_at",
        "solved_at",
    )
    today = timezone.localdate()
    labels: dict[str, str] = {}
    days: dict[str, list[float]] = defaultdict(list)
    unsolved: Counter[str] = Counter()
    late: Counter[str] = Counter()
    for category, code, short, name, state, due_on, reported_at, solved_at in rows:
        if by == "category":
            key, label = category, str(Category(category).label)
        elif by == "agency":
            key, label = code, short or name
        else:
            key, label = "", ""
        labels[key] = label
        if state == ObstacleState.SOLVED and solved_at is not None:
            days[key].append((solved_at - reported_at).total_seconds() / 86400)
        else:
            unsolved[key] += 1
            late[key] += due_on < today
    found = [
        Duration(key, label, len(days[key]), unsolved[key], late[key], *quartiles(days[key]))
        for key, label in labels.items()
    ]
    return sorted(found, key=lambda row: (row.median is None, -(row.median or 0), row.label))


@dataclass(frozen=True)
class Cause:
    """One cause that came back: category, agency needed and district."""

    category: str
    category_label: str
    agency: str
    agency_label: str
    area: str
    area_label: str
    count: int
    unsolved: int
    first: dt.date
    last: dt.date


def causes(since: dt.date, least: int = 2) -> list[Cause]:
    """Return category, needed agency and district that met ``least`` times or more, the most first."""
    groups: dict[tuple[str, str, str], list[tuple[dt.datetime, str]]] = defaultdict(list)
    names: dict[str, str] = {}
    rows = Obstacle.objects.filter(reported_at__date__gte=since).select_related(
        "needed_agency", "area__parent"
    )
    for row in rows:
        district = (
            row.area.parent if row.area is not None and row.area.code.count(".") == 3 else row.area
        )
        code = district.code if district is not None else ""
        names[code] = district.title if district is not None else ""
        names["@" + row.needed_agency.code] = str(row.needed_agency)
        groups[row.category, row.needed_agency.code, code].append((row.reported_at, row.state))
    found = []
    for (category, agency, area), met in groups.items():
        if len(met) < least:
            continue
        days = sorted(timezone.localtime(at).date() for at, _state in met)
        found.append(
            Cause(
                category,
                str(Category(category).label),
                agency,
                names["@" + agency],
                area,
                names[area],
                len(met),
                sum(state in UNSOLVED for _at, state in met),
                days[0],
                days[-1],
            )
        )
    return sorted(found, key=lambda row: (-row.count, -row.unsolved, row.agency_label))


def repeated(since: dt.date, least: int = 2) -> list[Any]:
    """Return the sub-activities that met ``least`` obstacles or more, the most first."""
    rows = (
        Obstacle.objects.filter(reported_at__date__gte=since, sub_activity__isnull=False)
        .values("sub_activity", "sub_activity__name", "sub_activity__agency__short_name",
                "sub_activity__agency__name", "sub_activity__year")
        .annotate(
            count=Count("pk"),
            unsolved=Count("pk", filter=Q(state__in=UNSOLVED)),
            late=Count("pk", filter=overdue()),
        )
        .filter(count__gte=least)
        .order_by("-count", "-unsolved", "sub_activity__name")
    )  # fmt: skip
    return list(rows[:GROUPS])


def alike(titles: list[str]) -> list[list[int]]:
    """Group the titles that tell of the same thing; return groups of two or more, by position.

    Two titles are alike from :data:`SIMILAR` per cent of rapidfuzz's token sort ratio on; a group is
    what likeness links, directly or through others.
    """
    prepared = [utils.default_process(title) for title in titles]
    scores = process.cdist(prepared, prepared, scorer=fuzz.token_sort_ratio, score_cutoff=SIMILAR)
    leader = list(range(len(titles)))

    def top(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    for one, other in zip(*scores.nonzero(), strict=True):
        if one < other and prepared[one]:
            leader[top(int(other))] = top(int(one))
    groups: dict[int, list[int]] = defaultdict(list)
    for number in range(len(titles)):
        groups[top(number)].append(number)
    found = [group for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: (-len(group), group[0]))


def similar(since: dt.date) -> list[list[Obstacle]]:
    """Return groups of obstacles with similar titles, among the newest :data:`COMPARED`."""
    rows = list(
        Obstacle.objects.filter(reported_at__date__gte=since)
        .select_related("needed_agency", "agency", "area", "reporting_area")
        .order_by("-reported_at", "-pk")[:COMPARED]
    )
    return [[rows[number] for number in group] for group in alike([row.title for row in rows])][
        :GROUPS
    ]


def like(title: str, rows: Iterable[Obstacle], most: int = 3) -> list[Obstacle]:
    """Return those of ``rows`` whose title is most like ``title``."""
    candidates = list(rows)
    hits = process.extract(
        title,
        [row.title for row in candidates],
        scorer=fuzz.token_sort_ratio,
        processor=utils.default_process,
        score_cutoff=SIMILAR,
        limit=most,
    )
    return [candidates[position] for _title, _score, position in hits]


def per_month(since: dt.date) -> list[tuple[dt.date, int, int]]:
    """Return how many were reported and how many solved in each month since ``since``."""
    reported: Counter[dt.date] = Counter()
    solved: Counter[dt.date] = Counter()
    rows = Obstacle.objects.filter(
        Q(reported_at__date__gte=since) | Q(solved_at__date__gte=since)
    ).values_list("reported_at", "solved_at")
    for reported_at, solved_at in rows:
        for at, counter in ((reported_at, reported), (solved_at, solved)):
            if at is not None:
                day = timezone.localtime(at).date().replace(day=1)
                counter[day] += 1
    month, last = since.replace(day=1), timezone.localdate().replace(day=1)
    found = []
    while month <= last:
        found.append((month, reported[month], solved[month]))
        month = (month + dt.timedelta(days=32)).replace(day=1)
    return found
