"""Deciding about what came in: accepting it, choosing between what disagrees, or not using it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.beneficiaries import services as beneficiaries
from guyub.beneficiaries.models import Stage
from guyub.discussions.services import settle as settle_news
from guyub.fieldwork import household_fields as fields
from guyub.fieldwork.answers import answer_to, files_about
from guyub.fieldwork.catalogues import catalogue_of
from guyub.fieldwork.comparing import Row, compare, together
from guyub.fieldwork.member_deciding import checked_choices, chosen, finish_members, note_of
from guyub.fieldwork.members import Members, compare_members, said_of_members
from guyub.fieldwork.models import FieldDecision, Submission, Visit
from guyub.fieldwork.photos import hang_photos
from guyub.fieldwork.receiving import judge
from guyub.fieldwork.services import day_of
from guyub.fieldwork.vocabulary import UNDECIDED, SubmissionState, VisitState
from guyub.proposals import services as proposals
from guyub.proposals.checks import MOST_FILES
from guyub.proposals.vocabulary import ProposalKind, ProposalState
from guyub.registry import services as registry
from guyub.registry.models import Channel, Household, Person
from guyub.registry.vocabulary import Status

SHORTEST_REASON = 10  # letters
LONGEST_NOTE = 500  # letters


def _held(submission: Submission) -> tuple[Submission, Visit | None]:
    """Lock a submission's visit, then itself: in the order in which receiving locks them."""
    visit = None
    if submission.visit_id is not None:
        visit = (
            Visit.objects.select_for_update(of=("self",))
            .select_related("round", "village", "enrolment", "proposal", "household")
            .get(pk=submission.visit_id)
        )
    held = (
        Submission.objects.select_for_update(of=("self",))
        .select_related("form_version__form", "round", "visit", "household", "sent_by")
        .get(pk=submission.pk)
    )
    if held.state not in UNDECIDED:
        raise ValidationError(
            _("Kiriman ini sudah diputuskan: %(state)s.") % {"state": held.get_state_display()}
        )
    return held, visit


def _checked_note(note: str) -> str:
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise ValidationError(
            {"note": _("Terlalu panjang: paling banyak %(n)d huruf.") % {"n": LONGEST_NOTE}}
        )
    return note


@transaction.atomic
def accept(submission: Submission, *, actor: Any, note: str = "") -> Submission:
    """Take over what a submission says of its household, and note where the values come from.

    Raises:
        ValidationError: it was decided already, is in conflict (perhaps only now), or the registry refuses.
    """
    held, visit = _held(submission)
    if held.state == SubmissionState.CONFLICT:
        raise ValidationError(_("Kiriman ini bentrok. Putuskan isiannya satu per satu."))
    rows, members = compare([held], held.household), compare_members([held], held.household)
    if held.household is not None and any(row.is_changed for row in (*rows, *members.rows)):
        raise ValidationError(
            _(
                "Data keluarga ini baru saja diubah dan kini bentrok dengan kiriman. Muat ulang "
                "halamannya, lalu putuskan isiannya satu per satu."
            )
        )
    if members.wants_choices:
        raise ValidationError(_("Ada isian anggota yang harus diputuskan satu per satu."))
    _finish([held], visit, rows, members, actor=actor, note=_checked_note(note), choices={})
    audit.record("fieldwork.submission.apply", actor=actor, subject=held, reason=note.strip())
    return held


@transaction.atomic
def settle(
    submission: Submission, choices: dict[str, str], *, actor: Any, note: str = ""
) -> list[Submission]:
    """Settle a conflict: for each disputed value, whose answer stands, or the registry's own.

    Args:
        submission: One of those in conflict; all undecided ones of its visit are settled together.
        choices: ``{field: submission's key as text, or KEEP}`` for every disputed value, and for every row
            about nobody known ``{its key: ADD or KEEP}``.
        actor: Who decides.
        note: Why, for whoever reads it later.

    Raises:
        ValidationError: a choice is missing or no longer offered, or the registry refuses.
    """
    held, visit = _held(submission)
    group = together(held)
    rows = compare(group, held.household)
    members = compare_members(group, held.household)
    checked_choices([*rows, *members.disputed], members.strangers, choices)
    _finish(group, visit, rows, members, actor=actor, note=_checked_note(note), choices=choices)
    audit.record(
        "fieldwork.submission.settle",
        actor=actor,
        subject=held,
        reason=note.strip(),
        detail={
            "submissions": [one.pk for one in group],
            "disputed": [row.name for row in rows if row.is_disputed],
            "members": len(members.disputed) + len(members.strangers),
        },
    )
    return group


@transaction.atomic
def reject(submission: Submission, *, actor: Any, reason: str) -> Submission:
    """Leave a submission unused, with the reason. Its visit has to be gone to again, or the other stands.

    Raises:
        ValidationError: it was decided already, or the reason is too short.
    """
    reason = _checked_note(reason)
    if len(reason) < SHORTEST_REASON:
        raise ValidationError(
            {"note": _("Tulis alasannya, paling sedikit %(n)d huruf.") % {"n": SHORTEST_REASON}}
        )
    held, visit = _held(submission)
    _decide(held, SubmissionState.REJECTED, actor, reason)
    if visit is not None:
        rest = [one for one in together_of(visit) if one.pk != held.pk]
        if rest:
            for one in rest:
                judge(one)
        else:
            applied = visit.submissions.filter(state=SubmissionState.APPLIED).exists()
            _set_visit(visit, VisitState.DONE if applied else VisitState.TO_GO)
    audit.record("fieldwork.submission.reject", actor=actor, subject=held, reason=reason)
    return held


@transaction.atomic
def match_by_hand(
    submission: Submission, number: int, person: Person | None, *, actor: Any
) -> Submission:
    """Say whom a row about a member is about; ``None`` takes back what was said.

    Raises:
        ValidationError: it was decided already, there is no such row, or the person is none of the household.
    """
    held, _visit = _held(submission)
    said = said_of_members(held.form_version.definition, held.answers)
    if number not in {one.number for one in said}:
        raise ValidationError(_("Baris anggota ini tidak ada pada kiriman."))
    if person is not None and (
        person.household_id != held.household_id or person.merged_into_id is not None
    ):
        raise ValidationError(_("Orang ini bukan anggota keluarga yang dikunjungi."))
    matches = {key: value for key, value in held.matches.items() if key != str(number)}
    if person is not None:
        matches[str(number)] = person.pk
    held.matches = matches
    held.save(update_fields=["matches"])
    audit.record(
        "fieldwork.submission.match",
        actor=actor,
        subject=held,
        detail={"row": number, "person": person.pk if person is not None else None},
    )
    return held


def together_of(visit: Visit) -> list[Submission]:
    """Return the undecided submissions of a visit, oldest first."""
    rows = visit.submissions.filter(state__in=UNDECIDED).order_by("pk")
    return list(rows.select_related("form_version", "household", "visit"))


def _set_visit(visit: Visit, state: str) -> None:
    visit.state, visit.changed_at = state, timezone.now()
    visit.save(update_fields=["state", "changed_at"])


def _decide(submission: Submission, state: str, actor: Any, note: str) -> None:
    submission.state = state
    submission.decided_by, submission.decided_at = actor, timezone.now()
    submission.decision_note = note
    submission.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])
    settle_news(reverse("fieldwork:submission", args=[submission.pk]))


def _finish(
    group: list[Submission],
    visit: Visit | None,
    rows: list[Row],
    members: Members,
    *,
    actor: Any,
    note: str,
    choices: dict[str, str],
) -> None:
    """Write what was decided into the registry, and note the decision on everything it is about."""
    home = group[0].household
    final = chosen(rows, choices)
    last = max(group, key=lambda one: (one.finished_at or one.received_at, one.pk))
    for one in group:
        values = {name: value for name, (value, whose) in final.items() if whose.pk == one.pk}
        if home is not None and values:
            _write(home, values, one, actor)
            home.refresh_from_db()
    FieldDecision.objects.bulk_create(
        FieldDecision(
            visit=visit,
            submission=final[row.name][1] if row.name in final else None,
            field=row.name,
            old=row.now[:250],
            new=(final[row.name][0] if row.name in final else row.now)[:250],
            was_disputed=row.is_disputed,
            decided_by=actor,
        )
        for row in rows
    )
    finished = finish_members(group, members, home, visit, actor=actor, choices=choices)
    for one in group:
        is_used = _is_used(one, [*rows, *members.rows], final | finished.final) or (
            one.pk in finished.brought
        )
        _decide(one, SubmissionState.APPLIED if is_used else SubmissionState.REJECTED, actor, note)
        if is_used:
            hang_photos(one, actor=actor)
    if visit is not None:
        _set_visit(visit, VisitState.DONE)
        _verify_candidate(visit, last, actor)
        _verify_proposal(visit, last, actor)


def _write(home: Household, values: dict[str, str], submission: Submission, actor: Any) -> None:
    try:
        registry.edit_household(
            home,
            fields.to_columns(values),
            as_of=day_of(submission.finished_at, submission.received_at),
            actor=actor,
            note=note_of(submission),
            channel=Channel.FIELD,
        )
    except registry.RegistryError as error:
        raise ValidationError(str(error)) from error


def _is_used(
    submission: Submission, rows: list[Row], final: dict[str, tuple[str, Submission]]
) -> bool:
    """Tell whether something that a submission says stands now, or nothing that it says was doubted."""
    if not any(row.is_disputed for row in rows):
        return True
    return any(
        voice.submission.pk == submission.pk
        and voice.value
        and row.key in final
        and catalogue_of(row.name).same(row.name, voice.value, final[row.key][0])
        for row in rows
        for voice in row.voices
    )


def _verify_candidate(visit: Visit, submission: Submission, actor: Any) -> None:
    """Carry the finding about a candidate over to their enrolment, where it still waits for one."""
    enrolment = visit.enrolment
    if enrolment is None or enrolment.stage != Stage.CANDIDATE:
        return
    definition, answers = submission.form_version.definition, submission.answers
    fit = answer_to(definition, answers, fields.FIT)
    if fit not in (fields.YES, fields.NO):
        return
    try:
        beneficiaries.verify(
            enrolment,
            fit=fit == fields.YES,
            reason=str(answer_to(definition, answers, fields.FIT_REASON) or "")
            or (_("Tidak layak menurut kunjungan lapangan") if fit == fields.NO else ""),
            note=str(submission),
            actor=actor,
        )
    except beneficiaries.BeneficiariesError as error:
        raise ValidationError(str(error)) from error


def _verify_proposal(visit: Visit, submission: Submission, actor: Any) -> None:
    """Carry the finding over to the proposal or objection, where it still waits to be verified."""
    proposal = visit.proposal
    if proposal is None or proposal.state != ProposalState.DELIBERATED:
        return
    definition, answers = submission.form_version.definition, submission.answers
    fit = answer_to(definition, answers, fields.FIT)
    if proposal.kind == ProposalKind.OBJECT:
        # An objection says that the household should not be helped, or is not there any more.
        gone = answer_to(definition, answers, "household.status") in (Status.MOVED, Status.DIED)
        fits = True if gone else {fields.YES: False, fields.NO: True}.get(str(fit))
    else:
        fits = {fields.YES: True, fields.NO: False}.get(str(fit))
    if fits is None:
        return
    names = files_about(definition, answers, fields.PHOTO)
    kept = submission.attachments.filter(name__in=names, stored_at__isnull=False)
    photos = []
    for attachment in kept[:MOST_FILES]:
        with attachment.file.open("rb") as file:
            photos.append(ContentFile(file.read(), "foto.jpg"))
    reason = str(answer_to(definition, answers, fields.FIT_REASON) or "")
    proposals.verify(
        proposal,
        actor=actor,
        happened_on=max(
            day_of(submission.finished_at, submission.received_at),
            timezone.localdate(proposal.submitted_at),
        ),
        fits=fits,
        text=_("Menurut kunjungan lapangan: %(submission)s. %(reason)s")
        % {"submission": submission, "reason": reason},
        photos=photos,
    )
