"""The security checklist names tests that exist, and says of every line how it stands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "security.md"
STATES = {"Met", "Met in part", "By design", "Server", "Gap", "Not applicable"}
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def lines() -> list[list[str]]:
    """Return the cells of every line of the tables."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    return [cells for cells in found if cells[0] not in ("No.", "---")]


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def missing(text: str) -> list[str]:
    """Return the tests named in ``text`` that there are not."""
    gone = []
    for place, name in NAMED.findall(text):
        path = ROOT / place if place.startswith("tests/") else ROOT / "src" / "guyub" / place
        if not path.exists() or name not in functions(path):
            gone.append(f"{place}::{name}")
    return gone


def test_every_test_that_the_checklist_names_exists():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(NAMED.findall(text)) > 80
    assert text.count("::test_") == len(NAMED.findall(text)), "one is written in another way"
    assert not missing(text)


def test_every_line_has_a_state_and_what_is_met_has_its_test():
    assert len(lines()) > 90
    for cells in lines():
        assert len(cells) == 4, cells
        assert cells[2] in STATES, cells
        if cells[2] == "Met":
            assert NAMED.search(cells[3]), cells


def test_each_chapter_is_there():
    text = DOCUMENT.read_text(encoding="utf-8")
    for chapter in range(1, 18):
        assert re.search(rf"\bV{chapter}\b", text), chapter


def test_the_check_sees_what_is_gone():
    assert missing("`tests/test_security_doc.py::test_of_nothing`, `no/such.py::test_a`")
    assert not missing("`tests/test_security_doc.py::test_each_chapter_is_there`")
