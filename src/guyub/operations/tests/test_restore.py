"""From the previous release's database through an upgrade and a backup to a second installation.

Every step is the command that an operator types, in a process of its own. The parts share the
installations, because making one takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from guyub.operations import archive as archives
from guyub.operations.archive import new_key, zstd
from guyub.operations.tests.installations import RELEASES, Installation

# The newest release, whose databases are out there.
PREVIOUS = "0.1.0"
# Written by migrations and by `guyub setup` themselves.
OF_DJANGO = {"django_migrations", "django_content_type", "auth_permission"}
# Tables of it that a later version did away with, or whose rows it moved elsewhere, and why.
MOVED: dict[str, str] = {}

ASK_EVERY_PAGE = """
import django; django.setup()
from django.test import Client
from django.urls import get_resolver
from guyub.accounts.models import User
client = Client(raise_request_exception=True)
client.force_login(User.objects.get(username="sekretariat"),
    backend="allauth.account.auth_backends.AuthenticationBackend")
asked = 0
def walk(resolver, route):
    global asked
    for part in resolver.url_patterns:
        here = route + str(part.pattern)
        if hasattr(part, "url_patterns"):
            walk(part, here)
        elif "<" not in here and "(" not in here and part.callback.__module__.startswith("guyub."):
            if part.name in ("stream", "set_language"):
                continue
            answer = client.get("/" + here)
            assert answer.status_code in (200, 302, 403, 405), (here, answer.status_code)
            asked += answer.status_code == 200
walk(get_resolver(), "")
from guyub.registry.models import Household
from guyub.programs.models import SubActivity
for url in ("/registri/keluarga/%d/" % Household.objects.first().pk,):
    assert client.get(url).status_code == 200, url
print("halaman:", asked)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("instalasi")


@pytest.fixture(scope="module")
def made() -> Iterator[list[Installation]]:
    installations: list[Installation] = []
    yield installations
    for installation in installations:
        installation.remove()


@pytest.fixture(scope="module")
def first(folder, made) -> Installation:
    """The database of the previous release, brought up to now, with files beside it."""
    installation = Installation(folder, "pertama")
    made.append(installation)
    installation.load(PREVIOUS)
    installation.before = {name: len(rows) for name, rows in installation.rows().items()}
    installation.run("setup")
    for path, content in {
        "datasets/dtsen/1.parquet": b"PAR1" * 5000,
        "media/foto/ab/rumah.jpg": bytes(range(256)) * 400,
        "imports/7/berkas asli.xlsx": b"x",
        "imports/7/lock": b"",
        "media/foto/setengah.part": b"setengah",
        "static/ui.css": b"dibuat lagi",
        ".cadangan-mati/x": b"sisa",
    }.items():
        (installation.data / path).parent.mkdir(parents=True, exist_ok=True)
        (installation.data / path).write_bytes(content)
    return installation


@pytest.fixture(scope="module")
def archive(first) -> Path:
    """A backup of it."""
    first.contents, first.kept = first.rows(), first.files()
    # Not locked: opening a lock is slow on purpose, and test_archive does it.
    first.key = str(first.data.parent / "kunci.txt")
    public = new_key(Path(first.key), "")
    first.run("backup", GUYUB_BACKUP_KEYS=public)
    [file] = (first.data / "cadangan").glob("*.age")
    return file


def test_every_release_is_kept_small():
    for path in RELEASES.glob("*/*.sql.zst"):
        assert path.stat().st_size < 300_000, path
    assert {p.name for p in (RELEASES / PREVIOUS).iterdir()} == {
        "sqlite.sql.zst", "postgresql.sql.zst",
    }  # fmt: skip


@pytest.mark.django_db
def test_an_older_database_is_brought_up_whole(first):
    after = {name: len(rows) for name, rows in first.rows().items()}
    assert first.before["registry_household"] == 40
    assert first.before["audit_event"] > 50
    lost = {
        name: (count, after.get(name))
        for name, count in first.before.items()
        if name not in OF_DJANGO and name not in MOVED and after.get(name) != count
    }
    assert not lost
    assert "Rantai utuh" in first.run("audit", "verify")
    assert int(first.python("-c", ASK_EVERY_PAGE, DJANGO_SETTINGS_MODULE="guyub.settings").rpartition(":")[2]) > 25  # fmt: skip


@pytest.mark.django_db
def test_a_backup_can_be_checked(first, archive):
    assert archive.read_bytes()[:21] == b"age-encryption.org/v1"
    assert archive.stat().st_mode & 0o077 == 0
    said = first.run("backup", "--verify", "--key", first.key)
    assert "utuh" in said


@pytest.mark.django_db
def test_a_second_installation_gets_every_row_and_every_file(first, archive, folder, made):
    second = Installation(folder, "kedua")
    made.append(second)
    said = second.run("restore", str(archive), "--key", first.key)
    assert "Rantai jejak audit utuh" in said
    ours, theirs = second.rows(), first.contents
    assert ours.keys() == theirs.keys()
    # The restore is noted at the log's end, and the backup was noted only after it was made.
    for name in theirs.keys() - {"audit_event", "audit_chainhead"}:
        assert ours[name] == theirs[name], name
    assert len(ours["audit_event"]) == len(theirs["audit_event"]) + 1
    assert set(map(str, theirs["audit_event"])) < set(map(str, ours["audit_event"]))
    # The nightly check of the log leaves its own mark.
    assert second.files() == first.kept
    assert "imports/7/berkas asli.xlsx" in first.kept
    assert not {name for name in first.kept if name.endswith((".part", "lock")) or "static" in name}

    # Not over what is there, unless told so; and then what was there is kept.
    refused = second.run("restore", str(archive), "--key", first.key, fails=True)
    assert "sudah berisi data" in refused
    (second.data / "media" / "baru.jpg").write_bytes(b"baru")
    said = second.run("restore", str(archive), "--key", first.key, "--replace")
    assert "sebelum-pemulihan-" in said
    assert second.files() == first.kept
    [safety] = (second.data / "cadangan").glob("sebelum-pemulihan-*")
    held: set[str] = set()
    with safety.open("rb") as source:
        archives.read(
            source, archives.read_key(Path(first.key), str), lambda name, _: held.add(name)
        )
    assert "berkas/media/baru.jpg" in held


@pytest.mark.django_db
def test_a_damaged_archive_changes_nothing(first, archive, folder, made):
    third = Installation(folder, "ketiga")
    made.append(third)
    broken = folder / "rusak.age"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    broken.write_bytes(content)
    said = third.run("restore", str(broken), "--key", first.key, fails=True)
    assert "Berkas cadangan rusak" in said
    assert "Traceback" not in said
    assert not third.files()
    assert "registry_household" not in third.rows()
    assert not [path for path in third.data.iterdir() if path.name.startswith(".pulih")]


@pytest.mark.django_db
def test_not_while_guyub_is_running(first, archive):
    import fcntl

    with (first.data / "running.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        said = first.run("restore", str(archive), "--key", first.key, "--replace", fails=True)
    assert "masih berjalan" in said


def test_the_kept_dumps_name_no_machine():
    for path in RELEASES.glob("*/*.sql.zst"):
        text = zstd.decompress(path.read_bytes())
        assert b"/tmp/" not in text
        assert str(RELEASES.parents[1]).encode() not in text
