"""The tag that puts a chart on a page."""

from __future__ import annotations

from typing import Any

from django import template

from guyub.ui.charts import Chart

register = template.Library()

_LOADER = "guyub.ui.charts.loader"


@register.inclusion_tag("ui/_chart.html", takes_context=True)
def chart_block(context: dict[str, Any], chart: Chart, heading: int = 2) -> dict[str, Any]:
    """Draw ``chart``: its heading, the drawing, and its numbers as a table.

    ``heading`` is the level of the heading; 0 leaves it out. The drawing library is loaded only when
    the chart comes near the viewport.
    """
    memory = context.render_context  # type: ignore[attr-defined]
    first = not memory.get(_LOADER)
    memory[_LOADER] = True
    return {
        "chart": chart,
        "spec": chart.spec(),
        "spec_id": f"chart-{chart.key}-spec",
        "heading": heading,
        "needs_loader": first,
    }
