"""``guyub audit verify`` and ``guyub audit anchor``."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser

from guyub.audit.queries import verify_chain
from guyub.audit.services import drop_anchor
from guyub.audit.views import FAULTS


class Command(BaseCommand):
    help = "Memeriksa keutuhan jejak audit (verify) atau mencatat ujungnya di luar basis data (anchor)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("verify", "anchor"))

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "anchor":
            self._tell(drop_anchor())
            return

        def tick(done: int) -> None:
            if sys.stderr.isatty():
                self.stderr.write(f"\r{done:,} kejadian diperiksa", ending="")

        verdict = verify_chain(tick=tick)
        if not verdict.is_sound:
            self.stdout.write(
                f"RANTAI RUSAK pada kejadian nomor {verdict.sequence}: {FAULTS[verdict.fault]}."
            )
            sys.exit(1)
        self.stdout.write(f"Rantai utuh: {verdict.checked:,} kejadian.".replace(",", "."))
        self._tell(drop_anchor())

    def _tell(self, anchor: dict[str, Any]) -> None:
        self.stdout.write(
            f"Catat dan simpan di tempat lain: kejadian {anchor['sequence']}, segel {anchor['seal']}, "
            f"{anchor['at']}"
        )
