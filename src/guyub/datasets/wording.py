"""How the values that versions hold read in words; the registry, which owns the vocabularies, tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_decode: Callable[[str, Any], Any] = lambda column, value: value  # noqa: E731
_tell: Callable[[str, str], str] = lambda column, text: text  # noqa: E731


def register(decode: Callable[[str, Any], Any], tell: Callable[[str, str], str]) -> None:
    """Have ``decode(column, value)`` turn codes into labels, ``tell(column, text)`` text into words."""
    global _decode, _tell
    _decode, _tell = decode, tell


def decoded(column: str, value: Any) -> Any:
    """Return the label of a code; numbers, dates, truth values and free text as they are."""
    return _decode(column, value)


def in_words(column: str, text: str) -> str:
    """Return a value that was read as text the way pages show it."""
    return _tell(column, text)
