"""What the worker does for disposals."""

from __future__ import annotations

from django_tasks import task

from guyub.retention.carrying_out import carry_out


@task()
def carry_out_disposal(disposal_id: int) -> None:
    """Erase what an approved disposal names; taken up where it was left."""
    carry_out(disposal_id)
