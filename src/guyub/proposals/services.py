"""Every write on proposals, objections and complaints.

The way of a proposal or objection: submitted, deliberated by the village, verified in the field, decided
by the agency, appealed once, final. A complaint is answered, or turned into one of the two.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access import wall
from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.datasets import queries as datasets
from guyub.discussions import files as checking
from guyub.discussions.models import Kind
from guyub.discussions.numbers import mask_numbers
from guyub.discussions.services import notify, settle
from guyub.proposals.checks import (
    HEAD_FIELDS,
    SHORTEST_REASON,
    check_day,
    check_head,
    check_household,
    check_reason,
    checked_files,
    masked,
)
from guyub.proposals.models import Proposal, ProposalFile, ProposalStep
from guyub.proposals.vocabulary import (
    OPEN_STATES,
    STEP_DAYS,
    Outcome,
    ProposalKind,
    ProposalState,
    StepKind,
)
from guyub.registry import services as registry
from guyub.registry.models import Household
from guyub.registry.vocabulary import Status

# Without letters and digits that look alike (0 O, 1 I L).
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 10
# Reasons of an objection and the status that the household gets when it is accepted.
GONE = (Status.MOVED, Status.DIED, Status.GRADUATED)


def new_code() -> str:
    """Return a random tracking code (49 bits)."""
    return "".join(secrets.choice(ALPHABET) for _letter in range(CODE_LENGTH))


# Keeping steps, and what stands in the way


def _refuse_twice(proposal: Proposal) -> None:
    """Refuse a second open proposal about the same household."""
    others = Proposal.objects.filter(state__in=OPEN_STATES).exclude(pk=proposal.pk or 0)
    if proposal.household_id is not None:
        others = others.filter(household=proposal.household_id, kind=proposal.kind)
    elif proposal.nik:
        others = others.filter(nik=proposal.nik)
    else:
        return
    # The same person may have been proposed in another village.
    with wall.everything():
        known = others.first()
    if known is not None:
        raise ValidationError(
            _("Keluarga ini sudah diajukan dan masih diproses: %(known)s.") % {"known": known}
        )


def _step(
    proposal: Proposal,
    kind: StepKind,
    state: ProposalState,
    *,
    actor: Any,
    files: Sequence[checking.Checked] = (),
    happened_on: dt.date | None = None,
    **values: str,
) -> ProposalStep:
    """Keep a step, bring the proposal to ``state`` and set when the next step is due."""
    today = timezone.localdate()
    proposal.state = state
    days = STEP_DAYS.get(state)
    proposal.due_on = today + dt.timedelta(days=days) if days is not None else None
    proposal.save()
    step = ProposalStep.objects.create(
        proposal=proposal, kind=kind, actor=actor, happened_on=happened_on or today, **values
    )
    for file in files:
        kept = ProposalFile(step=step, name=mask_numbers(file.name)[0], media_type=file.media_type)
        kept.file.save("berkas", ContentFile(file.content), save=False)
        kept.save()
    return step


def _locked(proposal: Proposal, *states: ProposalState) -> Proposal:
    current = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if current.state not in states:
        raise ValidationError(
            _(
                "Langkah ini tidak berlaku lagi: keadaannya sekarang “%(state)s”. Muat ulang halamannya."
            )
            % {"state": current.get_state_display()}
        )
    return current


def _not_a_complaint(proposal: Proposal) -> None:
    if proposal.kind == ProposalKind.COMPLAINT:
        raise ValidationError(_("Pengaduan dijawab, atau dijadikan usulan atau sanggahan dahulu."))


def _next_actors(proposal: Proposal) -> list[Any]:
    """Return the accounts whose turn it is."""
    users = User.objects.filter(is_active=True)
    by_agency = (
        users.filter(role=Role.AGENCY_OPERATOR, agency=proposal.agency_id)
        if proposal.agency_id is not None
        else users.filter(role=Role.SECRETARIAT)
    )
    if proposal.state == ProposalState.APPEALED:
        return list(users.filter(role=Role.SECRETARIAT))
    if proposal.kind == ProposalKind.COMPLAINT or proposal.state == ProposalState.VERIFIED:
        return list(by_agency)
    if proposal.state in (ProposalState.SUBMITTED, ProposalState.DELIBERATED):
        return list(users.filter(role=Role.AREA_OPERATOR, area=proposal.village_id))
    return []


def _tell(proposal: Proposal, actor: Any) -> None:
    """Notify whose turn it is, or who submitted it once it is decided. No name goes out."""
    url = reverse("proposals:detail", args=[proposal.pk])
    settle(url)
    if proposal.state in OPEN_STATES:
        kind, users = Kind.TASK, _next_actors(proposal)
    else:
        kind = Kind.NEWS
        users = [proposal.submitted_by] if proposal.submitted_by is not None else []
    text = _("%(proposal)s di %(village)s: %(state)s") % {
        "proposal": proposal,
        "village": proposal.village.title,
        "state": proposal.get_state_display(),
    }
    notify([user for user in users if user != actor], kind, text, url)


def _reference_owner_id() -> int | None:
    version = datasets.reference()
    return version.dataset.owner_id if version is not None else None


# The steps


@transaction.atomic
def submit(
    *,
    village: Area,
    kind: str,
    values: dict[str, Any],
    actor: Any = None,
    household: Household | None = None,
    agency: Any = None,
    uploads: Sequence[Any] = (),
) -> Proposal:
    """Keep a proposal, objection or complaint, and give it its tracking code.

    ``values`` holds ``reason_kind``, ``reason`` and, as far as they are known, the fields of a new
    household's head and a citizen's name and contact. ``actor`` is ``None`` for a citizen. ``agency``
    is whom a complaint is addressed to; proposals go to the owner of the reference dataset.

    Raises:
        ValidationError: a value is amiss, or the household is being handled already.
    """
    check_reason(kind, values["reason_kind"])
    if kind == ProposalKind.OBJECT and household is None:
        raise ValidationError(_("Pilih dahulu keluarga yang disanggah di registri."))
    if household is not None:
        household = Household.objects.select_for_update().get(pk=household.pk)
        if kind != ProposalKind.COMPLAINT:
            check_household(kind, values["reason_kind"], household)
        village = household.village
    elif kind == ProposalKind.PROPOSE:
        check_head(values)
        if actor is not None and not values.get("nik"):
            raise ValidationError({"nik": _("Tulis NIK kepala keluarga.")})
    reason = masked(values["reason"], "reason", shortest=SHORTEST_REASON)
    kept = checked_files(uploads, pdf=False, field="photos")
    fields = {name: values[name] for name in HEAD_FIELDS if values.get(name)}
    for name in ("head_name", "address"):
        if name in fields:
            fields[name] = mask_numbers(fields[name].strip())[0]
    citizen = {
        name: mask_numbers(values.get(name, "").strip())[0]
        for name in ("citizen_name", "citizen_contact")
    }
    proposal = Proposal(
        code=new_code(),
        kind=kind,
        village=village,
        household=household,
        agency_id=(agency.pk if agency is not None else None)
        if kind == ProposalKind.COMPLAINT
        else _reference_owner_id(),
        reason_kind=values["reason_kind"],
        reason=reason,
        submitted_by=actor,
        **({} if household is not None else fields),
        **citizen,
    )
    proposal.full_clean(exclude=["due_on"])
    _refuse_twice(proposal)
    _step(proposal, StepKind.SUBMITTED, ProposalState.SUBMITTED, actor=actor, files=kept)
    audit.record(
        "proposals.proposal.submit",
        actor=actor,
        subject=proposal,
        detail={"kind": kind, "files": len(kept)},
    )
    _tell(proposal, actor)
    return proposal


@transaction.atomic
def deliberate(
    proposal: Proposal,
    *,
    actor: Any,
    happened_on: dt.date,
    agreed: bool,
    text: str,
    minutes: Sequence[Any] = (),
) -> None:
    """Note what the village deliberation (*musyawarah desa*) found. Its minutes are PDF or photos.

    Raises:
        ValidationError: the date or a file is amiss, or it was deliberated already.
    """
    current = _locked(proposal, ProposalState.SUBMITTED)
    _not_a_complaint(current)
    check_day(happened_on, timezone.localdate(current.submitted_at))
    kept = checked_files(minutes, pdf=True, field="minutes")
    if not kept:
        raise ValidationError({"minutes": _("Lampirkan berita acaranya: PDF atau foto.")})
    _step(
        current,
        StepKind.DELIBERATED,
        ProposalState.DELIBERATED,
        actor=actor,
        files=kept,
        happened_on=happened_on,
        outcome=Outcome.ACCEPTED if agreed else Outcome.REJECTED,
        text=masked(text, "text"),
    )
    audit.record(
        "proposals.proposal.deliberate", actor=actor, subject=current, detail={"agreed": agreed}
    )
    _tell(current, actor)


@transaction.atomic
def verify(
    proposal: Proposal,
    *,
    actor: Any,
    happened_on: dt.date,
    fits: bool,
    text: str,
    photos: Sequence[Any] = (),
    head: dict[str, Any] | None = None,
) -> None:
    """Note what was found at the door. ``head`` completes what is not yet known of a new household.

    Raises:
        ValidationError: a value is amiss, or a household that fits still lacks its NIK.
    """
    current = _locked(proposal, ProposalState.DELIBERATED)
    check_day(happened_on, timezone.localdate(current.submitted_at))
    findings = masked(text, "text", shortest=SHORTEST_REASON)
    if current.kind == ProposalKind.PROPOSE and current.household_id is None:
        for name, value in (head or {}).items():
            if name in HEAD_FIELDS and value:
                setattr(current, name, value)
        check_head({name: getattr(current, name) for name in HEAD_FIELDS})
        if fits and not current.nik:
            raise ValidationError({"nik": _("Tulis NIK kepala keluarga, dicocokkan dengan KTP.")})
        _refuse_twice(current)
    kept = checked_files(photos, pdf=False, field="photos")
    _step(
        current,
        StepKind.VERIFIED,
        ProposalState.VERIFIED,
        actor=actor,
        files=kept,
        happened_on=happened_on,
        outcome=Outcome.ACCEPTED if fits else Outcome.REJECTED,
        text=findings,
    )
    audit.record("proposals.proposal.verify", actor=actor, subject=current, detail={"fits": fits})
    _tell(current, actor)


@transaction.atomic
def decide(
    proposal: Proposal,
    *,
    actor: Any,
    accepted: bool,
    text: str,
    answer: str = "",
    status: str = "",
) -> None:
    """Accept or reject with the reason; what is accepted changes the registry in the same transaction.

    ``status`` is what an objected household becomes. ``answer`` is read by whoever holds the code.

    Raises:
        ValidationError: a value is amiss, it is not verified, or the registry refuses the change.
    """
    current = _locked(proposal, ProposalState.VERIFIED)
    reason = masked(text, "text", shortest=SHORTEST_REASON)
    if accepted:
        _take_effect(current, actor, status)
    current.outcome = Outcome.ACCEPTED if accepted else Outcome.REJECTED
    _step(
        current,
        StepKind.DECIDED,
        ProposalState.DECIDED,
        actor=actor,
        outcome=current.outcome,
        text=reason,
        answer=masked(answer, "answer"),
    )
    audit.record(
        "proposals.proposal.decide", actor=actor, subject=current, detail={"accepted": accepted}
    )
    _tell(current, actor)


def _note(proposal: Proposal) -> str:
    return _("%(proposal)s diterima") % {"proposal": proposal}


def _take_effect(proposal: Proposal, actor: Any, status: str = "") -> None:
    """Write into the registry what an accepted proposal or objection says."""
    verified = proposal.steps.filter(kind=StepKind.VERIFIED).latest("pk")
    try:
        if proposal.kind == ProposalKind.OBJECT:
            if status not in GONE:
                raise ValidationError({"status": _("Pilih status keluarga ini seterusnya.")})
            registry.set_household_status(
                _household(proposal),
                status,
                as_of=verified.happened_on,
                reason=_note(proposal),
                actor=actor,
            )
        elif proposal.household_id is not None:
            registry.set_household_status(
                _household(proposal),
                Status.ACTIVE,
                as_of=verified.happened_on,
                reason=_note(proposal),
                actor=actor,
            )
        else:
            if not proposal.nik:
                raise ValidationError(_("NIK kepala keluarga belum dilengkapi saat verifikasi."))
            proposal.household = registry.create_household(
                household={
                    "village": proposal.village,
                    "kk": proposal.kk,
                    "address": proposal.address,
                    "rt": proposal.rt,
                    "rw": proposal.rw,
                },
                head={
                    "nik": proposal.nik,
                    "name": proposal.head_name,
                    "sex": proposal.sex,
                    "birth_date": proposal.birth_date,
                },
                as_of=verified.happened_on,
                actor=actor,
                note=_note(proposal),
            )
    except registry.RegistryError as error:
        raise ValidationError(str(error)) from error


def _household(proposal: Proposal) -> Household:
    if proposal.household is None:
        raise ValidationError(_("Keluarganya tidak ada di registri."))
    return proposal.household


@transaction.atomic
def appeal(proposal: Proposal, *, actor: Any, text: str) -> None:
    """Ask for the decision to be looked at again, once. ``actor`` is ``None`` for a citizen.

    Raises:
        ValidationError: it cannot be appealed, or no longer, or the reason is too short.
    """
    current = _locked(proposal, ProposalState.DECIDED)
    if not current.can_be_appealed:
        raise ValidationError(
            _("Putusan ini tidak dapat dibanding: diterima, atau sudah lewat %(days)d hari.")
            % {"days": STEP_DAYS[ProposalState.DECIDED]}
        )
    _step(
        current,
        StepKind.APPEALED,
        ProposalState.APPEALED,
        actor=actor,
        text=masked(text, "text", shortest=SHORTEST_REASON),
    )
    audit.record("proposals.proposal.appeal", actor=actor, subject=current)
    _tell(current, actor)


@transaction.atomic
def decide_appeal(
    proposal: Proposal, *, actor: Any, upheld: bool, text: str, answer: str = "", status: str = ""
) -> None:
    """Decide an appeal for good. When it is upheld the first decision is turned round.

    Raises:
        ValidationError: the one who decided first may not decide again, or a value is amiss.
    """
    current = _locked(proposal, ProposalState.APPEALED)
    first = current.steps.filter(kind=StepKind.DECIDED).latest("pk")
    if first.actor_id == actor.pk:
        raise ValidationError(_("Banding diputus orang lain daripada yang memutus pertama kali."))
    reason = masked(text, "text", shortest=SHORTEST_REASON)
    if upheld and current.outcome == Outcome.REJECTED:
        _take_effect(current, actor, status)
        current.outcome = Outcome.ACCEPTED
    elif upheld:
        registry.set_household_status(
            _household(current),
            Status.ACTIVE,
            as_of=timezone.localdate(),
            reason=_("Banding atas %(proposal)s dikabulkan") % {"proposal": current},
            actor=actor,
        )
        current.outcome = Outcome.REJECTED
    _step(
        current,
        StepKind.APPEAL_DECIDED,
        ProposalState.FINAL,
        actor=actor,
        outcome=current.outcome,
        text=reason,
        answer=masked(answer, "answer"),
    )
    audit.record(
        "proposals.proposal.decide_appeal", actor=actor, subject=current, detail={"upheld": upheld}
    )
    _tell(current, actor)


@transaction.atomic
def answer(proposal: Proposal, *, actor: Any, text: str) -> None:
    """Answer a complaint; whoever holds the code reads the answer.

    Raises:
        ValidationError: it is no complaint, or answered, or the answer is too short.
    """
    current = _locked(proposal, ProposalState.SUBMITTED)
    if current.kind != ProposalKind.COMPLAINT:
        raise ValidationError(_("Yang dijawab hanya pengaduan."))
    said = masked(text, "answer", shortest=SHORTEST_REASON)
    _step(current, StepKind.ANSWERED, ProposalState.ANSWERED, actor=actor, answer=said)
    audit.record("proposals.proposal.answer", actor=actor, subject=current)
    _tell(current, actor)


@transaction.atomic
def turn(
    proposal: Proposal,
    *,
    actor: Any,
    reason_kind: str,
    kind: str,
    head_name: str = "",
    household: Household | None = None,
) -> None:
    """Go on with a complaint as a proposal or objection; the citizen's code stays the same.

    Raises:
        ValidationError: it is no complaint any more, or lacks the household that it is about.
    """
    current = _locked(proposal, ProposalState.SUBMITTED)
    if current.kind != ProposalKind.COMPLAINT or kind == ProposalKind.COMPLAINT:
        raise ValidationError(_("Hanya pengaduan yang dapat dijadikan usulan atau sanggahan."))
    if current.is_confidential:
        raise ValidationError(_("Pengaduan rahasia dijawab saja; ajukan usulannya tersendiri."))
    check_reason(kind, reason_kind)
    if household is not None and household.village_id != current.village_id:
        raise ValidationError({"household": _("Keluarga ini bukan dari desa yang diadukan.")})
    if kind == ProposalKind.OBJECT and household is None:
        raise ValidationError({"household": _("Tulis nomor keluarga yang disanggah.")})
    if household is not None:
        check_household(kind, reason_kind, household)
    else:
        current.head_name = head_name or current.head_name
        check_head({name: getattr(current, name) for name in HEAD_FIELDS})
    current.kind, current.reason_kind, current.household = kind, reason_kind, household
    current.agency_id = _reference_owner_id()
    _refuse_twice(current)
    _step(current, StepKind.TURNED, ProposalState.SUBMITTED, actor=actor)
    audit.record("proposals.proposal.turn", actor=actor, subject=current, detail={"kind": kind})
    _tell(current, actor)
