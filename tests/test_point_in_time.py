"""Going back to a moment, as docs/operations.md tells it, on a PostgreSQL server of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest


def _programs() -> Path | None:
    try:
        from pgserver._commands import POSTGRES_BIN_PATH
    except ImportError:
        return None
    return POSTGRES_BIN_PATH if (POSTGRES_BIN_PATH / "pg_basebackup").exists() else None


PROGRAMS = _programs()
pytestmark = pytest.mark.skipif(PROGRAMS is None, reason="pg_basebackup is not installed")


class Server:
    def __init__(self, data: Path, sockets: Path, port: int, account: str | None) -> None:
        self.data, self.sockets, self.port, self.account = data, sockets, port, account

    def call(self, program: str, *arguments: str) -> None:
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

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.sockets} -p {self.port}"
        # The log goes to a file: a server that inherits a pipe keeps it open.
        self.call("pg_ctl", "-D", str(self.data), "-l", str(self.data / "log"), "-o", options, "-w", "start")  # fmt: skip

    def stop(self) -> None:
        self.call("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")

    def ask(self, statement: str) -> list[tuple]:
        with psycopg.connect(
            host=str(self.sockets), port=self.port, user="guyub", dbname="postgres", autocommit=True
        ) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []


@pytest.fixture
def place():
    folder = Path(tempfile.mkdtemp(prefix="guyub-pitr-"))
    account = None
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        account = next((name for name in ("pgserver", "postgres", "nobody") if _exists(name)), None)
        if account is None:
            pytest.skip("no account to run PostgreSQL as")
        os.chown(folder, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
        if subprocess.run(
            [str(PROGRAMS / "postgres"), "--version"], user=account, capture_output=True
        ).returncode:
            pytest.skip("PostgreSQL's programs are out of that account's reach")
    yield folder, account
    shutil.rmtree(folder, ignore_errors=True)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def test_back_to_the_moment_before_a_mistake(place):
    folder, account = place
    main, archive, base = folder / "main", folder / "wal", folder / "base"
    server = Server(main, folder, 54399, account)
    server.call(
        "initdb", "-D", str(main), "-U", "guyub", "--auth=trust", "--encoding=UTF8", "--no-sync"
    )
    archive.mkdir()
    if account:
        os.chown(archive, pwd.getpwnam(account).pw_uid, -1)
    with (main / "postgresql.conf").open("a") as settings:
        settings.write(
            "wal_level = replica\narchive_mode = on\n"
            f"archive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f'\n"
        )
    server.start()
    try:
        server.ask("CREATE TABLE keluarga (id int primary key)")
        server.ask("INSERT INTO keluarga SELECT generate_series(1, 100)")
        server.call(
            "pg_basebackup", "-h", str(folder), "-p", "54399", "-U", "guyub", "-D", str(base),
            "-Xs", "-c", "fast",
        )  # fmt: skip
        server.ask("INSERT INTO keluarga VALUES (101)")
        time.sleep(0.2)
        [(moment,)] = server.ask("SELECT now()::text")
        time.sleep(0.2)
        server.ask("DELETE FROM keluarga")
        server.ask("INSERT INTO keluarga VALUES (999)")
        server.ask("SELECT pg_switch_wal()")
        for _time in range(100):
            [(archived, failed)] = server.ask("SELECT archived_count, failed_count FROM pg_stat_archiver")  # fmt: skip
            if archived >= 2:
                break
            time.sleep(0.1)
        assert not failed
    finally:
        server.stop()
    with (base / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"\nrestore_command = 'cp {archive}/%f %p'\nrecovery_target_time = '{moment}'\n"
            "recovery_target_action = 'promote'\n"
        )
    (base / "recovery.signal").touch()
    if account:
        os.chown(base / "recovery.signal", pwd.getpwnam(account).pw_uid, -1)
    again = Server(base, folder, 54398, account)
    again.start()
    try:
        for _time in range(100):
            if again.ask("SELECT pg_is_in_recovery()") == [(False,)]:
                break
            time.sleep(0.1)
        assert again.ask("SELECT count(*), max(id) FROM keluarga") == [(101, 101)]
    finally:
        again.stop()
