"""What production sets for cookies, HTTPS and passwords, read in a process that runs as production."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

NAMES = [
    "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
    "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "DEBUG",
    "SESSION_COOKIE_AGE", "PASSWORD_HASHERS", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME",
    "LANGUAGE_COOKIE_SECURE", "SESSION_COOKIE_DOMAIN", "SESSION_IDLE_SECONDS",
]  # fmt: skip
TELL = f"""
import json, django
django.setup()
from django.conf import settings
print(json.dumps({{name: getattr(settings, name) for name in {NAMES!r}}}))
"""


def test_production_is_strict(tmp_path: Path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GUYUB_")}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "guyub.settings",
        "GUYUB_MODE": "production",
        "GUYUB_DATA_DIR": str(tmp_path),
        "GUYUB_HOSTS": "guyub.contoh.test",
        **{f"GUYUB_{name}_KEY": name * 20 for name in ("SECRET", "AUDIT", "DATA")},
    }
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        env=environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for name in NAMES[:3] + NAMES[4:5] + NAMES[6:7]:
        assert told[name] is True, name
    assert told["DEBUG"] is False
    assert told["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert told["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert told["SESSION_COOKIE_AGE"] <= 8 * 3600
    assert told["LANGUAGE_COOKIE_SECURE"] is True
    assert told["SESSION_COOKIE_DOMAIN"] is None
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        assert told[f"{name}_COOKIE_NAME"].startswith("__Host-")
    assert told["SESSION_IDLE_SECONDS"] <= 3600
    assert "MD5" not in told["PASSWORD_HASHERS"][0]


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["pendek", "12345678901234", "1qaz2wsx3edc", "p" * 11])
def test_weak_passwords_are_refused(password: str):
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize(
    "password",
    [
        "Banyumas2026!",
        "guyub-bupati-1",
        "Kecamatan Cilongok 33",
        "dinsos.dinkes_2026",
        "rahasiakatasandi",
    ],
)
def test_words_of_the_organisation_alone_are_refused(regency: Any, make_agency: Any, password: str):
    make_agency("dinsos")
    make_agency("dinkes")
    with pytest.raises(ValidationError, match="mudah ditebak di sini"):
        validate_password(password)


def test_words_of_the_organisation_among_others_are_taken(regency: Any):
    validate_password("banyumas hujan petang")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "password", ["tiga kuda di sawah", "ñ" * 30 + "☂" * 40, "a" * 5 + "z!" * 60]
)
def test_long_passwords_of_any_letters_are_taken(password: str):
    validate_password(password)


def test_pages_of_who_is_signed_in_are_not_kept(client_for: Callable[..., Any]):
    assert "no-store" in client_for().get("/")["Cache-Control"]
