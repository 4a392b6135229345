"""The builder's view of a rule: groups of conditions to be filled in, to and from the rule's text.

A plan joins groups by *all* or *any*; a group joins its conditions by *all* or *any* and is about the
household itself or about its members. Not every rule fits: :func:`plan_of` then returns ``None``, and the
rule can only be written as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.targeting import meaning as m
from guyub.targeting.attributes import (
    HOUSEHOLD_ATTRIBUTES,
    MEMBER_ATTRIBUTES,
    Attribute,
    Kind,
)

ALL, ANY = "all", "any"
JOINTS = {ALL: " && ", ANY: " || "}
HOUSEHOLD = "household"
# What a group says of members.
SCOPES = {
    HOUSEHOLD: gettext_lazy("Keluarga"),
    "some": gettext_lazy("Ada anggota"),
    "none": gettext_lazy("Tidak ada anggota"),
    "every": gettext_lazy("Setiap anggota"),
    "count": gettext_lazy("Jumlah anggota sekurangnya"),
}
MAX_GROUPS, MAX_ROWS, MAX_VALUES = 10, 15, 400

_PRESENCE = {"known": gettext_lazy("terisi"), "unknown": gettext_lazy("tidak terisi")}
_NUMBERS = {
    "<=": gettext_lazy("paling banyak"),
    ">=": gettext_lazy("paling sedikit"),
    "between": gettext_lazy("antara"),
    "==": gettext_lazy("tepat"),
    "!=": gettext_lazy("bukan"),
    "<": gettext_lazy("kurang dari"),
    ">": gettext_lazy("lebih dari"),
}
_ONE_OF = {
    "in": gettext_lazy("salah satu dari"),
    "not_in": gettext_lazy("bukan salah satu dari"),
}
OPERATORS: dict[Kind, dict[str, Any]] = {
    Kind.NUMBER: _NUMBERS | _PRESENCE,
    Kind.AGE: _NUMBERS | _PRESENCE,
    Kind.CODE: _ONE_OF | _PRESENCE,
    Kind.AREA: _ONE_OF,
    Kind.FLAG: {"yes": gettext_lazy("ya"), "no": gettext_lazy("tidak")} | _PRESENCE,
    Kind.CODES: {
        "has_any": gettext_lazy("punya salah satu dari"),
        "has_none": gettext_lazy("tidak punya satu pun dari"),
    }
    | _PRESENCE,
    Kind.TEXT: {
        "equals": gettext_lazy("tepat"),
        "starts": gettext_lazy("diawali"),
        "contains": gettext_lazy("memuat"),
    }
    | _PRESENCE,
    Kind.DECIMAL: _PRESENCE,
}
_WITHOUT_VALUE = {*_PRESENCE, "yes", "no"}
_METHODS = {"starts": "startsWith", "contains": "contains"}


def attributes_of(scope: str) -> dict[str, Attribute]:
    """Return the attributes that a group of ``scope`` can ask for in the builder."""
    every = HOUSEHOLD_ATTRIBUTES if scope == HOUSEHOLD else MEMBER_ATTRIBUTES
    return {name: a for name, a in every.items() if a.kind in OPERATORS}


@dataclass
class Row:
    """One condition: an attribute, what is asked of it, and the values."""

    attribute: str = ""
    operator: str = ""
    values: list[str] = field(default_factory=list)

    def problem(self, scope: str) -> str:
        """Say what is missing; empty when the condition is complete."""
        attribute = attributes_of(scope).get(self.attribute)
        if attribute is None:
            return _("Pilih atribut.")
        if self.operator in _WITHOUT_VALUE:
            return ""
        if attribute.kind in (Kind.NUMBER, Kind.AGE):
            needed = 2 if self.operator == "between" else 1
            numbers = [v for v in self.values[:needed] if re.fullmatch(r"-?\d{1,12}", v, re.ASCII)]
            return "" if len(numbers) == needed else _("Isi dengan angka.")
        if not any(self.values):
            return _("Isi nilainya.") if attribute.kind is Kind.TEXT else _("Pilih nilainya.")
        return ""

    def text(self, scope: str) -> str:
        """Return the condition in CEL; it must have no :meth:`problem`."""
        attribute = attributes_of(scope)[self.attribute]
        name = self.attribute if scope == HOUSEHOLD else f"m.{self.attribute}"
        values = [value for value in self.values if value]
        match self.operator:
            case "known":
                return f"has({name})"
            case "unknown":
                return f"!has({name})"
            case "yes":
                return f"{name} == true"
            case "no":
                return f"{name} == false"
            case "between":
                return f"{name} >= {int(values[0])} && {name} <= {int(values[1])}"
            case "in" | "not_in":
                if len(values) > 1:
                    found = f"{name} in [{', '.join(map(quoted, values))}]"
                else:
                    found = f"{name} == {quoted(values[0])}"
                return found if self.operator == "in" else f"!({found})"
            case "has_any" | "has_none":
                found = " || ".join(f"{quoted(value)} in {name}" for value in values)
                if self.operator == "has_none":
                    return f"!({found})"
                return f"({found})" if len(values) > 1 else found
            case "equals":
                return f"{name} == {quoted(values[0])}"
            case "starts" | "contains":
                return f"{name}.{_METHODS[self.operator]}({quoted(values[0])})"
        assert attribute.kind in (Kind.NUMBER, Kind.AGE)
        return f"{name} {self.operator} {int(values[0])}"


@dataclass
class Group:
    """Conditions on the household, or on its members."""

    scope: str = HOUSEHOLD
    join: str = ALL
    rows: list[Row] = field(default_factory=list)
    number: int = 2  # for `count`: how many members at least

    def text(self, outer: str) -> str:
        """Return the group in CEL as it stands among others joined by ``outer``."""
        parts = [row.text(self.scope) for row in self.rows if not row.problem(self.scope)]
        if not parts:
            return ""
        if self.join == ANY:
            parts = [f"({part})" if " && " in part and '"' not in part else part for part in parts]
        inner = JOINTS[self.join].join(parts)
        match self.scope:
            case "some":
                return f"members.exists(m, {inner})"
            case "none":
                return f"!members.exists(m, {inner})"
            case "every":
                return f"members.all(m, {inner})"
            case "count":
                return f"members.filter(m, {inner}).size() >= {self.number}"
        alike = self.join == outer or (self.join == ALL and len(parts) == 1 and " && " not in inner)
        return inner if alike or (len(parts) == 1 and self.join == ANY) else f"({inner})"


@dataclass
class Plan:
    """A whole rule as the builder shows it."""

    join: str = ALL
    groups: list[Group] = field(default_factory=list)

    def text(self) -> str:
        """Return the rule in CEL; conditions that are not complete yet are left out."""
        parts = [text for group in self.groups if (text := group.text(self.join))]
        return f"\n{JOINTS[self.join].strip()} ".join(parts)


def quoted(text: str) -> str:
    """Return ``text`` as a literal of CEL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def blank_plan() -> Plan:
    """Return what the builder starts from: one group with one empty condition."""
    return Plan(groups=[Group(rows=[Row()])])


# From a rule


def plan_of(condition: m.Condition) -> Plan | None:
    """Return ``condition`` as a plan; ``None`` when the builder cannot show it."""
    join = ALL
    parts: tuple[m.Condition, ...] = (condition,)
    if _row(condition, HOUSEHOLD) is None:
        if isinstance(condition, m.All):
            parts = condition.conditions
        elif isinstance(condition, m.AnyOf):
            join, parts = ANY, condition.conditions
    plan = Plan(join)
    loose: Group | None = None  # where conditions that stand by themselves are gathered
    for part in _pairs(parts) if join == ALL else parts:
        row = _row(part, HOUSEHOLD)
        if row is not None:
            if loose is None:
                loose = Group(join=join)
                plan.groups.append(loose)
            loose.rows.append(row)
            continue
        group = _group(part)
        if group is None:
            return None
        plan.groups.append(group)
    if len(plan.groups) > MAX_GROUPS or any(len(group.rows) > MAX_ROWS for group in plan.groups):
        return None
    return plan


def _pairs(parts: tuple[m.Condition, ...]) -> list[m.Condition]:
    """Put two borders of one value that follow each other into one condition."""
    found: list[m.Condition] = []
    for part in parts:
        if found:
            pair = m.All((found[-1], part))
            if _range(pair) is not None:
                found[-1] = pair
                continue
        found.append(part)
    return found


def _range(condition: m.Condition) -> tuple[Attribute, int, int] | None:
    match condition:
        case m.All(
            (
                m.Compared(">=", m.Value(one) | m.Age(one), m.Constant(low)),
                m.Compared("<=", m.Value(other) | m.Age(other), m.Constant(high)),
            )
        ) if one == other:
            return one, low, high
    return None


def _group(condition: m.Condition) -> Group | None:
    match condition:
        case m.SomeMember(inner):
            return _rows("some", inner)
        case m.Not(m.SomeMember(inner)):
            return _rows("none", inner)
        case m.EveryMember(inner):
            return _rows("every", inner)
        case m.Compared(">=", m.Count(inner), m.Constant(number)) if 1 <= number < 100:
            group = _rows("count", inner)
            if group is not None:
                group.number = number
            return group
    return _rows(HOUSEHOLD, condition)


def _rows(scope: str, condition: m.Condition) -> Group | None:
    """Return a group whose conditions are all plain ones."""
    group = Group(scope)
    parts: list[m.Condition] = [condition]
    if _row(condition, scope) is None:
        if isinstance(condition, m.All):
            parts = _pairs(condition.conditions)
        elif isinstance(condition, m.AnyOf):
            group.join, parts = ANY, list(condition.conditions)
    for part in parts:
        row = _row(part, scope)
        if row is None:
            return None
        group.rows.append(row)
    return group


def _row(condition: m.Condition, scope: str) -> Row | None:
    row = _any_row(condition)
    # What a row cannot hold must not fall out of the rule when it is saved.
    if row is None or row.problem(scope) or not all(row.values):
        return None
    # `status` is asked of households and of members alike.
    wanted = m.Scope.HOUSEHOLD if scope == HOUSEHOLD else m.Scope.MEMBER
    for part in condition.walk():
        if isinstance(part, m.CodeIn | m.Present) and part.scope is not wanted:
            return None
    return row


def _any_row(condition: m.Condition) -> Row | None:
    match condition:
        case m.All():
            borders = _range(condition)
            if borders is not None:
                attribute, low, high = borders
                return Row(attribute.name, "between", [str(low), str(high)])
        case m.Compared(operator, m.Value(attribute) | m.Age(attribute), m.Constant(value)):
            return Row(attribute.name, operator, [str(value)])
        case m.CodeIn(_scope, attribute, codes, False):
            return Row(attribute.name, "in", list(codes))
        case m.CodeIn(_scope, attribute, codes, True):
            others = [code for code in attribute.codes if code not in codes]
            return Row(attribute.name, "in", others) if others else None
        case m.Not(m.CodeIn(_scope, attribute, codes, False)):
            return Row(attribute.name, "not_in", list(codes))
        case m.AreaIn(attribute, codes, negated, False):
            return Row(attribute.name, "not_in" if negated else "in", list(codes))
        case m.Not(m.AreaIn(attribute, codes, negated, False)):
            return Row(attribute.name, "in" if negated else "not_in", list(codes))
        case m.FlagIs(attribute, value):
            return Row(attribute.name, "yes" if value else "no")
        case m.Present(_scope, attribute):
            return Row(attribute.name, "known")
        case m.Not(m.Present(_scope, attribute)):
            return Row(attribute.name, "unknown")
        case m.TextIs(attribute, "equals" | "starts" | "contains" as how, (value,)):
            return Row(attribute.name, how, [value])
        case m.Not(inner):
            codes_held = _codes_held(inner)
            if codes_held is not None:
                return Row(codes_held[0], "has_none", codes_held[1])
        case _:
            codes_held = _codes_held(condition)
            if codes_held is not None:
                return Row(codes_held[0], "has_any", codes_held[1])
    return None


def _codes_held(condition: m.Condition) -> tuple[str, list[str]] | None:
    """Return the attribute and codes of a condition that a list holds one of some codes."""
    parts = condition.conditions if isinstance(condition, m.AnyOf) else (condition,)
    held = [part for part in parts if isinstance(part, m.HasCode)]
    if len(held) < len(parts) or len({part.attribute.name for part in held}) != 1:
        return None
    return held[0].attribute.name, [part.code for part in held]


# From the form


def read_plan(posted: MultiValueDict[str, str]) -> Plan:
    """Return the plan that was filled into the form, with what its button ``susun`` asks for done.

    Whatever was sent, the result is a plan: what is unknown is left out.
    """
    plan = Plan(join=_joint(posted.get("s-join")))
    for i in range(MAX_GROUPS):
        scope = posted.get(f"g{i}-scope")
        if scope not in SCOPES:
            continue
        number = posted.get(f"g{i}-number") or ""
        group = Group(
            scope,
            _joint(posted.get(f"g{i}-join")),
            number=int(number) if re.fullmatch(r"[1-9]\d?", number, re.ASCII) else 2,
        )
        for j in range(MAX_ROWS):
            if f"g{i}-r{j}-attribute" in posted:
                group.rows.append(_read_row(posted, f"g{i}-r{j}-", scope))
        plan.groups.append(group)
    _act(plan, posted.get("susun") or "")
    if not plan.groups:
        plan.groups.append(Group(rows=[Row()]))
    return plan


def _joint(value: str | None) -> str:
    return ANY if value == ANY else ALL


def _read_row(posted: MultiValueDict[str, str], prefix: str, scope: str) -> Row:
    attribute = attributes_of(scope).get(posted.get(prefix + "attribute") or "")
    if attribute is None:
        return Row()
    operators = OPERATORS[attribute.kind]
    operator = posted.get(prefix + "operator") or ""
    values = [value.strip()[:100] for value in posted.getlist(prefix + "value")][:MAX_VALUES]
    if posted.get(prefix + "was") != attribute.name:
        # Another attribute was chosen: what was asked of the one before has no meaning.
        operator, values = "", []
    if operator not in operators:
        operator = next(iter(operators))
    if attribute.kind in (Kind.CODE, Kind.CODES):
        values = [value for value in values if value in attribute.codes]
    return Row(attribute.name, operator, values)


def _act(plan: Plan, action: str) -> None:
    """Do what a button of the builder asks for, as ``add-row:0`` or ``drop-row:0:1``."""
    verb, *places = action.split(":")
    numbers = [int(p) for p in places if re.fullmatch(r"\d{1,3}", p, re.ASCII)]
    if verb in ("add-group", "add-members") and len(plan.groups) < MAX_GROUPS:
        plan.groups.append(Group("some" if verb == "add-members" else HOUSEHOLD, rows=[Row()]))
    if not numbers or numbers[0] >= len(plan.groups):
        return
    group = plan.groups[numbers[0]]
    if verb == "add-row" and len(group.rows) < MAX_ROWS:
        group.rows.append(Row())
    elif verb == "drop-group":
        plan.groups.remove(group)
    elif verb == "drop-row" and len(numbers) > 1 and numbers[1] < len(group.rows):
        del group.rows[numbers[1]]
        if not group.rows:
            plan.groups.remove(group)
