"""A file on its way in: kept and looked at before any row speaks of it.

So a row is never without its file, whenever the process dies. What a dead process leaves is a folder
that no row speaks of, which ``guyub daily`` does away with.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from guyub.access.sealed_files import opened, sealed_writer
from guyub.imports import reading
from guyub.imports.folder import RunFolder
from guyub.imports.reading import Layout, UnreadableFileError

PREFIX = "masuk-"


@dataclass
class Incoming:
    """A file that can be read: its size in bytes, its SHA-256, and what its head shows."""

    path: Path  # of its folder
    size: int
    digest: str
    layout: Layout

    def give_to(self, folder: RunFolder) -> None:
        """Make its folder that of a run, within the transaction that writes the run's row."""
        folder.remove()
        os.rename(self.path, folder.path)


@contextlib.contextmanager
def take_in(kind: type[RunFolder], chunks: Iterable[bytes]) -> Iterator[Incoming]:
    """Keep an uploaded file, sealed, beside the folders of ``kind``, and look at its head.

    Unless it is given to a run within the block, nothing of it stays.

    Raises:
        UnreadableFileError: the file is too large or can't be read.
    """
    folder = kind(0)
    folder.path = waiting = folder.path.with_name(PREFIX + uuid.uuid4().hex)
    folder.make()
    try:
        size, digest = _keep(chunks, folder.source(".bin"))
        with opened(folder.source(".bin")) as source:
            layout = reading.look(source)
        yield Incoming(waiting, size, digest, layout)
    finally:
        shutil.rmtree(waiting, ignore_errors=True)


def _keep(chunks: Iterable[bytes], target: Path) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with sealed_writer(target) as out:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                raise UnreadableFileError(
                    _("Berkas lebih dari %(limit)s MB. Bagi menjadi beberapa berkas.")
                    % {"limit": settings.IMPORT_MAX_BYTES // (1024 * 1024)}
                )
            digest.update(chunk)
            out.write(chunk)
    return size, digest.hexdigest()
