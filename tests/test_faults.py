"""A few rounds of what `python -m tests.faults` plays two hundred times (docs/faults.md)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from postgresql_server import NoServerError, server_folder

ROOT = Path(__file__).parents[1]


@pytest.mark.own_database
@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 5), ("postgresql", 5)])
def test_nothing_is_lost_or_there_twice_when_processes_are_killed(kind: str, seed: int):
    if kind == "postgresql":
        try:
            with server_folder():
                pass
        except NoServerError as error:
            pytest.skip(str(error))
    command = [sys.executable, "-m", "tests.faults", "--database", kind]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--rounds", "4", "--warm-up", "1", "--webs", "2"],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["faults"] == []
    assert told["rounds"] == 4
    # Kills that come after the work would show nothing.
    assert told["landed"] >= 2
