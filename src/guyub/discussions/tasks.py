"""What the worker mails."""

from __future__ import annotations

from django_tasks import task

from guyub.accounts.models import User
from guyub.discussions import mail


@task()
def mail_news(user_id: int) -> None:
    """Mail one person's news at once."""
    user = User.objects.select_related("notification_preference").filter(pk=user_id).first()
    if user is not None:
        mail.send(user)
