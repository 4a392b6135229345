"""Pin every package, direct or not, to the version now resolved, in ``pyproject.toml``.

Run ``uv run python scripts/pin_versions.py`` after adding or upgrading a dependency. See
``docs/decisions/0002-pinning.md`` for why the pins stand there and not in a lock file.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
MARK = re.compile(r"constraint-dependencies = \[\n.*?\n\]\n", re.S)


def main() -> None:
    exported = subprocess.run(
        ["uv", "export", "--quiet", "--all-extras", "--all-groups", "--no-hashes", "--no-emit-project", "--no-annotate", "--no-header"],
        check=True, capture_output=True, text=True, cwd=PROJECT.parent,
    ).stdout  # fmt: skip
    # Markers stay: some packages have a version of their own for other Pythons or systems.
    pins = sorted({line.strip() for line in exported.splitlines() if "==" in line.split(";")[0]})
    block = (
        "constraint-dependencies = [\n"
        + "".join(f"    {json.dumps(pin)},\n" for pin in pins)
        + "]\n"
    )
    text = PROJECT.read_text()
    text = (
        MARK.sub(block, text)
        if MARK.search(text)
        else text.replace("[tool.uv]\n", f"[tool.uv]\n{block}")
    )
    PROJECT.write_text(text)


if __name__ == "__main__":
    main()
