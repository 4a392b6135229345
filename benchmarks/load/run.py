"""200 people at once: does any page fail, and how long do they wait?

First fill a database with the demo, then let this start the server and Locust on it::

    export DATABASE_URL=postgresql://... GUYUB_DATA_DIR=/some/folder
    uv run guyub demo --households 600000 --no-serve
    uv run --group load python benchmarks/load/run.py [--users 200] [--minutes 5] [--think 5 25]

Accounts, sessions and what people look for are made beforehand and taken away afterwards, but the
messages that they write stay, as they would. Signing in itself is not part of it: a password's check is
made to be slow, and 200 of them within a minute would measure that alone.

Prints, per page and for all together, how many were asked for, errors, median, 95th percentile and
maximum in milliseconds, and how much of the processors the server, the database and Locust itself took.
Locust runs on the same machine and takes its share from it. Goal: no error, the 95th percentile of all
together under one second.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guyub.settings")

HERE = Path(__file__).parent
# Of a hundred people: most work in villages and districts.
SHARES = {
    "area_operator": 55, "agency_operator": 25, "agency_head": 8, "secretariat": 5, "regent": 1,
    "public": 6,
}  # fmt: skip
PREFIX = "beban-"


def make_plan(users: int, think: tuple[float, float]) -> dict[str, Any]:
    """Make accounts with sessions, and draw what they will look for."""
    from importlib import import_module

    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.db.models import Max

    from guyub.accounts.models import User
    from guyub.agencies.models import Agency
    from guyub.areas.models import Area
    from guyub.programs.models import SubActivity
    from guyub.registry.models import Household, Person

    luck = random.Random(7)
    engine = import_module(settings.SESSION_ENGINE)
    villages = list(Area.objects.filter(level=4))
    districts = list(Area.objects.filter(level=3))
    agencies = list(Agency.objects.all())
    highest = {
        model: model.objects.aggregate(last=Max("pk"))["last"] for model in (Household, Person)
    }

    def some(model: Any, count: int, **conditions: Any) -> list[Any]:
        found = []
        while len(found) < count:
            start = luck.randint(1, highest[model])
            rows = model.objects.filter(pk__gte=start, **conditions).order_by("pk")[:1]
            found += list(rows)
        return found

    # Accounts of earlier runs stay, inactive: the audit log names them.
    number_of_run = User.objects.filter(username__startswith=PREFIX).count()
    everywhere = [household.pk for household in some(Household, 400)]
    people = some(Person, 300)
    sessions: dict[str, list[dict[str, Any]]] = {}
    for role, share in SHARES.items():
        if role == "public":
            continue
        # One in reserve for each: Locust rounds the shares in its own way.
        for number in range(users * share // 100 + 4):
            user = User(
                username=f"{PREFIX}{role}-{number_of_run}-{number}", email=f"{PREFIX}{role}-{number_of_run}-{number}@contoh.test",
                full_name="Uji Beban", role=role, is_demo=True,
            )  # fmt: skip
            households = everywhere
            if role.startswith("agency"):
                user.agency = luck.choice(agencies)
            if role == "area_operator":
                user.area = luck.choice(villages if number % 5 else districts)
                at = (
                    {"village": user.area}
                    if user.area in villages
                    else {"village__parent": user.area}
                )
                households = list(
                    Household.objects.filter(**at).order_by("pk").values_list("pk", flat=True)[:60]
                )
            user.set_unusable_password()
            user.save()
            # Roles that can unmask numbers must have a second factor.
            TOTP.activate(user, generate_totp_secret())
            session = engine.SessionStore()
            session[SESSION_KEY] = str(user.pk)
            session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
            session.save()
            sessions.setdefault(role, []).append(
                {
                    "key": session.session_key,
                    "csrf": secrets.token_hex(16),
                    "households": households or everywhere,
                }
            )
    return {
        "think": think,
        "mark": secrets.token_hex(4),
        "weights": SHARES,
        "sessions": sessions,
        "names": [person.name for person in people],
        "numbers": [person.nik for person in people if person.nik],
        "sub_activities": list(SubActivity.objects.values_list("pk", flat=True)[:40]),
        "districts": [district.code for district in districts],
    }


def take_away() -> None:
    """Let nobody sign in by an account or session that this made."""
    from django.contrib.sessions.models import Session

    from guyub.accounts.models import User

    made = {
        str(pk)
        for pk in User.objects.filter(username__startswith=PREFIX).values_list("pk", flat=True)
    }
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") in made:
            session.delete()
    User.objects.filter(pk__in=made).update(is_active=False)


class Processors:
    """How much processor time the server, the database and Locust take, by kind."""

    def __init__(self, server: int, locust: int) -> None:
        self.roots = {"Guyub": server, "Locust": locust}
        self.last: dict[tuple[str, int], float] = {}
        self.memory: dict[str, float] = defaultdict(float)
        self.stop = threading.Event()
        self.first: dict[tuple[str, int], float] = {}
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _processes(self) -> list[tuple[str, Any]]:
        import psutil

        found = []
        for kind, root in self.roots.items():
            try:
                process = psutil.Process(root)
                found += [(kind, p) for p in (process, *process.children(recursive=True))]
            except psutil.NoSuchProcess:
                continue
        for process in psutil.process_iter(["name"]):
            if process.info["name"] == "postgres":
                found.append(("PostgreSQL", process))
        return found

    def _watch(self) -> None:
        import psutil

        while True:
            memory: dict[str, float] = defaultdict(float)
            for kind, process in self._processes():
                try:
                    times = process.cpu_times()
                    used = times.user + times.system
                    memory[kind] += process.memory_info().rss / 2**20
                except psutil.Error:
                    continue
                self.first.setdefault((kind, process.pid), used)
                self.last[kind, process.pid] = used
            for kind, size in memory.items():
                self.memory[kind] = max(self.memory[kind], size)
            if self.stop.wait(2):
                return

    def seconds(self) -> dict[str, float]:
        total: dict[str, float] = defaultdict(float)
        for (kind, pid), used in self.last.items():
            total[kind] += used - self.first[kind, pid]
        return total


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5)
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("the server did not come up")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--think", type=float, nargs=2, default=(5, 25), metavar="SECONDS")
    parser.add_argument("--port", type=int, default=8750)
    options = parser.parse_args()
    import django

    django.setup()
    from django.db import connection

    from guyub.discussions.models import Message
    from guyub.registry.models import Person

    people = Person.objects.count()
    plan = make_plan(options.users, tuple(options.think))
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "plan.json"
        file.touch(mode=0o600)
        plan["log"] = f"{place}/written"
        file.write_text(json.dumps(plan))
        environment = {
            **os.environ, "GUYUB_MODE": "demo", "GUYUB_PROXIES": "1", "LOAD_FILE": str(file),
        }  # fmt: skip
        server = subprocess.Popen(
            [sys.executable, "-m", "guyub.cli", "serve", "--port", str(options.port)],
            env=environment, start_new_session=True,
        )  # fmt: skip
        address = f"http://127.0.0.1:{options.port}"
        try:
            wait_for(f"{address}/sehat/hidup")
            seconds = int(options.minutes * 60)
            locust = subprocess.Popen(
                [
                    *(sys.executable, "-m", "locust", "-f", str(HERE / "people.py"), "--headless"),
                    *("-u", str(options.users), "-r", str(max(1, options.users // 20))),
                    # People come in over twenty seconds, which do not count.
                    *("-t", f"{seconds + 20}s", "--reset-stats", "--only-summary"),
                    *("--csv", f"{place}/out", "-H", address, "--exit-code-on-error", "0"),
                ],
                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(20)
            watch = Processors(server.pid, locust.pid)
            watch.thread.start()
            locust.wait(timeout=seconds + 300)
            watch.stop.set()
            watch.thread.join()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
            take_away()
        show(Path(f"{place}/out_stats.csv"), Path(f"{place}/out_failures.csv"))
        told = Path(plan["log"]).read_text().split()
        stored = set(
            Message.objects.filter(text__contains=plan["mark"]).values_list("text", flat=True)
        )
        lost = [
            number for number in told if f"Uji beban {plan['mark']} nomor {number}." not in stored
        ]
    print(
        f"{options.users} people, reading {options.think[0]:g} to {options.think[1]:g} s between pages, "
        f"{options.minutes:g} minutes; {connection.vendor}, {people:,} people in the registry; "
        f"load average at the start {load:.1f}; {len(told)} messages written, {len(lost)} of them lost"
    )
    for kind, used in sorted(watch.seconds().items()):
        print(f"{kind}: {used / seconds:.2f} processors, {watch.memory[kind]:,.0f} MB at most")


def show(stats: Path, failures: Path) -> None:
    """Print Locust's figures as a table, and its errors."""
    print(
        "| page | asked | errors | median | p95 | p99 | longest |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    with stats.open() as file:
        for row in csv.DictReader(file):
            print(
                f"| {row['Name']} | {row['Request Count']} | {row['Failure Count']} "
                f"| {row['50%']} | {row['95%']} | {row['99%']} | {float(row['Max Response Time']):.0f} |"
            )
    with failures.open() as file:
        for row in csv.DictReader(file):
            print(f"ERROR {row['Name']}: {row['Error']} ({row['Occurrences']})")


if __name__ == "__main__":
    main()
