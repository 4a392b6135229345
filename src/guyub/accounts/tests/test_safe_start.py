"""A production start that is not safe is refused.

Real processes show that servers and commands ask the rules; what each rule says of an environment is
asked in this process, of settings that are read anew from that environment.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from guyub import settings as settings_module
from guyub.accounts.models import User
from guyub.accounts.services import make_demo_account
from guyub.checks import refuse_unsafe_start

pytestmark = pytest.mark.own_database
SAFE = {
    "DJANGO_SETTINGS_MODULE": "guyub.settings",
    "GUYUB_MODE": "production",
    "GUYUB_SECRET_KEY": "s" * 50,
    "GUYUB_AUDIT_KEY": "a" * 50,
    "GUYUB_DATA_KEY": "d" * 50,
    "GUYUB_HOSTS": "guyub.contoh.test",
    "LANGUAGE": "id",
}
SERVE = "import guyub.wsgi; print('serving')"
# The settings that the rules judge.
JUDGED = [
    "MODE", "DEBUG", "SECRET_KEY", "DEFAULT_SECRET_KEY", "SECRET_KEY_FALLBACKS", "AUDIT_KEY", "DATA_KEY",
    "ALLOWED_HOSTS",
]  # fmt: skip


@pytest.fixture
def read_settings(tmp_path, monkeypatch, settings):
    """Let Guyub's settings be those of an environment: ``read_settings(GUYUB_DEBUG="1")``."""

    def act(**changes):
        for name in [name for name in os.environ if name.startswith("GUYUB_")]:
            monkeypatch.delenv(name)
        environment = SAFE | {"GUYUB_DATA_DIR": str(tmp_path)} | changes
        for name, value in environment.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        found = runpy.run_path(settings_module.__file__)
        for name in JUDGED:
            setattr(settings, name, found[name])

    return act


@pytest.fixture
def run(tmp_path):
    """Run Python in a process of its own: ``run(SERVE, GUYUB_DEBUG="1")``."""

    def act(code, **changes):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GUYUB_")}
        # Each process has a database of its own below the test's folder.
        environment.pop("DATABASE_URL", None)
        environment |= SAFE | {"GUYUB_DATA_DIR": str(tmp_path)}
        for name, value in changes.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        return subprocess.run(
            [sys.executable, *code] if isinstance(code, list) else [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return act


def test_a_safe_installation_serves(run):
    done = run(SERVE)
    assert done.returncode == 0, done.stderr
    assert "serving" in done.stdout


def test_an_unsafe_one_does_not(run):
    served = run(SERVE, GUYUB_SECRET_KEY=None)
    assert served.returncode != 0
    assert "serving" not in served.stdout
    assert "Guyub menolak berjalan" in served.stderr
    assert "GUYUB_SECRET_KEY belum diisi" in served.stderr


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "value", "reason"),
    [
        ("GUYUB_DEBUG", "1", "GUYUB_DEBUG"),
        ("GUYUB_SECRET_KEY", None, "GUYUB_SECRET_KEY belum diisi"),
        ("GUYUB_SECRET_KEY", "pendek", "GUYUB_SECRET_KEY terlalu pendek"),
        ("GUYUB_DATA_KEY", None, "GUYUB_DATA_KEY belum diisi"),
        ("GUYUB_DATA_KEY", "a" * 50, "sama dengan kunci lain"),
        ("GUYUB_AUDIT_KEY", None, "GUYUB_AUDIT_KEY belum diisi"),
        ("GUYUB_AUDIT_KEY", "s" * 50, "sama dengan GUYUB_SECRET_KEY"),
        ("GUYUB_HOSTS", None, "GUYUB_HOSTS"),
        ("GUYUB_HOSTS", "*", "GUYUB_HOSTS"),
        ("GUYUB_MODE", "prodution", "GUYUB_MODE"),
    ],
)
def test_each_unsafe_setting_is_refused_with_its_reason(
    read_settings, capsys, change, value, reason
):
    read_settings()
    refuse_unsafe_start()
    read_settings(**{change: value})
    with pytest.raises(ImproperlyConfigured, match="Guyub menolak berjalan"):
        refuse_unsafe_start()
    assert reason in capsys.readouterr().err


def test_management_commands_refuse_too(run):
    done = run(["-m", "guyub.cli", "check"], GUYUB_HOSTS=None)
    assert done.returncode != 0
    assert "guyub.E006" in done.stderr


def test_sqlite_is_only_a_warning(run):
    done = run(["-m", "guyub.cli", "check"])
    assert done.returncode == 0, done.stderr
    assert "guyub.W001" in done.stderr


@pytest.mark.django_db
def test_demo_accounts_are_refused(read_settings):
    make_demo_account("bupati", "Bupati", "regent")
    read_settings(GUYUB_MODE="demo")
    refuse_unsafe_start()
    read_settings()
    with pytest.raises(ImproperlyConfigured, match="1 akun demo"):
        refuse_unsafe_start()
    with pytest.raises(SystemCheckError, match=r"guyub\.E007"):
        call_command("check", databases=["default"])
    # They stay refused when somebody merely deactivates them: the password is still public.
    User.objects.update(is_active=False)
    with pytest.raises(ImproperlyConfigured, match="1 akun demo"):
        refuse_unsafe_start()


@pytest.mark.django_db
def test_demo_mode_asks_for_nothing(read_settings):
    read_settings(
        GUYUB_MODE="demo",
        GUYUB_SECRET_KEY=None,
        GUYUB_AUDIT_KEY=None,
        GUYUB_HOSTS=None,
        GUYUB_DEBUG="1",
    )
    refuse_unsafe_start()


def test_old_keys_come_from_the_environment(read_settings, settings):
    read_settings(GUYUB_OLD_SECRET_KEYS="lama,lebih-lama")
    assert settings.SECRET_KEY_FALLBACKS == ["lama", "lebih-lama"]
