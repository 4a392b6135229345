"""What 200 people do at once, for Locust; ``benchmarks/load/run.py`` starts it.

Each person has an account and a session of their own, and keeps one page open, which asks for news every
20 seconds as the browser's own ``EventSource`` does. Between two pages they read for a while. What they
ask for is drawn from lists in the file that ``LOAD_FILE`` names; styles and scripts are in their browser
already, as after the first page.

A page that answers anything but 200 is an error, and so is one that was sent elsewhere to sign in.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, between, task

PLAN: dict[str, Any] = json.loads(Path(os.environ["LOAD_FILE"]).read_text())
SHORTEST, LONGEST = PLAN["think"]
NEWS_SECONDS = 20
# What the server said it had stored; run.py looks whether it is there.
LOG = Path(PLAN["log"]).open("a", buffering=1)  # noqa: SIM115 (open as long as the run)
_taken = {role: iter(sessions) for role, sessions in PLAN["sessions"].items()}


class Visitor(FastHttpUser):
    """Somebody with a browser."""

    abstract = True
    wait_time = between(SHORTEST, LONGEST)
    network_timeout = connection_timeout = 60.0

    def on_start(self) -> None:
        self.luck = random.Random()
        # An address of one's own, as behind a proxy: limits hold for each of them.
        self.headers = {
            "X-Forwarded-For": ".".join(str(self.luck.randint(1, 250)) for _ in range(4)),
            "Accept-Language": "id",
        }

    def page(self, path: str, name: str, query: str = "") -> None:
        url = f"{path}?{query}" if query else path
        with self.client.get(
            url, headers=self.headers, name=name, catch_response=True, allow_redirects=False
        ) as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code}")


class Colleague(Visitor):
    """Somebody who has signed in."""

    abstract = True
    role = ""

    def on_start(self) -> None:
        super().on_start()
        session = next(_taken[self.role])
        self.headers["Cookie"] = f"sessionid={session['key']}; csrftoken={session['csrf']}"
        self.csrf = session["csrf"]
        self.own = session
        self.page("/", "first page")
        self._news = gevent.spawn(self._hear_news)

    def on_stop(self) -> None:
        self._news.kill()

    def _hear_news(self) -> None:
        gevent.sleep(self.luck.uniform(0, NEWS_SECONDS))
        while True:
            self.page("/pembicaraan/kabar/aliran/", "news")
            gevent.sleep(NEWS_SECONDS)

    def send(self, path: str, name: str, fields: dict[str, str], accepted: int = 200) -> bool:
        with self.client.post(
            path, data={**fields, "csrfmiddlewaretoken": self.csrf}, headers=self.headers,
            name=name, catch_response=True, allow_redirects=False,
        ) as answer:  # fmt: skip
            if answer.status_code != accepted:
                answer.failure(f"{answer.status_code}")
                return False
        return True

    def household(self) -> int:
        return int(self.luck.choice(self.own["households"]))

    @task(6)
    def first_page(self) -> None:
        self.page("/", "first page")

    @task(2)
    def read_news(self) -> None:
        self.page("/pembicaraan/kabar/", "notifications")

    @task(1)
    def conversations(self) -> None:
        self.page("/pembicaraan/", "conversations")


class LooksUpHouseholds(Colleague):
    """What everybody does who works with the registry."""

    abstract = True

    @task(8)
    def search_name(self) -> None:
        self.send("/registri/", "search by name", {"cari": self.luck.choice(PLAN["names"])})

    @task(3)
    def search_number(self) -> None:
        self.send("/registri/", "search by NIK", {"cari": self.luck.choice(PLAN["numbers"])})

    @task(4)
    def list_page(self) -> None:
        query = self.luck.choice(
            ["", "desil=1&desil=2", f"halaman={self.luck.randint(2, 30)}", "kesegaran=stale"]
        )
        self.page("/registri/", "registry list", query)

    @task(10)
    def household_page(self) -> None:
        self.page(f"/registri/keluarga/{self.household()}/", "household")

    @task(2)
    def say_something(self) -> None:
        number = self.luck.randrange(10**9)
        place = f"/pembicaraan/tentang/registry.household/{self.household()}/tulis/"
        text = f"Uji beban {PLAN['mark']} nomor {number}."
        if self.send(place, "write a message", {"pesan": text}, accepted=302):
            LOG.write(f"{number}\n")


class AreaOperator(LooksUpHouseholds):
    role = "area_operator"
    weight = PLAN["weights"]["area_operator"]

    @task(4)
    def edit_form(self) -> None:
        self.page(f"/registri/keluarga/{self.household()}/ubah/", "household, edit form")

    @task(6)
    def door(self) -> None:
        self.page("/penerima/verifikasi/", "candidates at the door")

    @task(2)
    def proposals(self) -> None:
        self.page("/usul-sanggah/", "proposals")


class AgencyOperator(LooksUpHouseholds):
    role = "agency_operator"
    weight = PLAN["weights"]["agency_operator"]

    @task(4)
    def programs(self) -> None:
        self.page("/program/", "programs")

    @task(4)
    def sub_activity(self) -> None:
        self.page(f"/program/sub/{self.luck.choice(PLAN['sub_activities'])}/", "sub-activity")

    @task(4)
    def recipients(self) -> None:
        self.page(f"/penerima/sub/{self.luck.choice(PLAN['sub_activities'])}/", "recipients")

    @task(4)
    def reports(self) -> None:
        self.page("/laporan/", "reports")

    @task(2)
    def obstacles(self) -> None:
        self.page("/kendala/", "obstacles")

    @task(2)
    def datasets(self) -> None:
        self.page("/dataset/", "datasets")

    @task(1)
    def imports(self) -> None:
        self.page("/impor/", "imports")


class AgencyHead(Colleague):
    role = "agency_head"
    weight = PLAN["weights"]["agency_head"]

    @task(4)
    def meetings(self) -> None:
        self.page("/rapat/", "meetings")

    @task(3)
    def scorecard(self) -> None:
        self.page("/kartu-nilai/", "scorecard")

    @task(3)
    def overlaps(self) -> None:
        self.page("/tumpang-tindih/", "overlaps")

    @task(2)
    def coverage(self) -> None:
        self.page("/tumpang-tindih/cakupan/", "coverage")

    @task(2)
    def decisions(self) -> None:
        self.page("/rapat/keputusan/", "decisions")


class Secretariat(LooksUpHouseholds):
    role = "secretariat"
    weight = PLAN["weights"]["secretariat"]

    @task(3)
    def review(self) -> None:
        self.page("/laporan/tinjauan/", "reports to review")

    @task(3)
    def overlaps(self) -> None:
        self.page("/tumpang-tindih/", "overlaps")

    @task(3)
    def gaps(self) -> None:
        self.page("/tumpang-tindih/keluarga/", "gaps")

    @task(2)
    def scorecard(self) -> None:
        self.page("/kartu-nilai/", "scorecard")

    @task(2)
    def reconciliation(self) -> None:
        self.page("/rekonsiliasi/", "reconciliation")

    @task(1)
    def health(self) -> None:
        self.page("/sistem/", "health of the system")


class Regent(Colleague):
    role = "regent"
    weight = PLAN["weights"]["regent"]

    @task(4)
    def area(self) -> None:
        self.page(f"/angka/{self.luck.choice(PLAN['districts'])}/", "figures of a district")

    @task(2)
    def scorecard(self) -> None:
        self.page("/kartu-nilai/", "scorecard")


class Citizen(Visitor):
    weight = PLAN["weights"]["public"]

    @task(4)
    def front(self) -> None:
        self.page("/publik/", "public page")

    @task(3)
    def district(self) -> None:
        self.page(f"/publik/kecamatan/{self.luck.choice(PLAN['districts'])}/", "public, a district")

    @task(2)
    def programs(self) -> None:
        self.page("/publik/program/", "public, programs")

    @task(1)
    def data(self) -> None:
        self.page("/publik/data/", "public, open data")
