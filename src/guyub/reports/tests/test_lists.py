from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from guyub.access.roles import Role
from guyub.beneficiaries.models import Delivery, Enrolment, Entry
from guyub.beneficiaries.queries import reached
from guyub.reports import deviations, queries, services
from guyub.reports.models import Report, ReportState, Timeliness

from .conftest import accepted, figures

pytestmark = pytest.mark.django_db
TODAY = dt.date(2025, 8, 1)


def submitted_on(report: Report, day: dt.date, hour: int = 10) -> Report:
    """Pretend that ``report`` was first handed in on ``day``."""
    moment = dt.datetime(
        day.year, day.month, day.day, hour, 30, tzinfo=timezone.get_default_timezone()
    )
    report.state = ReportState.SUBMITTED
    report.first_submitted_at = report.submitted_at = moment
    report.physical, report.budget, report.reached = Decimal(10), 0, 0
    report.save()
    return report


@pytest.fixture
def year(scheduled: Any, make_agency: Any) -> dict[str, list[Report]]:
    """Two agencies in 2025, seen from August: one late by two and five days, one with nothing sent."""
    social = list(scheduled("A", agency=make_agency("dinsos")).reports.order_by("period_end"))
    health = list(scheduled("B", agency=make_agency("dinkes")).reports.order_by("period_end"))
    submitted_on(social[0], social[0].due_on + dt.timedelta(days=2))
    submitted_on(social[1], social[1].due_on, hour=23)
    return {"dinsos": social, "dinkes": health}


def test_punctuality_counts_what_is_due(year: Any) -> None:
    rows = {row.code: row for row in queries.late_by_agency(2025, today=TODAY)}

    social, health = rows["dinsos"], rows["dinkes"]
    assert (social.due, social.on_time, social.late, social.missing) == (2, 1, 1, 0)
    assert social.days_late == 2
    assert social.on_time_share == 50
    assert (health.due, health.on_time, health.late, health.missing) == (2, 0, 0, 2)
    # Due on 10 April and 10 July.
    assert health.days_late == ((TODAY - dt.date(2025, 4, 10)).days + 22) / 2
    assert [row.code for row in queries.late_by_agency(2025, today=TODAY)] == ["dinkes", "dinsos"]


def test_every_number_opens_as_many_reports(year: Any) -> None:
    for row in queries.late_by_agency(2025, today=TODAY):
        for name in ("due", "on_time", "late", "missing"):
            found = queries.reports(year=2025, agency=row.code, timeliness=name, today=TODAY)
            assert found.count() == getattr(row, name), (row.code, name)


def test_the_database_and_the_model_judge_lateness_alike(year: Any) -> None:
    for kind in Timeliness:
        found = set(queries.reports(timeliness=kind, today=TODAY).values_list("pk", flat=True))
        assert found == {r.pk for r in Report.objects.all() if r.timeliness(TODAY) == kind}


def test_an_hour_before_midnight_in_jakarta_is_on_time(scheduled: Any) -> None:
    report = scheduled().reports.earliest("period_end")
    # 17:30 UTC is 00:30 the next day in Jakarta.
    submitted_on(report, report.due_on, hour=23)
    assert report.timeliness(TODAY) == Timeliness.ON_TIME
    submitted_on(report, report.due_on + dt.timedelta(days=1), hour=0)
    assert report.timeliness(TODAY) == Timeliness.LATE
    assert queries.reports(timeliness="late", today=TODAY).count() == 1


def test_cancelled_work_owes_nothing(year: Any) -> None:
    sub_activity = year["dinkes"][0].sub_activity
    sub_activity.is_cancelled = True
    sub_activity.save()

    assert [row.code for row in queries.late_by_agency(2025, today=TODAY)] == ["dinsos"]


@pytest.mark.parametrize(
    ("planned", "realised", "level"),
    [
        (50, 40, ""), (50, 39.99, "warn"), (50, 30, "warn"), (50, 29.99, "bad"),
        (70, 65, ""), (70, 64.99, "warn"), (69.99, 60, ""), (100, 80, "warn"), (100, 79.99, "bad"),
        (20, 90, ""),
    ],
)  # fmt: skip
def test_thresholds_of_deviation(planned: float, realised: float, level: str) -> None:
    assert deviations.level_of(Decimal(str(planned)), Decimal(str(realised))) == level


def test_deviations_come_from_the_latest_report(
    scheduled: Any, operator: Any, secretary: Any
) -> None:
    behind, fine, spent = (scheduled(name) for name in ("Tertinggal", "Lancar", "Boros"))
    for sub_activity, physical in ((behind, "5"), (fine, "24"), (spent, "25")):
        first, second = sub_activity.reports.order_by("period_end")[:2]
        Report.objects.filter(pk=first.pk).update(planned_physical=25)
        Report.objects.filter(pk=second.pk).update(planned_physical=30)
        accepted(first, figures(physical), operator, secretary)
    second = spent.reports.order_by("period_end")[1]
    accepted(second, figures("25", 90_000_000), operator, secretary)

    found = queries.deviations(2025)

    assert [(d.report.sub_activity.name, d.level) for d in found] == [
        ("Tertinggal", "warn"),
        ("Boros", "warn"),
    ]
    assert found[0].behind == 20
    assert "fisik tidak" in found[1].reasons[0]
    assert queries.deviations(2025, level="bad") == []
    assert queries.deviations(2024) == []


def test_what_waits_for_whom(year: Any, make_user: Any, make_agency: Any, operator: Any) -> None:
    returned = year["dinsos"][1]
    secretary = make_user(Role.SECRETARIAT)
    services.send_back(returned, version=returned.version, remark="Perbaiki", actor=secretary)
    waiting = {w.kind: w.count for w in queries.waiting(operator, today=dt.date(2025, 10, 5))}

    assert waiting == {"returned": 1, "due": 1}
    other = make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    assert [(w.kind, w.count) for w in queries.waiting(other, today=TODAY)] == [("late", 2)]
    assert [(w.kind, w.count) for w in queries.waiting(secretary)] == [("review", 1)]
    assert queries.waiting(make_user(Role.REGENT)) == []


def test_reached_is_counted_as_the_delivery_records_have_it(
    scheduled: Any, make_household: Any, operator: Any
) -> None:
    sub_activity = scheduled()
    for number in range(3):
        enrolment = Enrolment.objects.create(
            sub_activity=sub_activity, agency=sub_activity.agency, year=2025,
            help_kind=sub_activity.help_kind, household=make_household(), entry=Entry.MANUAL,
            stage_since=timezone.now(),
        )  # fmt: skip
        for month in range(1, 2 + number):
            Delivery.objects.create(
                enrolment=enrolment, sub_activity=sub_activity, amount=500_000,
                delivered_on=dt.date(2025, month, 15),
            )  # fmt: skip

    until = dt.date(2025, 2, 28)
    assert queries.delivered([sub_activity.pk], until) == {sub_activity.pk: (3, 2_500_000)}
    # The same answer as from the app that keeps them.
    assert reached(sub_activity, dt.date(2025, 1, 1), until) == (3, 2_500_000)


def test_lists_read_few_queries(
    year: Any, client_for: Any, django_assert_max_num_queries: Any
) -> None:
    client = client_for(Role.SECRETARIAT)
    for path in ("", "tinjauan/", "ketepatan/", "penyimpangan/"):
        address = f"/laporan/{path}?tahun=2025&keadaan=semua"
        client.get(address)
        with django_assert_max_num_queries(16):
            response = client.get(address)
        assert response.status_code == 200, path


def test_an_operator_first_sees_what_they_have_to_do(year: Any, client_for: Any) -> None:
    client = client_for(Role.AGENCY_OPERATOR)
    html = client.get("/laporan/?tahun=2025").content.decode()

    names = Counter(r.sub_activity.name for r in client.get("/laporan/?tahun=2025").context["page"])
    assert names == {"A": 2}
    assert "Perlu diisi" in html
    everything = client.get("/laporan/?tahun=2025&perangkat=semua&keadaan=semua").context["page"]
    assert everything.paginator.count == 8
