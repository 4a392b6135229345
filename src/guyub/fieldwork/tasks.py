"""What the worker does: loading files of submissions."""

from __future__ import annotations

from django_tasks import task

from guyub.fieldwork import loading


@task()
def work_on_load(load_id: int) -> None:
    """Load a file of submissions."""
    loading.work(load_id)


def take_up_abandoned() -> int:
    """Queue again the loads whose worker died; return how many."""
    lost = loading.abandoned()
    for load in lost:
        work_on_load.enqueue(load.pk)
    return len(lost)
