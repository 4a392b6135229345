"""Reading proposals: what a user may see, what waits for them, and what a code tells."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from guyub.access.permissions import ANY, OWN_AREA, can, scope_of
from guyub.access.roles import Role
from guyub.areas.models import Area, Level
from guyub.proposals.models import Proposal, ProposalStep
from guyub.proposals.vocabulary import CONFIDENTIAL, OPEN_STATES, ProposalKind, ProposalState

RELATED = ("village__parent", "household", "agency", "submitted_by")
_CONFIDENTIAL = Q(kind=ProposalKind.COMPLAINT, reason_kind__in=CONFIDENTIAL)


def _within(area_code: str) -> Q:
    return Q(village__code=area_code) | Q(village__code__startswith=area_code + ".")


def may_see(user: Any, proposal: Proposal) -> bool:
    """Tell whether ``user`` may open it: the confidential ones only those who answer them."""
    return can(user, "proposals.view", proposal) and (
        not proposal.is_confidential or can(user, "proposals.decide", proposal)
    )


def may_see_citizen(user: Any, proposal: Proposal) -> bool:
    """Tell whether ``user`` handles it and so may see who the citizen is."""
    if can(user, "proposals.decide", proposal):
        return True
    return (
        proposal.kind != ProposalKind.COMPLAINT
        and scope_of(user, "proposals.verify") is OWN_AREA
        and can(user, "proposals.verify", proposal)
    )


def visible_to(user: Any) -> QuerySet[Proposal]:
    """Return the proposals that ``user`` may see, newest first."""
    scope = scope_of(user, "proposals.view")
    rows = Proposal.objects.select_related(*RELATED)
    if scope is None:
        return rows.none()
    if scope is OWN_AREA:
        rows = rows.filter(_within(user.area_code or "-"))
    if scope_of(user, "proposals.decide") is not ANY:
        decides = scope_of(user, "proposals.decide") is not None
        own = Q(agency=user.agency_id) if decides and user.agency_id is not None else Q(pk=None)
        rows = rows.filter(~_CONFIDENTIAL | own)
    return rows


def narrowed(
    user: Any, *, kind: str = "", state: str = "", area: str = "", overdue: bool = False
) -> QuerySet[Proposal]:
    """Return what ``user`` may see, narrowed; ``area`` is a Kemendagri code."""
    rows = visible_to(user)
    if kind:
        rows = rows.filter(kind=kind)
    if state:
        rows = rows.filter(state=state)
    if area:
        rows = rows.filter(_within(area))
    if overdue:
        rows = rows.filter(state__in=OPEN_STATES, due_on__lt=timezone.localdate())
    return rows


def waiting_for(user: Any) -> QuerySet[Proposal]:
    """Return the proposals whose next step is ``user``'s, the most urgent first."""
    rows = visible_to(user)
    complaint = Q(kind=ProposalKind.COMPLAINT)
    to_decide = Q(state=ProposalState.VERIFIED) | (complaint & Q(state=ProposalState.SUBMITTED))
    if user.role == Role.AREA_OPERATOR:
        mine = ~complaint & Q(state__in=[ProposalState.SUBMITTED, ProposalState.DELIBERATED])
    elif user.role == Role.AGENCY_OPERATOR and user.agency_id is not None:
        mine = to_decide & Q(agency=user.agency_id)
    elif user.role == Role.SECRETARIAT:
        mine = Q(state=ProposalState.APPEALED) | (to_decide & Q(agency=None))
    else:
        return rows.none()
    return rows.filter(mine).order_by("due_on", "pk")


def waiting(user: Any) -> int:
    """Count the proposals whose next step is ``user``'s."""
    return waiting_for(user).count()


def about_household(user: Any, household_id: int) -> list[Proposal]:
    """Return the newest proposals about a household that ``user`` may see."""
    return list(visible_to(user).filter(household=household_id)[:10])


def tidy_code(text: str) -> str:
    """Return a code as it is stored: without dashes and spaces, in capitals."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())[:20]


def steps_of_code(text: str) -> list[ProposalStep]:
    """Return the steps behind a tracking code, oldest first; empty for a code that is none.

    One query whether there is such a code or not, so that a wrong one takes no longer and no less.
    """
    return list(
        ProposalStep.objects.filter(proposal__code=tidy_code(text))
        .select_related("proposal")
        .order_by("pk")
    )


def villages_for(user: Any = None) -> list[Area]:
    """Return the villages that ``user`` may submit for; all of them for the public."""
    villages = Area.objects.filter(level=Level.VILLAGE).select_related("parent")
    if user is not None and scope_of(user, "proposals.submit") is OWN_AREA:
        code = user.area_code or "-"
        villages = villages.filter(Q(code=code) | Q(code__startswith=code + "."))
    return list(villages)


def areas_for(user: Any) -> list[Area]:
    """Return what the list can be narrowed to: districts, or the villages of one's own area."""
    if scope_of(user, "proposals.view") is OWN_AREA:
        return villages_for(user)
    return list(Area.objects.filter(level=Level.DISTRICT))
