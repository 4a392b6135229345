"""Charts of linking: how weights add up for one pair, what levels weigh, how weights are spread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from guyub.linking.model import COMPARISONS, weight
from guyub.linking.models import LinkRun, Pair
from guyub.ui.charts import ROWS, Chart, Column, finished, language_of_charts, tokens


def _signed(number: float) -> str:
    if abs(number) < 0.05:
        return "0"
    return f"{number:+.1f}".replace(".", ",").replace("-", "−")


@lru_cache(maxsize=8)
def _waterfall(language: str, accept: float) -> dict[str, Any]:
    # Imported late here and below, as in guyub.ui.charts.
    import altair as alt

    t = tokens()
    colours = alt.Scale(
        domain=["up", "down", "total"], range=[t["series-1"], t["series-2"], t["muted"]]
    )
    base = alt.Chart(alt.NamedData(name=ROWS)).encode(
        y=alt.Y("label:N", sort=None, title=None,
                axis=alt.Axis(domain=False, ticks=False, labelLimit=150)),
        tooltip=[
            alt.Tooltip("label:N", title=" "),
            alt.Tooltip("level:N", title="  "),
            alt.Tooltip("figure:N", title="   "),
        ],
    )  # fmt: skip
    bars = base.mark_bar(height={"band": 0.62}).encode(
        x=alt.X("start:Q", title=None, axis=alt.Axis(tickCount=6, domain=False)),
        x2="end:Q",
        color=alt.Color("kind:N", scale=colours, legend=None),
    )
    figures = base.mark_text(align="left", dx=6).encode(
        x=alt.X("right:Q", scale=alt.Scale(padding=34)), text="figure:N"
    )
    limit = (
        alt.Chart(alt.NamedData(name=ROWS))
        .mark_rule(strokeDash=[4, 4], color=t["ink"], opacity=0.4)
        .encode(x=alt.datum(accept))
    )
    return finished(alt.layer(limit, bars, figures), language)


def waterfall(pair: Pair, run: LinkRun) -> Chart:
    """Show how the weight of a pair came about, from the prior to the sum."""
    import math

    prior = run.used.get("prior", 0.5)
    total = math.log2(prior / (1 - prior)) if 0 < prior < 1 else 0.0
    rows: list[dict[str, Any]] = []
    rows.append(_bar(_("Titik awal"), _("peluang dua baris acak adalah satu orang"), 0.0, total))
    for comparison in COMPARISONS:
        value, part = pair.weights.get(comparison.name, (-1, 0.0))
        level = comparison.level_of(int(value))
        label = str(level.label) if level is not None else _("salah satu kosong")
        rows.append(_bar(str(comparison.label), label, total, total + part))
        total += part
    rows.append(_bar(_("Jumlah"), "", 0.0, pair.weight) | {"kind": "total"})
    accept = float(run.used.get("thresholds", {}).get("accept", 7.0))
    return Chart(
        key="waterfall",
        title=_("Mengapa bobotnya %(weight)s") % {"weight": _signed(pair.weight)},
        definition=_waterfall(language_of_charts(), accept),
        rows=rows,
        columns=[
            Column(_("Yang dibandingkan")),
            Column(_("Hasil")),
            Column(_("Bobot"), numeric=True),
        ],
        table=[(row["label"], row["level"], row["figure"]) for row in rows],
        height=30 * len(rows) + 20,
        caption=_(
            "Ke kanan: mendukung orang yang sama. Garis putus-putus: diterima tanpa ditinjau."
        ),
    )


def _bar(label: str, level: str, start: float, end: float) -> dict[str, Any]:
    return {
        "label": label, "level": level, "start": round(start, 3), "end": round(end, 3),
        "right": round(max(start, end), 3), "figure": _signed(end - start),
        "kind": "up" if end >= start else "down",
    }  # fmt: skip


@lru_cache(maxsize=4)
def _weights(language: str) -> dict[str, Any]:
    import altair as alt

    t = tokens()
    base = alt.Chart(alt.NamedData(name=ROWS)).encode(
        y=alt.Y("label:N", sort=None, title=None,
                axis=alt.Axis(domain=False, ticks=False, labelLimit=320)),
        x=alt.X("value:Q", title=None, axis=alt.Axis(tickCount=7, domain=False)),
        tooltip=[alt.Tooltip("label:N", title=" "), alt.Tooltip("figure:N", title="  ")],
    )  # fmt: skip
    colour = alt.condition("datum.value >= 0", alt.value(t["series-1"]), alt.value(t["series-2"]))
    return finished(alt.layer(base.mark_bar().encode(color=colour)), language)


def level_rows(run: LinkRun) -> list[tuple[Any, Any, float, float, float]]:
    """Return (comparison, level, m, u, weight) of a run's model."""
    m, u = run.used.get("m", {}), run.used.get("u", {})
    return [
        (c.label, level.label, m[c.name][level.name], u[c.name][level.name],
         weight(m[c.name][level.name], u[c.name][level.name]))
        for c in COMPARISONS if c.name in m
        for level in c.levels
    ]  # fmt: skip


def share(chance: float) -> str:
    """Return a chance as people read it: *70,8 %*, or *1 dari 6.250* where it is small."""
    if chance >= 0.01:
        return f"{100 * chance:.1f} %".replace(".", ",")
    return _("1 dari %(count)s") % {"count": f"{round(1 / max(chance, 1e-12)):,}".replace(",", ".")}


def match_weights(run: LinkRun) -> Chart:
    """Show what each level weighs."""
    found = level_rows(run)
    rows = [
        {"label": f"{comparison}: {level}", "value": round(bits, 2), "figure": _signed(bits)}
        for comparison, level, _m, _u, bits in found
    ]
    return Chart(
        key="weights",
        title=_("Bobot setiap hasil perbandingan"),
        definition=_weights(language_of_charts()),
        rows=rows,
        columns=[Column(_("Hasil perbandingan")), Column(_("Bobot"), numeric=True)],
        table=[(row["label"], row["figure"]) for row in rows],
        height=22 * max(len(rows), 1),
        caption=_("Setiap bobot 1 berarti peluang sebagai orang yang sama menjadi dua kali lipat."),
    )


@lru_cache(maxsize=32)
def _spread(language: str, review: float, accept: float) -> dict[str, Any]:
    import altair as alt

    t = tokens()
    colours = alt.Scale(
        domain=["none", "review", "sure"], range=[t["muted"], t["series-2"], t["series-1"]]
    )
    # Rectangles: a bar with both edges given on one axis would lie down.
    bars = (
        alt.Chart(alt.NamedData(name=ROWS))
        .mark_rect(stroke=t["surface"], strokeWidth=1)
        .encode(
            x=alt.X("edge:Q", title=None, axis=alt.Axis(tickCount=10, grid=False)),
            x2="until:Q",
            y=alt.Y("pairs:Q", title=None, axis=alt.Axis(tickCount=4, domain=False, format=",d")),
            y2=alt.datum(0),
            color=alt.Color("kind:N", scale=colours, legend=None),
            tooltip=[
                alt.Tooltip("edge:Q", title=" "),
                alt.Tooltip("pairs:Q", title="  ", format=",d"),
            ],
        )
    )
    lines = [
        alt.Chart(alt.NamedData(name=ROWS))
        .mark_rule(strokeDash=[4, 4], color=t["ink"])
        .encode(x=alt.datum(x))
        for x in (review, accept)
    ]
    return finished(alt.layer(bars, *lines), language)


def spread(run: LinkRun, found: Sequence[tuple[float, int]]) -> Chart:
    """Show how the weights of the pairs that were compared are spread, with the thresholds."""
    limits = run.used.get("thresholds", {})
    review, accept = float(limits.get("review", -3)), float(limits.get("accept", 7))
    rows = [
        {
            "edge": edge, "until": edge + 1, "pairs": number,
            "kind": "sure" if edge >= accept else "review" if edge >= review else "none",
        }
        for edge, number in found
    ]  # fmt: skip
    return Chart(
        key="spread",
        title=_("Sebaran bobot pasangan yang dibandingkan"),
        definition=_spread(language_of_charts(), review, accept),
        rows=rows,
        columns=[Column(_("Bobot mulai")), Column(_("Pasangan"), numeric=True)],
        table=[(_signed(edge), number) for edge, number in found],
        height=200,
        caption=_("Garis kiri: mulai ditinjau. Garis kanan: mulai diterima."),
    )
