from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.documents import built, mailing
from guyub.documents.models import Dispatch, DispatchState, Rhythm, Schedule
from guyub.documents.question import Question
from guyub.documents.rhythm import next_after

pytestmark = pytest.mark.django_db


def entry(actor: Any, people: Any, kind: str = "agency", **more: Any) -> Schedule:
    values = {
        "kind": kind, "rhythm": "monthly", "carriage": "attachment", "format": "xlsx", **more,
    }  # fmt: skip
    return mailing.schedule(values=values, recipients=people, actor=actor)


@pytest.fixture
def due(secretary: Any, sub: Any) -> Schedule:
    """An agency's report that falls due today."""
    found = entry(secretary, [secretary], agency=sub.agency)
    Schedule.objects.filter(pk=found.pk).update(next_on=timezone.localdate())
    found.refresh_from_db()
    return found


@pytest.mark.parametrize(
    ("rhythm", "day", "then"),
    [
        (Rhythm.WEEKLY, "2026-11-25", "2026-11-30"),
        (Rhythm.WEEKLY, "2026-11-30", "2026-12-07"),
        (Rhythm.MONTHLY, "2026-11-25", "2026-12-01"),
        (Rhythm.MONTHLY, "2026-12-01", "2027-01-01"),
        (Rhythm.QUARTERLY, "2026-11-25", "2027-01-01"),
        (Rhythm.QUARTERLY, "2026-03-31", "2026-04-01"),
        (Rhythm.QUARTERLY, "2026-04-01", "2026-07-01"),
    ],
)
def test_when_a_rhythm_falls_next(rhythm: str, day: str, then: str) -> None:
    assert next_after(rhythm, dt.date.fromisoformat(day)) == dt.date.fromisoformat(then)


def test_two_runs_of_a_day_send_once(due: Schedule, mailoutbox: Any) -> None:
    today = timezone.localdate()

    assert mailing.send_due(today) == 1
    assert mailing.send_due(today) == 0

    (message,) = mailoutbox
    name, content, _type = message.attachments[0]
    assert name.endswith(".xlsx")
    assert content[:2] == b"PK"
    assert "Data acuan" in message.body
    assert f"/dokumen/jadwal/{due.pk}/berhenti/" in message.body
    assert due.dispatches.get().state == DispatchState.SENT
    due.refresh_from_db()
    assert due.next_on > today


def test_a_run_that_died_is_resumed_under_the_same_name(due: Schedule, mailoutbox: Any) -> None:
    mailing._fall_due(timezone.localdate())
    dispatch = due.dispatches.get()
    now = timezone.now()
    Dispatch.objects.update(held_until=now + mailing.HOLD, tries=1)
    assert mailing.send_due() == 0
    Dispatch.objects.update(held_until=now - dt.timedelta(seconds=1))

    assert mailing.send_due() == 1
    assert mailing.send_due() == 0
    expected = f"laporan-{due.pk}-{dispatch.user_id}-{dispatch.due_on:%Y%m%d}@"
    assert expected in mailoutbox[0].extra_headers["Message-ID"]


def test_a_failure_is_shown_and_tried_again(
    due: Schedule, mailoutbox: Any, client_for: Any, monkeypatch: Any
) -> None:
    def refuse(self: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", refuse)
        assert mailing.send_due() == 0
    dispatch = due.dispatches.get()
    assert (dispatch.state, dispatch.tries) == (DispatchState.FAILED, 1)
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("documents:schedules")).content.decode()
    assert "Server surel menolak" in page

    client.post(reverse("documents:retry", args=[dispatch.pk]))
    client.post(reverse("documents:retry", args=[dispatch.pk]))

    assert len(mailoutbox) == 1
    dispatch.refresh_from_db()
    assert dispatch.state == DispatchState.SENT


def test_paused_and_left_schedules_send_nothing(
    due: Schedule, secretary: Any, mailoutbox: Any, client_for: Any
) -> None:
    mailing.set_paused(due, True, actor=secretary)
    assert mailing.send_due() == 0
    mailing.set_paused(due, False, actor=secretary)
    Schedule.objects.update(next_on=timezone.localdate())
    mailing._fall_due(timezone.localdate())
    mailing.unsubscribe(due, actor=secretary)
    assert mailing.send_due() == 0
    assert not mailoutbox
    assert due.dispatches.get().state == DispatchState.DROPPED


def test_each_gets_the_figures_of_their_own_area(
    secretary: Any, make_user: Any, homes: Any, mailoutbox: Any, tmp_path: Any
) -> None:
    from python_calamine import CalamineWorkbook

    officer = make_user(Role.AREA_OPERATOR)
    report = built.save(
        name="Keluarga",
        description="",
        question=Question.read({"subject": "keluarga", "rows": ["kecamatan"]}),
        sharing="all",
        actor=secretary,
    )
    entry(secretary, [secretary, officer], "built", built=report)
    Schedule.objects.update(next_on=timezone.localdate())
    assert mailing.send_due() == 2
    found = {}
    for message in mailoutbox:
        path = tmp_path / "a.xlsx"
        path.write_bytes(message.attachments[0][1])
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Data").to_python()
        found[message.to[0]] = {row[0] for row in rows[4:]}
    assert found[officer.email] == {"Lumbir", "Semua"}
    assert found[secretary.email] == {"Lumbir", "Cilongok", "Semua"}


def test_a_report_that_is_no_longer_shared_is_not_sent(
    secretary: Any, make_user: Any, mailoutbox: Any
) -> None:
    head = make_user(Role.AGENCY_HEAD)
    report = built.save(
        name="Keluarga",
        description="",
        question=Question.read({"subject": "keluarga", "rows": ["desil"]}),
        sharing="all",
        actor=secretary,
    )
    entry(secretary, [head], "built", built=report)
    report.sharing = "private"
    report.save()
    Schedule.objects.update(next_on=timezone.localdate())

    assert mailing.send_due() == 0
    assert "tidak lagi dibagikan" in Dispatch.objects.get().error


def test_a_link_carries_no_file(due: Schedule, mailoutbox: Any) -> None:
    Schedule.objects.update(carriage="link")
    mailing.send_due()
    assert not mailoutbox[0].attachments
    assert "/dokumen/perangkat-daerah/dinsos/xlsx/" in mailoutbox[0].body


def test_whom_one_may_send_to(secretary: Any, make_user: Any, sub: Any) -> None:
    operator = make_user(Role.AGENCY_OPERATOR)
    entry(operator, [operator], agency=sub.agency)
    with pytest.raises(ValidationError):
        entry(operator, [secretary], agency=sub.agency)
    with pytest.raises(ValidationError):
        entry(secretary, [], agency=sub.agency)
    with pytest.raises(ValidationError):
        entry(secretary, [secretary], "area")


def test_pages_of_a_schedule(client_for: Any, sub: Any, due: Schedule) -> None:
    client = client_for(Role.AGENCY_HEAD)
    url = f"{reverse('documents:add_schedule')}?laporan=agency&pokok=dinsos"
    assert "selected" in client.get(url).content.decode()
    values = {
        "kind": "agency", "agency": sub.agency_id, "rhythm": "weekly", "carriage": "link",
        "format": "pdf", "recipients": [client.user.pk],
    }  # fmt: skip
    client.post(reverse("documents:add_schedule"), values)
    mine = Schedule.objects.get(created_by=client.user)
    assert mine.next_on.weekday() == 0
    client.post(reverse("documents:edit_schedule", args=[mine.pk]), {**values, "rhythm": "monthly"})
    mine.refresh_from_db()
    assert mine.next_on.day == 1
    client.post(reverse("documents:pause", args=[mine.pk]))
    mine.refresh_from_db()
    assert mine.is_paused
    client.post(reverse("documents:unsubscribe", args=[mine.pk]))
    assert not mine.recipients.exists()
    assert client.get(reverse("documents:schedule", args=[due.pk])).status_code == 403
    client.post(reverse("documents:delete_schedule", args=[mine.pk]))
    assert not Schedule.objects.filter(pk=mine.pk).exists()
