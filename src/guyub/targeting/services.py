"""Writing rules. A rule's text is never changed: each wording is a version of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.programs.models import SubActivity
from guyub.targeting.cel import RuleError
from guyub.targeting.checking import Understood, understand
from guyub.targeting.models import Rule, RuleVersion
from guyub.targeting.queries import households_matching

FIELDS = ("name", "description")


@transaction.atomic
def create_rule(
    *,
    actor: Any,
    agency: Agency,
    name: str,
    text: str,
    description: str = "",
    note: str = "",
    sub_activities: Iterable[SubActivity] = (),
) -> Rule:
    """Add a rule of ``agency`` with its first version, for ``sub_activities`` of the same agency.

    Raises:
        ValidationError: a value is amiss, the text is no rule, the agency is inactive or has a rule of
            this name already, or a sub-activity is another agency's.
    """
    holder = Agency.objects.select_for_update().get(pk=agency.pk)
    if not holder.is_active:
        raise ValidationError({"agency": _("Perangkat daerah ini sudah tidak aktif.")})
    meant = _understood(text)
    rule = Rule(agency=holder, name=name, description=description)
    _check(rule)
    rule.save(force_insert=True)
    _link(rule, sub_activities)
    version = _add_version(rule, meant, note, actor)
    audit.record(
        "targeting.rule.create",
        actor=actor,
        subject=rule,
        detail={
            "agency": holder.code,
            "name": rule.name,
            "text": version.text,
            "households": version.households,
            "sub_activities": sorted(rule.sub_activities.values_list("pk", flat=True)),
        },
    )
    return rule


@transaction.atomic
def update_rule(
    rule: Rule,
    *,
    actor: Any,
    name: str,
    text: str,
    description: str = "",
    note: str = "",
    sub_activities: Iterable[SubActivity] = (),
) -> tuple[list[str], RuleVersion | None]:
    """Change a rule; return the names of what changed and the new version, if its text changed.

    Raises:
        ValidationError: as for :func:`create_rule`.
    """
    Agency.objects.select_for_update().get(pk=rule.agency_id)
    current = Rule.objects.select_for_update().get(pk=rule.pk)
    meant = _understood(text)
    values = {"name": name, "description": description}
    changed = [field for field in FIELDS if getattr(current, field) != values[field]]
    for field in changed:
        setattr(current, field, values[field])
    _check(current)
    if changed:
        current.save(update_fields=changed)
    if _link(current, sub_activities):
        changed.append("sub_activities")
    version = None
    newest = current.current_version
    if newest is None or newest.text != meant.text:
        version = _add_version(current, meant, note, actor)
        changed.append("text")
    if changed:
        detail: dict[str, Any] = {"fields": changed, "name": current.name}
        if version is not None:
            detail |= {
                "version": version.number,
                "text": version.text,
                "households": version.households,
            }
        if "sub_activities" in changed:
            linked = current.sub_activities.values_list("pk", flat=True)
            detail["sub_activities"] = sorted(linked)
        audit.record(
            "targeting.rule.update", actor=actor, subject=current, reason=note, detail=detail
        )
    return changed, version


def _understood(text: str) -> Understood:
    try:
        return understand("\n".join(line.rstrip() for line in text.strip().splitlines()))
    except RuleError as error:
        raise ValidationError({"text": error.message}) from error


def _check(rule: Rule) -> None:
    """Raise ``ValidationError`` for values amiss and for a name that the agency has already used."""
    others = Rule.objects.filter(agency_id=rule.agency_id).exclude(pk=rule.pk)
    if others.filter(name__iexact=rule.name).exists():
        raise ValidationError(
            {
                "name": _("%(agency)s sudah punya aturan dengan nama ini.")
                % {"agency": rule.agency.name}
            }
        )
    rule.full_clean()


def _link(rule: Rule, sub_activities: Iterable[SubActivity]) -> bool:
    """Say which sub-activities the rule is for; tell whether that is a change."""
    wanted = {sub_activity.pk: sub_activity for sub_activity in sub_activities}
    if any(one.agency_id != rule.agency_id for one in wanted.values()):
        raise ValidationError(
            {"sub_activities": _("Pilih hanya sub kegiatan perangkat daerah ini sendiri.")}
        )
    if set(rule.sub_activities.values_list("pk", flat=True)) == set(wanted):
        return False
    rule.sub_activities.set(wanted.values())
    return True


def _add_version(rule: Rule, meant: Understood, note: str, actor: Any) -> RuleVersion:
    newest = rule.versions.order_by("-number").first()  # type: ignore[attr-defined]
    known = actor is not None and getattr(actor, "is_authenticated", False)
    version = RuleVersion.objects.create(
        rule=rule,
        number=newest.number + 1 if newest else 1,
        text=meant.text,
        households=households_matching(meant).count(),
        note=note,
        created_by=actor if known else None,
    )
    rule.current_version = version
    rule.save(update_fields=["current_version"])
    return version
