"""Files that no row speaks of: left by a process that died before the database had its transaction.

A file is written before the row that speaks of it is committed, so that no row is ever without its
file. The price is a file without its row where the transaction did not come about. Nobody could see or
delete such a file by Guyub's pages, though it may hold personal data.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from guyub.allocation.models import Scenario
from guyub.beneficiaries.models import Batch
from guyub.datasets.models import Version
from guyub.imports.models import ImportRun
from guyub.linking.models import LinkRun
from guyub.portal.models import Release
from guyub.targets.models import Estimate

# A transaction that still may commit is younger by far.
SETTLED = dt.timedelta(days=1)
BATCH = 2000
# How temporary folders of the data folder begin.
SCRATCH = ("survey-", ".cadangan-", ".periksa-")
# Folders of the data folder that hold one folder for each row, named by its key.
BY_KEY: dict[str, type[models.Model]] = {
    "allocations": Scenario,
    "batches": Batch,
    "imports": ImportRun,
    "linking": LinkRun,
    "publications": Release,
    "surveys": Estimate,
}


def find(settled: dt.timedelta = SETTLED) -> list[Path]:
    """Return the files and folders that belong to no row and were last written before ``settled``."""
    root = Path(settings.DATA_DIR)
    before = (timezone.now() - settled).timestamp()
    # The disk is looked at first: a row that comes meanwhile can only spare its file.
    found = [
        *(path for path in _uploads() if _is_old(path, before)),
        *(path for name in BY_KEY for path in _folders(root / name) if _is_old(path, before)),
        *(path for path in (root / "datasets").glob("*/*.parquet") if _is_old(path, before)),
        *(path for path in _unfinished(root) if _is_old(path, before)),
    ]
    known = _known(root) if found else set()
    return sorted(path for path in found if path not in known)


def remove(settled: dt.timedelta = SETTLED) -> int:
    """Delete what :func:`find` finds; return how many files and folders."""
    found = find(settled)
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(found)


def _is_old(path: Path, before: float) -> bool:
    try:
        newest = max(each.stat().st_mtime for each in (path, *path.rglob("*")))
    except FileNotFoundError:  # gone this moment
        return False
    return newest < before


def _uploads() -> Iterator[Path]:
    return (path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())


def _folders(place: Path) -> Iterator[Path]:
    return (path for path in place.glob("*") if path.is_dir())


def _unfinished(root: Path) -> Iterator[Path]:
    """Yield files that were being written, and folders that were to last as long as a process."""
    for name in ("datasets", "publications"):
        yield from (root / name).rglob("*.part")
    for beginning in SCRATCH:
        yield from root.glob(f"{beginning}*")


def _known(root: Path) -> set[Path]:
    known: set[Path] = set()
    with transaction.atomic():
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                if isinstance(field, models.FileField):
                    names = model._default_manager.exclude(**{field.name: ""})
                    known |= {
                        Path(settings.MEDIA_ROOT) / name
                        for name in names.values_list(field.name, flat=True).iterator(BATCH)
                    }
        for folder, model in BY_KEY.items():
            keys = model._default_manager.values_list("pk", flat=True)
            known |= {root / folder / str(key) for key in keys.iterator(BATCH)}
        for code, number in Version.objects.values_list("dataset__code", "number").iterator(BATCH):
            known.add(root / "datasets" / code / f"{number}.parquet")
    return known
