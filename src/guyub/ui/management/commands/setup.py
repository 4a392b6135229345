"""``guyub setup``: bring the database to the state that this version of Guyub needs."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, call_command
from django.utils.translation import gettext as _


class Command(BaseCommand):
    help = _("Menyiapkan atau memperbarui basis data; aman diulang.")
    # The checks look at a database that may not have a table yet.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options["verbosity"]
        call_command("migrate", interactive=False, verbosity=verbosity)
        call_command("createcachetable", verbosity=verbosity)
        if verbosity:
            self.stdout.write(_("Basis data siap."))
