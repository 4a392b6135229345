"""What commands say goes through gettext, and in English for whoever wants it so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from guyub import cli

SOURCE = Path(__file__).parents[1] / "src" / "guyub"
COMMANDS = sorted(SOURCE.glob("*/management/commands/[a-z]*.py"))
WORD = re.compile(r"[A-Za-z]{3,}")
# Names of functions whose text people read.
SAYING = {"write", "print", "CommandError"}
MARKED = {"_", "gettext", "gettext_lazy", "ngettext"}
# Not words: what machines read as well.
PLAIN = {"SHA-256", "dim", "bold", "true"}


def said(node: ast.AST) -> Iterator[str]:
    """Yield the words of texts below ``node`` that no translation is asked for."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in MARKED:
            return
    if isinstance(node, ast.Subscript):
        return
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        # What is filled in comes from elsewhere.
        yield from said(node.left)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = re.sub(r"\[/?\w+\]|https?://|SHA-256", "", node.value)
        if WORD.search(text) and node.value not in PLAIN:
            yield node.value
    for child in ast.iter_child_nodes(node):
        yield from said(child)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_commands_ask_for_a_translation_of_all_they_say(path):
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in SAYING:
                found += [text for argument in node.args for text in said(argument)]
            found += [t for k in node.keywords if k.arg == "help" for t in said(k.value)]
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "help":
            found += said(node.value)
    assert not found


def test_the_terminal_speaks_english_when_asked(monkeypatch):
    monkeypatch.setenv("GUYUB_LANGUAGE", "en")
    with translation.override("id"):
        cli.speak()
        assert translation.get_language() == "en"
    monkeypatch.setenv("GUYUB_LANGUAGE", "xx")
    with translation.override("id"):
        cli.speak()
        assert translation.get_language() == "id"
