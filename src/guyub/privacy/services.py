"""Writes: requests of citizens, the register, breaches, the contact."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.privacy.access_file import held_about
from guyub.privacy.models import Activity, Breach, Contact, RequestState, Right, SubjectRequest
from guyub.proposals.services import new_code
from guyub.registry.models import Person


@transaction.atomic
def lodge(values: dict[str, Any], *, actor: Any = None, identity: str = "") -> SubjectRequest:
    """Take in a request; the clock of 3 x 24 hours starts. At the desk the identity is checked at once."""
    made = SubjectRequest.objects.create(code=new_code(), at_desk=actor is not None, **values)
    audit.record("privacy.request.lodge", actor=actor, subject=made, detail={"right": made.right})
    return verify(made, identity=identity, actor=actor) if actor is not None else made


def _lock(request: SubjectRequest, *states: str) -> SubjectRequest:
    current = SubjectRequest.objects.select_for_update().get(pk=request.pk)
    if current.state not in states:
        raise ValidationError(
            _("Permintaan ini sudah berstatus “%(state)s”.")
            % {"state": current.get_state_display()}
        )
    return current


@transaction.atomic
def verify(request: SubjectRequest, *, identity: str, actor: Any) -> SubjectRequest:
    """Note how the identity was checked, and whom the registry knows under the NIK.

    Raises:
        ValidationError: it does not say how, or the request is past that.
    """
    current = _lock(request, RequestState.RECEIVED)
    if not identity.strip():
        raise ValidationError({"identity": _("Tulis bagaimana identitasnya diperiksa.")})
    current.person = Person.objects.filter(nik=current.nik).first()
    current.identity, current.verified_by = identity.strip(), actor
    current.verified_at, current.state = timezone.now(), RequestState.VERIFIED
    current.save()
    audit.record(
        "privacy.request.verify", actor=actor, subject=current,
        detail={"known": current.person_id is not None},
    )  # fmt: skip
    return current


@transaction.atomic
def close(request: SubjectRequest, *, answer: str, granted: bool, actor: Any) -> SubjectRequest:
    """Answer a request whose identity was checked, or refuse one with the reason.

    Raises:
        ValidationError: there is no answer, or the request is past that.
    """
    states = (RequestState.VERIFIED,) if granted else (RequestState.RECEIVED, RequestState.VERIFIED)
    current = _lock(request, *states)
    if not answer.strip():
        raise ValidationError({"answer": _("Tulis jawaban atau alasannya.")})
    current.answer, current.closed_by = answer.strip(), actor
    current.closed_at = timezone.now()
    current.state = RequestState.ANSWERED if granted else RequestState.REFUSED
    current.save()
    audit.record("privacy.request.close", actor=actor, subject=current,
                 detail={"granted": granted, "late": current.is_late})  # fmt: skip
    return current


@transaction.atomic
def make_copy(request: SubjectRequest, *, actor: Any) -> dict[str, Any]:
    """Return everything held about the person of a checked request for access; noted in the audit log.

    Raises:
        ValidationError: no copy was asked for, the identity is unchecked, or it was not this user who
            checked it.
    """
    current = _lock(request, RequestState.VERIFIED, RequestState.ANSWERED)
    if current.right != Right.ACCESS:
        raise ValidationError(_("Permintaan ini bukan permintaan salinan data."))
    if current.verified_by_id != actor.pk:
        raise ValidationError(
            _("Salinan hanya bisa diambil oleh petugas yang memeriksa identitas pemohon.")
        )
    audit.record("privacy.request.copy", actor=actor, subject=current)
    return held_about(current)


@transaction.atomic
def save_activity(activity: Activity, *, actor: Any) -> Activity:
    """Add a line to the register of processing, or change one."""
    activity.save()
    audit.record("privacy.activity.save", actor=actor, subject=activity)
    return activity


@transaction.atomic
def save_contact(contact: Contact, *, actor: Any) -> Contact:
    contact.pk = 1
    contact.save()
    audit.record("privacy.contact.save", actor=actor, subject=contact)
    return contact


@transaction.atomic
def save_breach(breach: Breach, *, actor: Any) -> Breach:
    """Register a breach, or what was done about it since."""
    if breach.pk is None:
        breach.reported_by = actor
    breach.save()
    audit.record("privacy.breach.save", actor=actor, subject=breach,
                 detail={"told": breach.is_told, "late": breach.is_late})  # fmt: skip
    return breach
