"""Reading agencies: the directory and its search."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rapidfuzz import process
from rapidfuzz.distance import OSA

from guyub.agencies.language import STOP_WORDS, stems, terms, words
from guyub.agencies.models import Agency

# How much a match in each part of an agency's entry says that the agency is the right one.
WEIGHTS = {"topic": 3.0, "name": 3.0, "function": 2.0, "duty": 1.5, "program": 1.5}
LABELS = {
    "topic": _("Urusan"),
    "name": _("Nama"),
    "function": _("Fungsi"),
    "duty": _("Tugas pokok"),
    "program": _("Program"),
}
# How near a word of an entry is to the word asked.
SAME, SYNONYM, SAME_STEM, MISSPELT, STEM_MISSPELT = 1.0, 0.95, 0.85, 0.75, 0.7
# Two words one slip apart in five letters are taken for the same.
SPELLING_CUTOFF = 0.8
# Matches weaker than this share of the best are noise.
WEAKEST_SHARE = 0.5
REASONS_SHOWN = 2
# A question longer than this is cut: nobody asks so long, and each word costs time.
LONGEST_QUESTION = 200


@dataclass(frozen=True)
class Reason:
    """A piece of an agency's entry that answers the question, cut at the words that matched."""

    label: Any
    parts: list[tuple[str, bool]]  # (text, matched)


@dataclass
class Match:
    agency: Agency
    score: float
    reasons: list[Reason] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What a question found, best first.

    ``corrections`` pairs misspelt words with what they were taken for; ``understood`` is false when
    the question held nothing to search for.
    """

    matches: list[Match]
    corrections: list[tuple[str, str]]
    understood: bool


def directory(include_inactive: bool = False) -> tuple[QuerySet[Agency], int | None]:
    """Return the agencies by name, active ones only unless asked, and the newest program year.

    Each has ``program_count``, its programs in that year, and ``dataset_count``. The year is
    ``None`` when there are no programs.
    """
    year = Agency.objects.aggregate(year=Max("programs__year"))["year"]
    agencies = Agency.objects.annotate(
        program_count=Count("programs", filter=Q(programs__year=year), distinct=True),
        dataset_count=Count("datasets", distinct=True),
    ).order_by("name")
    return (agencies if include_inactive else agencies.filter(is_active=True)), year


def with_everything(code: str) -> Agency | None:
    """Return an agency with its functions, programs and datasets at hand; ``None`` if unknown."""
    return (
        Agency.objects.filter(code=code)
        .prefetch_related("functions", "programs", "datasets__current_version")
        .first()
    )


def _pieces(agency: Agency) -> Iterable[tuple[str, str]]:
    """Yield ``(kind, text)`` of everything that a question can match."""
    yield "name", agency.name
    if agency.short_name:
        yield "name", agency.short_name
    yield "name", agency.code
    for topic in re.split(r"[,;\n]", agency.topics):
        if topic.strip():
            yield "topic", topic.strip()
    for function in agency.functions.all():
        yield "function", function.text
    if agency.duty:
        yield "duty", agency.duty
    for program in agency.programs.all():  # type: ignore[attr-defined]
        yield "program", program.name


def search(question: str) -> Answer:
    """Find the active agencies that a plain question is about ("siapa yang menangani perumahan?").

    Reads three queries, however many agencies there are; ranks in memory, which suits the hundred
    or so that a regency has.
    """
    asked = terms(question[:LONGEST_QUESTION])
    if not asked:
        return Answer([], [], understood=False)
    agencies = list(Agency.objects.filter(is_active=True).prefetch_related("functions", "programs"))
    entries = [
        [(kind, text, words(text)) for kind, text in dict.fromkeys(_pieces(agency))]
        for agency in agencies
    ]
    used_by: Counter[str] = Counter()
    for entry in entries:
        used_by.update({word for _kind, _text, piece in entry for word in piece})
    vocabulary = [word for word in used_by if word not in STOP_WORDS]

    corrections: list[tuple[str, str]] = []
    near: list[dict[str, float]] = []  # per term: word of the entries to how near it is
    for written, meant in asked:
        found = _near(written, meant, vocabulary)
        if not found:
            found = _misspelt(written, vocabulary)
            if found:
                corrections.append((written, next(iter(found))))
        near.append(found)

    own_name = set(words(settings.REGENCY_NAME))
    rarity = []
    for (written, _meant), found in zip(asked, near, strict=True):
        having = sum(any(w in found for _k, _t, piece in entry for w in piece) for entry in entries)
        weight = math.log(1 + len(agencies) / having) if having else 0.0
        # Every agency is of this regency: naming it hardly narrows the question.
        rarity.append(weight * (0.15 if written in own_name else 1.0))

    matches = []
    for agency, entry in zip(agencies, entries, strict=True):
        match = _judge(agency, entry, near, rarity, used_by)
        if match is not None:
            matches.append(match)
    matches.sort(key=lambda match: (-match.score, match.agency.name))
    if matches:
        weakest = matches[0].score * WEAKEST_SHARE
        matches = [match for match in matches if match.score >= weakest]
    return Answer(matches, corrections, understood=True)


def _near(written: str, meant: tuple[str, ...], vocabulary: list[str]) -> dict[str, float]:
    """Return the words of ``vocabulary`` that mean one of ``meant``, with how near each is."""
    wanted = frozenset().union(*(stems(word) for word in meant))
    found = {}
    for word in vocabulary:
        if word == written:
            found[word] = SAME
        elif word in meant:
            found[word] = SYNONYM
        elif not wanted.isdisjoint(stems(word)):
            found[word] = SAME_STEM
    return found


def _misspelt(written: str, vocabulary: list[str]) -> dict[str, float]:
    """Return the words that ``written`` may be a slip of, the likeliest first."""
    hits = process.extract(
        written,
        vocabulary,
        scorer=OSA.normalized_similarity,
        score_cutoff=SPELLING_CUTOFF,
        limit=3,
    )
    if not hits:
        return {}
    likeliest = hits[0][0]
    return {likeliest: MISSPELT} | {
        word: STEM_MISSPELT
        for word in vocabulary
        if word != likeliest and not stems(word).isdisjoint(stems(likeliest))
    }


def _judge(
    agency: Agency,
    entry: list[tuple[str, str, list[str]]],
    near: list[dict[str, float]],
    rarity: list[float],
    used_by: Counter[str],
) -> Match | None:
    """Score one agency; ``None`` when nothing matches.

    Each term counts by its rarity, by where it was found, and by how much of that piece the
    question covers: *rumah* is the whole of the topic "rumah" but only part of "rumah sakit".
    """
    best: list[dict[str, float]] = [
        {} for _term in near
    ]  # per term: kind of piece to its best worth
    reasons: list[tuple[float, str, str, set[str]]] = []
    for kind, text, piece in entry:
        content = [word for word in piece if word not in STOP_WORDS]
        hits = [
            max((found[word] for word in content if word in found), default=0.0) for found in near
        ]
        if not any(hits):
            continue
        marked = {word for word in content for found in near if word in found}
        importance = {word: 1 / used_by[word] ** 0.5 for word in content}
        covered = sum(importance[word] for word in marked) / sum(importance.values())
        worth = WEIGHTS[kind] * (0.4 + 0.6 * covered)
        for term, hit in enumerate(hits):
            if hit:
                best[term][kind] = max(best[term].get(kind, 0.0), worth * hit)
        total = worth * sum(hit * weight for hit, weight in zip(hits, rarity, strict=True))
        reasons.append((total, kind, text, marked))
    score = 0.0
    for kinds, weight in zip(best, rarity, strict=True):
        if kinds:
            highest = max(kinds.values())
            score += weight * (highest + 0.2 * (sum(kinds.values()) - highest))
    if score <= 0:
        return None
    answered = sum(weight for kinds, weight in zip(best, rarity, strict=True) if kinds)
    score *= math.sqrt(answered / sum(rarity))
    # One reason of each kind, so that a topic is backed by the function it stands for.
    shown: dict[str, Reason] = {}
    for _total, kind, text, marked in sorted(reasons, key=lambda reason: -reason[0]):
        if kind not in shown:
            shown[kind] = Reason(LABELS[kind], _cut(text, marked))
    return Match(agency, score, list(shown.values())[:REASONS_SHOWN])


def _cut(text: str, marked: set[str]) -> list[tuple[str, bool]]:
    """Cut ``text`` into pieces that are all matched words or all other text."""
    parts: list[tuple[str, bool]] = []
    for part in re.split(r"(\w+)", text):
        if not part:
            continue
        hit = not marked.isdisjoint(words(part))
        if parts and parts[-1][1] == hit:
            parts[-1] = (parts[-1][0] + part, hit)
        else:
            parts.append((part, hit))
    return parts
