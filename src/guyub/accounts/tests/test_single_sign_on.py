"""Single sign-on, against a real OpenID Connect provider that runs in this process."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.urls import reverse

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.accounts.services import create_account
from guyub.accounts.tests.conftest import totp_code
from guyub.audit.models import Event

CLIENT_ID, CLIENT_SECRET = "guyub", "rahasia-bersama"


class Provider(ThreadingHTTPServer):
    """A small OpenID Connect provider: discovery, authorization code with PKCE, token, keys."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.person: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.leads_to = ""


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *args: Any) -> None:
        pass

    def answer(self, data: Any, status: int = 200) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.asked.append(url.path)
        issuer = self.server.issuer
        if self.server.leads_to:
            self.send_response(302)
            self.send_header("Location", self.server.leads_to + self.path)
            self.end_headers()
        elif url.path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": issuer,
                    "authorization_endpoint": f"{issuer}/authorize",
                    "token_endpoint": f"{issuer}/token",
                    "userinfo_endpoint": f"{issuer}/userinfo",
                    "jwks_uri": f"{issuer}/jwks",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif url.path == "/authorize":
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            assert query["client_id"] == CLIENT_ID
            assert "openid" in query["scope"].split()
            code = f"kode-{len(self.server.codes)}"
            self.server.codes[code] = query
            self.send_response(302)
            back = urlencode({"code": code, "state": query["state"]})
            self.send_header("Location", f"{query['redirect_uri']}?{back}")
            self.end_headers()
        elif url.path == "/userinfo":
            if self.headers["Authorization"] != "Bearer tiket":
                self.answer({"error": "invalid_token"}, 401)
            else:
                self.answer(self.server.person)
        elif url.path == "/jwks":
            jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.server.key.public_key()))
            self.answer({"keys": [jwk | {"kid": "satu", "alg": "RS256", "use": "sig"}]})
        else:
            self.answer({}, 404)

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {key: values[0] for key, values in parse_qs(raw).items()}
        asked = self.server.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or form.get("client_secret") != CLIENT_SECRET
            or asked.get("code_challenge") != challenge
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            self.answer({"error": "invalid_grant"}, 400)
            return
        now = int(time.time())
        claims = {
            "iss": self.server.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            **self.server.person,
        }
        token = jwt.encode(claims, self.server.key, algorithm="RS256", headers={"kid": "satu"})
        self.answer({"access_token": "tiket", "token_type": "Bearer", "id_token": token})


@pytest.fixture
def provider(settings):
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": "SSO Banyumas",
                    "client_id": CLIENT_ID,
                    "secret": CLIENT_SECRET,
                    "settings": {"server_url": server.issuer, "oauth_pkce_enabled": True},
                }
            ]
        }
    }
    yield server
    server.shutdown()
    server.server_close()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def walk(client: Client, query: str = "") -> Any:
    """Go through the whole flow as a browser does; return Guyub's answer to the callback."""
    start = client.get(reverse("openid_connect_login", args=["sso"]) + query)
    assert start.status_code == 302, start.content.decode()
    try:
        urllib.request.build_opener(_Stay).open(start["Location"])
        raise AssertionError("the provider should have sent us back")
    except urllib.error.HTTPError as answer:
        back = urlsplit(answer.headers["Location"])
    assert back.netloc == "testserver"
    return client.get(f"{back.path}?{back.query}")


@pytest.fixture
def regent(db):
    return create_account(
        username="bupati", full_name="Bupati", email="bupati@contoh.test", role=Role.REGENT
    )


def person(**changes):
    return {
        "sub": "orang-1",
        "email": "bupati@contoh.test",
        "email_verified": True,
        "name": "Bupati Banyumas",
    } | changes


def test_the_button_is_there_only_when_configured(db, settings):
    assert "SSO" not in Client().get(reverse("account_login")).content.decode()


def test_the_button_leads_to_the_provider(provider, db):
    page = Client().get(reverse("account_login") + "?next=/akun/saya/").content.decode()
    assert "Masuk dengan SSO Banyumas" in page
    assert 'href="/masuk/oidc/sso/login/?process=login&amp;next=%2Fakun%2Fsaya%2F"' in page


def test_a_verified_address_lets_its_account_in(provider, regent):
    provider.person = person()
    client = Client()
    response = walk(client, "?process=login&next=/akun/saya/")
    assert response.status_code == 302
    assert response["Location"] == "/akun/saya/"
    assert client.session["_auth_user_id"] == str(regent.pk)
    assert provider.asked == [
        "/.well-known/openid-configuration",
        "/authorize",
        "/.well-known/openid-configuration",
        "/token",
        "/userinfo",
    ]
    assert SocialAccount.objects.get().user == regent
    assert Event.objects.get(action="accounts.login").detail == {"methods": ["socialaccount"]}
    # From now on the account is known by the provider's own name for the person.
    provider.person = person(email="ganti@contoh.test")
    again = Client()
    walk(again)
    assert again.session["_auth_user_id"] == str(regent.pk)
    assert User.objects.get(pk=regent.pk).email == "bupati@contoh.test"


def test_a_provider_that_sends_us_elsewhere_is_not_followed(provider, regent):
    with Provider() as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
        provider.leads_to = elsewhere.issuer
        response = Client().get(reverse("openid_connect_login", args=["sso"]))
        elsewhere.shutdown()
    assert response.status_code == 503
    assert not elsewhere.asked


@pytest.mark.parametrize("verified", [False, "false", None])
def test_an_unverified_address_opens_nothing(provider, regent, verified):
    provider.person = person(email_verified=verified)
    client = Client()
    response = walk(client)
    assert "_auth_user_id" not in client.session
    assert "Akun dibuat oleh sekretariat" in response.content.decode()
    assert not SocialAccount.objects.exists()


def test_a_stranger_gets_no_account(provider, regent):
    provider.person = person(email="orang-luar@contoh.test")
    client = Client()
    response = walk(client)
    assert "belum ada akun Guyub dengan alamat surel tersebut" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == 1
    event = Event.objects.get(action="accounts.login_failed")
    assert event.detail == {"method": "sso", "account": "unknown"}


def test_an_inactive_account_stays_out(provider, regent):
    User.objects.filter(pk=regent.pk).update(is_active=False)
    provider.person = person()
    client = Client()
    assert walk(client)["Location"] == reverse("account_inactive")
    assert "_auth_user_id" not in client.session


def test_the_second_factor_is_asked_for_all_the_same(provider, make_user):
    user = make_user(Role.SECRETARIAT, email="sekretariat@contoh.test")
    provider.person = person(email="sekretariat@contoh.test")
    client = Client()
    response = walk(client)
    assert response["Location"] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session
    client.post(reverse("mfa_authenticate"), {"code": totp_code(user)})
    assert client.session["_auth_user_id"] == str(user.pk)


def test_who_must_have_a_second_factor_sets_one_up(provider, make_user):
    make_user(Role.SECRETARIAT, email="sekretariat@contoh.test", second_factor=False)
    provider.person = person(email="sekretariat@contoh.test")
    client = Client()
    walk(client)
    assert client.get(reverse("home"))["Location"] == reverse("accounts:second_factor")
    # No password to ask for: the page to set one up opens at once.
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_a_forged_answer_is_refused(provider, regent):
    provider.person = person()
    client = Client()
    client.get(reverse("openid_connect_login", args=["sso"]))
    url = reverse("openid_connect_callback", args=["sso"]) + "?code=karangan&state=karangan"
    page = client.get(url).content.decode()
    assert "Gagal masuk dengan akun instansi" in page
    assert "_auth_user_id" not in client.session


def test_a_provider_that_is_down_gets_a_page_of_ours(provider, regent, settings):
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    apps[0]["settings"]["server_url"] = "http://127.0.0.1:9"
    page = Client().get(reverse("openid_connect_login", args=["sso"]))
    assert page.status_code == 503
    assert "Gagal masuk dengan akun instansi" in page.content.decode()


def test_the_environment_configures_it(tmp_path):
    code = (
        "import django; django.setup();"
        "from django.conf import settings;"
        "print(settings.SOCIALACCOUNT_PROVIDERS['openid_connect']['APPS'])"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "guyub.settings",
        "GUYUB_DATA_DIR": str(tmp_path),
        "GUYUB_OIDC_ISSUER": "https://sso.contoh.test",
        "GUYUB_OIDC_NAME": "SSO Contoh",
        "GUYUB_OIDC_CLIENT_ID": "guyub",
        "GUYUB_OIDC_CLIENT_SECRET": "rahasia",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    for text in ("https://sso.contoh.test", "SSO Contoh", "'guyub'", "'rahasia'"):
        assert text in done.stdout
