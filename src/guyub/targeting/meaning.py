"""What a rule means once its text is understood: conditions on values, each either true or false.

A value may be unknown. A condition that reads an unknown value is false, as is one that divides by
zero; ``Present`` tells whether a value is known. From there on logic has two values only: ``Not`` of a
condition about an unknown value is true. In CEL's own terms every comparison is guarded by ``has()`` of
all it reads.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass, fields

from guyub.targeting.attributes import Attribute


class Scope(enum.Enum):
    """Whose value an attribute's is."""

    HOUSEHOLD = "household"
    MEMBER = "member"


@dataclass(frozen=True)
class Meaning:
    """A condition or a number."""

    def parts(self) -> Iterator[Meaning]:
        """Yield the conditions and numbers that this one is made of."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Meaning):
                yield value
            elif isinstance(value, tuple):
                yield from (part for part in value if isinstance(part, Meaning))

    def walk(self) -> Iterator[Meaning]:
        """Yield this and all below it."""
        yield self
        for part in self.parts():
            yield from part.walk()


# Numbers


@dataclass(frozen=True)
class Number(Meaning):
    pass


@dataclass(frozen=True)
class Constant(Number):
    value: int


@dataclass(frozen=True)
class Value(Number):
    """A number that a household has."""

    attribute: Attribute


@dataclass(frozen=True)
class Age(Number):
    """Years that the member has completed. Compared only with constants."""

    attribute: Attribute


@dataclass(frozen=True)
class Arithmetic(Number):
    operator: str  # + - * / %
    left: Number
    right: Number


@dataclass(frozen=True)
class Count(Number):
    """How many members there are, or meet ``condition``; not ``any_status`` means active ones."""

    condition: Condition
    any_status: bool


@dataclass(frozen=True)
class CountOfCodes(Number):
    """How many codes a list attribute has."""

    attribute: Attribute


# Conditions


@dataclass(frozen=True)
class Condition(Meaning):
    pass


@dataclass(frozen=True)
class Always(Condition):
    value: bool


@dataclass(frozen=True)
class All(Condition):
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf(Condition):
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not(Condition):
    condition: Condition


@dataclass(frozen=True)
class Either(Condition):
    """``yes`` where ``condition`` holds, elsewhere ``no``."""

    condition: Condition
    yes: Condition
    no: Condition


@dataclass(frozen=True)
class Compared(Condition):
    operator: str  # < <= == != >= >
    left: Number
    right: Number


@dataclass(frozen=True)
class NumberIn(Condition):
    number: Number
    values: tuple[int, ...]


@dataclass(frozen=True)
class CodeIn(Condition):
    """A coded value is one of ``codes``; with ``negated``, it is known and none of them."""

    scope: Scope
    attribute: Attribute
    codes: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class AreaIn(Condition):
    """The household lies in one of the areas; ``prefix`` asks for codes that begin so."""

    attribute: Attribute
    codes: tuple[str, ...]
    negated: bool = False
    prefix: bool = False


@dataclass(frozen=True)
class TextIs(Condition):
    """``how`` is one of equals, differs, starts, ends, contains; for the last three one value."""

    attribute: Attribute
    how: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class FlagIs(Condition):
    attribute: Attribute
    value: bool


@dataclass(frozen=True)
class DecimalCompared(Condition):
    attribute: Attribute
    operator: str
    value: float


@dataclass(frozen=True)
class DateCompared(Condition):
    attribute: Attribute
    operator: str
    value: dt.date


@dataclass(frozen=True)
class HasCode(Condition):
    """A list attribute holds ``code``."""

    attribute: Attribute
    code: str


@dataclass(frozen=True)
class Present(Condition):
    """The value is known."""

    scope: Scope
    attribute: Attribute


@dataclass(frozen=True)
class SomeMember(Condition):
    """At least one member meets ``condition``."""

    condition: Condition
    any_status: bool


@dataclass(frozen=True)
class EveryMember(Condition):
    """No member fails ``condition``; true of a household without members."""

    condition: Condition
    any_status: bool


def negated(condition: Condition) -> Condition:
    """Return the opposite of ``condition``, without two negations on end."""
    if isinstance(condition, Not):
        return condition.condition
    if isinstance(condition, Always):
        return Always(not condition.value)
    return Not(condition)
