"""Reading rules, and the households and people that they match.

Whatever is matched is matched in the database; no household passes through Python to be judged.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from guyub.areas.models import Area, Level
from guyub.registry.models import Household, Person
from guyub.registry.queries import visible_to
from guyub.registry.restriction import open_households, open_people
from guyub.registry.vocabulary import Relation, Status
from guyub.targeting import meaning as m
from guyub.targeting.checking import Understood, understand
from guyub.targeting.models import Rule, RuleVersion
from guyub.targeting.translation import condition_on_households, condition_on_people

NOT_ACTIVE = [status for status in Status if status != Status.ACTIVE]

SAMPLE = 20
SHOWN_DISTRICTS = 10

Matcher = RuleVersion | Understood | str


def understood(rule: Matcher) -> Understood:
    """Return the meaning of a rule's version or text.

    Raises:
        RuleError: the text can't be understood.
    """
    if isinstance(rule, Understood):
        return rule
    return understand(rule.text if isinstance(rule, RuleVersion) else rule)


def households_matching(
    rule: Matcher, area: Area | None = None, on: dt.date | None = None
) -> QuerySet[Household]:
    """Return the households that ``rule`` is for, within ``area``, unordered.

    Ages are those of the day ``on``, today unless told otherwise. Only active households match, unless
    the rule itself asks for the status.

    Raises:
        RuleError: the text can't be understood.
    """
    meant = understood(rule)
    is_narrow = area is not None and area.level != Level.REGENCY
    households = Household.objects.filter(
        condition_on_households(meant.condition, on or timezone.localdate(), narrow=is_narrow)
    )
    if not meant.any_status:
        # Nearly all are active: an index on the status would only lead the database astray.
        households = households.exclude(status__in=NOT_ACTIVE)
    else:
        households = households.exclude(status__in=(Status.MERGED, Status.ERASED))
    if area is not None and area.level == Level.VILLAGE:
        households = households.filter(village=area)
    elif area is not None and area.level == Level.DISTRICT:
        households = households.filter(district=area)
    return open_households(households)


def people_matching(
    rule: Matcher, area: Area | None = None, on: dt.date | None = None
) -> QuerySet[Person]:
    """Return the people within the matched households whom ``rule`` is about, unordered.

    They are the active members who meet one of the conditions that the rule asks some member to meet
    (``members.exists``, ``exists_one`` or ``filter(…).size()``). A rule that asks for no such member is
    about the heads of its households.

    Raises:
        RuleError: the text can't be understood.
    """
    meant = understood(rule)
    day = on or timezone.localdate()
    wanted = [condition_on_people(part, day) for part in _asked_of_some(meant.condition)]
    people = Person.objects.filter(
        Q(*wanted, _connector=Q.OR) if wanted else Q(relation=Relation.HEAD),
        status=Status.ACTIVE,
        household__in=households_matching(meant, area, day),
    )
    return open_people(people)


def _asked_of_some(condition: m.Meaning) -> list[m.Condition]:
    """Return the conditions that some member must meet for ``condition`` to hold, negations apart."""
    if isinstance(condition, m.SomeMember):
        return [condition.condition]
    if isinstance(condition, m.Count):
        return [] if condition.condition == m.Always(True) else [condition.condition]
    if isinstance(condition, m.Not | m.EveryMember):
        return []
    return [found for part in condition.parts() for found in _asked_of_some(part)]


def per_district(
    rule: Matcher, area: Area | None = None, on: dt.date | None = None
) -> dict[int, int]:
    """Return how many households ``rule`` is for in each district, by the district's id. One query.

    Raises:
        RuleError: the text can't be understood.
    """
    counted = (
        households_matching(rule, area, on).order_by().values("district").annotate(n=Count("pk"))
    )
    return {row["district"]: row["n"] for row in counted}


@dataclass(frozen=True)
class Tally:
    """How many households a rule is for now: altogether, and by district in the order of codes."""

    total: int
    districts: tuple[tuple[Area, int], ...]

    @property
    def ranked(self) -> list[tuple[Area, int]]:
        """The districts that have any, the largest count first."""
        return sorted((pair for pair in self.districts if pair[1]), key=lambda pair: -pair[1])

    @property
    def largest(self) -> list[tuple[Area, int]]:
        return self.ranked[:SHOWN_DISTRICTS]

    @property
    def others(self) -> list[tuple[Area, int]]:
        return self.ranked[SHOWN_DISTRICTS:]

    @property
    def most(self) -> int:
        """The largest count of a district."""
        return max((n for _area, n in self.districts), default=0)


def tally(rule: Matcher) -> Tally:
    """Count the households that ``rule`` is for, by district. Two queries.

    Raises:
        RuleError: the text can't be understood.
    """
    return _tally(per_district(rule))


def _tally(counts: dict[int, int]) -> Tally:
    districts = Area.objects.filter(level=Level.DISTRICT)
    return Tally(sum(counts.values()), tuple((area, counts.get(area.pk, 0)) for area in districts))


def sample(user: Any, rule: Matcher, size: int = SAMPLE) -> list[Household]:
    """Return some of the households that ``rule`` is for and ``user`` may see, poorest first.

    Raises:
        RuleError: the text can't be understood.
    """
    meant = understood(rule)
    seen = visible_to(user)
    if not meant.any_status:
        seen = seen.filter(status=Status.ACTIVE)  # by which the index gives them in order
    return list(
        seen.filter(pk__in=households_matching(meant).values("pk")).order_by("desil", "pk")[:size]
    )


def rules(agency: str = "", text: str = "") -> QuerySet[Rule]:
    """Return rules with their agencies and newest versions, narrowed by agency code and words.

    Every word of ``text`` must stand in the name, the description or the agency's name.
    """
    rows = (
        Rule.objects.select_related("agency", "current_version")
        .annotate(uses=Count("sub_activities"))
        .order_by("name", "agency__name")
    )
    if agency:
        rows = rows.filter(agency__code=agency)
    for word in text.split()[:8]:
        rows = rows.filter(
            Q(name__icontains=word)
            | Q(description__icontains=word)
            | Q(agency__name__icontains=word)
            | Q(agency__short_name__icontains=word)
        )
    return rows


@dataclass(frozen=True)
class Change:
    """A version, and in words what is new and what is gone against the one before."""

    version: RuleVersion
    parts: tuple[tuple[str, str], ...]  # ("same" | "added" | "removed", text)
    difference: int | None  # in households; None for the first version


def history(rule: Rule, limit: int = 20) -> list[Change]:
    """Return the newest versions of ``rule``, each with its difference from the one before. One query."""
    versions = list(
        RuleVersion.objects.filter(rule=rule)
        .select_related("created_by")
        .order_by("-number")[: limit + 1]
    )
    changes = []
    for place, version in enumerate(versions[:limit]):
        before = versions[place + 1] if place + 1 < len(versions) else None
        changes.append(
            Change(
                version,
                tuple(_differences(before.text, version.text))
                if before is not None
                else (("same", version.text),),
                version.households - before.households if before is not None else None,
            )
        )
    return changes


_WORD = re.compile(r"\s+|[A-Za-z_][\w.]*|\d+|\"[^\"]*\"|'[^']*'|&&|\|\||[<>=!]=|.")


def _differences(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield the words of two texts: those they share, those that went and those that came."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    for kind, i, j, k, n in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", "".join(new[k:n])
            continue
        if j > i:
            yield "removed", "".join(old[i:j])
        if n > k:
            yield "added", "".join(new[k:n])


# A rule's page is opened far more often than the registry changes in what it counts.
KEPT_FOR = 60


def tally_of_version(version: RuleVersion) -> Tally:
    """Return the :func:`tally` of a version, counted anew when the last count is a minute old.

    Raises:
        RuleError: the text can't be understood.
    """
    key = f"targeting:tally:{version.pk}:{timezone.localdate():%Y%m%d}"
    counts = cache.get(key)
    if counts is None:
        counts = per_district(version)
        cache.set(key, counts, KEPT_FOR)
    return _tally(counts)
