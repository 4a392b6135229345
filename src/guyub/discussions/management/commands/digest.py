"""``guyub digest``: mails the daily digest; to be run once a day by cron or a timer."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand
from django.utils.translation import gettext as _

from guyub.discussions.mail import send_digests


class Command(BaseCommand):
    help = _("Mengirim rangkuman kabar harian lewat surel (jalankan sekali sehari).")

    def handle(self, *args: Any, **options: Any) -> None:
        people, news = send_digests()
        self.stdout.write(
            _("%(people)d orang dikirimi %(news)d kabar.") % {"people": people, "news": news}
        )
