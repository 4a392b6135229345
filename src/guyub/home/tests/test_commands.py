"""The commands that fill an installation and serve it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.testing import Places


@pytest.mark.django_db
def test_load_brings_areas_and_agencies_once() -> None:
    for _time in range(2):
        said = StringIO()
        call_command("load", stdout=said)
        assert f"{Area.objects.count()} wilayah" in said.getvalue()
    assert Area.objects.filter(level=4).count() == 331
    assert Agency.objects.count() > 25


@pytest.mark.own_database
def test_a_production_installation_serves_and_stops(places: Places) -> None:
    # Migrated already; `guyub setup` brings what production adds.
    environment = places.set_up().environment | {
        "GUYUB_MODE": "production",
        "GUYUB_SECRET_KEY": "s" * 50,
        "GUYUB_AUDIT_KEY": "a" * 50,
        "GUYUB_DATA_KEY": "d" * 50,
        "GUYUB_HOSTS": "127.0.0.1",
        "GUYUB_SSL_REDIRECT": "0",
        "PYTHONUNBUFFERED": "1",
    }
    guyub = [sys.executable, "-m", "guyub.cli"]
    subprocess.run([*guyub, "setup"], env=environment, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = subprocess.Popen(
        [*guyub, "serve", "--port", str(port), "--workers", "1"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert serving.stdout
        said = []
        while "Guyub berjalan" not in (line := serving.stdout.readline()):
            assert line, "".join(said)
            said.append(line)
        base = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"{base}/masuk/login/", timeout=30) as answer:
            page = answer.read().decode()
        assert "Akun demo" not in page
        style = page.split('href="/static/ui/guyub.')[1].split('"')[0]
        with urllib.request.urlopen(f"{base}/static/ui/guyub.{style}", timeout=30) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
    finally:
        serving.terminate()
        serving.communicate(timeout=60)
    assert serving.returncode == 0


@pytest.mark.own_database
@pytest.mark.parametrize(
    ("changes", "told"),
    [({"GUYUB_SECRET_KEY": ""}, "GUYUB_SECRET_KEY"), ({"GUYUB_DEBUG": "1"}, "GUYUB_DEBUG")],
)
def test_an_unsafe_one_says_why_it_does_not(
    tmp_path: Path, changes: dict[str, str], told: str
) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GUYUB_")}
    environment |= {"GUYUB_MODE": "production", "GUYUB_DATA_DIR": str(tmp_path)} | changes
    done = subprocess.run(
        [sys.executable, "-m", "guyub.cli", "serve"],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert told in done.stderr
