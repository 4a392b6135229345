"""The house rules of docs/architecture.md, checked against the source itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "guyub"
DOC = ROOT / "docs" / "architecture.md"

# Files that mean the same in every app. Any other says in its docstring what thing it holds.
USUAL_FILES = {
    "__init__", "apps", "models", "services", "queries", "views", "urls", "api", "forms", "middleware",
}  # fmt: skip
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base", "tools"}
# Modules of the package itself that an app may import, and who may.
ABOVE_ALL_APPS = {("accounts", "checks")}
# Views that Django calls for errors, so that no guard stands before them.
ERROR_VIEWS = {("ui", "forbidden"), ("ui", "not_found"), ("ui", "server_error")}
GUARDS = {"requires", "public"}


def order_of_apps() -> list[str]:
    """Return the apps from the top of the table in the document to its bottom."""
    return re.findall(r"^\| `(\w+)` \|", DOC.read_text(), re.MULTILINE)


APPS = order_of_apps()


def sources(app: str) -> Iterator[Path]:
    """Yield the modules of ``app``; its tests may know everything, and migrations are generated."""
    for path in sorted((PACKAGE / app).rglob("*.py")):
        inner = path.relative_to(PACKAGE / app).parts
        if "tests" not in inner and "migrations" not in inner:
            yield path


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield ``(line, module)`` for what ``path`` imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: write imports in full"
            module = node.module or ""
            if module == "guyub":
                yield from ((node.lineno, f"guyub.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


def templates() -> list[Path]:
    return sorted(PACKAGE.rglob("templates/**/*.*"))


def own_assets(ending: str) -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob(f"static/**/*.{ending}")) if "vendor" not in p.parts]


def test_the_table_names_every_app_once():
    installed = [
        name.split(".")[1] for name in settings.INSTALLED_APPS if name.startswith("guyub.")
    ]
    assert len(APPS) == len(set(APPS)) > 5
    assert set(APPS) == set(installed)
    folders = {path.parent.name for path in PACKAGE.glob("*/apps.py")}
    assert set(APPS) == folders


@pytest.mark.parametrize("app", APPS)
def test_knowledge_runs_one_way(app):
    """An app imports only from itself and from apps above it in the table."""
    known = set(APPS[: APPS.index(app) + 1])
    wrong = []
    for path in sources(app):
        for line, module in imports_of(path):
            parts = module.split(".")
            if parts[0] != "guyub":
                continue
            target = parts[1] if len(parts) > 1 else ""
            if target not in known and (app, target) not in ABOVE_ALL_APPS:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("app", APPS)
def test_templates_run_the_same_way(app):
    """A template extends and includes only those of its own app and of apps above it."""
    below = set(APPS[APPS.index(app) + 1 :])
    wrong = []
    for path in (PACKAGE / app).rglob("templates/**/*.html"):
        for other in re.findall(
            r"{%\s*(?:extends|include)\s+[\"']([^\"']+)[\"']", path.read_text()
        ):
            if other.partition("/")[0] in below:
                wrong.append(f"{path.relative_to(ROOT)} uses {other}")
    assert not wrong, "\n".join(wrong)


def test_the_check_of_imports_sees_what_is_wrong(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text("def f():\n    from guyub.demo.services import x\nfrom guyub import checks\n")
    assert list(imports_of(path)) == [(3, "guyub.checks"), (2, "guyub.demo.services")]


@pytest.mark.parametrize("app", APPS)
def test_files_are_the_agreed_ones_or_say_what_they_hold(app):
    for path in sources(app):
        name = path.stem
        assert name not in NAMELESS, f"{path.relative_to(ROOT)} is named after nothing"
        if name in USUAL_FILES or path.parent.name in ("templatetags", "commands", "management"):
            continue
        docstring = ast.get_docstring(ast.parse(path.read_text()))
        assert docstring, f"{path.relative_to(ROOT)} does not say what it holds"


def test_no_module_anywhere_is_named_after_nothing():
    paths = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert not [path for path in paths if path.stem in NAMELESS]


def _decorator(node: ast.expr) -> str:
    target = node.func if isinstance(node, ast.Call) else node
    return target.id if isinstance(target, ast.Name) else ""


@pytest.mark.parametrize("app", APPS)
def test_every_view_carries_a_guard(app):
    """Each function of ``views.py`` that takes a request and is not private is guarded."""
    for path in sources(app):
        if path.name != "views.py":
            continue
        for node in ast.parse(path.read_text()).body:
            assert not isinstance(node, ast.ClassDef) or not node.name.endswith("View"), (
                f"{path.relative_to(ROOT)}:{node.lineno}: views are functions"
            )
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            arguments = [argument.arg for argument in node.args.args]
            if arguments[:1] != ["request"] or (app, node.name) in ERROR_VIEWS:
                continue
            found = {_decorator(decorator) for decorator in node.decorator_list}
            assert found & GUARDS, (
                f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has no guard"
            )


def test_templates_hold_no_inline_script_or_style():
    """The content security policy would block it, and the page would break in silence."""
    wrong = []
    for path in templates():
        text = re.sub(r"{%\s*comment.*?endcomment\s*%}", "", path.read_text(), flags=re.DOTALL)
        for tag in re.findall(r"<script\b[^>]*>", text, re.IGNORECASE):
            if " src=" not in tag and 'type="application/json"' not in tag:
                wrong.append(f"{path.relative_to(ROOT)}: {tag}")
        for attribute in re.findall(r"<[^>]*?\s(on[a-z]+)\s*=", text):
            wrong.append(f"{path.relative_to(ROOT)}: {attribute}=")
        if (
            re.search(r"<style\b|<[^>]*\sstyle\s*=", text, re.IGNORECASE)
            and "email" not in path.parts
        ):
            wrong.append(f"{path.relative_to(ROOT)}: inline style")
        if re.search(r"(?:href|src|action)\s*=\s*[\"']?\s*javascript:", text, re.IGNORECASE):
            wrong.append(f"{path.relative_to(ROOT)}: javascript:")
    assert not wrong, "\n".join(wrong)


def test_pages_load_nothing_from_other_hosts():
    wrong = []
    loading = re.compile(
        r"<(?:script|link|img|iframe|source|video|audio|use|object|embed|form)\b[^>]*?"
        r"\s(?:src|href|srcset|data|action|poster)\s*=\s*[\"']?\s*(?:https?:)?//[^\s\"'>]*",
        re.IGNORECASE,
    )
    for path in templates():
        wrong += [f"{path.relative_to(ROOT)}: {hit}" for hit in loading.findall(path.read_text())]
    for path in [*own_assets("css"), *own_assets("js")]:
        text = re.sub(r"https?://www\.w3\.org/\S*", "", path.read_text())  # names of SVG and XML
        if re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]{2,}", re.sub(r"(?m)//\s.*$", "", text)):
            wrong.append(f"{path.relative_to(ROOT)} names another host")
        if re.search(r"@import\b", text):
            wrong.append(f"{path.relative_to(ROOT)} imports a style sheet")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.test/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.test/x.css">',
        "<img src='http://cdn.test/x.png'>",
    ],
)
def test_the_check_of_hosts_sees_what_is_wrong(text, tmp_path, monkeypatch):
    page = PACKAGE / "wrong.html"  # only named, never written
    monkeypatch.setattr(f"{__name__}.templates", lambda: [page])
    monkeypatch.setattr(Path, "read_text", lambda self, *args: text if self == page else "")
    with pytest.raises(AssertionError, match=r"wrong\.html"):
        test_pages_load_nothing_from_other_hosts()
