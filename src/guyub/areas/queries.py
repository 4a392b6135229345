"""Reading areas."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from guyub.areas.models import Area, Level

SPELLING_CUTOFF = 0.75
# Old spellings that live on in names: Poerwokerto, Djatilawang, Tjilongok.
_OLD_SPELLING = (("oe", "u"), ("dj", "j"), ("tj", "c"))
_KINDS = re.compile(r"\b(?:kabupaten|kab|kecamatan|kec|desa|ds|kelurahan|kel)\b\.?")


@dataclass(frozen=True)
class District:
    """A district and how many villages of each kind it has."""

    area: Area
    rural: int  # desa
    urban: int  # kelurahan

    @property
    def villages(self) -> int:
        return self.rural + self.urban


def districts() -> list[District]:
    """Return the districts by code with the numbers of their villages. One query."""
    areas = list(Area.objects.filter(level__in=[Level.DISTRICT, Level.VILLAGE]))
    rural: Counter[int | None] = Counter()
    urban: Counter[int | None] = Counter()
    for area in areas:
        if area.level == Level.VILLAGE:
            (urban if area.is_urban_ward else rural)[area.parent_id] += 1
    return [
        District(area, rural[area.pk], urban[area.pk])
        for area in areas
        if area.level == Level.DISTRICT
    ]


def find(text: str, limit: int = 50) -> list[Area]:
    """Find areas by code or name, best first, forgiving spelling. One query.

    A code may come with or without dots and may be only its beginning. A name may come with its
    kind in front (*Desa Cirahab*), with or without spaces, in the old spelling or with a slip.
    """
    digits = re.sub(r"[.\s]", "", text)
    by_code = digits.isdigit()
    key = _key(text)
    if not by_code and not key:
        return []
    wanted_kind = _kind_asked(text)
    scored = []
    for area in Area.objects.select_related("parent"):
        if by_code:
            code = area.code.replace(".", "")
            score = 1.0 if code == digits else 0.9 if code.startswith(digits) else 0.0
        else:
            score = _nearness(key, _key(area.name))
            if wanted_kind and score and wanted_kind == _kind_of(area):
                score += 0.05
        if score:
            scored.append((score, area))
    scored.sort(key=lambda pair: (-pair[0], pair[1].level, pair[1].code))
    # With an exact hit at hand, mere resemblances are noise.
    if scored and scored[0][0] >= 1:
        scored = [pair for pair in scored if pair[0] >= SPELLING_CUTOFF + 0.1]
    return [area for _score, area in scored[:limit]]


def _nearness(asked: str, name: str) -> float:
    if asked == name:
        return 1.0
    if len(asked) >= 3 and name.startswith(asked):
        return 0.95
    if len(asked) >= 3 and asked in name:
        return 0.9
    if len(asked) < 4:
        return 0.0
    similarity = OSA.normalized_similarity(asked, name, score_cutoff=SPELLING_CUTOFF)
    return similarity * 0.9


def _key(text: str) -> str:
    """Return a name as it is compared: no kind, accents, spaces, old spelling."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = _KINDS.sub(" ", "".join(c for c in plain if not unicodedata.combining(c)))
    plain = re.sub(r"[^a-z]", "", plain)
    for old, new in _OLD_SPELLING:
        plain = plain.replace(old, new)
    return plain


def _kind_asked(text: str) -> str:
    found = re.search(r"\b(kec|kel|desa|ds)", text.casefold())
    return {"ds": "desa"}.get(found[1], found[1]) if found else ""


def _kind_of(area: Area) -> str:
    if area.level == Level.DISTRICT:
        return "kec"
    return "kel" if area.is_urban_ward else "desa" if area.level == Level.VILLAGE else ""
