"""What the worker does for progress reports."""

from __future__ import annotations

from django_tasks import task

from guyub.reports.reminders import send_reminders


@task()
def remind() -> int:
    """Send the reminders of the day; return how many letters went out."""
    return sum(1 for sent in send_reminders() if sent.recipients)
