"""What the worker does: reckoning anew some time after programs, recipients or households changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from guyub.overlaps import queries, services

# Changes come in bursts, and a figure a few minutes old does no harm.
PAUSE = dt.timedelta(minutes=3)
# Every write leaves an event, so events tell what changed. These change what is reckoned.
CHANGES = ("programs.", "beneficiaries.", "imports.run.apply", "registry.household.")
HARMLESS = (".export", ".reveal", ".view")


@task()
def refresh() -> None:
    """Reckon the years anew that people still work on."""
    for year in queries.years_in_work():
        services.reckon(year)


def after_event(sender: Any, instance: Any, created: bool, **_more: Any) -> None:
    """Have the worker reckon anew when an event of the audit log tells of a change that matters."""
    action = instance.action
    if created and action.startswith(CHANGES) and not action.endswith(HARMLESS):
        transaction.on_commit(ask_for_refresh)


def ask_for_refresh() -> None:
    """Put one refresh in the worker's queue, unless one waits there already."""
    waiting = DBTaskResult.objects.filter(
        task_path=refresh.module_path, status=TaskResultStatus.READY
    )
    if not waiting.exists():
        refresh.using(run_after=timezone.now() + PAUSE).enqueue()
