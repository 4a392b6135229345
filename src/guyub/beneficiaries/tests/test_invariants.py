"""Whatever is done, in whatever order: what always holds of enrolments and what they were given."""

import datetime as dt
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.beneficiaries import queries, services
from guyub.beneficiaries.models import HELPED, Delivery, Enrolment, Stage
from guyub.beneficiaries.services import BeneficiariesError
from guyub.beneficiaries.stages import BACK, GIVEN, NEXT
from guyub.programs.vocabulary import Recipient

pytestmark = pytest.mark.django_db
QUOTA = 2
DAYS = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(3)]

actions = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(list(Stage))),
    # What usually comes next, or most sequences would stay at the beginning.
    st.tuples(st.just("on"), st.integers(0, 2)),
    st.tuples(st.just("correct"), st.none()),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.just("deliver"), st.sampled_from(DAYS)),
    st.tuples(st.just("amend"), st.sampled_from(DAYS)),
    st.tuples(st.just("void"), st.none()),
)
plans = st.lists(st.tuples(st.integers(0, 2), st.booleans(), actions), max_size=25)
names = itertools.count(1)


def act(enrolment, over_quota, name, value, actor):
    why = "Karena begitu keadaannya"
    delivery = enrolment.deliveries.order_by("id").first()
    if name == "on":
        targets = NEXT[Stage(enrolment.stage)]
        name, value = "move", targets[value % len(targets)] if targets else Stage.VERIFIED
        if value == Stage.DELIVERED:
            name, value = "deliver", DAYS[0]
    if name == "move":
        services.move(enrolment, value, actor=actor, reason=why, over_quota=over_quota)
    elif name == "correct":
        services.correct(enrolment, actor=actor, reason=why)
    elif name == "undo":
        services.undo_verification(enrolment, actor=actor)
    elif name == "deliver":
        services.record_delivery(enrolment, delivered_on=value, amount=100, actor=actor)
    elif name == "amend" and delivery:
        services.correct_delivery(
            delivery, delivered_on=value, amount=100, description="", reason=why, actor=actor
        )
    elif name == "void" and delivery:
        services.void_delivery(delivery, reason=why, actor=actor)


def check(sub_activity, meant):
    for enrolment in Enrolment.objects.filter(sub_activity=sub_activity):
        steps = list(enrolment.steps.order_by("id").values_list("from_stage", "to_stage"))
        assert steps[0] == ("", Stage.CANDIDATE)
        # The steps form one chain that ends where the enrolment stands, and each is a known step.
        assert steps[-1][1] == enrolment.stage
        for (_before, at), (source, target) in itertools.pairwise(steps):
            assert source == at
            forward = target in NEXT[Stage(source)]
            back = BACK.get(Stage(source)) == target or source in NEXT[Stage(target)]
            assert forward or back
        given_times = enrolment.deliveries.count()
        if enrolment.stage in GIVEN:
            assert given_times
        if enrolment.stage in (Stage.CANDIDATE, Stage.VERIFIED, Stage.ENROLLED, Stage.REJECTED):
            assert not given_times
        days = list(enrolment.deliveries.values_list("delivered_on", "amount"))
        assert len(days) == len(set(days))
        assert enrolment.agency_id == sub_activity.agency_id
    helped = Enrolment.objects.filter(sub_activity=sub_activity, stage__in=HELPED).count()
    assert helped <= QUOTA or meant
    assert queries.stage_counts([sub_activity])[sub_activity.pk].helped == helped
    people, rupiah = queries.reached(sub_activity, DAYS[0], DAYS[-1])
    given_to = Delivery.objects.filter(sub_activity=sub_activity)
    assert people == len(set(given_to.values_list("enrolment_id", flat=True)))
    assert rupiah == 100 * given_to.count()


@pytest.mark.parametrize("recipient", [Recipient.HOUSEHOLD, Recipient.PERSON])
def test_no_sequence_of_actions_breaks_what_always_holds(
    make_sub_activity, make_household, operator, recipient
):
    homes = [make_household() for _n in range(3)]

    @settings(max_examples=25, suppress_health_check=list(HealthCheck), database=None)
    @given(plans)
    def run(plan):
        sub_activity = make_sub_activity(f"Bantuan {next(names)}", quota=QUOTA, recipient=recipient)
        enrolments = [
            services.enrol(
                sub_activity,
                household=home,
                person=home.members.get() if recipient == Recipient.PERSON else None,
                actor=operator,
            )
            for home in homes
        ]
        meant = False
        for index, over_quota, (name, value) in plan:
            enrolment = Enrolment.objects.get(pk=enrolments[index].pk)
            try:
                act(enrolment, over_quota, name, value, operator)
                meant = meant or over_quota
            except BeneficiariesError as error:
                assert str(error)
                # A refusal changes nothing.
                before = (enrolment.stage, enrolment.stage_since)
                enrolment.refresh_from_db()
                assert (enrolment.stage, enrolment.stage_since) == before
            check(sub_activity, meant)

    run()
