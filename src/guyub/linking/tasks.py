"""What the worker does for linking."""

from __future__ import annotations

from django_tasks import task

from guyub.linking import services
from guyub.longruns import resuming


@task()
def work_on_link_run(run_id: int) -> None:
    """Do the linking that a run is waiting for."""
    services.work(run_id)


def take_up_abandoned() -> int:
    """Queue again the runs whose worker died; return how many."""
    return resuming.queue(services.abandoned(), work_on_link_run)
