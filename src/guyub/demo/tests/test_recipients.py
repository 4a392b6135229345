"""The demo's recipients: as if they had come through the stages one by one."""

import itertools

import pytest

from guyub.beneficiaries.models import Delivery, Enrolment, EnrolmentStep, Stage
from guyub.beneficiaries.stages import GIVEN, NEXT
from guyub.demo.beneficiaries import enrol_recipients, scale_down
from guyub.programs.models import Funding
from guyub.programs.vocabulary import HelpKind, Recipient

pytestmark = pytest.mark.django_db


@pytest.fixture
def recipients(make_sub_activity, make_household):
    for number in range(60):
        make_household(("33.02.01.2001", "33.02.17.2001")[number % 2], desil=1 + number % 6)
    cash = make_sub_activity("Tunai", quota=20, help_kind=HelpKind.CASH)
    Funding.objects.create(sub_activity=cash, source="apbn", amount=60_000_000)
    make_sub_activity(
        "Pelatihan", quota=15, help_kind=HelpKind.TRAINING, recipient=Recipient.PERSON
    )
    make_sub_activity("Jalan", quota=5, recipient=Recipient.COMMUNITY)
    make_sub_activity("Batal", quota=5, is_cancelled=True)
    return lambda seed: enrol_recipients(2026, seed, lambda _done, _total: None)


def drawn():
    return list(
        Enrolment.objects.order_by("sub_activity", "household").values_list(
            "sub_activity__name", "household", "person", "stage"
        )
    )


def test_they_keep_the_rules_of_stages(recipients):
    count = recipients(7)
    assert count == Enrolment.objects.count() > 10
    names = set(Enrolment.objects.values_list("sub_activity__name", flat=True))
    assert names == {"Tunai", "Pelatihan"}
    for enrolment in Enrolment.objects.select_related("sub_activity"):
        steps = list(enrolment.steps.order_by("id"))
        assert (steps[0].from_stage, steps[0].to_stage) == ("", Stage.CANDIDATE)
        assert steps[-1].to_stage == enrolment.stage
        assert steps[-1].at == enrolment.stage_since
        for before, after in itertools.pairwise(steps):
            assert after.from_stage == before.to_stage
            assert after.to_stage in NEXT[Stage(after.from_stage)]
            assert before.at <= after.at
        assert enrolment.deliveries.exists() is (enrolment.stage in GIVEN)
        assert (enrolment.person is not None) is (enrolment.sub_activity.name == "Pelatihan")
        if enrolment.stage in (Stage.REJECTED, Stage.WITHDRAWN, Stage.GRADUATED):
            assert enrolment.reason
    days = Delivery.objects.values_list("enrolment", "delivered_on")
    assert len(days) == len(set(days))


def test_the_same_seed_draws_the_same(recipients):
    recipients(7)
    first = drawn()
    for model in (Delivery, EnrolmentStep, Enrolment):
        model.objects.all().delete()
    recipients(7)
    assert drawn() == first
    for model in (Delivery, EnrolmentStep, Enrolment):
        model.objects.all().delete()
    recipients(8)
    assert drawn() != first


def test_a_smaller_regency_has_smaller_quotas(make_sub_activity):
    sub_activity = make_sub_activity(quota=3_000)
    Funding.objects.create(sub_activity=sub_activity, source="apbn", amount=900_000_000)
    scale_down(1.5)
    sub_activity.refresh_from_db()
    assert sub_activity.quota == 3_000
    scale_down(1 / 30)
    sub_activity.refresh_from_db()
    assert (sub_activity.quota, sub_activity.fundings.get().amount) == (100, 30_000_000)
