"""What the worker does for connections."""

from __future__ import annotations

from django_tasks import task

from guyub.connections import exchange, notices, watching, webhooks
from guyub.connections.models import RegistryChange


@task()
def send_message(delivery_id: int) -> None:
    """Send a message of the outbox."""
    webhooks.send(delivery_id)


@task()
def answer_exchange(exchange_id: int) -> None:
    """Answer a partner's asynchronous message."""
    exchange.answer_later(exchange_id)


@task()
def tell_partners() -> None:
    """Find out which partners are to be told of what changed in the registry."""
    watching.spread()


@task()
def send_notice(notice_id: int) -> None:
    """Send a notice to a partner."""
    notices.send(notice_id)


def take_up_due() -> int:
    """Queue what is to be tried again by now; return how much."""
    waiting = (
        (send_message, webhooks.due()),
        (answer_exchange, exchange.due()),
        (send_notice, notices.due()),
    )
    for job, found in waiting:
        for pk in found:
            job.enqueue(pk)
    unspread = RegistryChange.objects.exists()
    if unspread:
        tell_partners.enqueue()
    return sum(len(found) for _job, found in waiting) + unspread
