from __future__ import annotations

import datetime as dt
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from guyub.home.management.commands import daily
from guyub.meetings.models import AgendaItem, Decision, DecisionState, Meeting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    """The nightly check of the audit log drops an anchor, which must not outlive the test."""
    settings.DATA_DIR = tmp_path


@pytest.fixture
def overdue() -> Decision:
    now = timezone.now()
    meeting = Meeting.objects.create(
        title="Rapat",
        starts_at=now - dt.timedelta(days=20),
        ends_at=now - dt.timedelta(days=19),
        place="Pendopo",
        input_due_on=now.date(),
    )
    item = AgendaItem.objects.create(meeting=meeting, position=1, title="RTLH")
    return Decision.objects.create(
        meeting=meeting,
        item=item,
        number=1,
        text="Ya.",
        state=DecisionState.PENDING,
        decided_at=now,
        ratify_by=now.date() - dt.timedelta(days=2),
    )


def test_the_days_jobs_are_done_once(overdue: Decision) -> None:
    told = StringIO()
    call_command("daily", stdout=told)
    overdue.refresh_from_db()
    assert overdue.state == DecisionState.ESCALATED
    assert "Keputusan yang lewat batas pengesahan: 1" in told.getvalue()
    again = StringIO()
    call_command("daily", stdout=again)
    assert "Keputusan yang lewat batas pengesahan: 0" in again.getvalue()


def test_one_job_that_fails_does_not_stop_the_others(
    overdue: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("surel mati")

    monkeypatch.setattr(daily, "send_reminders", fail)
    with pytest.raises(CommandError, match="Pengingat laporan"):
        call_command("daily", stdout=StringIO())
    overdue.refresh_from_db()
    assert overdue.state == DecisionState.ESCALATED
