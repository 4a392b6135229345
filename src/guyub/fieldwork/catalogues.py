"""Which catalogue knows a field that a form asks about."""

from __future__ import annotations

from typing import Any

from guyub.fieldwork import household_fields, member_fields


def catalogue_of(name: str) -> Any:
    """Return the module that knows a field: of members, or of households."""
    return member_fields if name.startswith(member_fields.PREFIX) else household_fields
