"""The worker's part: erasing an approved disposal in small transactions, each whole or not at all.

A record is first taken out of the database, together with a note of the files and numbers that still
have to go; then its files go, and the numbers are taken out of lists. Whatever dies in between is taken
up from these notes: no step harms when it is done twice.
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from guyub.audit import services as audit
from guyub.retention import lists, queries
from guyub.retention.models import Disposal, Item, ItemState, State

CHUNK = 50


def carry_out(disposal_id: int) -> Disposal:
    """Do what is left of an approved disposal; nothing when it is not approved or is done."""
    disposal = Disposal.objects.get(pk=disposal_id)
    if disposal.state != State.APPROVED:
        return disposal
    while _erase_some(disposal):
        _remove_files(disposal)
    _remove_files(disposal)
    _clear_lists(disposal)
    return _finish(disposal)


@transaction.atomic
def _erase_some(disposal: Disposal) -> bool:
    """Take the next records out of the database; ``False`` when none is left."""
    # One worker at a time: a second one waits here and then finds what the first left.
    Disposal.objects.select_for_update().get(pk=disposal.pk)
    items = list(
        disposal.items.select_for_update(of=("self",)).filter(state=ItemState.WAITING)[:CHUNK]
    )
    if not items:
        return False
    kind = disposal.record_class
    before = disposal.cutoff or timezone.localdate() + dt.timedelta(days=1)
    ids = [item.record_id for item in items]
    held = set(
        queries.holds(disposal.code).filter(record_id__in=ids).values_list("record_id", flat=True)
    )
    # Somebody may have come back on a list since it was proposed.
    due = [pk for pk, _day in kind.due(before, ids) if pk not in held]
    left = kind.erase(due, before)
    for item in items:
        rest = left.get(item.record_id)
        if rest is None:
            item.state = ItemState.HELD if item.record_id in held else ItemState.SKIPPED
        else:
            item.files, item.numbers = rest.files, rest.numbers
            item.state = ItemState.FILES if rest.files or rest.numbers else ItemState.DONE
    Item.objects.bulk_update(items, ["state", "files", "numbers"])
    return True


def _remove_files(disposal: Disposal) -> None:
    """Delete the stored files of what was erased, and note that they are gone."""
    for item in disposal.items.filter(state=ItemState.FILES).exclude(files=[]):
        for name in item.files:
            _remove(name)
        with transaction.atomic():
            current = Disposal.objects.select_for_update().get(pk=disposal.pk)
            fresh = Item.objects.select_for_update().get(pk=item.pk)
            if fresh.files:
                current.outcome["files"] = current.outcome.get("files", 0) + len(fresh.files)
                current.save(update_fields=["outcome"])
            fresh.files = []
            fresh.state = ItemState.FILES if fresh.numbers else ItemState.DONE
            fresh.save(update_fields=["files", "state"])


def _remove(name: str) -> None:
    """Delete a stored file, or what lies under a path of the data folder (beginning with a slash)."""
    if not name.startswith("/"):
        default_storage.delete(name)
        return
    root = Path(settings.DATA_DIR).resolve()
    path = (root / name.lstrip("/")).resolve()
    if root not in path.parents:
        raise ValueError(name)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _clear_lists(disposal: Disposal) -> None:
    """Take the numbers of erased people out of lists that lie in files: all at once, they are long."""
    waiting = disposal.items.filter(state=ItemState.FILES)
    numbers = sorted({number for item in waiting for number in item.numbers})
    counted = lists.take_out(numbers)
    with transaction.atomic():
        current = Disposal.objects.select_for_update().get(pk=disposal.pk)
        for name, count in counted.items():
            current.outcome[name] = current.outcome.get(name, 0) + count
        current.save(update_fields=["outcome"])
        waiting.update(numbers=[], state=ItemState.DONE)


@transaction.atomic
def _finish(disposal: Disposal) -> Disposal:
    current = Disposal.objects.select_for_update().get(pk=disposal.pk)
    if current.state != State.APPROVED:
        return current
    current.state, current.finished_at = State.DONE, timezone.now()
    current.outcome |= queries.counts(current)
    current.save()
    audit.record(
        "retention.disposal.done", subject=current,
        detail={"class": current.code, **current.outcome},
    )  # fmt: skip
    return current
