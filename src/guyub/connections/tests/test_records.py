"""An operation about one record: it is fetched once, and checked however its number is written."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guyub.access.roles import Role
from guyub.obstacles import services as obstacles
from guyub.obstacles.models import ObstacleStep
from guyub.reports.models import Report
from guyub.reports.schedules import set_schedule


def fetched(model, call):
    """Make a call that shall succeed, and return how often it read single records of ``model``."""
    table = model._meta.db_table
    by_key = re.compile(rf'^SELECT "{table}"\."id", .* WHERE .*"{table}"\."id" = ')
    with CaptureQueriesContext(connection) as queries:
        answer = call()
    assert answer.status_code in (200, 201), answer.content
    return sum(bool(by_key.match(query["sql"])) for query in queries)


@pytest.fixture
def obstacle(make_agency, make_user):
    return obstacles.report(
        title="Data belum padan", description="Menunggu data.", category="data", severity=2,
        needed_agency=make_agency("dinsos"), due_on=timezone.localdate() + dt.timedelta(days=9),
        actor=make_user(Role.SECRETARIAT),
    )  # fmt: skip


def test_a_household_is_fetched_once(caller, make_household):
    home = make_household()
    found = caller("registry:read")
    path = f"/api/v1/registry/households/{home.pk}"
    assert fetched(type(home), lambda: found.get(path)) == 1
    assert found.get(f"{path}.0").json()["id"] == home.pk


def test_a_report_is_fetched_once_before_it_is_written(caller, make_sub_activity):
    sub = make_sub_activity(year=2025)
    set_schedule(sub, frequency="quarterly", grace_days=10, actor=None)
    report = Report.objects.filter(sub_activity=sub).earliest("period_end")
    found = caller("reports:write")
    given = {"version": report.version, "physical": "10.00", "narrative": "Mulai."}
    path = f"/api/v1/reports/{report.pk}/draft"
    # Then the service locks it, and the answer reads it anew.
    assert fetched(Report, lambda: found.post(path, given)) == 3


def test_another_agencys_record_stays_closed_however_its_number_is_written(
    caller, obstacle, make_agency
):
    stranger = caller("obstacles:write", agency=make_agency("dinkes"))
    for number in (obstacle.pk, f"{obstacle.pk}.0", f"0{obstacle.pk}"):
        answer = stranger.post(f"/api/v1/obstacles/{number}/steps", {"text": "Saya coba."})
        assert answer.status_code == 403, number
    assert not ObstacleStep.objects.filter(text="Saya coba.").exists()
    helper = caller("obstacles:write")
    answer = helper.post(f"/api/v1/obstacles/{obstacle.pk}.0/steps", {"text": "Data dikirim."})
    assert answer.status_code == 201


def test_a_key_that_is_none_is_refused_as_such(caller):
    found = caller("fieldwork:read")
    answer = found.get("/api/v1/fieldwork/submissions/bukan-kunci")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "instance"
