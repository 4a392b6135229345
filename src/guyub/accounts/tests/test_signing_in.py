"""Signing in and out, passwords, addresses: through real requests."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.accounts.services import DEMO_PASSWORD, create_account, make_demo_account
from guyub.accounts.tests.conftest import PASSWORD, find, totp_code, type_password
from guyub.audit.models import Event


def actions():
    rows = Event.objects.filter(action__startswith="accounts.").order_by("sequence")
    return list(rows.values_list("action", flat=True))


@pytest.mark.parametrize("login", ["ibu.sari", "IBU.SARI", "sari@contoh.test", "Sari@Contoh.Test"])
def test_name_or_address_signs_in(make_user, login):
    user = make_user(
        Role.REGENT, username="ibu.sari", email="sari@contoh.test", second_factor=False
    )
    client = Client()
    response = type_password(client, login)
    assert response.status_code == 302
    assert response["Location"] == reverse("home")
    event = Event.objects.get(action="accounts.login")
    assert event.actor_id == user.pk
    assert event.detail == {"methods": ["password"]}


def test_signing_in_leads_to_the_page_that_was_wanted(make_user):
    user = make_user(Role.REGENT, second_factor=False)
    client = Client()
    wanted = client.get(reverse("accounts:me"))
    assert wanted.status_code == 302
    page = client.get(wanted["Location"])
    assert 'name="next" value="/akun/saya/"' in page.content.decode()
    response = type_password(client, user.username, next="/akun/saya/")
    assert response["Location"] == "/akun/saya/"


def test_another_host_is_never_led_to(make_user):
    user = make_user(Role.REGENT, second_factor=False)
    response = type_password(Client(), user.username, next="https://jahat.test/")
    assert response["Location"] == reverse("home")


def test_the_second_step_asks_for_a_code(make_user):
    user = make_user(Role.SECRETARIAT)
    client = Client()
    response = type_password(client, user.username)
    assert response["Location"] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session
    wrong = client.post(response["Location"], {"code": "000000"})
    assert "Kode salah" in wrong.content.decode()
    assert "_auth_user_id" not in client.session
    right = client.post(response["Location"], {"code": totp_code(user)})
    assert right.status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)
    assert actions() == ["accounts.second_factor_failed", "accounts.login"]
    assert Event.objects.get(action="accounts.login").detail == {"methods": ["password", "totp"]}


def test_a_code_works_once_for_as_long_as_it_is_tolerated(make_user):
    user = make_user(Role.SECRETARIAT)
    code = totp_code(user)
    answers = []
    for _attempt in range(2):
        client = Client()
        type_password(client, user.username)
        answers.append(client.post(reverse("mfa_authenticate"), {"code": code}).status_code)
    assert answers == [302, 200]
    # Tolerated for three periods of 30 seconds, so it must be remembered that long.
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, expires FROM guyub_cache")
        rows = [expires for key, expires in cursor.fetchall() if f"totp.used?user={user.pk}" in key]
    (expires,) = rows
    moment = expires if hasattr(expires, "year") else dt.datetime.fromisoformat(str(expires))
    left = moment.replace(tzinfo=dt.UTC) - timezone.now()
    assert left > dt.timedelta(seconds=80)


def test_failures_are_recorded_without_what_was_typed(make_user):
    user = make_user(Role.REGENT, username="bupati")
    type_password(Client(), "bupati", "kata-sandi-keliru")
    type_password(Client(), "kata-sandi-di-kolom-salah", "apa saja")
    known, unknown = Event.objects.filter(action="accounts.login_failed").order_by("sequence")
    assert known.subject_id == str(user.pk)
    assert known.actor_id is None
    assert known.detail["account"] == "known"
    assert unknown.subject_id == ""
    assert unknown.detail["account"] == "unknown"
    everything = str([[getattr(e, f.name) for f in Event._meta.fields] for e in (known, unknown)])
    assert "kata-sandi" not in everything


def test_unknown_and_wrong_look_the_same(make_user):
    make_user(Role.REGENT, username="bupati")
    text = [
        re.findall(r'class="alert alert-error" role="alert">([^<]*)<', r.content.decode())
        for r in (
            type_password(Client(), "bupati", "keliru"),
            type_password(Client(), "tidak-ada", "keliru"),
        )
    ]
    assert text[0] == text[1] == ["Nama pengguna atau kata sandi tidak cocok."]


def test_too_many_failures_shut_the_door_in_indonesian(make_user):
    user = make_user(Role.REGENT, username="bupati", second_factor=False)
    for _attempt in range(5):
        response = type_password(Client(), "bupati", "keliru")
        assert "tidak cocok" in response.content.decode()
    response = type_password(Client(), "bupati", PASSWORD)
    assert response.status_code == 200
    assert (
        "Terlalu banyak percobaan masuk yang gagal. Tunggu lima menit, lalu coba lagi."
        in response.content.decode()
    )
    assert User.objects.get(pk=user.pk).last_login is None
    # Somebody else is not locked out by it.
    other = make_user(Role.AUDITOR, second_factor=False)
    assert type_password(Client(), other.username).status_code == 302


def test_guessing_codes_is_limited_too(make_user):
    user = make_user(Role.SECRETARIAT)
    client = Client()
    type_password(client, user.username)
    for _attempt in range(5):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    response = client.post(reverse("mfa_authenticate"), {"code": totp_code(user)})
    assert "Terlalu banyak percobaan" in response.content.decode()


def test_a_flood_from_one_address_gets_a_page_of_ours(make_user):
    client = Client()
    for _attempt in range(30):
        client.post(reverse("account_login"), {"login": "", "password": ""})
    response = client.post(reverse("account_login"), {"login": "", "password": ""})
    assert response.status_code == 429
    assert "Terlalu banyak permintaan" in response.content.decode()


def test_forwarded_address_counts_only_behind_proxies_of_ours(make_user, settings):
    make_user(Role.REGENT, username="bupati")
    type_password(Client(headers={"X-Forwarded-For": "6.6.6.6, 10.1.2.3"}), "bupati", "keliru")
    settings.PROXY_COUNT = 1
    type_password(Client(headers={"X-Forwarded-For": "6.6.6.6, 10.1.2.3"}), "bupati", "keliru")
    rows = Event.objects.filter(action="accounts.login_failed").order_by("sequence")
    addresses = list(rows.values_list("address", flat=True))
    assert addresses == ["127.0.0.1", "10.1.2.3"]


def test_inactive_accounts_stay_out(make_user):
    user = make_user(Role.REGENT, is_active=False, second_factor=False)
    client = Client()
    response = client.post(
        reverse("account_login"), {"login": user.username, "password": PASSWORD}, follow=True
    )
    assert "Akun nonaktif" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_leaving_ends_the_session(sign_in, make_user):
    user = make_user(Role.REGENT, second_factor=False)
    client = sign_in(user)
    assert client.get(reverse("account_logout")).status_code == 200  # asks first
    assert client.get(reverse("accounts:me")).status_code == 200
    response = client.post(reverse("account_logout"))
    assert response["Location"] == reverse("account_login")
    # What waits on the phone to be sent stays.
    assert response["Clear-Site-Data"] == '"cache"'
    assert client.get(reverse("accounts:me")).status_code == 302
    assert actions()[-1] == "accounts.logout"


def test_forgotten_password_by_mail(make_user):
    user = create_account(
        username="bupati", full_name="Bupati", email="bupati@contoh.test", role=Role.REGENT
    )
    client = Client()
    response = client.post(
        reverse("account_reset_password"), {"email": "bupati@contoh.test"}, follow=True
    )
    assert "Periksa surel Anda" in response.content.decode()
    (message,) = mail.outbox
    assert message.subject == "[Guyub] Buat kata sandi baru"
    assert "Nama pengguna Anda: bupati" in message.body
    link = find(r"http://testserver(\S+)", message.body)
    page = client.get(link, follow=True)
    form_url = page.request["PATH_INFO"]
    weak = client.post(form_url, {"password1": "pendek", "password2": "pendek"})
    assert weak.status_code == 200
    assert "12" in str(weak.context["form"].errors)
    done = client.post(
        form_url, {"password1": "sawah-hijau-2026", "password2": "sawah-hijau-2026"}, follow=True
    )
    assert "Kata sandi tersimpan" in done.content.decode()
    assert User.objects.get(pk=user.pk).check_password("sawah-hijau-2026")
    assert "accounts.password.reset" in actions()
    assert "Tautan tidak berlaku" in Client().get(link, follow=True).content.decode()


def test_reset_does_not_tell_who_has_an_account(db):
    response = Client().post(
        reverse("account_reset_password"), {"email": "siapa@contoh.test"}, follow=True
    )
    assert "Bila alamat itu terdaftar" in response.content.decode()
    assert mail.outbox == []


def test_changing_the_password_keeps_this_session_and_ends_others(sign_in, make_user):
    user = make_user(Role.REGENT, second_factor=False)
    here, elsewhere = sign_in(user), sign_in(user)
    response = here.post(
        reverse("account_change_password"),
        {
            "oldpassword": PASSWORD,
            "password1": "sawah-hijau-2026",
            "password2": "sawah-hijau-2026",
        },
    )
    assert response["Location"] == reverse("accounts:me")
    assert here.get(reverse("accounts:me")).status_code == 200
    assert elsewhere.get(reverse("accounts:me")).status_code == 302
    assert "accounts.password.change" in actions()


def test_a_new_address_counts_once_its_link_was_opened(sign_in, make_user):
    user = create_account(
        username="bupati",
        full_name="Bupati",
        email="lama@contoh.test",
        role=Role.REGENT,
        password=PASSWORD,
    )
    client = sign_in(user)
    response = client.post(
        reverse("account_email"), {"email": "baru@contoh.test", "action_add": ""}, follow=True
    )
    assert "Menunggu Anda membuka tautan" in response.content.decode()
    assert User.objects.get(pk=user.pk).email == "lama@contoh.test"
    message = next(m for m in mail.outbox if m.to == ["baru@contoh.test"])
    link = find(r"http://testserver(\S+)", message.body)
    assert "baru@contoh.test" in client.get(link).content.decode()
    client.post(link)
    assert User.objects.get(pk=user.pk).email == "baru@contoh.test"
    assert "accounts.email.change" in actions()
    told = [m for m in mail.outbox if m.to == ["lama@contoh.test"]]
    assert any("baru@contoh.test" in m.body for m in told)


def test_an_address_of_somebody_else_is_never_taken(sign_in, make_user):
    create_account(username="lain", full_name="Lain", email="lain@contoh.test", role=Role.AUDITOR)
    user = create_account(
        username="bupati",
        full_name="Bupati",
        email="lama@contoh.test",
        role=Role.REGENT,
        password=PASSWORD,
    )
    client = sign_in(user)
    client.post(reverse("account_email"), {"email": "lain@contoh.test", "action_add": ""})
    for message in mail.outbox:
        for link in re.findall(r"http://testserver(\S+confirm-email\S+)", str(message.body)):
            client.post(link)
    assert User.objects.get(pk=user.pk).email == "lama@contoh.test"


def test_signing_up_is_closed_politely(db):
    response = Client().get(reverse("account_signup"))
    assert response.status_code == 200
    assert "Sekretariat TKPKD membuat akun" in response.content.decode()
    posted = Client().post(
        reverse("account_signup"),
        {
            "username": "tamu",
            "email": "tamu@contoh.test",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    assert "Sekretariat TKPKD membuat akun" in posted.content.decode()
    assert not User.objects.exists()


def test_mail_server_down_does_not_break_the_page(sign_in, make_user, settings):
    user = create_account(
        username="bupati",
        full_name="Bupati",
        email="bupati@contoh.test",
        role=Role.REGENT,
        password=PASSWORD,
    )
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    response = Client().post(reverse("account_reset_password"), {"email": user.email}, follow=True)
    assert response.status_code == 200


class TestDemoPanel:
    def test_shows_names_password_and_codes_that_work(self, db, settings):
        settings.MODE = "demo"
        user = make_demo_account("bupati", "Bupati", Role.REGENT)
        page = Client().get(reverse("account_login")).content.decode()
        assert "Akun demo" in page
        assert DEMO_PASSWORD in page
        assert totp_code(user) in page
        client = Client()
        type_password(client, "bupati", DEMO_PASSWORD)
        step = client.get(reverse("mfa_authenticate")).content.decode()
        code = find(r'class="mono">(\d{6})<', step)
        assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302
        assert client.session["_auth_user_id"] == str(user.pk)

    @pytest.mark.parametrize("mode", ["test", "production"])
    def test_never_outside_demo_mode(self, db, settings, mode):
        user = make_demo_account("bupati", "Bupati", Role.REGENT)
        settings.MODE = mode
        client = Client()
        page = client.get(reverse("account_login")).content.decode()
        assert "Akun demo" not in page
        assert DEMO_PASSWORD not in page
        type_password(client, "bupati", DEMO_PASSWORD)
        step = client.get(reverse("mfa_authenticate")).content.decode()
        assert totp_code(user) not in step

    def test_real_accounts_are_never_shown(self, make_user, settings):
        settings.MODE = "demo"
        make_user(Role.AUDITOR, username="auditor-sungguhan")
        page = Client().get(reverse("account_login")).content.decode()
        assert "auditor-sungguhan" not in page
