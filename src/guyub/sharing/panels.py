"""What a dataset's page shows of requests for it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.datasets.models import Dataset
from guyub.sharing import queries


def dataset_panel(request: HttpRequest, dataset: Dataset) -> tuple[str, dict[str, Any]] | None:
    """Show agencies a way to ask for the list, and the requests that concern them."""
    user: Any = request.user
    if not can(user, "sharing.ask") or user.agency_id is None:
        return None
    return "sharing/_dataset.html", {
        "dataset": dataset,
        "asked": queries.of_dataset(user, dataset.pk),
        "may_ask": dataset.owner_id != user.agency_id,
    }
