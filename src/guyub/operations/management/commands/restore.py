"""``guyub restore``: brings the installation back from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.utils.translation import gettext as _

from guyub.operations import archive, restore, services
from guyub.operations.management.commands.backup import ask_passphrase


class Command(BaseCommand):
    help = _("Memulihkan basis data dan berkas dari sebuah cadangan.")
    # The checks look at tables that may not be there yet.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help=_("berkas cadangan"))
        parser.add_argument("--key", type=Path, required=True, help=_("berkas kunci rahasia"))
        parser.add_argument(
            "--replace",
            action="store_true",
            help=_("mengganti instalasi yang sudah berisi, setelah mencadangkannya"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = archive.read_key(options["key"], ask_passphrase)
            found = restore.restore(
                options["file"],
                key,
                replace=options["replace"],
                safety=[archive.recipient(text) for text in settings.BACKUP_KEYS],
            )
        except archive.ArchiveError as error:
            raise CommandError(str(error)) from error
        # An older backup becomes one of this version.
        call_command("setup", verbosity=0)
        verdict = services.note_restore(options["file"].name, found)
        self.stdout.write(
            _("Dipulihkan: cadangan %(made_at)s, Guyub %(guyub)s, %(tables)d tabel, %(members)d bagian.")
            % found
        )  # fmt: skip
        if found.get("safety"):
            self.stdout.write(
                _("Isi sebelumnya dicadangkan sebagai %(name)s.") % {"name": found["safety"]}
            )
        missing = restore.missing_files()
        if missing:
            self.stderr.write(
                _("%(count)d berkas disebut basis data tetapi tidak ada.") % {"count": missing}
            )
        if not verdict.is_sound:
            raise CommandError(
                _("Rantai jejak audit rusak pada kejadian nomor %(number)d. Apakah GUYUB_AUDIT_KEY sama dengan dahulu?")
                % {"number": verdict.sequence}
            )  # fmt: skip
        self.stdout.write(
            _("Rantai jejak audit utuh: %(count)d kejadian.") % {"count": verdict.checked}
        )
