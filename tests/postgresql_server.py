"""A PostgreSQL server of one's own, for what must stop, kill or wind one back."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg


def _programs() -> Path | None:
    try:
        from pgserver._commands import POSTGRES_BIN_PATH
    except ImportError:
        return None
    return Path(POSTGRES_BIN_PATH) if (POSTGRES_BIN_PATH / "pg_basebackup").exists() else None


PROGRAMS = _programs()
# PostgreSQL refuses to run as root.
ACCOUNTS = ("pgserver", "postgres", "nobody")


class NoServerError(Exception):
    """No server can run here; the message says why."""


class Server:
    """One server: its data in ``data``, its socket in ``sockets``, run by ``account``."""

    def __init__(self, data: Path, sockets: Path, port: int, account: str | None) -> None:
        self.data, self.sockets, self.port, self.account = data, sockets, port, account

    @property
    def url(self) -> str:
        """What ``DATABASE_URL`` has to say."""
        folder = str(self.sockets).replace("/", "%2F")
        return f"postgresql://guyub@{folder}:{self.port}/postgres"

    def call(self, program: str, *arguments: str) -> None:
        assert PROGRAMS is not None
        done = subprocess.run(
            [str(PROGRAMS / program), *arguments],
            user=self.account,
            cwd=self.sockets,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        log = self.data / "log"
        assert done.returncode == 0, done.stdout + (log.read_text() if log.exists() else "")

    def make(self) -> None:
        """Make the server's empty data."""
        self.call(
            "initdb", "-D", str(self.data), "-U", "guyub", "--auth=trust", "--encoding=UTF8",
            "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.sockets} -p {self.port}"
        # The log goes to a file: a server that inherits a pipe keeps it open.
        self.call("pg_ctl", "-D", str(self.data), "-l", str(self.data / "log"), "-o", options, "-w", "start")  # fmt: skip

    def stop(self) -> None:
        self.call("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")

    def process(self) -> int:
        """Return the number of the process that started all others."""
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def children(self) -> list[int]:
        """Return the numbers of the processes that serve connections or do the server's chores."""
        number = self.process()
        found = Path(f"/proc/{number}/task/{number}/children").read_text()
        return [int(child) for child in found.split()]

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host=str(self.sockets), port=self.port, user="guyub", dbname="postgres", autocommit=True
        ) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def wait(self, seconds: float = 30) -> None:
        """Wait until the server answers.

        Raises:
            TimeoutError: it does not.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError):
                self.ask("SELECT 1")
                return
            time.sleep(0.05)
        raise TimeoutError((self.data / "log").read_text()[-2000:])


@contextlib.contextmanager
def server_folder() -> Iterator[tuple[Path, str | None]]:
    """Give a folder that a server can use, and the account that has to run it.

    Raises:
        NoServerError: the programs are not there, or nobody may run them.
    """
    if PROGRAMS is None:
        raise NoServerError("pg_basebackup is not installed")
    folder = Path(tempfile.mkdtemp(prefix="guyub-pg-"))
    try:
        account = None
        if os.geteuid() == 0:
            account = next((name for name in ACCOUNTS if _exists(name)), None)
            if account is None:
                raise NoServerError("no account to run PostgreSQL as")
            os.chown(folder, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
            if subprocess.run(
                [str(PROGRAMS / "postgres"), "--version"], user=account, capture_output=True
            ).returncode:
                raise NoServerError("PostgreSQL's programs are out of that account's reach")
        yield folder, account
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
