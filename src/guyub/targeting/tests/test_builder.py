"""The builder writes rules and reads them back; what it shows means what the text says."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.datastructures import MultiValueDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.targeting.attributes import Attribute, Kind
from guyub.targeting.builder import (
    ALL,
    ANY,
    MAX_GROUPS,
    OPERATORS,
    SCOPES,
    Group,
    Plan,
    Row,
    attributes_of,
    plan_of,
    read_plan,
)
from guyub.targeting.cel import RuleError
from guyub.targeting.checking import understand
from guyub.targeting.queries import households_matching
from guyub.targeting.tests.random_rules import AREAS, rules
from guyub.targeting.tests.test_same_everywhere import homes  # noqa: F401 (a fixture)

SLOW = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def values_for(attribute: Attribute) -> st.SearchStrategy[list[str]]:
    numbers = st.integers(-5, 3_000_000).map(str)
    match attribute.kind:
        case Kind.NUMBER | Kind.AGE:
            return st.lists(numbers, min_size=2, max_size=2)
        case Kind.CODE | Kind.CODES:
            return st.lists(st.sampled_from(attribute.codes), min_size=1, max_size=3, unique=True)
        case Kind.AREA:
            known = AREAS if attribute.name == "village" else ["33.02.01", "33.02.17"]
            return st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True)
        case _:
            return st.lists(st.text('aK"\\ é', min_size=1, max_size=4), min_size=1, max_size=1)


@st.composite
def plans(draw: Any) -> Plan:
    groups = []
    for _group in range(draw(st.integers(1, 3))):
        scope = draw(st.sampled_from(list(SCOPES)))
        rows = []
        for _row in range(draw(st.integers(1, 3))):
            attribute = draw(st.sampled_from(list(attributes_of(scope).values())))
            operator = draw(st.sampled_from(list(OPERATORS[attribute.kind])))
            rows.append(Row(attribute.name, operator, draw(values_for(attribute))))
        groups.append(
            Group(scope, draw(st.sampled_from([ALL, ANY])), rows, draw(st.integers(1, 5)))
        )
    return Plan(draw(st.sampled_from([ALL, ANY])), groups)


@SLOW
@given(plan=plans())
def test_whatever_is_built_can_be_shown_again_and_means_the_same(homes, plan):  # noqa: F811
    text = plan.text()
    condition = understand(text).condition
    shown = plan_of(condition)
    assert shown is not None, text
    again = shown.text()
    assert set(households_matching(text).values_list("pk")) == set(
        households_matching(again).values_list("pk")
    )
    assert plan_of(understand(again).condition) == shown


@SLOW
@given(rule=rules)
def test_what_the_builder_shows_of_any_rule_means_what_its_text_says(homes, rule):  # noqa: F811
    try:
        meant = understand(rule.text)
    except RuleError:
        return
    shown = plan_of(meant.condition)
    if shown is None:
        return  # it can only be written as text
    assert set(households_matching(meant).values_list("pk")) == set(
        households_matching(shown.text()).values_list("pk")
    )


@SLOW
@given(
    st.dictionaries(
        st.one_of(
            st.sampled_from(
                ["s-join", "susun"]
                + [f"g{i}-{x}" for i in range(3) for x in ("scope", "join", "number")]
                + [
                    f"g{i}-r{j}-{x}"
                    for i in range(3)
                    for j in range(2)
                    for x in ("attribute", "operator", "value", "was")
                ]
            ),
            st.text(max_size=5),
        ),
        st.lists(
            st.one_of(
                st.sampled_from(
                    [
                        "some",
                        "household",
                        "count",
                        "desil",
                        "age",
                        "wall",
                        "assets",
                        "in",
                        "between",
                    ]
                    + [
                        "bamboo",
                        "3",
                        "-1",
                        "drop-row:0:0",
                        "drop-group:1",
                        "add-row:0",
                        "add-group",
                    ]
                    + ["add-members", "drop-row:9:9", "add-row:" + "9" * 50, "²", ":", "33.02.01"]
                ),
                st.text(max_size=6),
            ),
            min_size=1,
            max_size=3,
        ),
        max_size=25,
    )
)
def test_any_form_gives_a_plan_whose_text_is_a_rule_or_an_error(regency, data):
    plan = read_plan(MultiValueDict(data))
    assert 1 <= len(plan.groups) <= MAX_GROUPS
    for group in plan.groups:
        for row in group.rows:
            assert isinstance(row.problem(group.scope), str)
    text = plan.text()
    if text:
        try:
            understand(text)
        except RuleError as error:
            # An area that there is not, or a text with signs that cannot be seen.
            assert "kode" in error.message or "tidak tampak" in error.message, (text, error.message)


@pytest.mark.parametrize(
    "text",
    [
        "desil + 1 < 3",
        "desil < 3 ? extreme_poor : true",
        "!(desil < 3)",
        "members.exists_one(m, m.age < 5)",
        'members.exists(m, m.birth_date > timestamp("2020-01-01T00:00:00Z"))',
        "(desil < 3 && (has(wall) || has(floor))) || desil == 7 && (has(roof) || desil == 3)",
        "latitude < -7.4",
        "members.exists(m, desil < 3)",
        'hamlet.endsWith("an")',
        'members.exists(m, status == "moved")',
        # The builder's fields take numbers of up to twelve digits.
        "desil < 3 && desil > -1234567890123",
        "members.exists(m, m.age > 9999999999999)",
    ],
)
def test_what_the_builder_cannot_show_stays_text(regency, text):
    assert plan_of(understand(text).condition) is None


def test_a_rule_as_operators_write_it_shows_in_groups(regency):
    plan = plan_of(
        understand(
            'desil >= 1 && desil <= 4 && (floor == "earth" || wall in ["bamboo", "wood"]) && '
            'members.exists(m, m.age >= 7 && m.age <= 18 && !(m.work == "student")) && '
            '!("car" in assets || "gold" in assets)'
        ).condition
    )
    assert plan == Plan(
        ALL,
        [
            Group(
                rows=[
                    Row("desil", "between", ["1", "4"]),
                    Row("assets", "has_none", ["car", "gold"]),
                ]
            ),
            Group(
                join=ANY,
                rows=[Row("floor", "in", ["earth"]), Row("wall", "in", ["bamboo", "wood"])],
            ),
            Group(
                "some",
                rows=[Row("age", "between", ["7", "18"]), Row("work", "not_in", ["student"])],
            ),
        ],
    )


def test_what_is_not_filled_in_yet_is_left_out_and_said():
    plan = Plan(groups=[Group(rows=[Row("desil", "<=", ["2"]), Row("wall", "in", []), Row()])])
    assert plan.text() == "desil <= 2"
    assert [bool(row.problem("household")) for row in plan.groups[0].rows] == [False, True, True]


def test_choosing_another_attribute_forgets_what_was_asked_of_the_one_before():
    plan = read_plan(
        MultiValueDict(
            {
                "g0-scope": ["household"],
                "g0-r0-attribute": ["wall"],
                "g0-r0-was": ["desil"],
                "g0-r0-operator": ["<="],
                "g0-r0-value": ["2"],
            }
        )
    )
    assert plan.groups[0].rows == [Row("wall", "in", [])]
