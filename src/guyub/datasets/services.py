"""Writes on datasets and their versions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from guyub.audit import services as audit
from guyub.datasets.models import Dataset, Version


@transaction.atomic
def create_dataset(*, actor: Any, **values: Any) -> Dataset:
    """Create a dataset. ``values`` are the model's fields."""
    dataset = Dataset.objects.create(**values)
    audit.record("datasets.dataset.create", actor=actor, subject=dataset)
    return dataset


@transaction.atomic
def update_dataset(dataset: Dataset, *, actor: Any, **values: Any) -> Dataset:
    """Change a dataset's description, owner, legal basis or cadence."""
    changed = [name for name, value in values.items() if getattr(dataset, name) != value]
    if changed:
        for name in changed:
            setattr(dataset, name, values[name])
        dataset.save(update_fields=changed)
        audit.record(
            "datasets.dataset.update", actor=actor, subject=dataset, detail={"fields": changed}
        )
    return dataset


@transaction.atomic
def add_version(dataset: Dataset, *, as_of: dt.date, created_by: Any, **values: Any) -> Version:
    """Add the next version. It becomes the current one unless a version with a later date exists.

    ``values`` are the counts, the file's name and its digest. When the dataset's current version is
    the reference, the mark moves on to the new one: the regency settled on the dataset, and its
    newest state is what everybody should look at.
    """
    locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
    last = Version.objects.filter(dataset=locked).order_by("-number").first()
    version = Version.objects.create(
        dataset=locked,
        number=(last.number if last else 0) + 1,
        as_of=as_of,
        created_by=created_by,
        **values,
    )
    current = locked.current_version
    if current is None or as_of >= current.as_of:
        if current is not None and current.is_reference:
            Version.objects.filter(pk=current.pk).update(is_reference=False)
            version.is_reference = True
            version.save(update_fields=["is_reference"])
        locked.current_version = version
        locked.save(update_fields=["current_version"])
        dataset.current_version = version
    audit.record(
        "datasets.version.add",
        actor=created_by,
        subject=version,
        detail={"dataset": locked.code, "number": version.number, "people": version.people},
    )
    return version


@transaction.atomic
def mark_reference(version: Version, *, actor: Any, reason: str) -> Version:
    """Make ``version`` the one that all agencies refer to."""
    Version.objects.filter(is_reference=True).exclude(pk=version.pk).update(is_reference=False)
    version.is_reference = True
    version.save(update_fields=["is_reference"])
    audit.record("datasets.version.mark_reference", actor=actor, subject=version, reason=reason)
    return version


def log_export(version: Version, *, actor: Any, reason: str, rows: int, full_numbers: bool) -> None:
    """Log that a version was taken out as a file."""
    audit.record(
        "datasets.version.export",
        actor=actor,
        subject=version,
        reason=reason,
        detail={"rows": rows, "full_numbers": full_numbers},
    )
