"""The demo's rules are rules, match some of its people, and are for its sub-activities."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from guyub.access.roles import Role
from guyub.agencies.services import load_agencies
from guyub.demo.rules import RULES, make_rules
from guyub.programs.services import load_programs
from guyub.targeting.builder import plan_of
from guyub.targeting.checking import understand
from guyub.targeting.models import Rule


def test_rules_are_made_for_the_sub_activities_that_there_are(make_user: Any) -> None:
    year = timezone.localdate().year
    load_agencies()
    load_programs(year)
    made = make_rules(make_user(Role.SECRETARIAT), year)
    assert len(made) == len(RULES) >= 8
    assert len({rule.agency_id for rule in made}) >= 5
    for rule in Rule.objects.all():
        assert rule.sub_activities.exists(), rule.name
        assert all(sub.agency_id == rule.agency_id for sub in rule.sub_activities.all())
    assert Rule.objects.filter(current_version__number=2).count() == 2


def test_every_rule_shows_in_the_builder(regency: Any) -> None:
    for rule in RULES:
        for wording in rule.wordings:
            assert plan_of(understand(wording.text).condition) is not None, rule.name
