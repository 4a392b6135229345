"""What the editor shows of a rule being written: its text, the same in the builder, and what it finds.

Text and builder are two views of one rule. The form sends both, with what each was when it was shown, so
that whichever was changed since is the one that counts, whether a script sends it or a plain button.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from guyub.areas.models import Area, Level
from guyub.targeting import queries
from guyub.targeting.attributes import Attribute, Kind
from guyub.targeting.builder import (
    ALL,
    HOUSEHOLD,
    OPERATORS,
    SCOPES,
    Plan,
    Row,
    attributes_of,
    blank_plan,
    plan_of,
    read_plan,
)
from guyub.targeting.cel import RuleError
from guyub.targeting.checking import Understood, understand
from guyub.targeting.wording import Clause, told

FROM_TEXT, FROM_BUILDER = "teks", "susunan"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


@dataclass
class Draft:
    """A rule being written. Without ``plan``, the builder cannot show it."""

    text: str
    plan: Plan | None
    rule: Understood | None = None
    error: RuleError | None = None
    # The builder's parts have changed places or kinds, so its fields must be laid anew.
    is_rebuilt: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()

    @property
    def marked(self) -> tuple[str, str, str]:
        """The text before the error, where it is, and after."""
        assert self.error is not None
        start, end = self.error.start, self.error.end
        return self.text[:start], self.text[start:end], self.text[end:]

    @property
    def place(self) -> tuple[int, int]:
        """Line and column of the error."""
        assert self.error is not None
        return self.error.place(self.text)

    @property
    def plan_text(self) -> str:
        return self.plan.text() if self.plan is not None else ""

    def told(self) -> Clause | None:
        return told(self.rule) if self.rule is not None else None

    def tally(self) -> queries.Tally | None:
        return queries.tally(self.rule) if self.rule is not None else None

    def sample(self, user: Any) -> list[Any]:
        return queries.sample(user, self.rule, size=5) if self.rule is not None else []


def draft_of(text: str) -> Draft:
    """Return the draft that ``text`` alone makes."""
    text = _lines(text)
    if not text.strip():
        return Draft("", blank_plan())
    try:
        rule = understand(text)
    except RuleError as error:
        return Draft(text, None, error=error)
    return Draft(text, plan_of(rule.condition), rule)


def draft_from(posted: QueryDict, source: str = "") -> Draft:
    """Return the draft that the form makes. ``source`` says which view the user has just changed."""
    text = _lines(posted.get("text", ""))
    if "s-join" not in posted:
        return draft_of(text)
    plan = read_plan(posted)
    built = plan.text()
    changed_text = text != _lines(posted.get("text-was", ""))
    changed_plan = built != _lines(posted.get("plan-was", ""))
    by_builder = source == FROM_BUILDER or "susun" in posted
    if source == FROM_TEXT or (not by_builder and (changed_text or not changed_plan)):
        return draft_of(text)
    draft = draft_of(built)
    # Conditions that are not complete yet have no text, and would be lost by reading it back.
    draft.plan = plan
    draft.is_rebuilt = "susun" in posted or _has_new_fields(posted, plan)
    return draft


def _has_new_fields(posted: MultiValueDict[str, str], plan: Plan) -> bool:
    """Tell whether another attribute or operator was chosen, which asks for other fields."""
    for i, group in enumerate(plan.groups):
        if posted.get(f"g{i}-was") != group.scope:
            return True
        for j, row in enumerate(group.rows):
            prefix = f"g{i}-r{j}-"
            was = (posted.get(prefix + "was") or "", posted.get(prefix + "operator-was") or "")
            if was != (row.attribute, row.operator):
                return True
    return False


# The builder's fields


@dataclass(frozen=True)
class RowFields:
    """One condition with everything that its fields offer."""

    prefix: str
    number: int
    row: Row
    scope: str
    areas: dict[int, list[Area]]

    @property
    def attribute(self) -> Attribute | None:
        return attributes_of(self.scope).get(self.row.attribute)

    @property
    def attributes(self) -> list[Attribute]:
        return list(attributes_of(self.scope).values())

    @property
    def operators(self) -> list[tuple[str, Any]]:
        return list(OPERATORS[self.attribute.kind].items()) if self.attribute else []

    @property
    def problem(self) -> str:
        return self.row.problem(self.scope) if self.row.attribute else ""

    @property
    def form(self) -> str:
        """Which fields take the value: none, codes, areas, villages, number, range or text."""
        attribute, operator = self.attribute, self.row.operator
        if attribute is None or operator in ("known", "unknown", "yes", "no"):
            return "none"
        if attribute.kind in (Kind.CODE, Kind.CODES):
            return "codes"
        if attribute.kind is Kind.AREA:
            return "villages" if attribute.name == "village" else "areas"
        if attribute.kind is Kind.TEXT:
            return "text"
        return "range" if operator == "between" else "number"

    @property
    def first(self) -> str:
        return self.row.values[0] if self.row.values else ""

    @property
    def second(self) -> str:
        return self.row.values[1] if len(self.row.values) > 1 else ""

    @property
    def choices(self) -> list[tuple[str, Any, bool]]:
        """Codes with their labels, and whether they are chosen."""
        if self.attribute is not None and self.form == "codes":
            return [(c, label, c in self.row.values) for c, label in self.attribute.choices]
        districts = self.areas.get(0, [])
        return [(area.code, area.name, area.code in self.row.values) for area in districts]

    @property
    def villages(self) -> Iterator[tuple[Area, list[tuple[Area, bool]], int]]:
        """Districts with their villages, and how many are chosen."""
        for district in self.areas.get(0, []):
            rows = [(a, a.code in self.row.values) for a in self.areas.get(district.pk, [])]
            yield district, rows, sum(chosen for _area, chosen in rows)


@dataclass(frozen=True)
class GroupFields:
    number: int
    scope: str
    join: str
    least: int
    rows: list[RowFields]

    @property
    def is_about_members(self) -> bool:
        return self.scope != HOUSEHOLD

    @property
    def scopes(self) -> list[tuple[str, Any]]:
        return [(code, label) for code, label in SCOPES.items() if code != HOUSEHOLD]


def fields_of(plan: Plan) -> list[GroupFields]:
    """Return the builder's fields. One query when areas are asked for."""
    areas: dict[int, list[Area]] = {}
    wanted = {row.attribute for group in plan.groups for row in group.rows}
    if wanted & {"village", "district"}:
        levels = [Level.DISTRICT, *([Level.VILLAGE] if "village" in wanted else [])]
        for area in Area.objects.filter(level__in=levels).order_by("name"):
            parent = area.parent_id if area.level == Level.VILLAGE else 0
            areas.setdefault(parent or 0, []).append(area)
    return [
        GroupFields(
            i,
            group.scope,
            group.join or ALL,
            group.number,
            [
                RowFields(f"g{i}-r{j}-", j, row, group.scope, areas)
                for j, row in enumerate(group.rows)
            ],
        )
        for i, group in enumerate(plan.groups)
    ]
