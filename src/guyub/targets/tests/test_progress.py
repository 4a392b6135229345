"""Achievement and standing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.targets.decimals import BadNumberError, parse_decimal
from guyub.targets.drawings import spark_points, written
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


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (0.266851 * 100, 2, "26,69"),
        (D("12.345"), 2, "12,35"),
        (1_048_000.6, 0, "1.048.001"),
        (D("529310.0000"), 0, "529.310"),
        (None, 2, "–"),
        (D(7), 1, "7,0"),
        (1e-9, 2, "0,00"),
    ],
)
def test_numbers_are_written_out_rounded_not_cut_off(value, places, text):
    assert written(value, places) == text


def test_a_little_line_keeps_to_its_box_and_to_time():
    points = spark_points([(2020, D(10)), (2021, D(20)), (2025, D(15))])
    assert points == [(3.0, 21.0), (19.4, 3.0), (85.0, 12.0)]
    assert spark_points([(2020, D(1))]) == []
    assert {y for _x, y in spark_points([(2020, D(5)), (2021, D(5))])} == {12.0}
