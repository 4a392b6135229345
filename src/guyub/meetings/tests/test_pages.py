from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.meetings import decisions, services
from guyub.meetings.models import ActionItem, ActionState, Capacity, Meeting, Reply

pytestmark = pytest.mark.django_db


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_planning_fills_the_agenda_by_itself(client_for, meeting, heads, secretary):
    services.open_meeting(meeting, actor=secretary)
    decisions.add_action(
        meeting,
        actor=secretary,
        text="Padankan daftar RTLH",
        agency=heads["dinperkim"].agency,
        due_on=timezone.localdate() + dt.timedelta(days=3),
    )
    services.close_meeting(meeting, actor=secretary, notes="")
    start = timezone.localtime() + dt.timedelta(days=5)
    response = client_for(Role.SECRETARIAT).post(
        reverse("meetings:create"),
        {
            "title": "Rapat berikut",
            "starts_at": f"{start:%Y-%m-%dT%H:%M}",
            "ends_at": f"{start + dt.timedelta(hours=2):%Y-%m-%dT%H:%M}",
            "place": "Pendopo",
            "input_due_on": f"{start - dt.timedelta(days=1):%Y-%m-%d}",
            "quorum_percent": 51,
            "ratify_days": 7,
        },
        follow=True,
    )
    page = response.content.decode()
    assert "Padankan daftar RTLH" in page
    assert "Sudah selesai di luar rapat" not in page
    # What comes to an end before the meeting says so, and the secretariat may drop it.
    decisions.update_action(
        ActionItem.objects.get(), actor=heads["dinperkim"], text="Selesai", state=ActionState.DONE
    )
    path = response.redirect_chain[-1][0]
    assert "Sudah selesai di luar rapat" in response.client.get(path).content.decode()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ends_at": "2030-01-01T08:00"}, "Rapat harus selesai sesudah dimulai."),
        ({"input_due_on": "2030-01-02"}, "Masukan harus masuk sebelum rapat dimulai."),
        ({"quorum_percent": "0"}, "lebih besar"),
    ],
)
def test_a_wrong_plan_is_refused_beside_its_field(client_for, changes, complaint):
    values = {
        "title": "Rapat",
        "starts_at": "2030-01-01T09:00",
        "ends_at": "2030-01-01T11:00",
        "place": "Pendopo",
        "input_due_on": "2029-12-31",
        "quorum_percent": "51",
        "ratify_days": "7",
    }
    response = client_for(Role.SECRETARIAT).post(reverse("meetings:create"), values | changes)
    assert response.status_code == 200
    assert complaint in response.content.decode()
    assert not Meeting.objects.exists()


def test_an_operator_draws_a_mandate_and_the_head_signs_it(meeting, heads, make_user, item):
    operator = make_user(Role.AGENCY_OPERATOR, agency=heads["dinkes"].agency)
    invitation = meeting.invitations.get(agency__code="dinkes")
    page = reverse("meetings:reply", args=[invitation.pk])
    values = {
        "jawaban": "wakil",
        "delegate_name": "Wakil Setia",
        "mandate_scope": "items",
        "mandate_items": [item.pk],
    }
    assert signed_in(operator).post(page, values).status_code == 302
    invitation.refresh_from_db()
    assert (invitation.reply, invitation.mandate_signed_at) == (Reply.DELEGATE, None)
    sign = reverse("meetings:sign_mandate", args=[invitation.pk])
    assert signed_in(operator).post(sign).status_code == 403

    signed_in(heads["dinkes"]).post(sign)
    invitation.refresh_from_db()
    assert invitation.mandate_signed_at is not None
    letter = signed_in(operator).get(reverse("meetings:mandate_letter", args=[invitation.pk]))
    assert letter["Content-Type"] == "application/pdf"


def test_a_stale_code_says_what_to_do(client, meeting, secretary, monkeypatch):
    services.open_meeting(meeting, actor=secretary)
    token = services.check_in_token(meeting)
    monkeypatch.setattr(services, "CHECK_IN_SECONDS", -1)
    response = client.get(reverse("meetings:check_in", args=[token]))
    assert response.status_code == 410
    assert "Pindai lagi kode" in response.content.decode()


def test_a_guest_without_account_fills_a_short_form(client, meeting, secretary, heads):
    services.open_meeting(meeting, actor=secretary)
    path = reverse("meetings:check_in", args=[services.check_in_token(meeting)])
    refused = client.post(path, {"name": ""})
    assert not meeting.attendances.exists()
    assert refused.status_code == 200
    client.post(path, {"name": "Sri", "agency": heads["dinkes"].agency_id})
    assert meeting.attendances.get().capacity == Capacity.COMPANION


def test_pages_read_few_queries_however_long_the_meeting(
    meeting, heads, secretary, make_agency, make_user, item, django_assert_max_num_queries
):
    for number in range(12):
        made = services.save_item(
            meeting,
            actor=secretary,
            values={"title": f"Pokok {number}", "description": ""},
            agencies=[],
        )
        services.give_input(meeting, actor=heads["dinkes"], text="Masukan", item=made)
    services.invite(
        meeting, [make_agency(f"dinas-{number}") for number in range(12)], actor=secretary
    )
    meeting.quorum_percent = 5
    meeting.save()
    services.open_meeting(meeting, actor=secretary)
    services.check_in(meeting, user=heads["dinsos"])
    for each in meeting.agenda.all():
        decision = decisions.record_decision(each, actor=secretary, text="Ya.")
    client = signed_in(secretary)
    for name, limit in (("detail", 26), ("code", 12)):
        with django_assert_max_num_queries(limit):
            assert client.get(reverse(f"meetings:{name}", args=[meeting.pk])).status_code == 200
    with django_assert_max_num_queries(14):
        client.get(reverse("meetings:decision", args=[decision.pk]))
    for name in ("list", "decisions", "actions", "turnout"):
        with django_assert_max_num_queries(14):
            assert client.get(reverse(f"meetings:{name}")).status_code == 200


def test_the_secretariat_enters_a_head_without_a_telephone(client_for, meeting, heads, secretary):
    services.open_meeting(meeting, actor=secretary)
    client = client_for(Role.SECRETARIAT)
    url = reverse("meetings:add_attendance", args=[meeting.pk])
    form = {"name": "Kepala Dinsos", "as_head": "on"}
    refused = client.post(url, form)
    assert "Pilih perangkat daerah" in refused.content.decode()
    assert not meeting.attendances.exists()
    client.post(url, form | {"agency": heads["dinsos"].agency_id})
    assert meeting.attendances.get().capacity == Capacity.HEAD
    # At the code on the wall nobody makes a head of themselves.
    guest = {"name": "Kepala Dinkes", "agency": heads["dinkes"].agency_id, "as_head": "on"}
    Client().post(reverse("meetings:check_in", args=[services.check_in_token(meeting)]), guest)
    assert meeting.attendances.get(name="Kepala Dinkes").capacity == Capacity.COMPANION


def test_what_is_still_to_be_done_stands_before_what_is_done(client_for, meeting, heads, secretary):
    services.open_meeting(meeting, actor=secretary)
    today = timezone.localdate()
    agency = heads["dinsos"].agency
    for text, days in (("Sudah beres", 1), ("Masih ditunggu", 9)):
        decisions.add_action(
            meeting,
            actor=secretary,
            text=text,
            agency=agency,
            due_on=today + dt.timedelta(days=days),
        )
    ActionItem.objects.filter(text="Sudah beres").update(state=ActionState.DONE)
    page = client_for(Role.SECRETARIAT).get(reverse("meetings:actions")).context["page"]
    assert [action.text for action in page] == ["Masih ditunggu", "Sudah beres"]
