"""``guyub backup``: makes one, tries one, or makes the key for them."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from guyub.operations import archive, backup, restore
from guyub.operations.health import size_of

PASSPHRASE = "GUYUB_BACKUP_PASSPHRASE"  # noqa: S105 (the name of a variable)


def ask_passphrase() -> str:
    """Return the passphrase of the key: from the environment, else asked at the terminal.

    Raises:
        CommandError: when there is neither.
    """
    try:
        return os.environ.get(PASSPHRASE) or getpass.getpass(_("Frasa sandi kunci cadangan: "))
    except EOFError as error:
        raise CommandError(
            _("Jalankan di terminal, atau isi frasa sandinya pada variabel %(name)s.")
            % {"name": PASSPHRASE}
        ) from error


class Command(BaseCommand):
    help = _("Mencadangkan basis data dan berkas, terenkripsi; --verify memeriksanya.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, help=_("folder tujuan (bawaan GUYUB_BACKUP_DIR)"))
        parser.add_argument(
            "--new-key", type=Path, metavar="BERKAS", help=_("membuat kunci cadangan yang baru")
        )
        parser.add_argument(
            "--verify",
            nargs="?",
            type=Path,
            const=Path(),
            metavar="BERKAS",
            help=_("memeriksa cadangan ini (bawaan: yang terbaru) sampai isi basis datanya"),
        )
        parser.add_argument("--key", type=Path, help=_("berkas kunci rahasia, untuk --verify"))
        parser.add_argument(
            "--no-prune", action="store_true", help=_("tidak menghapus cadangan lama")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["new_key"]:
                self._new_key(options["new_key"])
            elif options["verify"] is not None:
                self._verify(options)
            else:
                self._make(options)
        except archive.ArchiveError as error:
            raise CommandError(str(error)) from error

    def _new_key(self, path: Path) -> None:
        passphrase = ask_passphrase()
        if PASSPHRASE not in os.environ and passphrase != getpass.getpass(_("Sekali lagi: ")):
            raise CommandError(_("Kedua frasa sandi berbeda."))
        if len(passphrase) < 12:
            raise CommandError(_("Frasa sandi paling sedikit 12 huruf."))
        public = archive.new_key(path, passphrase)
        self.stdout.write(_("Kunci rahasia ada di %(path)s.") % {"path": path})
        self.stdout.write(
            _("Simpan berkas itu dan frasa sandinya di luar server: tanpa keduanya cadangan tidak dapat dibuka.")
        )  # fmt: skip
        self.stdout.write(_("Isi pada server: GUYUB_BACKUP_KEYS=%(key)s") % {"key": public})

    def _make(self, options: dict[str, Any]) -> None:
        folder = options["to"] or Path(settings.BACKUP_DIR)
        keys = [archive.recipient(key) for key in settings.BACKUP_KEYS]
        made = backup.make(folder, keys)
        self.stdout.write(
            _("%(path)s, %(size)s, %(seconds).0f detik")
            % {
                "path": folder / made.file_name,
                "size": size_of(made.size),
                "seconds": made.seconds,
            }
        )
        self.stdout.write(f"SHA-256 {made.sha256}")
        if not options["no_prune"]:
            for name in backup.prune(folder, *settings.BACKUP_KEEP):
                self.stdout.write(_("Dihapus karena lewat masa simpan: %(name)s") % {"name": name})

    def _verify(self, options: dict[str, Any]) -> None:
        folder = options["to"] or Path(settings.BACKUP_DIR)
        file = options["verify"]
        if file == Path():
            file = backup.newest_in(folder)
            if file is None:
                raise CommandError(_("Tidak ada cadangan di %(folder)s.") % {"folder": folder})
        if options["key"] is None:
            raise CommandError(_("Sebutkan berkas kunci rahasia: --key BERKAS"))
        key = archive.read_key(options["key"], ask_passphrase)
        found = restore.verify(file, key)
        self.stdout.write(
            _("%(file)s utuh: %(members)d bagian, %(size)s, %(tables)d tabel, Guyub %(guyub)s, %(made_at)s")
            % {**found, "file": file.name, "size": size_of(found["size"])}
        )  # fmt: skip
