"""Draw the icons of the field app from the shapes of ``ui/mark.svg``.

Run ``uv run python scripts/draw_icons.py`` after changing the mark. The result is committed.
"""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image, ImageDraw

SOURCE = Path(__file__).resolve().parent.parent / "src" / "guyub"
MARK = SOURCE / "ui" / "static" / "ui" / "mark.svg"
TARGET = SOURCE / "fieldwork" / "static" / "fieldwork"
CANVAS = 32  # units of the mark
SHARE = 0.72  # of the icon; the rest is margin, which some phones cut off in a circle
FINER = 4  # drawn so many times larger, then made smaller
CIRCLE = re.compile(
    r'<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)" fill="#(\w{6})"(?: fill-opacity="([\d.]+)")?'
)


def draw(size: int) -> Image.Image:
    """Return the mark on white, ``size`` pixels wide and high."""
    edge = size * FINER
    unit = edge * SHARE / CANVAS
    middle = edge * (1 - SHARE) / 2
    icon = Image.new("RGBA", (edge, edge), "white")
    for x, y, radius, colour, opacity in CIRCLE.findall(MARK.read_text()):
        layer = Image.new("RGBA", (edge, edge))
        centre = (middle + float(x) * unit, middle + float(y) * unit)
        alpha = round(255 * float(opacity or 1))
        fill = (*bytes.fromhex(colour), alpha)
        ImageDraw.Draw(layer).circle(centre, float(radius) * unit, fill=fill)
        icon.alpha_composite(layer)
    return icon.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    for size in (192, 512):
        draw(size).save(TARGET / f"icon-{size}.png", optimize=True)
