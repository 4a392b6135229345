"""Reading import runs and what their files hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from django.db.models import QuerySet

from guyub.access.permissions import Scope, scope_of
from guyub.imports.causes import explain
from guyub.imports.fields import BY_NAME
from guyub.imports.folder import RunFolder, rows_in
from guyub.imports.models import ImportRun
from guyub.imports.reading import NUMBER_MARK


def runs_for(user: Any) -> QuerySet[ImportRun]:
    """Return the runs that ``user`` may see, newest first."""
    runs = ImportRun.objects.select_related("dataset__owner", "created_by")
    scope = scope_of(user, "imports.view")
    if scope is None:
        return runs.none()
    return runs if scope is Scope.ANY else runs.filter(dataset__owner_id=user.agency_id)


@dataclass(frozen=True)
class Rejection:
    """One fault of one row, in the user's words. ``value`` is as the file has it."""

    row_number: int
    column: str
    value: str
    what: str
    how: str

    @property
    def shown_value(self) -> str:
        """The value with the middle of long numbers hidden, for showing on a page."""
        value = self.value.removeprefix(NUMBER_MARK)
        if sum(c.isdigit() for c in value) >= 12:
            return f"{value[:6]}{'•' * max(len(value) - 9, 1)}{value[-3:]}"
        return value


def rejections(run: ImportRun, offset: int, limit: int, cause: str = "") -> list[Rejection]:
    """Return a page of a run's rejections by row; ``cause`` narrows to one kind of fault."""
    path = RunFolder(run.pk).rejected
    if not path.exists():
        return []
    with rows_in(path) as source:
        rows = duckdb.execute(
            f"SELECT row_number, position, field, value, cause, hint FROM {source} "  # noqa: S608
            "WHERE ? = '' OR cause = ? ORDER BY row_number, position LIMIT ? OFFSET ?",
            [cause, cause, limit, offset],
        ).fetchall()
    return [as_rejection(run, *row) for row in rows]


def as_rejection(
    run: ImportRun,
    row_number: int,
    position: int | None,
    field: str,
    value: str | None,
    cause: str,
    hint: str | None,
) -> Rejection:
    headings = run.layout.get("headings", [])
    if position is not None and position < len(headings):
        column = headings[position]
    else:
        column = str(BY_NAME[field].label) if field in BY_NAME else ""
    if cause == "nik_duplicate" and hint:
        from django.utils.translation import gettext as _

        hint = _("Pertama kali muncul di baris %(row)s.") % {"row": hint}
    what, how = explain(cause, hint or "")
    return Rejection(row_number, column, value or "", what, how)


def cause_counts(run: ImportRun) -> list[tuple[str, str, int]]:
    """Return (cause, what is wrong, rows), commonest first."""
    return [(c, explain(c)[0], n) for c, n in run.counts.get("causes", {}).items()]


def differences_count(path: Path) -> int:
    """Return how many values differ from the registry's and did not replace them."""
    if not path.exists():
        return 0
    row = duckdb.execute(f"SELECT count(*) FROM '{path}'").fetchone()  # noqa: S608
    return int(row[0]) if row else 0
