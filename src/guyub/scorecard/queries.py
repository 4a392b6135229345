"""Reading scores: the present quarter from what happened, earlier ones as they were kept."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from guyub.agencies.models import Agency
from guyub.scorecard.evidence import Evidence
from guyub.scorecard.models import Score
from guyub.scorecard.quarters import Quarter
from guyub.scorecard.yardsticks import INDICATORS, YARDSTICKS, Indicator, Yardstick

TREND_QUARTERS = 8
# (credit, weight) by agency id; that of all together under None.
Sums = dict[int | None, tuple[float, float]]


def evidence_of(
    indicator: Indicator, quarter: Quarter, agency: int | None = None, today: dt.date | None = None
) -> list[Evidence]:
    """Return the rows that a score is made of, unmet ones first; of one agency when given."""
    rows = indicator.source(quarter, today or timezone.localdate())
    found = [row for row in rows if agency is None or agency in row.agencies]
    return sorted(found, key=lambda row: (row.credit, -(row.on or dt.date.min).toordinal()))


def sums_of(rows: Iterable[Evidence]) -> Sums:
    """Add up evidence, for all together (each row once) and for each agency that a row is about."""
    credit: dict[int | None, float] = defaultdict(float)
    weight: dict[int | None, float] = defaultdict(float)
    for row in rows:
        for key in (None, *row.agencies):
            credit[key] += row.credit * row.weight
            weight[key] += row.weight
    return {key: (credit[key], weight[key]) for key in weight}


def reckon(quarter: Quarter, today: dt.date | None = None) -> dict[str, Sums]:
    """Reckon every indicator of a quarter from what happened, by its code."""
    day = today or timezone.localdate()
    return {code: sums_of(each.source(quarter, day)) for code, each in INDICATORS.items()}


def kept(quarters: Iterable[Quarter]) -> dict[Quarter, dict[str, Sums]]:
    """Return the kept scores of ``quarters``; quarters that were never kept are left out."""
    found: dict[Quarter, dict[str, Sums]] = {}
    rows = Score.objects.filter(quarter__in=[q.start for q in quarters]).values_list(
        "quarter", "indicator", "agency", "credit", "weight"
    )
    for start, indicator, agency, credit, weight in rows:
        sums = found.setdefault(Quarter(start), {}).setdefault(indicator, {})
        sums[agency] = (credit, weight)
    return found


def percent(sums: Sums | None, agency: int | None) -> float | None:
    """Return a score of 0 to 100; ``None`` where nothing was to be measured."""
    credit, weight = (sums or {}).get(agency, (0.0, 0.0))
    return 100 * credit / weight if weight else None


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of what was measured; ``None`` when nothing was."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


@dataclass(frozen=True)
class IndicatorScore:
    indicator: Indicator
    score: float | None
    weight: float


@dataclass(frozen=True)
class YardstickScore:
    """A yardstick: the mean of its measured indicators, and how much it rose since the quarter before."""

    yardstick: Yardstick
    indicators: list[IndicatorScore]
    change: float | None = None

    @property
    def score(self) -> float | None:
        return mean(row.score for row in self.indicators)

    @property
    def tone(self) -> str:
        if self.score is None:
            return ""
        return "good" if self.score >= 75 else "warn" if self.score >= 50 else "bad"


def card(
    scores: Mapping[str, Sums],
    agency: int | None = None,
    earlier: Mapping[str, Sums] | None = None,
) -> list[YardstickScore]:
    """Return the seven yardsticks of all together, or of one agency."""
    before = {row.yardstick.code: row.score for row in card(earlier, agency)} if earlier else {}
    rows = []
    for yardstick in YARDSTICKS:
        parts = [
            IndicatorScore(
                each,
                percent(scores.get(each.code), agency),
                scores.get(each.code, {}).get(agency, (0.0, 0.0))[1],
            )
            for each in yardstick.indicators
        ]
        row = YardstickScore(yardstick, parts)
        past = before.get(yardstick.code)
        change = row.score - past if row.score is not None and past is not None else None
        rows.append(YardstickScore(yardstick, parts, change))
    return rows


def whole(rows: Iterable[YardstickScore]) -> float | None:
    """Return the mean of the yardsticks that were measured."""
    return mean(row.score for row in rows)


@dataclass(frozen=True)
class AgencyCard:
    agency: Agency
    rows: list[YardstickScore]

    @property
    def score(self) -> float | None:
        return whole(self.rows)


def by_agency(scores: Mapping[str, Sums]) -> list[AgencyCard]:
    """Return the card of every active agency, the best first; unmeasured ones last."""
    cards = [AgencyCard(a, card(scores, a.pk)) for a in Agency.objects.filter(is_active=True)]
    return sorted(cards, key=lambda c: (c.score is None, -(c.score or 0), str(c.agency)))


@dataclass(frozen=True)
class Point:
    quarter: Quarter
    rows: list[YardstickScore]

    @property
    def score(self) -> float | None:
        return whole(self.rows)


def trend(present: Mapping[str, Sums], quarter: Quarter, agency: int | None = None) -> list[Point]:
    """Return the cards of up to eight quarters that end with ``quarter``, oldest first."""
    quarters = [quarter]
    while len(quarters) < TREND_QUARTERS:
        quarters.append(quarters[-1].before)
    past: dict[Quarter, Any] = kept(quarters[1:])
    known = [*sorted(past.items()), (quarter, present)]
    return [Point(when, card(scores, agency)) for when, scores in known]


def scores_of(quarter: Quarter, today: dt.date | None = None) -> dict[str, Sums]:
    """Return a quarter's scores: live while it runs, kept ones after, reckoned where none were kept."""
    day = today or timezone.localdate()
    if quarter.end >= day:
        return reckon(quarter, day)
    return kept([quarter]).get(quarter) or reckon(quarter, day)
