"""Guyub starts light: what is heavy is imported by the first who needs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.own_database

# Each takes up to more than a second, or tens of megabytes, in every process that has it.
HEAVY = frozenset(
    {
        "altair", "docx", "narwhals", "openpyxl", "pandas", "polars", "pyspark", "python_calamine",
        "scipy", "splink", "sqlglot", "svy", "typst", "vl_convert", "xlsxwriter",
    }
)  # fmt: skip
# As `guyub` alone does, which loads every command, and then as a web process does.
START = """
import json, sys
from guyub.cli import overview
overview()
command = sorted(sys.modules)
import guyub.urls
print(json.dumps({"command": command, "web": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return which modules Guyub has after listing its commands, and then with all its pages."""
    folder: Path = tmp_path_factory.mktemp("start")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "guyub.settings",
        "GUYUB_DATA_DIR": str(folder),
        "GUYUB_MODE": "test",
    }
    done = subprocess.run(
        [sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: set(modules) for name, modules in found.items()}


def test_a_web_process_starts_without_heavy_libraries(loaded):
    assert "guyub.portal.views" in loaded["web"]
    assert not loaded["web"] & HEAVY


def test_a_command_starts_without_heavy_libraries_and_without_pages(loaded):
    assert "guyub.demo.management.commands.demo" in loaded["command"]
    assert not loaded["command"] & HEAVY
    assert "guyub.urls" not in loaded["command"]


def test_the_heavy_libraries_are_there_when_wanted(loaded):
    """A name that is mistyped, or a library long gone, would make the others pass for nothing."""
    import importlib.util

    assert not [
        name for name in HEAVY - {"pandas", "pyspark"} if importlib.util.find_spec(name) is None
    ]
