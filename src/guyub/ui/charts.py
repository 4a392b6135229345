"""Charts: one Vega-Altair definition each, drawn by Vega on a page and by vl-convert in a file.

A definition is built once and holds no data (building one takes longer than a page may); a
:class:`Chart` is a definition, the rows to draw, and the same rows as a table for people who cannot
see or load the drawing. Colours and fonts come from the tokens at the head of ``ui/guyub.css``,
so that the page, the chart and the printed report look alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language

NUMBER_LOCALES: dict[str, dict[str, Any]] = {
    "id": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["Rp", ""]},
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["Rp", ""]},
}
TIME_LOCALES: dict[str, dict[str, Any]] = {
    "id": {
        "dateTime": "%A, %-d %B %Y %X",
        "date": "%-d/%-m/%Y",
        "time": "%H.%M.%S",
        "periods": ["AM", "PM"],
        "days": ["Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"],
        "shortDays": ["Min", "Sen", "Sel", "Rab", "Kam", "Jum", "Sab"],
        "months": [
            "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus",
            "September", "Oktober", "November", "Desember",
        ],
        "shortMonths": [
            "Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des",
        ],
    },
    "en": {
        "dateTime": "%A, %-d %B %Y %X",
        "date": "%-d/%-m/%Y",
        "time": "%H:%M:%S",
        "periods": ["AM", "PM"],
        "days": [
            "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
        ],
        "shortDays": ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
        "months": [
            "January", "February", "March", "April", "May", "June", "July", "August",
            "September", "October", "November", "December",
        ],
        "shortMonths": [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ],
    },
}  # fmt: skip
# As on the page; the last is what files are drawn with, where the others are missing.
FONTS = "system-ui, Segoe UI, Roboto, Noto Sans, Liberation Sans, sans-serif"
FILE_WIDTH = 640  # px: how wide a chart is in a file, where there is no page to fill
ROWS = "rows"  # the name under which a definition finds its data


@dataclass(frozen=True)
class Column:
    """A column of a chart's table."""

    label: str
    numeric: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart ready to be shown.

    ``key`` is unique on its page. ``definition`` is a Vega-Lite specification without data, and
    ``rows`` are its data. ``table`` says the same in words: one tuple per row, one value per column.
    ``height`` in pixels is reserved on the page before the chart loads.
    """

    key: str
    title: str
    definition: dict[str, Any]
    rows: Sequence[dict[str, Any]]
    columns: Sequence[Column]
    table: Sequence[Sequence[Any]]
    height: int
    caption: str = ""

    def spec(self, width: int | str = "container") -> dict[str, Any]:
        """Return the whole Vega-Lite specification; ``width`` in pixels, or that of the page."""
        spec = {**self.definition, "datasets": {ROWS: list(self.rows)}, "height": self.height}
        # A definition that has a size of its own (the tile map) keeps it.
        spec["width"] = self.definition.get("width", width)
        return spec

    def svg(self, width: int = FILE_WIDTH) -> str:
        """Draw the chart as SVG text."""
        # Imported late here and below: together they take a second, and most processes draw nothing.
        import vl_convert

        return str(vl_convert.vegalite_to_svg(self.spec(width)))

    def png(self, width: int = FILE_WIDTH, scale: float = 2) -> bytes:
        """Draw the chart as a PNG of ``width * scale`` pixels (and the axis labels beside it)."""
        import vl_convert

        return bytes(vl_convert.vegalite_to_png(self.spec(width), scale=scale))


@cache
def tokens() -> dict[str, str]:
    """Return the design tokens of ``ui/guyub.css``, by name without the leading ``--g-``."""
    css = (Path(__file__).parent / "static" / "ui" / "guyub.css").read_text(encoding="utf-8")
    return dict(re.findall(r"--g-([a-z0-9-]+):\s*([^;]+);", css))


def sequence() -> list[str]:
    """Return the sequential palette, lightest first: one hue, told apart by lightness alone."""
    return [tokens()[f"seq-{step}"] for step in range(1, 6)]


def series() -> list[str]:
    """Return the palette for series that are told apart by hue, safe for the colour-blind."""
    return [tokens()[f"series-{number}"] for number in range(1, 5)]


def _language() -> str:
    return "en" if (get_language() or "id").startswith("en") else "id"


def _finish(chart: Any, language: str) -> dict[str, Any]:
    """Give a definition the theme and the locale and return it as Vega-Lite."""
    t = tokens()
    config = {
        "font": FONTS,
        "background": "transparent",
        "locale": {"number": NUMBER_LOCALES[language], "time": TIME_LOCALES[language]},
        "view": {"stroke": None},
        "axis": {
            "labelColor": t["muted"],
            "titleColor": t["muted"],
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "gridColor": t["line"],
            "domainColor": t["line"],
            "tickColor": t["line"],
            "labelPadding": 6,
        },
        "legend": {"labelColor": t["ink"], "labelFontSize": 12, "titleColor": t["muted"]},
        "text": {"color": t["ink"], "fontSize": 12},
        "bar": {"color": t["accent"], "cornerRadiusEnd": 2},
        "line": {"strokeWidth": 2.5},
        "point": {"size": 55, "filled": True},
    }
    spec: dict[str, Any] = chart.to_dict(validate=False)
    spec["config"] = config
    return spec


@lru_cache(maxsize=64)
def _bars(language: str, label: str, value: str, number_format: str) -> dict[str, Any]:
    import altair as alt

    base = alt.Chart(alt.NamedData(name=ROWS)).encode(
        y=alt.Y(
            "label:N",
            sort=None,
            title=None,
            axis=alt.Axis(domain=False, ticks=False, labelLimit=170),
        ),
        x=alt.X("value:Q", title=None, axis=None, scale=alt.Scale(domainMin=0, padding=0)),
        tooltip=[
            alt.Tooltip("label:N", title=label),
            alt.Tooltip("value:Q", title=value, format=number_format),
        ],
    )
    figures = base.mark_text(align="left", dx=5).encode(
        text=alt.Text("value:Q", format=number_format)
    )
    return _finish(alt.layer(base.mark_bar(), figures), language)


def bars(
    key: str,
    title: str,
    rows: Sequence[tuple[str, float]],
    *,
    label: str,
    value: str,
    number_format: str = ",d",
    caption: str = "",
) -> Chart:
    """Compare amounts: one horizontal bar per ``(name, amount)``, in the order given.

    ``label`` and ``value`` say what the names and the amounts are.
    """
    return Chart(
        key=key,
        title=title,
        definition=_bars(_language(), label, value, number_format),
        rows=[{"label": name, "value": amount} for name, amount in rows],
        columns=[Column(label), Column(value, numeric=True)],
        table=rows,
        height=max(60, 26 * len(rows)),
        caption=caption,
    )


@lru_cache(maxsize=64)
def _trend(language: str, names: tuple[str, ...], date: str, value: str) -> dict[str, Any]:
    import altair as alt

    colours = alt.Scale(domain=list(names), range=series()[: len(names)])
    base = alt.Chart(alt.NamedData(name=ROWS)).encode(
        x=alt.X(
            "date:T",
            title=None,
            axis=alt.Axis(format="%b %Y", grid=False, tickCount=6, labelOverlap=True),
            scale=alt.Scale(padding=14),
        ),
        y=alt.Y(
            "value:Q",
            title=None,
            axis=alt.Axis(format=",d", tickCount=5, domain=False, ticks=False),
            scale=alt.Scale(zero=True),
        ),
        color=alt.Color("series:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
        tooltip=[
            alt.Tooltip("series:N", title=value),
            alt.Tooltip("date:T", title=date, format="%-d %B %Y"),
            alt.Tooltip("value:Q", title=" ", format=",d"),
        ],
    )
    lines = base.mark_line()
    points = base.mark_point(opacity=1).encode(
        shape=alt.Shape("series:N", title=None, scale=alt.Scale(domain=list(names)))
    )
    return _finish(alt.layer(lines, points), language)


def trend(
    key: str,
    title: str,
    names: Sequence[str],
    rows: Sequence[tuple[Any, Sequence[int]]],
    *,
    date: str,
    value: str,
    caption: str = "",
) -> Chart:
    """Show amounts over time: for each ``(date, amounts)`` one amount per name in ``names``.

    ``date`` and ``value`` say what the dates and the amounts are. Up to four names, the order of
    which is the order of the colours.
    """
    return Chart(
        key=key,
        title=title,
        definition=_trend(_language(), tuple(names), date, value),
        rows=[
            # A bare date would be read as UTC and could land on the day before.
            {"date": f"{day.isoformat()}T00:00:00", "series": name, "value": amount}
            for day, amounts in rows
            for name, amount in zip(names, amounts, strict=True)
        ],
        columns=[Column(date), *(Column(name, numeric=True) for name in names)],
        table=[(day, *amounts) for day, amounts in rows],
        height=250,
        caption=caption,
    )


@lru_cache(maxsize=64)
def _yearly(
    language: str, names: tuple[str, ...], year: str, number_format: str, dashed: str, zero: bool
) -> dict[str, Any]:
    import altair as alt

    colours = alt.Scale(domain=list(names), range=series()[: len(names)])
    base = alt.Chart(alt.NamedData(name=ROWS)).encode(
        x=alt.X(
            "year:O",
            title=None,
            axis=alt.Axis(grid=False, labelAngle=0, labelOverlap=True),
            scale=alt.Scale(padding=0.3),
        ),
        y=alt.Y(
            "value:Q",
            title=None,
            axis=alt.Axis(format=number_format, tickCount=5, domain=False, ticks=False),
            scale=alt.Scale(zero=zero, nice=True),
        ),
        color=alt.Color("series:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
        tooltip=[
            alt.Tooltip("series:N", title=" "),
            alt.Tooltip("year:O", title=year),
            alt.Tooltip("value:Q", title=" ", format=number_format),
        ],
    )
    lines = base.mark_line()
    if dashed:
        # By a condition, not a scale: a scale would cut the legend's symbols up into dashes too.
        test = f"datum.series === {json.dumps(dashed)}"
        lines = lines.encode(strokeDash=alt.condition(test, alt.value([5, 4]), alt.value([1, 0])))
    points = base.mark_point(opacity=1).encode(
        shape=alt.Shape("series:N", title=None, scale=alt.Scale(domain=list(names)))
    )
    return _finish(alt.layer(lines, points), language)


def yearly(
    key: str,
    title: str,
    names: Sequence[str],
    rows: Sequence[tuple[int, Sequence[Any]]],
    *,
    year: str,
    number_format: str = ",.2f",
    dashed: str = "",
    zero: bool = False,
    caption: str = "",
    table: Sequence[Sequence[Any]] | None = None,
) -> Chart:
    """Show figures year by year: for each ``(year, figures)`` one figure per name, ``None`` if unknown.

    ``year`` says what the years are called. Up to four names; the line called ``dashed`` is dashed. The
    axis starts at nought with ``zero`` alone: figures that differ little would else look the same.
    ``table`` holds the figures written out, where they are not shown as they are.
    """
    written = [(number, *figures) for number, figures in rows] if table is None else table
    return Chart(
        key=key,
        title=title,
        definition=_yearly(_language(), tuple(names), year, number_format, dashed, zero),
        rows=[
            {"year": number, "series": name, "value": float(figure)}
            for number, figures in rows
            for name, figure in zip(names, figures, strict=True)
            if figure is not None
        ],
        columns=[Column(year), *(Column(name, numeric=True) for name in names)],
        # Years are names: as numbers they would be written with a thousands separator.
        table=[(str(number), *figures) for number, *figures in written],
        height=250,
        caption=caption,
    )


@lru_cache(maxsize=64)
def _plan_curve(
    language: str, measures: tuple[str, ...], kinds: tuple[str, str], date: str
) -> dict[str, Any]:
    import altair as alt

    colours = alt.Scale(domain=list(measures), range=series()[: len(measures)])
    dashes = alt.Scale(domain=list(kinds), range=[[5, 4], [1, 0]])
    base = alt.Chart(alt.NamedData(name=ROWS)).encode(
        x=alt.X(
            "date:T",
            title=None,
            axis=alt.Axis(format="%b %Y", grid=False, tickCount=6, labelOverlap=True),
            scale=alt.Scale(padding=14),
        ),
        y=alt.Y(
            "value:Q",
            title=None,
            axis=alt.Axis(labelExpr="datum.label + ' %'", tickCount=5, domain=False, ticks=False),
            scale=alt.Scale(domainMin=0, nice=True),
        ),
        color=alt.Color("measure:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
        tooltip=[
            alt.Tooltip("measure:N", title=" "),
            alt.Tooltip("kind:N", title="  "),
            alt.Tooltip("date:T", title=date, format="%-d %B %Y"),
            alt.Tooltip("value:Q", title="%", format=",.1f"),
        ],
    )
    lines = base.mark_line().encode(
        strokeDash=alt.StrokeDash(
            "kind:N", title=None, scale=dashes, legend=alt.Legend(orient="top", symbolType="stroke")
        )
    )
    points = base.mark_point(opacity=1).transform_filter(
        alt.FieldEqualPredicate(field="kind", equal=kinds[1])
    )
    return _finish(alt.layer(lines, points), language)


def plan_curve(
    key: str,
    title: str,
    measures: Sequence[str],
    rows: Sequence[tuple[Any, Sequence[tuple[float | None, float | None]]]],
    *,
    kinds: tuple[str, str],
    date: str,
    caption: str = "",
) -> Chart:
    """Set plans against what came of them, in per cent over time (an S-curve).

    For each ``(date, pairs)`` there is one pair ``(planned, realised)`` per measure in ``measures``,
    either side ``None`` where it is not known (yet). Measures differ by colour, plan and realisation
    by dashes; ``kinds`` are the words for the two.
    """
    return Chart(
        key=key,
        title=title,
        definition=_plan_curve(_language(), tuple(measures), kinds, date),
        rows=[
            # As in a trend, a bare date could land on the day before.
            {
                "date": f"{day.isoformat()}T00:00:00",
                "measure": measure,
                "kind": kind,
                "value": value,
            }
            for day, pairs in rows
            for measure, pair in zip(measures, pairs, strict=True)
            for kind, value in zip(kinds, pair, strict=True)
            if value is not None
        ],
        columns=[
            Column(date),
            *(
                Column(f"{measure}, {kind} (%)", numeric=True)
                for measure in measures
                for kind in kinds
            ),
        ],
        table=[
            (day, *("–" if value is None else value for pair in pairs for value in pair))
            for day, pairs in rows
        ],
        height=280,
        caption=caption,
    )


@lru_cache(maxsize=64)
def _tile_map(language: str, legend: str, classes: tuple[str, ...]) -> dict[str, Any]:
    import altair as alt

    t, side = tokens(), 84
    last = len(classes)
    base = alt.Chart(alt.NamedData(name=ROWS)).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(paddingInner=0.04)),
        y=alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.04)),
        tooltip=[alt.Tooltip("label:N", title=" "), alt.Tooltip("figure:N", title=legend)],
    )
    squares = base.mark_rect(cornerRadius=4).encode(
        color=alt.Color(
            "class:N",
            title=legend,
            scale=alt.Scale(domain=list(classes), range=sequence()[:last]),
            legend=alt.Legend(orient="bottom", symbolType="square", columns=5),
        )
    )
    # White letters on the dark steps of the palette, ink on the light ones.
    ink = alt.condition("datum.dark", alt.value("#ffffff"), alt.value(t["ink"]))
    names = base.mark_text(fontSize=11, dy=-9, lineBreak=" ", lineHeight=12).encode(
        text="label:N", color=ink
    )
    figures = base.mark_text(fontSize=13, dy=20, fontWeight="bold").encode(
        text="figure:N", color=ink
    )
    spec = _finish(alt.layer(squares, names, figures), language)
    return {**spec, "width": 7 * side}


def tile_map(
    key: str,
    title: str,
    tiles: Sequence[dict[str, Any]],
    classes: Sequence[str],
    *,
    area: str,
    legend: str,
    caption: str = "",
) -> Chart:
    """Draw the map on which each district is one square, for files; pages draw it as HTML.

    Each tile has ``label``, ``column``, ``row``, ``figure`` (the amount, written out), ``class`` (one
    of ``classes``, the words of the legend from least to most) and ``dark`` (whether its colour
    wants white letters).
    """
    return Chart(
        key=key,
        title=title,
        definition=_tile_map(_language(), legend, tuple(classes)),
        rows=tiles,
        columns=[Column(area), Column(legend, numeric=True)],
        table=[(tile["label"], tile["figure"]) for tile in tiles],
        height=6 * 84,
        caption=caption,
    )


# For definitions that an app draws of its own.
finished, language_of_charts = _finish, _language
