"""Random rules for property tests, each with two judges that know nothing of the translation to SQL.

A :class:`Piece` is a part of a rule in three forms: the text that a user would write; the same in plain
CEL with every read guarded by ``has()``, for Google's own CEL evaluator; and a Python function.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from guyub.targeting.attributes import HOUSEHOLD_ATTRIBUTES, MEMBER_ATTRIBUTES, Kind

# A household as {"attribute": value} with only what is known, and "members" as the same.
Known = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Piece:
    text: str
    judged: str  # the condition in plain CEL, or for a number the number
    value: Callable[[Known, Known], Any]  # None: unknown
    guards: tuple[str, ...] = ()
    household_status: bool = False
    member_status: bool = False

    def __repr__(self) -> str:
        return self.text


def _flags(*pieces: Piece) -> dict[str, bool]:
    return {
        "household_status": any(p.household_status for p in pieces),
        "member_status": any(p.member_status for p in pieces),
    }


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
}


def towards_zero(a: int, b: int) -> int:
    return int(abs(a) // abs(b)) * (1 if (a >= 0) == (b >= 0) else -1)


CALCULATE: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": towards_zero,
    "%": lambda a, b: a - towards_zero(a, b) * b,
}


def guarded(guards: tuple[str, ...], condition: str) -> str:
    return "(" + " && ".join([*dict.fromkeys(guards), condition]) + ")"


def named(name: str, member: bool) -> tuple[str, str, tuple[str, ...]]:
    """Return how the rule and the judge write an attribute, and the guard of reading it."""
    if member:
        return f"m.{name}", f"m.{name}", (f"has(m.{name})",)
    return name, f"household.{name}", (f"has(household.{name})",)


def read(name: str, member: bool) -> Callable[[Known, Known], Any]:
    return lambda home, person: (person if member else home).get(name)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# Numbers


constants = st.one_of(
    st.integers(-3, 12), st.sampled_from([500_000, 2_000_000, 40_000, 10**10, -(10**12)])
).map(lambda n: Piece(str(n) if n >= 0 else f"({n})", f"({n})", lambda home, person: n))


@st.composite
def number_attributes(draw: Any) -> Piece:
    text, judged, guards = named(
        draw(st.sampled_from(["desil", "member_count", "expenditure"])), False
    )
    return Piece(text, judged, read(text, False), guards)


def arithmetic(numbers: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    def build(operator: str, left: Piece, right: Piece) -> Piece:
        def value(home: Known, person: Known) -> Any:
            a, b = left.value(home, person), right.value(home, person)
            if a is None or b is None or (operator in "/%" and b == 0):
                return None
            return CALCULATE[operator](a, b)

        guards = (*left.guards, *right.guards)
        if operator in "/%":
            guards += (f"({right.judged} != 0)",)
        return Piece(
            f"({left.text} {operator} {right.text})",
            f"({left.judged} {operator} {right.judged})",
            value,
            guards,
            **_flags(left, right),
        )

    return st.builds(build, st.sampled_from("+-*/%"), numbers, numbers)


def counts(conditions: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    def build(condition: Piece) -> Piece:
        return Piece(
            f"members.filter(m, {condition.text}).size()",
            f"{judged_members(condition)}.filter(m, {condition.judged}).size()",
            lambda home, person: sum(
                bool(condition.value(home, p)) for p in members_of(home, condition)
            ),
            household_status=condition.household_status,
        )

    return st.builds(build, conditions)


def judged_members(condition: Piece) -> str:
    return "members" if condition.member_status else 'members.filter(m, m.status == "active")'


def members_of(home: Known, condition: Piece) -> list[Known]:
    people = home["members"]
    if condition.member_status:
        return people
    return [person for person in people if person["status"] == "active"]


# Conditions on values


def comparison(numbers: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    def build(operator: str, left: Piece, right: Piece) -> Piece:
        def value(home: Known, person: Known) -> bool:
            a, b = left.value(home, person), right.value(home, person)
            return a is not None and b is not None and COMPARE[operator](a, b)

        return Piece(
            f"{left.text} {operator} {right.text}",
            guarded((*left.guards, *right.guards), f"{left.judged} {operator} {right.judged}"),
            value,
            **_flags(left, right),
        )

    return st.builds(build, st.sampled_from(list(COMPARE)), numbers, numbers)


@st.composite
def number_in(draw: Any) -> Piece:
    number = draw(number_attributes())
    values = draw(st.lists(st.sampled_from([1, 2, 3, 8, 70_000, 400_000]), min_size=1, max_size=3))
    listed = "[" + ", ".join(map(str, values)) + "]"
    return Piece(
        f"{number.text} in {listed}",
        guarded(number.guards, f"{number.judged} in {listed}"),
        lambda home, person: number.value(home, person) in values,
    )


@st.composite
def codes(draw: Any, member: bool) -> Piece:
    attributes = MEMBER_ATTRIBUTES if member else HOUSEHOLD_ATTRIBUTES
    attribute = draw(
        st.sampled_from([a for a in attributes.values() if a.kind in (Kind.CODE, Kind.AREA)])
    )
    name = attribute.name
    if attribute.kind is Kind.AREA:
        possible = AREAS if name == "village" else sorted({code[:8] for code in AREAS})
    else:
        possible = list(attribute.codes)
    text, judged, guards = named(name, member)
    value = read(name, member)
    flags = {
        "household_status": name == "status" and not member,
        "member_status": name == "status" and member,
    }
    form = draw(st.sampled_from(["==", "!=", "in"]))
    if form == "in":
        some = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=3))
        listed = "[" + ", ".join(map(quoted, some)) + "]"
        return Piece(
            f"{text} in {listed}",
            guarded(guards, f"{judged} in {listed}"),
            lambda home, person: value(home, person) in some,
            **flags,
        )
    code = draw(st.sampled_from(possible))

    def compared(home: Known, person: Known) -> bool:
        found = value(home, person)
        return found is not None and (found == code) is (form == "==")

    return Piece(
        f"{text} {form} {quoted(code)}",
        guarded(guards, f"{judged} {form} {quoted(code)}"),
        compared,
        **flags,
    )


@st.composite
def area_prefix(draw: Any) -> Piece:
    name = draw(st.sampled_from(["village", "district"]))
    prefix = draw(st.sampled_from(["33.02", "33.02.01", "33.02.17.2", "33.0", "9"]))
    return Piece(
        f"{name}.startsWith({quoted(prefix)})",
        f"household.{name}.startsWith({quoted(prefix)})",
        lambda home, person: home[name].startswith(prefix),
    )


@st.composite
def texts(draw: Any) -> Piece:
    name = draw(st.sampled_from(["hamlet", "rt", "rw"]))
    text, judged, guards = named(name, False)
    sample = draw(st.one_of(st.sampled_from(WORDS), st.text("aA%_\\'1 é", min_size=1, max_size=3)))
    how = draw(st.sampled_from(["==", "!=", "startsWith", "endsWith", "contains"]))
    tests: dict[str, Callable[[str], bool]] = {
        "==": lambda found: found == sample,
        "!=": lambda found: found != sample,
        "startsWith": lambda found: found.startswith(sample),
        "endsWith": lambda found: found.endswith(sample),
        "contains": lambda found: sample in found,
    }
    tail = f" {how} {quoted(sample)}" if how in ("==", "!=") else f".{how}({quoted(sample)})"

    def value(home: Known, person: Known) -> bool:
        found = home.get(name)
        return found is not None and tests[how](found)

    return Piece(text + tail, guarded(guards, judged + tail), value)


@st.composite
def flags(draw: Any) -> Piece:
    wanted = draw(st.booleans())
    text, judged, guards = named("extreme_poor", False)
    form = draw(st.sampled_from(["", "==", "!="]))
    tail = f" {form} {'true' if wanted else 'false'}" if form else ""

    def value(home: Known, person: Known) -> bool:
        found = home.get("extreme_poor")
        if found is None:
            return False
        return found if not form else (found is wanted) is (form == "==")

    return Piece(text + tail, guarded(guards, judged + tail), value)


@st.composite
def decimals(draw: Any) -> Piece:
    name = draw(st.sampled_from(["latitude", "longitude"]))
    operator = draw(st.sampled_from(list(COMPARE)))
    border = draw(st.sampled_from([-7.4, 109.25, -7.0, 0.0]))
    text, judged, guards = named(name, False)

    def value(home: Known, person: Known) -> bool:
        found = home.get(name)
        return found is not None and COMPARE[operator](found, border)

    return Piece(
        f"{text} {operator} {border}", guarded(guards, f"{judged} {operator} {border}"), value
    )


@st.composite
def assets(draw: Any) -> Piece:
    code = draw(st.sampled_from(HOUSEHOLD_ATTRIBUTES["assets"].codes))
    return Piece(
        f"{quoted(code)} in assets",
        guarded(("has(household.assets)",), f"{quoted(code)} in household.assets"),
        lambda home, person: code in home.get("assets", []),
    )


asset_counts = st.just(
    Piece(
        "assets.size()",
        "(has(household.assets) ? household.assets.size() : 0)",
        lambda home, person: len(home.get("assets", [])),
    )
)


@st.composite
def presence(draw: Any, member: bool) -> Piece:
    attributes = MEMBER_ATTRIBUTES if member else HOUSEHOLD_ATTRIBUTES
    name = draw(st.sampled_from(list(attributes)))
    text, _judged, guards = named(name, member)
    form = draw(st.sampled_from(["has({})", "{} != null"]))
    return Piece(
        form.format(text),
        guards[0],
        lambda home, person: name in (person if member else home),
        household_status=name == "status" and not member,
        member_status=name == "status" and member,
    )


@st.composite
def ages(draw: Any) -> Piece:
    text, judged, guards = named("age", True)
    age = draw(st.integers(-2, 90))
    operator = draw(st.sampled_from([*COMPARE, "in"]))
    if operator == "in":
        return Piece(
            f"{text} in [{age}, 7]",
            guarded(guards, f"{judged} in [{age}, 7]"),
            lambda home, person: person.get("age") in (age, 7),
        )

    def value(home: Known, person: Known) -> bool:
        found = person.get("age")
        return found is not None and COMPARE[operator](found, age)

    return Piece(f"{text} {operator} {age}", guarded(guards, f"{judged} {operator} {age}"), value)


@st.composite
def birth_dates(draw: Any) -> Piece:
    operator = draw(st.sampled_from(list(COMPARE)))
    day = draw(st.dates(dt.date(1940, 1, 1), dt.date(2026, 12, 31)))
    text, judged, guards = named("birth_date", True)
    tail = f' {operator} timestamp("{day.isoformat()}T00:00:00Z")'

    def value(home: Known, person: Known) -> bool:
        found = person.get("birth_date")
        return found is not None and COMPARE[operator](found[:10], day.isoformat())

    return Piece(text + tail, guarded(guards, f"timestamp({judged})" + tail), value)


# Conditions on conditions


def joined(conditions: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    def both(operator: str, left: Piece, right: Piece) -> Piece:
        join = all if operator == "&&" else any
        return Piece(
            f"({left.text} {operator} {right.text})",
            f"({left.judged} {operator} {right.judged})",
            lambda home, person: join(
                [bool(left.value(home, person)), bool(right.value(home, person))]
            ),
            **_flags(left, right),
        )

    def opposite(inner: Piece) -> Piece:
        return Piece(
            f"!({inner.text})",
            f"!({inner.judged})",
            lambda home, person: not inner.value(home, person),
            **_flags(inner),
        )

    def either(asked: Piece, yes: Piece, no: Piece) -> Piece:
        return Piece(
            f"(({asked.text}) ? ({yes.text}) : ({no.text}))",
            f"(({asked.judged}) ? ({yes.judged}) : ({no.judged}))",
            lambda home, person: (yes if asked.value(home, person) else no).value(home, person),
            **_flags(asked, yes, no),
        )

    return st.one_of(
        st.builds(both, st.sampled_from(["&&", "||"]), conditions, conditions),
        st.builds(opposite, conditions),
        st.builds(either, conditions, conditions, conditions),
    )


def about_members(conditions: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    def build(macro: str, condition: Piece) -> Piece:
        def value(home: Known, person: Known) -> bool:
            found = [bool(condition.value(home, p)) for p in members_of(home, condition)]
            return {"exists": any(found), "all": all(found), "exists_one": sum(found) == 1}[macro]

        return Piece(
            f"members.{macro}(m, {condition.text})",
            f"{judged_members(condition)}.{macro}(m, {condition.judged})",
            value,
            household_status=condition.household_status,
        )

    return st.builds(build, st.sampled_from(["exists", "all", "exists_one"]), conditions)


truths = st.booleans().map(
    lambda b: Piece("true" if b else "false", "true" if b else "false", lambda home, person: b)
)

household_values = st.one_of(
    comparison(st.one_of(number_attributes(), constants)), number_in(), codes(False), area_prefix(),
    texts(), flags(), decimals(), assets(), presence(False), truths,
)  # fmt: skip
member_conditions = st.recursive(
    st.one_of(ages(), codes(True), birth_dates(), presence(True), ages(), household_values),
    joined,
    max_leaves=4,
)
numbers = st.recursive(
    st.one_of(number_attributes(), constants, asset_counts, counts(member_conditions)),
    arithmetic,
    max_leaves=3,
)
rules = st.recursive(
    st.one_of(household_values, comparison(numbers), about_members(member_conditions)),
    joined,
    max_leaves=6,
)


# People

AREAS = ["33.02.01.2001", "33.02.01.2002", "33.02.17.2001", "33.02.17.2009"]
WORDS = ["Krajan", "krajan", "Kra_an", "001", "01", "Kra%", "Dusun é", "'; --"]


def random_homes(seed: int, number: int) -> list[Known]:
    """Return households with members, each value unknown every now and then."""
    luck = random.Random(seed)

    def maybe(value: Any) -> Any:
        return None if luck.random() < 0.25 else value

    def known(values: Known) -> Known:
        return {name: value for name, value in values.items() if value is not None}

    homes = []
    for _number in range(number):
        village = luck.choice(AREAS)
        home = {
            "desil": maybe(luck.randint(1, 10)),
            "extreme_poor": maybe(luck.random() < 0.5),
            "expenditure": maybe(luck.choice([0, 70_000, 400_000, 900_000, 2**31 - 1])),
            "member_count": luck.randint(0, 6),
            "district": village[:8],
            "village": village,
            "hamlet": maybe(luck.choice(WORDS)),
            "rt": maybe(luck.choice(WORDS)[:3]),
            "rw": maybe("01"),
            "latitude": maybe(luck.choice([-7.4, -7.41, -7.0])),
            "longitude": maybe(luck.choice([109.25, 109.0])),
            "assets": sorted(luck.sample(HOUSEHOLD_ATTRIBUTES["assets"].codes, luck.randint(0, 4)))
            or None,
            **{
                a.name: maybe(luck.choice(a.codes))
                for a in HOUSEHOLD_ATTRIBUTES.values()
                if a.kind is Kind.CODE
            },
            "status": luck.choice(["active", "active", "active", "moved"]),
        }
        home["members"] = [
            known(
                {
                    **{
                        a.name: maybe(luck.choice(a.codes))
                        for a in MEMBER_ATTRIBUTES.values()
                        if a.kind is Kind.CODE
                    },
                    "birth_date": maybe(
                        luck.choice(
                            [
                                dt.date(2020, 2, 29),
                                dt.date(2024, 2, 29),
                                dt.date(1940, 1, 1) + dt.timedelta(days=luck.randint(0, 31_500)),
                                dt.date(2015, 1, 1) + dt.timedelta(days=luck.randint(0, 4_000)),
                            ]
                        )
                    ),
                    "status": luck.choice(["active", "active", "died"]),
                }
            )
            for _member in range(luck.randint(0, 4))
        ]
        homes.append(known(home))
    return homes


def aged(homes: list[Known], on: dt.date) -> list[Known]:
    """Return ``homes`` with the members' ages on the day ``on``, and dates as CEL writes them."""

    def person(known: Known) -> Known:
        born = known.get("birth_date")
        if born is None:
            return known
        age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        return {**known, "age": age, "birth_date": f"{born.isoformat()}T00:00:00Z"}

    return [{**home, "members": [person(p) for p in home["members"]]} for home in homes]
