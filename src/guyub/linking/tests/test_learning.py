"""What decisions teach."""

from __future__ import annotations

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.linking import learning, services
from guyub.linking.models import Decision, Verdict, current_model
from guyub.linking.training import blend


def test_a_few_right_pairs_suggest_nothing():
    assert learning.suggested([(5.0, True)] * 10, 7.0) == 7.0


def test_the_lowest_weight_without_errors_above_it_is_suggested():
    told = [(float(w), True) for w in range(2, 42)] + [(float(w), False) for w in range(-40, 2)]
    assert learning.suggested(told, 7.0) == 2.0


def test_an_error_high_up_keeps_the_threshold():
    told = [(30.0, False)] + [(float(w), True) for w in range(29)]
    assert learning.suggested(told, 7.0) == 7.0


@given(st.lists(st.tuples(st.floats(-20, 20), st.booleans()), max_size=200))
def test_above_a_suggested_threshold_one_in_fifty_is_wrong_at_most(told):
    found = learning.suggested(told, 99.0)
    if found != 99.0:
        # Thresholds are rounded to a tenth.
        above = [same for weight, same in told if weight > found + 0.05]
        assert above.count(False) <= learning.WRONG_AT_MOST * (len(told) + 1)


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 1000)))
def test_blended_chances_add_up(counted):
    chances = blend({"a": 0.5, "b": 0.3, "c": 0.2}, counted, 100)
    assert abs(sum(chances.values()) - 1) < 1e-9
    assert all(chance > 0 for chance in chances.values())


@pytest.mark.django_db
def test_what_is_learnt_is_put_into_force_by_a_person(people, make_user):
    actor = make_user(Role.SECRETARIAT)
    values = {"name": 0, "birth": 5, "sex": 1, "area": 2, "kk": -1, "nik": -1}
    for number in range(30):
        Decision.objects.create(
            fingerprint=f"{number:064d}", person=people["Tukiman"], verdict=Verdict.SAME,
            weight=3.0 + number / 10, weights={name: [value, 0.0] for name, value in values.items()},
            decided_by=actor, decided_at=timezone.now(),
        )  # fmt: skip
    before = current_model()
    taught = learning.lesson()
    assert taught.is_enough
    assert taught.chances["name"]["other"] > before.chances["name"]["other"]
    assert taught.chances["kk"] == pytest.approx(before.chances["kk"]), "unknown teaches nothing"
    assert current_model() == before
    after = services.learn(note="Dari putusan operator", actor=actor)
    assert current_model() == after
    assert after.accept == taught.accept == 3.0
    assert after.review < after.accept
    assert after.labels == 30
