"""Who must have a second factor gets nowhere without one; the others choose."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from guyub.access.permissions import SECOND_FACTOR_ROLES
from guyub.access.roles import Role
from guyub.accounts.adapters import MFAAdapter
from guyub.accounts.middleware import WANTED_PAGE
from guyub.accounts.tests.conftest import PASSWORD, code_of, find, totp_code, type_password
from guyub.audit.models import Event

SETUP = "/akun/faktor-kedua/"
MUST = sorted(SECOND_FACTOR_ROLES)
MAY = sorted(set(Role) - SECOND_FACTOR_ROLES)


def test_the_roles_that_reveal_numbers_are_the_ones():
    assert set(MUST) == {Role.SECRETARIAT, Role.AGENCY_OPERATOR, Role.AREA_OPERATOR}


@pytest.mark.parametrize("role", MUST)
def test_roles_that_must_are_led_to_setting_one_up(make_user, sign_in, role):
    client = sign_in(make_user(role, second_factor=False))
    for url in (reverse("home"), reverse("datasets:list"), reverse("accounts:me")):
        response = client.get(url)
        assert response.status_code == 302, url
        assert response["Location"] == SETUP
    page = client.get(SETUP)
    assert page.status_code == 200
    assert "Siapkan faktor kedua" in page.content.decode()
    assert "NIK" in page.content.decode()


@pytest.mark.parametrize("role", MAY)
def test_other_roles_work_without(make_user, sign_in, role):
    client = sign_in(make_user(role, second_factor=False))
    assert client.get(reverse("accounts:me")).status_code == 200
    assert client.get(SETUP).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "account_change_password",
        "account_logout",
        "usersessions_list",
        "public",
    ],
)
def test_what_stays_open(make_user, sign_in, name):
    client = sign_in(make_user(Role.SECRETARIAT, second_factor=False))
    assert client.get(reverse(name)).status_code == 200


def test_what_stays_shut(make_user, sign_in):
    client = sign_in(make_user(Role.SECRETARIAT, second_factor=False))
    for name in ("account_email", "socialaccount_connections", "accounts:list", "accounts:edit_me"):
        assert client.get(reverse(name))["Location"] == SETUP, name
    # A form that is posted gets nowhere either, and does not become the wanted page.
    assert client.post(reverse("accounts:create"), {})["Location"] == SETUP
    assert client.get(reverse("accounts:resume"))["Location"] != reverse("accounts:create")


def test_htmx_is_sent_there_as_a_whole_page(make_user, sign_in):
    client = sign_in(make_user(Role.SECRETARIAT, second_factor=False))
    response = client.get(reverse("home"), headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == SETUP


def test_the_news_of_a_page_wait(make_user, sign_in):
    client = sign_in(make_user(Role.SECRETARIAT, second_factor=False))
    answer = client.get(reverse("discussions:stream"), headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_api_refuses_too(make_user, sign_in):
    client = sign_in(make_user(Role.SECRETARIAT, second_factor=False))
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 403
    assert "faktor kedua" in response.json()["detail"]


# Allauth tells of the new factor when its transaction commits, which a rolled back test has none of.
@pytest.mark.django_db(transaction=True)
def test_setting_one_up_leads_on_to_where_they_wanted_to_go(make_user, sign_in):
    user = make_user(Role.SECRETARIAT, second_factor=False)
    client = sign_in(user)
    wanted = reverse("accounts:list") + "?peran=auditor"
    assert client.get(wanted)["Location"] == SETUP
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    assert re.sub(r"\s", "", find(r'class="mono secret">([^<]+)<', page.content.decode())) == secret
    wrong = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "Kode salah" in wrong.content.decode()
    assert client.get(reverse("home"))["Location"] == SETUP
    client.get(wanted)
    done = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    body = done.content.decode()
    assert "Kode pemulihan" in body
    assert f'href="{reverse("accounts:resume")}"' in body
    onward = client.get(reverse("accounts:resume"))
    assert onward["Location"] == wanted
    assert client.get(wanted).status_code == 200
    # Only once; after that it leads home.
    assert client.get(reverse("accounts:resume"))["Location"] == reverse("home")
    added = Event.objects.filter(action="accounts.factor.add").values_list("detail", flat=True)
    assert sorted(d["type"] for d in added) == ["recovery_codes", "totp"]


def test_a_recovery_code_signs_in_once(make_user, sign_in):
    user = make_user(Role.SECRETARIAT)
    client = sign_in(user)
    client.post(reverse("mfa_generate_recovery_codes"))
    codes = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()
    assert len(codes) == 10
    assert codes[0] in client.get(reverse("mfa_view_recovery_codes")).content.decode()
    download = client.get(reverse("mfa_download_recovery_codes")).content.decode()
    assert all(code in download for code in codes)
    answers = []
    for _attempt in range(2):
        other = Client()
        type_password(other, user.username)
        answers.append(other.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code)
    assert answers == [302, 200]


def test_secrets_are_not_stored_in_the_clear(make_user):
    user = make_user(Role.SECRETARIAT)
    stored = Authenticator.objects.get(user=user).data["secret"]
    assert MFAAdapter().decrypt(stored) not in stored
    assert stored != MFAAdapter().encrypt(MFAAdapter().decrypt(stored))


def test_after_the_key_changed_no_code_fits(make_user, settings):
    user = make_user(Role.SECRETARIAT)
    code = totp_code(user)
    settings.SECRET_KEY = "another-key-that-is-long-enough-for-it"
    client = Client()
    type_password(client, user.username)
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 200
    settings.SECRET_KEY_FALLBACKS = ["guyub-demo-only-secret-key-never-use-in-production"]
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302


def test_the_last_factor_of_who_must_have_one_stays(make_user, sign_in):
    user = make_user(Role.SECRETARIAT)
    client = sign_in(user)
    page = client.get(reverse("mfa_deactivate_totp")).content.decode()
    assert "wajib memakai faktor kedua" in page
    client.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(user=user, type="totp").exists()


def test_others_may_drop_theirs(make_user, sign_in):
    user = make_user(Role.REGENT)
    client = sign_in(user)
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(user=user).exists()
    assert client.get(reverse("accounts:me")).status_code == 200
    assert Event.objects.filter(action="accounts.factor.remove").exists()


def test_dropping_the_last_passkey_leads_back_to_setting_one_up(make_user, sign_in):
    user = make_user(Role.SECRETARIAT)
    client = sign_in(user)
    key = Authenticator.objects.create(
        user=user, type="webauthn", data={"name": "Laptop", "credential": {}}
    )
    client.post(reverse("mfa_deactivate_totp"))  # allowed now: the passkey remains
    assert not Authenticator.objects.filter(user=user, type="totp").exists()
    assert client.get(reverse("accounts:me")).status_code == 200
    client.post(reverse("mfa_remove_webauthn", kwargs={"pk": key.pk}))
    assert client.get(reverse("accounts:me"))["Location"] == SETUP


def test_changing_factors_asks_again_after_a_while(make_user, sign_in, monkeypatch):
    user = make_user(Role.REGENT)
    client = sign_in(user)
    assert client.get(reverse("mfa_generate_recovery_codes")).status_code == 200
    import time

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 400)
    response = client.get(reverse("mfa_generate_recovery_codes"))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    again = client.post(response["Location"], {"password": PASSWORD})
    assert again["Location"] == reverse("mfa_generate_recovery_codes")
    assert client.get(again["Location"]).status_code == 200


def test_a_signed_in_page_costs_no_query_for_the_factor(
    make_user, sign_in, django_assert_max_num_queries
):
    client = sign_in(make_user(Role.SECRETARIAT))
    client.get(reverse("accounts:edit_me"))
    # Session, user, unread news, and the record that the form edits.
    with django_assert_max_num_queries(4):
        assert client.get(reverse("accounts:edit_me")).status_code == 200


def test_what_a_page_loads_by_itself_is_not_where_one_wanted_to_go(make_user, sign_in):
    client = sign_in(make_user(Role.SECRETARIAT, second_factor=False))
    client.get(reverse("accounts:list"))
    client.get(reverse("discussions:stream"), headers={"accept": "text/event-stream"})
    client.get(reverse("programs:list"), headers={"sec-fetch-dest": "image"})

    assert client.session[WANTED_PAGE] == reverse("accounts:list")
