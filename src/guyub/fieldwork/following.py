"""How visits follow a household that is merged into another."""

from __future__ import annotations

from guyub.fieldwork.models import Visit
from guyub.reconciliation.journal import Journal
from guyub.registry.models import Household


def visits_follow_household(journal: Journal, loser: Household, survivor: Household) -> None:
    """Move visits, but where the survivor is on the same round already, leave the duplicate's behind.

    A round goes to each household once. What was sent for the duplicate's visit stays readable there.
    """
    taken = set(Visit.objects.filter(household=survivor).values_list("round_id", flat=True))
    for visit in Visit.objects.filter(household=loser).order_by("pk"):
        if visit.round_id not in taken:
            journal.change(visit, household=survivor.pk)
