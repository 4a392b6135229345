"""``guyub demo``: synthetic Banyumas on this computer, ready to be tried in every role."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO, Any, cast

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from guyub.accounts.models import User
from guyub.accounts.services import DEMO_PASSWORD
from guyub.demo import services
from guyub.demo.files import SAMPLE_FILES
from guyub.demo.services import DemoState
from guyub.ui.serving import ServingError, port_is_free, serve

LOCAL = ("127.0.0.1", "localhost", "::1")
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104


class Command(BaseCommand):
    help = _("Menjalankan Guyub dengan data Banyumas rekaan, untuk dicoba.")
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--households", type=int, default=20_000, metavar="N",
            help=_("banyaknya keluarga (bawaan 20000; seluruh kabupaten sekitar 600000)"),
        )  # fmt: skip
        parser.add_argument("--seed", type=int, default=1, help=_("angka awal pengacakan"))
        parser.add_argument(
            "--fresh", action="store_true", help=_("hapus data demo yang ada, lalu buat lagi")
        )
        parser.add_argument("--host", default="127.0.0.1", help=_("alamat yang dilayani"))
        parser.add_argument("--port", type=int, default=8000, help=_("porta (bawaan 8000)"))
        parser.add_argument(
            "--no-serve", action="store_true", help=_("buat datanya saja, jangan jalankan server")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.console = Console(file=cast(IO[str], self.stdout), highlight=False)
        if settings.MODE == "production":
            raise CommandError(
                _("Demo tidak bisa dijalankan pada instalasi produksi (GUYUB_MODE=production).")
            )
        if options["households"] < 1:
            raise CommandError(_("Banyaknya keluarga (--households) paling sedikit 1."))
        serving = not options["no_serve"]
        host, port = options["host"], options["port"]
        if serving and not port_is_free(host, port):
            raise CommandError(
                _(
                    "Porta %(port)s sedang dipakai. Pilih yang lain, misalnya: guyub demo --port %(other)s"
                )
                % {"port": port, "other": port + 1}
            )
        try:
            self._prepare(options)
        except KeyboardInterrupt:
            self.console.print(_("Dihentikan. Jalankan lagi guyub demo untuk mulai dari awal."))
            raise SystemExit(130) from None
        self._show_accounts()
        self._show_samples()
        if serving:
            self._serve(host, port)

    def _prepare(self, options: dict[str, Any]) -> None:
        with self._steps() as step:
            with step(_("Basis data")):
                call_command("setup", verbosity=0)
            state = services.state()
            if state is DemoState.FOREIGN:
                raise CommandError(
                    _(
                        "Basis data ini berisi data yang bukan buatan demo, jadi tidak disentuh. "
                        "Pilih tempat lain, misalnya: GUYUB_DATA_DIR=demo guyub demo"
                    )
                )
            if state is DemoState.UNFINISHED or (state is DemoState.COMPLETE and options["fresh"]):
                with step(_("Menghapus data demo yang lama")):
                    services.wipe()
                    call_command("setup", verbosity=0)
                state = DemoState.EMPTY
            if state is DemoState.EMPTY:
                services.build(options["households"], options["seed"], step)
        if state is DemoState.COMPLETE:
            message = _(
                "Memakai data demo yang sudah ada: %(households)s keluarga, %(people)s orang. "
                "Untuk membuatnya lagi: guyub demo --fresh"
            )
        else:
            message = _("%(households)s keluarga dan %(people)s orang rekaan siap.")
        numbers = dict(zip(("households", "people"), services.size(), strict=True))
        shown = {name: number_format(n, force_grouping=True) for name, n in numbers.items()}
        self.console.print(f"\n{message % shown}\n")

    @contextlib.contextmanager
    def _steps(self) -> Iterator[services.Step]:
        """Give what opens a step: a line with its name, a bar and the time it takes."""
        progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=self.console,
        )

        @contextlib.contextmanager
        def step(name: str) -> Iterator[services.Tell]:
            task = progress.add_task(name, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
            progress.update(task, completed=1, total=1)
            progress.stop_task(task)

        with progress:
            yield step

    def _show_accounts(self) -> None:
        table = Table(
            title=_("Akun contoh (kata sandi semua: %(password)s)") % {"password": DEMO_PASSWORD},
            box=box.SIMPLE_HEAD,
            title_justify="left",
        )
        for heading in (_("Nama pengguna"), _("Peran"), _("Untuk")):
            table.add_column(heading)
        for user in (
            User.objects.filter(is_demo=True).select_related("agency", "area").order_by("pk")
        ):
            bound = user.agency.short_name if user.agency else user.area.title if user.area else ""
            table.add_row(user.username, str(user.get_role_display()), str(bound))
        self.console.print(table)
        self.console.print(
            _("Langkah kedua meminta kode verifikasi; kodenya tampil di halaman masuk."),
            style="dim",
        )

    def _show_samples(self) -> None:
        table = Table(
            title=_("Contoh berkas untuk dicoba diimpor, di %(folder)s")
            % {"folder": services.samples_folder()},
            box=box.SIMPLE_HEAD,
            title_justify="left",
        )
        for heading in (_("Berkas"), _("Dataset"), _("Isi")):
            table.add_column(heading)
        for sample in SAMPLE_FILES:
            table.add_row(sample.name, sample.dataset, str(sample.shows))
        self.console.print(table)

    def _serve(self, host: str, port: int) -> None:
        environment = {}
        if host not in LOCAL and "GUYUB_HOSTS" not in os.environ:
            # Whoever reaches the demo may see it: nobody in it exists.
            environment["GUYUB_HOSTS"] = "*" if host in ANYWHERE else ",".join((host, *LOCAL))
        shown = "localhost" if host in (*LOCAL, *ANYWHERE) else host

        def ready() -> None:
            self.console.print(
                _("Guyub berjalan di [bold]http://%(address)s/[/]   Ctrl-C untuk berhenti.")
                % {"address": f"{shown}:{port}"}
            )

        self.console.print(_("Menjalankan server…"), style="dim")
        try:
            serve(host, port, environment=environment, ready=ready)
        except ServingError as error:
            raise CommandError(
                _("Server berhenti sendiri (%(reason)s).") % {"reason": error}
            ) from error
        self.console.print(_("Guyub dihentikan. Data demo tetap tersimpan."))
