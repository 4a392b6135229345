"""``guyub scorecard``: keep the scores of the quarter that has ended."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand
from django.utils.translation import gettext as _

from guyub.scorecard import services


class Command(BaseCommand):
    help = _("Menyimpan nilai kolaborasi triwulan yang baru lewat.")

    def handle(self, *args: Any, **options: Any) -> None:
        kept = services.keep_due()
        for quarter in kept:
            self.stdout.write(_("Nilai triwulan %(quarter)s disimpan.") % {"quarter": quarter})
        if not kept:
            self.stdout.write(_("Tidak ada triwulan yang perlu disimpan."))
