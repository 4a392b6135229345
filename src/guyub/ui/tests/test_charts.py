from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import altair as alt
import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from guyub.ui.charts import Chart, bars, plan_curve, sequence, series, tile_map, trend, yearly


def every_chart() -> list[Chart]:
    return [
        bars(
            "batang",
            "Keluarga",
            [("Purwokerto Selatan", 12345), ("Lumbir", 0)],
            label="Kecamatan",
            value="Keluarga",
        ),
        trend(
            "tren",
            "Perkembangan",
            ["Desil 1", "Desil 1–2"],
            [(dt.date(2026, 5, 1), (45678, 90000)), (dt.date(2026, 8, 1), (41000, 87000))],
            date="Per tanggal",
            value="Keluarga",
        ),
        plan_curve(
            "kurva",
            "Rencana dan realisasi",
            ["Fisik", "Keuangan"],
            [
                (dt.date(2026, 3, 31), ((12.5, 10.0), (8.0, 0.0))),
                (dt.date(2026, 6, 30), ((50.0, None), (45.0, None))),
            ],
            kinds=("rencana", "realisasi"),
            date="Per tanggal",
        ),
        tile_map(
            "peta",
            "Peta",
            [
                {
                    "label": name,
                    "column": column,
                    "row": 0,
                    "figure": figure,
                    "class": kind,
                    "dark": False,
                }
                for name, column, figure, kind in (
                    ("Lumbir", 0, "1.234", "1.000–1.999"),
                    ("Wangon", 1, "2.345", "2.000–2.999"),
                )
            ],
            ["1.000–1.999", "2.000–2.999"],
            area="Kecamatan",
            legend="Keluarga",
        ),
    ]


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.key)
def test_every_chart_is_valid_and_converts_to_files(chart: Chart) -> None:
    alt.Chart.from_dict(chart.spec(), validate=True)

    assert chart.svg().startswith("<svg")
    assert chart.png(scale=1).startswith(b"\x89PNG")


def drawn(chart: Chart) -> str:
    return chart.svg()


def test_numbers_and_months_are_written_the_indonesian_way() -> None:
    bar_chart, trend_chart, *_others = every_chart()

    assert ">12.345<" in drawn(bar_chart)
    axis = drawn(trend_chart)
    assert ">80.000<" in axis
    assert ">Mei 2026<" in axis


def test_numbers_and_months_follow_the_reader_into_english() -> None:
    with translation.override("en"):
        bar_chart, trend_chart, *_others = every_chart()

    assert ">12,345<" in drawn(bar_chart)
    assert ">May 2026<" in drawn(trend_chart)


def test_a_date_stays_on_its_day_in_every_time_zone() -> None:
    _bars, trend_chart, *_others = every_chart()

    assert {row["date"] for row in trend_chart.rows} == {
        "2026-05-01T00:00:00",
        "2026-08-01T00:00:00",
    }


def test_two_charts_of_one_kind_share_no_data() -> None:
    first = bars("a", "A", [("x", 1)], label="L", value="V")
    second = bars("b", "B", [("y", 2)], label="L", value="V")

    assert first.spec()["datasets"]["rows"] == [{"label": "x", "value": 1}]
    assert second.spec()["datasets"]["rows"] == [{"label": "y", "value": 2}]


def test_palettes_come_from_the_stylesheet() -> None:
    for colour in (*sequence(), *series()):
        assert colour.startswith("#")
        assert len(colour) == 7


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_palette_goes_from_light_to_dark_in_steps_one_can_tell_apart() -> None:
    steps = [luminance(colour) for colour in sequence()]

    assert all(lighter > darker * 1.3 for lighter, darker in itertools.pairwise(steps))


def block(chart: Chart, times: int = 1) -> str:
    template = Template("{% load charts %}" + "{% chart_block chart %}" * times)
    request = RequestFactory().get("/")
    return template.render(Context({"chart": chart, "request": request}))


def test_a_block_holds_the_heading_the_numbers_and_no_inline_script() -> None:
    html = block(every_chart()[0])

    assert "<h2>Keluarga</h2>" in html
    assert "12.345" in html
    assert "Lihat sebagai tabel" in html
    assert html.count("<script") == 2  # data, and the loader by address
    assert 'type="application/json"' in html


def test_years_are_no_amounts_in_the_table() -> None:
    html = block(yearly("tahunan", "Angka", ["Kabupaten"], [(2025, [11.5])], year="Tahun"))

    assert ">2025</th>" in html
    assert "2.025" not in html


def test_names_from_data_cannot_leave_the_block(settings: Any) -> None:
    chart = bars("x", "X", [("</script><b>x", 1)], label="L", value="V")

    assert "</script><b>" not in block(chart)


def test_a_page_loads_the_loader_once() -> None:
    assert block(every_chart()[0], times=3).count("ui/charts.js") == 1
