"""``guyub load``: what every installation knows from the start, its areas and agencies."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand
from django.utils.translation import gettext as _

from guyub.agencies.services import load_agencies
from guyub.areas.services import load_regency


class Command(BaseCommand):
    help = _("Memuat wilayah dan perangkat daerah kabupaten; aman diulang.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(_("%(count)d wilayah") % {"count": load_regency()})
        self.stdout.write(_("%(count)d perangkat daerah dan mitra") % {"count": load_agencies()})
