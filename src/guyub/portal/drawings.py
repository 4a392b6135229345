"""Maps and charts of what has been released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.portal import queries
from guyub.portal.models import Release
from guyub.portal.tables import EXTREME, GROUPS, NEXT, POOR, TOTAL
from guyub.registry.tilemap import Tile, class_bounds, legend_of, percent_text, step_of
from guyub.ui.charts import Chart, bars, yearly


@dataclass(frozen=True)
class Shown:
    """What the map shows: a count, or its share of all households."""

    key: str
    label: Any
    column: str
    is_share: bool = False


CHOICES = (
    Shown("desil-1-2", gettext_lazy("Keluarga desil 1–2"), POOR),
    Shown("desil-1", gettext_lazy("Keluarga desil 1"), "desil_1"),
    Shown("ekstrem", gettext_lazy("Keluarga miskin ekstrem"), EXTREME),
    Shown(
        "persen",
        gettext_lazy("Keluarga desil 1–2, persen dari semua"),
        POOR,
        True,
    ),
    Shown("semua", gettext_lazy("Semua keluarga terdaftar"), TOTAL),
)


PAIRS: dict[str, tuple[str, str]] = {
    POOR: ("desil_1", "desil_2"),
    NEXT: ("desil_3", "desil_4"),
}


@dataclass(frozen=True)
class PublicMap:
    """Tiles of the districts with a legend: pairs of a colour's step and its words."""

    shown: Shown
    tiles: Sequence[Tile]
    legend: Sequence[tuple[int, str]]
    columns: int

    @property
    def ranked(self) -> list[Tile]:
        """The tiles from most to least; hidden ones last."""
        return sorted(self.tiles, key=lambda t: (t.value is None, -(t.value or 0), t.area.name))


def shown_by(key: str) -> Shown:
    """Return the choice that ``?peta=`` asks for."""
    return next((choice for choice in CHOICES if choice.key == key), CHOICES[0])


def _amount(row: queries.Row, shown: Shown) -> tuple[float | None, str]:
    count, whole = row[shown.column], row[TOTAL]
    if count is None or (shown.is_share and whole is None):
        return None, row.written(shown.column if count is None else TOTAL)
    if not shown.is_share:
        return count, number_format(count, force_grouping=True)
    if not whole:
        return None, "–"
    percent = round(100 * count / whole, 1)
    return percent, percent_text(percent)


def district_map(release: Release, rows: Sequence[queries.Row], shown: Shown) -> PublicMap:
    """Lay out the map; only published counts go into it, so a share never shows a hidden one."""
    placed = [row for row in rows if row.area.tile_column is not None]
    amounts = [_amount(row, shown) for row in placed]
    bounds = class_bounds(
        [value for value, _text in amounts if value is not None], 0.1 if shown.is_share else 1
    )
    tiles = [
        Tile(row.area, value, text, step_of(value, bounds), district_url(row.area.code, release))
        for row, (value, text) in zip(placed, amounts, strict=True)
    ]
    columns = max((tile.area.tile_column or 0 for tile in tiles), default=0) + 1
    return PublicMap(shown, tiles, legend_of(bounds, shown.is_share), columns)


def district_url(code: str, release: Release) -> str:
    return f"{reverse('portal:district', args=[code])}?terbitan={release.pk}"


def rates_chart(release: Release) -> Chart | None:
    """Draw the published percentage of poor people; ``None`` where there is none."""
    rates = queries.poverty_rates(release)
    figure = queries.latest_figure(release, "p0")
    if not rates or figure is None:
        return None
    regency = queries.regency()
    return yearly(
        "p0",
        _("Persentase penduduk miskin dari tahun ke tahun"),
        [regency.name if regency else _("Kabupaten"), _("Provinsi"), _("Indonesia")],
        rates,
        year=_("Tahun"),
        table=[
            (year, *("–" if value is None else number_format(value, 2) for value in values))
            for year, values in rates
        ],
        caption=_("Sumber: %(source)s.") % {"source": figure["source"]},
    )


def groups_chart(release: Release, row: queries.Row, caption: str) -> Chart | None:
    """Draw the households of an area by group of desil, as far as they may be seen."""
    labels = {c["key"]: c["label"] for c in queries.household_columns(release)}
    keys: list[str] = []
    for single in GROUPS:
        # Two desils of which one may not be seen stand as one.
        key = single
        for whole, pair in PAIRS.items():
            if single in pair and row[whole] is not None and any(row[one] is None for one in pair):
                key = whole
        if key not in keys:
            keys.append(key)
    seen = [(labels[key], row[key]) for key in keys if key in labels and row[key] is not None]
    if not seen:
        return None
    return bars(
        "desil",
        _("Keluarga menurut desil"),
        seen,  # type: ignore[arg-type]
        label=_("Desil"),
        value=_("Keluarga"),
        caption=caption,
    )


def kinds_chart(release: Release, row: queries.Row, caption: str) -> Chart | None:
    """Draw how many receive each form of help in an area, as far as it may be seen."""
    seen = [
        (column["label"], value)
        for column in queries.kind_columns(release)
        if (value := row[column["key"]])
    ]
    if not seen:
        return None
    return bars(
        "penerima",
        _("Penerima menurut bentuk bantuan"),
        sorted(seen, key=lambda pair: -pair[1]),
        label=_("Bentuk bantuan"),
        value=_("Penerima"),
        caption=caption,
    )
