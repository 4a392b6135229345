"""A running Guyub whose processes may be killed at any moment, and its supervisor.

Several web servers stand side by side, as behind a proxy, so that somebody answers while the one that was
killed comes up again. The worker that follows a killed one has loaded its code beforehand; what it does
from then on is ``guyub worker``. The database server is PostgreSQL's own, or there is none (SQLite).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests
from tests.postgresql_server import Server

from guyub.ui.serving import web_command

WEB, WORKER, DATABASE = "web", "worker", "database"
UP_SECONDS = 60.0
# A server that comes up takes connections before it answers them.
PROBE_SECONDS = 0.7

# Loads what a worker loads and waits for a line before it becomes one.
STANDBY = """
import sys
import django
django.setup()
import guyub.urls, guyub.operations.management.commands.worker
if not sys.stdin.readline():
    sys.exit()
from django.core.management import call_command
call_command("worker")
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Installation:
    """Starts, kills and starts again. ``environment`` names the data folder and the database."""

    def __init__(
        self, folder: Path, environment: dict[str, str], server: Server | None, webs: int
    ) -> None:
        self.folder, self.environment, self.server = folder, environment, server
        self.ports = [free_port() for _n in range(webs)]
        self.webs: list[subprocess.Popen[bytes]] = []
        self.log = (folder / "processes.log").open("ab")
        self.worker: subprocess.Popen[bytes] | None = None
        self.spare: subprocess.Popen[bytes] | None = None
        self.present = 0  # the web server that clients are sent to
        # Restarts that nobody asked for: a worker ends when its database goes away.
        self.ended_alone = 0
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._supervise, daemon=True)

    def _start(self, command: list[str], **options: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, env=self.environment, start_new_session=True, cwd=self.folder,
            stdout=self.log, stderr=self.log, **options,
        )  # type: ignore[call-overload,no-any-return]  # fmt: skip

    def _start_web(self, port: int) -> subprocess.Popen[bytes]:
        return self._start(web_command("127.0.0.1", port, workers=1, threads=4))

    def _start_spare(self) -> None:
        self.spare = self._start([sys.executable, "-c", STANDBY], stdin=subprocess.PIPE)

    def start(self) -> None:
        """Start everything and wait until it answers."""
        self.webs = [self._start_web(port) for port in self.ports]
        self._start_spare()
        self._put_spare_to_work()
        self._wait_for_web()
        self._watch.start()

    def stop(self) -> None:
        """Kill everything."""
        self._stop.set()
        if self._watch.ident is not None:
            self._watch.join()
        for process in (*self.webs, self.worker, self.spare):
            if process is not None:
                end(process)
        self.log.close()

    def _put_spare_to_work(self) -> None:
        assert self.spare is not None
        assert self.spare.stdin is not None
        self.worker = self.spare
        with contextlib.suppress(BrokenPipeError):
            self.spare.stdin.write(b"\n")
            self.spare.stdin.close()
        self._start_spare()

    def _supervise(self) -> None:
        """Start again what ended by itself, as systemd does."""
        while not self._stop.wait(0.1):
            with self._lock:
                if self.worker is not None and self.worker.poll() is not None:
                    self.ended_alone += 1
                    if self.server is not None:
                        self.server.wait()
                    self._put_spare_to_work()
                for number, web in enumerate(self.webs):
                    if web.poll() is not None:
                        self.ended_alone += 1
                        end(web)
                        self.webs[number] = self._start_web(self.ports[number])

    # What a client sees

    def answers(self, number: int) -> bool:
        try:
            address = f"http://127.0.0.1:{self.ports[number]}/sehat/hidup"
            return requests.get(address, timeout=PROBE_SECONDS).status_code == 200
        except requests.RequestException:
            return False

    def _wait_for_web(self) -> None:
        deadline = time.monotonic() + UP_SECONDS
        while time.monotonic() < deadline:
            if self.answers(self.present):
                return
            self.present = (self.present + 1) % len(self.ports)
            time.sleep(0.05)
        raise TimeoutError("no web server answers")

    def address(self) -> str:
        """Return where a web server answers, once one does."""
        self._wait_for_web()
        return f"http://127.0.0.1:{self.ports[self.present]}"

    # Killing

    def kill(self, victim: str, luck: random.Random) -> None:
        """Kill a process outright, and start it again as its supervisor would."""
        with self._lock:
            if victim == WEB:
                # The server that clients speak to, with every process of it.
                number = self.present
                end(self.webs[number])
                self.webs[number] = self._start_web(self.ports[number])
            elif victim == WORKER:
                assert self.worker is not None
                end(self.worker)
                self._put_spare_to_work()
            else:
                self._kill_database(luck)

    def _kill_database(self, luck: random.Random) -> None:
        """Kill the server's first process, or one that serves a connection, which ends all others."""
        assert self.server is not None
        children = self.server.children()
        first = luck.random() < 0.5
        os.kill(self.server.process() if first else luck.choice(children), signal.SIGKILL)
        # All others leave once they see it; before that a server neither starts nor recovers.
        deadline = time.monotonic() + UP_SECONDS
        while time.monotonic() < deadline and any(_lives(number) for number in children):
            time.sleep(0.02)
        while first:
            try:
                self.server.start()
                break
            except AssertionError:
                # The one before is dead, and yet stands in the list of processes for a moment.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self.server.wait()


def _lives(number: int) -> bool:
    """Tell whether a process is there and not merely waiting to be counted as dead."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
