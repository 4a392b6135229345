"""The archive itself: nothing is lost, nothing is taken for good that isn't."""

from __future__ import annotations

import datetime as dt
import io
import os
import random
import tarfile

import pyrage
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from guyub.operations import archive, backup
from guyub.operations.archive import ArchiveError

KEY = pyrage.x25519.Identity.generate()


def made(members: dict[str, bytes], about: dict | None = None) -> bytes:
    out = io.BytesIO()

    def fill(writer: archive.Writer) -> None:
        for name, content in members.items():
            writer.add(name, io.BytesIO(content), len(content))

    archive.write(out, [KEY.to_public()], about or {"guyub": "0"}, fill)
    return out.getvalue()


class Kept(io.BytesIO):
    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def read(data: bytes, key=KEY) -> dict[str, bytes]:
    found: dict[str, Kept] = {}
    archive.read(io.BytesIO(data), key, lambda name, about: found.setdefault(name, Kept()))
    return {name: kept.content for name, kept in found.items()}


MEMBERS = {"a/1": b"satu" * 100_000, "b c/2": b"", "a/3": bytes(range(256)) * 3000}
WHOLE = made(MEMBERS)
# Of noise, so that much is compressed into much.
LARGE = made({"a": random.Random(3).randbytes(600_000), "b": b"x"})


@settings(max_examples=20)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z0-9 ]{1,9}){0,2}", fullmatch=True), st.binary(max_size=3000), max_size=6))  # fmt: skip
def test_what_went_in_comes_out(members):
    assert read(made(members)) == members


@settings(max_examples=60)
@given(st.integers(0, len(WHOLE) - 1))
def test_a_cut_archive_is_never_taken_for_whole(length):
    with pytest.raises(ArchiveError, match=r"terpotong|bukan cadangan|rusak"):
        read(WHOLE[:length])


@settings(max_examples=20)
@given(st.integers(0, len(LARGE) - 1))
def test_nor_a_large_one_damaged_in_the_middle_of_a_member(place):
    data = bytearray(LARGE)
    data[place] ^= 1
    with pytest.raises(ArchiveError):
        read(bytes(data))
    with pytest.raises(ArchiveError):
        read(LARGE[:place])


@settings(max_examples=60)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7))
def test_a_changed_archive_is_never_taken_for_whole(place, bit):
    data = bytearray(WHOLE)
    data[place] ^= 1 << bit
    with pytest.raises(ArchiveError):
        read(bytes(data))


def test_messages_say_what_is_wrong():
    with pytest.raises(ArchiveError, match="bukan kunci cadangan"):
        read(WHOLE, pyrage.x25519.Identity.generate())
    with pytest.raises(ArchiveError, match="bukan cadangan Guyub"):
        read(b"PK\3\4 sebuah berkas lain" * 100)
    with pytest.raises(ArchiveError, match="lebih baru"):
        read(made({}, {"format": 2}))


@pytest.mark.parametrize("name", ["/etc/passwd", "../luar", "a/../../luar", ""])
def test_no_member_is_unpacked_outside(name):
    assert not archive.is_safe(name)
    out = io.BytesIO()

    def fill(writer: archive.Writer) -> None:
        writer.tar.addfile(tarfile.TarInfo(name or "/"), io.BytesIO())

    archive.write(out, [KEY.to_public()], {"guyub": "0"}, fill)
    with pytest.raises(ArchiveError):
        read(out.getvalue())


def test_keys_are_locked_with_a_passphrase(tmp_path):
    path = tmp_path / "kunci.age"
    public = archive.new_key(path, "frasa sandi")
    assert b"AGE-SECRET" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert str(archive.read_key(path, lambda: "frasa sandi").to_public()) == public
    with pytest.raises(ArchiveError, match="Frasa sandi"):
        archive.read_key(path, lambda: "salah")
    with pytest.raises(ArchiveError, match="sudah ada"):
        archive.new_key(path, "frasa sandi")
    (tmp_path / "lain").write_text("halo")
    with pytest.raises(ArchiveError, match="bukan berkas kunci"):
        archive.read_key(tmp_path / "lain", lambda: "")
    with pytest.raises(ArchiveError, match="age1"):
        archive.recipient("ssh-rsa AAAA")


def test_old_backups_go_and_one_a_week_and_a_month_stays(tmp_path):
    start = dt.datetime(2026, 1, 1, 1, tzinfo=dt.UTC)
    for day in range(120):
        (tmp_path / f"guyub-{start + dt.timedelta(days=day):%Y%m%d-%H%M%S}{backup.ENDING}").touch()
    (tmp_path / "catatan.txt").touch()
    (tmp_path / f"sebelum-pemulihan-20260101-000000{backup.ENDING}").touch()
    gone = backup.prune(tmp_path, 7, 4, 3)
    left = sorted(path.name[6:14] for path in tmp_path.glob("guyub-*"))
    assert left == [
        "20260228", "20260331", "20260412", "20260419",
        "20260424", "20260425", "20260426", "20260427", "20260428", "20260429", "20260430",
    ]  # fmt: skip
    assert len(gone) == 120 - len(left)
    assert len(list(tmp_path.iterdir())) == len(left) + 2
    assert backup.newest_in(tmp_path).name.startswith("guyub-20260430")


@pytest.mark.django_db
def test_what_cannot_be_made_is_on_record(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    with pytest.raises(ArchiveError, match="GUYUB_BACKUP_KEYS"):
        backup.make(tmp_path / "x", [])
    (tmp_path / "berkas").write_text("bukan folder")
    with pytest.raises(ArchiveError, match="tidak dapat ditulis"):
        backup.make(tmp_path / "berkas", [KEY.to_public()])
    assert backup.Backup.objects.get().failure == "FileExistsError"


def test_without_a_terminal_the_passphrase_has_another_way(tmp_path, monkeypatch):
    monkeypatch.delenv("GUYUB_BACKUP_PASSPHRASE", raising=False)
    # As of a process that has no terminal: a container, a timer.
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    monkeypatch.setattr(os, "open", _nobody_at("/dev/tty", os.open))
    with pytest.raises(CommandError, match="GUYUB_BACKUP_PASSPHRASE"):
        call_command("backup", new_key=tmp_path / "kunci.age")
    assert not (tmp_path / "kunci.age").exists()


def _nobody_at(terminal, really):
    def opened(path, *arguments, **options):
        if path == terminal:
            raise OSError(terminal)
        return really(path, *arguments, **options)

    return opened
