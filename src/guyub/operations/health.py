"""Whether all that must go on does: the checks behind the readiness probe and *Kesehatan sistem*."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from guyub.operations.jobs import DEAD_AFTER, WORKER
from guyub.operations.models import Backup, Sign
from guyub.ui.numbers import decimal

GOOD, WARN, BAD = "baik", "perhatian", "buruk"
CHAIN, DAILY = "audit.chain", "daily"

LEAST_FREE = 500 * 1024**2  # bytes below which nothing more is written safely
LITTLE_FREE = 5 * 1024**3
QUEUE_SLOW = dt.timedelta(minutes=15)
# A day and a little, so that a nightly job that took longer than yesterday's is not late.
DAY = dt.timedelta(hours=27)


@dataclass(frozen=True)
class Check:
    """What one check found. ``value`` is a number for machines: seconds, bytes or a count."""

    key: str
    label: Any
    state: str
    text: str
    value: float | None = None

    @property
    def is_essential(self) -> bool:
        """Whether no page can be served while this is bad."""
        return self.key in ESSENTIAL


def ago(moment: dt.datetime | None) -> str:
    """Say in words how long ago ``moment`` was."""
    if moment is None:
        return _("belum pernah")
    minutes = int((timezone.now() - moment).total_seconds() // 60)
    if minutes < 1:
        return _("baru saja")
    if minutes < 60:
        return _("%(count)d menit lalu") % {"count": minutes}
    if minutes < 48 * 60:
        return _("%(count)d jam lalu") % {"count": minutes // 60}
    return _("%(count)d hari lalu") % {"count": minutes // (24 * 60)}


def check_database() -> Check:
    label = gettext_lazy("Basis data")
    start = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        return Check("database", label, BAD, _("Basis data tidak menjawab."))
    took = time.monotonic() - start
    text = _("Menjawab dalam %(ms)d milidetik.") % {"ms": max(1, round(took * 1000))}
    return Check("database", label, GOOD if took < 1 else WARN, text, round(took, 4))


_migrated = False


def check_migrations() -> Check:
    """Once nothing was missing, this process does not ask again: its own code does not change."""
    global _migrated
    label = gettext_lazy("Susunan basis data")
    missing = 0
    if not _migrated:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        _migrated = not missing
    if missing:
        text = _("%(count)d perubahan belum diterapkan. Jalankan: guyub setup") % {"count": missing}
        return Check("migrations", label, BAD, text, missing)
    return Check("migrations", label, GOOD, _("Sesuai dengan versi ini."), 0)


def check_folder() -> Check:
    """Write a file into the data folder and look at the space left on its disk."""
    label = gettext_lazy("Folder data")
    folder = Path(settings.DATA_DIR)
    probe = folder / f".tulis-{uuid.uuid4().hex}"
    try:
        probe.write_bytes(b"guyub")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError:
        return Check("folder", label, BAD, _("Folder data tidak dapat ditulisi."))
    text = _("Dapat ditulisi; sisa ruang %(size)s.") % {"size": size_of(free)}
    state = BAD if free < LEAST_FREE else WARN if free < LITTLE_FREE else GOOD
    return Check("folder", label, state, text, free)


def check_worker() -> Check:
    label = gettext_lazy("Pekerja")
    newest = (
        Sign.objects.filter(name__startswith=WORKER)
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    if newest is None:
        return Check("worker", label, BAD, _("Tidak ada pekerja yang berjalan: guyub worker"))
    age = timezone.now() - newest
    if age > DEAD_AFTER:
        text = _("Terakhir terlihat %(ago)s. Periksa guyub worker.") % {"ago": ago(newest)}
        return Check("worker", label, BAD, text, age.total_seconds())
    return Check("worker", label, GOOD, _("Berjalan."), max(0.0, age.total_seconds()))


def queue_age() -> dt.timedelta:
    """Return how long the oldest job has waited that a worker might have taken."""
    # With run_after far in the future where none was asked for, so its own time counts then.
    oldest = (
        DBTaskResult.objects.ready()
        .order_by("enqueued_at")
        .values_list("enqueued_at", "run_after")
        .first()
    )
    if oldest is None:
        return dt.timedelta()
    now = timezone.now()
    since = max(oldest[0], oldest[1]) if oldest[1] <= now else oldest[0]
    return max(dt.timedelta(), now - since)


def check_queue() -> Check:
    label = gettext_lazy("Antrean pekerjaan")
    waiting, age = DBTaskResult.objects.ready().count(), queue_age()
    if not waiting:
        return Check("queue", label, GOOD, _("Tidak ada yang menunggu."), 0)
    minutes = int(age.total_seconds() // 60)
    text = _("%(count)d menunggu, yang terlama %(minutes)d menit.") % {
        "count": waiting,
        "minutes": minutes,
    }
    return Check("queue", label, WARN if age > QUEUE_SLOW else GOOD, text, age.total_seconds())


def check_failed() -> Check:
    label = gettext_lazy("Pekerjaan gagal")
    count = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED).count()
    if not count:
        return Check("failed", label, GOOD, _("Tidak ada."), 0)
    text = _("%(count)d pekerjaan gagal; lihat daftarnya di bawah.") % {"count": count}
    return Check("failed", label, WARN, text, count)


def check_chain() -> Check:
    label = gettext_lazy("Keutuhan jejak audit")
    sign = Sign.objects.filter(name=CHAIN).first()
    if sign is None:
        return Check("chain", label, WARN, _("Belum pernah diperiksa. Jalankan: guyub daily"))
    age = timezone.now() - sign.at
    if not sign.is_good:
        text = _("RANTAI RUSAK pada kejadian nomor %(number)s. Beri tahu auditor.") % {
            "number": sign.detail.get("sequence", "?")
        }
        return Check("chain", label, BAD, text, age.total_seconds())
    text = _("Utuh; diperiksa %(ago)s.") % {"ago": ago(sign.at)}
    return Check("chain", label, WARN if age > DAY else GOOD, text, age.total_seconds())


def check_daily() -> Check:
    label = gettext_lazy("Tugas harian")
    sign = Sign.objects.filter(name=DAILY).first()
    if sign is None:
        return Check("daily", label, WARN, _("Belum pernah berjalan. Jadwalkan: guyub daily"))
    age = timezone.now() - sign.at
    if age > DAY:
        return Check("daily", label, BAD, _("Terakhir %(ago)s.") % {"ago": ago(sign.at)}, age.total_seconds())  # fmt: skip
    if not sign.is_good:
        return Check("daily", label, WARN, _("Terakhir %(ago)s; sebagian gagal.") % {"ago": ago(sign.at)}, age.total_seconds())  # fmt: skip
    return Check("daily", label, GOOD, _("Selesai %(ago)s.") % {"ago": ago(sign.at)}, age.total_seconds())  # fmt: skip


def last_backup() -> Backup | None:
    """Return the newest backup that came to a file."""
    return Backup.objects.filter(failure="").first()


def check_backup() -> Check:
    label = gettext_lazy("Cadangan")
    found, newest = last_backup(), Backup.objects.first()
    if found is None:
        text = _("Belum ada cadangan. Jalankan: guyub backup")
        return Check("backup", label, BAD if settings.MODE == "production" else WARN, text)
    age = timezone.now() - found.started_at
    text = _("Yang terakhir %(ago)s, %(size)s.") % {
        "ago": ago(found.started_at),
        "size": size_of(found.size),
    }
    if newest is not None and newest.failure:
        text += " " + _("Percobaan sesudahnya gagal.")
    state = BAD if age > 2 * DAY else WARN if age > DAY or (newest and newest.failure) else GOOD
    return Check("backup", label, state, text, age.total_seconds())


CHECKS: tuple[Callable[[], Check], ...] = (
    check_database,
    check_migrations,
    check_folder,
    check_worker,
    check_queue,
    check_failed,
    check_daily,
    check_chain,
    check_backup,
)
ESSENTIAL = frozenset({"database", "migrations", "folder"})


def checks() -> list[Check]:
    """Run all checks. When the database is away, or its tables aren't there, the rest are left out."""
    found = []
    for check in CHECKS:
        try:
            found.append(check())
        except DatabaseError:
            break
        if found[-1].key in ("database", "migrations") and found[-1].state == BAD:
            found.append(check_folder())
            break
    return found


def verdict(found: list[Check]) -> str:
    """Sum up: ``siap``, ``terganggu`` (pages are served, something else is amiss) or ``tidak siap``."""
    if any(check.state == BAD and check.is_essential for check in found):
        return "tidak siap"
    return "terganggu" if any(check.state == BAD for check in found) else "siap"


def wanting(found: list[Check], state: str) -> list[str]:
    """Return the names of the checks that found ``state``."""
    return [str(check.label) for check in found if check.state == state]


def size_of(count: float) -> str:
    """Return ``count`` bytes in words."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{decimal(count, 1)} TB"


def versions() -> list[tuple[str, str]]:
    """Return what runs here, with its version."""
    import platform
    import sqlite3
    from importlib.metadata import version

    if connection.vendor == "postgresql":
        number = connection.pg_version  # type: ignore[attr-defined]
        database = ("PostgreSQL", f"{number // 10000}.{number % 10000}")
    else:
        database = ("SQLite", sqlite3.sqlite_version)
    return [
        ("Guyub", version("guyub")),
        ("Python", platform.python_version()),
        ("Django", version("django")),
        database,
        ("Granian", version("granian")),
        (_("Sistem operasi"), f"{os.uname().sysname} {os.uname().release}"),
    ]
