"""``guyub rekey``: seal everything with the present data key."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management import BaseCommand
from django.utils.translation import gettext as _

from guyub.imports.resealing import reseal_everything


class Command(BaseCommand):
    help = _("Menyegel ulang NIK, nomor KK, dan berkas dengan GUYUB_DATA_KEY yang sekarang.")

    def handle(self, *args: Any, **options: Any) -> None:
        def tick(place: str, rows: int) -> None:
            if sys.stderr.isatty():
                self.stderr.write(f"\r{place}: {rows:,}", ending="")

        done = reseal_everything(tick)
        for place, count in done.items():
            if count:
                self.stdout.write(f"{place}: {count:,}".replace(",", "."))
        self.stdout.write(
            _(
                "Selesai. Kunci lama boleh dihapus dari GUYUB_OLD_DATA_KEYS; simpan untuk cadangan "
                "lama."
            )
        )
