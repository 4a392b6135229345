"""Writing values into a script that Django renders."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def js(value: Any) -> SafeString:
    """Return a value as JavaScript writes it. Only for scripts of their own, never within HTML."""
    return mark_safe(json.dumps(value))  # noqa: S308
