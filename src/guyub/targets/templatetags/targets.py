"""Tags that the pages of targets use: numbers written out, standing, little lines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.targets.drawings import SPARK_HEIGHT, SPARK_WIDTH, spark_points, written
from guyub.targets.poverty import Reliability
from guyub.targets.progress import Progress
from guyub.ui.templatetags.guyub import badge

register = template.Library()


@register.filter
def places(value: Any, count: int) -> str:
    """Write ``value`` with ``count`` figures behind the point."""
    return written(value, int(count))


@register.simple_tag
def standing_badge(progress: Progress) -> SafeString:
    """Draw where an indicator stands."""
    return badge(progress.standing_label, progress.standing_tone)


@register.simple_tag
def signed(value: Decimal | None, count: int) -> str:
    """Write a difference with its sign; nothing where there is none."""
    if value is None:
        return ""
    text = written(abs(value), int(count))
    if not value:
        return text
    return ("+" if value > 0 else "−") + text


@register.simple_tag
def spark(values: Sequence[tuple[int, Decimal]], count: int) -> SafeString:
    """Draw realisations as a little line that says in words what it shows."""
    points = spark_points(values)
    if not points:
        return SafeString("")
    said = _("Dari %(a)s pada %(x)s menjadi %(b)s pada %(y)s") % {
        "a": written(values[0][1], int(count)),
        "x": values[0][0],
        "b": written(values[-1][1], int(count)),
        "y": values[-1][0],
    }
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">'
        '<polyline points="{}"></polyline><circle cx="{}" cy="{}" r="2.5"></circle></svg>',
        SPARK_WIDTH,
        SPARK_HEIGHT,
        SPARK_WIDTH,
        SPARK_HEIGHT,
        said,
        " ".join(f"{x},{y}" for x, y in points),
        *(str(part) for part in points[-1]),
    )


RELIABILITY: dict[str, tuple[Any, str]] = {
    Reliability.ACCURATE: (gettext_lazy("Akurat"), "good"),
    Reliability.CAREFUL: (gettext_lazy("Perlu hati-hati"), "warn"),
    Reliability.UNRELIABLE: (gettext_lazy("Tidak akurat"), "bad"),
}


@register.simple_tag
def reliability_badge(reliability: str) -> SafeString:
    """Draw how far an estimate may be trusted; nothing where there is no error to judge by."""
    if reliability not in RELIABILITY:
        return SafeString("")
    return badge(*RELIABILITY[reliability])


@register.filter
def percent(measured: Any) -> str:
    """Write a measured share (P0, P1, P2) in per cent, without the sign."""
    return written(100 * measured.value, 2)
