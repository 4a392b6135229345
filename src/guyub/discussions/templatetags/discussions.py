"""The talk about a record, on any page: ``{% discussion record %}``."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import escape, linebreaks
from django.utils.safestring import SafeString, mark_safe

from guyub.discussions.subjects import place_of
from guyub.discussions.threads import thread_context

register = template.Library()


@register.simple_tag(takes_context=True)
def discussion(context: dict[str, Any], record: Any) -> str:
    """Draw what is said about ``record``; nothing for whom the record is not."""
    request = context["request"]
    place = place_of(record)
    if not place.readable_by(request.user):
        return ""
    return render_to_string("discussions/_thread.html", thread_context(request, place), request)


@register.filter
def said(text: str) -> SafeString:
    """Draw the text of a message: paragraphs, and mentions (``@name``) set apart."""
    marked = re.sub(r"(?<![\w@])@([\w.+-]*\w)", r'<b class="mention">@\1</b>', escape(text))
    return mark_safe(linebreaks(marked, autoescape=False))  # noqa: S308
