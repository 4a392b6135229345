"""Long runs: work that outlives a request, done by the worker, that may be killed at any moment.

A long run is a row of an app (an import, a batch of recipients, a linking, a scenario) and a folder
(:mod:`guyub.longruns.folder`). This is the contract of all of them:

- States. The row's state says whether the run is *working*, that is, whether a worker shall be at it, or
  waits for a person, or has ended. An app may have several working states, one a stage.
- Whose it is. Only the process that holds the folder (:func:`held`) does the work, and only while the row
  is in a working state. A second one that comes finds it held and does nothing.
- Abandoned is a run whose row is in a working state while no process holds it (:func:`abandoned`). No clock
  is asked: a stage may be silent for long, and the operating system lets go of the hold of a dead process.
- Resuming. The worker queues abandoned runs again when it starts and each minute
  (:mod:`guyub.longruns.resuming`), and the stage is done anew. So a stage only writes files that appear whole
  or not at all, and to the database in one transaction, the one that takes the row out of its working state.
- Cancelling. Whoever may run such a run may cancel one that has not ended (the view's permission). The wish
  is laid into the folder (:func:`cancel`). A process at work finds it at its next report of progress, and
  what its transaction wrote is undone; where no process is at work the run ends at once.
- Ending (:func:`carry_out`). What a service refuses is told to the user in its own words. Any other error is
  told in general words and logged without its text, which may quote the data. Scratch is emptied.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.longruns.folder import CancelledRunError, LongRunFolder

log = logging.getLogger("guyub.longruns")
Run = TypeVar("Run", bound=Model)


@contextlib.contextmanager
def held(folder: LongRunFolder) -> Iterator[bool]:
    """Hold a run for this process; gives ``False`` when another holds it.

    The operating system lets go of the hold when a process dies, however it dies.
    """
    folder.make()
    with (folder.path / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def abandoned(working: Iterable[Run], folder: Callable[[int], LongRunFolder]) -> list[Run]:
    """Return those of ``working``, rows in a working state, that no process holds.

    ``folder`` gives the folder of a row's number.
    """
    lost = []
    for run in working:
        with held(folder(run.pk)) as mine:
            if mine:
                lost.append(run)
    return lost


def cancel(run: Any, folder: LongRunFolder, end: Callable[[], None]) -> None:
    """Have a run stop that has not ended.

    ``end`` notes that it was cancelled, in a transaction, where no process is at work. Else that process
    does so, at its next report.
    """
    folder.ask_to_cancel()
    with held(folder) as mine:
        if mine:
            with transaction.atomic():
                run.refresh_from_db()
                if run.is_open:
                    end()


def carry_out(
    do: Callable[[], None],
    *,
    about: str,
    refusals: tuple[type[Exception], ...],
    cancelled: Callable[[], None],
    failed: Callable[[str], None],
    trouble: str = "",
) -> None:
    """Do a stage of a run that this process holds, and end the run unless it went well.

    Args:
        do: the stage; it takes the row out of its working state itself.
        about: what the log calls the run: its kind and number, nothing of its data.
        refusals: errors whose text is written for the user.
        cancelled: notes in the row, within a transaction, that somebody stopped it.
        failed: notes in the row why it went wrong.
        trouble: what the user is told of any other error; else that nothing has changed.
    """
    try:
        do()
    except CancelledRunError:
        with transaction.atomic():
            cancelled()
    except refusals as error:
        told = error.messages if isinstance(error, ValidationError) else [str(error)]
        failed(" ".join(told))
    except Exception:
        # The text of such an error may quote the data, so it goes neither to the page nor the log.
        log.error("%s failed", about, exc_info=settings.MODE == "test")
        failed(trouble or _("Ada gangguan di sistem. Tidak ada yang berubah; coba lagi."))


def end(run: Any, state: str, folder: LongRunFolder, error: str = "") -> None:
    """Note that a run has ended in ``state`` and since when, with the ``error``, and empty its scratch."""
    run.state, run.error, run.finished_at = state, error, timezone.now()
    run.save(update_fields=["state", "error", "finished_at"])
    folder.clear_work()
