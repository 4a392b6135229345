"""``guyub worker``: does the long jobs."""

from __future__ import annotations

import threading
from typing import Any

from django.core.management import BaseCommand, call_command
from django.db import connection

from guyub.imports.tasks import resumers

LOOK_EVERY = 60.0  # seconds


def take_up_abandoned() -> int:
    """Queue again the long jobs whose worker died; return how many."""
    return sum(resume() for resume in resumers)


class Command(BaseCommand):
    help = "Mengerjakan pekerjaan panjang (impor, penerima) di latar belakang."

    def handle(self, *args: Any, **options: Any) -> None:
        found = take_up_abandoned()
        if found:
            self.stdout.write(f"Melanjutkan {found} pekerjaan yang terputus.")
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(LOOK_EVERY):
                try:
                    take_up_abandoned()
                finally:
                    connection.close()

        threading.Thread(target=watch, daemon=True).start()
        try:
            call_command("db_worker", reload=False, interval=1.0)
        finally:
            stop.set()
