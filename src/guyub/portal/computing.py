"""How far the working out of a release is: told through files, as of long runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from guyub.longruns.folder import CancelledRunError, LongRunFolder, Progress
from guyub.portal.models import Release

# A worker that has said nothing for so long, in seconds, is taken for dead; the longest step takes a tenth.
SILENT = 120.0


class ComputingFolder(LongRunFolder):
    """Where the worker says how far it is; gone when the release is worked out."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.path = release.folder / "computing"

    def tell(self, stage: str, done: int, total: int) -> None:
        """Note progress.

        Raises:
            CancelledRunError: the release was thrown away meanwhile.
        """
        try:
            self.report(stage, done, total)
        except FileNotFoundError as error:
            raise CancelledRunError from error


@dataclass(frozen=True)
class State:
    """How far a release is, and whether it seems that nobody works on it any more."""

    progress: Progress
    is_waiting: bool
    is_silent: bool


def state_of(release: Release) -> State:
    """Return how far the working out of a release is."""
    folder = ComputingFolder(release)
    now = time.time()
    silence = folder.seconds_since_progress(now)
    waited = now - release.created_at.timestamp() if silence is None else silence
    return State(folder.progress(), silence is None, waited > SILENT)
