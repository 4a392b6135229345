"""How enrolments follow when households or people are merged."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.beneficiaries.models import Enrolment, Stage
from guyub.reconciliation.following import follow
from guyub.reconciliation.journal import Journal
from guyub.registry.models import Household, Person

# How far each stage has come, for choosing of two. What was ended without help counts least.
ORDER = (
    Stage.REJECTED, Stage.WITHDRAWN, Stage.CANDIDATE, Stage.VERIFIED, Stage.ENROLLED,
    Stage.DELIVERED, Stage.FINISHED, Stage.GRADUATED,
)  # fmt: skip


def declare() -> None:
    """Say how enrolments follow; called when the app is ready."""
    follow(Enrolment, "household", by=of_household)
    follow(Enrolment, "person", by=of_person)


def of_household(journal: Journal, loser: Household, survivor: Household) -> None:
    """Move a household's enrolments, and those of its members, to the survivor."""
    mine = {e.sub_activity_id: e for e in Enrolment.objects.filter(household=survivor, person=None)}
    for enrolment in Enrolment.objects.filter(household=loser).order_by("pk"):
        own = mine.get(enrolment.sub_activity_id) if enrolment.person_id is None else None
        if own is None:
            journal.change(enrolment, household=survivor.pk)
        else:
            _join(journal, enrolment, own)


def of_person(journal: Journal, loser: Person, survivor: Person) -> None:
    """Move a person's enrolments to the survivor."""
    mine = {e.sub_activity_id: e for e in Enrolment.objects.filter(person=survivor)}
    for enrolment in Enrolment.objects.filter(person=loser).order_by("pk"):
        own = mine.get(enrolment.sub_activity_id)
        if own is None:
            journal.change(enrolment, person=survivor.pk, household=survivor.household_id)
        else:
            _join(journal, enrolment, own)


def _join(journal: Journal, double: Enrolment, own: Enrolment) -> None:
    """Make one of two enrolments in the same sub-activity.

    Whatever was handed over counts for the survivor's, which stands as far as the further of the two.
    The other one stays, called off, with its own history.
    """
    for delivery in double.deliveries.order_by("pk"):
        journal.change(delivery, enrolment=own.pk)
    if ORDER.index(Stage(double.stage)) > ORDER.index(Stage(own.stage)):
        journal.change(
            own, stage=double.stage, stage_since=double.stage_since, reason=double.reason
        )
    if double.stage not in (Stage.REJECTED, Stage.WITHDRAWN):
        journal.change(
            double,
            stage=Stage.WITHDRAWN,
            stage_since=timezone.now(),
            reason=_("Digabung dengan pendaftaran yang sama."),
        )
