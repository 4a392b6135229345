"""The journal of a merge: each changed row with its values before and after, so that it can be undone.

Values are compared field by field when a merge is undone. What still stands as the merge left it goes
back; what somebody changed since stays, and is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import models

from guyub.reconciliation.models import Merge, MergedRow

# {"field": origin}: undone key by key, for other fields may get other origins meanwhile.
BY_KEY = "origins"
# Of the person or family card itself; they never leave their record, nor enter the journal.
NUMBERS = ("nik", "kk")


def plain(value: Any) -> Any:
    """Return a value as the journal holds it."""
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return value


class Journal:
    """Changes rows for a merge and notes what they were."""

    def __init__(self, merge: Merge) -> None:
        self.merge = merge
        self.rows: list[MergedRow] = []

    def note(self, row: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Note a change that was made; also that a row had a part in the merge without a change."""
        self.rows.append(
            MergedRow(
                merge=self.merge,
                model=row._meta.label_lower,
                row_id=row.pk,
                before={name: plain(value) for name, value in before.items()},
                after={name: plain(value) for name, value in after.items()},
            )
        )

    def change(self, row: Any, **values: Any) -> None:
        """Set fields of a row, foreign keys by id, and note what they were."""
        assert not set(values) & set(NUMBERS), "numbers stay with their record"
        columns = {row._meta.get_field(name).attname: value for name, value in values.items()}
        before = {name: getattr(row, name) for name in columns}
        columns = {name: value for name, value in columns.items() if before[name] != value}
        if not columns:
            return
        for name, value in columns.items():
            setattr(row, name, value)
        row.save(update_fields=_with_stamp(row, columns))
        self.note(row, {name: before[name] for name in columns}, columns)

    @contextmanager
    def watching(self, row: Any, *names: str) -> Iterator[None]:
        """Note what the inner block makes of the fields ``names`` of a row."""
        before = {name: getattr(row, name) for name in names}
        yield
        row.refresh_from_db(fields=names)
        changed = [name for name in names if getattr(row, name) != before[name]]
        if changed:
            self.note(
                row,
                {name: before[name] for name in changed},
                {name: getattr(row, name) for name in changed},
            )

    def keep(self) -> None:
        """Write the notes."""
        MergedRow.objects.bulk_create(self.rows)
        self.rows = []


def _with_stamp(row: Any, columns: Any) -> list[str]:
    stamp = ["updated_at"] if any(f.name == "updated_at" for f in row._meta.concrete_fields) else []
    return [*columns, *stamp]


def put_back(merge: Merge, loser: tuple[str, int]) -> list[tuple[str, int, str]]:
    """Undo the changes of a merge, last first; return what was changed since and so stays.

    The record ``loser`` (model label and id) goes back whatever happened: nobody edits it while it is
    merged, it is only taken along.
    """
    kept: list[tuple[str, int, str]] = []
    for noted in reversed(list(merge.rows.all())):
        if not noted.before:
            continue
        model: type[models.Model] = apps.get_model(noted.model)
        row: Any = model._default_manager.select_for_update().filter(pk=noted.row_id).first()
        if row is None:
            kept += [(noted.model, noted.row_id, name) for name in noted.before]
            continue
        restored = []
        for name, before in noted.before.items():
            field: Any = model._meta.get_field(name)
            now, after = getattr(row, field.attname), noted.after[name]
            if name == BY_KEY:
                setattr(row, name, _origins_back(now, before, after))
            elif plain(now) == after or (noted.model, noted.row_id) == loser:
                target = field.target_field if field.is_relation else field
                setattr(row, field.attname, target.to_python(before))
            else:
                kept.append((noted.model, noted.row_id, name))
                continue
            restored.append(field.attname)
        if restored:
            row.save(update_fields=_with_stamp(row, restored))
    return kept


def _origins_back(now: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> Any:
    found = dict(now)
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name) and now.get(name) == after.get(name):
            if name in before:
                found[name] = before[name]
            else:
                found.pop(name, None)
    return found
