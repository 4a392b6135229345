"""Akun saya: one's own data, sessions, language."""

import pytest
from django.test import Client
from django.urls import reverse

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.audit.models import Event
from guyub.ui import context


def test_shows_what_there_is_about_oneself(make_user, sign_in):
    user = make_user(Role.AREA_OPERATOR, full_name="Tarno Wibowo", phone="0812000111")
    page = sign_in(user).get(reverse("accounts:me")).content.decode()
    for text in ("Tarno Wibowo", "0812000111", user.email, "Desa Cirahab", "Wajib untuk peran"):
        assert text in page


def test_changes_only_what_is_ones_own(make_user, sign_in, village):
    user = make_user(Role.AREA_OPERATOR)
    client = sign_in(user)
    response = client.post(
        reverse("accounts:edit_me"),
        {
            "full_name": "Tarno Wibowo",
            "position": "Kasi Kesejahteraan",
            "phone": "0813-222-333",
            "role": Role.SECRETARIAT,
            "area": "",
            "email": "lain@contoh.test",
            "is_demo": "1",
        },
    )
    assert response["Location"] == reverse("accounts:me")
    after = User.objects.get(pk=user.pk)
    assert (after.full_name, after.position, after.phone) == (
        "Tarno Wibowo",
        "Kasi Kesejahteraan",
        "0813-222-333",
    )
    assert (after.role, after.area, after.email) == (user.role, user.area, user.email)
    event = Event.objects.get(action="accounts.self.edit")
    assert event.detail == {"fields": ["full_name", "phone", "position"]}
    assert "Tarno" not in str(event.detail)


@pytest.mark.parametrize("phone", ["0812abc", "12345", "nanti saja"])
def test_a_telephone_is_a_number_that_can_be_called(make_user, sign_in, phone):
    client = sign_in(make_user(Role.REGENT, second_factor=False))
    response = client.post(reverse("accounts:edit_me"), {"full_name": "Tarno", "phone": phone})
    assert "misalnya 0812-3456-7890" in response.content.decode()


def test_a_name_is_required(make_user, sign_in):
    client = sign_in(make_user(Role.REGENT, second_factor=False))
    response = client.post(reverse("accounts:edit_me"), {"full_name": " "})
    assert response.status_code == 200
    assert "full_name" in response.context["form"].errors


def test_sessions_are_listed_and_others_ended(make_user, sign_in):
    user = make_user(Role.REGENT, second_factor=False)
    agent = "Mozilla/5.0 (Linux; Android 10) AppleWebKit Chrome/120.0 Mobile Safari/537.36"
    phone = sign_in(user, headers={"User-Agent": agent})
    laptop = sign_in(user, headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/120.0"})
    page = laptop.get(reverse("usersessions_list")).content.decode()
    assert "Chrome, Android" in page
    assert "Firefox, Windows" in page
    laptop.post(reverse("usersessions_list"))
    assert laptop.get(reverse("accounts:me")).status_code == 200
    assert phone.get(reverse("accounts:me")).status_code == 302


def test_activity_is_written_at_most_every_five_minutes(
    make_user, sign_in, django_assert_num_queries, monkeypatch
):
    import time

    from allauth.usersessions.models import UserSession

    client = sign_in(make_user(Role.REGENT, second_factor=False))
    client.get(reverse("accounts:edit_me"))
    first = UserSession.objects.get().last_seen_at
    # Session, user, unread news, and the record that the form edits: no write.
    with django_assert_num_queries(4):
        client.get(reverse("accounts:edit_me"))
    assert UserSession.objects.get().last_seen_at == first
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 301)
    client.get(reverse("accounts:edit_me"))
    assert UserSession.objects.get().last_seen_at > first


def later(monkeypatch, seconds):
    import time

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)


def test_a_session_that_nobody_uses_ends_after_an_hour(make_user, sign_in, monkeypatch):
    client = sign_in(make_user(Role.REGENT, second_factor=False))
    later(monkeypatch, 3000)
    # A page left open asks for news by itself; that is no use.
    news = client.get(reverse("discussions:stream"), headers={"Accept": "text/event-stream"})
    assert news.status_code == 200
    later(monkeypatch, 601)
    gone = client.get(reverse("accounts:me"))
    assert gone["Location"].startswith(reverse("account_login"))
    assert gone["Clear-Site-Data"] == '"cache"'
    assert "lama tidak memakai Guyub" in client.get(gone["Location"]).content.decode()


def test_a_session_in_use_ends_after_eight_hours_all_the_same(make_user, sign_in, monkeypatch):
    client = sign_in(make_user(Role.REGENT, second_factor=False))
    for _quarter in range(16):
        later(monkeypatch, 1800 - 1)
        assert client.get(reverse("accounts:me")).status_code == 200
    later(monkeypatch, 60)
    assert client.get(reverse("accounts:me")).status_code == 302


@pytest.mark.parametrize("name", ["accounts:me", "accounts:edit_me", "accounts:second_factor"])
def test_the_public_has_none(db, name):
    response = Client().get(reverse(name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


def test_another_language_is_offered_only_when_there_is_one(make_user, sign_in, monkeypatch):
    client = sign_in(make_user(Role.SECRETARIAT))
    for there_is in (False, True):
        monkeypatch.setattr(context, "HAS_ENGLISH", there_is)
        page = client.get(reverse("accounts:me")).content.decode()
        assert ('value="en"' in page) is there_is


def test_ones_own_account_is_not_the_list_of_all(make_user, sign_in):
    client = sign_in(make_user(Role.SECRETARIAT))
    link = f'<a href="{reverse("accounts:list")}" aria-current="page">'
    assert link in client.get(reverse("accounts:list")).content.decode()
    assert link not in client.get(reverse("accounts:me")).content.decode()
