"""Every write of the portal: preparing a release, throwing a draft away, releasing it."""

from __future__ import annotations

import shutil
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.datasets.models import Version
from guyub.datasets.store import version_path
from guyub.longruns.folder import CancelledRunError
from guyub.longruns.running import held
from guyub.portal import files, snapshot
from guyub.portal.computing import ComputingFolder
from guyub.portal.models import Release, ReleasedCell, ReleasedFile, ReleaseState


@transaction.atomic
def prepare(version: Version, *, actor: Any) -> Release:
    """Start a release of ``version``; :func:`compute` then works it out. An older draft is thrown away,
    and so is one whose process died.

    Raises:
        ValidationError: the version has been released, is being worked out, or its rows are not there.
    """
    existing = Release.objects.select_for_update().filter(version=version).first()
    if existing is not None:
        if existing.is_released:
            raise ValidationError(_("Versi ini sudah terbit. Satu versi terbit satu kali saja."))
        if existing.is_computing and is_worked_on(existing):
            raise ValidationError(_("Versi ini sedang dihitung. Tunggu sampai selesai."))
        _remove(existing)
    if not version_path(version.dataset.code, version.number).exists():
        raise ValidationError(_("Isi versi ini tidak ditemukan di tempat penyimpanan."))
    release = Release.objects.create(
        version=version,
        year=version.as_of.year,
        as_of=version.as_of,
        state=ReleaseState.COMPUTING,
        created_by=actor,
    )
    audit.record("portal.release.prepare", actor=actor, subject=release)
    return release


def compute(release: Release) -> Release:
    """Work a release out and keep it as a draft. Does nothing when another process is at it.

    The arithmetic runs outside the transaction. What a process that died left behind is begun anew.
    """
    folder = ComputingFolder(release)
    with held(folder) as mine:
        release.refresh_from_db()
        if not mine or not release.is_computing:
            return release
        try:
            found = snapshot.take(release, tell=folder.tell)
            folder.tell(_("Menulis berkas"), 0, 1)
            kept = _keep(release, found)
        except CancelledRunError:
            return release
        except BaseException:
            Release.objects.filter(pk=release.pk, state=ReleaseState.COMPUTING).update(
                state=ReleaseState.FAILED
            )
            raise
    folder.remove()
    return kept


def is_worked_on(release: Release) -> bool:
    """Return whether a process is working the release out."""
    with held(ComputingFolder(release)) as mine:
        return not mine


def abandoned() -> list[Release]:
    """Return the releases that are said to be worked out while no process does."""
    computing = Release.objects.filter(state=ReleaseState.COMPUTING)
    return [release for release in computing if not is_worked_on(release)]


@transaction.atomic
def _keep(release: Release, found: snapshot.Snapshot) -> Release:
    locked = Release.objects.select_for_update().filter(pk=release.pk).first()
    if locked is None:
        raise CancelledRunError
    if locked.state not in (ReleaseState.COMPUTING, ReleaseState.FAILED):
        return locked
    locked.cells.all().delete()  # type: ignore[attr-defined]
    locked.files.all().delete()  # type: ignore[attr-defined]
    for table in found.tables:
        locked.columns[table.table] = [column.as_json() for column in table.grid.columns]
        locked.counts[table.table] = table.counts
        ReleasedCell.objects.bulk_create(table.cells, batch_size=500)
    locked.programs, locked.figures = found.programs, found.figures
    locked.obstacles = found.obstacles
    locked.state = ReleaseState.DRAFT
    locked.save()
    ReleasedFile.objects.bulk_create(files.write_all(locked))
    audit.record("portal.release.compute", subject=locked, detail=locked.counts)
    return locked


@transaction.atomic
def discard(release: Release, *, actor: Any) -> None:
    """Throw a draft away.

    Raises:
        ValidationError: it has been released; what people have seen cannot be taken back.
    """
    locked = Release.objects.select_for_update().get(pk=release.pk)
    if locked.is_released:
        raise ValidationError(_("Publikasi yang sudah terbit tidak dapat dihapus."))
    audit.record("portal.release.discard", actor=actor, subject=locked)
    _remove(locked)


@transaction.atomic
def publish(release: Release, *, actor: Any) -> Release:
    """Let the public see a draft, for good.

    Raises:
        ValidationError: it is no draft, or another was released after it was computed, so that the two
            together could show what neither shows alone.
    """
    # All releases are locked: of two drafts released at the same time one must know the other.
    releases = {one.pk: one for one in Release.objects.select_for_update().order_by("pk")}
    locked = releases[release.pk]
    if locked.state != ReleaseState.DRAFT:
        raise ValidationError(
            _("Hanya publikasi yang menunggu persetujuan yang dapat diterbitkan.")
        )
    newest = max((one.released_at for one in releases.values() if one.released_at), default=None)
    if newest is not None and newest > locked.created_at:
        raise ValidationError(
            _("Publikasi lain terbit sesudah yang ini disiapkan. Siapkan lagi agar selisih "
              "keduanya ikut diperiksa.")
        )  # fmt: skip
    locked.state = ReleaseState.RELEASED
    locked.released_by, locked.released_at = actor, timezone.now()
    locked.save(update_fields=["state", "released_by", "released_at"])
    audit.record(
        "portal.release.publish", actor=actor, subject=locked, detail={"counts": locked.counts}
    )
    return locked


def _remove(release: Release) -> None:
    folder = release.folder
    release.delete()
    transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
