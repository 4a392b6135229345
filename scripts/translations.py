"""Gather the interface's texts into the English catalogue, and compile it.

``uv run python scripts/translations.py``
    Writes ``src/guyub/locale/en/LC_MESSAGES/django.po`` anew from the source, keeping what is
    translated, and tells what is missing. Needs GNU gettext (Debian's package ``gettext``).
``uv run python scripts/translations.py --compile``
    Compiles the catalogue when nothing in it is missing or doubtful.

See ``docs/translation.md``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "guyub"
CATALOGUE = PACKAGE / "locale" / "en" / "LC_MESSAGES" / "django.po"


def gather() -> None:
    """Let Django read every Python file and template below the package."""
    if shutil.which("xgettext") is None:
        sys.exit("GNU gettext is missing: apt-get install gettext")
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "en", "--no-obsolete",
         "--add-location", "file", "--ignore", "tests/*", "--ignore", "*/tests/*"],
        cwd=PACKAGE, check=True, env={**os.environ, "DJANGO_SETTINGS_MODULE": "guyub.settings"},
    )  # fmt: skip
    catalogue = polib.pofile(str(CATALOGUE))
    # Nothing that changes though no text does, such as the day of the last run.
    catalogue.header = "Guyub in English. See docs/translation.md."
    catalogue.metadata_is_fuzzy = False
    catalogue.metadata = {
        "Project-Id-Version": "Guyub",
        "Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        # Indonesian has one form for every number; English has two.
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    catalogue.save()


def unfinished() -> list[polib.POEntry]:
    """Return the entries without a translation, or with one that gettext only guessed."""
    return [entry for entry in polib.pofile(str(CATALOGUE)) if not entry.translated()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Gather or compile the English catalogue.")
    parser.add_argument("--compile", action="store_true", help="compile instead of gathering")
    if not parser.parse_args().compile:
        gather()
    left = unfinished()
    print(f"{len(polib.pofile(str(CATALOGUE)))} texts, {len(left)} to translate: {CATALOGUE}")
    if parser.parse_args().compile:
        if left:
            sys.exit("\n".join(f"line {entry.linenum}: {entry.msgid[:100]}" for entry in left))
        polib.pofile(str(CATALOGUE)).save_as_mofile(str(CATALOGUE.with_suffix(".mo")))


if __name__ == "__main__":
    main()
