"""Writing indicators, their targets and realisation, and published figures.

Estimates of poverty are written by :mod:`guyub.targets.estimating`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.permissions import authorize
from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.targets.models import Indicator, IndicatorYear, PublishedFigure

DATA = Path(__file__).parent / "data"
FIRST_YEAR = 2000
# Targets reach as far as a plan does.
YEARS_AHEAD = 10
# Codes that stand for a page of the list itself.
RESERVED_CODES = frozenset({"baru", "unduh", "unggah", "salin-target", "bawaan"})


@transaction.atomic
def load_indicators(actor: Any = None) -> int:
    """Create the indicators that come with Guyub and are not there yet; return how many it made.

    Indicators of agencies that are not in the directory are passed over. Running it again changes
    nothing.
    """
    agencies = dict(Agency.objects.values_list("code", "pk"))
    known = set(Indicator.objects.values_list("code", flat=True))
    with (DATA / "indicators.csv").open(encoding="utf-8") as file:
        fresh = [
            Indicator(owner_id=agencies[row.pop("owner")], decimals=int(row.pop("decimals")), **row)
            for row in csv.DictReader(file)
            if row["owner"] in agencies and row["code"] not in known
        ]
    Indicator.objects.bulk_create(fresh)
    if fresh:
        audit.record("targets.indicator.load", actor=actor, detail={"created": len(fresh)})
    return len(fresh)


@transaction.atomic
def create_indicator(*, actor: Any, values: dict[str, Any]) -> Indicator:
    """Add an indicator. ``values`` holds the model's fields.

    Raises:
        ValidationError: a value is amiss, or the code or name is taken.
    """
    indicator = Indicator(**values)
    if indicator.code in RESERVED_CODES:
        raise ValidationError({"code": _("Kode ini dipakai oleh sistem. Pilih kode lain.")})
    _check_indicator(indicator)
    indicator.save(force_insert=True)
    audit.record(
        "targets.indicator.create", actor=actor, subject=indicator, detail={"code": indicator.code}
    )
    return indicator


@transaction.atomic
def update_indicator(indicator: Indicator, *, actor: Any, values: dict[str, Any]) -> list[str]:
    """Change the definition of an indicator; return the names of the fields that changed.

    Raises:
        ValidationError: a value is amiss, or the name is another indicator's.
    """
    current = Indicator.objects.select_for_update().get(pk=indicator.pk)
    changed = [name for name, value in values.items() if getattr(current, name) != value]
    if not changed:
        return []
    for name in changed:
        setattr(current, name, values[name])
    _check_indicator(current)
    current.save(update_fields=changed)
    audit.record(
        "targets.indicator.update", actor=actor, subject=current, detail={"fields": changed}
    )
    return changed


def _check_indicator(indicator: Indicator) -> None:
    indicator.full_clean()
    same = Indicator.objects.filter(name__iexact=indicator.name).exclude(pk=indicator.pk)
    if same.exists():
        raise ValidationError({"name": _("Indikator dengan nama ini sudah ada.")})


@dataclass(frozen=True)
class YearValues:
    """What to write about an indicator in one year; ``None`` leaves the number empty."""

    target: Decimal | None
    actual: Decimal | None
    source: str = ""
    note: str = ""


@transaction.atomic
def write_year(
    indicator: Indicator, year: int, values: YearValues, *, actor: Any
) -> IndicatorYear | None:
    """Write an indicator's target and realisation of ``year``; return the entry if it changed.

    A realisation needs its source. Only whoever may manage targets changes a target.

    Raises:
        ValidationError: a value is amiss.
        PermissionDenied: the target differs and ``actor`` may not change targets.
    """
    Indicator.objects.select_for_update().get(pk=indicator.pk)
    entry, changed = _changed_entry(indicator, year, values)
    if not changed:
        return None
    if "target" in changed and actor is not None:
        authorize(actor, "targets.manage")
    before = IndicatorYear.objects.filter(pk=entry.pk).first() if entry.pk else None
    entry.save()
    audit.record(
        "targets.year.write",
        actor=actor,
        subject=indicator,
        detail={"year": year, "changes": _changes(before, entry, changed)},
    )
    return entry


def _changed_entry(
    indicator: Indicator, year: int, values: YearValues
) -> tuple[IndicatorYear, list[str]]:
    """Return the entry with ``values`` set, not saved, and the names of the fields that differ."""
    entry = IndicatorYear.objects.filter(indicator=indicator, year=year).first()
    if entry is None:
        entry = IndicatorYear(indicator=indicator, year=year)
    wanted = {
        "target": values.target,
        "actual": values.actual,
        "source": values.source.strip(),
        "note": values.note.strip(),
    }
    changed = [name for name, value in wanted.items() if getattr(entry, name) != value]
    for name in changed:
        setattr(entry, name, wanted[name])
    if changed:
        check_year(entry)
    return entry, changed


def check_year(entry: IndicatorYear) -> None:
    """Raise ``ValidationError`` where an entry cannot stand as it is."""
    errors: dict[str, Any] = {}
    this_year = timezone.localdate().year
    if not FIRST_YEAR <= entry.year <= this_year + YEARS_AHEAD:
        errors["year"] = _("Tahun di luar %(first)s sampai %(last)s.") % {
            "first": FIRST_YEAR,
            "last": this_year + YEARS_AHEAD,
        }
    elif entry.actual is not None and entry.year > this_year:
        errors["actual"] = _("Tahun %(year)s belum berjalan, jadi belum ada realisasinya.") % {
            "year": entry.year
        }
    if entry.actual is not None and not entry.source:
        errors["source"] = _("Tulis sumber angka realisasi, misalnya “BPS, Susenas Maret 2026”.")
    if entry.indicator.unit == "persen":
        for name in ("target", "actual"):
            value = getattr(entry, name)
            if value is not None and not 0 <= value <= 100 and name not in errors:
                errors[name] = _("Persentase antara 0 dan 100.")
    if errors:
        raise ValidationError(errors)
    entry.full_clean(exclude=["indicator"], validate_constraints=False)


def _changes(
    before: IndicatorYear | None, after: IndicatorYear, names: Sequence[str]
) -> dict[str, list[str | None]]:
    """Return {field: [old, new]} as text; none of it is about a person."""

    def text(entry: IndicatorYear | None, name: str) -> str | None:
        value = getattr(entry, name) if entry is not None else None
        if isinstance(value, Decimal):
            return format(value.normalize(), "f")
        return value or None

    return {name: [text(before, name), text(after, name)] for name in names}


@dataclass(frozen=True)
class YearRow:
    """A row of an uploaded file, matched to its indicator."""

    row_number: int
    indicator: Indicator
    year: int
    values: YearValues


@transaction.atomic
def write_years(rows: Iterable[YearRow], *, actor: Any) -> int:
    """Write many years at once, all or none; return how many entries changed.

    Raises:
        ValidationError: a row is amiss; the message names it.
        PermissionDenied: a row is about another agency's indicator, or a target that ``actor`` may
            not change.
    """
    changed_entries = 0
    for row in rows:
        authorize(actor, "targets.edit", row.indicator)
        if write_year(row.indicator, row.year, row.values, actor=actor) is not None:
            changed_entries += 1
    return changed_entries


@transaction.atomic
def copy_targets(from_year: int, to_year: int, *, actor: Any) -> int:
    """Copy targets of ``from_year`` to active indicators that have none in ``to_year``.

    Return how many were copied. Realisation is not copied.

    Raises:
        ValidationError: the years are the same or out of range.
    """
    if from_year == to_year:
        raise ValidationError({"to_year": _("Pilih tahun yang berbeda.")})
    existing = {
        entry.indicator_id: entry
        for entry in IndicatorYear.objects.select_for_update().filter(year=to_year)
    }
    copied = 0
    sources = IndicatorYear.objects.filter(
        year=from_year, target__isnull=False, indicator__is_active=True
    ).select_related("indicator")
    for source in sources:
        entry = existing.get(source.indicator_id)
        if entry is None:
            entry = IndicatorYear(indicator=source.indicator, year=to_year)
        elif entry.target is not None:
            continue
        entry.target = source.target
        check_year(entry)
        entry.save()
        copied += 1
    if copied:
        audit.record(
            "targets.year.copy",
            actor=actor,
            detail={"from": from_year, "to": to_year, "copied": copied},
        )
    return copied


def built_in_figures() -> list[PublishedFigure]:
    """Return the published figures that come with Guyub, not saved (see ``data/SOURCE.md``)."""
    with (DATA / "published.csv").open(encoding="utf-8") as file:
        return [
            PublishedFigure(
                measure=row["measure"],
                area_code=row["area_code"],
                year=int(row["year"]),
                value=Decimal(row["value"]),
                source=row["source"],
                url=row["url"],
                is_verified=row["verified"] == "ya",
                evidence=row["evidence"],
            )
            for row in csv.DictReader(file)
        ]


@transaction.atomic
def load_published(actor: Any = None) -> int:
    """Add the published figures that come with Guyub and are not there yet; return how many.

    What people entered or corrected stays as it is. Running it again changes nothing.
    """
    known = set(PublishedFigure.objects.values_list("measure", "area_code", "year"))
    fresh = [f for f in built_in_figures() if (f.measure, f.area_code, f.year) not in known]
    PublishedFigure.objects.bulk_create(fresh)
    if fresh:
        audit.record("targets.published.load", actor=actor, detail={"created": len(fresh)})
    return len(fresh)


FIGURE_FIELDS = ("value", "source", "url", "is_verified", "evidence")


@transaction.atomic
def write_published(figures: Iterable[PublishedFigure], *, actor: Any) -> tuple[int, int]:
    """Add or correct published figures, all or none; return how many were added and changed.

    Raises:
        ValidationError: a figure is amiss.
    """
    known = {(f.measure, f.area_code, f.year): f for f in PublishedFigure.objects.all()}
    added: list[PublishedFigure] = []
    changed: list[PublishedFigure] = []
    for figure in figures:
        figure.full_clean(validate_constraints=False, validate_unique=False)
        old = known.get((figure.measure, figure.area_code, figure.year))
        if old is None:
            added.append(figure)
        elif any(getattr(old, name) != getattr(figure, name) for name in FIGURE_FIELDS):
            for name in FIGURE_FIELDS:
                setattr(old, name, getattr(figure, name))
            changed.append(old)
    PublishedFigure.objects.bulk_create(added)
    PublishedFigure.objects.bulk_update(changed, FIGURE_FIELDS)
    if added or changed:
        audit.record(
            "targets.published.write",
            actor=actor,
            detail={"added": len(added), "changed": len(changed)},
        )
    return len(added), len(changed)
