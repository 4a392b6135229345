"""What the worker does for connections."""

from __future__ import annotations

from django_tasks import task

from guyub.connections import exchange, webhooks


@task()
def send_message(delivery_id: int) -> None:
    """Send a message of the outbox."""
    webhooks.send(delivery_id)


@task()
def answer_exchange(exchange_id: int) -> None:
    """Answer a partner's asynchronous search."""
    exchange.answer_later(exchange_id)


def take_up_due() -> int:
    """Queue what is to be tried again by now; return how much."""
    messages, answers = webhooks.due(), exchange.due()
    for pk in messages:
        send_message.enqueue(pk)
    for pk in answers:
        answer_exchange.enqueue(pk)
    return len(messages) + len(answers)
