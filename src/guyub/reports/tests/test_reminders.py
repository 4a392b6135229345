from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command

from guyub.access.roles import Role
from guyub.reports import services
from guyub.reports.models import Occasion, Reminder, Report
from guyub.reports.reminders import send_reminders

from .conftest import figures

pytestmark = pytest.mark.django_db
DUE = dt.date(2025, 4, 10)


@pytest.fixture
def people(make_user: Any) -> dict[str, Any]:
    return {
        "operator": make_user(Role.AGENCY_OPERATOR, email="operator@contoh.test"),
        "head": make_user(Role.AGENCY_HEAD, email="kepala@contoh.test"),
        "gone": make_user(Role.AGENCY_OPERATOR, email="pindah@contoh.test", is_active=False),
    }


def send(day: dt.date) -> list[Any]:
    return list(send_reminders(day))


def after(days: int) -> dt.date:
    return DUE + dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "occasion"),
    [(-4, None), (-3, "before"), (-1, "before"), (0, "today"), (1, None), (6, None), (7, "late"),
     (30, "late"), (31, None)],
)  # fmt: skip
def test_when_an_agency_is_reminded(
    scheduled: Any, people: Any, days: int, occasion: str | None
) -> None:
    scheduled()
    sent = send(after(days))

    assert [s.occasion for s in sent] == ([occasion] if occasion else [])
    assert len(mail.outbox) == (1 if occasion else 0)


def test_each_occasion_comes_once(scheduled: Any, people: Any) -> None:
    scheduled()
    for days in range(-5, 40):
        send(after(days))
        send(after(days))

    assert len(mail.outbox) == 3
    assert set(Reminder.objects.values_list("occasion", flat=True)) == set(Occasion.values)


def test_one_letter_lists_all_and_goes_to_those_who_still_work_there(
    scheduled: Any, people: Any, make_user: Any, make_agency: Any
) -> None:
    scheduled("Perbaikan rumah")
    scheduled("Sambungan air")
    make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"), email="lain@contoh.test")

    send(after(-3))

    (letter,) = mail.outbox
    assert letter.to == ["operator@contoh.test"]
    assert letter.cc == ["kepala@contoh.test"]
    assert "2 laporan kemajuan segera jatuh tempo" in letter.subject
    assert "Perbaikan rumah" in letter.body
    assert "Sambungan air" in letter.body
    assert "10 April 2025" in letter.body
    assert "/laporan/" in letter.body
    for person in people.values():
        assert person.full_name not in letter.body


def test_a_head_alone_gets_the_letter(scheduled: Any, make_user: Any) -> None:
    scheduled()
    make_user(Role.AGENCY_HEAD, email="kepala@contoh.test")

    send(DUE)

    assert (mail.outbox[0].to, mail.outbox[0].cc) == (["kepala@contoh.test"], [])


def test_what_is_handed_in_is_left_alone(scheduled: Any, people: Any) -> None:
    report = scheduled().reports.earliest("period_end")
    services.submit(report, version=0, figures=figures(), actor=people["operator"])

    for days in (-3, 0, 7):
        send(after(days))

    assert mail.outbox == []


def test_cancelled_work_and_closed_agencies_are_left_alone(scheduled: Any, people: Any) -> None:
    sub_activity = scheduled()
    sub_activity.is_cancelled = True
    sub_activity.save()
    assert send(DUE) == []
    other = scheduled("Lain")
    other.agency.is_active = False
    other.agency.save()
    assert send(DUE) == []


def test_an_agency_without_accounts_is_named_and_tried_again(
    scheduled: Any, make_user: Any, capsys: Any
) -> None:
    scheduled()
    call_command("remind", date=DUE.isoformat())
    assert "tidak ada akun aktif" in capsys.readouterr().out

    make_user(Role.AGENCY_OPERATOR)
    call_command("remind", date=DUE.isoformat())
    assert "1 surat dikirim" in capsys.readouterr().out
    assert len(mail.outbox) == 1


def test_a_letter_that_fails_is_sent_next_time(
    scheduled: Any, people: Any, monkeypatch: Any
) -> None:
    scheduled()
    with monkeypatch.context() as patch:

        def fail(self: Any, *args: Any, **kwargs: Any) -> int:
            raise OSError("no mail server")

        patch.setattr(mail.EmailMessage, "send", fail)
        with pytest.raises(OSError, match="no mail server"):
            send(DUE)
    assert not Reminder.objects.exists()

    send(DUE)
    assert len(mail.outbox) == 1
    assert Reminder.objects.count() == 1


def test_many_reports_stay_one_readable_letter(scheduled: Any, people: Any) -> None:
    first = scheduled()
    template = first.reports.earliest("period_end")
    for number in range(44):
        other = scheduled(f"Sub {number}")
        assert other.agency_id == first.agency_id

    send(DUE)

    body = mail.outbox[0].body
    assert body.count("Periode ") == 40
    assert "dan 5 laporan lain" in body
    assert Reminder.objects.count() == 45
    assert Report.objects.filter(due_on=template.due_on).count() == 45
