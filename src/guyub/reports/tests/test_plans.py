from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from guyub.reports import curves, schedules
from guyub.reports.amounts import AmountError, percent, read_count, read_percent, read_rupiah
from guyub.reports.calendar import periods

from .conftest import BUDGET
from .test_calendar import frequencies, spans


@given(spans, frequencies, st.integers(0, 10**13), st.sampled_from([curves.LINEAR, curves.S_CURVE]))
def test_every_proposal_is_a_plan(span: Any, frequency: str, total: int, shape: str) -> None:
    ends = [period.end for period in periods(*span, frequency)]
    plan = curves.propose(span[0], ends, total, shape)

    assert [point.day for point in plan] == ends
    assert not curves.flaws([(p.physical, p.budget) for p in plan], total)


@given(spans, frequencies, frequencies)
def test_a_plan_read_at_other_days_stays_a_plan(span: Any, old: str, new: str) -> None:
    ends = [period.end for period in periods(*span, old)]
    plan = curves.propose(span[0], ends, 1_000_000, curves.S_CURVE)
    other = curves.interpolate(span[0], plan, [period.end for period in periods(*span, new)])

    assert not curves.flaws([(p.physical, p.budget) for p in other], 1_000_000)


def test_a_plan_read_at_its_own_days_is_itself() -> None:
    ends = [dt.date(2026, month, 28) for month in range(1, 13)]
    plan = curves.propose(dt.date(2026, 1, 1), ends, 12_000, curves.S_CURVE)

    assert curves.interpolate(dt.date(2026, 1, 1), plan, ends) == plan


def test_the_s_is_slow_at_both_ends_and_straight_lines_are_straight() -> None:
    at = [n / 4 for n in range(5)]
    assert [curves.share_done(t, curves.LINEAR) for t in at] == at
    s = [curves.share_done(t, curves.S_CURVE) for t in at]
    assert s[0] == 0
    assert s[2] == pytest.approx(0.5)
    assert s[4] == pytest.approx(1)
    assert s[1] == pytest.approx(0.105, abs=0.01)  # the 11 % of the docs
    steps = [b - a for a, b in itertools.pairwise(s)]
    assert steps[0] < steps[1]
    assert steps[3] < steps[2]


@pytest.mark.parametrize(
    ("rows", "column", "row"),
    [
        ([(Decimal(10), 10), (Decimal(90), 100)], "physical", 1),
        ([(Decimal(10), 10), (Decimal(100), 90)], "budget", 1),
        ([(Decimal(60), 10), (Decimal(50), 20), (Decimal(100), 100)], "physical", 1),
        ([(Decimal(10), 50), (Decimal(50), 20), (Decimal(100), 100)], "budget", 1),
        ([(None, 10), (Decimal(100), 100)], "physical", 0),
        ([(Decimal(10), None), (Decimal(100), 100)], "budget", 0),
        ([(Decimal(10), 200), (Decimal(100), 100)], "budget", 0),
    ],
)
def test_what_is_no_plan_is_told_where(rows: Any, column: str, row: int) -> None:
    found = curves.flaws(rows, 100)

    assert (row, column) in {(flaw.row, flaw.column) for flaw in found}


@pytest.mark.django_db
def test_a_plan_that_ends_short_is_not_kept(scheduled: Any, operator: Any) -> None:
    sub_activity = scheduled()
    reports = list(sub_activity.reports.order_by("period_end"))
    rows = {report.pk: (Decimal(20 * n), 0) for n, report in enumerate(reports)}

    with pytest.raises(ValidationError):
        schedules.set_plan(sub_activity, rows, actor=operator)

    assert not sub_activity.reports.exclude(planned_physical=None).exists()
    good = {
        report.pk: (Decimal(25 * n), BUDGET * n // 4) for n, report in enumerate(reports, start=1)
    }
    assert schedules.set_plan(sub_activity, good, actor=operator) == 4
    assert schedules.set_plan(sub_activity, good, actor=operator) == 0


@pytest.mark.parametrize(
    ("written", "value"),
    [("45,5", "45.50"), ("45.5 %", "45.50"), ("100", "100.00"), (33.333, "33.33"), (0, "0.00")],
)
def test_per_cent_is_read(written: Any, value: str) -> None:
    assert read_percent(written) == Decimal(value)


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (read_percent, "101"), (read_percent, "-1"), (read_percent, "lima"), (read_percent, 100.5),
        (read_rupiah, "1.50"), (read_rupiah, "-5"), (read_rupiah, 12.5), (read_rupiah, 10**16),
        (read_count, "1,5"), (read_count, "12 orang"), (read_count, -3),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(read: Any, written: Any) -> None:
    with pytest.raises(AmountError):
        read(written)


@given(st.decimals(0, 100, places=2))
def test_per_cent_written_is_read_again(value: Decimal) -> None:
    assert read_percent(percent(value)) == value


@given(st.one_of(st.text(max_size=12), st.floats(), st.integers()))
def test_any_cell_is_read_or_refused(cell: Any) -> None:
    for read in (read_percent, read_rupiah, read_count):
        try:
            value = read(cell)
        except AmountError:
            continue
        assert value is None or value >= 0
