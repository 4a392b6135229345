"""Achievement and standing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.targets.decimals import BadNumberError, parse_decimal
from guyub.targets.models import Direction, Indicator, IndicatorYear
from guyub.targets.progress import Progress, Standing, achievement, grade_of

D = Decimal


@pytest.mark.parametrize(
    ("target", "actual", "direction", "percent"),
    [
        ("80", "92", Direction.UP, "115"),
        ("12", "12", Direction.DOWN, "100"),
        ("12", "13.2", Direction.DOWN, "90"),
        ("12", "10.8", Direction.DOWN, "110"),
        # PermenPANRB 6/2022, annex: 7 months planned, 6.5 taken is 107 %.
        ("7", "6.5", Direction.DOWN, "107"),
        # Worse than twice the target is no achievement, not a negative one.
        ("10", "25", Direction.DOWN, "0"),
        ("0", "0", Direction.DOWN, "100"),
        ("0", "3", Direction.UP, "100"),
    ],
)
def test_achievement(target, actual, direction, percent):
    assert round(achievement(D(target), D(actual), direction)) == D(percent)


def test_missing_a_target_of_nought_has_no_percentage():
    assert achievement(D(0), D(3), Direction.DOWN) is None
    assert achievement(None, D(3), Direction.UP) is None
    assert achievement(D(3), None, Direction.UP) is None


positive = st.decimals(1, 1000, places=2)


@given(positive, positive, st.sampled_from(Direction.values))
def test_a_target_is_met_exactly_from_a_hundred_per_cent_on(target, actual, direction):
    indicator = Indicator(direction=direction)
    progress = Progress(indicator, 2026, IndicatorYear(target=target, actual=actual))
    assert (progress.standing is Standing.MET) == (progress.achievement >= 100)


@pytest.mark.parametrize(
    ("percent", "grade"),
    [("91", "Sangat tinggi"), ("90.5", "Sangat tinggi"), ("90.4", "Tinggi"), ("76", "Tinggi"),
     ("75", "Sedang"), ("51", "Rendah"), ("50", "Sangat rendah"), ("0", "Sangat rendah")],
)  # fmt: skip
def test_grades(percent, grade):
    assert grade_of(D(percent)) == grade


def test_standing_without_numbers():
    indicator = Indicator(direction=Direction.DOWN)
    assert Progress(indicator, 2026, None).standing is Standing.WAITING
    only_actual = IndicatorYear(actual=D(3))
    assert Progress(indicator, 2026, only_actual).standing is Standing.NO_TARGET


@pytest.mark.parametrize(
    ("direction", "before", "now", "improves"),
    [
        (Direction.DOWN, "13", "12", True),
        (Direction.DOWN, "12", "13", False),
        (Direction.UP, "12", "13", True),
        (Direction.UP, "12", "12", None),
    ],
)
def test_which_way_it_moves(direction, before, now, improves):
    progress = Progress(
        Indicator(direction=direction),
        2026,
        IndicatorYear(actual=D(now)),
        IndicatorYear(actual=D(before)),
    )
    assert progress.improves is improves


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12,53", "12.53"),
        ("12.53", "12.53"),
        ("Rp 529.310", "529310"),
        ("1.234.567,8", "1234567.8"),
        ("1,234,567.8", "1234567.8"),
        (" 12,53 % ", "12.53"),
        ("-3,5", "-3.5"),
        ("0", "0"),
        ("1,234,567", "1234567"),
        ("1.5E2", "150"),
    ],
)
def test_numbers_as_people_write_them(text, number):
    assert parse_decimal(text) == D(number)


def test_a_dot_before_three_figures_is_read_as_its_file_means_it():
    assert parse_decimal("529.310") == 529310
    assert parse_decimal("529.310", from_excel=True) == D("529.31")
    assert parse_decimal("1.529.310", from_excel=True) == 1529310


@pytest.mark.parametrize("text", ["", "abc", "12,5,3.1.2", "1e999", "=1+1", "--3", "9" * 40, "٣"])
def test_what_is_no_number(text):
    with pytest.raises(BadNumberError):
        parse_decimal(text)


@given(st.decimals(-(10**9), 10**9, places=2))
def test_numbers_written_the_indonesian_way_come_back(number):
    assert parse_decimal(f"{number:,.2f}".translate(str.maketrans(",.", ".,"))) == number


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(text):
    try:
        parse_decimal(text)
    except BadNumberError as error:
        assert "bukan angka" in str(error)
