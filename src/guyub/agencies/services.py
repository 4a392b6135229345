"""Writing agencies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency, AgencyFunction
from guyub.audit import services as audit

DATA = Path(__file__).parent / "data"
# Codes that stand for a page of the directory itself.
RESERVED_CODES = frozenset({"baru"})


@transaction.atomic
def load_agencies() -> int:
    """Create the agencies of Banyumas that are not there yet; return how many the list holds.

    Agencies that exist keep what people have written about them. Running it again changes nothing.
    """
    entries = json.loads((DATA / "banyumas.json").read_text(encoding="utf-8"))
    known = set(Agency.objects.values_list("code", flat=True))
    created = []
    for entry in entries:
        functions = entry.pop("functions")
        if entry["code"] in known:
            continue
        agency = Agency.objects.create(**entry)
        _write_functions(agency, functions)
        created.append(agency.code)
    if created:
        audit.record("agencies.load", detail={"created": created})
    return len(entries)


@transaction.atomic
def create_agency(*, actor: Any, values: dict[str, Any], functions: Sequence[str]) -> Agency:
    """Add an agency with its functions in order.

    ``values`` holds model fields by name, ``code`` among them.

    Raises:
        ValidationError: a value is amiss, or the code or name is taken.
    """
    agency = Agency(**values)
    if agency.code in RESERVED_CODES:
        raise ValidationError({"code": _("Kode ini dipakai oleh sistem. Pilih kode lain.")})
    _check(agency)
    agency.save(force_insert=True)
    _write_functions(agency, functions)
    audit.record(
        "agencies.agency.create", actor=actor, subject=agency, detail={"code": agency.code}
    )
    return agency


@transaction.atomic
def update_agency(
    agency: Agency, *, actor: Any, values: dict[str, Any], functions: Sequence[str]
) -> list[str]:
    """Change what the directory says of ``agency``; return the names of the changed fields.

    ``values`` holds the model fields to set; the code and whether it is active stay. When nothing
    differs nothing is written or logged.

    Raises:
        ValidationError: a value is amiss, or the name is another agency's.
    """
    current = Agency.objects.select_for_update().get(pk=agency.pk)
    changed = [field for field, value in values.items() if getattr(current, field) != value]
    for field in changed:
        setattr(current, field, values[field])
    if list(current.functions.values_list("text", flat=True)) != list(functions):
        changed.append("functions")
    if not changed:
        return []
    _check(current)
    current.save()
    if "functions" in changed:
        current.functions.all().delete()
        _write_functions(current, functions)
    audit.record("agencies.agency.update", actor=actor, subject=current, detail={"fields": changed})
    return changed


@transaction.atomic
def set_active(agency: Agency, *, actor: Any, active: bool, reason: str) -> Agency:
    """Close an agency, or open it again; its records stay. Return it as it now stands.

    Raises:
        ValidationError: no reason was given.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Tulis alasannya.")})
    current = Agency.objects.select_for_update().get(pk=agency.pk)
    if current.is_active != active:
        current.is_active = active
        current.save(update_fields=["is_active", "updated_at"])
        audit.record(
            "agencies.agency.activate" if active else "agencies.agency.deactivate",
            actor=actor,
            subject=current,
            reason=reason.strip(),
        )
    return current


def _check(agency: Agency) -> None:
    """Raise ``ValidationError`` for values amiss and for a name that another agency has."""
    agency.full_clean()
    if Agency.objects.filter(name__iexact=agency.name).exclude(pk=agency.pk).exists():
        raise ValidationError({"name": _("Perangkat daerah dengan nama ini sudah ada.")})


def _write_functions(agency: Agency, functions: Sequence[str]) -> None:
    AgencyFunction.objects.bulk_create(
        AgencyFunction(agency=agency, position=position, text=text)
        for position, text in enumerate(functions, start=1)
    )
