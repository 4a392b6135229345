"""``guyub serve``: the web server and the worker, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.utils.translation import gettext as _

from guyub.ui.serving import ServingError, port_is_free, serve


class Command(BaseCommand):
    help = _("Menjalankan server web beserta pekerja impor.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host", default="127.0.0.1", help=_("alamat yang dilayani (bawaan 127.0.0.1)")
        )
        parser.add_argument("--port", type=int, default=8000, help=_("porta (bawaan 8000)"))
        parser.add_argument("--workers", type=int, default=2, help=_("proses server (bawaan 2)"))
        parser.add_argument(
            "--threads", type=int, default=4, help=_("permintaan serentak tiap proses (bawaan 4)")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # What the web server would refuse, said before it starts.
        self.check(databases=["default"])
        host, port = options["host"], options["port"]
        if not port_is_free(host, port):
            raise CommandError(_("Porta %(port)s sedang dipakai.") % {"port": port})
        if settings.MODE == "production":
            call_command("collectstatic", interactive=False, verbosity=0)
        try:
            serve(
                host,
                port,
                workers=options["workers"],
                threads=options["threads"],
                ready=lambda: self.stdout.write(
                    _("Guyub berjalan di http://%(address)s/") % {"address": f"{host}:{port}"}
                ),
            )
        except ServingError as error:
            raise CommandError(
                _("Server berhenti sendiri (%(reason)s).") % {"reason": error}
            ) from error
