"""What field work shows on pages of others: visits to a household, and a script for signing out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.fieldwork import queries
from guyub.registry.models import Household


def household_panel(request: HttpRequest, home: Household) -> tuple[str, dict[str, Any]] | None:
    """Show who was at the door, when, and what became of it."""
    if not can(request.user, "fieldwork.view"):
        return None
    visits = queries.visits_to(home.pk, request.user)
    return ("fieldwork/_household.html", {"visits": visits}) if visits else None


def leaving(request: HttpRequest, user: Any) -> tuple[str, dict[str, Any]] | None:
    """Let signing out take the field app's data off the phone, wherever it is done."""
    return ("fieldwork/_leaving.html", {}) if can(user, "fieldwork.visit") else None
