"""Writing programs, activities, sub-activities and missions."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.programs import copying, exchange, queries, rules, workbook
from guyub.programs.copying import Copied
from guyub.programs.loading import load_programs as load_programs
from guyub.programs.models import Activity, Mission, Program, SubActivity, Upload
from guyub.programs.placing import change_sub_activity, changes, place_sub_activity


def _reason(text: str) -> str:
    if not text.strip():
        raise ValidationError({"reason": _("Tulis alasannya.")})
    return text.strip()


def _held(agency_id: int) -> Agency:
    """Hold an agency until the end, so that two clicks cannot both pass the check for duplicates."""
    return Agency.objects.select_for_update().get(pk=agency_id)


# Programs


@transaction.atomic
def create_program(*, actor: Any, agency: Agency, values: dict[str, Any]) -> Program:
    """Add a program to ``agency``. ``values`` holds fields of the model, ``year`` and ``name`` at least.

    Raises:
        ValidationError: a value is amiss, the agency is inactive or has this program already.
    """
    holder = _held(agency.pk)
    if not holder.is_active:
        raise ValidationError({"agency": _("Perangkat daerah ini sudah tidak aktif.")})
    program = Program(agency=holder, **values)
    rules.check_program(program)
    program.save(force_insert=True)
    audit.record("programs.program.create", actor=actor, subject=program, detail=_trace(program))
    return program


@transaction.atomic
def update_program(program: Program, *, actor: Any, values: dict[str, Any]) -> list[str]:
    """Change a program; return the names of the changed fields. The agency stays.

    Raises:
        ValidationError: a value is amiss, or the agency has such a program already.
    """
    _held(program.agency_id)
    current = Program.objects.select_for_update().get(pk=program.pk)
    return _change(
        current, rules.check_program, "programs.program.update", actor=actor, values=values
    )


@transaction.atomic
def delete_program(program: Program, *, actor: Any, reason: str) -> None:
    """Delete a program with its tree; the audit log keeps what it was and why it went.

    Raises:
        ValidationError: no reason was given, or something depends on a sub-activity of it.
    """
    _held(program.agency_id)
    inside = SubActivity.objects.filter(activity__program=program)
    _delete(program, inside, "programs.program.delete", actor=actor, reason=reason)


# Activities


@transaction.atomic
def create_activity(program: Program, *, actor: Any, values: dict[str, Any]) -> Activity:
    """Add an activity to ``program``. ``values`` holds ``code`` and ``name``.

    Raises:
        ValidationError: a value is amiss, or the program has such an activity.
    """
    _held(program.agency_id)
    activity = Activity(program=program, **values)
    rules.check_activity(activity)
    activity.save(force_insert=True)
    audit.record("programs.activity.create", actor=actor, subject=activity, detail=_trace(activity))
    return activity


@transaction.atomic
def update_activity(activity: Activity, *, actor: Any, values: dict[str, Any]) -> list[str]:
    """Change an activity; return the names of the changed fields.

    Raises:
        ValidationError: a value is amiss.
    """
    _held(activity.program.agency_id)
    current = (
        Activity.objects.select_for_update(of=("self",))
        .select_related("program")
        .get(pk=activity.pk)
    )
    return _change(
        current, rules.check_activity, "programs.activity.update", actor=actor, values=values
    )


@transaction.atomic
def delete_activity(activity: Activity, *, actor: Any, reason: str) -> None:
    """Delete an activity with its sub-activities.

    Raises:
        ValidationError: no reason was given, or something depends on a sub-activity of it.
    """
    _held(activity.program.agency_id)
    inside = SubActivity.objects.filter(activity=activity)
    _delete(activity, inside, "programs.activity.delete", actor=actor, reason=reason)


# Sub-activities


@transaction.atomic
def create_sub_activity(
    activity: Activity,
    *,
    actor: Any,
    values: dict[str, Any],
    fundings: Mapping[str, int],
    areas: Iterable[Area] = (),
) -> SubActivity:
    """Add a sub-activity to ``activity``.

    Args:
        activity: Where it belongs; it gives the agency and the year.
        actor: The user who adds it.
        values: Fields of the model, but ``activity``, ``agency`` and ``year``.
        fundings: Rupiah by source; zero leaves a source out.
        areas: Districts and villages where it works; none means the whole regency.

    Raises:
        ValidationError: a value is amiss; faults of an amount stand under its source.
    """
    _held(activity.program.agency_id)
    sub_activity = place_sub_activity(activity, values, fundings, areas)
    audit.record(
        "programs.sub_activity.create",
        actor=actor,
        subject=sub_activity,
        detail=_trace(sub_activity) | {"budget": sum(fundings.values())},
    )
    return sub_activity


@transaction.atomic
def update_sub_activity(
    sub_activity: SubActivity,
    *,
    actor: Any,
    values: dict[str, Any],
    fundings: Mapping[str, int],
    areas: Iterable[Area],
) -> list[str]:
    """Change a sub-activity; return the names of what changed, ``fundings`` and ``areas`` among them.

    Raises:
        ValidationError: a value is amiss, or what it gives is changed after people were enrolled.
    """
    _held(sub_activity.agency_id)
    before = dict(sub_activity.fundings.values_list("source", "amount"))  # type: ignore[attr-defined]
    changed = change_sub_activity(sub_activity, values, fundings, areas)
    if changed:
        detail = _trace(sub_activity) | {"fields": changed}
        if "fundings" in changed:
            detail["money"] = {
                source: [before.get(source, 0), fundings.get(source, 0)]
                for source in sorted({*before, *fundings})
                if before.get(source, 0) != fundings.get(source, 0)
            }
        audit.record(
            "programs.sub_activity.update", actor=actor, subject=sub_activity, detail=detail
        )
    return changed


@transaction.atomic
def cancel_sub_activity(sub_activity: SubActivity, *, actor: Any, reason: str) -> None:
    """Cancel a sub-activity: it stays on record but its money counts no more.

    Raises:
        ValidationError: no reason was given, or it is cancelled already.
    """
    _set_cancelled(sub_activity, True, "programs.sub_activity.cancel", actor=actor, reason=reason)


@transaction.atomic
def restore_sub_activity(sub_activity: SubActivity, *, actor: Any, reason: str) -> None:
    """Take back the cancelling of a sub-activity.

    Raises:
        ValidationError: no reason was given, or it is not cancelled.
    """
    _set_cancelled(sub_activity, False, "programs.sub_activity.restore", actor=actor, reason=reason)


@transaction.atomic
def delete_sub_activity(sub_activity: SubActivity, *, actor: Any, reason: str) -> None:
    """Delete a sub-activity that nothing depends on.

    Raises:
        ValidationError: no reason was given, or something depends on it.
    """
    _held(sub_activity.agency_id)
    itself = SubActivity.objects.filter(pk=sub_activity.pk)
    _delete(sub_activity, itself, "programs.sub_activity.delete", actor=actor, reason=reason)


def _change(
    current: Program | Activity,
    check: Callable[[Any], None],
    action: str,
    *,
    actor: Any,
    values: dict[str, Any],
) -> list[str]:
    """Put ``values`` into a held record, if any differs; return the names of the changed fields."""
    changed = changes(current, values)
    if changed:
        check(current)
        current.save()
        detail = _trace(current) | {"fields": changed}
        audit.record(action, actor=actor, subject=current, detail=detail)
    return changed


def _delete(
    record: Program | Activity | SubActivity,
    inside: QuerySet[SubActivity],
    action: str,
    *,
    actor: Any,
    reason: str,
) -> None:
    """Delete a record with the sub-activities that go with it, on which nothing may depend."""
    reason = _reason(reason)
    _refuse_dependents(inside)
    detail = _trace(record)
    if not isinstance(record, SubActivity):
        detail["sub_activities"] = _names(inside)
    audit.record(action, actor=actor, subject=record, reason=reason, detail=detail)
    record.delete()


def _set_cancelled(
    sub_activity: SubActivity, cancelled: bool, action: str, *, actor: Any, reason: str
) -> None:
    reason = _reason(reason)
    current = SubActivity.objects.select_for_update().get(pk=sub_activity.pk)
    if current.is_cancelled == cancelled:
        raise ValidationError(
            {
                "reason": _("Sub kegiatan ini sudah dibatalkan.")
                if cancelled
                else _("Sub kegiatan ini tidak dibatalkan.")
            }
        )
    current.is_cancelled, current.cancel_reason = cancelled, reason[:500] if cancelled else ""
    current.save(update_fields=["is_cancelled", "cancel_reason"])
    audit.record(action, actor=actor, subject=current, reason=reason, detail=_trace(current))


def _refuse_dependents(records: Any) -> None:
    found = queries.dependents(records)
    if found:
        raise ValidationError(
            {
                "reason": _(
                    "Tidak dapat dihapus karena masih ada: %(kinds)s. Batalkan saja sub kegiatannya, "
                    "sehingga riwayatnya tetap ada."
                )
                % {"kinds": ", ".join(found)}
            }
        )


def _names(records: Any) -> list[str]:
    return [f"{code} {name}".strip() for code, name in records.values_list("code", "name")]


def _trace(record: Program | Activity | SubActivity) -> dict[str, Any]:
    """Return what the log keeps of a record."""
    if isinstance(record, Program):
        program = record
    elif isinstance(record, Activity):
        program = record.program
    else:
        program = record.activity.program
    return {
        "agency": program.agency.code,
        "year": program.year,
        "code": record.code,
        "name": record.name,
    }


# The next year


@transaction.atomic
def copy_to_next_year(
    sub_activities: Iterable[SubActivity],
    *,
    actor: Any,
    agency: Agency,
    year: int,
    percent: int = 100,
) -> Copied:
    """Copy sub-activities of ``agency`` and ``year`` into the next year, their money at ``percent``."""
    _held(agency.pk)
    outcome = copying.copy(sub_activities, percent)
    if outcome.made:
        audit.record(
            "programs.copy",
            actor=actor,
            subject=agency,
            detail={
                "from": year,
                "to": year + 1,
                "percent": percent,
                "made": [sub.pk for sub in outcome.made],
                "skipped": len(outcome.skipped),
            },
        )
    return outcome


# Excel


@transaction.atomic
def look_at_upload(content: bytes, file_name: str, *, actor: Any) -> Upload:
    """Keep an Excel file with what it would do.

    Raises:
        UnreadableFileError: it holds no table of programs.
    """
    outcome = exchange.preview(_sheet(content), actor)
    week_ago = timezone.now() - dt.timedelta(days=7)
    Upload.objects.filter(uploaded_by=actor, applied_at=None, created_at__lt=week_ago).delete()
    upload = Upload.objects.create(
        file_name=file_name[-200:],
        content=content,
        agency=actor.agency,
        uploaded_by=actor,
        outcome=outcome.as_json(),
        fingerprint=outcome.fingerprint(),
    )
    audit.record(
        "programs.upload.create",
        actor=actor,
        subject=upload,
        detail={"sha256": hashlib.sha256(content).hexdigest(), "rows": outcome.counts()},
    )
    return upload


def apply_upload(upload: Upload, *, actor: Any) -> exchange.Outcome:
    """Take the rows of an upload in that are not rejected, all or none.

    Raises:
        ValidationError: it was taken in already.
        StaleError: the data changed since its preview, which shows the present state from now on.
    """
    try:
        with transaction.atomic():
            current = Upload.objects.select_for_update().get(pk=upload.pk)
            if current.applied_at is not None:
                raise ValidationError(_("Berkas ini sudah diterapkan."))
            outcome = exchange.take(
                _sheet(bytes(current.content)), actor, expected=current.fingerprint
            )
            current.applied_at, current.content = timezone.now(), b""
            current.outcome = outcome.as_json()
            current.save(update_fields=["applied_at", "content", "outcome"])
            audit.record(
                "programs.upload.apply",
                actor=actor,
                subject=current,
                detail={
                    "rows": outcome.counts(),
                    "programs": outcome.programs,
                    "activities": outcome.activities,
                    "created": [r.pk for r in outcome.results if r.fate == exchange.Fate.NEW],
                    "changed": {
                        str(r.pk): [column for column, _before, _after in r.changes]
                        for r in outcome.results
                        if r.fate == exchange.Fate.CHANGED
                    },
                },
            )
    except exchange.StaleError as error:
        with transaction.atomic():
            Upload.objects.filter(pk=upload.pk).update(
                outcome=error.outcome.as_json(), fingerprint=error.outcome.fingerprint()
            )
            audit.record("programs.upload.stale", actor=actor, subject=upload)
        raise
    return outcome


def _sheet(content: bytes) -> workbook.Sheet:
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(content)
        file.flush()
        return workbook.read(Path(file.name))


# Missions


@transaction.atomic
def save_mission(mission: Mission, *, actor: Any) -> Mission:
    """Add or change a mission of the regency.

    Raises:
        ValidationError: its years are amiss, or its number stands already in that period.
    """
    errors: dict[str, str] = {}
    if mission.first_year and mission.last_year and mission.last_year < mission.first_year:
        errors["last_year"] = _("Tahun akhir mendahului tahun awal.")
    others = Mission.objects.exclude(pk=mission.pk)
    if others.filter(first_year=mission.first_year, number=mission.number).exists():
        errors["number"] = _("Nomor ini sudah dipakai pada masa rencana yang sama.")
    outside = mission.pk and (
        mission.programs.filter(year__lt=mission.first_year)  # type: ignore[attr-defined]
        | mission.programs.filter(year__gt=mission.last_year)  # type: ignore[attr-defined]
    )
    if outside and outside.exists():
        errors["last_year"] = _("Ada program di luar masa ini yang memakai misi ini.")
    if errors:
        raise ValidationError(errors)  # type: ignore[arg-type]
    mission.full_clean()
    is_new = mission.pk is None
    mission.save()
    audit.record(
        "programs.mission.create" if is_new else "programs.mission.update",
        actor=actor,
        subject=mission,
        detail=_mission_trace(mission),
    )
    return mission


@transaction.atomic
def delete_mission(mission: Mission, *, actor: Any, reason: str) -> None:
    """Delete a mission that no program is linked to.

    Raises:
        ValidationError: no reason was given, or a program is linked to it.
    """
    reason = _reason(reason)
    count = mission.programs.count()  # type: ignore[attr-defined]
    if count:
        raise ValidationError(
            {
                "reason": _(
                    "Tidak dapat dihapus karena %(count)d program memakainya. Pindahkan dahulu "
                    "program itu ke misi lain."
                )
                % {"count": count}
            }
        )
    audit.record(
        "programs.mission.delete",
        actor=actor,
        subject=mission,
        reason=reason,
        detail=_mission_trace(mission),
    )
    mission.delete()


def _mission_trace(mission: Mission) -> dict[str, Any]:
    return {
        "number": mission.number,
        "years": [mission.first_year, mission.last_year],
        "text": mission.text,
    }
