"""What a text of the interface is called in each language: for files that come back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import override


def in_every_language(text: Any) -> set[str]:
    """Return a lazy text in all languages: who fills a file may read another than who wrote it."""
    found = set()
    for code, _name in settings.LANGUAGES:
        with override(code):
            found.add(str(text))
    return found
