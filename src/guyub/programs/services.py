"""Writing programs."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.programs.loading import load_programs as load_programs
from guyub.programs.models import Program


@transaction.atomic
def create_program(*, actor: Any, agency: Agency, values: dict[str, Any]) -> Program:
    """Add a program to ``agency``. ``values`` holds ``year``, ``code``, ``name``, ``description``.

    Raises:
        ValidationError: a value is amiss, the agency is inactive or has this program already.
    """
    # Held until the end, so that two clicks cannot both pass the check for duplicates.
    holder = Agency.objects.select_for_update().get(pk=agency.pk)
    if not holder.is_active:
        raise ValidationError({"agency": _("Perangkat daerah ini sudah tidak aktif.")})
    program = Program(agency=holder, **values)
    _check(program)
    program.save(force_insert=True)
    audit.record("programs.program.create", actor=actor, subject=program, detail=_trace(program))
    return program


@transaction.atomic
def update_program(program: Program, *, actor: Any, values: dict[str, Any]) -> list[str]:
    """Change a program; return the names of the changed fields. The agency stays.

    Raises:
        ValidationError: a value is amiss, or the agency has such a program already.
    """
    Agency.objects.select_for_update().get(pk=program.agency_id)
    current = Program.objects.select_for_update().get(pk=program.pk)
    changed = [field for field, value in values.items() if getattr(current, field) != value]
    if not changed:
        return []
    for field in changed:
        setattr(current, field, values[field])
    _check(current)
    current.save()
    audit.record(
        "programs.program.update",
        actor=actor,
        subject=current,
        detail=_trace(current) | {"fields": changed},
    )
    return changed


@transaction.atomic
def delete_program(program: Program, *, actor: Any, reason: str) -> None:
    """Delete a program; the audit log keeps what it was and why it went.

    Raises:
        ValidationError: no reason was given.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Tulis alasannya.")})
    audit.record(
        "programs.program.delete",
        actor=actor,
        subject=program,
        reason=reason.strip(),
        detail=_trace(program),
    )
    program.delete()


def _trace(program: Program) -> dict[str, Any]:
    return {
        "agency": program.agency.code,
        "year": program.year,
        "code": program.code,
        "name": program.name,
    }


def _check(program: Program) -> None:
    """Raise ``ValidationError`` for values amiss and for a program its agency has already."""
    others = Program.objects.filter(agency_id=program.agency_id, year=program.year).exclude(
        pk=program.pk
    )
    place = {"agency": program.agency.name, "year": program.year}
    errors = {}
    if others.filter(name__iexact=program.name).exists():
        errors["name"] = _("%(agency)s sudah punya program ini pada tahun %(year)d.") % place
    if program.code and others.filter(code=program.code).exists():
        errors["code"] = _("%(agency)s sudah memakai kode ini pada tahun %(year)d.") % place
    if errors:
        raise ValidationError(errors)
    program.full_clean()
