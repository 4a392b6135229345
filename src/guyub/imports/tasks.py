"""What the worker does."""

from __future__ import annotations

from collections.abc import Callable

from django_tasks import task

from guyub.imports import services


@task()
def work_on_run(run_id: int) -> None:
    """Do the stage that an import run is waiting for."""
    services.work(run_id)


def take_up_abandoned() -> int:
    """Queue again the import runs whose worker died; return how many."""
    lost = services.abandoned()
    for run in lost:
        work_on_run.enqueue(run.pk)
    return len(lost)


# What a worker calls when it starts and from time to time; apps below add theirs when they are ready.
resumers: list[Callable[[], int]] = [take_up_abandoned]
