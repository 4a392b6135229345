"""``guyub import FILE --dataset CODE --as-of DATE``: the same import as in the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from guyub.accounts.models import User
from guyub.datasets.models import Dataset
from guyub.imports import services
from guyub.imports.causes import explain
from guyub.imports.corrections import write_corrections
from guyub.imports.fields import BY_NAME
from guyub.imports.models import Extent, ImportRun, State

STAGES = {
    "stage": gettext_lazy("Membaca berkas"),
    "check": gettext_lazy("Memeriksa"),
    "apply": gettext_lazy("Menerapkan"),
}


class Command(BaseCommand):
    help = _("Mengimpor daftar (CSV atau XLSX) ke sebuah dataset.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help=_("berkas CSV atau XLSX"))
        parser.add_argument("--dataset", help=_("kode dataset"))
        parser.add_argument("--as-of", help=_("tanggal keadaan data, YYYY-MM-DD"))
        parser.add_argument(
            "--part", action="store_true", help=_("berkas berisi tambahan/perubahan saja")
        )
        parser.add_argument(
            "--map", action="append", default=[], metavar="JUDUL=FIELD",
            help=_("cocokkan kolom; field: %(fields)s") % {"fields": ", ".join(BY_NAME)},
        )  # fmt: skip
        parser.add_argument("--user", help=_("nama pengguna yang tercatat sebagai pengimpor"))
        parser.add_argument(
            "--check-only", action="store_true", help=_("periksa saja, jangan terapkan")
        )
        parser.add_argument("--rejections", help=_("simpan baris yang ditolak ke berkas XLSX ini"))
        parser.add_argument(
            "--resume", type=int, metavar="ID", help=_("lanjutkan impor yang terputus")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.console = Console(stderr=False, soft_wrap=True)
        try:
            run = self._resumed(options) if options["resume"] else self._begun(options)
            if run.state in (State.CHECKING, State.APPLYING):
                run = self._work(run)
            self._report(run)
            if options["rejections"] and run.counts.get("rejected"):
                write_corrections(run, Path(options["rejections"]))
                self.console.print(
                    _("Baris yang ditolak: %(path)s") % {"path": options["rejections"]}
                )
            if run.state == State.CHECKED and not options["check_only"] and run.counts["accepted"]:
                run = self._work(services.approve(run, run.created_by))
                self._report(run)
        except services.RefusedImportError as error:
            raise CommandError(str(error)) from error
        if run.state in (State.FAILED, State.CANCELLED):
            raise CommandError(run.error or _("Impor dibatalkan."))
        if run.state == State.CHECKED and not options["check_only"]:
            raise CommandError(_("Tidak ada baris yang diterima."))

    def _resumed(self, options: dict[str, Any]) -> ImportRun:
        run = ImportRun.objects.filter(pk=options["resume"]).first()
        if run is None:
            raise CommandError(
                _("Impor nomor %(number)d tidak ada.") % {"number": options["resume"]}
            )
        return run

    def _begun(self, options: dict[str, Any]) -> ImportRun:
        for name in ("file", "dataset", "as_of"):
            if not options[name]:
                raise CommandError(
                    _("Cara pakai: guyub import BERKAS --dataset KODE --as-of YYYY-MM-DD")
                )
        dataset = Dataset.objects.filter(code=options["dataset"]).first()
        if dataset is None:
            codes = ", ".join(Dataset.objects.values_list("code", flat=True))
            raise CommandError(
                _("Dataset “%(code)s” tidak ada. Yang ada: %(known)s")
                % {"code": options["dataset"], "known": codes}
            )
        try:
            as_of = dt.date.fromisoformat(options["as_of"])
        except ValueError as error:
            raise CommandError(_("Tanggal --as-of ditulis YYYY-MM-DD.")) from error
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(_("Berkas %(path)s tidak ada.") % {"path": path})
        actor = None
        if options["user"]:
            actor = User.objects.filter(username=options["user"]).first()
            if actor is None:
                raise CommandError(_("Pengguna “%(name)s” tidak ada.") % {"name": options["user"]})
        extent = Extent.PART if options["part"] else Extent.WHOLE
        run = services.start(
            dataset,
            as_of=as_of,
            file_name=path.name,
            chunks=_chunks(path),
            actor=actor,
            extent=extent,
        )
        self.console.print(
            _("Impor nomor %(number)d. Bila terputus: guyub import --resume %(number)d")
            % {"number": run.pk},
            highlight=False,
        )
        mapping = dict(run.mapping)
        headings = run.layout["headings"]
        for pair in options["map"]:
            heading, _equals, field = pair.partition("=")
            if heading not in headings or field not in BY_NAME:
                raise CommandError(
                    _("--map %(pair)s: judul atau field tidak dikenal. Judul: %(headings)s")
                    % {"pair": pair, "headings": ", ".join(map(str, headings))}
                )
            mapping = {position: name for position, name in mapping.items() if name != field}
            mapping[str(headings.index(heading))] = field
        return services.confirm_mapping(run, mapping, actor)

    def _work(self, run: ImportRun) -> ImportRun:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            bar = progress.add_task("", total=None)

            def report(stage: str, done: int, total: int) -> None:
                progress.update(
                    bar,
                    description=str(STAGES.get(stage, stage)),
                    completed=done,
                    total=total or None,
                )

            return services.work(run.pk, report)

    def _report(self, run: ImportRun) -> None:
        counts = run.counts
        lines = [
            (_("Baris"), "rows"), (_("Diterima"), "accepted"), (_("Ditolak"), "rejected"),
            (_("Baru"), "added"), (_("Berubah"), "changed"), (_("Tetap"), "unchanged"),
            (_("Keluar dari daftar"), "removed"), (_("Orang baru di registri"), "new_people"),
            (_("Keluarga baru di registri"), "new_households"),
            (_("Beda dengan registri"), "differences"),
        ]  # fmt: skip
        self.console.print(f"[bold]{run.get_state_display()}[/bold]")
        for label, key in lines:
            if key in counts:
                self.console.print(f"  {label:<26} {counts[key]:>12,}".replace(",", "."))
        for cause, rows in counts.get("causes", {}).items():
            self.console.print(f"    {rows:>8} × {explain(cause)[0]}", highlight=False)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block
