"""The English catalogue, once there is one, is whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "src" / "guyub" / "locale" / "en" / "LC_MESSAGES" / "django.po"
SCRIPT = "scripts/translations.py"
pytestmark = pytest.mark.own_database
needs_catalogue = pytest.mark.skipif(not CATALOGUE.exists(), reason="no English catalogue yet")
needs_gettext = pytest.mark.skipif(shutil.which("xgettext") is None, reason="no GNU gettext")


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)\w|%[sd]|\{\w*\}", text))


def texts(entry: polib.POEntry) -> list[str]:
    return [entry.msgstr, *entry.msgstr_plural.values()]


def faults(catalogue: polib.POFile) -> list[str]:
    """Return what is wrong with a catalogue, one line for each entry."""
    found = []
    for entry in catalogue:
        if not entry.translated():
            found.append(f"untranslated or fuzzy: {entry.msgid}")
        elif any(placeholders(t) != placeholders(entry.msgid) for t in texts(entry) if t):
            found.append(f"other placeholders: {entry.msgid}")
    return found


@needs_catalogue
def test_every_text_of_the_catalogue_is_translated():
    assert not faults(polib.pofile(str(CATALOGUE)))


@needs_catalogue
def test_what_is_compiled_is_what_stands_in_the_catalogue():
    source = polib.pofile(str(CATALOGUE))
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))
    assert {(e.msgctxt, e.msgid): texts(e) for e in compiled} == {
        (e.msgctxt, e.msgid): texts(e) for e in source
    }


@needs_catalogue
@needs_gettext
def test_the_catalogue_holds_every_text_of_the_source(tmp_path):
    place = copy_of_the_source(tmp_path)
    subprocess.run([sys.executable, SCRIPT], cwd=place, check=True, capture_output=True)
    known = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(CATALOGUE))}
    gathered = polib.pofile(str(place / CATALOGUE.relative_to(ROOT)))
    there = {(entry.msgctxt, entry.msgid) for entry in gathered}
    assert not there - known, "Run scripts/translations.py and translate"


def copy_of_the_source(folder: Path) -> Path:
    for name in ("src", "scripts"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("vendor", "__pycache__")
        )
    return folder


@needs_gettext
def test_gathering_finds_texts_and_compiling_refuses_gaps(tmp_path):
    place = copy_of_the_source(tmp_path)
    catalogue = place / CATALOGUE.relative_to(ROOT)
    shutil.rmtree(catalogue.parent, ignore_errors=True)
    subprocess.run([sys.executable, SCRIPT], cwd=place, check=True, capture_output=True)
    found = polib.pofile(str(catalogue))
    # One from Python, one from a template.
    for text in ("Sekretariat TKPKD", "Registri warga miskin"):
        entry = found.find(text)
        assert entry is not None
    assert not any("/tests/" in place for entry in found for place, _line in entry.occurrences)
    refused = subprocess.run(
        [sys.executable, SCRIPT, "--compile"], cwd=place, check=False, capture_output=True
    )
    assert refused.returncode != 0
    assert not catalogue.with_suffix(".mo").exists()
    for entry in found:
        if entry.msgid_plural:
            entry.msgstr_plural = {0: entry.msgid, 1: entry.msgid_plural}
        else:
            entry.msgstr = entry.msgid
        entry.flags = [flag for flag in entry.flags if flag != "fuzzy"]
    found.save()
    subprocess.run(
        [sys.executable, SCRIPT, "--compile"], cwd=place, check=True, capture_output=True
    )
    assert catalogue.with_suffix(".mo").exists()


def test_the_check_sees_what_is_wrong():
    catalogue = polib.POFile()
    catalogue += [
        polib.POEntry(msgid="Simpan", msgstr="Save"),
        polib.POEntry(msgid="Batal", msgstr=""),
        polib.POEntry(msgid="Hapus", msgstr="Delete", flags=["fuzzy"]),
        polib.POEntry(msgid="%(n)s baris", msgstr="rows"),
    ]
    assert [fault.split(":")[0] for fault in faults(catalogue)] == [
        "untranslated or fuzzy", "untranslated or fuzzy", "other placeholders",
    ]  # fmt: skip
