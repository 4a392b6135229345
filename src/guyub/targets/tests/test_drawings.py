"""The charts of targets."""

from __future__ import annotations

from decimal import Decimal

from guyub.targets.drawings import indicator_chart, published_chart
from guyub.targets.models import Indicator, IndicatorYear, PublishedFigure

D = Decimal


def test_target_and_realisation_are_drawn_with_gaps():
    indicator = Indicator(unit="persen", decimals=2)
    years = [
        IndicatorYear(year=2024, target=D("12.15"), actual=D("11.95")),
        IndicatorYear(year=2025, target=D("11.6")),
        IndicatorYear(year=2026),
    ]
    chart = indicator_chart(indicator, years)
    assert [row["value"] for row in chart.rows] == [12.15, 11.95, 11.6]
    assert list(chart.table) == [("2024", "12,15", "11,95"), ("2025", "11,60", "–")]
    svg = chart.svg()
    assert "stroke-dasharray" in svg
    assert "12,00" in svg
    assert indicator_chart(indicator, years[:1]) is None


def test_published_figures_are_drawn_for_the_areas_that_have_them():
    def figure(value):
        return PublishedFigure(value=D(value))

    by_year = {
        2025: {"33.02": figure("11.15"), "": figure("8.47")},
        2024: {"": figure("9.03")},
    }
    names = {"33.02": "Banyumas", "33": "Jawa Tengah", "": "Indonesia"}
    chart = published_chart("p0", by_year, names)
    assert [column.label for column in chart.columns][1:] == ["Banyumas", "Indonesia"]
    assert list(chart.table) == [("2024", "–", "9,03"), ("2025", "11,15", "8,47")]
    assert "Jawa Tengah" not in chart.svg()
    assert published_chart("p0", {2025: by_year[2025]}, names) is None
