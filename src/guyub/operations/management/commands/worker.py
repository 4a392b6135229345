"""``guyub worker``: does the long jobs."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from django.core.management import BaseCommand, call_command
from django.db import connection
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from guyub.longruns.resuming import take_up_all
from guyub.operations import jobs
from guyub.ui.serving import running

LOOK_EVERY = 60.0  # seconds

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = _("Mengerjakan pekerjaan panjang (impor, penerima) di latar belakang.")

    def handle(self, *args: Any, **options: Any) -> None:
        with running():
            self._work()

    def _work(self) -> None:
        name = jobs.worker_name(get_random_string(6))
        jobs.beat(name)
        found = take_up_all()
        if found:
            self.stdout.write(
                _("Melanjutkan %(count)d pekerjaan yang terputus.") % {"count": found}
            )
        stop = threading.Event()

        def watch() -> None:
            looked = time.monotonic()
            while not stop.wait(jobs.BEAT_SECONDS):
                try:
                    jobs.beat(name)
                    if time.monotonic() - looked >= LOOK_EVERY:
                        looked = time.monotonic()
                        take_up_all()
                except Exception:
                    # A database that is away for a moment must not end the watch.
                    log.exception("the worker's watch failed")
                finally:
                    connection.close()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            call_command("db_worker", reload=False, interval=1.0, worker_id=name)
        finally:
            stop.set()
            watcher.join(5)
            jobs.leave(name)
