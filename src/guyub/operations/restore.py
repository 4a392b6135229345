"""Bringing an installation back from an archive, and finding out whether an archive could do that."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, models
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.operations import archive, backup, postgresql
from guyub.operations.archive import ArchiveError


def _unpack(file: Path, key: Any, into: Path) -> dict[str, Any]:
    """Unpack all of an archive and check it: nothing of the installation has been touched yet."""
    dump = into / "database"
    with file.open("rb") as source, archive.create(dump) as database:

        def take(name: str, about: dict[str, Any]) -> IO[bytes]:
            folder, _slash, rest = name.partition("/")
            if folder == backup.DATABASE:
                # One after the other, as they were written; closed by the caller, so a second handle.
                return os.fdopen(os.dup(database.fileno()), "wb")
            if folder != backup.FILES:
                raise ArchiveError(_("Isi cadangan tidak dikenal; berkas ini tidak dipakai."))
            target = into / "files" / rest
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return archive.create(target)

        return archive.read(source, key, take)


def _check_database(about: dict[str, Any], path: Path) -> int:
    """Return how many tables the unpacked database has; raise when it is not whole."""
    if about["database"] == "postgresql":
        return postgresql.list_of(path)
    copy = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise ArchiveError(_("Basis data dalam cadangan rusak."))
        return int(
            copy.execute("SELECT count(*) FROM sqlite_master WHERE type='table'").fetchone()[0]
        )
    except sqlite3.DatabaseError as error:
        raise ArchiveError(_("Basis data dalam cadangan rusak.")) from error
    finally:
        copy.close()


def verify(file: Path, key: Any) -> dict[str, Any]:
    """Open an archive, check every byte against its list and the database in it; return what it is.

    Raises:
        ArchiveError: it could not be restored, and why.
    """
    with tempfile.TemporaryDirectory(prefix=".periksa-", dir=settings.DATA_DIR) as scratch:
        about = _unpack(_existing(file), key, Path(scratch))
        about["tables"] = _check_database(about, Path(scratch) / "database")
    return about


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise ArchiveError(_("Berkas cadangan %(file)s tidak ada.") % {"file": file})
    return file


def is_empty() -> bool:
    """Tell whether this installation holds nothing that restoring could destroy."""
    if next(backup.files_of(Path(settings.DATA_DIR)), None) is not None:
        return False
    tables = set(connection.introspection.table_names())
    for label in ("accounts.User", "registry.Household", "audit.Event"):
        model = apps.get_model(label)
        try:
            if model._meta.db_table in tables and model._default_manager.exists():
                return False
        except DatabaseError:
            return False
    return True


@contextlib.contextmanager
def _stopped() -> Iterator[None]:
    """Hold the installation still; ``guyub serve`` and ``guyub worker`` hold it while they run."""
    with (Path(settings.DATA_DIR) / "running.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArchiveError(
                _("Guyub masih berjalan. Hentikan guyub serve dan guyub worker lebih dahulu.")
            ) from error
        yield


def _fits(about: dict[str, Any]) -> None:
    """Raise unless this version of Guyub can hold what the archive is about."""
    if about["database"] != connection.vendor:
        raise ArchiveError(
            _("Cadangan ini dari basis data %(theirs)s, sedangkan instalasi ini memakai %(ours)s.")
            % {"theirs": about["database"], "ours": connection.vendor}
        )
    if about["regency"] != settings.REGENCY_CODE:
        raise ArchiveError(
            _("Cadangan ini dari daerah %(theirs)s, sedangkan instalasi ini untuk %(ours)s.")
            % {"theirs": about["regency"], "ours": settings.REGENCY_CODE}
        )
    from django.db.migrations.loader import MigrationLoader

    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    newer = [
        f"{app}.{name}"
        for app, name in about["migrations"].items()
        if apps.is_installed(f"guyub.{app}") and (app, name) not in known
    ]
    if newer:
        raise ArchiveError(
            _("Cadangan ini dari Guyub %(version)s yang lebih baru. Perbarui Guyub lebih dahulu.")
            % {"version": about["guyub"]}
        )


def restore(
    file: Path, key: Any, *, replace: bool = False, safety: list[Any] | None = None
) -> dict[str, Any]:
    """Put back what an archive holds, whole or not at all; return what it is about.

    Everything is unpacked and checked beforehand, beside what there is. Then the database is replaced in
    one step, then the files. A restore that was cut off in between is simply started again.

    Args:
        file: The archive.
        key: A secret key that opens it.
        replace: Whether to do so where there is something already. That is backed up first.
        safety: Public keys for that backup; the key's own when none are given.

    Raises:
        ArchiveError: why not; the installation is as it was.
    """
    _existing(file)
    folder = Path(settings.DATA_DIR)
    with _stopped():
        empty = is_empty()
        if not empty and not replace:
            raise ArchiveError(
                _("Instalasi ini sudah berisi data. Untuk menggantinya, tambahkan --replace; isinya sekarang dicadangkan dahulu.")
            )  # fmt: skip
        with tempfile.TemporaryDirectory(prefix=".pulih-", dir=folder) as name:
            scratch = Path(name)
            # Before unpacking what may be large: does it belong here at all?
            with file.open("rb") as source, contextlib.suppress(_FirstOnlyError):
                archive.read(source, key, lambda *_member: None, _only_first)
            about = _unpack(file, key, scratch)
            about["tables"] = _check_database(about, scratch / "database")
            if not empty:
                kept = backup.make(
                    Path(settings.BACKUP_DIR),
                    safety or [key.to_public()],
                    name=f"sebelum-pemulihan-{timezone.now():%Y%m%d-%H%M%S}{backup.ENDING}",
                )
                about["safety"] = kept.file_name
            _replace_database(scratch / "database")
            _replace_files(folder, scratch)
    return about


class _FirstOnlyError(Exception):
    pass


def _only_first(about: dict[str, Any]) -> None:
    _fits(about)
    raise _FirstOnlyError


def _replace_database(source: Path) -> None:
    if connection.vendor == "postgresql":
        postgresql.replace_with(source)
        return
    target = Path(settings.DATABASES["default"]["NAME"])
    connection.close()
    with source.open("rb") as file:
        os.fsync(file.fileno())
    # What these hold belongs to the database that goes.
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    os.replace(source, target)


def _replace_files(folder: Path, scratch: Path) -> None:
    """Move what is there out of the way, then what was restored into its place."""
    gone, came = scratch / "before", scratch / "files"
    gone.mkdir()
    came.mkdir(exist_ok=True)
    for top in sorted({path.parts[0] for path in backup.files_of(folder)}):
        os.rename(folder / top, gone / top)
    for path in sorted(came.iterdir()):
        target = folder / path.name
        if target.exists():
            # A folder that held only what no backup keeps.
            shutil.rmtree(target) if target.is_dir() else target.unlink()
        os.rename(path, target)


def missing_files() -> int:
    """Count the files that the database speaks of and that aren't there. Needs tables up to date."""
    missing = 0
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if not isinstance(field, models.FileField):
                continue
            try:
                names = model._default_manager.exclude(**{field.name: ""}).values_list(
                    field.name, flat=True
                )
                missing += sum(not default_storage.exists(name) for name in names.iterator(2000))
            except DatabaseError:
                # The archive is of an older version, whose tables `guyub setup` changes first.
                continue
    return missing
