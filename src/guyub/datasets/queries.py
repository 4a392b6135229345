"""Reading datasets."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from guyub.access.permissions import Scope, scope_of
from guyub.datasets.models import Dataset, Version


def all_datasets(owner: str = "") -> QuerySet[Dataset]:
    """Return datasets by name, with owner and current version at hand."""
    found = Dataset.objects.select_related("owner", "current_version").order_by("name")
    return found.filter(owner__code=owner) if owner else found


def reference() -> Version | None:
    """Return the version that all agencies refer to, if one is marked."""
    return Version.objects.filter(is_reference=True).select_related("dataset").first()


def may_see_people(user: Any) -> bool:
    """Tell whether ``user`` may see people of the whole regency, not only counts."""
    return scope_of(user, "registry.view") is Scope.ANY
