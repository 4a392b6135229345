from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.meetings import decisions, invitations, queries, services
from guyub.meetings.models import (
    ActionItem,
    ActionState,
    Capacity,
    Consent,
    DecisionState,
    Invitation,
    MandateScope,
    Meeting,
    MeetingState,
    Reply,
    Stance,
    Topic,
)

pytestmark = pytest.mark.django_db


def invitation(meeting: Any, code: str) -> Invitation:
    return meeting.invitations.get(agency__code=code)


def send_delegate(meeting: Any, head: Any, scope: str, items: tuple[Any, ...] = ()) -> Invitation:
    return services.delegate(
        invitation(meeting, head.agency.code),
        actor=head,
        name="Wakil Setia",
        position="Sekretaris Dinas",
        scope=scope,
        items=items,
    )


def begin(meeting: Any, secretary: Any, *present: Any) -> None:
    services.open_meeting(meeting, actor=secretary)
    for user in present:
        services.check_in(meeting, user=user)


# Invitations


def test_heads_are_invited_by_mail_with_a_calendar_file(
    secretary, heads, meeting_values, django_capture_on_commit_callbacks
):
    meeting = services.plan_meeting(actor=secretary, values=meeting_values)
    services.save_item(
        meeting, actor=secretary, values={"title": "Rumah", "description": ""}, agencies=[]
    )
    with django_capture_on_commit_callbacks(execute=True):
        services.invite(meeting, [heads["dinsos"].agency], actor=secretary)

    (message,) = mail.outbox
    assert message.to == [heads["dinsos"].email]
    assert "1. Rumah" in message.body
    name, content, kind = message.attachments[0]
    assert (name, kind) == ("undangan.ics", "text/calendar")
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    assert event["SUMMARY"] == meeting.title
    assert event.decoded("DTSTART") == meeting.starts_at
    assert event["LOCATION"] == "Pendopo Sipanji"


def test_nobody_is_invited_to_an_empty_agenda_nor_twice(secretary, heads, meeting_values, meeting):
    empty = services.plan_meeting(actor=secretary, values=meeting_values)
    agencies = [head.agency for head in heads.values()]
    with pytest.raises(ValidationError, match="Agenda masih kosong"):
        services.invite(empty, agencies, actor=secretary)

    assert services.invite(meeting, agencies, actor=secretary) == 0
    assert meeting.invitations.count() == 3


def test_a_new_time_is_told_and_rises_in_calendars(
    secretary, meeting, django_capture_on_commit_callbacks
):
    later = meeting.starts_at + dt.timedelta(hours=1)
    with django_capture_on_commit_callbacks(execute=True):
        services.change_meeting(meeting, actor=secretary, values={"starts_at": later})

    meeting.refresh_from_db()
    assert len(mail.outbox) == 3
    assert mail.outbox[0].subject.startswith("Perubahan jadwal")
    assert b"SEQUENCE:1" in invitations.calendar_file(meeting)


def test_a_cancelled_meeting_takes_itself_out_of_calendars(
    secretary, meeting, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        services.cancel_meeting(meeting, actor=secretary, reason="Bupati ke Semarang")

    meeting.refresh_from_db()
    assert b"METHOD:CANCEL" in invitations.calendar_file(meeting)
    assert "Bupati ke Semarang" in mail.outbox[0].body
    with pytest.raises(ValidationError):
        services.open_meeting(meeting, actor=secretary)


def test_staying_away_needs_a_reason(meeting, heads):
    with pytest.raises(ValidationError) as error:
        services.answer(invitation(meeting, "dinsos"), actor=heads["dinsos"], attends=False)
    assert "reason" in error.value.message_dict


def test_a_mandate_counts_once_the_head_signed_it(meeting, heads, make_user, item):
    operator = make_user(Role.AGENCY_OPERATOR, agency=heads["dinkes"].agency)
    drawn = services.delegate(
        invitation(meeting, "dinkes"),
        actor=operator,
        name="Wakil",
        position="",
        scope=MandateScope.ALL,
    )
    assert not queries.may_decide(drawn, item)
    with pytest.raises(ValidationError, match="Hanya kepala"):
        services.sign_mandate(drawn, actor=operator)
    with pytest.raises(ValidationError, match="Hanya kepala"):
        services.sign_mandate(drawn, actor=heads["dinsos"])

    assert queries.may_decide(services.sign_mandate(drawn, actor=heads["dinkes"]), item)


def test_coming_in_person_after_all_ends_the_mandate(meeting, heads):
    send_delegate(meeting, heads["dinkes"], MandateScope.ALL)
    services.answer(invitation(meeting, "dinkes"), actor=heads["dinkes"], attends=True)

    current = invitation(meeting, "dinkes")
    assert (current.reply, current.delegate_name, current.mandate_code) == (Reply.ATTEND, "", "")
    assert current.mandate_signed_at is None


def test_a_mandate_for_items_names_items_of_this_meeting(meeting, heads, secretary, meeting_values):
    with pytest.raises(ValidationError) as error:
        send_delegate(meeting, heads["dinkes"], MandateScope.ITEMS)
    assert "mandate_items" in error.value.message_dict
    other = services.plan_meeting(actor=secretary, values=meeting_values)
    foreign = services.save_item(
        other, actor=secretary, values={"title": "Lain", "description": ""}, agencies=[]
    )
    with pytest.raises(ValidationError) as error:
        send_delegate(meeting, heads["dinkes"], MandateScope.ITEMS, (foreign,))
    assert "mandate_items" in error.value.message_dict


# Attendance


def test_the_code_on_the_wall_grows_old(meeting, secretary, monkeypatch):
    services.open_meeting(meeting, actor=secretary)
    token = services.check_in_token(meeting)
    assert services.meeting_of_token(token) == meeting

    monkeypatch.setattr(services, "CHECK_IN_SECONDS", -1)
    with pytest.raises(ValidationError, match="lewat waktunya"):
        services.meeting_of_token(token)


@given(st.text(max_size=60))
def test_a_made_up_code_lets_nobody_in(text):
    with pytest.raises(ValidationError):
        services.meeting_of_token(text)


def test_the_code_of_one_meeting_does_not_open_another(meeting, secretary, meeting_values):
    other = services.plan_meeting(actor=secretary, values=meeting_values)
    _key, _colon, rest = services.check_in_token(other).partition(":")
    with pytest.raises(ValidationError, match="tidak dikenal"):
        services.meeting_of_token(f"{meeting.pk}:{rest}")


def test_who_is_what_in_the_room(meeting, heads, secretary, make_user):
    sent = send_delegate(meeting, heads["dinkes"], MandateScope.ALL)
    companion = make_user(Role.AGENCY_OPERATOR, agency=heads["dinsos"].agency)
    unasked = make_user(Role.AGENCY_OPERATOR, agency=heads["dinperkim"].agency)
    begin(meeting, secretary)

    assert services.check_in(meeting, user=heads["dinsos"]).capacity == Capacity.HEAD
    assert services.check_in(meeting, user=companion).capacity == Capacity.COMPANION
    # Sent without a word beforehand: sits there, decides nothing.
    assert services.check_in(meeting, user=unasked).capacity == Capacity.COMPANION
    with pytest.raises(ValidationError) as error:
        services.check_in(
            meeting, agency=heads["dinkes"].agency, name="Wakil", mandate_code="SALAHKOD"
        )
    assert "mandate_code" in error.value.message_dict
    delegate = services.check_in(
        meeting,
        agency=heads["dinkes"].agency,
        name="Wakil Setia",
        mandate_code=sent.mandate_code.lower(),
    )
    assert delegate.capacity == Capacity.DELEGATE
    assert services.check_in(meeting, name="Wartawan").capacity == Capacity.GUEST
    # Scanning twice changes nothing.
    assert services.check_in(meeting, user=heads["dinsos"]).capacity == Capacity.HEAD
    assert meeting.attendances.count() == 5


def test_quorum_counts_only_those_who_can_decide(meeting, heads, secretary):
    listener = send_delegate(meeting, heads["dinkes"], MandateScope.NOTHING)
    begin(meeting, secretary, heads["dinsos"])
    services.check_in(
        meeting,
        agency=heads["dinkes"].agency,
        name="Wakil Setia",
        mandate_code=listener.mandate_code,
    )
    quorum = queries.quorum(meeting)
    assert (quorum.invited, quorum.present, quorum.needed) == (3, 1, 2)
    assert not quorum.is_met

    services.check_in(meeting, user=heads["dinperkim"])
    assert queries.quorum(meeting).is_met


# Decisions


def test_no_decision_without_quorum(meeting, heads, secretary, item):
    begin(meeting, secretary, heads["dinsos"])
    with pytest.raises(ValidationError, match="Kuorum belum tercapai"):
        decisions.record_decision(item, actor=secretary, text="Dinperkim memimpin RTLH.")


def test_all_present_heads_decide_on_the_day(meeting, heads, secretary, item):
    begin(meeting, secretary, *heads.values())
    decision = decisions.record_decision(item, actor=secretary, text="Dinperkim memimpin RTLH.")

    assert decision.state == DecisionState.ADOPTED
    assert decision.settled_at is not None
    assert decision.ratify_by is None
    assert {(c.stance, c.on_the_day) for c in decision.consents.all()} == {(Stance.AGREED, True)}


def pending(meeting: Any, heads: dict[str, Any], secretary: Any, item: Any) -> Any:
    """Return a decision for which Dinkes, that was not there, is awaited."""
    begin(meeting, secretary, heads["dinsos"], heads["dinperkim"])
    return decisions.record_decision(item, actor=secretary, text="Dinperkim memimpin RTLH.")


def still_told(user: Any) -> list[str]:
    """Return what news says that ``user`` is waited for, without whereabouts."""
    rows = user.notifications.filter(kind="task", settled_at=None, read_at=None)
    return [row.text.split(":")[0] for row in rows]


def test_an_absent_head_ratifies(meeting, heads, secretary, item):
    decision = pending(meeting, heads, secretary, item)
    assert decision.state == DecisionState.PENDING
    assert decision.ratify_by == timezone.localdate() + dt.timedelta(days=7)
    (owed,) = queries.awaited_consents(heads["dinkes"])
    assert not queries.awaited_consents(heads["dinsos"])
    assert queries.waiting(heads["dinkes"]).ratifications == 1

    assert still_told(heads["dinkes"]) == ["Keputusan rapat menunggu pengesahan Anda"]
    decision = decisions.ratify(owed, actor=heads["dinkes"], agrees=True)
    assert decision.state == DecisionState.ADOPTED
    assert still_told(heads["dinkes"]) == []
    with pytest.raises(ValidationError, match="tidak lagi menunggu"):
        decisions.ratify(owed, actor=heads["dinkes"], agrees=True)


def test_an_absent_heads_objection_goes_to_the_regent_who_ends_it(
    meeting, heads, secretary, item, make_user
):
    decision = pending(meeting, heads, secretary, item)
    (owed,) = queries.awaited_consents(heads["dinkes"])
    with pytest.raises(ValidationError):
        decisions.ratify(owed, actor=heads["dinkes"], agrees=False)
    decision = decisions.ratify(owed, actor=heads["dinkes"], agrees=False, note="Data beda")
    assert decision.state == DecisionState.ESCALATED

    regent = make_user(Role.REGENT)
    assert queries.waiting(regent).rulings == 1
    with pytest.raises(ValidationError):
        decisions.rule(decision, actor=regent, adopts=True, note=" ")
    decision = decisions.rule(decision, actor=regent, adopts=True, note="Pakai data acuan.")
    assert (decision.state, decision.regent_note) == (DecisionState.ADOPTED, "Pakai data acuan.")


def test_what_is_not_ratified_in_time_goes_to_the_regent(
    meeting, heads, secretary, item, make_user
):
    regent = make_user(Role.REGENT)
    decision = pending(meeting, heads, secretary, item)
    assert decisions.escalate_overdue(decision.ratify_by) == []
    late = decision.ratify_by + dt.timedelta(days=1)
    assert [d.pk for d in decisions.escalate_overdue(late)] == [decision.pk]
    assert decisions.escalate_overdue(late) == []
    assert still_told(heads["dinkes"]) == []
    assert still_told(regent) == ["Keputusan rapat menunggu arahan Bupati"]
    decisions.rule(decision, actor=regent, adopts=False, note="Tunggu data acuan.")
    assert still_told(regent) == []
    assert Event.objects.filter(action="meetings.decision.escalate").count() == 1


def test_whoever_is_waited_for_is_told(meeting, heads, secretary, item, make_user):
    def told(user: Any) -> list[str]:
        return list(user.notifications.order_by("pk").values_list("text", flat=True))

    regent = make_user(Role.REGENT)
    assert told(heads["dinkes"]) == ["Undangan rapat: Rapat koordinasi TKPKD"]
    decision = pending(meeting, heads, secretary, item)
    awaited = "Keputusan rapat menunggu pengesahan Anda: Dinperkim memimpin RTLH."
    assert awaited in told(heads["dinkes"])
    assert awaited not in told(heads["dinsos"])
    assert told(regent) == []
    decisions.escalate_overdue(decision.ratify_by + dt.timedelta(days=1))
    assert told(regent) == ["Keputusan rapat menunggu arahan Bupati: Dinperkim memimpin RTLH."]


def test_an_objection_in_the_room_goes_to_the_regent_at_once(meeting, heads, secretary, item):
    begin(meeting, secretary, *heads.values())
    against = heads["dinkes"].agency_id
    decision = decisions.record_decision(
        item, actor=secretary, text="Dinperkim memimpin.", objections={against: "Anggaran kurang"}
    )
    assert decision.state == DecisionState.ESCALATED
    assert decision.consents.get(agency=against).note == "Anggaran kurang"


def test_only_who_may_decide_can_object(meeting, heads, secretary, item):
    begin(meeting, secretary, heads["dinsos"], heads["dinperkim"])
    with pytest.raises(ValidationError, match="harus hadir"):
        decisions.record_decision(
            item,
            actor=secretary,
            text="Dinperkim memimpin.",
            objections={heads["dinkes"].agency_id: "Tidak setuju"},
        )


def test_a_delegate_decides_what_the_mandate_names_and_nothing_else(
    meeting, heads, secretary, item
):
    other = services.save_item(
        meeting, actor=secretary, values={"title": "Jamban", "description": ""}, agencies=[]
    )
    sent = send_delegate(meeting, heads["dinkes"], MandateScope.ITEMS, (item,))
    begin(meeting, secretary, heads["dinsos"], heads["dinperkim"])
    services.check_in(
        meeting,
        agency=heads["dinkes"].agency,
        name="Wakil Setia",
        mandate_code=sent.mandate_code,
    )
    within = decisions.record_decision(item, actor=secretary, text="Ya.")
    beyond = decisions.record_decision(other, actor=secretary, text="Ya.")
    assert within.state == DecisionState.ADOPTED
    assert within.consents.get(agency__code="dinkes").by_delegate
    assert beyond.state == DecisionState.PENDING
    assert beyond.consents.get(agency__code="dinkes").stance == Stance.AWAITED


def test_only_the_agencies_of_an_item_are_asked(meeting, heads, secretary):
    own = services.save_item(
        meeting,
        actor=secretary,
        values={"title": "Jamban", "description": ""},
        agencies=[heads["dinsos"].agency],
    )
    begin(meeting, secretary, heads["dinsos"], heads["dinperkim"])
    decision = decisions.record_decision(own, actor=secretary, text="Ya.")
    assert decision.state == DecisionState.ADOPTED


AGENCIES = ("dinsos", "dinkes", "dinperkim")


@pytest.mark.parametrize("objecting", [(), ("dinsos",), ("dinkes", "dinperkim")])
@pytest.mark.parametrize("present", [("dinsos", "dinkes"), ("dinkes", "dinperkim"), AGENCIES])
def test_a_decision_holds_only_with_every_consent(
    present, objecting, meeting, heads, secretary, item
):
    begin(meeting, secretary, *(heads[code] for code in present))
    against = {heads[code].agency_id: "Tidak" for code in objecting if code in present}
    decision = decisions.record_decision(item, actor=secretary, text="Ya.", objections=against)

    everybody_agreed = set(present) == set(AGENCIES) and not against
    assert (decision.state == DecisionState.ADOPTED) == everybody_agreed
    assert (decision.state == DecisionState.ESCALATED) == bool(against)
    stances = dict(decision.consents.values_list("agency__code", "stance"))
    assert set(stances) == set(AGENCIES)
    assert {code for code, stance in stances.items() if stance == Stance.AWAITED} == set(
        AGENCIES
    ) - set(present)


# What follows


def test_open_actions_come_back_on_the_next_agenda(meeting, heads, secretary, meeting_values):
    begin(meeting, secretary, *heads.values())
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    open_one = decisions.add_action(
        meeting,
        actor=secretary,
        text="Padankan daftar RTLH",
        agency=heads["dinperkim"].agency,
        due_on=tomorrow,
    )
    done = decisions.add_action(
        meeting,
        actor=secretary,
        text="Kirim data jamban",
        agency=heads["dinkes"].agency,
        due_on=tomorrow,
    )
    decisions.update_action(done, actor=heads["dinkes"], text="Terkirim", state=ActionState.DONE)
    services.close_meeting(meeting, actor=secretary, notes="Lancar.")

    following = services.plan_meeting(actor=secretary, values=meeting_values)
    made = services.fill_agenda(following, actor=secretary)
    assert [(i.topic, i.subject_id) for i in made] == [(Topic.ACTION, str(open_one.pk))]
    assert list(made[0].agencies.all()) == [heads["dinperkim"].agency]
    assert services.fill_agenda(following, actor=secretary) == []


def test_an_action_cannot_be_due_before_it_is_given(meeting, heads, secretary):
    begin(meeting, secretary, *heads.values())
    with pytest.raises(ValidationError) as error:
        decisions.add_action(
            meeting,
            actor=secretary,
            text="Terlambat",
            agency=heads["dinkes"].agency,
            due_on=timezone.localdate() - dt.timedelta(days=1),
        )
    assert "due_on" in error.value.message_dict
    assert not ActionItem.objects.exists()


def test_turnout_tells_heads_from_delegates(meeting, heads, secretary):
    sent = send_delegate(meeting, heads["dinkes"], MandateScope.ALL)
    begin(meeting, secretary, heads["dinsos"])
    services.check_in(
        meeting,
        agency=heads["dinkes"].agency,
        name="Wakil Setia",
        mandate_code=sent.mandate_code,
    )
    assert queries.turnouts() == []
    services.close_meeting(meeting, actor=secretary, notes="")

    (turnout,) = queries.turnouts()
    assert (turnout.heads, turnout.mandated, turnout.unmandated, turnout.absent) == (1, 1, 0, 1)
    rows = {row.agency.code: row for row in queries.turnout_by_agency()}
    assert rows["dinsos"].head_percent == 100
    assert rows["dinkes"].head_percent == 0
    assert rows["dinperkim"].absent == 1


def test_nothing_changes_once_a_meeting_is_closed(meeting, heads, secretary, item):
    begin(meeting, secretary, *heads.values())
    services.close_meeting(meeting, actor=secretary, notes="")
    for deed in (
        lambda: services.check_in(meeting, user=secretary),
        lambda: decisions.record_decision(item, actor=secretary, text="Ya."),
        lambda: services.fill_agenda(meeting, actor=secretary),
        lambda: services.answer(invitation(meeting, "dinsos"), actor=heads["dinsos"], attends=True),
        lambda: services.give_input(meeting, actor=heads["dinsos"], text="Masukan"),
    ):
        with pytest.raises(ValidationError):
            deed()
    assert Meeting.objects.get(pk=meeting.pk).state == MeetingState.CLOSED
    assert not Consent.objects.exists()
