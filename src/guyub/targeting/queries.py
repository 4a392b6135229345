"""Reading rules, and the households and people that they match.

Whatever is matched is matched in the database; no household passes through Python to be judged.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils import timezone

from guyub.areas.models import Area, Level
from guyub.registry.models import Household, Person
from guyub.registry.vocabulary import Relation, Status
from guyub.targeting import meaning as m
from guyub.targeting.checking import Understood, understand
from guyub.targeting.models import RuleVersion
from guyub.targeting.translation import condition_on_households, condition_on_people

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
    households = Household.objects.filter(
        condition_on_households(meant.condition, on or timezone.localdate())
    )
    if not meant.any_status:
        households = households.filter(status=Status.ACTIVE)
    if area is not None and area.level == Level.VILLAGE:
        households = households.filter(village=area)
    elif area is not None and area.level == Level.DISTRICT:
        households = households.filter(district=area)
    return households


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
    return people


def _asked_of_some(condition: m.Meaning) -> list[m.Condition]:
    """Return the conditions that some member must meet for ``condition`` to hold, negations apart."""
    if isinstance(condition, m.SomeMember):
        return [condition.condition]
    if isinstance(condition, m.Count):
        return [] if condition.condition == m.Always(True) else [condition.condition]
    if isinstance(condition, m.Not | m.EveryMember):
        return []
    return [found for part in condition.parts() for found in _asked_of_some(part)]
