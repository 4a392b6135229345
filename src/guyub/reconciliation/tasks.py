"""What the worker does: comparing the lists with the registry after each import, and when asked."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from guyub.accounts.models import User
from guyub.reconciliation import keeping

# Imports come in rows; one comparison after the last of them is enough.
PAUSE = dt.timedelta(minutes=2)


@task()
def compare(user_id: int | None = None) -> None:
    """Find differences anew."""
    keeping.detect(actor=User.objects.filter(pk=user_id).first() if user_id else None)


def after_event(sender: Any, instance: Any, created: bool, **_more: Any) -> None:
    """Have the worker compare when an import was applied."""
    if created and instance.action == "imports.run.apply":
        transaction.on_commit(compare_soon)


def compare_soon() -> None:
    """Put one comparison in the worker's queue, unless one waits there already."""
    waiting = DBTaskResult.objects.filter(
        task_path=compare.module_path, status=TaskResultStatus.READY
    )
    if not waiting.exists():
        compare.using(run_after=timezone.now() + PAUSE).enqueue()
