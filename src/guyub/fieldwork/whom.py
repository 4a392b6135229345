"""Whom a submission from outside is about: a household by its numbers, a village by its code.

A form names them in the column ``guyub``. Households that the person loading may not see, or whose data
are restricted, are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from guyub.access.permissions import can
from guyub.areas.models import Area, Level
from guyub.fieldwork.definition import Answers, Definition
from guyub.fieldwork.models import Round, Visit
from guyub.fieldwork.vocabulary import VisitState
from guyub.registry.models import Household, Person
from guyub.registry.restriction import open_households

KK, NIK, VILLAGE = "household.kk", "household.nik", "area.village"
FIELDS = (KK, NIK, VILLAGE)


@dataclass(frozen=True)
class Whom:
    """What was found; ``sought`` is whether the answers named a household at all."""

    household: Household | None = None
    visit: Visit | None = None
    village: Area | None = None
    sought: bool = False


def _said(definition: Definition, answers: Answers, name: str) -> Iterator[str]:
    for item in definition.questions:
        if item.field == name and not definition.repeats[item.path]:
            value = answers.get(item.path)
            if value not in (None, "", []):
                yield str(value).strip()


def find(definition: Definition, answers: Answers, *, actor: Any, round: Round | None) -> Whom:
    """Return whom answers are about, and the visit of ``round`` that they belong to."""
    numbers = {
        name: [re.sub(r"\D", "", text) for text in _said(definition, answers, name)]
        for name in (KK, NIK)
    }
    homes = open_households(
        Household.objects.filter(merged_into=None).select_related("village__parent")
    )
    household = None
    for number in filter(_is_number, numbers[KK]):
        household = household or homes.filter(kk=number).first()
    for number in filter(_is_number, numbers[NIK]):
        if household is None:
            person = Person.objects.filter(nik=number).first()
            if person is not None:
                household = homes.filter(pk=person.household_id).first()
    # A token for submissions alone links them without being let into the registry.
    is_let_in = getattr(actor, "is_service", False) or (
        household is not None and can(actor, "registry.view", household)
    )
    if not is_let_in:
        household = None
    visit = None
    if round is not None and household is not None:
        visit = round.visits.filter(household=household).exclude(state=VisitState.CANCELLED).first()
    return Whom(household, visit, _village(definition, answers), bool(numbers[KK] or numbers[NIK]))


def _is_number(text: str) -> bool:
    return len(text) == 16


def _village(definition: Definition, answers: Answers) -> Area | None:
    for code in _said(definition, answers, VILLAGE):
        found = Area.objects.filter(code=code, level=Level.VILLAGE).first()
        if found is not None:
            return found
    return None
