"""Writing sets of enrolments: the same outcome as one by one."""

import datetime as dt

import pytest
from django.utils import timezone

from guyub.beneficiaries import sets
from guyub.beneficiaries.models import Delivery, Enrolment, Entry, Stage
from guyub.registry.models import Household, Person

from .conftest import TODAY

pytestmark = pytest.mark.django_db


def test_households_become_candidates(make_sub_activity, make_household, operator):
    homes = [make_household(desil=desil) for desil in (3, 1, 2)]
    sub_activity, now = make_sub_activity(), timezone.now()
    poorest = Household.objects.order_by("desil", "id")[:2]
    count = sets.add(sub_activity, poorest, entry=Entry.RULE, actor=operator, at=now)
    assert count == 2
    rows = list(Enrolment.objects.order_by("id"))
    assert [row.household_id for row in rows] == [homes[1].pk, homes[2].pk]
    for row in rows:
        assert (row.stage, row.stage_since, row.entry, row.person) == (
            Stage.CANDIDATE, now, Entry.RULE, None,
        )  # fmt: skip
        assert (row.agency, row.year, row.help_kind) == (
            sub_activity.agency, sub_activity.year, sub_activity.help_kind,
        )  # fmt: skip
        step = row.steps.get()
        assert (step.from_stage, step.to_stage, step.by, step.at) == (
            "", Stage.CANDIDATE, operator, now,
        )  # fmt: skip


def test_people_become_candidates(make_sub_activity, make_household):
    person = make_household().members.get()
    sets.add(
        make_sub_activity(), Person.objects.all(), entry=Entry.FILE, actor=None, at=timezone.now()
    )
    row = Enrolment.objects.get()
    assert (row.person, row.household, row.created_by) == (person, person.household, None)


def test_nobody_is_nothing(make_sub_activity):
    nobody = Household.objects.none()
    now = timezone.now()
    assert sets.add(make_sub_activity(), nobody, entry=Entry.RULE, actor=None, at=now) == 0
    assert sets.move(Enrolment.objects.none(), "verified", reason="", actor=None, at=now) == 0


def test_a_set_moves_and_is_given(make_enrolment, make_sub_activity, operator):
    sub_activity = make_sub_activity()
    here = make_enrolment("enrolled", sub_activity=sub_activity)
    there = make_enrolment("enrolled", sub_activity=sub_activity, code="33.02.17.2001")
    now = timezone.now()
    in_lumbir = Enrolment.objects.filter(household__district__code="33.02.01")
    assert sets.deliver(
        in_lumbir, delivered_on=TODAY, amount=5, description="Beras", actor=operator, at=now
    ) == 1  # fmt: skip
    assert sets.move(in_lumbir, Stage.DELIVERED, reason="Dibagi", actor=operator, at=now) == 1
    here.refresh_from_db()
    there.refresh_from_db()
    assert (here.stage, here.stage_since, here.reason) == (Stage.DELIVERED, now, "Dibagi")
    assert there.stage == Stage.ENROLLED
    step = here.steps.first()
    assert (step.from_stage, step.to_stage, step.reason) == ("enrolled", "delivered", "Dibagi")
    delivery = Delivery.objects.get()
    assert (delivery.enrolment, delivery.sub_activity, delivery.delivered_on, delivery.amount) == (
        here, sub_activity, TODAY, 5,
    )  # fmt: skip
    assert delivery.recorded_at - now < dt.timedelta(seconds=1)
    assert not delivery.proof
