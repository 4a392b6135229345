"""What the worker does for scenarios."""

from __future__ import annotations

from django_tasks import task

from guyub.allocation import services
from guyub.longruns import resuming


@task()
def work_on_scenario(scenario_id: int) -> None:
    """Reckon the plan of a scenario."""
    services.work(scenario_id)


def take_up_abandoned() -> int:
    """Queue again the scenarios whose worker died; return how many."""
    return resuming.queue(services.abandoned(), work_on_scenario)
