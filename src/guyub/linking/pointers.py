"""How answers about people follow when one of them is merged into another."""

from __future__ import annotations

from typing import Any

from guyub.linking.models import Decision, Pair
from guyub.reconciliation.following import follow, stay
from guyub.reconciliation.journal import Journal


def declare() -> None:
    """Declare it; called when the app is ready."""
    stay(Pair, "person", why="It tells which records were compared; readers look up the survivor.")
    follow(Decision, "person", by=decisions)
    stay(Decision, "other", why="It says why the two were merged.")


def decisions(journal: Journal, loser: Any, survivor: Any) -> None:
    """Let answers about rows of lists be about the survivor, unless there is one about that already."""
    known = set(Decision.objects.filter(person=survivor).values_list("fingerprint", flat=True))
    for decision in Decision.objects.filter(person=loser, other=None).order_by("pk"):
        if decision.fingerprint not in known:
            journal.change(decision, person=survivor.pk)
