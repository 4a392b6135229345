"""What the worker does."""

from __future__ import annotations

from django_tasks import task

from guyub.imports import services
from guyub.longruns import resuming


@task()
def work_on_run(run_id: int) -> None:
    """Do the stage that an import run is waiting for."""
    services.work(run_id)


def take_up_abandoned() -> int:
    """Queue again the import runs whose worker died; return how many."""
    return resuming.queue(services.abandoned(), work_on_run)
