"""``guyub wall ROLE``: let the web process sign in to PostgreSQL as a role that the wall binds."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connection

from guyub.access.wall import grant


class Command(BaseCommand):
    help = (
        "Memberi peran PostgreSQL milik proses web hak atas tabel, tanpa hak melewati tembok kedua."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="nama peran, misalnya guyub_web")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Tembok kedua hanya ada pada PostgreSQL.")
        grant(options["role"])
        self.stdout.write(f"Peran {options['role']} siap dipakai di DATABASE_URL proses web.")
