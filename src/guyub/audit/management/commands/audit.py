"""``guyub audit verify`` and ``guyub audit anchor``."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from guyub.audit.queries import verify_chain
from guyub.audit.services import drop_anchor
from guyub.audit.views import FAULTS


class Command(BaseCommand):
    help = _(
        "Memeriksa keutuhan jejak audit (verify) atau mencatat ujungnya di luar basis data (anchor)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("verify", "anchor"))

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "anchor":
            self._tell(drop_anchor())
            return

        def tick(done: int) -> None:
            if sys.stderr.isatty():
                text = _("%(count)s kejadian diperiksa") % {"count": number_format(done)}
                self.stderr.write(f"\r{text}", ending="")

        verdict = verify_chain(tick=tick)
        if not verdict.is_sound:
            self.stdout.write(
                _("RANTAI RUSAK pada kejadian nomor %(number)d: %(fault)s.")
                % {"number": verdict.sequence, "fault": FAULTS[verdict.fault]}
            )
            sys.exit(1)
        self.stdout.write(
            _("Rantai utuh: %(count)s kejadian.") % {"count": number_format(verdict.checked)}
        )
        self._tell(drop_anchor())

    def _tell(self, anchor: dict[str, Any]) -> None:
        self.stdout.write(
            _("Catat dan simpan di tempat lain: kejadian %(sequence)d, segel %(seal)s, %(at)s")
            % anchor
        )
