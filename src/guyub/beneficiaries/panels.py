"""What recipients show on the pages of households and of sub-activities."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.beneficiaries import queries
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import Recipient
from guyub.registry.models import Household


def household_help(request: HttpRequest, household: Household) -> tuple[str, dict[str, Any]] | None:
    """Show which help a household and its members are in, and what they were given."""
    if not can(request.user, "beneficiaries.view", household):
        return None
    return "beneficiaries/_household.html", {"enrolments": queries.of_household(household)}


def recipients(
    request: HttpRequest, sub_activity: SubActivity
) -> tuple[str, dict[str, Any]] | None:
    """Show how many recipients a sub-activity has in each stage, and what was delivered."""
    if sub_activity.recipient == Recipient.COMMUNITY:
        return None
    return "beneficiaries/_sub_activity.html", {
        "sub_activity": sub_activity,
        "counts": queries.stage_counts([sub_activity])[sub_activity.pk],
        "delivered": queries.delivered(sub_activity),
    }
