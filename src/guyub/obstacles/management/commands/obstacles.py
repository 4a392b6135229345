"""``guyub obstacles remind``: reminds agencies of due dates; to be run once a day."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from guyub.obstacles.services import remind


class Command(BaseCommand):
    help = _("Mengingatkan perangkat daerah akan kendala yang jatuh tempo (remind; sekali sehari).")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("remind",))

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(_("%(count)d kendala diingatkan.") % {"count": remind()})
