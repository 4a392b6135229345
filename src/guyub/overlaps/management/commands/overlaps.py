"""``guyub overlaps``: finds overlap and gaps anew."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from guyub.overlaps import queries, services


class Command(BaseCommand):
    help = _("Menghitung ulang tumpang tindih program dan kesenjangan bantuan.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--year", type=int, help=_("tahun anggaran (bawaan: tahun ini dan sesudahnya)")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        known = queries.years()
        if options["year"] is not None and options["year"] not in known:
            listed = ", ".join(str(year) for year in known) or "-"
            raise CommandError(
                _("Tidak ada sub kegiatan tahun %(year)s. Tahun yang ada: %(known)s.")
                % {"year": options["year"], "known": listed}
            )
        for year in [options["year"]] if options["year"] else queries.years_in_work():
            started = time.perf_counter()
            totals = services.reckon(year).totals
            summary = queries.summary(year)
            self.stdout.write(
                _(
                    "%(year)s: %(cases)s kasus terbuka, %(doubled)s keluarga rangkap, "
                    "%(missed)s terlewat, %(outside)s di luar sasaran (%(seconds).1f detik)."
                )
                % {
                    **totals,
                    "year": year,
                    "cases": summary.open_cases,
                    "seconds": time.perf_counter() - started,
                }
            )
