"""A production start that is not safe is refused: in real processes with real environments."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
MAKE_DEMO = (
    "import django; django.setup();"
    "from django.core.management import call_command; call_command('migrate', verbosity=0);"
    "from guyub.accounts.services import make_demo_account;"
    "make_demo_account('bupati', 'Bupati', 'regent')"
)


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
def test_each_unsafe_setting_is_refused_with_its_reason(run, change, value, reason):
    served = run(SERVE, **{change: value})
    assert served.returncode != 0
    assert "serving" not in served.stdout
    assert "Guyub menolak berjalan" in served.stderr
    assert reason in served.stderr


def test_management_commands_refuse_too(run):
    done = run(["-m", "guyub.cli", "check"], GUYUB_HOSTS=None)
    assert done.returncode != 0
    assert "guyub.E006" in done.stderr


def test_sqlite_is_only_a_warning(run):
    done = run(["-m", "guyub.cli", "check"])
    assert done.returncode == 0, done.stderr
    assert "guyub.W001" in done.stderr


def test_demo_accounts_are_refused(run):
    made = run(MAKE_DEMO, GUYUB_MODE="demo")
    assert made.returncode == 0, made.stderr
    assert run(SERVE, GUYUB_MODE="demo").returncode == 0
    served = run(SERVE)
    assert served.returncode != 0
    assert "1 akun demo" in served.stderr
    checked = run(["-m", "guyub.cli", "check", "--database", "default"])
    assert "guyub.E007" in checked.stderr
    # They stay refused when somebody merely deactivates them: the password is still public.
    run(
        "import django; django.setup(); from guyub.accounts.models import User;"
        "User.objects.update(is_active=False)",
        GUYUB_MODE="demo",
    )
    assert run(SERVE).returncode != 0


def test_demo_mode_asks_for_nothing(run):
    done = run(
        SERVE,
        GUYUB_MODE="demo",
        GUYUB_SECRET_KEY=None,
        GUYUB_AUDIT_KEY=None,
        GUYUB_HOSTS=None,
        GUYUB_DEBUG="1",
    )
    assert done.returncode == 0, done.stderr


def test_old_keys_come_from_the_environment(run):
    done = run(
        "import django; django.setup(); from django.conf import settings;"
        "print(settings.SECRET_KEY_FALLBACKS)",
        GUYUB_OLD_SECRET_KEYS="lama,lebih-lama",
    )
    assert done.stdout.strip() == "['lama', 'lebih-lama']"
