"""The tile map: every district one square near its true place, coloured by what the reader chose.

No free boundary data of the districts comes in a package, and squares of one size have an advantage of
their own: a small crowded district is as easy to see and to touch as a large empty one.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from guyub.areas.models import Area
from guyub.registry.measures import Choice, Tally, total
from guyub.ui.charts import Chart, tile_map

CLASSES = 5
DARK_FROM = 4  # the palette's steps from here on want white letters


@dataclass(frozen=True)
class Tile:
    """One district on the map. ``step`` is its colour, 1 to 5; 0 when there is no value."""

    area: Area
    value: float | None
    figure: str
    step: int
    url: str = ""

    @property
    def name(self) -> str:
        """The name with soft hyphens where it may break, for narrow screens."""
        return " ".join(hyphenated(word) for word in self.area.name.split())

    @property
    def is_dark(self) -> bool:
        return self.step >= DARK_FROM


@dataclass(frozen=True)
class Map:
    """Tiles, and the legend: the words of each colour, by step from 1."""

    choice: Choice
    tiles: Sequence[Tile]
    legend: Sequence[tuple[int, str]]
    columns: int
    rows: int

    @property
    def ranked(self) -> list[Tile]:
        """The tiles from most to least, for the table."""
        return sorted(self.tiles, key=lambda t: (-(t.value or 0), t.area.name))

    def chart(self, key: str, title: str) -> Chart:
        """Return the same map as a chart for files."""
        words = dict(self.legend)
        return tile_map(
            key,
            title,
            [
                {
                    "label": tile.area.name,
                    "column": tile.area.tile_column,
                    "row": tile.area.tile_row,
                    "figure": tile.figure,
                    "class": words.get(tile.step, ""),
                    "dark": tile.is_dark,
                }
                for tile in self.tiles
            ],
            [words[step] for step, _words in self.legend],
            area=_("Kecamatan"),
            legend=self.choice.label,
        )


_VOWEL = "aiueo"
# Two letters that are one sound are never parted.
_CONSONANT = "(?:ng|ny|kh|sy|(?!ng|ny|kh|sy)[bcdfghjklmnpqrstvwxyz])"
_BREAK = re.compile(rf"(?<=[{_VOWEL}])({_CONSONANT}?)(?={_CONSONANT}[{_VOWEL}])", re.IGNORECASE)


def hyphenated(word: str) -> str:
    """Put soft hyphens between the syllables of an Indonesian word, none near its ends.

    Browsers have no hyphenation for Indonesian, and its syllables are regular: each has one
    vowel and begins with at most one consonant.
    """
    marked = _BREAK.sub("\\1\u00ad", word)
    parts = marked.split("\u00ad")
    # A break after one or two letters helps nobody.
    while len(parts) > 1 and len(parts[0]) < 3:
        parts[:2] = [parts[0] + parts[1]]
    while len(parts) > 1 and len(parts[-1]) < 3:
        parts[-2:] = [parts[-2] + parts[-1]]
    return "\u00ad".join(parts)


def class_bounds(values: Sequence[float], grain: float) -> list[float]:
    """Return the lower bounds of up to five classes of equal, round width that hold ``values``.

    With one bound more for the end: ``[0, 500, 1000]`` are two classes. ``grain`` is what the values
    are multiples of, and so the least width.
    """
    if not values:
        return []
    low, high = min(values), max(values)
    width = max((high - low) / CLASSES, grain)
    scale = 10 ** math.floor(math.log10(width) + 1e-9)
    for nice in (1, 2, 2.5, 5, 10, 20, 25, 50):
        step = nice * scale
        if abs(step / grain - round(step / grain)) > 1e-6:
            continue
        start = math.floor(low / step + 1e-9) * step
        count = math.floor((high - start) / step + 1e-9) + 1
        if step >= width * 0.99 and count <= CLASSES:
            return [start + step * index for index in range(count + 1)]
    raise AssertionError("a step of fifty widths holds every value")  # pragma: no cover


def build_map(
    districts: Sequence[Area],
    tallies: Mapping[int, Tally],
    choice: Choice,
    url_of: Callable[[Area], str] = lambda area: "",
) -> Map:
    """Lay out the map of ``districts``; ``tallies`` are theirs, by id."""
    whole = total({d.pk: tallies[d.pk] for d in districts if d.pk in tallies})
    found: list[tuple[Area, float | None, str]] = []
    for area in districts:
        if area.tile_column is None or area.tile_row is None:
            continue
        tally = tallies.get(area.pk, Tally())
        count, base = choice.count(tally), choice.base(tally, whole)
        found.append((area, *_value(count, base, choice.is_share)))
    known = [value for _area, value, _figure in found if value is not None]
    bounds = class_bounds(known, grain=0.1 if choice.is_share else 1)
    tiles = [
        Tile(area, value, figure, step_of(value, bounds), url_of(area))
        for area, value, figure in found
    ]
    return Map(
        choice=choice,
        tiles=tiles,
        legend=legend_of(bounds, choice.is_share),
        columns=max((tile.area.tile_column or 0 for tile in tiles), default=0) + 1,
        rows=max((tile.area.tile_row or 0 for tile in tiles), default=0) + 1,
    )


def _value(count: int, base: int, share: bool) -> tuple[float | None, str]:
    if not share:
        return count, number_format(count, force_grouping=True)
    if not base:
        return None, "–"
    percent = round(min(100.0, 100 * count / base), 1)
    return percent, percent_text(percent)


def percent_text(percent: float) -> str:
    """Write a percentage with one decimal: ``12,3 %``."""
    return f"{number_format(percent, 1)} %"


def step_of(value: float | None, bounds: Sequence[float]) -> int:
    """Return the colour of ``value`` among classes with ``bounds``, from 1; 0 when there is no value."""
    if value is None or not bounds:
        return 0
    return max(index + 1 for index, bound in enumerate(bounds[:-1]) if value >= bound - 1e-9)


def legend_of(bounds: Sequence[float], share: bool) -> list[tuple[int, str]]:
    """Write out the classes. A class ends with the last value that can be in it."""
    rows = []
    for step, (start, end) in enumerate(itertools.pairwise(bounds), 1):
        if share:
            text = f"{number_format(start, 1)}–{number_format(min(end - 0.1, 100), 1)} %"
        elif end - start == 1:
            text = number_format(int(start), force_grouping=True)
        else:
            first, last = int(start), int(end) - 1
            text = "–".join(number_format(n, force_grouping=True) for n in (first, last))
        rows.append((step, text))
    return rows
