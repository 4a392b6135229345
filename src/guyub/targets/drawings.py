"""The charts of targets: target against realisation, published figures, and little lines in lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from guyub.targets.models import Indicator, Measure, PublishedFigure
from guyub.ui.charts import Chart, yearly

# Figures behind the decimal point of each published measure.
PLACES: dict[str, int] = {
    Measure.P0: 2,
    Measure.P1: 2,
    Measure.P2: 2,
    Measure.POOR: 2,
    Measure.LINE: 0,
    Measure.GINI: 3,
    Measure.UNEMPLOYMENT: 2,
    Measure.HDI: 2,
}


def written(value: Decimal | float | None, places: int) -> str:
    """Write a number out as the reader's language has it; a dash where there is none."""
    if value is None:
        return "–"
    # Django cuts figures off instead of rounding.
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return number_format(rounded, decimal_pos=places, use_l10n=True, force_grouping=True)


def indicator_chart(indicator: Indicator, years: Sequence[Any]) -> Chart | None:
    """Draw target and realisation of ``indicator``; ``None`` with less than two years."""
    rows = [
        (e.year, (e.target, e.actual))
        for e in years
        if e.target is not None or e.actual is not None
    ]
    if len(rows) < 2:
        return None
    target, actual = _("Target"), _("Realisasi")
    return yearly(
        "indikator",
        _("Target dan realisasi (%(unit)s)") % {"unit": indicator.unit},
        [target, actual],
        rows,
        year=_("Tahun"),
        number_format=f",.{indicator.decimals}f",
        dashed=target,
        table=[(y, *(written(v, indicator.decimals) for v in pair)) for y, pair in rows],
    )


def published_chart(
    measure: str,
    by_year: Mapping[int, Mapping[str, PublishedFigure]],
    names: Mapping[str, Any],
) -> Chart | None:
    """Draw a published measure for the areas that have it; ``None`` with less than two years."""
    areas = [code for code in names if any(code in figures for figures in by_year.values())]
    if len(by_year) < 2 or not areas:
        return None
    rows = [
        (year, [f.value if (f := by_year[year].get(code)) else None for code in areas])
        for year in sorted(by_year)
    ]
    places = PLACES[measure]
    return yearly(
        f"terbitan-{measure}",
        str(Measure(measure).label),
        [str(names[code]) for code in areas],
        rows,
        year=_("Tahun"),
        number_format=f",.{places}f",
        table=[(year, *(written(v, places) for v in values)) for year, values in rows],
    )


SPARK_WIDTH, SPARK_HEIGHT = 88, 24


def spark_points(values: Sequence[tuple[int, Decimal]]) -> list[tuple[float, float]]:
    """Return where the points of a little line lie in a box of 88 by 24, years to scale."""
    if len(values) < 2:
        return []
    first, last = values[0][0], values[-1][0]
    numbers = [float(value) for _year, value in values]
    low, high = min(numbers), max(numbers)
    margin = 3
    return [
        (
            round(margin + (SPARK_WIDTH - 2 * margin) * (year - first) / (last - first), 1),
            round(
                SPARK_HEIGHT / 2
                if high == low
                else margin + (SPARK_HEIGHT - 2 * margin) * (high - number) / (high - low),
                1,
            ),
        )
        for (year, _value), number in zip(values, numbers, strict=True)
    ]
