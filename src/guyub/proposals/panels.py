"""What a household's page shows of proposals and objections about it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.proposals import queries
from guyub.proposals.checks import refusal
from guyub.proposals.vocabulary import ProposalKind
from guyub.registry.models import Household


def household_panel(request: HttpRequest, home: Household) -> tuple[str, dict[str, Any]] | None:
    """Show what was proposed and objected, and a way to do so."""
    user: Any = request.user
    if not can(user, "proposals.view", home):
        return None
    return "proposals/_household.html", {
        "home": home,
        "proposals": queries.about_household(user, home.pk),
        "refusal": refusal(ProposalKind.PROPOSE, home),
        "may_object": not refusal(ProposalKind.OBJECT, home),
        "may_submit": can(user, "proposals.submit", home),
    }
