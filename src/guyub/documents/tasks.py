"""What the worker does: making the files of editions."""

from __future__ import annotations

from django_tasks import task

from guyub.documents import services


@task()
def make_files(edition_id: int) -> None:
    """Make the files of an edition."""
    services.make(edition_id)


def take_up_abandoned() -> int:
    """Queue again the editions whose worker died; return how many."""
    lost = services.abandoned()
    for edition in lost:
        make_files.enqueue(edition.pk)
    return len(lost)
