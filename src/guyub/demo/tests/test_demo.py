"""``guyub demo`` from an empty folder and database, as a person runs it."""

from __future__ import annotations

import datetime as dt
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

import pytest

from guyub.audit.actions import LABELS
from guyub.demo.files import DTKS, HOUSES, LATRINES, P3KE, SAMPLE_FILES
from guyub.demo.reconciliation import DOUBLES
from guyub.demo.services import quarters_before
from guyub.testing import Place, Places

HOUSEHOLDS = 300
# What the tests ask of a demo's database; printed by a process of its own.
QUESTIONS = """
import json, django
django.setup()
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.datasets.models import Dataset, Version
from guyub.imports.models import ImportRun
from guyub.connections.models import ApiToken, Delivery, Partner, Subscription
from guyub.registry.models import Household, Move, Person
from guyub.retention.models import Disposal
datasets = Dataset.objects.select_related("current_version")
print(json.dumps({
    "households": Household.objects.count(),
    "people": Person.objects.count(),
    "moves": Move.objects.count(),
    "villages": Area.objects.filter(level=4).count(),
    "agencies": Agency.objects.count(),
    "accounts": {u.username: [u.role, u.area_code, u.is_demo] for u in User.objects.filter(is_service=False)},
    "disposals": list(Disposal.objects.values_list("state", "submitted_by__username")),
    "connections": [kind.objects.count() for kind in (ApiToken, Partner, Subscription)],
    "deliveries": sorted(Delivery.objects.values_list("state", flat=True)),
    "runs": ImportRun.objects.filter(state="done").count(),
    "versions": [[v.dataset.code, v.number, str(v.as_of), v.people, v.changed, v.is_reference]
                 for v in Version.objects.select_related("dataset").order_by("as_of", "pk")],
    "freshness": {d.code: str(d.freshness) for d in datasets},
    "owned": all(d.owner_id and d.legal_basis for d in datasets),
    "actions": list(Event.objects.order_by("sequence").values_list("action", flat=True)),
}))
"""


def ask(place: Place) -> dict[str, Any]:
    return json.loads(place.python(QUESTIONS))


@pytest.fixture(scope="module")
def built(places: Places) -> tuple[Place, str]:
    """A finished demo and what its making printed."""
    place = places.set_up()
    done = place.guyub("demo", "--households", str(HOUSEHOLDS), "--no-serve")
    assert done.returncode == 0, done.stdout + done.stderr
    return place, done.stdout


@pytest.fixture(scope="module")
def facts(built: tuple[Place, str]) -> dict[str, Any]:
    return ask(built[0])


def test_everybody_is_in_the_registry(facts: dict[str, Any]) -> None:
    # A few stand in it twice, to be found and merged.
    assert 0 <= facts["households"] - HOUSEHOLDS <= DOUBLES
    assert 2.5 * HOUSEHOLDS < facts["people"] < 3.6 * HOUSEHOLDS
    assert facts["villages"] == 331
    assert facts["agencies"] >= 30


def test_every_role_has_an_account(facts: dict[str, Any]) -> None:
    accounts = facts["accounts"]
    assert {role for role, _area, _demo in accounts.values()} == {
        "secretariat", "agency_head", "agency_operator", "area_operator", "regent", "auditor",
    }  # fmt: skip
    assert all(demo for _role, _area, demo in accounts.values())
    areas = sorted(area.count(".") for _role, area, _demo in accounts.values() if area)
    assert areas == [2, 3], "one operator of a district, one of a village"
    assert accounts["desa"][1].startswith(accounts["kecamatan"][1] + ".")


def test_each_of_two_people_has_a_disposal_of_the_other_to_approve(facts: dict[str, Any]) -> None:
    reviewers = [who for state, who in facts["disposals"] if state == "submitted"]
    assert sorted(reviewers) == ["sekretariat", "sekretariat-2"]


def test_other_systems_are_connected(facts: dict[str, Any]) -> None:
    assert facts["connections"] == [2, 1, 1]
    # Nothing waits: a demo sends nothing to anybody.
    assert set(facts["deliveries"]) == {"delivered", "given_up"}


def test_datasets_have_dates_and_a_history(facts: dict[str, Any]) -> None:
    versions = facts["versions"]
    reference = [v for v in versions if v[0] == "dtsen"]
    assert [v[1] for v in reference] == [1, 2, 3]
    assert [v[5] for v in reference] == [False, False, True]
    assert all(v[4] > 0 for v in reference[1:]), "each version changes something"
    assert [v for v in versions if v[5]] == reference[2:]
    assert {v[0] for v in versions} == {"dtsen", "p3ke", "rtlh", "stunting", "jkn-apbd"}
    assert [v[2] for v in versions] == sorted(v[2] for v in versions)
    assert set(facts["freshness"].values()) == {"current", "due", "stale", "empty"}
    assert facts["owned"]


def test_making_is_audited(facts: dict[str, Any]) -> None:
    actions = facts["actions"]
    assert actions[0] == "demo.start"
    assert actions[-1] == "demo.finish"
    assert set(actions) <= set(LABELS)
    assert actions.count("imports.run.apply") == facts["runs"] == 7
    assert "datasets.version.mark_reference" in actions


def test_accounts_and_files_are_printed(built: tuple[Place, str], facts: dict[str, Any]) -> None:
    place, printed = built
    for username in facts["accounts"]:
        assert username in printed
    assert "bersama-guyub-2026" in printed
    for sample in SAMPLE_FILES:
        assert sample.name in printed
        assert (place.folder / "contoh" / sample.name).stat().st_size > 0
    assert not list(place.folder.glob("demo-*")), "nothing half-made is left"


def test_starting_again_loads_nothing(built: tuple[Place, str]) -> None:
    place = built[0]
    before = ask(place)
    again = place.guyub("demo", "--households", "900", "--no-serve")
    assert again.returncode == 0, again.stderr
    assert "--fresh" in again.stdout
    assert ask(place) == before


@pytest.mark.own_database
def test_sample_files_are_refused_for_what_is_wrong_in_them(built: tuple[Place, str]) -> None:
    place = built[0]
    said = {}
    for sample in SAMPLE_FILES:
        done = place.guyub(
            "import", str(place.folder / "contoh" / sample.name), "--dataset", sample.dataset,
            "--as-of", dt.date.today().isoformat(), "--part", "--check-only",
        )  # fmt: skip
        said[sample] = " ".join(done.stdout.split())
    assert "Ditolak 0" in said[DTKS]
    assert "Ditolak 0" in said[P3KE]
    assert "Ditolak 9" in said[HOUSES]
    for cause in ("3.30E+15", "tidak 16 angka", "tidak dikenal", "baris lain", "NIK kosong"):
        assert cause in said[HOUSES]
    assert "Diterima 0" in said[LATRINES]


@pytest.mark.own_database
def test_serves_and_stops_on_ctrl_c(built: tuple[Place, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "guyub.cli", "demo", "--port", str(port)],
        env=built[0].environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if f"http://localhost:{port}/" in line:
                break
        else:
            pytest.fail("".join(lines))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/masuk/login/", timeout=30) as page:
            assert page.status == 200
        taken = built[0].guyub("demo", "--port", str(port))
        assert taken.returncode == 1
        assert str(port + 1) in taken.stderr
        process.send_signal(signal.SIGINT)
        rest, _nothing = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in rest, rest
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.1)
    pytest.fail("the server still listens")


def test_starting_afresh_survives_being_killed(places: Places, built: tuple[Place, str]) -> None:
    place = places.copy(built[0])
    assert place.guyub("audit", "anchor").returncode == 0
    mine = place.folder / "catatan.txt"
    mine.write_text("bukan milik demo")
    making = ("demo", "--households", "60", "--seed", "9", "--no-serve")
    fresh = subprocess.Popen(
        [sys.executable, "-m", "guyub.cli", *making, "--fresh"],
        env=place.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 180
        # Its working folder is there from when the old data is gone to the end.
        while not list(place.folder.glob("demo-*")):
            assert fresh.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        fresh.kill()
        fresh.wait(30)
    again = place.guyub(*making)
    assert again.returncode == 0, again.stdout + again.stderr
    facts = ask(place)
    assert facts["households"] == 60
    assert facts["actions"].count("demo.start") == 1
    assert facts["actions"][-1] == "demo.finish"
    assert mine.exists()
    assert not list(place.folder.glob("demo-*"))
    verified = place.guyub("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_other_data_is_left_alone(places: Places) -> None:
    place = places.set_up()
    place.python(
        "import django; django.setup()\n"
        "from guyub.accounts.models import User\n"
        "User.objects.create(username='asli', email='asli@contoh.test', full_name='A', role='auditor')"
    )
    for options in ((), ("--fresh",)):
        refused = place.guyub("demo", "--households", "30", "--no-serve", *options)
        assert refused.returncode == 1
        assert "bukan buatan demo" in refused.stderr
    facts = ask(place)
    assert list(facts["accounts"]) == ["asli"]
    assert facts["households"] == 0


def test_never_in_production(places: Places) -> None:
    place = places.empty()
    refused = place.guyub(
        "demo", "--no-serve", GUYUB_MODE="production", GUYUB_SECRET_KEY="x" * 60,
        GUYUB_AUDIT_KEY="y" * 60, GUYUB_DATA_KEY="z" * 60, GUYUB_HOSTS="guyub.test",
    )  # fmt: skip
    assert refused.returncode == 1
    assert "produksi" in refused.stderr
    assert not (place.folder / "contoh").exists()


def test_quarters() -> None:
    assert quarters_before(dt.date(2026, 11, 24)) == [
        dt.date(2026, 10, 1), dt.date(2026, 4, 1), dt.date(2025, 10, 1),
    ]  # fmt: skip
    assert quarters_before(dt.date(2026, 2, 28)) == [
        dt.date(2026, 1, 1), dt.date(2025, 7, 1), dt.date(2025, 1, 1),
    ]  # fmt: skip
