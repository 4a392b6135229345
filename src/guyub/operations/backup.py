"""Making backups: the database and the files, of one moment, in one encrypted archive."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.operations import archive, postgresql
from guyub.operations.archive import ArchiveError
from guyub.operations.models import Backup

ENDING = ".tar.zst.age"
NAME = re.compile(r"guyub-(\d{8}-\d{6})" + re.escape(ENDING))
DATABASE, FILES = "basisdata", "berkas"

# What is in the data folder and is not worth keeping, or is kept another way.
LEFT_OUT = ("static", "metrics", "cadangan", "mail", "lost+found")
LEFT_OUT_BEGINNINGS = ("guyub.sqlite3", ".", "survey-", "running.lock")
# These grow where they lie, so a second name for the file would not keep them as they are.
GROWING = (".jsonl",)


def is_kept(relative: Path) -> bool:
    """Tell whether a file of the data folder belongs into a backup."""
    top = relative.parts[0]
    return (
        top not in LEFT_OUT
        and not top.startswith(LEFT_OUT_BEGINNINGS)
        and relative.suffix != ".part"
        and relative.name != "lock"
    )


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of the data folder that belong into a backup, relative to it."""
    for base, folders, names in os.walk(folder):
        here = Path(base).relative_to(folder)
        folders[:] = sorted(
            name
            for name in folders
            if is_kept(here / name) and Path(base, name) != Path(settings.BACKUP_DIR)
        )
        for name in sorted(names):
            path = here / name
            if is_kept(path) and (folder / path).is_file() and not (folder / path).is_symlink():
                yield path


def _hold(folder: Path, into: Path) -> None:
    """Give every file of ``folder`` a second name below ``into``, so that deleting it does no harm.

    Takes no space. Files that already have one keep what they had.
    """
    for path in files_of(folder):
        target = into / path
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Gone since it was listed, or on a disk that gives no second names.
        with contextlib.suppress(FileNotFoundError):
            if path.suffix in GROWING:
                shutil.copyfile(folder / path, target)
                continue
            try:
                os.link(folder / path, target)
            except OSError:
                shutil.copyfile(folder / path, target)


def _copy_sqlite(target: Path) -> None:
    """Copy the database as of one moment, while others go on writing."""
    connection.ensure_connection()
    copy = sqlite3.connect(target)
    try:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()


def about() -> dict[str, Any]:
    """Return what an archive of this installation says of itself."""
    newest: dict[str, str] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        newest[app] = name
    return {
        "guyub": version("guyub"),
        "database": connection.vendor,
        "server": postgresql.server_version() if connection.vendor == "postgresql" else 0,
        "regency": settings.REGENCY_CODE,
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "migrations": newest,
    }


def _fill(writer: archive.Writer, folder: Path, scratch: Path) -> None:
    # Files come before the rows that speak of them and go after them. So hold those there are, take the
    # database, and hold those that came meanwhile: whatever the database speaks of is among them.
    held = scratch / "files"
    held.mkdir()
    _hold(folder, held)
    if connection.vendor == "sqlite":
        copy = scratch / "database.sqlite3"
        _copy_sqlite(copy)
        writer.add_file(f"{DATABASE}/guyub.sqlite3", copy)
        copy.unlink()
    else:
        process = postgresql.dump()
        assert process.stdout is not None
        assert process.stderr is not None
        writer.add_stream(DATABASE, process.stdout)
        said = process.stderr.read().decode(errors="replace")
        if process.wait():
            line = next(iter(said.splitlines()), "")
            raise ArchiveError(_("pg_dump gagal: %(text)s") % {"text": line[:200]})
    _hold(folder, held)
    for path in files_of(held):
        writer.add_file(f"{FILES}/{path.as_posix()}", held / path)


def make(folder: Path, recipients: list[Any], *, actor: Any = None, name: str = "") -> Backup:
    """Make a backup in ``folder`` and return the record of it.

    The file gets its name only once it is whole and on the disk.

    Args:
        folder: Where to; made when it isn't there.
        recipients: Public keys, any one of which opens it.
        actor: Who asked; nobody when a timer did.
        name: What to call it instead of by its time.

    Raises:
        ArchiveError: why it did not come off; a record of that remains.
    """
    if not recipients:
        raise ArchiveError(
            _("Kunci umum cadangan belum diisi. Buat dengan: guyub backup --new-key BERKAS, lalu isi GUYUB_BACKUP_KEYS.")
        )  # fmt: skip
    started, clock = timezone.now(), time.monotonic()
    name = name or f"guyub-{started.astimezone(dt.UTC):%Y%m%d-%H%M%S}{ENDING}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(folder):
            target, part = folder / name, folder / f".{name}.part"
            for left in folder.glob(".guyub-*.part"):
                left.unlink()
            with (
                tempfile.TemporaryDirectory(prefix=".cadangan-", dir=settings.DATA_DIR) as scratch,
                archive.create(part) as out,
            ):
                archive.write(
                    out,
                    recipients,
                    about(),
                    lambda writer: _fill(writer, Path(settings.DATA_DIR), Path(scratch)),
                )
                out.flush()
                os.fsync(out.fileno())
            with part.open("rb") as written:
                sha256 = hashlib.file_digest(written, "sha256").hexdigest()
            size = part.stat().st_size
            os.replace(part, target)
    except BaseException as error:
        Backup.objects.create(
            started_at=started,
            seconds=time.monotonic() - clock,
            failure=type(error).__name__,
        )
        if isinstance(error, OSError):
            raise ArchiveError(
                _("Cadangan tidak dapat ditulis ke %(folder)s: %(why)s.")
                % {"folder": folder, "why": error.strerror or type(error).__name__}
            ) from error
        raise
    with transaction.atomic():
        made = Backup.objects.create(
            started_at=started,
            seconds=time.monotonic() - clock,
            file_name=name,
            size=size,
            sha256=sha256,
        )
        audit.record(
            "operations.backup",
            actor=actor,
            subject=made,
            detail={"file": name, "size": size, "sha256": sha256},
        )
    return made


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArchiveError(_("Cadangan lain sedang dibuat; tunggu sampai selesai.")) from error
        yield


def prune(folder: Path, days: int, weeks: int, months: int) -> list[str]:
    """Delete old backups; return their names.

    Keeps the newest of each of the last ``days`` days, ``weeks`` weeks and ``months`` months that have
    one, so that a pause does not empty the shelf. Other files in ``folder`` are left alone.
    """
    made = sorted(
        (
            (dt.datetime.strptime(found.group(1), "%Y%m%d-%H%M%S").replace(tzinfo=dt.UTC), path)
            for path in folder.glob(f"guyub-*{ENDING}")
            if (found := NAME.fullmatch(path.name))
        ),
        reverse=True,
    )
    kept: set[Path] = set()
    for count, form in ((days, "%Y-%m-%d"), (weeks, "%G-%V"), (months, "%Y-%m")):
        newest: dict[str, Path] = {}
        for at, path in made:
            newest.setdefault(f"{timezone.localtime(at):{form}}", path)
        kept.update(list(newest.values())[:count])
    gone = [path for _at, path in made if path not in kept]
    for path in gone:
        path.unlink()
    return [path.name for path in gone]


def newest_in(folder: Path) -> Path | None:
    """Return the newest backup in ``folder``."""
    return max((p for p in folder.glob(f"guyub-*{ENDING}") if NAME.fullmatch(p.name)), default=None)


def nightly() -> str:
    """Make the night's backup and delete those past keeping; return what was done, in words."""
    if not settings.BACKUP_KEYS:
        return _("tidak diatur (GUYUB_BACKUP_KEYS)")
    folder = Path(settings.BACKUP_DIR)
    made = make(folder, [archive.recipient(key) for key in settings.BACKUP_KEYS])
    gone = prune(folder, *settings.BACKUP_KEEP)
    return _("%(name)s; %(count)d yang lama dihapus") % {"name": made.file_name, "count": len(gone)}
