"""How the progress of a long run is shown: what ``longruns/_progress.html`` needs to know."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from guyub.longruns.folder import LongRunFolder


def shown(
    folder: LongRunFolder,
    stages: Mapping[str, Any],
    *,
    percent: int | None = None,
    silent_after: float | None = 30,
) -> dict[str, Any]:
    """Return how far a run is, in the words of ``stages``.

    Args:
        folder: the run's.
        stages: what the user calls each stage.
        percent: where it lies on the one bar that the user sees; else how far the stage itself is.
        silent_after: after how many seconds without news a run is said to wait for a worker. ``None``
            where a stage may be silent for long: then only one that never began.
    """
    told = folder.progress()
    silent = folder.seconds_since_progress(time.time())
    return {
        "percent": told.percent if percent is None else percent,
        "stage": stages.get(told.stage, _("Menunggu giliran")),
        # While a file is read, nobody knows how many there will be.
        "rows": told.done if told.stage == "stage" and not told.total else 0,
        "waiting": silent is None or (silent_after is not None and silent > silent_after),
        "cancelling": folder.cancel_wanted,
    }
