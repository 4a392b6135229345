"""Loading areas."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from django.db import transaction

from guyub.areas.models import Area, Level
from guyub.audit import services as audit

DATA = Path(__file__).parent / "data"
LEVELS = {1: Level.REGENCY, 2: Level.DISTRICT, 3: Level.VILLAGE}  # by number of dots


@cache
def national_district_codes() -> frozenset[str]:
    """Return the six-digit codes of all districts of Indonesia: how every NIK begins."""
    return frozenset((DATA / "district_codes.txt").read_text().split())


@transaction.atomic
def load_regency() -> int:
    """Create or rename Banyumas's areas from the vendored list; return how many there are.

    Running it again changes nothing.
    """
    with (DATA / "banyumas.csv").open(encoding="utf-8") as file:
        rows = [(row["code"], row["name"]) for row in csv.DictReader(file)]
    tiles = _tiles()
    known = {area.code: area for area in Area.objects.all()}
    changed = 0
    # Level by level, since an area points at the one above it.
    for dots, level in LEVELS.items():
        new = []
        for code, name in rows:
            if code.count(".") != dots:
                continue
            column, row_number = tiles.get(code, (None, None))
            values = {
                "name": name.title() if name.isupper() else name,
                "level": level,
                "parent": known.get(code.rpartition(".")[0]),
                "tile_column": column,
                "tile_row": row_number,
            }
            area = known.get(code)
            if area is None:
                known[code] = Area(code=code, **values)
                new.append(known[code])
            elif any(getattr(area, field) != value for field, value in values.items()):
                for field, value in values.items():
                    setattr(area, field, value)
                area.save()
                changed += 1
        changed += len(Area.objects.bulk_create(new))
    if changed:
        audit.record("areas.load", detail={"changed": changed, "total": len(rows)})
    return len(rows)


def _tiles() -> dict[str, tuple[int, int]]:
    """Return the tile map: district code to (column, row), from the top left corner."""
    path = DATA / "tiles.csv"
    with path.open(encoding="utf-8") as file:
        return {row["code"]: (int(row["column"]), int(row["row"])) for row in csv.DictReader(file)}
