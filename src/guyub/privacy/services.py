"""Writes: requests of citizens, the register, breaches, the contact."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.privacy import queries
from guyub.privacy.access_file import held_about
from guyub.privacy.models import Activity, Breach, Contact, RequestState, Right, SubjectRequest
from guyub.proposals.services import new_code
from guyub.registry import restriction
from guyub.registry.models import Person
from guyub.registry.services import RegistryError
from guyub.retention import services as retention


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
def close(
    request: SubjectRequest,
    *,
    answer: str,
    granted: bool,
    actor: Any,
    whole_household: bool = False,
) -> SubjectRequest:
    """Answer a request whose identity was checked, or refuse one with the reason.

    Granting does what was asked: a restriction holds from now on (``whole_household`` for all of
    them); a correction has to be made in the registry first; an erasure waits for a second person.

    Raises:
        ValidationError: there is no answer, the request is past that, or what was asked can't be done.
    """
    states = (RequestState.VERIFIED,) if granted else (RequestState.RECEIVED, RequestState.VERIFIED)
    current = _lock(request, *states)
    if not answer.strip():
        raise ValidationError({"answer": _("Tulis jawaban atau alasannya.")})
    current.answer, current.closed_by = answer.strip(), actor
    current.closed_at = timezone.now()
    if granted:
        _carry_out(current, whole_household, actor)
    current.state = RequestState.ANSWERED if granted else RequestState.REFUSED
    current.save()
    audit.record("privacy.request.close", actor=actor, subject=current,
                 detail={"granted": granted, "late": current.is_late})  # fmt: skip
    return current


def _carry_out(request: SubjectRequest, whole_household: bool, actor: Any) -> None:
    """Do what a granted request asks for."""
    person = request.person
    if request.right == Right.ACCESS:
        return
    if person is None:
        raise ValidationError(
            _(
                "Registri tidak mengenal NIK ini, jadi tidak ada yang bisa dilakukan. Jawab tanpa memenuhinya."
            )
        )
    if request.right == Right.RESTRICT:
        request.restriction = _restrict(request, whole_household, actor)
    if request.right == Right.ERASE:
        # Until it is done, nobody gets it any more.
        if not restriction.is_restricted(person):
            request.restriction = _restrict(request, False, actor)
        basis = _("Permintaan pemilik data no. %(number)d (Pasal 8, 43, dan 44 UU 27/2022)")
        request.disposal = retention.ask_erasure(
            person, basis=basis % {"number": request.pk}, actor=actor
        )
    if request.right == Right.CORRECT:
        newest = queries.corrections(request).first()
        if newest is None:
            raise ValidationError(
                _(
                    "Belum ada data yang diubah sejak permintaan ini diterima. Perbaiki dahulu lewat tautan di halaman ini."
                )
            )
        request.corrected_at = newest.at


def _restrict(request: SubjectRequest, whole_household: bool, actor: Any) -> Any:
    person: Any = request.person
    # Without the reason that the person gave: those who read the badge need not know it.
    reason = _("Permintaan pemilik data no. %(number)d") % {"number": request.pk}
    try:
        return restriction.place(
            person.household if whole_household else person, reason=reason, actor=actor
        )
    except RegistryError as error:
        raise ValidationError(str(error)) from error


@transaction.atomic
def lift(request: SubjectRequest, *, reason: str, actor: Any) -> SubjectRequest:
    """End the restriction that a request led to.

    Raises:
        ValidationError: there is none in force, or no reason.
    """
    current = _lock(request, RequestState.ANSWERED)
    if current.restriction is None:
        raise ValidationError(_("Permintaan ini tidak membatasi apa pun."))
    try:
        restriction.lift(current.restriction, reason=reason, actor=actor)
    except RegistryError as error:
        raise ValidationError({"reason": str(error)}) from error
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
