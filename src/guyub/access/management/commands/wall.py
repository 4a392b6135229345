"""``guyub wall ROLE``: let the web process sign in to PostgreSQL as a role that the wall binds."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _

from guyub.access.wall import grant


class Command(BaseCommand):
    help = _(
        "Memberi peran PostgreSQL milik proses web hak atas tabel, tanpa hak melewati tembok kedua."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help=_("nama peran, misalnya guyub_web"))

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(_("Tembok kedua hanya ada pada PostgreSQL."))
        grant(options["role"])
        self.stdout.write(
            _("Peran %(role)s siap dipakai di DATABASE_URL proses web.") % {"role": options["role"]}
        )
