"""Template tags that every app uses: icons, badges, masking, page links."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import QueryDict
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from guyub.access.permissions import can
from guyub.ui import panels as places

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw a symbol from the one icon file. Decorative: the text beside it carries the meaning."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("ui/icons.svg"),
        name,
    )


@register.simple_tag
def badge(text: Any, tone: str = "neutral") -> SafeString:
    """Draw a small label. ``tone`` is one of neutral, good, warn, bad, info."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


FRESHNESS_TONES = {"current": "good", "due": "warn", "stale": "bad", "empty": "neutral"}


@register.simple_tag
def freshness_badge(freshness: Any) -> SafeString:
    """Draw a :class:`guyub.datasets.models.Freshness` as a badge."""
    return badge(freshness.label, FRESHNESS_TONES[freshness.value])


@register.simple_tag(takes_context=True)
def query_with(context: dict[str, Any], **changes: Any) -> str:
    """Return the page's query string with ``changes`` made; ``None`` or empty removes a key."""
    query: QueryDict = context["request"].GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            query.pop(key, None)
        else:
            query[key] = str(value)
    return "?" + query.urlencode()


@register.simple_tag(takes_context=True)
def may(context: dict[str, Any], permission: str, obj: Any = None) -> bool:
    """Tell whether the signed-in user has ``permission`` (on ``obj``)."""
    return can(context["request"].user, permission, obj)


@register.filter
def get_item(mapping: dict[Any, Any], key: Any) -> Any:
    """Look ``key`` up in a dictionary."""
    return mapping.get(key)


@register.simple_tag(takes_context=True)
def panels(context: dict[str, Any], place: str, record: Any) -> SafeString:
    """Draw what other apps show about ``record`` at ``place`` (see :mod:`guyub.ui.panels`)."""
    request = context["request"]
    shown = (panel(request, record) for panel in places.at(place))
    return format_html_join(
        "",
        "{}",
        ((render_to_string(name, values, request),) for name, values in filter(None, shown)),
    )
