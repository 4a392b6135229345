"""Reading indicators, published figures and estimates."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Max, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import Scope, scope_of
from guyub.agencies.models import Agency
from guyub.audit.actions import label_of
from guyub.audit.models import Event
from guyub.targets.drawings import written
from guyub.targets.models import (
    Basis,
    Estimate,
    Indicator,
    IndicatorKind,
    IndicatorYear,
    Measure,
    PublishedFigure,
)
from guyub.targets.progress import Progress, Standing

PROVINCE_CODE = "33"
COUNTRY_CODE = ""
SPARK_YEARS = 8


def with_years(indicators: QuerySet[Indicator] | None = None) -> QuerySet[Indicator]:
    """Return indicators with their owner and all their years at hand, oldest year first."""
    found = Indicator.objects.all() if indicators is None else indicators
    years = Prefetch("years", IndicatorYear.objects.order_by("year"))
    return found.select_related("owner").prefetch_related(years)


def progress_of(indicator: Indicator, year: int) -> Progress:
    """Return how ``indicator``, with its years at hand, stands in ``year``."""
    entry = previous = None
    for known in indicator.years.all():  # type: ignore[attr-defined]
        if known.year == year:
            entry = known
        elif known.year < year and known.actual is not None:
            previous = known
    return Progress(indicator, year, entry, previous)


def latest_progress(indicator: Indicator) -> Progress:
    """Return the standing in the newest year with a realisation, or else in the present year."""
    measured = [e.year for e in indicator.years.all() if e.actual is not None]  # type: ignore[attr-defined]
    return progress_of(indicator, max(measured, default=timezone.localdate().year))


@dataclass(frozen=True)
class Row:
    """An indicator in a list: its standing and its last realisations for a little line."""

    progress: Progress
    spark: list[tuple[int, Decimal]]

    @property
    def indicator(self) -> Indicator:
        return self.progress.indicator


def _row(indicator: Indicator, year: int | None) -> Row:
    progress = latest_progress(indicator) if year is None else progress_of(indicator, year)
    spark = [(e.year, e.actual) for e in indicator.years.all() if e.actual is not None]  # type: ignore[attr-defined]
    return Row(progress, spark[-SPARK_YEARS:])


def indicators(
    *,
    kind: str = "",
    owner: str = "",
    year: int | None = None,
    standing: str = "",
    text: str = "",
    with_inactive: bool = False,
) -> list[Row]:
    """Return indicators with their standing in ``year`` (the newest of each when ``None``).

    Three queries however many there are: a regency has some hundreds, and the standing is judged here.
    """
    found = with_years()
    if not with_inactive:
        found = found.filter(is_active=True)
    if kind:
        found = found.filter(kind=kind)
    if owner:
        found = found.filter(owner__code=owner)
    if text:
        found = found.filter(Q(name__icontains=text) | Q(code__icontains=text))
    rows = [_row(indicator, year) for indicator in found.order_by("name")]
    rows.sort(key=lambda row: IndicatorKind.values.index(row.indicator.kind))
    return [row for row in rows if row.progress.standing == standing] if standing else rows


def years() -> list[int]:
    """Return the years that have a target or realisation, newest first."""
    return list(IndicatorYear.objects.order_by("-year").values_list("year", flat=True).distinct())


def owners() -> QuerySet[Agency]:
    """Return the agencies that are in charge of an indicator."""
    return Agency.objects.filter(indicators__isnull=False).distinct().order_by("name")


def find_indicator(code: str) -> Indicator | None:
    return with_years().filter(code=code).first()


@dataclass(frozen=True)
class Change:
    """Something that was done to an indicator; ``lines`` say which number became which."""

    label: str
    by: str
    at: dt.datetime
    year: int | None
    lines: Sequence[str]


CHANGED_NUMBERS = {"target": _("Target"), "actual": _("Realisasi")}
CHANGED_TEXTS = {"source": _("Sumber diubah"), "note": _("Keterangan diubah")}


def history(indicator: Indicator, limit: int = 12) -> list[Change]:
    """Return what happened to an indicator, newest first, from the audit log."""
    events = Event.objects.filter(
        subject_type=Indicator._meta.label_lower, subject_id=str(indicator.pk)
    )
    return [_change(indicator, event) for event in events.order_by("-sequence")[:limit]]


def _change(indicator: Indicator, event: Event) -> Change:
    changes: dict[str, list[str | None]] = event.detail.get("changes", {})
    lines = []
    for name, label in CHANGED_NUMBERS.items():
        if name in changes:
            old, new = (
                written(Decimal(text) if text else None, indicator.decimals)
                for text in changes[name]
            )
            lines.append(f"{label}: {old} → {new}")
    lines += [str(label) for name, label in CHANGED_TEXTS.items() if name in changes]
    return Change(
        label_of(event.action), event.actor_name, event.at, event.detail.get("year"), lines
    )


def of_agency(agency: Agency) -> list[Row]:
    """Return the active indicators that ``agency`` is in charge of."""
    return [
        _row(i, None) for i in with_years(Indicator.objects.filter(owner=agency, is_active=True))
    ]


# Published figures


def published(measure: str = "", area_code: str | None = None) -> QuerySet[PublishedFigure]:
    """Return published figures by measure, area and year."""
    found = PublishedFigure.objects.all()
    if measure:
        found = found.filter(measure=measure)
    if area_code is not None:
        found = found.filter(area_code=area_code)
    return found


def area_names() -> dict[str, Any]:
    """Return what the areas of published figures are called, the regency first."""
    return {
        settings.REGENCY_CODE: settings.REGENCY_NAME,
        PROVINCE_CODE: _("Jawa Tengah"),
        COUNTRY_CODE: _("Indonesia"),
    }


def latest_published(measure: str, area_code: str | None = None) -> PublishedFigure | None:
    """Return the newest figure of ``measure`` for an area, the regency unless told."""
    code = settings.REGENCY_CODE if area_code is None else area_code
    return published(measure, code).order_by("-year").first()


def nearest_published(area_code: str, year: int) -> dict[str, PublishedFigure]:
    """Return, by measure, the figure of ``area_code`` nearest in time to ``year``."""
    found: dict[str, PublishedFigure] = {}
    for figure in published(area_code=area_code):
        known = found.get(figure.measure)
        if known is None or abs(figure.year - year) <= abs(known.year - year):
            found[figure.measure] = figure
    return found


# Estimates


def estimates(user: Any) -> QuerySet[Estimate]:
    """Return computed estimates, and the drafts that ``user`` may finish."""
    found = Estimate.objects.select_related("agency", "created_by")
    finished = Q(computed_at__isnull=False)
    scope = scope_of(user, "targets.edit")
    if scope is Scope.ANY:
        return found
    if scope is Scope.OWN_AGENCY and user.agency_id:
        return found.filter(finished | Q(agency=user.agency_id))
    return found.filter(finished)


def latest_registry_estimate() -> Estimate | None:
    return (
        Estimate.objects.filter(basis=Basis.REGISTRY, computed_at__isnull=False)
        .order_by("-computed_at")
        .first()
    )


# For the first pages


@dataclass(frozen=True)
class Headline:
    """The percentage of poor people as last published, and how it came there."""

    year: int
    value: Decimal
    source: str
    previous: PublishedFigure | None
    series: Sequence[tuple[int, Decimal]]

    @property
    def change(self) -> Decimal | None:
        """Percentage points since the figure before."""
        return self.value - self.previous.value if self.previous is not None else None


@dataclass
class OwnerStanding:
    """How many of an agency's indicators met their target, and which are behind."""

    agency: Agency
    met: int = 0
    waiting: int = 0
    behind: list[Progress] = field(default_factory=list)


@dataclass(frozen=True)
class Summary:
    """What a first page says about targets: the headline, and who is behind, the most first."""

    headline: Headline | None
    met: int
    behind: int
    waiting: int
    owners: Sequence[OwnerStanding]


def headline() -> Headline | None:
    """Return the newest published percentage of poor people of the regency; ``None`` if none is."""
    series = list(published(Measure.P0, settings.REGENCY_CODE).order_by("year"))
    if not series:
        return None
    last = series[-1]
    return Headline(
        last.year,
        last.value,
        last.source,
        series[-2] if len(series) > 1 else None,
        [(figure.year, figure.value) for figure in series],
    )


def summary(owner: Agency | None = None) -> Summary:
    """Return what the first pages show, of all agencies or of ``owner``; four queries."""
    scope = Indicator.objects.filter(is_active=True)
    if owner is not None:
        scope = scope.filter(owner=owner)
    by_owner: dict[int, OwnerStanding] = {}
    counts: dict[Standing, int] = defaultdict(int)
    for indicator in with_years(scope):
        progress = latest_progress(indicator)
        counts[progress.standing] += 1
        row = by_owner.setdefault(indicator.owner_id, OwnerStanding(indicator.owner))
        if progress.standing is Standing.BEHIND:
            row.behind.append(progress)
        elif progress.standing is Standing.MET:
            row.met += 1
        elif progress.standing is Standing.WAITING:
            row.waiting += 1
    ordered = sorted(by_owner.values(), key=lambda r: (-len(r.behind), str(r.agency)))
    return Summary(
        headline(),
        counts[Standing.MET],
        counts[Standing.BEHIND],
        counts[Standing.WAITING],
        ordered,
    )


def newest_target_year() -> int | None:
    """Return the last year for which there is a target."""
    found = IndicatorYear.objects.filter(target__isnull=False).aggregate(year=Max("year"))
    return found["year"]


def by_year(figures: Iterable[PublishedFigure]) -> dict[int, dict[str, PublishedFigure]]:
    """Return figures as {year: {area code: figure}}, newest year first."""
    found: dict[int, dict[str, PublishedFigure]] = defaultdict(dict)
    for figure in figures:
        found[figure.year][figure.area_code] = figure
    return dict(sorted(found.items(), reverse=True))
