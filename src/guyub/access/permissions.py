"""The one permission module: who may do what, to whose records.

:data:`GRANTS` is the whole policy. It is registered with ``rules`` so that ``user.has_perm`` and
templates ask the same question as views do.

An object may narrow the question: one that has ``owning_agency_id`` belongs to an agency (or with
``owning_agency_ids`` to several), one that has ``area_code`` (Kemendagri code, e.g.
``33.02.01.2001``) lies somewhere.
"""

from __future__ import annotations

import enum
from typing import Any

import rules
from django.core.exceptions import ImproperlyConfigured, PermissionDenied

from guyub.access.roles import Role


class Scope(enum.Enum):
    """Whose records a role reaches."""

    ANY = "any"
    OWN_AGENCY = "own agency"
    OWN_AREA = "own area"


ANY, OWN_AGENCY, OWN_AREA = Scope.ANY, Scope.OWN_AGENCY, Scope.OWN_AREA
EVERY_ROLE = {role: ANY for role in Role}

GRANTS: dict[str, dict[Role, Scope]] = {
    "home.view": EVERY_ROLE,
    "accounts.self": EVERY_ROLE,
    "accounts.manage": {Role.SECRETARIAT: ANY},
    "agencies.view": EVERY_ROLE,
    "agencies.edit": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    # Adding agencies, closing them and opening them again.
    "agencies.manage": {Role.SECRETARIAT: ANY},
    "areas.view": EVERY_ROLE,
    "audit.view": {Role.AUDITOR: ANY},
    "operations.view": {Role.SECRETARIAT: ANY, Role.AUDITOR: ANY},
    "operations.retry": {Role.SECRETARIAT: ANY},
    "datasets.view": EVERY_ROLE,
    "datasets.edit": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "datasets.mark_reference": {Role.SECRETARIAT: ANY},
    "datasets.export": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "imports.view": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    "imports.run": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "linking.view": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    # Linking a list and judging its pairs; the registry's own duplicates have no agency.
    "linking.run": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "linking.export": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    # Thresholds, what is learnt, and the search for duplicates.
    "linking.manage": {Role.SECRETARIAT: ANY},
    "programs.view": EVERY_ROLE,
    "programs.edit": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    # Missions of the regency.
    "programs.manage": {Role.SECRETARIAT: ANY},
    "discussions.view": EVERY_ROLE,
    "discussions.write": {role: ANY for role in Role if role is not Role.AUDITOR},
    "targeting.view": EVERY_ROLE,
    "targeting.edit": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    # Sums without names.
    "beneficiaries.view_totals": EVERY_ROLE,
    "beneficiaries.view": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "beneficiaries.edit": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    # Checking a candidate at the door.
    "beneficiaries.verify": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "beneficiaries.export": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "overlaps.view": EVERY_ROLE,
    "overlaps.comment": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: ANY,
        Role.AGENCY_OPERATOR: ANY,
    },
    "overlaps.settle": {Role.SECRETARIAT: ANY},
    # Scenarios of who gets what: sums for all, names for those who see recipients everywhere.
    "allocation.view": EVERY_ROLE,
    "allocation.view_people": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: ANY,
        Role.AGENCY_OPERATOR: ANY,
    },
    "allocation.edit": {Role.SECRETARIAT: ANY},
    "allocation.choose": {Role.SECRETARIAT: ANY},
    "allocation.adopt": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "allocation.export": {Role.SECRETARIAT: ANY},
    "reports.view": EVERY_ROLE,
    "reports.edit": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "reports.submit": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    "reports.review": {Role.SECRETARIAT: ANY},
    "obstacles.view": EVERY_ROLE,
    "obstacles.report": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "obstacles.manage": {Role.SECRETARIAT: ANY},
    "targets.view": EVERY_ROLE,
    "targets.edit": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    "targets.manage": {Role.SECRETARIAT: ANY},
    "sharing.view": EVERY_ROLE,
    "sharing.ask": {Role.AGENCY_HEAD: ANY, Role.AGENCY_OPERATOR: ANY},
    # By the owner of the dataset.
    "sharing.answer": {Role.AGENCY_HEAD: OWN_AGENCY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    # By the agency that asked.
    "sharing.withdraw": {Role.AGENCY_HEAD: OWN_AGENCY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "sharing.take": {Role.AGENCY_OPERATOR: OWN_AGENCY},
    "scorecard.view": EVERY_ROLE,
    # Deciding what everybody may see.
    "portal.manage": {Role.SECRETARIAT: ANY},
    "proposals.view": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "proposals.submit": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    # What the village deliberation found, and what was found at the door.
    "proposals.deliberate": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "proposals.verify": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    # By the owner of the reference dataset, or the agency that a complaint is addressed to.
    "proposals.decide": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "proposals.decide_appeal": {Role.SECRETARIAT: ANY},
    # Field work: going to doors with the app; what came back; the rounds of one's agency.
    "fieldwork.visit": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "fieldwork.view": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "fieldwork.view_rounds": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    # What is asked is no secret among agencies.
    "fieldwork.view_forms": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: ANY,
        Role.AGENCY_OPERATOR: ANY,
    },
    # Forms brought from elsewhere, and what was gathered by them.
    "fieldwork.load": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "fieldwork.manage": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    # Deciding about what came in; what is accepted changes the registry.
    "fieldwork.review": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    # Numbers in answers unmasked, and whole rounds taken out.
    "fieldwork.reveal": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "fieldwork.export": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    # The register of processing and the breaches; requests of citizens and all that is written there.
    "privacy.view": {Role.SECRETARIAT: ANY, Role.REGENT: ANY, Role.AUDITOR: ANY},
    "privacy.handle": {Role.SECRETARIAT: ANY},
    # What is kept for how long, and what was disposed of; reviewing and approving it (two people).
    "retention.view": {Role.SECRETARIAT: ANY, Role.AUDITOR: ANY},
    "retention.handle": {Role.SECRETARIAT: ANY},
    "meetings.view": EVERY_ROLE,
    "meetings.manage": {Role.SECRETARIAT: ANY},
    "meetings.reply": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    "meetings.sign_mandate": {Role.AGENCY_HEAD: OWN_AGENCY},
    # For one's own agency, on any item of any meeting.
    "meetings.give_input": {Role.AGENCY_HEAD: ANY, Role.AGENCY_OPERATOR: ANY},
    "meetings.ratify": {Role.AGENCY_HEAD: OWN_AGENCY},
    "meetings.rule": {Role.REGENT: ANY},
    "meetings.act": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    # Duplicates and differences between sources, about named people.
    "reconciliation.view": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "reconciliation.merge": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: ANY},
    "documents.view": EVERY_ROLE,
    "documents.manage": {Role.SECRETARIAT: ANY},
    # The parts of the LP2KD that are one's agency's to write.
    "documents.write": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: OWN_AGENCY,
        Role.AGENCY_OPERATOR: OWN_AGENCY,
    },
    # Sums alone; what may be counted follows the permissions of each subject.
    "documents.build": EVERY_ROLE,
    "documents.schedule": EVERY_ROLE,
    # Deciding between sources, asking villages, comparing now.
    "reconciliation.settle": {Role.SECRETARIAT: ANY},
    "reconciliation.rules": {Role.SECRETARIAT: ANY},
    # What was asked of the village.
    "reconciliation.verify": {Role.SECRETARIAT: ANY, Role.AREA_OPERATOR: OWN_AREA},
    # What a dataset's owner has to mend, with names.
    "reconciliation.corrections": {Role.SECRETARIAT: ANY, Role.AGENCY_OPERATOR: OWN_AGENCY},
    "registry.view_aggregates": EVERY_ROLE,
    "registry.view": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_HEAD: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "registry.edit": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "registry.reveal": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    "registry.export": {
        Role.SECRETARIAT: ANY,
        Role.AGENCY_OPERATOR: ANY,
        Role.AREA_OPERATOR: OWN_AREA,
    },
    # Tokens and webhooks of other systems, and the log of what they did.
    "connections.manage": {Role.SECRETARIAT: ANY, Role.AGENCY_HEAD: OWN_AGENCY},
    # Systems outside the regency that search the registry, and tokens that unmask NIK.
    "connections.admit": {Role.SECRETARIAT: ANY},
}

# Whoever can unmask a NIK must sign in with a second factor.
SECOND_FACTOR_ROLES = frozenset(
    role
    for permission in (
        "registry.reveal",
        "registry.export",
        "datasets.export",
        "beneficiaries.export",
        "fieldwork.reveal",
        "fieldwork.export",
        "linking.export",
        "sharing.take",
        "privacy.handle",
        "retention.handle",
        "reconciliation.corrections",
    )
    for role in GRANTS[permission]
)


def scope_of(user: Any, permission: str) -> Scope | None:
    """Return how far ``permission`` reaches for ``user``; ``None`` when they do not have it.

    Queries use it to narrow lists the same way that single records are guarded.

    Raises:
        ImproperlyConfigured: ``permission`` is not in :data:`GRANTS`.
    """
    if permission not in GRANTS:
        raise ImproperlyConfigured(f"Unknown permission {permission!r}")
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return None
    # Another system's token may do less than its agency's operator, never more.
    narrowed_to = getattr(user, "narrowed_to", None)
    if narrowed_to is not None and permission not in narrowed_to:
        return None
    return GRANTS[permission].get(Role(user.role)) if user.role else None


def in_area(area_code: str, code: str) -> bool:
    """Tell whether Kemendagri ``code`` is ``area_code`` or lies below it."""
    return bool(area_code) and (code == area_code or code.startswith(area_code + "."))


def can(user: Any, permission: str, obj: Any = None) -> bool:
    """Tell whether ``user`` may use ``permission``, on ``obj`` when one is given.

    Without an object the answer is whether the user may use it on anything at all.
    """
    scope = scope_of(user, permission)
    if scope is None:
        return False
    if obj is None or scope is ANY:
        return True
    if scope is OWN_AGENCY:
        owners = getattr(obj, "owning_agency_ids", None) or (obj.owning_agency_id,)
        return user.agency_id is not None and user.agency_id in owners
    return in_area(user.area_code, obj.area_code)


def authorize(user: Any, permission: str, obj: Any = None) -> None:
    """Raise :class:`PermissionDenied` unless :func:`can` says yes."""
    if not can(user, permission, obj):
        raise PermissionDenied(permission)


def _predicate(permission: str) -> rules.Predicate:
    @rules.predicate(name=permission)
    def allowed(user: Any, obj: Any = None) -> bool:
        return can(user, permission, obj)

    return allowed


for _permission in GRANTS:
    rules.set_perm(_permission, _predicate(_permission))
