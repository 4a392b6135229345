import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.programs.nomenclature import BadCodeError, CodeLevel, check_under, parse

two = st.integers(0, 99).map("{:02d}".format)
four = st.integers(0, 9999).map("{:04d}".format)
one = st.integers(0, 9).map(str)
codes = st.tuples(one | st.just("X"), two | st.just("XX"), two, one, two, four)


@given(codes, st.sampled_from(list(CodeLevel)))
def test_a_code_reads_back_as_it_was_written(parts, level):
    text = ".".join(parts[:level])
    code = parse(text)
    assert str(code) == text
    assert code.level is level
    assert parse(f"  {text.lower()}. ", level) == code


@given(codes)
def test_every_level_lies_under_the_one_above(parts):
    chain = [parse(".".join(parts[:level])) for level in CodeLevel]
    assert chain[0].parent is None
    for above, below in itertools.pairwise(chain):
        assert below.parent == above
        check_under(str(below), str(above))
        assert below.is_under(above)
        assert not above.is_under(below)
    assert chain[-1].is_under(chain[0])
    assert not chain[0].is_under(chain[0])


@given(codes, codes)
def test_a_child_of_another_parent_is_told(mine, other):
    child, parent = ".".join(mine), ".".join(other[:5])
    if mine[:5] == other[:5]:
        check_under(child, parent)
    else:
        with pytest.raises(BadCodeError, match=r"tidak berada di bawah"):
            check_under(child, parent)


@given(st.text(max_size=20))
def test_any_text_is_a_code_or_is_refused_with_an_example(text):
    try:
        code = parse(text)
    except BadCodeError as error:
        assert "misalnya" in str(error) or "ditulis" in str(error)
    else:
        assert parse(str(code)) == code


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.4.03", "1.04.03.2", "1.04.03.2.03.02", "1.04.03.2.03.00002", "1.04.03.02.03.0002",
     "1-04-03", "A.04.03", "1.04.XX", "1..03", "１.04.03", "1.04.03.2.03.0002.5"],
)  # fmt: skip
def test_what_is_no_code_is_refused(text):
    with pytest.raises(BadCodeError):
        parse(text)


def test_the_level_that_was_asked_for_is_told():
    with pytest.raises(BadCodeError, match=r"lima bagian"):
        parse("1.04.03", CodeLevel.ACTIVITY)
    with pytest.raises(BadCodeError, match=r"berakhir empat angka"):
        parse("1.04.03.2.03.2", CodeLevel.SUB_ACTIVITY)
    with pytest.raises(BadCodeError, match=r"tiga bagian"):
        parse("1.04", CodeLevel.PROGRAM)


def test_a_missing_code_contradicts_nothing():
    check_under("", "1.04.03")
    check_under("1.04.03.2.03", "")
