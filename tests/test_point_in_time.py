"""Going back to a moment, as docs/operations.md tells it, on a PostgreSQL server of its own."""

from __future__ import annotations

import os
import pwd
import time

import pytest
from postgresql_server import NoServerError, Server, server_folder


@pytest.fixture
def place():
    try:
        with server_folder() as given:
            yield given
    except NoServerError as error:
        pytest.skip(str(error))


def test_back_to_the_moment_before_a_mistake(place):
    folder, account = place
    main, archive, base = folder / "main", folder / "wal", folder / "base"
    server = Server(main, folder, 54399, account)
    server.make()
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
