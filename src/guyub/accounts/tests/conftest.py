"""What the tests of signing in share."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

PASSWORD = "kata-sandi-uji-12345"


def totp_code(user: Any, steps: int = 0) -> str:
    """Return what the authenticator app of ``user`` shows, ``steps`` periods from now."""
    secret = Authenticator.objects.get(user=user, type="totp").wrap().instance.data["secret"]
    return code_of(_decrypt(secret), steps)


def _decrypt(secret: str) -> str:
    from guyub.accounts.adapters import MFAAdapter

    return MFAAdapter().decrypt(secret)


def code_of(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def find(pattern: str, text: Any) -> str:
    """Return the first group of ``pattern`` in ``text``."""
    match = re.search(pattern, str(text))
    assert match is not None, f"{pattern} is not in:\n{text}"
    return match[1]


def type_password(client: Client, login: str, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(
        reverse("account_login"), {"login": login, "password": password, **extra}, follow=False
    )


@pytest.fixture(autouse=True)
def fresh_cache(db: None) -> None:
    """Rate limits and spent codes live in the cache, which outlives a rolled back test."""
    cache.clear()


@pytest.fixture
def sign_in() -> Callable[..., Client]:
    """Sign in through the forms as people do: ``client = sign_in(user)``."""

    def act(user: Any, **headers: Any) -> Client:
        client = Client(**headers)
        response = type_password(client, user.username)
        assert response.status_code == 302, response.context["form"].errors
        if response["Location"].startswith(reverse("mfa_authenticate")):
            response = client.post(response["Location"], {"code": totp_code(user)})
            assert response.status_code == 302, response.context["form"].errors
        return client

    return act
