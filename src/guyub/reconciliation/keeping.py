"""Comparing all lists with the registry, and bringing the stored differences in step."""

from __future__ import annotations

import datetime as dt
import fcntl
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from guyub.audit import services as audit
from guyub.datasets.models import Dataset
from guyub.reconciliation.detection import Comparison, Tell
from guyub.reconciliation.models import (
    Detection,
    DetectionState,
    Difference,
    DifferenceState,
    Side,
)
from guyub.reconciliation.settling import end_corrections, end_questions
from guyub.registry import bulk


def detect(*, actor: Any = None, tell: Tell = lambda done, total: None) -> Detection | None:
    """Compare all newest lists with the registry; ``None`` while another comparison is under way.

    Comparing only reads; what it found is kept in one short transaction at its end. What was settled
    meanwhile is left as it was settled.
    """
    place = Path(settings.DATA_DIR) / "reconciliation"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (place / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        # Whatever is said to be at work lost its process.
        Detection.objects.filter(state=DetectionState.WORKING).update(state=DetectionState.FAILED)
        run = Detection.objects.create(asked_by=actor, started_at=timezone.now())
        work = place / "work"
        shutil.rmtree(work, ignore_errors=True)

        def progress(done: int, total: int) -> None:
            Detection.objects.filter(pk=run.pk).update(done=done, total=total)
            tell(done, total)

        try:
            with Comparison(work, progress) as comparison:
                comparison.find()
                _keep(run, comparison)
        except BaseException:
            Detection.objects.filter(pk=run.pk).update(state=DetectionState.FAILED)
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return run


@transaction.atomic
def _keep(run: Detection, comparison: Comparison) -> None:
    """Bring the stored differences in step with those found."""
    db, work = comparison.db, comparison.work
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE reconciliation_difference IN SHARE ROW EXCLUSIVE MODE")
    columns = {
        "id": "BIGINT", "kind": "VARCHAR", "subject_id": "BIGINT", "field": "VARCHAR",
        "dataset_id": "BIGINT", "theirs": "VARCHAR", "ours": "VARCHAR", "state": "VARCHAR",
        "suggested": "VARCHAR", "why": "VARCHAR", "their_as_of": "DATE", "our_origin_id": "BIGINT",
        "household_id": "BIGINT", "village_id": "BIGINT",
    }  # fmt: skip
    bulk.pull(
        db, "known", f"SELECT {', '.join(columns)} FROM reconciliation_difference", columns, work
    )
    _ids(db, "fresh", Difference.objects.filter(settled_at__gte=run.started_at))
    mendable = Difference.objects.none()
    for dataset in Dataset.objects.exclude(current_version=None).select_related("current_version"):
        mendable |= Difference.objects.filter(
            dataset=dataset, state=DifferenceState.SETTLED, winner=Side.OURS,
            settled_at__lt=dataset.current_version.created_at,  # type: ignore[union-attr]
        )  # fmt: skip
    _ids(db, "mendable", mendable)
    db.execute(
        "CREATE OR REPLACE TABLE matched AS SELECT k.id, f.*, k.state AS old_state, CASE "
        "WHEN k.state IN ('open', 'verify') THEN k.state "
        "WHEN k.state = 'settled' AND k.theirs = f.theirs AND k.ours = f.ours THEN 'settled' "
        "ELSE 'open' END AS new_state, (k.theirs <> f.theirs OR k.ours <> f.ours "
        "OR k.suggested <> f.suggested OR k.why <> f.why OR k.their_as_of <> f.their_as_of "
        "OR k.our_origin_id <> f.our_origin_id OR k.household_id <> f.household_id "
        "OR k.village_id <> f.village_id) AS is_changed "
        "FROM known k JOIN found f USING (kind, subject_id, field, dataset_id) "
        "WHERE k.id NOT IN (SELECT id FROM fresh)"
    )
    moment = _moment()
    first = bulk.next_id(Difference)
    values = (
        "household_id, village_id, district_id, theirs, their_as_of, ours, our_origin_id, "
        "our_dataset_id, our_as_of, suggested, why"
    )
    new = bulk.push(
        db,
        Difference._meta.db_table,
        f"SELECT {first} - 1 + row_number() OVER (ORDER BY f.village_id, f.household_id, f.kind, "
        f"f.subject_id, f.field, f.dataset_id) AS id, f.kind, f.subject_id, f.field, f.dataset_id, "
        f"{values}, 'open' AS state, '' AS winner, '' AS reason, '{moment}' AS found_at "
        "FROM found f ANTI JOIN known k USING (kind, subject_id, field, dataset_id)",
        work,
    )
    bulk.settle_sequence(Difference)
    bulk.amend(
        db, Difference._meta.db_table,
        f"SELECT id, {values}, new_state AS state FROM matched WHERE is_changed OR new_state <> old_state",
        work,
    )  # fmt: skip
    again = (
        "SELECT id, '' AS winner, '' AS reason, CAST(NULL AS VARCHAR) AS settled_at, "
        "CAST(NULL AS VARCHAR) AS mended_at, CAST(NULL AS BIGINT) AS settled_by_id "
        "FROM matched WHERE new_state = 'open' AND old_state NOT IN ('open', 'verify')"
    )
    returned = bulk.amend(db, Difference._meta.db_table, again, work)
    lost = "FROM known k ANTI JOIN found f USING (kind, subject_id, field, dataset_id)"
    gone = bulk.amend(
        db, Difference._meta.db_table,
        f"SELECT k.id, 'gone' AS state {lost} WHERE k.state IN ('open', 'verify')", work,
    )  # fmt: skip
    mended = bulk.amend(
        db, Difference._meta.db_table,
        f"SELECT k.id, 'mended' AS state, '{moment}' AS mended_at {lost} "
        "WHERE k.id IN (SELECT id FROM mendable)", work,
    )  # fmt: skip
    asked = db.execute(f"SELECT DISTINCT k.village_id {lost} WHERE k.state = 'verify'").fetchall()
    end_questions({village for (village,) in asked})
    end_corrections()
    (found,) = db.execute("SELECT count(*) FROM found").fetchall()[0]
    run.counts = {
        "found": found, "new": new, "returned": returned, "gone": gone, "mended": mended,
    }  # fmt: skip
    run.state, run.finished_at = DetectionState.DONE, timezone.now()
    run.save(update_fields=["counts", "state", "finished_at"])
    audit.record("reconciliation.detect", actor=run.asked_by, subject=run, detail=dict(run.counts))


def _ids(db: Any, name: str, rows: Any) -> None:
    ids = list(rows.values_list("id", flat=True))
    bulk.register_rows(db, name, {"id": (pa.int64(), ids)})


def _moment() -> str:
    """Return now as both databases take it from a bulk insert."""
    now = timezone.now().astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return now + "+00" if connection.vendor == "postgresql" else now
