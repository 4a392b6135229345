"""What points at a household or person, and how it follows when that one is merged into another.

Merging stands above most apps that point at households, so each of them says in its
``AppConfig.ready`` how its rows follow::

    following.follow(Proposal, "household")
    following.follow(Enrolment, "household", by=enrolments_follow_household)
    following.stay(Ledger, "household", why="...")

A test fails when a model points at a household or person and nobody has said what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from guyub.reconciliation.journal import Journal
from guyub.registry.models import Household, Person

Mover = Callable[[Journal, Any, Any], None]  # (journal, loser, survivor)
Renewer = Callable[[Any], None]
SUBJECTS: tuple[type[models.Model], ...] = (Household, Person)
# Columns that hold the id of a household or person without being a foreign key.
LOOSE = ("household_id", "person_id", "subject_id")


@dataclass(frozen=True)
class Following:
    """How the rows of one model follow; without ``move`` they stay, and ``why`` says why."""

    model: type[models.Model]
    field: str
    of: type[models.Model] | None
    move: Mover | None
    renew: Renewer | None = None
    why: str = ""


_followings: dict[tuple[type[models.Model], str], Following] = {}


def _mover(model: type[models.Model], field: str) -> Mover:
    def move(journal: Journal, loser: Any, survivor: Any) -> None:
        for row in model._default_manager.filter(**{field: loser}).order_by("pk"):
            journal.change(row, **{field: survivor.pk})

    return move


def follow(
    model: type[models.Model],
    field: str,
    *,
    by: Mover | None = None,
    of: type[models.Model] | None = None,
    renew: Renewer | None = None,
) -> None:
    """Let rows of ``model`` that point at a merged record by ``field`` go to its survivor.

    Args:
        model: Whose rows.
        field: The field that points.
        by: What moves them, through the journal it is given, where simply pointing anew would break
            a rule of the model (two rows where one may be).
        of: Household or Person, where the field is no foreign key.
        renew: Called with each of the two records after a merge and after its undoing, to bring
            sums up to date that the model keeps.
    """
    if of is None:
        of = model._meta.get_field(field).related_model  # type: ignore[assignment]
    _followings[model, field] = Following(model, field, of, by or _mover(model, field), renew)


def stay(model: type[models.Model], field: str, *, why: str) -> None:
    """Say that rows of ``model`` go on pointing at the merged record, and why."""
    _followings[model, field] = Following(model, field, None, None, why=why)


def of_kind(subject: type[models.Model]) -> list[Following]:
    """Return what follows records of ``subject``, in an order that does not change."""
    found = [f for f in _followings.values() if f.of is subject and f.move is not None]
    return sorted(found, key=lambda f: (f.model._meta.label, f.field))


def undeclared() -> list[str]:
    """Return ``app.Model.field`` of everything that points at a record and of which nothing is said."""
    return [
        f"{model._meta.label}.{field}"
        for model, field in pointers()
        if (model, field) not in _followings
    ]


def pointers() -> Iterator[tuple[type[models.Model], str]]:
    """Yield every field of every model that holds the id of a household or person."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            if not getattr(field, "concrete", False):
                continue
            pointed = field.related_model in SUBJECTS if field.is_relation else False
            if pointed or (not field.is_relation and field.name in LOOSE):
                yield model, field.name
