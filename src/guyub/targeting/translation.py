"""From a rule's meaning to a condition of the database, the same on SQLite and PostgreSQL.

SQL knows a third answer beside true and false, and negation would let it leak. So negations are carried
down to the single conditions first (:meth:`_Translation.no`), where the opposite of a comparison is
spelled out: the opposite comparison, or a value that is unknown. What remains has no ``NOT`` over
anything that can be null, and there null and false come to the same.

Values are always bound as parameters; no SQL is written here.

A condition on members can be asked household by household (``EXISTS``) or gathered once (``IN``). SQLite
does exactly as it is told, so it is told to gather unless few households are in question; PostgreSQL
turns ``EXISTS`` into whichever is faster, and handles it better under ``NOT``. The answer is the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from operator import add, mod, mul, sub, truediv
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import (
    Cast,
    Coalesce,
    Concat,
    Left,
    Length,
    NullIf,
    Replace,
    Right,
    StrIndex,
)
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from guyub.areas.models import Area
from guyub.registry.models import Person
from guyub.registry.vocabulary import Status
from guyub.targeting import meaning as m
from guyub.targeting.attributes import Attribute, Kind

OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
NEVER, EVER = Q(pk__in=[]), ~Q(pk__in=[])
# Kinds that the database marks unknown by an empty string.
_EMPTY_WHEN_UNKNOWN = (Kind.CODE, Kind.TEXT, Kind.CODES)


def condition_on_households(condition: m.Condition, on: dt.date, narrow: bool = False) -> Q:
    """Return ``condition`` as a filter of households; ages are those of the day ``on``.

    ``narrow`` tells that other filters leave few households to ask.
    """
    parts = condition.conditions if isinstance(condition, m.All) else (condition,)
    narrow = narrow or any(isinstance(p, m.AreaIn) and not p.negated for p in parts)
    gather = connection.vendor == "sqlite" and not narrow
    return _Translation(on, household=F, gather=gather).yes(condition)


def condition_on_people(condition: m.Condition, on: dt.date) -> Q:
    """Return a condition on members as a filter of people."""
    return _Translation(on, lambda name: F(f"household__{name}"), gather=False).yes(condition)


def born_by(age: int, on: dt.date) -> dt.date | None:
    """Return the last birth date at which someone has completed ``age`` years on the day ``on``.

    Whoever is born on 29 February has a birthday on 1 March of common years. ``None`` means before all
    dates; a date after all dates is cut to the last one.
    """
    year = on.year - age
    if year < dt.MINYEAR:
        return None
    if year > dt.MAXYEAR:
        return dt.date.max
    try:
        return on.replace(year=year)
    except ValueError:
        return dt.date(year, 2, 28)


def _big(value: int) -> Value:
    return Value(value, BigIntegerField())


def _compare(operator: str, left: Any, right: Any) -> Q:
    """Return a comparison of two expressions; unknown when either is null."""
    lookups: dict[str, Callable[[Any, Any], Any]] = {
        "<": LessThan,
        "<=": LessThanOrEqual,
        ">": GreaterThan,
        ">=": GreaterThanOrEqual,
        "==": Exact,
    }
    if operator == "!=":
        return Q(LessThan(left, right)) | Q(GreaterThan(left, right))
    return Q(lookups[operator](left, right))


@dataclass(frozen=True)
class _Translation:
    """``household`` makes the expression for a household's field, from where the condition stands.

    With ``gather``, households with certain members are gathered once instead of asked one by one.
    """

    on: dt.date
    household: Callable[[str], Any]
    gather: bool

    def yes(self, condition: m.Condition) -> Q:
        """Return a filter for where ``condition`` is true."""
        match condition:
            case m.All(parts):
                return Q(*map(self.yes, parts))
            case m.AnyOf(parts):
                return Q(*map(self.yes, parts), _connector=Q.OR)
            case m.Not(inner):
                return self.no(inner)
            case m.Either(asked, yes, no):
                return (self.yes(asked) & self.yes(yes)) | (self.no(asked) & self.yes(no))
            case _:
                return self._single(condition, True)

    def no(self, condition: m.Condition) -> Q:
        """Return a filter for where ``condition`` is false, unknown values included."""
        match condition:
            case m.All(parts):
                return Q(*map(self.no, parts), _connector=Q.OR)
            case m.AnyOf(parts):
                return Q(*map(self.no, parts))
            case m.Not(inner):
                return self.yes(inner)
            case m.Either(asked, yes, no):
                return (self.yes(asked) & self.no(yes)) | (self.no(asked) & self.no(no))
            case _:
                return self._single(condition, False)

    def _single(self, condition: m.Condition, wanted: bool) -> Q:
        match condition:
            case m.Always(value):
                return EVER if value is wanted else NEVER
            case m.Present(scope, attribute):
                return self._present(scope, attribute, wanted)
            case m.Compared(operator, left, right):
                return self._compared(operator, left, right, wanted)
            case m.NumberIn(number, values):
                return self._number_in(number, values, wanted)
            case m.CodeIn(scope, attribute, codes, negated):
                known = tuple(c for c in attribute.codes if (c in codes) is not negated)
                return self._one_of(scope, attribute, known, wanted)
            case m.AreaIn():
                return self._area_in(condition, wanted)
            case m.TextIs():
                return self._text_is(condition, wanted)
            case m.FlagIs(attribute, value):
                flag = self.household(attribute.field)
                found = Q(Exact(flag, Value(value, BooleanField())))
                if wanted:
                    return found
                other = Q(Exact(flag, Value(not value, BooleanField())))
                return other | Q(IsNull(flag, True))
            case m.DecimalCompared(attribute, operator, value):
                return self._known(operator, self.household(attribute.field), Value(value), wanted)
            case m.DateCompared(attribute, operator, date):
                return self._known(operator, F(attribute.field), Value(date), wanted)
            case m.HasCode(attribute, code):
                listed = Concat(
                    Value(","),
                    self.household(attribute.field),
                    Value(","),
                    output_field=CharField(),
                )
                place = StrIndex(listed, Value(f",{code},"))
                return _compare(">" if wanted else "==", place, Value(0))
            case m.SomeMember(inner, any_status):
                found_some = self._some_member(inner, any_status)
                return found_some if wanted else ~found_some
            case m.EveryMember(inner, any_status):
                found_other = self._some_member(m.negated(inner), any_status)
                return ~found_other if wanted else found_other
        raise AssertionError(condition)

    # Values of records

    def _field(self, scope: m.Scope, attribute: Attribute) -> Any:
        return F(attribute.field) if scope is m.Scope.MEMBER else self.household(attribute.field)

    def _present(self, scope: m.Scope, attribute: Attribute, wanted: bool) -> Q:
        if attribute.always_known:
            return EVER if wanted else NEVER
        value = self._field(scope, attribute)
        if attribute.kind in _EMPTY_WHEN_UNKNOWN:
            empty = Q(Exact(value, Value("")))
            return ~empty if wanted else empty
        return Q(IsNull(value, not wanted))

    def _one_of(
        self, scope: m.Scope, attribute: Attribute, codes: tuple[str, ...], wanted: bool
    ) -> Q:
        """An empty code is unknown and so in neither list; codes are never null."""
        if not codes:
            return NEVER if wanted else EVER
        value = self._field(scope, attribute)
        found = Q(Exact(value, codes[0])) if len(codes) == 1 else Q(In(value, list(codes)))
        return found if wanted else ~found

    def _area_in(self, condition: m.AreaIn, wanted: bool) -> Q:
        """Areas are looked up first, so that the index on their ids serves."""
        areas = Area.objects.all()
        if condition.prefix:
            areas = areas.filter(code__startswith=condition.codes[0])
        else:
            areas = areas.filter(code__in=condition.codes)
        ids = list(areas.order_by("code").values_list("id", flat=True))
        if not ids:
            return NEVER if wanted is not condition.negated else EVER
        found = Q(In(self.household(f"{condition.attribute.field}_id"), ids))
        return found if wanted is not condition.negated else ~found

    def _text_is(self, condition: m.TextIs, wanted: bool) -> Q:
        """Texts are compared letter by letter on both databases, never by LIKE or its rules on case."""
        value = self.household(condition.attribute.field)
        known = ~Q(Exact(value, Value("")))
        texts = [Value(text) for text in condition.values]
        match condition.how:
            case "equals" | "differs":
                found = Q(In(value, texts))
            case "starts":
                found = Q(Exact(Left(value, len(condition.values[0])), texts[0]))
            case "ends":
                found = Q(Exact(Right(value, len(condition.values[0])), texts[0]))
            case _:
                found = Q(GreaterThan(StrIndex(value, texts[0]), Value(0)))
        if condition.how == "differs":
            found = ~found
        return known & found if wanted else ~known | ~found

    # Numbers

    def _known(self, operator: str, left: Any, right: Any, wanted: bool) -> Q:
        """Compare ``left``, which may be null, with ``right``, which is not."""
        if wanted:
            return _compare(operator, left, right)
        return _compare(OPPOSITE[operator], left, right) | Q(IsNull(left, True))

    def _compared(self, operator: str, left: m.Number, right: m.Number, wanted: bool) -> Q:
        if isinstance(left, m.Age):
            assert isinstance(right, m.Constant)
            return self._aged(left.attribute, operator, right.value, wanted)
        if isinstance(left, m.Constant) and isinstance(right, m.Constant):
            holds = _holds(operator, left.value, right.value)
            return EVER if holds is wanted else NEVER
        counted = self._counted(operator, left, right, wanted)
        if counted is not None:
            return counted
        if isinstance(left, m.Value) and isinstance(right, m.Constant):
            return self._plain(operator, left.attribute, right.value, wanted)
        if isinstance(right, m.Value) and isinstance(left, m.Constant):
            flipped = FLIPPED.get(operator, operator)
            return self._plain(flipped, right.attribute, left.value, wanted)
        one, other = self.number(left), self.number(right)
        if wanted:
            return _compare(operator, one, other)
        unknown = Q(IsNull(one, True)) | Q(IsNull(other, True))
        return _compare(OPPOSITE[operator], one, other) | unknown

    def _plain(self, operator: str, attribute: Attribute, value: int, wanted: bool) -> Q:
        """Compare a field with a constant, so that an index can serve."""
        field = self.household(attribute.field)
        if abs(value) > attribute.maximum:
            # Beyond what the column can hold: the database could not even read the number.
            holds = _holds(operator, 0, value)
            return (
                self._present(m.Scope.HOUSEHOLD, attribute, wanted)
                if holds
                else (NEVER if wanted else EVER)
            )
        return self._known(operator, field, Value(value), wanted)

    def _counted(self, operator: str, left: m.Number, right: m.Number, wanted: bool) -> Q | None:
        """Compare how many members there are with a constant, without counting where that serves."""
        if isinstance(left, m.Constant) and isinstance(right, m.Count):
            left, operator, right = right, FLIPPED.get(operator, operator), left
        if not isinstance(left, m.Count) or not isinstance(right, m.Constant):
            return None
        operator = operator if wanted else OPPOSITE[operator]
        if (operator, right.value) in ((">", 0), (">=", 1), ("!=", 0)):
            return self._some_member(left.condition, left.any_status)
        if (operator, right.value) in (("==", 0), ("<", 1), ("<=", 0)):
            return ~self._some_member(left.condition, left.any_status)
        # Households that have no such member are in no group that is counted, so only comparisons
        # that leave them out can be gathered; the others are the rest of those.
        positive = not _holds(operator, 0, right.value)
        if not self._gathers(left.condition) and not (positive and not _reads_household(left)):
            return None
        asked = operator if positive else OPPOSITE[operator]
        groups = (
            self._people(left.condition, left.any_status)
            .order_by()
            .values("household_id")
            .annotate(n=Count("pk"))
            .filter(_compare(asked, F("n"), _big(right.value)))
            .values("household_id")
        )
        found = Q(In(F("pk"), groups))
        return found if positive else ~found

    def _number_in(self, number: m.Number, values: tuple[int, ...], wanted: bool) -> Q:
        if isinstance(number, m.Value) and all(abs(v) <= number.attribute.maximum for v in values):
            field = self.household(number.attribute.field)
            found = Q(In(field, list(values)))
            return found if wanted else ~found | Q(IsNull(field, True))
        tests = [self._compared("==", number, m.Constant(v), wanted) for v in dict.fromkeys(values)]
        return Q(*tests, _connector=Q.OR if wanted else Q.AND)

    def _aged(self, attribute: Attribute, operator: str, age: int, wanted: bool) -> Q:
        """Compare an age by comparing birth dates: ``age >= n`` is being born by a certain day."""
        born = F(attribute.field)

        def at_least(years: int) -> Q | None:
            day = born_by(years, self.on)
            return None if day is None else Q(LessThanOrEqual(born, Value(day)))

        def less_than(years: int) -> Q:
            day = born_by(years, self.on)
            return Q(IsNull(born, False)) if day is None else Q(GreaterThan(born, Value(day)))

        if not wanted:
            return self._aged(attribute, OPPOSITE[operator], age, True) | Q(IsNull(born, True))
        match operator:
            case ">=":
                return at_least(age) or NEVER
            case ">":
                return at_least(age + 1) or NEVER
            case "<":
                return less_than(age)
            case "<=":
                return less_than(age + 1)
            case "==":
                return (at_least(age) or NEVER) & less_than(age + 1)
            case _:
                return less_than(age) | (at_least(age + 1) or NEVER)

    def number(self, number: m.Number) -> Any:
        """Return ``number`` as a 64-bit expression; null where unknown or divided by zero."""
        match number:
            case m.Constant(value):
                return _big(value)
            case m.Value(attribute):
                return Cast(self.household(attribute.field), BigIntegerField())
            case m.Count(condition, any_status):
                counted = (
                    self._members(condition, any_status)
                    .order_by()
                    .values("household")
                    .annotate(n=Count("pk"))
                    .values("n")
                )
                return Coalesce(
                    Subquery(counted, output_field=BigIntegerField()),
                    _big(0),
                    output_field=BigIntegerField(),
                )
            case m.CountOfCodes(attribute):
                field = self.household(attribute.field)
                commas = Length(field) - Length(Replace(field, Value(","), Value("")))
                counted_codes = Case(
                    When(Exact(field, Value("")), then=Value(0)),
                    default=commas + Value(1),
                    output_field=IntegerField(),
                )
                return Cast(counted_codes, BigIntegerField())
            case m.Arithmetic(operator, left, right):
                one, other = self.number(left), self.number(right)
                if operator in "/%":
                    other = NullIf(other, _big(0), output_field=BigIntegerField())
                calculate = {"+": add, "-": sub, "*": mul, "/": truediv, "%": mod}[operator]
                return ExpressionWrapper(calculate(one, other), output_field=BigIntegerField())
        raise AssertionError(number)

    # Members

    def _some_member(self, condition: m.Condition, any_status: bool) -> Q:
        if self._gathers(condition):
            people = self._people(condition, any_status)
            return Q(In(F("pk"), people.values("household_id")))
        return Q(Exists(self._members(condition, any_status)))

    def _gathers(self, condition: m.Condition) -> bool:
        return self.gather and not _reads_household(condition)

    def _members(self, condition: m.Condition, any_status: bool) -> Any:
        """Return the members of the household in question that meet ``condition``."""
        return self._people(condition, any_status).filter(household=OuterRef("pk"))

    def _people(self, condition: m.Condition, any_status: bool) -> Any:
        """Return all people that meet ``condition``."""
        inner = _Translation(self.on, OuterRef, gather=False)
        people = Person.objects.filter(inner.yes(condition))
        return people if any_status else people.filter(status=Status.ACTIVE)


def _reads_household(condition: m.Meaning) -> bool:
    """Tell whether a condition on members also asks for something of their household."""
    for part in condition.walk():
        if isinstance(part, m.CodeIn | m.Present):
            if part.scope is m.Scope.HOUSEHOLD:
                return True
        elif isinstance(part, _OF_HOUSEHOLDS):
            return True
    return False


_OF_HOUSEHOLDS = (
    m.Value, m.CountOfCodes, m.AreaIn, m.TextIs, m.FlagIs, m.DecimalCompared, m.HasCode
)  # fmt: skip


def _holds(operator: str, left: int, right: int) -> bool:
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }[operator]
