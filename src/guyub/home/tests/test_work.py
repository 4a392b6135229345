"""What first pages say of the work, and that every number opens the records behind it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from guyub.access.roles import Role
from guyub.obstacles.models import Obstacle, ObstacleState, Severity
from guyub.reports.models import Report, ReportState, Schedule
from guyub.targets.models import Measure, PublishedFigure

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


@pytest.fixture
def at_work(
    regency: Any,
    make_agency: Callable[..., Any],
    make_sub_activity: Callable[..., Any],
    make_user: Callable[..., Any],
) -> Any:
    """An agency with a late report, one far behind plan, and an obstacle that waits for it."""
    agency = make_agency("dinsos")
    sub = make_sub_activity("RTLH", agency=agency, year=TODAY.year)
    Schedule.objects.create(sub_activity=sub)
    first = dt.date(TODAY.year, 1, 1)
    Report.objects.create(
        sub_activity=sub,
        period_start=first,
        period_end=first,
        due_on=TODAY - dt.timedelta(days=40),
        planned_physical=Decimal(80),
        physical=Decimal(20),
        budget=0,
        reached=0,
        state=ReportState.SUBMITTED,
        first_submitted_at=timezone.now() - dt.timedelta(days=50),
        submitted_at=timezone.now() - dt.timedelta(days=50),
    )
    Report.objects.create(
        sub_activity=sub,
        period_start=first + dt.timedelta(days=1),
        period_end=first + dt.timedelta(days=2),
        due_on=TODAY - dt.timedelta(days=5),
    )
    Obstacle.objects.create(
        title="Data penerima belum cocok",
        description="Daftar desa berbeda dengan acuan.",
        category="data",
        severity=Severity.SEVERE,
        needed_agency=agency,
        due_on=TODAY - dt.timedelta(days=1),
        state=ObstacleState.OPEN,
        reported_by=make_user(Role.SECRETARIAT),
        reported_at=timezone.now(),
    )
    for year, value in ((2022, "12.84"), (2023, "12.53")):
        PublishedFigure.objects.create(
            measure=Measure.P0, area_code="33.02", year=year, value=Decimal(value), source="BPS"
        )
    return agency


def page_of(client: Client) -> str:
    response = client.get("/")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("role", [Role.REGENT, Role.SECRETARIAT, Role.AGENCY_HEAD])
def test_every_number_opens_the_records_behind_it(
    role: Role, at_work: Any, client_for: Callable[..., Client]
) -> None:
    client = client_for(role)
    html = page_of(client)
    main = html[html.index("<main") :]
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)"', main)}
    assert len(links) > 5
    for link in sorted(links):
        assert client.get(link).status_code == 200, link


def test_the_regent_sees_who_is_late_what_deviates_and_how_poverty_went(
    at_work: Any, client_for: Callable[..., Client]
) -> None:
    page = page_of(client_for(Role.REGENT))
    assert "Siapa yang terlambat melapor" in page
    assert "Apa yang menyimpang dari rencana" in page
    assert "tertinggal 60 poin" in page
    assert "12,53 %" in page
    assert "-0,31 poin sejak 2022" in page


def test_an_agency_head_sees_what_waits_for_the_agency(
    at_work: Any, client_for: Callable[..., Client], make_agency: Callable[..., Any]
) -> None:
    page = page_of(client_for(Role.AGENCY_HEAD))
    assert "Data penerima belum cocok" in page
    assert "1 laporan kemajuan terlambat" in page
    other = page_of(client_for(Role.AGENCY_HEAD, agency=make_agency("dinkes")))
    assert "Data penerima belum cocok" not in other
    assert "laporan kemajuan terlambat" not in other
    assert "Siapa yang terlambat melapor" not in other
