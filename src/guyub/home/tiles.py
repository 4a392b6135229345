"""The pieces that first pages are made of: a number, and something that waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format


@dataclass(frozen=True)
class Tile:
    """A number at the head of a page. ``tone`` colours it: good, warn, bad or nothing."""

    number: Any
    label: str
    note: str = ""
    url: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Task:
    """Something that waits for the reader."""

    text: str
    note: str
    url: str
    icon: str = "clock"
    tone: str = "warn"


def grouped(number: int) -> str:
    """Write a number with its thousands apart."""
    return str(number_format(number, force_grouping=True))
