"""The way of a proposal, an objection and a complaint, and what each does to the registry."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.audit.models import Event
from guyub.discussions.models import Notification
from guyub.proposals import queries, services
from guyub.proposals.models import Proposal
from guyub.proposals.tests.conftest import KK, NIK, REASON, minutes, picture
from guyub.proposals.vocabulary import (
    OPEN_STATES,
    REASONS,
    STEP_DAYS,
    Outcome,
    ProposalKind,
    ProposalState,
    Reason,
    StepKind,
    kind_of,
)
from guyub.registry.models import Household, Origin, Person
from guyub.registry.vocabulary import Status

pytestmark = pytest.mark.django_db


def today() -> dt.date:
    return timezone.localdate()


def deliberate(proposal: Any, actor: Any, **values: Any) -> None:
    given = {"happened_on": today(), "agreed": True, "text": "", "minutes": [minutes()], **values}
    services.deliberate(proposal, actor=actor, **given)


def verify(proposal: Any, actor: Any, **values: Any) -> None:
    given = {"happened_on": today(), "fits": True, "text": REASON, **values}
    services.verify(proposal, actor=actor, **given)


def decide(proposal: Any, actor: Any, **values: Any) -> None:
    services.decide(proposal, actor=actor, **{"accepted": True, "text": REASON, **values})


def to_decision(proposal: Any, actor: Any) -> Proposal:
    deliberate(proposal, actor)
    verify(proposal, actor)
    proposal.refresh_from_db()
    return proposal


def test_an_accepted_proposal_becomes_a_household(
    propose: Any, village_operator: Any, agency_operator: Any
) -> None:
    proposal = propose()
    assert proposal.agency == agency_operator.agency
    assert proposal.due_on == today() + dt.timedelta(days=STEP_DAYS[ProposalState.SUBMITTED])
    to_decision(proposal, village_operator)
    decide(proposal, agency_operator)
    proposal.refresh_from_db()
    person = Person.objects.get(nik=NIK)
    home = person.household
    assert proposal.household == home
    assert home.kk == KK
    assert home.village == proposal.village
    assert person.name == "WARSITO"
    assert home.origin.note == f"Usulan no. {proposal.pk} diterima"
    assert home.origin.entered_by == agency_operator
    assert home.origin.as_of == today()
    assert proposal.state == ProposalState.DECIDED
    assert proposal.outcome == Outcome.ACCEPTED
    assert [step.kind for step in proposal.steps.all()] == [
        StepKind.SUBMITTED, StepKind.DELIBERATED, StepKind.VERIFIED, StepKind.DECIDED,
    ]  # fmt: skip
    assert proposal.steps.first().files.get().is_picture
    assert proposal.steps.all()[1].files.get().media_type == "application/pdf"
    assert not proposal.can_be_appealed


def test_the_code_stands_in_no_log_or_notification(
    propose: Any, village_operator: Any, agency_operator: Any
) -> None:
    proposal = propose(actor=agency_operator)
    to_decision(proposal, village_operator)
    decide(proposal, agency_operator)
    written = [f"{event.reason} {event.detail} {event.subject_id}" for event in Event.objects.all()]
    written += [f"{news.text} {news.url}" for news in Notification.objects.all()]
    written += list(Origin.objects.values_list("note", flat=True))
    assert Notification.objects.filter(user=village_operator, kind="task").exists()
    for text in written:
        for secret in (proposal.code, proposal.shown_code, NIK, "Warsito", "WARSITO"):
            assert secret not in text


def test_an_accepted_objection_sets_the_status_and_an_appeal_sets_it_back(
    object_to: Any, make_household: Any, village_operator: Any, agency_operator: Any, secretary: Any
) -> None:
    home = make_household()
    proposal = to_decision(object_to(home, "well_off"), village_operator)
    with pytest.raises(ValidationError) as error:
        decide(proposal, agency_operator)
    assert "status" in error.value.error_dict
    decide(proposal, agency_operator, status=Status.GRADUATED)
    home.refresh_from_db()
    assert home.status == Status.GRADUATED
    assert Origin.objects.get(pk=home.origin_id_of("status")).note == (
        f"Sanggahan no. {proposal.pk} diterima"
    )
    services.appeal(proposal, actor=None, text=REASON)
    services.decide_appeal(proposal, actor=secretary, upheld=True, text=REASON)
    home.refresh_from_db()
    proposal.refresh_from_db()
    assert home.status == Status.ACTIVE
    assert proposal.state == ProposalState.FINAL
    assert proposal.outcome == Outcome.REJECTED
    with pytest.raises(ValidationError):
        services.appeal(proposal, actor=None, text=REASON)


def test_a_known_household_that_had_left_is_active_again(
    make_household: Any, village: Any, village_operator: Any, agency_operator: Any
) -> None:
    from guyub.registry.services import set_household_status

    home = make_household()
    set_household_status(home, Status.MOVED, as_of=today(), reason="Pindah", actor=None)
    proposal = services.submit(
        village=village, kind="propose", household=home, actor=village_operator,
        values={"reason_kind": "new_family", "reason": REASON},
    )  # fmt: skip
    decide(to_decision(proposal, village_operator), agency_operator)
    home.refresh_from_db()
    assert home.status == Status.ACTIVE
    assert Household.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "kind", "reason_kind", "says"),
    [
        (Status.MOVED, "propose", "unlisted", "tercatat pindah"),
        (Status.MOVED, "object", "moved", "tidak perlu disanggah"),
        (Status.DIED, "propose", "new_family", "tercatat meninggal"),
        (Status.DIED, "object", "died", "tercatat meninggal"),
        (Status.MERGED, "propose", "shock", "data utamanya"),
        (Status.ERASED, "propose", "shock", "dimusnahkan"),
    ],
)
def test_a_household_that_is_gone_is_neither_proposed_nor_objected_to(
    status: str, kind: str, reason_kind: str, says: str,
    make_household: Any, village: Any, village_operator: Any,
) -> None:  # fmt: skip
    home = make_household()
    Household.objects.filter(pk=home.pk).update(status=status)
    given = {"reason_kind": reason_kind, "reason": REASON}
    with pytest.raises(ValidationError, match=says):
        services.submit(
            village=village, kind=kind, household=home, actor=village_operator, values=given
        )
    url = f"/usul-sanggah/baru/?keluarga={home.pk}&jenis={kind}"
    client = Client()
    client.force_login(
        village_operator, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert says in client.post(url, given).text
    assert not Proposal.objects.exists()


def test_what_the_registry_refuses_leaves_everything_as_it_was(
    propose: Any, make_household: Any, village_operator: Any, agency_operator: Any
) -> None:
    proposal = to_decision(propose(), village_operator)
    # Meanwhile somebody else enters the same card number.
    make_household(kk=KK)
    with pytest.raises(ValidationError, match="Nomor KK"):
        decide(proposal, agency_operator)
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.VERIFIED
    assert proposal.outcome == ""
    assert not Person.objects.filter(nik=NIK).exists()


def test_a_rejection_is_appealed_once_in_time_and_decided_by_another(
    propose: Any, village_operator: Any, secretary: Any, make_user: Any
) -> None:
    proposal = to_decision(propose(), village_operator)
    decide(proposal, secretary, accepted=False)
    services.appeal(proposal, actor=village_operator, text=REASON)
    with pytest.raises(ValidationError, match="orang lain"):
        services.decide_appeal(proposal, actor=secretary, upheld=True, text=REASON)
    services.decide_appeal(proposal, actor=make_user("secretariat"), upheld=True, text=REASON)
    proposal.refresh_from_db()
    assert proposal.outcome == Outcome.ACCEPTED
    assert Person.objects.filter(nik=NIK).exists()


@pytest.mark.parametrize(("late", "allowed"), [(0, True), (1, False)])
def test_the_last_day_to_appeal(
    propose: Any, village_operator: Any, secretary: Any, late: int, allowed: bool
) -> None:
    proposal = to_decision(propose(), village_operator)
    decide(proposal, secretary, accepted=False)
    Proposal.objects.update(due_on=today() - dt.timedelta(days=late))
    proposal.refresh_from_db()
    assert proposal.can_be_appealed is allowed
    if allowed:
        services.appeal(proposal, actor=None, text=REASON)
    else:
        with pytest.raises(ValidationError, match="lewat 14 hari"):
            services.appeal(proposal, actor=None, text=REASON)


def test_what_is_amiss_is_said_beside_its_field(
    propose: Any, make_household: Any, village_operator: Any
) -> None:
    known = make_household().members.get()
    for values, field in (
        ({"nik": "123"}, "nik"),
        ({"nik": known.nik}, "nik"),
        ({"nik": ""}, "nik"),
        ({"sex": "F"}, "nik"),
        ({"kk": "12"}, "kk"),
        ({"head_name": " "}, "head_name"),
        ({"reason": "Miskin."}, "reason"),
        ({"reason_kind": "moved"}, "reason_kind"),
    ):
        with pytest.raises(ValidationError) as error:
            propose(**values)
        assert field in error.value.error_dict, values
    assert not Proposal.objects.exists()
    proposal = propose()
    with pytest.raises(ValidationError, match="masih diproses"):
        propose(kk="")
    for values, field in (
        ({"happened_on": today() + dt.timedelta(days=1)}, "happened_on"),
        ({"happened_on": today() - dt.timedelta(days=1)}, "happened_on"),
        ({"minutes": []}, "minutes"),
        ({"minutes": [ContentFile(b"MZ", "a.exe")]}, "minutes"),
        ({"minutes": [picture()] * 6}, "minutes"),
    ):
        with pytest.raises(ValidationError) as error:
            deliberate(proposal, village_operator, **values)
        assert field in error.value.error_dict, values


def test_a_citizens_proposal_is_completed_at_the_door(
    village: Any, owner: Any, village_operator: Any, agency_operator: Any
) -> None:
    proposal = services.submit(
        village=village,
        kind="propose",
        values={"reason_kind": "shock", "reason": f"{REASON} NIK {NIK}", "head_name": "Warsito",
                "citizen_contact": "0812 3456 789"},
    )  # fmt: skip
    assert NIK not in proposal.reason
    assert proposal.citizen_contact == "0812 3456 789"
    deliberate(proposal, village_operator)
    with pytest.raises(ValidationError) as error:
        verify(proposal, village_operator)
    assert "nik" in error.value.error_dict
    verify(proposal, village_operator, head={"nik": NIK, "sex": "M"})
    decide(proposal, agency_operator)
    assert Person.objects.get(nik=NIK).sex == "M"


def test_a_complaint_is_answered_or_turned(
    complain: Any, make_household: Any, agency_operator: Any, village_operator: Any
) -> None:
    answered = complain()
    services.answer(answered, actor=agency_operator, text=REASON)
    steps = queries.steps_of_code(answered.shown_code.lower())
    assert [step.kind for step in steps] == [StepKind.SUBMITTED, StepKind.ANSWERED]
    assert steps[1].answer == REASON
    with pytest.raises(ValidationError):
        services.answer(answered, actor=agency_operator, text=REASON)

    turned, home = complain("help_unfair"), make_household()
    with pytest.raises(ValidationError) as error:
        services.turn(turned, actor=agency_operator, kind="object", reason_kind="well_off")
    assert "household" in error.value.error_dict
    services.turn(
        turned, actor=agency_operator, kind="object", reason_kind="well_off", household=home
    )
    code = turned.code
    turned.refresh_from_db()
    assert (turned.kind, turned.household, turned.code) == ("object", home, code)
    assert turned in queries.waiting_for(village_operator)
    decide(to_decision(turned, village_operator), agency_operator, status=Status.GRADUATED)
    assert len(queries.steps_of_code(code)) == 5


def test_confidential_complaints_reach_only_those_who_answer(
    complain: Any, owner: Any, make_user: Any, make_agency: Any, village_operator: Any,
    agency_operator: Any, secretary: Any,
) -> None:  # fmt: skip
    complaint = complain("levy", citizen_name="Sutini")
    other = make_user("agency_operator", agency=make_agency("dinkes"))
    head = make_user("agency_head", agency=owner)
    for user, sees in (
        (village_operator, False), (other, False), (head, False), (agency_operator, True),
        (secretary, True),
    ):  # fmt: skip
        assert queries.may_see(user, complaint) is sees, user
        assert (complaint in queries.visible_to(user)) is sees, user
        assert queries.may_see_citizen(user, complaint) is sees, user
    with pytest.raises(ValidationError):
        services.turn(complaint, actor=secretary, kind="propose", reason_kind="shock")


def test_whose_turn_it_is(
    propose: Any, complain: Any, village_operator: Any, agency_operator: Any, secretary: Any
) -> None:
    users = {"village": village_operator, "agency": agency_operator, "secretary": secretary}

    def turns() -> set[str]:
        return {name for name, user in users.items() if proposal in queries.waiting_for(user)}

    proposal = propose()
    assert turns() == {"village"}
    deliberate(proposal, village_operator)
    assert turns() == {"village"}
    verify(proposal, village_operator)
    assert turns() == {"agency"}
    assert queries.waiting(agency_operator) == 1
    decide(proposal, agency_operator, accepted=False)
    assert turns() == set()
    services.appeal(proposal, actor=village_operator, text=REASON)
    assert turns() == {"secretary"}


def test_news_waits_only_for_whose_turn_it_is(
    propose: Any, village_operator: Any, agency_operator: Any, secretary: Any
) -> None:
    proposal = propose(actor=secretary)
    waiting = Notification.objects.filter(kind="task", settled_at=None)
    assert [row.user for row in waiting.all()] == [village_operator]
    to_decision(proposal, village_operator)
    assert [row.user for row in waiting.all()] == [agency_operator]
    decide(proposal, agency_operator)
    assert not waiting.exists()


def test_every_reason_has_one_kind() -> None:
    assert sorted(reason for reasons in REASONS.values() for reason in reasons) == sorted(Reason)
    assert all(kind_of(reason) in ProposalKind for reason in Reason)


# The state machine: any sequence of steps by anybody

ALLOWED = {
    (False, "deliberate"): {ProposalState.SUBMITTED},
    (False, "verify"): {ProposalState.DELIBERATED},
    (False, "accept"): {ProposalState.VERIFIED},
    (False, "reject"): {ProposalState.VERIFIED},
    (False, "appeal"): {ProposalState.DECIDED},
    (False, "uphold"): {ProposalState.APPEALED},
    (False, "dismiss"): {ProposalState.APPEALED},
    (True, "answer"): {ProposalState.SUBMITTED},
    (True, "turn"): {ProposalState.SUBMITTED},
}
STEPS = sorted({name for _complaint, name in ALLOWED})


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kind=st.sampled_from(["propose", "object", "complaint"]), data=st.data())
def test_no_sequence_of_steps_leaves_the_way(
    kind: str, data: Any, propose: Any, object_to: Any, complain: Any, make_household: Any,
    village_operator: Any, agency_operator: Any, secretary: Any,
) -> None:  # fmt: skip
    """Steps succeed exactly in their state, and the registry follows the outcome and nothing else."""
    with transaction.atomic():
        _walk(
            kind,
            data,
            propose,
            object_to,
            complain,
            make_household,
            village_operator,
            agency_operator,
            secretary,
        )
        # Each example starts from nothing.
        transaction.set_rollback(True)


def _walk(
    kind: str, data: Any, propose: Any, object_to: Any, complain: Any, make_household: Any,
    village_operator: Any, agency_operator: Any, secretary: Any,
) -> None:  # fmt: skip
    home = make_household()
    proposal = {"propose": propose, "complaint": complain}.get(kind, lambda: object_to(home))()
    deeds: dict[str, Any] = {
        "deliberate": lambda: deliberate(proposal, village_operator),
        "verify": lambda: verify(proposal, village_operator),
        "accept": lambda: decide(proposal, agency_operator, status=Status.MOVED),
        "reject": lambda: decide(proposal, agency_operator, accepted=False),
        "appeal": lambda: services.appeal(proposal, actor=None, text=REASON),
        "uphold": lambda: services.decide_appeal(
            proposal, actor=secretary, upheld=True, text=REASON, status=Status.MOVED
        ),
        "dismiss": lambda: services.decide_appeal(
            proposal, actor=secretary, upheld=False, text=REASON
        ),
        "answer": lambda: services.answer(proposal, actor=agency_operator, text=REASON),
        "turn": lambda: services.turn(
            proposal, actor=agency_operator, kind="object", reason_kind="moved", household=home
        ),
    }
    kept = 1
    # Half of the steps drawn are ones that fit, so that the far states are reached too.
    for _number in range(data.draw(st.integers(1, 9))):
        proposal.refresh_from_db()
        complaint = proposal.kind == "complaint"
        fits = {
            name for (about, name), states in ALLOWED.items()
            if about is complaint and proposal.state in states
        }  # fmt: skip
        if not proposal.can_be_appealed:
            fits.discard("appeal")
        some = data.draw(st.booleans()) and sorted(fits)
        name = data.draw(st.sampled_from(some or STEPS))
        if name in fits:
            deeds[name]()
            kept += 1
        else:
            with pytest.raises(ValidationError):
                deeds[name]()
        proposal.refresh_from_db()
        home.refresh_from_db()
        assert proposal.steps.count() == kept
        assert (proposal.due_on is not None) == (
            proposal.state in OPEN_STATES or proposal.state == ProposalState.DECIDED
        )
        accepted = proposal.outcome == Outcome.ACCEPTED
        assert (home.status == Status.MOVED) == (proposal.kind == "object" and accepted)
        assert Person.objects.filter(nik=NIK).exists() == (proposal.kind == "propose" and accepted)
