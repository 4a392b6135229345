"""The worker's queue: what waits, what failed, and what a worker left behind when it died."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from guyub.operations import logs
from guyub.operations.models import Sign

log = logging.getLogger(__name__)

WORKER = "worker:"
BEAT_SECONDS = 20
# A worker that said nothing for so long is dead, or its machine is.
DEAD_AFTER = dt.timedelta(minutes=3)
# A job that took its worker down so often is not tried again by itself.
MOST_TRIES = 3
LOST = "guyub.operations.WorkerLost"

LABELS = {
    "guyub.imports.tasks.work_on_run": _("Impor daftar"),
    "guyub.beneficiaries.tasks.work_on_batch": _("Penerima secara massal"),
    "guyub.overlaps.tasks.refresh": _("Hitungan tumpang tindih"),
    "guyub.retention.tasks.carry_out_disposal": _("Pemusnahan data"),
    "guyub.reports.tasks.remind": _("Pengingat laporan"),
    "guyub.discussions.tasks.mail_news": _("Surel kabar"),
    "guyub.documents.tasks.compute_figures": _("Angka laporan"),
    "guyub.documents.tasks.make_files": _("Berkas LP2KD"),
    "guyub.connections.tasks.send_message": _("Kabar ke sistem lain"),
    "guyub.connections.tasks.answer_exchange": _("Jawaban kepada mitra"),
    "guyub.connections.tasks.tell_partners": _("Perubahan registri bagi mitra"),
    "guyub.connections.tasks.send_notice": _("Pemberitahuan kepada mitra"),
}


def label_of(path: str) -> Any:
    """Return what people call the job at ``path``; the path itself of one that has no name yet."""
    return LABELS.get(path, path)


def worker_name(suffix: str) -> str:
    """Return a name for this process as a worker: its machine, its process number, and ``suffix``."""
    return f"{socket.gethostname()[:30]}/{os.getpid()}/{suffix}"


def beat(worker: str) -> None:
    """Note that ``worker`` lives."""
    Sign.objects.update_or_create(
        name=WORKER + worker, defaults={"at": timezone.now(), "is_good": True}
    )


def leave(worker: str) -> None:
    """Note that ``worker`` ended of its own accord."""
    Sign.objects.filter(name=WORKER + worker).delete()


def _is_dead(worker: str, seen: dict[str, dt.datetime]) -> bool:
    at = seen.get(WORKER + worker)
    if at is None or timezone.now() - at > DEAD_AFTER:
        return True
    host, _slash, rest = worker.partition("/")
    number = rest.partition("/")[0]
    if host != socket.gethostname()[:30] or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


@transaction.atomic
def take_up_orphans() -> int:
    """Queue again the jobs whose worker died over them; return how many.

    One that has been tried :data:`MOST_TRIES` times counts as failed instead.
    """
    seen = dict(Sign.objects.filter(name__startswith=WORKER).values_list("name", "at"))
    again = 0
    running = DBTaskResult.objects.select_for_update().filter(status=TaskResultStatus.RUNNING)
    for task in running:
        if not task.worker_ids or not _is_dead(task.worker_ids[-1], seen):
            continue
        if len(task.worker_ids) >= MOST_TRIES:
            task.status, task.finished_at = TaskResultStatus.FAILED, timezone.now()
            task.exception_class_path = LOST
            log.error("a job lost its worker too often", extra={"job": task.task_path})
        else:
            task.status = TaskResultStatus.READY
            again += 1
        task.save(update_fields=["status", "finished_at", "exception_class_path"])
    gone = timezone.now() - dt.timedelta(days=1)
    Sign.objects.filter(name__startswith=WORKER, at__lt=gone).delete()
    return again


def after_job(sender: Any, task_result: Any, **_more: Any) -> None:
    """Write a line about a job that ended, and take the text out of what is kept of its failure.

    The queue keeps tracebacks, whose last line may quote a name or a number.
    """
    started, ended = task_result.started_at, task_result.finished_at
    failed = task_result.status == TaskResultStatus.FAILED
    log.log(
        logging.ERROR if failed else logging.INFO,
        "job failed" if failed else "job done",
        extra={
            "job": task_result.task.module_path,
            "seconds": round((ended - started).total_seconds(), 3) if started and ended else 0,
        },
    )
    if failed:
        kept = DBTaskResult.objects.filter(pk=task_result.id).first()
        if kept is not None:
            lines = [line for line in kept.traceback.splitlines() if line.startswith('  File "')]
            text = "\n".join([*(logs.mask(line) for line in lines), kept.exception_class_path])
            DBTaskResult.objects.filter(pk=kept.pk).update(traceback=text)
