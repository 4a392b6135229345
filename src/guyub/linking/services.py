"""Every write of linking: the life of a run, decisions on pairs, and the model's thresholds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.sealed_files import opened
from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.datasets.models import Version
from guyub.datasets.store import version_path
from guyub.imports import reading
from guyub.imports.incoming import take_in
from guyub.imports.reading import Layout, UnreadableFileError
from guyub.linking import linkage, queries
from guyub.linking.decided import fingerprint, of_person, write_decided
from guyub.linking.learning import lesson
from guyub.linking.linkage import Job, Thresholds
from guyub.linking.lists import (
    FIELDS,
    LinkFolder,
    household_size,
    mapping_faults,
    prepare_sides,
    read_list,
    read_registry,
)
from guyub.linking.model import COMPARISONS
from guyub.linking.models import (
    Decision,
    LinkModel,
    LinkRun,
    Pair,
    RunKind,
    RunState,
    Verdict,
    current_model,
)
from guyub.longruns import running

# So many questions are more than people answer; the heaviest come first.
MOST_PAIRS = 50_000
# Duplicates are asked about only from this weight on: relatives share much.
LEAST_FOR_DUPLICATES = 0.0


# Starting


def start_file(
    agency: Agency, *, title: str, file_name: str, chunks: Iterable[bytes], actor: Any
) -> LinkRun:
    """Take in an agency's list and propose what its columns hold.

    Raises:
        ValidationError: the file is too large or can't be read. Nothing is kept then.
    """
    name = Path(file_name).name[:250]
    try:
        with take_in(LinkFolder, chunks) as file:
            run = LinkRun(
                agency=agency, title=title.strip()[:200] or name[:200], file_name=name,
                created_by=actor,
            )  # fmt: skip
            _propose(run, file.layout)
            with transaction.atomic():
                run.save()
                file.give_to(LinkFolder(run.pk))
                audit.record(
                    "linking.run.upload", actor=actor, subject=run, detail={"bytes": file.size}
                )
    except UnreadableFileError as error:
        raise ValidationError({"file": str(error)}) from error
    return run


def _propose(run: LinkRun, layout: Layout) -> None:
    run.layout = layout.as_json()
    run.mapping = {
        position: field for position, field in reading.recognised(layout).items() if field in FIELDS
    }


def choose_sheet(run: LinkRun, sheet: str, *, actor: Any) -> LinkRun:
    """Read another sheet of an Excel file.

    Raises:
        ValidationError: the sheet can't be read, or the run is past that.
    """
    _must_be(run, RunState.MAPPING)
    try:
        with opened(LinkFolder(run.pk).source(".bin")) as source:
            layout = reading.look(source, sheet)
    except UnreadableFileError as error:
        raise ValidationError(str(error)) from error
    with transaction.atomic():
        _propose(run, layout)
        run.save()
        audit.record("linking.run.choose_sheet", actor=actor, subject=run)
    return run


@transaction.atomic
def confirm_mapping(run: LinkRun, mapping: dict[str, str], *, actor: Any) -> LinkRun:
    """Settle which column holds what and have the list linked.

    Raises:
        ValidationError: no name, nothing beside the name, or a field used twice.
    """
    run = LinkRun.objects.select_for_update().get(pk=run.pk)
    _must_be(run, RunState.MAPPING)
    width = len(run.layout["headings"])
    clean = {
        position: field
        for position, field in mapping.items()
        if field in FIELDS and position.isdigit() and int(position) < width
    }
    faults = mapping_faults(clean)
    if faults:
        raise ValidationError(faults)
    run.mapping = clean
    audit.record(
        "linking.run.map", actor=actor, subject=run, detail={"fields": sorted(clean.values())}
    )
    return _begin(run)


@transaction.atomic
def start_version(version: Version, *, actor: Any) -> LinkRun:
    """Link a stored version of a dataset.

    Raises:
        ValidationError: its rows are not here.
    """
    if not version_path(version.dataset.code, version.number).exists():
        raise ValidationError({"version": _("Isi versi ini tidak tersimpan.")})
    run = LinkRun.objects.create(
        agency=version.dataset.owner, dataset=version.dataset, version=version,
        title=f"{version.dataset.name} v{version.number}"[:200], created_by=actor,
    )  # fmt: skip
    audit.record(
        "linking.run.start", actor=actor, subject=run,
        detail={"dataset": version.dataset.code, "version": version.number},
    )  # fmt: skip
    LinkFolder(run.pk).make_empty()
    return _begin(run)


@transaction.atomic
def start_duplicates(*, actor: Any) -> LinkRun:
    """Look for people who stand in the registry twice.

    Raises:
        ValidationError: such a search is under way.
    """
    if LinkRun.objects.filter(kind=RunKind.DUPLICATES, state=RunState.WORKING).exists():
        raise ValidationError(_("Pencarian data ganda sedang berjalan."))
    run = LinkRun.objects.create(
        kind=RunKind.DUPLICATES,
        title=_("Dugaan ganda %(date)s") % {"date": f"{timezone.localdate():%d/%m/%Y}"},
        created_by=actor,
    )
    audit.record("linking.run.start", actor=actor, subject=run, detail={"kind": run.kind})
    LinkFolder(run.pk).make_empty()
    return _begin(run)


def _begin(run: LinkRun) -> LinkRun:
    from guyub.linking.tasks import work_on_link_run

    run.model = current_model()
    run.state, run.error = RunState.WORKING, ""
    run.save()
    transaction.on_commit(lambda: work_on_link_run.enqueue(run.pk))
    return run


def _must_be(run: LinkRun, *states: str) -> None:
    if run.state not in states:
        raise ValidationError(
            _("Pencocokan ini berstatus “%(state)s”; langkah itu tidak berlaku lagi.")
            % {"state": run.get_state_display()}
        )


def cancel(run: LinkRun, *, actor: Any) -> LinkRun:
    """Stop a run. A worker busy on it notices at its next step.

    Raises:
        ValidationError: it has ended.
    """
    run.refresh_from_db()
    _must_be(run, RunState.MAPPING, RunState.WORKING)
    running.cancel(run, LinkFolder(run.pk), lambda: _cancelled(run, actor))
    return run


def _cancelled(run: LinkRun, actor: Any) -> None:
    folder = LinkFolder(run.pk)
    running.end(run, RunState.CANCELLED, folder)
    folder.remove()
    audit.record("linking.run.cancel", actor=actor, subject=run)


# Working


def abandoned() -> list[LinkRun]:
    """Return the runs that are said to be worked on while no process does."""
    return running.abandoned(LinkRun.objects.filter(state=RunState.WORKING), LinkFolder)


def work(run_id: int) -> LinkRun:
    """Do a linking, or what is left of it. Does nothing when another process is at it."""
    folder = LinkFolder(run_id)
    with running.held(folder) as mine:
        run = LinkRun.objects.select_related("model", "version__dataset", "created_by").get(
            pk=run_id
        )
        if mine and run.is_working:
            running.carry_out(
                lambda: _link(run, folder),
                about=f"link run {run_id}",
                refusals=(UnreadableFileError,),
                cancelled=lambda: _cancelled(run, run.created_by),
                failed=lambda error: running.end(run, RunState.FAILED, folder, error),
            )
        return run


def _link(run: LinkRun, folder: LinkFolder) -> None:
    folder.report("stage", 0, 1)
    if not run.finds_duplicates and not folder.records.exists():
        read_list(run, folder, folder.report)
    folder.report("registry", 0, 2)
    # Once taken, the picture of the registry stays: a job that goes on must not mix two of them.
    if not folder.people.exists():
        read_registry(folder, active_only=run.finds_duplicates)
    folder.report("registry", 1, 2)
    left, right = prepare_sides(folder, run.finds_duplicates)
    if not left or not right:
        raise UnreadableFileError(
            _("Registri masih kosong.") if left else _("Tidak ada baris yang berisi nama.")
        )
    write_decided(run, folder)
    assert run.model is not None
    limits = run.model.thresholds
    if run.finds_duplicates:
        limits.review = max(limits.review, LEAST_FOR_DUPLICATES)
    job = Job(
        folder.path,
        folder.left,
        None if run.finds_duplicates else folder.right,
        thresholds=limits,
        chances=run.model.chances,
        household_size=household_size(folder),
        decided=folder.decided,
    )
    counted = linkage.run(job, folder.report)
    with transaction.atomic():
        run.pairs.all().delete()
        asked = _make_pairs(run, folder)
        run.counts = {**counted, "asked": asked, "people": right}
        run.used = json.loads(job.model.read_text())
        run.state, run.finished_at = RunState.DONE, timezone.now()
        run.save(update_fields=["counts", "used", "state", "finished_at"])
        audit.record(
            "linking.run.finish", actor=run.created_by, subject=run, detail=dict(run.counts)
        )
    folder.clear_work()


def _make_pairs(run: LinkRun, folder: LinkFolder) -> int:
    columns = ", ".join(f"gamma_{c.name}, mw_{c.name}" for c in COMPARISONS)
    with duckdb.connect() as duck:
        rows = duck.execute(
            f"SELECT id_l, id_r, weight, {columns} FROM '{folder.links}' WHERE stage = 'review' "
            f"ORDER BY weight DESC, id_l, id_r LIMIT {MOST_PAIRS}"
        ).fetchall()
    Pair.objects.bulk_create([_pair(run, row) for row in rows], batch_size=2000)
    return len(rows)


def _pair(run: LinkRun, row: tuple[Any, ...]) -> Pair:
    values = row[3:]
    weights = {
        c.name: [values[2 * i], round(values[2 * i + 1], 3)] for i, c in enumerate(COMPARISONS)
    }
    return Pair(run=run, record=row[0], person_id=row[1], weight=round(row[2], 3), weights=weights)


# Deciding


@transaction.atomic
def decide(pair: Pair, verdict: str, *, actor: Any) -> Pair:
    """Say whether two records are one person, and remember it for later runs.

    When they are not, the record's next best counterpart, if there is one, joins the queue.

    Raises:
        ValidationError: somebody else has decided meanwhile, or the person is linked already.
    """
    held = Pair.objects.select_for_update(of=("self",)).select_related("run").get(pk=pair.pk)
    if held.verdict:
        raise ValidationError(_("Pasangan ini sudah diputuskan orang lain."))
    if verdict not in Verdict.values:
        raise ValidationError(_("Pilih sama atau berbeda."))
    if verdict == Verdict.SAME and not held.run.finds_duplicates:
        rivals = held.run.pairs.filter(verdict=Verdict.SAME)
        if rivals.filter(person=held.person_id).exists():
            raise ValidationError(
                _("Orang ini sudah dipasangkan dengan baris lain dari daftar yang sama.")
            )
        if rivals.filter(record=held.record).exists():
            raise ValidationError(_("Baris ini sudah dipasangkan dengan orang lain."))
    held.verdict, held.decided_by, held.decided_at = verdict, actor, timezone.now()
    held.save(update_fields=["verdict", "decided_by", "decided_at"])
    Decision.objects.update_or_create(
        fingerprint=_fingerprint(held),
        person_id=held.person_id,
        defaults={
            "other_id": held.record if held.run.finds_duplicates else None,
            "verdict": verdict, "weight": held.weight, "weights": held.weights, "pair": held,
            "decided_by": actor, "decided_at": held.decided_at,
        },
    )  # fmt: skip
    if verdict == Verdict.DIFFERENT and not held.run.finds_duplicates:
        _ask_next(held)
    audit.record("linking.pair.decide", actor=actor, subject=held, detail={"verdict": verdict})
    return held


def _fingerprint(pair: Pair) -> str:
    if pair.run.finds_duplicates:
        return of_person(pair.record)
    record = queries.records(pair.run, [pair.record])[pair.record]
    return fingerprint(record.identity)


def _ask_next(pair: Pair) -> None:
    """Put the record's next best counterpart, if any is free, into the queue."""
    folder = LinkFolder(pair.run_id)
    columns = ", ".join(f"gamma_{c.name}, mw_{c.name}" for c in COMPARISONS)
    asked = set(pair.run.pairs.filter(record=pair.record).values_list("person_id", flat=True))
    taken = set(pair.run.pairs.filter(verdict=Verdict.SAME).values_list("person_id", flat=True))
    review = pair.run.used.get("thresholds", {}).get("review", Thresholds.review)
    with duckdb.connect() as duck:
        rows = duck.execute(
            f"SELECT id_l, id_r, match_weight, {columns} FROM '{folder.pairs}' WHERE id_l = ? "
            f"AND match_weight >= ? AND id_r NOT IN (SELECT id_r FROM '{folder.links}' "
            "WHERE stage NOT IN ('review', 'double')) ORDER BY match_weight DESC, id_r",
            [pair.record, review],
        ).fetchall()
    for row in rows:
        if row[1] not in asked | taken:
            _pair(pair.run, row).save()
            return


@transaction.atomic
def undo(pair: Pair, *, actor: Any) -> Pair:
    """Take a decision back; the pair waits again.

    Raises:
        ValidationError: nothing was decided, or that decision has been replaced since.
    """
    held = Pair.objects.select_for_update(of=("self",)).select_related("run").get(pk=pair.pk)
    if not held.verdict:
        raise ValidationError(_("Pasangan ini belum diputuskan."))
    Decision.objects.filter(pair=held).delete()
    if held.verdict == Verdict.DIFFERENT:
        # The counterpart that took its place, unless somebody has judged it.
        held.run.pairs.filter(record=held.record, verdict="", weight__lt=held.weight).delete()
    held.verdict, held.decided_by, held.decided_at = "", None, None
    held.save(update_fields=["verdict", "decided_by", "decided_at"])
    audit.record("linking.pair.undo", actor=actor, subject=held)
    return held


# The model


@transaction.atomic
def set_thresholds(
    *, accept: float, review: float, margin: float, note: str, actor: Any
) -> LinkModel:
    """Put other thresholds in force for runs from now on.

    Raises:
        ValidationError: they are out of order.
    """
    if review >= accept:
        raise ValidationError(
            {"review": _("Batas tinjau harus lebih rendah daripada batas terima.")}
        )
    old = current_model()
    new = LinkModel.objects.create(
        chances=old.chances, accept=accept, review=review, margin=margin, note=note.strip(),
        labels=old.labels, created_by=actor,
    )  # fmt: skip
    audit.record(
        "linking.model.thresholds", actor=actor, subject=new, reason=new.note,
        detail={"accept": accept, "review": review, "margin": margin},
    )  # fmt: skip
    return new


@transaction.atomic
def learn(*, note: str, actor: Any) -> LinkModel:
    """Put into force what decisions have taught: the chances, and the threshold that they suggest.

    Raises:
        ValidationError: too little has been decided.
    """
    taught = lesson()
    if not taught.is_enough:
        raise ValidationError(
            _("Keputusan belum cukup untuk dipelajari; perlu paling sedikit %(count)s.")
            % {"count": taught.least}
        )
    old = current_model()
    new = LinkModel.objects.create(
        chances=taught.chances, accept=taught.accept, review=min(old.review, taught.accept - 1),
        margin=old.margin, note=note.strip(), labels=taught.decisions, created_by=actor,
    )  # fmt: skip
    audit.record(
        "linking.model.learn", actor=actor, subject=new, reason=new.note,
        detail={"decisions": taught.decisions, "accept": taught.accept},
    )  # fmt: skip
    return new


def log_export(run: LinkRun, *, actor: Any, reason: str, rows: int, full_numbers: bool) -> None:
    """Note that a run's outcome was taken out."""
    audit.record(
        "linking.run.export", actor=actor, subject=run, reason=reason,
        detail={"rows": rows, "full_numbers": full_numbers},
    )  # fmt: skip
