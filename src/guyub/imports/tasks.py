"""What the worker does."""

from __future__ import annotations

from django_tasks import task

from guyub.imports import services


@task()
def work_on_run(run_id: int) -> None:
    """Do the stage that an import run is waiting for."""
    services.work(run_id)
