"""Keep a small synthetic database of a release, from which the upgrade test sets out.

Run it once, at the release's commit (or with ``--source`` on a checkout of it)::

    uv run python scripts/keep_release.py 0.2.0

It makes the demo of a few households with that release's own code, on SQLite and on PostgreSQL, and
writes both as compressed SQL into ``tests/releases/<version>/``. See docs/operations.md.
"""

from __future__ import annotations

import argparse
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from guyub.operations.archive import zstd

ROOT = Path(__file__).resolve().parent.parent
HOUSEHOLDS = "40"


def demo(source: Path, folder: Path, url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(source), "GUYUB_DATA_DIR": str(folder)}
    environment.pop("DATABASE_URL", None)
    if url:
        environment["DATABASE_URL"] = url
    command = [sys.executable, "-m", "guyub.cli", "demo", "--no-serve", "--households", HOUSEHOLDS]
    subprocess.run(command, env=environment, cwd=source, check=True)


def sqlite(source: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        demo(source, Path(folder), "")
        return "\n".join(sqlite3.connect(Path(folder) / "guyub.sqlite3").iterdump()).encode()


def postgresql(source: Path) -> bytes:
    import pgserver
    from pgserver._commands import POSTGRES_BIN_PATH

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        server = pgserver.get_server(folder, cleanup_mode="delete")
        url = server.get_uri()
        demo(source, Path(data), url)
        place = re.search(r"host=(.*)", url)
        assert place is not None
        command = [POSTGRES_BIN_PATH / "pg_dump", "-h", place.group(1), "-U", "postgres"]
        dumped = subprocess.run(
            [*command, "--no-owner", "postgres"], capture_output=True, check=True
        )
        server.cleanup()
        return dumped.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("version")
    parser.add_argument("--source", type=Path, default=ROOT, help="a checkout of the release")
    options = parser.parse_args()
    target = ROOT / "tests" / "releases" / options.version
    target.mkdir(parents=True, exist_ok=True)
    best = {zstd.CompressionParameter.compression_level: 22}
    for name, made in (("sqlite", sqlite), ("postgresql", postgresql)):
        path = target / f"{name}.sql.zst"
        path.write_bytes(zstd.compress(made(options.source.resolve() / "src"), options=best))
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
