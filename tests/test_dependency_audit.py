"""The audit of dependencies fails on what is known, and only on that."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parent.parent / "scripts" / "audit_dependencies.py"
_spec = importlib.util.spec_from_file_location("audit_dependencies", PATH)
audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)

KNOWN = {
    "name": "requests",
    "version": "2.19.0",
    "vulns": [{"id": "PYSEC-2018-28", "fix_versions": ["2.20.0"], "aliases": ["CVE-2018-18074"]}],
}
SOUND = {"name": "django", "version": "5.2", "vulns": []}
UNKNOWN = {"name": "lxml", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "arguments", "code", "said"),
    [
        ([SOUND], [], 0, "1 dependencies checked, 0 vulnerabilities"),
        ([SOUND, KNOWN], [], 1, "VULNERABLE requests 2.19.0: PYSEC-2018-28, mended in 2.20.0"),
        ([KNOWN, UNKNOWN], [], 1, "VULNERABLE"),
        ([UNKNOWN], [], 0, "NOT CHECKED"),
        ([UNKNOWN], ["--strict"], 1, "NOT CHECKED"),
        (None, [], 0, "did not answer"),
        (None, ["--strict"], 1, "did not answer"),
    ],
)
def test_what_fails(packages, arguments, code, said, monkeypatch, capsys):
    text = "connection refused" if packages is None else json.dumps({"dependencies": packages})
    monkeypatch.setattr(
        audit.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 0, text, "")
    )
    monkeypatch.setattr(audit.sys, "argv", ["x", *arguments])
    assert audit.main() == code
    assert said in capsys.readouterr().out


def test_an_accepted_advisory_counts_by_any_of_its_names(monkeypatch):
    monkeypatch.setattr(audit, "ACCEPTED", {"CVE-2018-18074": "not used"})
    assert audit.judge({"dependencies": [KNOWN]}) == ([], [], 1)
