"""What the worker does for recipients."""

from __future__ import annotations

from django_tasks import task

from guyub.beneficiaries import batches
from guyub.longruns import resuming


@task()
def work_on_batch(batch_id: int) -> None:
    """Do what a batch is waiting for."""
    batches.work(batch_id)


def take_up_abandoned() -> int:
    """Queue again the batches whose worker died; return how many."""
    return resuming.queue(batches.abandoned(), work_on_batch)
