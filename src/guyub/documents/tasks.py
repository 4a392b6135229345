"""What the worker does: computing figures and making the files of editions."""

from __future__ import annotations

from django_tasks import task

from guyub.documents import keeping, services


@task()
def make_files(edition_id: int) -> None:
    """Make the files of an edition."""
    services.make(edition_id)


@task()
def compute_figures(figures_id: int) -> None:
    """Compute figures that take long, and keep them."""
    keeping.compute(figures_id)


def take_up_abandoned() -> int:
    """Queue again the editions and figures whose worker died; return how many."""
    lost, left = services.abandoned(), keeping.abandoned()
    for edition in lost:
        make_files.enqueue(edition.pk)
    for pk in left:
        compute_figures.enqueue(pk)
    return len(lost) + len(left)
