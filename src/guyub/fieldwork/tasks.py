"""What the worker does: loading files of submissions."""

from __future__ import annotations

from django_tasks import task

from guyub.fieldwork import loading
from guyub.longruns import resuming


@task()
def work_on_load(load_id: int) -> None:
    """Load a file of submissions."""
    loading.work(load_id)


def take_up_abandoned() -> int:
    """Queue again the loads whose worker died; return how many."""
    return resuming.queue(loading.abandoned(), work_on_load)
