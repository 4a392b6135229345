"""What is done to many enrolments at once: from a rule, from a file, or to those selected.

A :class:`Batch` is applied in one transaction, so it is done whole or not at all, and a batch whose
process was killed is simply taken up again. Small ones are done at once, large ones by the worker.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.beneficiaries import files
from guyub.beneficiaries.applying import (
    APPLY,
    matching,
    not_in,
    selection,
    sources,
    undelivered,
)
from guyub.beneficiaries.files import BatchFolder
from guyub.beneficiaries.models import (
    Batch,
    BatchKind,
    BatchState,
    Enrolment,
    Stage,
)
from guyub.beneficiaries.services import (
    BeneficiariesError,
    QuotaError,
    check_delivery,
    check_quota,
    hold,
    refuse_closed,
    require_reason,
)
from guyub.beneficiaries.stages import (
    EXPLAINED,
)
from guyub.imports.incoming import take_in
from guyub.imports.reading import UnreadableFileError
from guyub.longruns import running
from guyub.longruns.folder import Report
from guyub.programs.models import SubActivity
from guyub.registry import bulk
from guyub.targeting.models import RuleVersion

# Up to this many enrolments, or bytes of a file, a batch is done before the page answers.
SMALL, SMALL_FILE = 2_000, 200_000


# Starting


def _begin(batch: Batch, actor: Any, size: int, reason: str = "") -> Batch:
    """Save a batch that can be applied at once, and have that done now or by the worker."""
    batch.state, batch.created_by = BatchState.APPLYING, actor
    with transaction.atomic():
        batch.save()
        BatchFolder(batch.pk).make_empty()
        audit.record(
            "beneficiaries.batch.start",
            actor=actor,
            subject=batch,
            reason=reason,
            detail={"kind": batch.kind, "rows": size},
        )
        if size > SMALL:
            _hand_to_worker(batch)
    return work(batch.pk) if size <= SMALL else batch


def _hand_to_worker(batch: Batch) -> None:
    from guyub.beneficiaries.tasks import work_on_batch

    transaction.on_commit(lambda: work_on_batch.enqueue(batch.pk))


def places_left(sub_activity: SubActivity) -> int | None:
    """Return how many more the quota has places for, counting all who are still on their way."""
    if sub_activity.quota is None:
        return None
    on_the_way = Enrolment.objects.filter(sub_activity=sub_activity).exclude(
        stage__in=(Stage.REJECTED, Stage.WITHDRAWN)
    )
    return max(0, sub_activity.quota - on_the_way.count())


def preview_rule(
    sub_activity: SubActivity, version: RuleVersion, areas: list[str], limit: int | None
) -> dict[str, Any]:
    """Return what enrolling from a rule would do: how many match, are in already, would be added."""
    rows = matching(sub_activity, version, areas)
    total = rows.count()
    free = not_in(sub_activity, rows).count()
    return {
        "matching": total,
        "already": total - free,
        "adding": free if limit is None else min(free, limit),
        "left_out": 0 if limit is None else max(0, free - limit),
    }


def enrol_from_rule(
    sub_activity: SubActivity,
    version: RuleVersion,
    *,
    areas: list[str],
    limit: int | None,
    actor: Any,
) -> Batch:
    """Make candidates of all whom a rule matches, poorest first, within ``areas``, up to ``limit``.

    Raises:
        BeneficiariesError: the sub-activity takes no recipients, or there is nobody to add.
    """
    refuse_closed(sub_activity)
    adding = preview_rule(sub_activity, version, areas, limit)["adding"]
    if not adding:
        raise BeneficiariesError(
            _(
                "Tidak ada yang bisa ditambahkan: semua yang cocok sudah terdaftar, atau kuota penuh."
            )
        )
    batch = Batch(
        sub_activity=sub_activity,
        kind=BatchKind.ENROL_RULE,
        wish={"version": version.pk, "areas": areas, "limit": limit},
    )
    return _begin(batch, actor, adding)


def move_many(
    sub_activity: SubActivity,
    chosen: dict[str, Any],
    target: str,
    *,
    reason: str = "",
    back: bool = False,
    over_quota: bool = False,
    actor: Any,
) -> Batch:
    """Take all of ``chosen`` (``ids`` or ``narrowing``) that are at the right stage to ``target``.

    ``back`` says that it is a correction.

    Raises:
        BeneficiariesError: nobody is at the right stage, or the reason is missing.
        QuotaError: more than the quota has places for.
    """
    wish = {**chosen, "target": str(target), "back": back, "over_quota": over_quota}
    if target in EXPLAINED or back or over_quota:
        reason = require_reason(reason)
    count = selection(sub_activity, wish).filter(stage__in=sources(wish)).count()
    if not count:
        raise BeneficiariesError(
            _("Tidak ada di antara pilihan Anda yang tahapnya bisa menjadi “%(stage)s”.")
            % {"stage": Stage(target).label}
        )
    if not back and Stage(target) is Stage.ENROLLED:
        check_quota(sub_activity, count, over_quota)
    wish["reason"] = reason.strip()[:250]
    return _begin(
        Batch(sub_activity=sub_activity, kind=BatchKind.MOVE, wish=wish), actor, count, reason
    )


def deliver_many(
    sub_activity: SubActivity,
    chosen: dict[str, Any],
    *,
    delivered_on: dt.date,
    amount: int,
    description: str = "",
    actor: Any,
) -> Batch:
    """Record the same help on the same day for all of ``chosen`` who may be given something.

    Those for whom that day's same amount is recorded already are passed over.

    Raises:
        BeneficiariesError: nobody of them is enrolled, or the date or amount is amiss.
    """
    check_delivery(sub_activity, delivered_on, amount, description)
    wish = {
        **chosen,
        "on": delivered_on.isoformat(),
        "amount": amount,
        "description": description.strip()[:250],
    }
    count = undelivered(sub_activity, wish).count()
    if not count:
        raise BeneficiariesError(
            _(
                "Tidak ada yang bisa dicatat: tidak ada yang ditetapkan atau menerima, atau penyaluran "
                "dengan tanggal dan nilai ini sudah tercatat semua."
            )
        )
    return _begin(Batch(sub_activity=sub_activity, kind=BatchKind.DELIVER, wish=wish), actor, count)


# Files


def take_file(
    sub_activity: SubActivity,
    kind: str,
    *,
    file_name: str,
    chunks: Iterable[bytes],
    wish: dict[str, Any] | None = None,
    actor: Any,
) -> Batch:
    """Take in a file of NIK and have it checked; nothing is written to enrolments yet.

    ``wish`` may ask for a ``stage`` other than candidate, with its ``reason``, and ``over_quota``.

    Raises:
        BeneficiariesError: the file can't be read or lacks a column. Nothing is kept then.
    """
    refuse_closed(sub_activity)
    wish = wish or {}
    if wish.get("stage") == Stage.ENROLLED:
        wish["reason"] = require_reason(wish.get("reason", ""))
    try:
        with take_in(BatchFolder, chunks) as file:
            batch = Batch(
                sub_activity=sub_activity, kind=kind, state=BatchState.CHECKING, wish=wish,
                file_name=Path(file_name).name[:250], created_by=actor, layout=file.layout.as_json(),
            )  # fmt: skip
            batch.mapping = files.recognise(file.layout.headings, kind)
            lacking = files.missing(batch.mapping, kind)
            if lacking:
                raise BeneficiariesError(
                    _(
                        "Berkas ini tidak punya kolom berjudul: %(names)s. Tulis judul kolom di baris "
                        "pertama seperti pada contoh berkas."
                    )
                    % {"names": ", ".join(lacking)}
                )
            with transaction.atomic():
                batch.save()
                file.give_to(BatchFolder(batch.pk))
                audit.record(
                    "beneficiaries.batch.upload",
                    actor=actor,
                    subject=batch,
                    detail={"kind": batch.kind, "bytes": file.size},
                )
                if file.size > SMALL_FILE:
                    _hand_to_worker(batch)
    except UnreadableFileError as error:
        raise BeneficiariesError(str(error)) from error
    return work(batch.pk) if file.size <= SMALL_FILE else batch


def approve(batch: Batch, *, actor: Any, over_quota: bool = False) -> Batch:
    """Have the rows of a checked file that passed applied.

    ``over_quota`` says that passing the quota is meant; the file was given its reason when it came.

    Raises:
        BeneficiariesError: it does not wait for that, or no row passed.
        QuotaError: more than the quota has places for.
    """
    with transaction.atomic():
        held = Batch.objects.select_for_update().get(pk=batch.pk)
        if held.state != BatchState.CHECKED:
            raise BeneficiariesError(_("Pekerjaan ini tidak sedang menunggu persetujuan."))
        accepted = held.counts.get("accepted", 0)
        if not accepted:
            raise BeneficiariesError(_("Tidak ada baris yang diterima."))
        if held.wish.get("stage") == Stage.ENROLLED:
            held.wish["over_quota"] = over_quota or bool(held.wish.get("over_quota"))
            check_quota(held.sub_activity, accepted, held.wish["over_quota"])
        held.state = BatchState.APPLYING
        held.save(update_fields=["state", "wish"])
        audit.record(
            "beneficiaries.batch.start",
            actor=actor,
            subject=held,
            detail={
                "kind": held.kind,
                "rows": accepted,
                "over_quota": bool(held.wish.get("over_quota")),
            },
        )
        if accepted > SMALL:
            _hand_to_worker(held)
    return work(held.pk) if accepted <= SMALL else held


def quota_trouble(batch: Batch) -> str:
    """Return why the quota keeps a checked file from being applied, or an empty text."""
    wish = batch.wish
    if batch.state != BatchState.CHECKED or wish.get("stage") != Stage.ENROLLED:
        return ""
    try:
        check_quota(
            batch.sub_activity, batch.counts.get("accepted", 0), bool(wish.get("over_quota"))
        )
    except QuotaError as error:
        return str(error)
    return ""


def cancel(batch: Batch, *, actor: Any) -> Batch:
    """Stop a batch. A worker busy on it notices at its next step; what it wrote is rolled back.

    Raises:
        BeneficiariesError: it has ended.
    """
    batch.refresh_from_db()
    if not batch.is_open:
        raise BeneficiariesError(_("Pekerjaan ini sudah berakhir."))
    running.cancel(batch, BatchFolder(batch.pk), lambda: _cancelled(batch, actor))
    return batch


def _cancelled(batch: Batch, actor: Any) -> None:
    folder = BatchFolder(batch.pk)
    running.end(batch, BatchState.CANCELLED, folder)
    folder.remove()
    audit.record("beneficiaries.batch.cancel", actor=actor, subject=batch)


# Working


def abandoned() -> list[Batch]:
    """Return the batches that are said to be worked on while no process does."""
    working = Batch.objects.filter(state__in=(BatchState.CHECKING, BatchState.APPLYING))
    return running.abandoned(working, BatchFolder)


def work(batch_id: int) -> Batch:
    """Do what a batch is waiting for. Does nothing when another process is at it."""
    folder = BatchFolder(batch_id)
    with running.held(folder) as mine:
        batch = Batch.objects.select_related("sub_activity", "created_by").get(pk=batch_id)
        if not mine or not batch.is_working:
            return batch
        stage = _check if batch.state == BatchState.CHECKING else _apply
        running.carry_out(
            lambda: stage(batch, folder, folder.report),
            about=f"batch {batch_id}",
            refusals=(UnreadableFileError, BeneficiariesError),
            cancelled=lambda: _cancelled(batch, batch.created_by),
            failed=lambda error: running.end(batch, BatchState.FAILED, folder, error),
        )
        return batch


def _check(batch: Batch, folder: BatchFolder, report: Report) -> None:
    counts = files.check(batch, folder, report)
    folder.clear_work()
    with transaction.atomic():
        batch.counts, batch.state = counts, BatchState.CHECKED
        batch.save(update_fields=["counts", "state"])


def _apply(batch: Batch, folder: BatchFolder, report: Report) -> None:
    report("apply", 0, 3)
    with transaction.atomic():
        batch.sub_activity = hold(batch.sub_activity_id)
        now = timezone.now()
        done = APPLY[BatchKind(batch.kind)](batch, folder, now)
        report("apply", 2, 3)
        batch.counts = {**batch.counts, **done}
        batch.state, batch.finished_at = BatchState.DONE, now
        batch.save(update_fields=["state", "finished_at", "counts"])
        audit.record(
            "beneficiaries.batch.apply",
            actor=batch.created_by,
            subject=batch,
            reason=batch.wish.get("reason", ""),
            detail={
                "kind": batch.kind,
                "sub_activity": batch.sub_activity_id,
                **{key: value for key, value in batch.counts.items() if isinstance(value, int)},
                **{key: batch.wish[key] for key in ("target", "on", "amount") if key in batch.wish},
            },
        )
        # The last moment at which somebody may still say no.
        report("apply", 3, 3)
    if max(done.values()) > 20_000:
        bulk.refresh_statistics()
    folder.clear_work()
