"""The stages of an enrolment, and which steps lead from one to another.

Forward steps follow :data:`NEXT`. A step back is a correction: it leads to the stage that the present
one was reached from, one step at a time. Help may be recorded from :attr:`Stage.ENROLLED` on, and the
first of it makes the enrolment :attr:`Stage.DELIVERED`; nothing else does.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from guyub.beneficiaries.models import HELPED, Stage

NEXT: dict[Stage, tuple[Stage, ...]] = {
    Stage.CANDIDATE: (Stage.VERIFIED, Stage.REJECTED),
    Stage.VERIFIED: (Stage.ENROLLED, Stage.REJECTED),
    Stage.ENROLLED: (Stage.DELIVERED, Stage.WITHDRAWN),
    Stage.DELIVERED: (Stage.FINISHED, Stage.GRADUATED, Stage.WITHDRAWN),
    Stage.FINISHED: (Stage.GRADUATED,),
    Stage.GRADUATED: (),
    Stage.REJECTED: (),
    Stage.WITHDRAWN: (),
}

# Where a correction leads when the present stage could be reached from one stage only. The others
# go back to where their last step came from.
BACK: dict[Stage, Stage] = {
    Stage.VERIFIED: Stage.CANDIDATE,
    Stage.ENROLLED: Stage.VERIFIED,
    Stage.DELIVERED: Stage.ENROLLED,
    Stage.FINISHED: Stage.DELIVERED,
}

# Stages in which help may be recorded.
RECEIVING = (Stage.ENROLLED, Stage.DELIVERED)
# Stages that no enrolment is in without having been given something.
GIVEN = (Stage.DELIVERED, Stage.FINISHED, Stage.GRADUATED)
# Ends that say something about the household, so that the reason is wanted.
EXPLAINED = (Stage.REJECTED, Stage.WITHDRAWN, Stage.GRADUATED)
# Steps that a person may choose; being given something is recorded as a delivery.
CHOSEN = (
    Stage.VERIFIED,
    Stage.REJECTED,
    Stage.ENROLLED,
    Stage.WITHDRAWN,
    Stage.FINISHED,
    Stage.GRADUATED,
)

# What doing so is called.
VERBS: dict[Stage, Any] = {
    Stage.VERIFIED: _("Verifikasi"),
    Stage.REJECTED: _("Tolak"),
    Stage.ENROLLED: _("Tetapkan"),
    Stage.WITHDRAWN: _("Batalkan"),
    Stage.FINISHED: _("Selesaikan"),
    Stage.GRADUATED: _("Graduasikan"),
}


def sources_of(stage: Stage) -> tuple[Stage, ...]:
    """Return the stages from which a forward step leads to ``stage``."""
    return tuple(source for source, targets in NEXT.items() if stage in targets)


def choices_from(stage: Stage) -> tuple[Stage, ...]:
    """Return the stages that somebody may choose next for an enrolment in ``stage``."""
    return tuple(target for target in NEXT[stage] if target in CHOSEN)


def begins_to_count(source: Stage, target: Stage) -> bool:
    """Tell whether a step makes an enrolment use up a place of the quota."""
    return target in HELPED and source not in HELPED
