"""Every write about the installation itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from guyub.audit import queries as audit_queries
from guyub.audit import services as audit
from guyub.operations.health import CHAIN, DAILY
from guyub.operations.models import Allowance, Sign


def note(name: str, *, is_good: bool = True, detail: dict[str, Any] | None = None) -> None:
    """Note that the thing ``name`` was just seen to."""
    Sign.objects.update_or_create(
        name=name,
        defaults={"at": timezone.now(), "is_good": is_good, "detail": detail or {}},
    )


def note_daily(failed: list[str]) -> None:
    """Note that the day's jobs were done, and how many of them failed."""
    note(DAILY, is_good=not failed, detail={"failed": len(failed)})


def check_chain() -> audit_queries.Verdict:
    """Check the whole audit log, note what was found, and drop an anchor when it is sound."""
    found = audit_queries.verify_chain()
    note(
        CHAIN,
        is_good=found.is_sound,
        detail={"checked": found.checked, "fault": found.fault, "sequence": found.sequence},
    )
    if found.is_sound:
        audit.drop_anchor()
    return found


def note_restore(file_name: str, about: dict[str, Any]) -> audit_queries.Verdict:
    """Check the audit log that was restored, then note in it that it was, and return the verdict."""
    verdict = audit_queries.verify_chain()
    if verdict.is_sound:
        audit.record(
            "operations.restore",
            detail={
                "file": file_name,
                "made_at": about["made_at"],
                "guyub": about["guyub"],
                "safety": about.get("safety", ""),
            },
        )
    return verdict


def tidy() -> int:
    """Drop what nobody asks for any more, such as jobs done a month ago; return how many rows."""
    now = timezone.now()
    done, _by_model = DBTaskResult.objects.filter(
        status=TaskResultStatus.SUCCESSFUL, finished_at__lt=now - dt.timedelta(days=30)
    ).delete()
    used, _by_model = Allowance.objects.filter(expires_at__lt=now).delete()
    return done + used


@transaction.atomic
def retry(task: DBTaskResult, *, actor: Any) -> None:
    """Put a failed job into the queue again, to be tried as often as a new one.

    Raises:
        ValidationError: the job is not failed any more.
    """
    task = DBTaskResult.objects.select_for_update().get(pk=task.pk)
    if task.status != TaskResultStatus.FAILED:
        raise ValidationError(_("Pekerjaan ini sudah dijalankan lagi."))
    task.status, task.worker_ids = TaskResultStatus.READY, []
    task.started_at = task.finished_at = None
    task.enqueued_at = task.run_after = timezone.now()
    task.exception_class_path = task.traceback = ""
    task.save()
    audit.record("operations.job.retry", actor=actor, subject=task, detail={"job": task.task_path})
