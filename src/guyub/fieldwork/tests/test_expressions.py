"""Expressions of forms: what they mean, what is refused, and that browsers work them out alike."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from guyub.fieldwork import patterns
from guyub.fieldwork.evaluation import Plain, evaluate, number_text, to_number
from guyub.fieldwork.expressions import FUNCTIONS, OF_ITSELF, ExpressionError, parse, paths_of

pytestmark = pytest.mark.own_database

NOW = "2026-08-17T09:30:15.250+07:00"
VALUES: dict[str, list[Any]] = {
    "umur": [31.0],
    "nol": [0.0],
    "nama": ["Siti Aminah"],
    "kosong": [""],
    "bantuan": ["pkh bpnt"],
    "lahir": ["1994-02-28"],
    "pukul": ["2026-08-17T21:45:30.500+07:00"],
    "usia": [4.0, 31.0, "", 62.0],
    "tak_ada": [],
}
CASES: list[tuple[str, Any]] = [
    ("1 + 2 * 3 - 4 div 8", 6.5),
    ("(1 + 2) * 3", 9.0),
    ("-5 mod 3", -2.0),
    ("1 div 0", math.inf),
    ("-1 div 0", -math.inf),
    ("0 div 0", math.nan),
    ("${umur} >= 17 and ${umur} < 60", True),
    ("not(${umur} = 31) or false()", False),
    ("${kosong} = ''", True),
    ("${kosong} = 0", False),
    ("${umur} != ''", True),
    ("${kosong} + 1", math.nan),
    ("${tak_ada} = ''", False),
    ("string(${tak_ada})", ""),
    ("boolean(${nol})", False),
    ("if(${nol}, 'ya', 'tidak')", "tidak"),
    ("if('0', 'ya', 'tidak')", "ya"),
    ("boolean('false')", True),
    ("boolean-from-string('false')", False),
    ("true() = 1", True),
    ("'a' = true()", True),
    ("'07' = '7'", False),
    ("'07' = 7", True),
    ("selected(${bantuan}, 'pkh')", True),
    ("selected(${bantuan}, 'pk')", False),
    ("selected(${kosong}, '')", False),
    ("count-selected(${bantuan})", 2.0),
    ("selected-at(${bantuan}, 1)", "bpnt"),
    ("selected-at(${bantuan}, 2)", ""),
    ("coalesce(${kosong}, 'x')", "x"),
    ("concat(${nama}, ' / ', ${umur})", "Siti Aminah / 31"),
    ("join(', ', ${usia})", "4, 31, , 62"),
    ("string-length(${nama})", 11.0),
    ("string-length('😀é')", 2.0),
    ("substr(${nama}, 5)", "Aminah"),
    ("substr(${nama}, 0, -7)", "Siti"),
    ("substring-before(${nama}, ' ')", "Siti"),
    ("substring-after(${nama}, ' ')", "Aminah"),
    ("substring-after(${nama}, 'x')", ""),
    ("contains(${nama}, 'min')", True),
    ("starts-with(${nama}, 'Siti') and ends-with(${nama}, 'ah')", True),
    ("translate('1.234,5', '.,', '')", "12345"),
    ("translate('abc', 'abc', 'xy')", "xy"),
    ("normalize-space('  a \n b ')", "a b"),
    ("number('1e3')", math.nan),
    ("number(' 12.50 ')", 12.5),
    ("int(-3.7)", -3.0),
    ("1 div int(-0.5)", math.inf),
    ("round(2.5)", 3.0),
    ("round(-2.5)", -2.0),
    ("round(3.14159, 2)", 3.14),
    ("round(1250, -2)", 1300.0),
    ("floor(-1.2)", -2.0),
    ("ceiling(-1.2)", -1.0),
    ("abs(-4)", 4.0),
    ("sqrt(2)", math.sqrt(2)),
    ("sqrt(-1)", math.nan),
    ("pow(1.1, 3)", 1.1 * 1.1 * 1.1),
    ("min(${usia})", 4.0),
    ("max(${usia}, 70)", 70.0),
    ("max(${kosong})", math.nan),
    ("sum(${usia})", 97.0),
    ("count(${usia})", 4.0),
    ("count-non-empty(${usia})", 3.0),
    ("${usia} > 60", True),
    ("${usia} = ${umur}", True),
    ("today()", "2026-08-17"),
    ("now()", NOW),
    ("${lahir} < today()", True),
    ("${lahir} <= '1994-02-28'", True),
    ("int((today() - ${lahir}) div 365.25)", 32.0),
    ("date(today() + 14)", "2026-08-31"),
    ("date('2026-02-30')", ""),
    ("date(10000000)", ""),
    ("number('1970-01-02')", 1.0),
    ("number('0000-01-01')", math.nan),
    ("decimal-date-time('1970-01-02T12:00:00Z')", 1.5),
    ("decimal-time('18:00:00.000+07:00')", 0.75),
    ("date-time(${pukul})", "2026-08-17T21:45:30.500+07:00"),
    ("format-date(${lahir}, '%d %b %Y (%A, %n/%e/%y)')", "28 Feb 1994 (Senin, 2/28/94)"),
    ("format-date-time(${pukul}, '%H.%M:%S,%3 %%')", "21.45:30,500 %"),
    ("format-date('x', '%Y')", ""),
    ("regex('3302', '[0-9]{4}')", True),
    ("regex('33021', '[0-9]{4}')", False),
    ("regex('Mâ', '\\p{L}+')", True),
    ("regex(${nama}, '^(Siti|Budi) \\w+$')", True),
    ("regex('', 'a*')", True),
    ("regex('a\nb', 'a.b')", False),
    ("regex('-x]', '[\\]x-]+')", True),
    ("regex('08123', '(\\+62|0)8\\d{1,3}?')", True),
    ("jr:choice-name(${nama}, '${nama}')", ""),
    ("jr:choice-name('pkh', '${bantuan}')", "Keluarga Harapan"),
    ("indexed-repeat(${usia}, ${usia}, 2)", 31.0),
    ("indexed-repeat(${usia}, ${usia}, 9) = ''", False),
    ("position(..)", 3.0),
    (". = 'jawaban' and string-length() = 7", True),
    ("once('baru')", "jawaban"),
    ("1000000000000000000000 * 1000", 1e24),
    ("string(1000000000000000000000 * 1000)", "1" + "0" * 24),
    ("string(1 div 3000000000)", "0." + "0" * 9 + repr(1 / 3e9).split("e")[0].replace(".", "")),
    ("string(-0.5)", "-0.5"),
    ("string(0 - 0)", "0"),
    ("“teks”", "teks"),
]  # fmt: skip
LABELS = {"pkh": "Keluarga Harapan"}


def around() -> Plain:
    return Plain(
        VALUES, now=NOW, position=3, itself="jawaban", labels=LABELS, columns={"desa": "Cirahab"}
    )


def plain(value: Any) -> Any:
    """Return a value as JSON carries it, with NaN and infinities told apart and no negative zero."""
    if isinstance(value, list):
        return [plain(node) for node in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return float(value) + 0 if math.isfinite(value) else str(value)


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _value in CASES])
def test_what_expressions_mean(text, expected):
    found = evaluate(parse(text), around())
    found = found[0] if isinstance(found, list) else found
    assert plain(found) == plain(expected)
    assert type(found) is type(expected)


def test_every_function_has_a_case():
    named = {name for name in FUNCTIONS if any(f"{name}(" in text for text, _value in CASES)}
    assert named == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "start", "words"),
    [
        ("", 0, "kosong"),
        ("${umur} >", 8, "terputus"),
        ("umur > 17", 0, "${umur}"),
        ("${umur} > 17 && 1", 13, "and atau or"),
        ("pulldata('x', 'y')", 0, "pulldata() belum didukung"),
        ("../umur > 3", 2, "Jalur XPath"),
        ("if(1, 2)", 0, "3 nilai"),
        ("selected(${a}; 'x')", 13, "koma"),
        ("regex(., '(a')", 0, "belum ditutup"),
        ("regex(., ${umur})", 0, "langsung"),
        ("regex(., 'a{2,1}')", 0, "naik"),
        ("'buka", 0, "kutip"),
        ("(1 + 2", 0, "belum ditutup"),
        (".. = 1", 0, "position(..)"),
        ("position(.)", 0, "position(..)"),
        ("${ }", 0, "nama pertanyaan"),
        ("${last-saved#a}", 0, "default"),
        ("pow(2, ${umur})", 0, "Pangkat"),
        ("1 2", 2, "2"),
        ("(" * 500 + "1" + ")" * 500 + "+", 0, ""),
        ("-" * 2000 + "1", 0, "terlalu"),
        ("x" * 7000, 0, "6000"),
    ],
)
def test_what_is_refused_is_explained(text, start, words):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    if words:
        assert words in caught.value.message
        assert caught.value.start == start


def test_names_become_paths():
    def resolve(name: str) -> str:
        if name != "umur":
            raise LookupError("tidak ada pertanyaan itu")
        return "/orang/umur"

    tree = parse("${umur} > 3 or indexed-repeat(${umur}, ${umur}, ${umur}) = 1", resolve)
    assert paths_of(tree) == {"/orang/umur"}
    with pytest.raises(ExpressionError, match="tidak ada pertanyaan") as caught:
        parse("1 + ${nama}", resolve)
    assert (caught.value.start, caught.value.end) == (4, 11)
    assert parse("desa = 'Cirahab'", columns=True) == ["=", ["column", "desa"], ["str", "Cirahab"]]


@given(st.text(max_size=40) | st.text(alphabet="${}ab()[]'\".,+-*=<>!/ 01", max_size=40))
def test_whatever_is_written_is_read_or_refused(text):
    try:
        json.dumps(parse(text, columns=True))
    except ExpressionError as error:
        assert error.message


@given(st.text(alphabet="ab(|)*+?{}[]^$\\-.,0129dwWp:", max_size=25))
def test_whatever_pattern_is_read_or_refused(text):
    try:
        program = patterns.compile_pattern(text)
    except patterns.PatternError as error:
        assert error.message
        return
    patterns.matches(program, "ab019_")


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)*x", "((a{1,9}){1,9}){1,9}b"]
)
def test_no_pattern_takes_long(pattern):
    program = patterns.compile_pattern(pattern)
    assert not patterns.matches(program, "a" * 2_000)


@pytest.mark.parametrize(
    "pattern", ["((((a{99}){99}){99}){99})", "(((){500}){500}){500}", "a{500}{500}"]
)
def test_patterns_do_not_grow_without_end(pattern):
    with contextlib.suppress(patterns.PatternError):
        assert len(patterns.compile_pattern(pattern)) < 10


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_is_the_same_number(number):
    text = number_text(number)
    assert "e" not in text
    assert to_number(text) == number


# A tree of everything there is, whether it makes sense or not.
LEAVES = (
    st.one_of(
        st.sampled_from([0.0, 1.0, -2.5, 0.1, 31.0, 1e21, 1e-7, 719162.0]),
        st.floats(-1e6, 1e6, allow_nan=False).map(float),
    ).map(lambda number: ["num", number])
    | st.sampled_from(
        ["", " ", "pkh", "a b", "2026-08-17", "10:30", "3", "-1.50", "NaN", "%d/%m", "Ω😀", "abab"]
    ).map(lambda text: ["str", text])
    | st.sampled_from(sorted(VALUES)).map(lambda name: ["ref", name])
    | st.sampled_from([["self"], ["position"], ["column", "desa"]])
)
PROGRAMS = [
    patterns.compile_pattern(p)
    for p in ("a*b|[^0-9]+", "\\d+(\\.\\d+)?", "(ab){1,2}.?", "\\p{L}\\W*")
]
ORDINARY = sorted(set(FUNCTIONS) - {"regex", "jr:choice-name", "indexed-repeat", "position", "pow"})


def branches(inner: Any) -> Any:
    operators = st.sampled_from("= != < <= > >= + - * div mod and or".split())

    def call(name: str) -> Any:
        least, most = FUNCTIONS[name]
        least = max(least, name in OF_ITSELF)
        sizes = st.integers(least, 3 if most is None else most)
        return sizes.flatmap(
            lambda n: st.tuples(*[inner] * n).map(lambda parts: ["call", name, *parts])
        )

    return st.one_of(
        st.tuples(operators, inner, inner).map(list),
        inner.map(lambda part: ["neg", part]),
        st.sampled_from(ORDINARY).flatmap(call),
        st.tuples(inner, st.sampled_from(PROGRAMS)).map(lambda pair: ["regex", *pair]),
        inner.map(lambda part: ["choice-name", part, "bantuan"]),
        inner.map(lambda part: ["indexed", "usia", "usia", part]),
        inner.map(lambda part: ["call", "pow", part, ["num", 3.0]]),
    )


STATIC = Path(__file__).resolve().parent.parent / "static" / "fieldwork"
ASK = """async ({trees, values, now, labels}) => {
  const {evaluate} = await import("/expressions.js");
  const around = {
    now, position: 3, itself: "jawaban",
    nodes: (path, chosen = {}) => {
      let found = values[path] || [];
      for (const number of Object.values(chosen)) found = number > 0 ? found.slice(number - 1, number) : [];
      return found;
    },
    choiceLabel: (_path, value) => labels[value] || "",
    column: (name) => ({desa: "Cirahab"})[name] || "",
  };
  const plain = (value) => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "number") return value;
    if (Number.isNaN(value)) return "nan";
    return Number.isFinite(value) ? value + 0 : value > 0 ? "inf" : "-inf";
  };
  return trees.map((tree) => {
    try { return plain(evaluate(tree, around)); } catch (error) { return String(error); }
  });
}"""


def module_page(browser: Any) -> Any:
    """Return a page that can import this app's modules, without a server."""
    page = browser.new_page()

    def answer(route: Any) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if name:
            route.fulfill(path=STATIC / name, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route("**/*", answer)
    page.goto("https://guyub.test/")
    return page


@pytest.mark.browser
def test_browsers_work_it_out_alike(browser):
    trees = [parse(text) for text, _value in CASES]

    @seed(20260817)
    @settings(
        max_examples=600, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.recursive(LEAVES, branches, max_leaves=8))
    def collect(tree):
        trees.append(tree)

    collect()
    # Through JSON, as forms are kept.
    trees = json.loads(json.dumps(trees))
    page = module_page(browser)
    found = page.evaluate(ASK, {"trees": trees, "values": VALUES, "now": NOW, "labels": LABELS})
    page.close()
    assert len(found) == len(trees) > 600
    for tree, theirs in zip(trees, found, strict=True):
        assert plain(evaluate(tree, around())) == plain(theirs), tree
