from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.audit.models import Event
from guyub.programs.models import SubActivity
from guyub.reports import curves, schedules, services
from guyub.reports.calendar import DAY, Period, due_date, periods, remaining
from guyub.reports.models import Report, ReportState

from .conftest import BUDGET, figures

days = st.dates(dt.date(2020, 1, 1), dt.date(2032, 12, 31))
spans = st.tuples(days, st.integers(0, 800)).map(lambda s: (s[0], s[0] + dt.timedelta(days=s[1])))
frequencies = st.sampled_from(["monthly", "quarterly"])


def covered(found: list[Period]) -> list[dt.date]:
    return [p.start + DAY * n for p in found for n in range((p.end - p.start).days + 1)]


@given(spans, frequencies)
def test_periods_cover_every_day_exactly_once(span: Any, frequency: str) -> None:
    start, end = span
    found = periods(start, end, frequency)

    assert covered(found) == [start + DAY * n for n in range((end - start).days + 1)]


@given(spans, frequencies)
def test_periods_stay_within_one_month_or_quarter(span: Any, frequency: str) -> None:
    length = {"monthly": 1, "quarterly": 3}[frequency]
    for period in periods(*span, frequency):
        first, last = (d.year * 12 + d.month - 1 for d in (period.start, period.end))
        assert first // length == last // length


@given(spans, frequencies, frequencies, st.randoms(use_true_random=False))
def test_a_new_calendar_tiles_around_reports_that_were_begun(
    span: Any, old: str, new: str, random: Any
) -> None:
    start, end = span
    kept = [period for period in periods(start, end, old) if random.random() < 0.4]

    both = sorted([*kept, *remaining(periods(start, end, new), kept)])

    assert covered(both) == [start + DAY * n for n in range((end - start).days + 1)]


def test_quarters_are_cut_to_the_dates() -> None:
    assert periods(dt.date(2026, 2, 10), dt.date(2026, 7, 5), "quarterly") == [
        Period(dt.date(2026, 2, 10), dt.date(2026, 3, 31)),
        Period(dt.date(2026, 4, 1), dt.date(2026, 6, 30)),
        Period(dt.date(2026, 7, 1), dt.date(2026, 7, 5)),
    ]


def test_a_calendar_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="end"):
        periods(dt.date(2026, 2, 2), dt.date(2026, 2, 1), "monthly")


@pytest.mark.django_db
def test_a_schedule_makes_a_report_for_every_period(scheduled: Any) -> None:
    sub_activity = scheduled(frequency="monthly")
    reports = list(sub_activity.reports.order_by("period_end"))

    assert len(reports) == 12
    assert {report.state for report in reports} == {ReportState.MISSING}
    assert all(r.due_on == due_date(r.period_end, 10) for r in reports)
    assert Event.objects.filter(action="reports.schedule.set").count() == 1


@pytest.mark.django_db
def test_a_new_frequency_keeps_what_was_filled_in(scheduled: Any, operator: Any) -> None:
    sub_activity = scheduled()
    first = sub_activity.reports.earliest("period_end")
    services.save_draft(first, version=0, figures=figures(), actor=operator)

    schedules.set_schedule(sub_activity, frequency="monthly", grace_days=5, actor=operator)

    reports = list(sub_activity.reports.order_by("period_end"))
    assert reports[0].pk == first.pk
    assert reports[0].physical == Decimal(10)
    assert [r.period_start.month for r in reports] == [1, *range(4, 13)]
    found = [Period(r.period_start, r.period_end) for r in reports]
    assert covered(found)[0] == sub_activity.starts_on
    assert covered(found)[-1] == sub_activity.ends_on


@pytest.mark.django_db
def test_a_new_frequency_carries_the_plan_over(scheduled: Any, operator: Any) -> None:
    sub_activity = scheduled()
    reports = list(sub_activity.reports.order_by("period_end"))
    rows = {
        r.pk: (Decimal(p), b)
        for r, p, b in zip(
            reports, (10, 50, 80, 100), (0, 200_000_000, 300_000_000, BUDGET), strict=True
        )
    }
    schedules.set_plan(sub_activity, rows, actor=operator)

    schedules.set_schedule(sub_activity, frequency="monthly", grace_days=10, actor=operator)

    found = list(sub_activity.reports.order_by("period_end"))
    assert [r.planned_physical for r in found][2::3] == [10, 50, 80, 100]
    plan = [(r.planned_physical, r.planned_budget) for r in found]
    assert not curves.flaws(plan, BUDGET)


@pytest.mark.django_db
def test_the_same_schedule_again_keeps_every_report(scheduled: Any) -> None:
    sub_activity = scheduled()
    before = set(sub_activity.reports.values_list("pk", flat=True))

    schedules.set_schedule(sub_activity, frequency="quarterly", grace_days=14, actor=None)

    assert set(sub_activity.reports.values_list("pk", flat=True)) == before
    assert sub_activity.reports.earliest("period_end").due_on == dt.date(2025, 4, 14)


@pytest.mark.django_db
def test_later_dates_of_a_sub_activity_lengthen_the_calendar(scheduled: Any) -> None:
    sub_activity = scheduled()
    SubActivity.objects.filter(pk=sub_activity.pk).update(ends_on=dt.date(2026, 2, 15))

    schedules.set_schedule(sub_activity, frequency="quarterly", grace_days=10, actor=None)

    assert sub_activity.reports.latest("period_end").period_end == dt.date(2026, 2, 15)


@pytest.mark.django_db
def test_a_year_is_scheduled_once(make_sub_activity: Any, secretary: Any, regency: Any) -> None:
    for number in range(3):
        make_sub_activity(f"Sub {number}")
    make_sub_activity("Batal", is_cancelled=True)
    make_sub_activity("Tahun lain", year=2024)

    first = schedules.schedule_year(2026, shape=curves.S_CURVE, actor=secretary)
    again = schedules.schedule_year(2026, shape=curves.S_CURVE, actor=secretary)

    assert (first, again) == (3, 0)
    assert Report.objects.count() == 12
    assert not Report.objects.filter(planned_physical=None).exists()


@pytest.mark.django_db
def test_scheduling_a_year_reads_and_writes_in_bulk(
    make_sub_activity: Any, django_assert_max_num_queries: Any, regency: Any
) -> None:
    for number in range(30):
        make_sub_activity(f"Sub {number}")

    with django_assert_max_num_queries(20):
        schedules.schedule_year(2026, frequency="monthly", shape="s", actor=None)

    assert Report.objects.count() == 360
