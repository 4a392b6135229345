"""``guyub import FILE --dataset CODE --as-of DATE``: the same import as in the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from guyub.accounts.models import User
from guyub.datasets.models import Dataset
from guyub.imports import services
from guyub.imports.causes import explain
from guyub.imports.corrections import write_corrections
from guyub.imports.fields import BY_NAME
from guyub.imports.models import Extent, ImportRun, State

STAGES = {"stage": "Membaca berkas", "check": "Memeriksa", "apply": "Menerapkan"}


class Command(BaseCommand):
    help = "Mengimpor daftar (CSV atau XLSX) ke sebuah dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="berkas CSV atau XLSX")
        parser.add_argument("--dataset", help="kode dataset")
        parser.add_argument("--as-of", help="tanggal keadaan data, YYYY-MM-DD")
        parser.add_argument(
            "--part", action="store_true", help="berkas berisi tambahan/perubahan saja"
        )
        parser.add_argument(
            "--map", action="append", default=[], metavar="JUDUL=FIELD",
            help=f"cocokkan kolom; field: {', '.join(BY_NAME)}",
        )  # fmt: skip
        parser.add_argument("--user", help="nama pengguna yang tercatat sebagai pengimpor")
        parser.add_argument(
            "--check-only", action="store_true", help="periksa saja, jangan terapkan"
        )
        parser.add_argument("--rejections", help="simpan baris yang ditolak ke berkas XLSX ini")
        parser.add_argument(
            "--resume", type=int, metavar="ID", help="lanjutkan impor yang terputus"
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
                self.console.print(f"Baris yang ditolak: {options['rejections']}")
            if run.state == State.CHECKED and not options["check_only"] and run.counts["accepted"]:
                run = self._work(services.approve(run, run.created_by))
                self._report(run)
        except services.RefusedImportError as error:
            raise CommandError(str(error)) from error
        if run.state in (State.FAILED, State.CANCELLED):
            raise CommandError(run.error or "Impor dibatalkan.")
        if run.state == State.CHECKED and not options["check_only"]:
            raise CommandError("Tidak ada baris yang diterima.")

    def _resumed(self, options: dict[str, Any]) -> ImportRun:
        run = ImportRun.objects.filter(pk=options["resume"]).first()
        if run is None:
            raise CommandError(f"Impor nomor {options['resume']} tidak ada.")
        return run

    def _begun(self, options: dict[str, Any]) -> ImportRun:
        for name in ("file", "dataset", "as_of"):
            if not options[name]:
                raise CommandError(
                    "Cara pakai: guyub import BERKAS --dataset KODE --as-of YYYY-MM-DD"
                )
        dataset = Dataset.objects.filter(code=options["dataset"]).first()
        if dataset is None:
            codes = ", ".join(Dataset.objects.values_list("code", flat=True))
            raise CommandError(f"Dataset “{options['dataset']}” tidak ada. Yang ada: {codes}")
        try:
            as_of = dt.date.fromisoformat(options["as_of"])
        except ValueError as error:
            raise CommandError("Tanggal --as-of ditulis YYYY-MM-DD.") from error
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(f"Berkas {path} tidak ada.")
        actor = None
        if options["user"]:
            actor = User.objects.filter(username=options["user"]).first()
            if actor is None:
                raise CommandError(f"Pengguna “{options['user']}” tidak ada.")
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
            f"Impor nomor {run.pk}. Bila terputus: guyub import --resume {run.pk}", highlight=False
        )
        mapping = dict(run.mapping)
        headings = run.layout["headings"]
        for pair in options["map"]:
            heading, _equals, field = pair.partition("=")
            if heading not in headings or field not in BY_NAME:
                raise CommandError(
                    f"--map {pair}: judul atau field tidak dikenal. Judul: {headings}"
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
                    bar, description=STAGES.get(stage, stage), completed=done, total=total or None
                )

            return services.work(run.pk, report)

    def _report(self, run: ImportRun) -> None:
        counts = run.counts
        lines = [
            ("Baris", "rows"), ("Diterima", "accepted"), ("Ditolak", "rejected"), ("Baru", "added"),
            ("Berubah", "changed"), ("Tetap", "unchanged"), ("Keluar dari daftar", "removed"),
            ("Orang baru di registri", "new_people"), ("Keluarga baru di registri", "new_households"),
            ("Beda dengan registri", "differences"),
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
