"""All that is known of households and people, for comparing before and after."""

from __future__ import annotations

from typing import Any

from django.apps import apps

# What tells of changes instead of being changed back, and stamps of time.
HISTORY = ("registry.ValueChange", "registry.SearchKey", "registry.SearchKeyVariant")
MODELS = (
    "registry.Household", "registry.Person", "registry.Listing", "registry.Move", "registry.Photo",
    "registry.AreaCount", "registry.PersonKey", "registry.AddressKey", "discussions.Thread",
    "discussions.Message", "discussions.Following", "beneficiaries.Enrolment",
    "beneficiaries.Delivery", "beneficiaries.EnrolmentStep", "proposals.Proposal",
)  # fmt: skip
STAMPS = {"updated_at"}
MADE_ANEW = {"registry.AreaCount"}  # their ids say nothing


def snapshot() -> dict[str, list[Any]]:
    """Return every row of :data:`MODELS`."""
    found = {}
    for label in MODELS:
        model = apps.get_model(label)
        names = [
            f.attname
            for f in model._meta.concrete_fields
            if f.attname not in STAMPS
            and not (label in MADE_ANEW and f.attname == "id")
            and f.__class__.__name__ != "CompositePrimaryKey"
        ]
        rows = [
            tuple((name, str(value)) for name, value in sorted(row.items()))
            for row in model._default_manager.values(*names)
        ]
        found[label] = sorted(rows)
    return found


def differing(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> dict[str, Any]:
    """Return what differs between two snapshots, for reading in a failed test."""
    return {
        label: (
            [row for row in before[label] if row not in after[label]],
            [row for row in after[label] if row not in before[label]],
        )
        for label in before
        if before[label] != after[label]
    }
