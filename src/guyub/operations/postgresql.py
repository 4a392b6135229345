"""PostgreSQL's own programs, which dump and restore its databases."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from guyub.operations.archive import ArchiveError


def _version(program: str) -> int:
    try:
        command = [program, "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"(\d+)(?:\.\d+)*", said)
    return int(found.group(1)) if found else 0


def program(name: str, server: int) -> str:
    """Return the path of ``pg_dump`` and the like, as new as the ``server`` (16) or newer.

    Raises:
        ArchiveError: none is; says what to install.
    """
    folder = settings.POSTGRESQL_BIN
    places = [str(Path(folder) / name)] if folder else []
    if not folder:
        places += [f"/usr/lib/postgresql/{server}/bin/{name}", shutil.which(name) or ""]
        places += sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)
    found = {place: _version(place) for place in places if place and Path(place).exists()}
    for place, version in found.items():
        if version >= server:
            return place
    if found:
        raise ArchiveError(
            _("%(name)s versi %(old)s terlalu tua untuk PostgreSQL %(server)s. Pasang paket postgresql-client-%(server)s.")
            % {"name": name, "old": max(found.values()), "server": server}
        )  # fmt: skip
    raise ArchiveError(
        _("%(name)s tidak ditemukan. Pasang paket postgresql-client-%(server)s, atau isi GUYUB_PG_BIN.")
        % {"name": name, "server": server}
    )  # fmt: skip


def server_version() -> int:
    """Return the major version of the server that Guyub is connected to."""
    connection.ensure_connection()
    return int(connection.pg_version) // 10000  # type: ignore[attr-defined]


def environment() -> dict[str, str]:
    """Return the variables that tell PostgreSQL's programs where the database is.

    Not arguments: every user of the machine sees those, password and all.
    """
    wanted: dict[str, Any] = connection.get_connection_params()
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
    }
    return {
        **os.environ,
        **{names[key]: str(value) for key, value in wanted.items() if key in names and value},
    }


def dump() -> subprocess.Popen[bytes]:
    """Start ``pg_dump``; its output is the whole database as of one moment, in the custom format."""
    # Not compressed, because the archive is.
    command = [program("pg_dump", server_version()), "-Fc", "-Z0", "--no-owner"]
    return subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )


def list_of(path: Path) -> int:
    """Return how many tables with data the dump at ``path`` holds."""
    command = [program("pg_restore", 0), "--list", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise ArchiveError(_("Isi basis data dalam cadangan tidak dapat dibaca."))
    return sum(" TABLE DATA " in line for line in done.stdout.splitlines())


def replace_with(path: Path) -> None:
    """Replace the whole database by the dump at ``path``, or leave it as it was.

    Raises:
        ArchiveError: with what PostgreSQL objected to, in its own words.
    """
    server = server_version()
    find, run = program("pg_restore", server), program("psql", server)
    connection.close()
    script = [find, "--no-owner", "-f", "-", str(path)]
    # One transaction: an error, or losing the connection, leaves what was there. Nobody else may be at
    # work in the tables, so it does not wait for them for ever.
    first = "SET lock_timeout = '20s'; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
    load = [run, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-c", first, "-f", "-"]
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source:  # noqa: S603
        done = subprocess.run(  # noqa: S603
            load, stdin=source.stdout, capture_output=True, text=True, env=environment()
        )
        assert source.stderr is not None
        said = source.stderr.read().decode(errors="replace")
    if done.returncode or source.returncode:
        if "lock timeout" in done.stderr:
            raise ArchiveError(
                _("Basis data masih dipakai. Hentikan guyub serve dan guyub worker lebih dahulu.")
            )
        # Of its complaints only the first line: those that follow may quote rows.
        text = next((line for line in (done.stderr + said).splitlines() if "ERROR" in line), "")
        raise ArchiveError(
            _("PostgreSQL menolak isi cadangan; basis data tidak berubah. %(text)s")
            % {"text": text[:200]}
        )
