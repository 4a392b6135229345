from __future__ import annotations

import logging
import sys
import threading
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "guyub.operations"
    verbose_name = _("Kesehatan sistem")

    def ready(self) -> None:
        from django_tasks.signals import task_finished

        from guyub.longruns import resuming
        from guyub.operations.jobs import after_job, take_up_orphans

        task_finished.connect(after_job, dispatch_uid="guyub.operations.after_job")
        resuming.register(take_up_orphans)
        if settings.MODE == "production":
            _log_what_would_be_printed()


def _log_what_would_be_printed() -> None:
    """Send warnings and uncaught exceptions through the log, whose formatter leaves their text out.

    Python prints them otherwise, with whatever a message quotes.
    """
    log = logging.getLogger("guyub.operations")
    logging.captureWarnings(True)

    def process(kind: Any, error: Any, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("uncaught exception", exc_info=(kind, error, trace))

    def thread(args: Any) -> None:
        if args.exc_type is not SystemExit:
            log.critical(
                "uncaught exception in a thread",
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )

    sys.excepthook = process
    threading.excepthook = thread
