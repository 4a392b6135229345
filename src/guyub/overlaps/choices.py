"""What a page about overlap is asked for by its address: year, area, kind of help, finding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from guyub.areas.models import Area, Level
from guyub.overlaps import queries
from guyub.overlaps.definitions import COMPARED
from guyub.overlaps.models import OverlapCase, Reckoning
from guyub.overlaps.queries import FINDINGS, Finding, Narrowing
from guyub.overlaps.snapshot import Snapshot
from guyub.programs.vocabulary import HelpKind


@dataclass(frozen=True)
class Choices:
    """The address of a request, read forgivingly: what makes no sense is as if it were not there."""

    request: HttpRequest

    def _text(self, name: str) -> str:
        return str(self.request.GET.get(name, "")).strip()[:60]

    @cached_property
    def years(self) -> list[int]:
        return queries.years()

    @cached_property
    def year(self) -> int:
        text = self._text("tahun")
        asked = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else None
        return asked if asked in self.years else queries.usual_year(self.years)  # type: ignore[return-value]

    @cached_property
    def kind(self) -> str:
        text = self._text("bentuk")
        return text if text in COMPARED else ""

    @property
    def kinds(self) -> list[tuple[str, Any]]:
        return [(kind, HelpKind(kind).label) for kind in COMPARED]

    @property
    def kind_label(self) -> str:
        return str(HelpKind(self.kind).label) if self.kind else ""

    @cached_property
    def desil(self) -> tuple[int, ...]:
        found = {int(text) for text in self.request.GET.getlist("desil") if text in _RANKS}
        return tuple(sorted(found))

    @cached_property
    def areas(self) -> dict[str, Area]:
        """Every area by code; an address may name any."""
        return {area.code: area for area in Area.objects.select_related("parent")}

    @cached_property
    def area(self) -> Area | None:
        """The area asked for, else the user's own, else the regency; None before areas are loaded."""
        codes = (self._text("wilayah"), self.request.user.area_code, settings.REGENCY_CODE)  # type: ignore[union-attr]
        return next((self.areas[code] for code in codes if code in self.areas), None)

    @property
    def area_groups(self) -> list[tuple[str, list[Area]]]:
        """The areas to choose from: districts, and the villages of the district one is in."""
        if self.area is None:
            return []
        rows = sorted(self.areas.values(), key=lambda area: area.code)
        groups = [("", [area for area in rows if area.level != Level.VILLAGE])]
        district = self.area.parent if self.area.level == Level.VILLAGE else self.area
        if district is not None and district.level == Level.DISTRICT:
            villages = [area for area in rows if area.parent_id == district.pk]
            groups.append((district.title, villages))
        return groups

    @cached_property
    def finding(self) -> Finding:
        return FINDINGS.get(self._text("temuan"), queries.DOUBLED)

    @cached_property
    def case(self) -> OverlapCase | None:
        text = self._text("kasus")
        if not (text.isascii() and text.isdigit() and len(text) < 12):
            return None
        return OverlapCase.objects.filter(pk=int(text)).first()

    @cached_property
    def pair(self) -> tuple[int, int] | None:
        """Two sub-activities of the case, by ``pasangan=3-8``."""
        parts = self._text("pasangan").split("-")
        if self.case is None or len(parts) != 2:
            return None
        if not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
            return None
        pair = (int(parts[0]), int(parts[1]))
        inside = self.case.sub_activities.filter(pk__in=pair).count() == 2
        return pair if inside else None

    @property
    def narrowing(self) -> Narrowing:
        return Narrowing(self.finding, self.kind, self.desil, self.case, self.pair)

    @cached_property
    def reckoned(self) -> tuple[Reckoning, Snapshot] | None:
        return queries.reckoned(self.year)

    @property
    def reckoning(self) -> Reckoning | None:
        return self.reckoned[0] if self.reckoned else None


_RANKS = frozenset(str(n) for n in range(11))
