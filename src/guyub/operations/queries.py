"""Reads of the queue for *Kesehatan sistem*."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from guyub.operations.jobs import label_of


def failed_jobs() -> Any:
    """Return the jobs that failed, newest first."""
    return DBTaskResult.objects.filter(status=TaskResultStatus.FAILED).order_by(
        "-finished_at", "-enqueued_at"
    )


def open_jobs(most: int = 20) -> list[DBTaskResult]:
    """Return the jobs that wait or are being done, oldest first, ``most`` at most."""
    found = DBTaskResult.objects.filter(
        status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING]
    ).order_by("enqueued_at")
    return named(list(found[:most]))


def named(jobs: list[DBTaskResult]) -> list[DBTaskResult]:
    """Give each job the label that people know it by."""
    for job in jobs:
        job.label = label_of(job.task_path)  # type: ignore[attr-defined]
    return jobs


def load_job(pk: Any) -> DBTaskResult:
    """Return one job of the queue; raise ``Http404`` when there is none."""
    job = DBTaskResult.objects.filter(pk=pk).first()
    if job is None:
        raise Http404
    return job
