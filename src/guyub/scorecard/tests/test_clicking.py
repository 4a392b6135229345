"""Nobody raises a score by empty clicking: each way that docs/scorecard.md names, tried."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from guyub.access.permissions import can
from guyub.access.roles import Role
from guyub.agencies.models import Agency
from guyub.discussions import services as talk
from guyub.discussions.models import Message
from guyub.meetings import decisions
from guyub.meetings.models import ActionItem, ActionState, Meeting, MeetingState
from guyub.reconciliation.keeping import detect
from guyub.reconciliation.models import Difference
from guyub.reconciliation.settling import settle
from guyub.reports.models import Report, ReportState
from guyub.scorecard import queries
from guyub.scorecard.evidence import PARTNERS
from guyub.scorecard.yardsticks import INDICATORS
from guyub.sharing import services as sharing

pytestmark = pytest.mark.django_db
LONG = "Daftar RTLH sudah kami padankan dengan acuan."


@pytest.fixture
def dataset(make_dataset, heads):
    return make_dataset("rtlh", owner=heads["a"].agency)


def percent(code, quarter, today, agency=None):
    rows = queries.evidence_of(INDICATORS[code], quarter, agency, today)
    return queries.percent(queries.sums_of(rows), None)


def test_a_hundred_messages_earn_no_more_than_one(dataset, heads, quarter, today):
    far = quarter.end
    talk.write(dataset, LONG, author=heads["a"])
    once = percent("suara", quarter, far)
    assert once > 0
    for number in range(20):
        talk.write(dataset, f"{LONG} {number}", author=heads["a"])
    assert percent("suara", quarter, far) == once


def test_short_and_withdrawn_messages_earn_nothing(dataset, heads, quarter, today):
    talk.write(dataset, "siap", author=heads["a"])
    written = talk.write(dataset, LONG, author=heads["a"])
    talk.withdraw(written.message, actor=heads["a"])
    assert percent("suara", quarter, quarter.end) == 0


def test_nobody_makes_contact_alone(dataset, heads, quarter, today):
    for number in range(5):
        talk.write(dataset, f"{LONG} {number}", author=heads["a"])
    assert percent("mitra-bicara", quarter, today) == 0
    talk.write(dataset, LONG, author=heads["b"])
    # Two agencies have one partner each, of as many as each could have.
    agencies = Agency.objects.count()
    expected = 100 * 2 / (agencies * min(PARTNERS, agencies - 1))
    assert percent("mitra-bicara", quarter, today) == pytest.approx(expected)
    for number in range(5):
        talk.write(dataset, f"Lagi: {LONG} {number}", author=heads["b"])
    assert percent("mitra-bicara", quarter, today) == pytest.approx(expected)


def test_only_answers_to_others_count_as_replies(dataset, heads, quarter, today):
    def say(who, days_ago):
        message = talk.write(dataset, LONG, author=heads[who]).message
        when = timezone.now() - dt.timedelta(days=days_ago)
        Message.objects.filter(pk=message.pk).update(written_at=when)

    start = quarter.moments[0]
    if (timezone.now() - start) < dt.timedelta(days=12):
        pytest.skip("The quarter is too young for turns that are three days old.")
    say("a", 11)
    say("a", 10.9)
    assert percent("balasan", quarter, today) is None
    say("b", 10)
    say("a", 9)
    # B had not joined the talk before; A answered B within a day.
    assert percent("balasan", quarter, today, heads["a"].agency_id) == 100
    # A's turn of nine days ago waits for B, too long.
    assert percent("balasan", quarter, today, heads["b"].agency_id) == 0
    say("b", 1)
    assert percent("balasan", quarter, today, heads["b"].agency_id) == 0


def test_a_late_report_stays_late_however_often_it_is_handed_in(make_sub_activity, quarter, today):
    due = max(quarter.start, today - dt.timedelta(days=5))
    if due >= today:
        pytest.skip("Nothing can be overdue on the first day of a quarter.")
    report = Report.objects.create(
        sub_activity=make_sub_activity(),
        period_start=quarter.before.start,
        period_end=quarter.before.end,
        due_on=due,
        state=ReportState.MISSING,
    )
    assert percent("laporan", quarter, today) == 0
    report.state = ReportState.SUBMITTED
    report.first_submitted_at = report.submitted_at = timezone.now()
    report.save()
    assert percent("laporan", quarter, today) == 0
    report.first_submitted_at = timezone.make_aware(dt.datetime.combine(due, dt.time(9)))
    report.save()
    assert percent("laporan", quarter, today) == 100


def test_an_action_is_done_only_with_words_and_dropped_only_by_the_secretariat(
    heads, secretary, quarter, today
):
    now = timezone.now()
    meeting = Meeting.objects.create(
        title="Rapat", starts_at=now, ends_at=now + dt.timedelta(hours=1), place="Pendopo",
        input_due_on=today, state=MeetingState.CLOSED,
    )  # fmt: skip
    action = decisions.add_action(
        meeting, actor=secretary, text="Padankan", agency=heads["a"].agency, due_on=today
    )
    tomorrow = today + dt.timedelta(days=1)
    last_day = quarter.end == today
    decisions.update_action(action, actor=heads["a"], text="beres", state=ActionState.DONE)
    assert last_day or percent("tindak-lanjut", quarter, tomorrow) == 0
    decisions.update_action(action, actor=heads["a"], text=LONG, state=ActionState.DONE)
    assert last_day or percent("tindak-lanjut", quarter, tomorrow) == 100
    with pytest.raises(ValidationError) as error:
        decisions.update_action(action, actor=heads["a"], text=LONG, state=ActionState.DROPPED)
    assert "state" in error.value.message_dict
    decisions.update_action(action, actor=secretary, text=LONG, state=ActionState.DROPPED)
    assert ActionItem.objects.get().state == ActionState.DROPPED
    assert percent("tindak-lanjut", quarter, tomorrow) is None


def test_asking_and_withdrawing_changes_nobodys_score(
    dataset, make_user, make_agency, quarter, today
):
    asker = make_user(Role.AGENCY_OPERATOR, agency=make_agency("b"))
    for _time in range(3):
        request = sharing.ask(
            dataset,
            actor=asker,
            values={
                "purpose": LONG,
                "legal_basis": "Perpres 39/2019",
                "columns": ["name"],
                "area": None,
                "with_numbers": False,
                "wanted_until": today + dt.timedelta(days=30),
            },
        )
        sharing.withdraw(request, actor=asker)
    assert percent("permintaan", quarter, today) is None


def test_settling_and_comparing_again_reconciles_nothing(
    dataset, make_household, make_user, quarter, today
):
    home = make_household(floor="earth")
    now = timezone.now()
    differing = Difference.objects.create(
        kind="h", subject_id=home.pk, household=home, village=home.village,
        district=home.district, field="floor", dataset=dataset, theirs="tile", ours="earth",
        their_as_of=today, our_origin=home.origin, our_as_of=today, why="ask", found_at=now,
    )  # fmt: skip
    assert percent("rekonsiliasi", quarter, today) == 0
    secretary = make_user(Role.SECRETARIAT)
    assert settle([differing], side="ours", reason=LONG, actor=secretary) == (1, 0)
    for _time in range(3):
        assert settle([differing], side="ours", reason=LONG, actor=secretary) == (0, 1)
        assert percent("rekonsiliasi", quarter, today) == 50
    # The list has no newer version, so that comparing mends nothing.
    detect()
    assert percent("rekonsiliasi", quarter, today) == 50
    # No agency settles anything, its own differences least of all.
    for role in (Role.AGENCY_HEAD, Role.AGENCY_OPERATOR, Role.AUDITOR, Role.REGENT):
        assert not can(make_user(role, agency=dataset.owner), "reconciliation.settle", differing)
