"""Ask PyPI's advisories about every installed package; fail when one has a known vulnerability.

``pip-audit`` does the asking. Where the advisories can't be reached nothing is known, which is said loudly
and fails nothing: an outage elsewhere is no fault of a change here. ``--strict`` fails then too; use it
where the network is known to reach PyPI's JSON interface.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

# Advisories that do not concern us, each with the reason and until when that was judged.
ACCEPTED: dict[str, str] = {}
SECONDS = 90


def judge(report: dict[str, Any]) -> tuple[list[str], list[str], int]:
    """Return the vulnerabilities in words, the packages nothing is known of, and how many were checked."""
    found, unknown, checked = [], [], 0
    for package in report["dependencies"]:
        if "skip_reason" in package:
            if package["name"] != "guyub":
                unknown.append(package["name"])
            continue
        checked += 1
        for problem in package["vulns"]:
            names = {problem["id"], *problem.get("aliases", [])}
            if not names & ACCEPTED.keys():
                fixed = ", ".join(problem.get("fix_versions") or []) or "none yet"
                found.append(
                    f"{package['name']} {package['version']}: {problem['id']}, mended in {fixed}"
                )
    return found, unknown, checked


def main() -> int:
    command = [
        *(sys.executable, "-m", "pip_audit", "--local", "--skip-editable"),
        *("--format", "json", "--progress-spinner", "off", "--timeout", "10"),
    ]
    strict = "--strict" in sys.argv
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        print("DEPENDENCIES NOT CHECKED: the advisory service did not answer.")
        return int(strict)
    found, unknown, checked = judge(report)
    for line in found:
        print("VULNERABLE", line)
    if unknown:
        print(f"DEPENDENCIES NOT CHECKED: nothing is known of {len(unknown)} ({checked} checked).")
    else:
        print(f"{checked} dependencies checked, {len(found)} vulnerabilities.")
    return int(bool(found) or (strict and bool(unknown)))


if __name__ == "__main__":
    raise SystemExit(main())
