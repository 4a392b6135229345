"""Any text is a rule or a RuleError that says where; what is wrong is said in words that help."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.targeting import cel
from guyub.targeting.cel import RuleError
from guyub.targeting.checking import understand
from guyub.targeting.queries import households_matching
from guyub.targeting.tests.random_rules import Piece, rules

WORDS = (
    "desil wall members exists all filter size m age sex has household village assets in true false null "
    'exists_one timestamp startsWith ( ) [ ] , . ! - + * / % < <= == != >= > && || ? : "bamboo" "" \'F\' '
    "1 0 9223372036854775807 99999999999999999999 1.5 0x1 // \n = & \\ “ \x00 é"
).split(" ")
FUZZ = settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def outcome(text: str) -> RuleError | None:
    try:
        households_matching(text).exists()
    except RuleError as error:
        assert 0 <= error.start < error.end
        line, column = error.place(text)
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1
        assert str(error)
        return error
    return None


@FUZZ
@given(st.text(max_size=200))
def test_any_text_is_a_rule_or_an_error(regency, text):
    outcome(text)


@FUZZ
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_any_words_of_the_language_are_a_rule_or_an_error(regency, text):
    outcome(text)


@FUZZ
@given(rule=rules, data=st.data())
def test_a_damaged_rule_is_a_rule_or_an_error(regency, rule: Piece, data: Any):
    text = rule.text
    at = data.draw(st.integers(0, len(text)))
    until = data.draw(st.integers(at, min(len(text), at + 5)))
    outcome(text[:at] + data.draw(st.sampled_from(["", *WORDS])) + text[until:])


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_999,
        "[" * 5_999,
        "!" * 5_998 + "a",
        "-" * 5_998 + "1",
        "has(" * 1_400,
        "(" * 2_900 + "desil < 1" + ")" * 2_900,
        " + ".join(["1"] * 1_400) + " < 2",
        " && ".join(["desil<1"] * 540),
        "desil in [" + ",".join(["1"] * 2_900) + "]",
        "true ? " * 800 + "true" + " : true" * 0,
        "true ? true : " * 420 + "true",
        "(" * 20 + "true" + " ? true : true)" * 20 + "",
        "members.exists(m, " * 300,
        '"' + "\\" * 5_000,
        "a." * 2_900 + "a",
        "desil < 1" + " " * 6_000,
        "x" * 100_000,
    ],
)
def test_outsized_texts_are_refused_or_read_at_once(regency, text):
    started = time.process_time()
    outcome(text)
    assert time.process_time() - started < 5


def test_wide_rules_within_the_limits_run(regency):
    villages = ", ".join(f'"33.02.{d:02d}.2001"' for d in range(1, 23))
    parts = [f"desil != {n % 10}" for n in range(100)] + [f"village in [{villages}]"]
    assert outcome(" || ".join(parts)) is None
    nested = "desil < 3"
    for n in range(10):
        nested = f"({nested} {'&&' if n % 2 else '||'} !(desil > {n}))"
    assert outcome(nested) is None


def test_choices_within_choices_cannot_grow_without_bound(regency):
    text = "desil < 3"
    for _n in range(9):
        text = f"(({text}) ? desil < 2 : desil < 4)"
    error = outcome(text)
    assert error is not None
    assert "terlalu panjang" in error.message


@pytest.mark.parametrize(
    ("text", "marked", "said"),
    [
        ("", "", "masih kosong"),
        ("// catatan saja", "// catatan saja", "masih kosong"),
        ("desil = 3", "=", "=="),
        ("desil < 3 and has(wall)", "and", "&&"),
        ("desil < 3 atau desil > 8", "atau", "||"),
        ("not has(wall)", "not has", "tulis tanda !"),
        ("desil < 3 & desil > 1", "&", "&&"),
        ("(desil < 3", "(", "belum ditutup"),
        ("desil < 3)", ")", "pasangan pembuka"),
        ("desil <", "<", "terputus"),
        ('wall == "bamboo', '"', "tanda kutip"),
        ("wall == “bamboo”", "“", "kutip lurus"),
        ('dinding == "bamboo"', "dinding", "wall (Dinding)"),
        ("desill < 3", "desill", "desil"),
        ("zzzz < 3", "zzzz", "tidak dikenal"),
        ('wall == "tembok"', '"tembok"', '"brick" (Tembok)'),
        ('wall == "bambu"', '"bambu"', '"bamboo"'),
        ('wall == ""', '""', "!has(wall)"),
        ('desil == "3"', '"3"', "tanpa tanda kutip"),
        ("desil < 2.5", "2.5", "bilangan bulat"),
        ('wall < "bamboo"', 'wall < "bamboo"', "tidak punya urutan"),
        ("wall == 3", "3", "tanda kutip"),
        ("wall == floor", "floor", "bukan dengan atribut lain"),
        ("wall", "wall", 'wall == "bamboo"'),
        ("desil", "desil", "desil <= 4"),
        ("extreme_poor == 1", "1", "true (ya)"),
        ("age < 5", "age", "members.exists(m, m.age"),
        ("m.age < 5", "m.age", "members.exists(m, …)"),
        ("members.exists(m, age < 5)", "age", "m.age"),
        ("members.exists(m, m.desil < 5)", "desil", "atribut keluarga"),
        ("members.exists(m, m.umur < 5)", "umur", "age (Umur)"),
        ("members.exists(m, m < 5)", "m", "seorang anggota"),
        ("members.exists(m.age < 5)", "members.exists(m.age < 5)", "dua bagian"),
        ("members.exists(desil, desil < 5)", "desil", "sudah berarti lain"),
        ("members.any(m, m.age < 5)", "members.any(m, m.age < 5)", "exists (ada)"),
        (
            "members.exists(m, members.exists(n, n.age < 5))",
            "members.exists(n, n.age < 5)",
            "tidak dapat dipakai lagi",
        ),
        ("members.filter(m, m.age < 5)", "members.filter(m, m.age < 5)", ".size()"),
        ("members.exists(m, m.age < desil)", "m.age < desil", "angka tetap"),
        ("members.exists(m, m.age + 1 < 5)", "m.age", "tidak dapat dihitung"),
        (
            "members.exists(m, m.birth_date > 2020)",
            "2020",
            'timestamp("2020-07-01T00:00:00Z")',
        ),
        (
            'members.exists(m, m.birth_date > timestamp("2020-02-30T00:00:00Z"))',
            'timestamp("2020-02-30T00:00:00Z")',
            "Tanggal ditulis",
        ),
        ('district == "Lumbir"', '"Lumbir"', '"33.02.01" (Lumbir)'),
        ('village == "33.02.01"', '"33.02.01"', "tidak ada"),
        ("desil / 0 > 1", "0", "dibagi nol"),
        (
            "expenditure * expenditure * expenditure > 1",
            "expenditure * expenditure * expenditure",
            "terlalu besar",
        ),
        ("desil < 99999999999999999999", "99999999999999999999", "terlalu besar"),
        ("desil in []", "[]", "kosong"),
        ("desil in wall", "wall", "dalam [ ]"),
        ('"sepeda" in assets', '"sepeda"', '"motorcycle"'),
        ('assets == "car"', 'assets == "car"', '"refrigerator" in assets'),
        ("(desil < 3) == (desil > 1)", "desil < 3) == (desil > 1", "&&, || dan !"),
        ("desil < 3 == true", "desil < 3 == true", "&&, || dan !"),
        ('wall.startsWith("b")', 'wall.startsWith("b")', "startsWith berlaku"),
        ("matches(wall)", "matches(wall)", "tidak dikenal"),
        ("desil[0] < 3", "0", "[ ]"),
        ("if < 3", "if", "kata khusus"),
    ],
)
def test_errors_mark_the_place_and_say_how_to_mend_it(regency, text, marked, said):
    with pytest.raises(RuleError) as raised:
        understand(text)
    error = raised.value
    assert said in error.message, error.message
    assert text[error.start : error.end] == marked


def test_the_place_counts_lines_and_columns(regency):
    with pytest.raises(RuleError) as raised:
        understand("desil < 3\n  && dinding == 3")
    assert raised.value.place("desil < 3\n  && dinding == 3") == (2, 6)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("has(household.desil)", "has(desil)"),
        ("household.desil < 3", "desil < 3"),
        ("3 > desil", "desil < 3"),
        ("size(members) > 2", "members.size() > 2"),
        ("members.exists(orang, orang.age < 5)", "members.exists(m, m.age < 5)"),
        ("0x10 > desil", "desil < 16"),
        ("desil < 3 // yang termiskin", "desil < 3"),
        ("wall in ['wood', 'bamboo',]", 'wall in ["wood", "bamboo"]'),
        ("desil != null", "has(desil)"),
        ("((desil < 3))", "desil < 3"),
        (r'hamlet == "a\u0041\x42\103"', 'hamlet == "aABC"'),
    ],
)
def test_two_ways_to_say_the_same(regency, one, same):
    assert understand(one).condition == understand(same).condition


def test_values_are_bound_never_written_into_sql(regency):
    injected = "x' OR 1=1; --"
    query = households_matching(f'hamlet == "{injected}"').query
    sql, parameters = query.sql_with_params()
    assert injected not in sql
    assert injected in parameters


def test_limits_are_said(regency):
    with pytest.raises(RuleError, match=str(cel.MAX_LENGTH)):
        understand("d" * (cel.MAX_LENGTH + 1))
    with pytest.raises(RuleError, match=str(cel.MAX_LIST)):
        understand("desil in [" + ",".join(["1"] * (cel.MAX_LIST + 1)) + "]")
