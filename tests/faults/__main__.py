"""Rounds: a job begins, a process is killed somewhere in the middle, all is checked afterwards."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.browser import Browser
from tests.faults.installation import DATABASE, WEB, WORKER, Installation
from tests.postgresql_server import Server, server_folder

REST_SECONDS = 60
# A killed worker's job is taken up at once by the next; nothing has to wait for a watch to look.
SETTLE_SECONDS = 0.5


@contextlib.contextmanager
def database(kind: str) -> Iterator[tuple[dict[str, str], Server | None]]:
    """Give what the environment says about the database, and the server where there is one."""
    if kind == "sqlite":
        yield {}, None
        return
    with server_folder() as (folder, account):
        server = Server(folder / "data", folder, 54397, account)
        server.make()
        server.start()
        try:
            yield {"DATABASE_URL": server.url}, server
        finally:
            with contextlib.suppress(AssertionError):
                server.stop()


class Rounds:
    """Plays rounds and keeps count."""

    def __init__(self, installation: Installation, kind: str, luck: random.Random, only: list[str]):
        from tests.faults import invariants, jobs, scene

        self.installation, self.kind, self.luck = installation, kind, luck
        self.invariants = invariants
        self.scene = scene.prepare()
        self.jobs = [job for job in jobs.jobs(self.scene, luck) if not only or job.name in only]
        self.durations: dict[str, list[float]] = {job.name: [] for job in self.jobs}
        self.tasks: list[tuple[Any, Any]] = []
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.strays = 0
        self.faults: list[str] = []
        self.known: set[str] = set()

    def close_connections(self) -> None:
        from django.db import connections

        connections.close_all()

    def _do(self, job: Any, task: Any, browser: Browser, outcome: dict[str, Any]) -> None:
        try:
            job.run(browser, task)
        except Exception as error:
            outcome["error"] = f"{type(error).__name__}: {error}"
        outcome["ended"] = time.monotonic()

    def warm_up(self, times: int) -> None:
        """Do each job undisturbed, to learn how long it takes."""
        for number in range(times):
            for job in self.jobs:
                task = job.prepare(number)
                began = time.monotonic()
                browser = Browser(self.installation, self.scene.session)
                job.run(browser, task)
                self.durations[job.name].append(time.monotonic() - began)
                self.tasks.append((job, task))
                self._rest()
                found = [*job.check(task), *self.invariants.check()]
                if found or browser.troubles:
                    raise AssertionError((job.name, found, browser.troubles))

    def _rest(self) -> bool:
        deadline = time.monotonic() + REST_SECONDS
        while time.monotonic() < deadline:
            if self.invariants.at_rest():
                return True
            time.sleep(0.1)
        return False

    def play(self, number: int) -> str:
        """Play one round; return a line about it."""
        job = self.jobs[number % len(self.jobs)]
        victims = [
            name
            for name, weight in job.victims.items()
            for _n in range(weight)
            if name != DATABASE or self.kind == "postgresql"
        ]
        victim = self.luck.choice(victims)
        task = job.prepare(number)
        self.close_connections()
        usual = statistics.median(self.durations[job.name][-5:])
        delay = self.luck.uniform(0.02, 0.98) * usual
        browser = Browser(self.installation, self.scene.session)
        outcome: dict[str, Any] = {}
        began = time.monotonic()
        user = threading.Thread(target=self._do, args=(job, task, browser, outcome), daemon=True)
        user.start()
        time.sleep(delay)
        killed = time.monotonic()
        landed = user.is_alive()
        self.installation.kill(victim, self.luck)
        restored = time.monotonic()
        user.join(120)
        found: list[str] = []
        if "ended" not in outcome:
            found.append("the user waits for ever")
        elif "error" in outcome:
            found.append(outcome["error"])
        if not self._rest():
            found.append("a run or a job does not come to an end")
        for at, trouble in browser.troubles:
            # What was asked before the kill or while the process was away may fail, nothing else.
            if at > restored + SETTLE_SECONDS or (not landed and at < killed):
                found.append(f"{trouble}, {at - killed:+.2f} s from the kill")
        if "error" not in outcome:
            found += job.check(task)
            self.tasks.append((job, task))
        found += self.invariants.check()
        self.strays += self.invariants.count_strays()
        if number % 20 == 19:
            found += self.invariants.check_thoroughly()
        struck = bool(browser.troubles)
        self.counts[(job.name, victim, "rounds")] += 1
        self.counts[(job.name, victim, "landed")] += landed
        self.counts[(job.name, victim, "struck")] += struck
        if not browser.troubles and not landed:
            self.durations[job.name].append(outcome.get("ended", killed) - began)
        # What stays wrong is told once.
        found = [text for text in found if text not in self.known]
        self.known |= set(found)
        self.faults += [f"round {number} ({job.name}, {victim}): {text}" for text in found]
        line = (
            f"{number:4d} {job.name:7s} {victim:8s} after {delay:5.2f} s of {usual:5.2f} s "
            f"{'mid-job' if landed else 'after it'}{', answer lost' if struck else ''}; "
            f"{time.monotonic() - began:.1f} s"
        )
        return line + "".join(f"\n     FAULT {text}" for text in found)

    def finish(self) -> None:
        """Look at everything once more: what was acknowledged must still be there."""
        for job, task in self.tasks:
            self.faults += [f"in the end ({job.name}): {text}" for text in job.check(task)]
        self.faults += [f"in the end: {text}" for text in self.invariants.check()]
        self.faults += [f"in the end: {text}" for text in self.invariants.check_thoroughly()]

    def table(self) -> str:
        lines = [
            "",
            f"{'job':8s} {'victim':9s} {'rounds':>6s} {'mid-job':>8s} {'answer lost':>12s}",
        ]
        for job in self.jobs:
            for victim in (WEB, WORKER, DATABASE):
                rounds, landed, struck = (
                    self.counts[(job.name, victim, what)] for what in ("rounds", "landed", "struck")
                )
                if rounds:
                    lines.append(f"{job.name:8s} {victim:9s} {rounds:6d} {landed:8d} {struck:12d}")
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        def total(what: str) -> int:
            return sum(count for key, count in self.counts.items() if key[2] == what)

        return {
            "rounds": total("rounds"), "landed": total("landed"), "struck": total("struck"),
            "acknowledged": len(self.tasks), "strays": self.strays, "faults": self.faults,
            "ended_alone": self.installation.ended_alone,
        }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="a number that repeats the kills")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--jobs", default="", help="only these, separated by commas")
    parser.add_argument(
        "--warm-up", type=int, default=2, help="undisturbed runs of each job before"
    )
    parser.add_argument("--webs", type=int, default=3, help="web servers side by side")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"{given.rounds} rounds on {given.database}, seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="guyub-faults-"))
    (folder / "static").mkdir()
    began = time.monotonic()
    with database(given.database) as (settings, server):
        os.environ.pop("DATABASE_URL", None)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "guyub.settings", "GUYUB_MODE": "demo",
            "GUYUB_DATA_DIR": str(folder), **settings,
        }  # fmt: skip
        subprocess.run([sys.executable, "-m", "guyub.cli", "setup", "-v0"], check=True)
        import django

        django.setup()
        installation = Installation(folder, dict(os.environ), server, given.webs)
        rounds = Rounds(installation, given.database, random.Random(seed), given.jobs.split(",") if given.jobs else [])  # fmt: skip
        try:
            installation.start()
            rounds.warm_up(given.warm_up)
            # Ctrl-C ends the rounds early; what came of them is looked at all the same.
            with contextlib.suppress(KeyboardInterrupt):
                for number in range(given.warm_up, given.rounds + given.warm_up):
                    print(rounds.play(number), flush=True)
            rounds.finish()
        finally:
            installation.stop()
            rounds.close_connections()
    print(rounds.table())
    for fault in rounds.faults:
        print("FAULT", fault)
    print(f"{time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}", flush=True)
    print(json.dumps(rounds.summary()))
    if given.keep:
        print(f"data kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if rounds.faults else 0


if __name__ == "__main__":
    sys.exit(main())
