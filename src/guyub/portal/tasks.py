"""What the worker does: working out a release."""

from __future__ import annotations

from django_tasks import task

from guyub.longruns import resuming
from guyub.portal import services
from guyub.portal.models import Release, ReleaseState


@task()
def work_out(release_id: int) -> None:
    """Compute a release that waits for it; one that was thrown away meanwhile is left alone."""
    release = Release.objects.filter(pk=release_id, state=ReleaseState.COMPUTING).first()
    if release is not None:
        services.compute(release)


def take_up_abandoned() -> int:
    """Queue again the releases whose worker died; return how many."""
    return resuming.queue(services.abandoned(), work_out)
