"""``guyub remind``: remind agencies of reports that fall due. Run it once a day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from guyub.reports.reminders import send_reminders, told


class Command(BaseCommand):
    help = _("Mengirim surel pengingat laporan yang jatuh tempo; jalankan sekali sehari.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--date", help=_("anggap hari ini tanggal itu, YYYY-MM-DD"))

    def handle(self, *args: Any, **options: Any) -> None:
        today = None
        if options["date"]:
            try:
                today = dt.date.fromisoformat(options["date"])
            except ValueError as error:
                raise CommandError(_("Tulis tanggal seperti 2026-04-10.")) from error
        letters = 0
        for sent in send_reminders(today):
            letters += 1 if sent.recipients else 0
            self.stdout.write(told(sent))
        self.stdout.write(_("%(count)d surat dikirim.") % {"count": letters})
