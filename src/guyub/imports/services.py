"""The life of an import run: uploaded, mapped, checked, approved, applied.

A worker does the two long stages (:mod:`guyub.longruns.running`). Either may be killed at any moment:
checking only writes files that appear whole or not at all, and applying is one database transaction, so
taking the run up again simply does the stage anew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.sealed_files import opened
from guyub.audit import services as audit
from guyub.datasets.models import Dataset, Version
from guyub.datasets.services import add_version
from guyub.datasets.store import seal_columns, write_version
from guyub.imports import checks, reading
from guyub.imports.fields import BY_NAME, mapping_faults, signature
from guyub.imports.folder import RunFolder
from guyub.imports.incoming import take_in
from guyub.imports.models import OPEN, WORKING, Extent, ImportRun, RememberedMapping, State
from guyub.imports.reading import Layout, UnreadableFileError
from guyub.imports.reconcile import Reconciliation, counts_of
from guyub.longruns import running
from guyub.longruns.folder import Report
from guyub.registry import bulk
from guyub.registry.models import Channel, Origin


class RefusedImportError(Exception):
    """The import can't go on; the message tells the user why and what to do."""


def start(
    dataset: Dataset,
    *,
    as_of: dt.date,
    file_name: str,
    chunks: Iterable[bytes],
    actor: Any,
    extent: str = Extent.WHOLE,
) -> ImportRun:
    """Take in an uploaded file, look at its head and propose a mapping.

    Raises:
        RefusedImportError: the file is too large or can't be read, or the date is out of order. Nothing
            is kept then.
    """
    check_date(dataset, as_of)
    try:
        with take_in(RunFolder, chunks) as file:
            run = ImportRun(
                dataset=dataset, as_of=as_of, extent=extent, file_name=Path(file_name).name[:250],
                size=file.size, digest=file.digest, created_by=actor,
            )  # fmt: skip
            _propose(run, file.layout)
            with transaction.atomic():
                run.save()
                file.give_to(RunFolder(run.pk))
                audit.record(
                    "imports.run.upload",
                    actor=actor,
                    subject=run,
                    detail={"dataset": dataset.code, "bytes": run.size, "sha256": run.digest},
                )
    except UnreadableFileError as error:
        raise RefusedImportError(str(error)) from error
    return run


def check_date(dataset: Dataset, as_of: dt.date) -> None:
    """Refuse a date that lies ahead, or before the version that the dataset already has."""
    if as_of > timezone.localdate():
        raise RefusedImportError(
            _("Tanggal data ada di masa depan. Isi tanggal keadaan daftar ini.")
        )
    current = dataset.current_version
    if current is not None and as_of < current.as_of:
        raise RefusedImportError(
            _(
                "Dataset ini sudah punya data per %(newer)s, lebih baru daripada %(given)s. "
                "Daftar yang lebih lama tidak bisa menimpanya."
            )
            % {"newer": f"{current.as_of:%d/%m/%Y}", "given": f"{as_of:%d/%m/%Y}"}
        )


def _propose(run: ImportRun, layout: Layout) -> None:
    """Fill in what the file's head shows and the mapping that was used last, or is recognised."""
    run.layout = layout.as_json()
    known = RememberedMapping.objects.filter(
        dataset=run.dataset, signature=signature(layout.headings)
    ).first()
    run.mapping = known.mapping if known else reading.recognised(layout)


def choose_sheet(run: ImportRun, sheet: str, actor: Any) -> ImportRun:
    """Read another sheet of the workbook instead."""
    _must_be(run, State.MAPPING)
    try:
        with opened(RunFolder(run.pk).source(".bin")) as source:
            layout = reading.look(source, sheet)
    except UnreadableFileError as error:
        raise RefusedImportError(str(error)) from error
    with transaction.atomic():
        _propose(run, layout)
        run.save()
        audit.record("imports.run.choose_sheet", actor=actor, subject=run)
    return run


def _must_be(run: ImportRun, *states: str) -> None:
    if run.state not in states:
        raise RefusedImportError(
            _("Impor ini berstatus “%(state)s”; langkah itu tidak berlaku lagi.")
            % {"state": run.get_state_display()}
        )


@transaction.atomic
def confirm_mapping(run: ImportRun, mapping: dict[str, str], actor: Any) -> ImportRun:
    """Settle which column holds what, remember it for next time, and have the file checked.

    Raises:
        RefusedImportError: a required field is missing, or one is used twice.
    """
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    _must_be(run, State.MAPPING, State.CHECKED, State.FAILED)
    width = len(run.layout["headings"])
    clean = {
        position: field
        for position, field in mapping.items()
        if field in BY_NAME and position.isdigit() and int(position) < width
    }
    faults = mapping_faults(clean)
    if faults:
        raise RefusedImportError(" ".join(str(fault) for fault in faults))
    RememberedMapping.objects.update_or_create(
        dataset=run.dataset,
        signature=signature(run.layout["headings"]),
        defaults={"mapping": clean},
    )
    run.mapping = clean
    run.state, run.error, run.counts = State.CHECKING, "", {}
    run.save()
    folder = RunFolder(run.pk)
    folder.clear_cancel()
    for path in (folder.accepted, folder.rejected):
        path.unlink(missing_ok=True)
    audit.record(
        "imports.run.map", actor=actor, subject=run, detail={"fields": sorted(clean.values())}
    )
    _hand_to_worker(run)
    return run


@transaction.atomic
def approve(run: ImportRun, actor: Any) -> ImportRun:
    """Have the accepted rows applied to the dataset and the registry."""
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    _must_be(run, State.CHECKED)
    if not run.counts.get("accepted"):
        raise RefusedImportError(
            _("Tidak ada baris yang diterima, jadi tidak ada yang bisa diterapkan.")
        )
    check_date(run.dataset, run.as_of)
    run.state = State.APPLYING
    run.save(update_fields=["state"])
    audit.record("imports.run.approve", actor=actor, subject=run)
    _hand_to_worker(run)
    return run


def cancel(run: ImportRun, actor: Any) -> ImportRun:
    """Stop a run. A worker busy on it notices at its next step; what it wrote is rolled back."""
    _must_be(run, *OPEN)
    running.cancel(run, RunFolder(run.pk), lambda: _cancelled(run, actor))
    return run


def _cancelled(run: ImportRun, actor: Any) -> None:
    """Keep the folder, which says what came of the run, but nothing of what the file held."""
    folder = RunFolder(run.pk)
    running.end(run, State.CANCELLED, folder)
    for path in (folder.staged, folder.accepted, folder.rejected, folder.source(".bin")):
        path.unlink(missing_ok=True)
    audit.record("imports.run.cancel", actor=actor, subject=run)


def _hand_to_worker(run: ImportRun) -> None:
    from guyub.imports.tasks import work_on_run

    transaction.on_commit(lambda: work_on_run.enqueue(run.pk))


def abandoned() -> list[ImportRun]:
    """Return the runs that are said to be worked on while no process does."""
    return running.abandoned(ImportRun.objects.filter(state__in=WORKING), RunFolder)


def work(run_id: int, report: Report | None = None) -> ImportRun:
    """Do the stage that a run is waiting for. Does nothing when another process is at it."""
    folder = RunFolder(run_id)
    with running.held(folder) as mine:
        run = ImportRun.objects.select_related("dataset", "dataset__current_version").get(pk=run_id)
        if not mine or not run.is_working:
            return run

        def tell(stage: str, done: int, total: int) -> None:
            folder.report(stage, done, total)
            if report is not None:
                report(stage, done, total)

        stage = _check if run.state == State.CHECKING else _apply
        running.carry_out(
            lambda: stage(run, folder, tell),
            about=f"import run {run_id}",
            refusals=(UnreadableFileError, RefusedImportError),
            cancelled=lambda: _cancelled(run, run.created_by),
            failed=lambda error: running.end(run, State.FAILED, folder, error),
            trouble=_(
                "Ada gangguan di sistem. Data yang sudah tersimpan tidak berubah; coba lagi."
            ),
        )
        return run


def _check(run: ImportRun, folder: RunFolder, report: Report) -> None:
    layout = Layout.from_json(run.layout)
    if not folder.staged.exists():
        reading.stage_sealed(folder, layout, report, settings.IMPORT_MAX_ROWS)
    result = checks.check(folder, run.mapping, run.as_of, report)
    counts: dict[str, Any] = {
        "rows": result.rows,
        "accepted": result.accepted,
        "rejected": result.rejected,
        "causes": result.causes,
    }
    if result.accepted:
        with Reconciliation(
            folder, run.dataset, run.as_of, run.extent == Extent.WHOLE, report
        ) as reconciliation:
            delta = reconciliation.compare(keep=False)
            counts |= vars(delta)
            # A rejected row is no proof that somebody left the list.
            counts["removed"] = delta.removed
    # Scratch holds rows in the clear.
    folder.clear_work()
    with transaction.atomic():
        run.counts = counts
        run.state = State.CHECKED
        run.save(update_fields=["counts", "state"])
        audit.record(
            "imports.run.checked",
            actor=run.created_by,
            subject=run,
            detail={k: counts[k] for k in ("rows", "accepted", "rejected")},
        )


def _apply(run: ImportRun, folder: RunFolder, report: Report) -> None:
    report("apply", 0, 12)
    with (
        Reconciliation(folder, run.dataset, run.as_of, run.extent == Extent.WHOLE, report) as todo,
        transaction.atomic(),
    ):
        bulk.lock_registry()
        version = bring_in(todo, run.dataset, run.as_of, run, run.created_by)
        run.version = version
        run.state = State.DONE
        run.finished_at = timezone.now()
        run.save(update_fields=["version", "state", "finished_at", "counts"])
        audit.record(
            "imports.run.apply",
            actor=run.created_by,
            subject=run,
            detail={key: value for key, value in run.counts.items() if isinstance(value, int)},
        )
    folder.clear_work()


def bring_in(
    todo: Reconciliation, dataset: Dataset, as_of: dt.date, run: ImportRun, actor: Any
) -> Version | None:
    """Apply one list inside the caller's transaction; return the version made, if one was.

    The same list with the same date changes nothing and makes no version.
    """
    delta = todo.compare()
    current = dataset.current_version
    if delta.is_empty and current is not None and current.as_of == as_of:
        run.counts = {**run.counts, **vars(delta), "nothing_new": True}
        return None
    outcome = todo.plan()
    rows = todo.write_version_rows()
    version = add_version(
        dataset,
        as_of=as_of,
        created_by=actor,
        file_name=run.file_name,
        digest=run.digest,
        people=delta.people,
        households=delta.households,
        added=delta.added,
        changed=delta.changed,
        unchanged=delta.unchanged,
        removed=delta.removed,
        rejected=run.counts.get("rejected", 0),
    )
    origin = Origin.objects.create(
        channel=Channel.IMPORT, version=version, dataset=dataset, as_of=as_of, entered_by=actor
    )
    todo.write(version, origin)
    todo.write_differences()
    write_version(rows, dataset.code, version.number)
    rows.unlink()
    run.counts = {**run.counts, **counts_of(delta, outcome)}
    return version


def load_flat(
    dataset: Dataset,
    parquet_path: Path,
    as_of: dt.date,
    actor: Any = None,
    extent: str = Extent.WHOLE,
    file_name: str = "",
    report: Report | None = None,
) -> ImportRun:
    """Load a Parquet file that is already in the registry's flat form, without checking it.

    For data that Guyub made itself: the demo's population, or a version to be applied once more.
    """
    check_date(dataset, as_of)
    run = ImportRun.objects.create(
        dataset=dataset, as_of=as_of, extent=extent, file_name=file_name or parquet_path.name,
        size=parquet_path.stat().st_size, digest=_digest(parquet_path), state=State.APPLYING,
        created_by=actor,
    )  # fmt: skip
    folder = RunFolder(run.pk)
    folder.make_empty()
    seal_columns(parquet_path, folder.accepted)
    work(run.pk, report)
    run.refresh_from_db()
    if run.state != State.DONE:
        raise RefusedImportError(run.error)
    folder.accepted.unlink(missing_ok=True)
    return run


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
