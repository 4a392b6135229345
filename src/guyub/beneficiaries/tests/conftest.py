"""Fixtures that take enrolments through their stages."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from guyub.access.roles import Role

TODAY = dt.date(2026, 3, 1)


@pytest.fixture
def operator(make_user: Callable[..., Any]) -> Any:
    return make_user(Role.AGENCY_OPERATOR)


@pytest.fixture
def make_enrolment(
    make_sub_activity: Callable[..., Any], make_household: Callable[..., Any], operator: Any
) -> Callable[..., Any]:
    """Make an enrolment and take it to a stage: ``make_enrolment("delivered", sub_activity=...)``."""
    from guyub.beneficiaries import services
    from guyub.beneficiaries.models import Stage
    from guyub.programs.vocabulary import Recipient

    serial = itertools.count(1)

    def make(stage: str = "candidate", **values: Any) -> Any:
        sub_activity = values.get("sub_activity") or make_sub_activity(f"Bantuan {next(serial)}")
        home = values.get("household") or make_household(values.get("code", "33.02.01.2001"))
        person = home.members.get() if sub_activity.recipient == Recipient.PERSON else None
        actor = values.get("actor", operator)
        enrolment = services.enrol(sub_activity, household=home, person=person, actor=actor)
        path = {
            "verified": ["verified"],
            "enrolled": ["verified", "enrolled"],
            "delivered": ["verified", "enrolled", "delivered"],
            "finished": ["verified", "enrolled", "delivered", "finished"],
            "graduated": ["verified", "enrolled", "delivered", "graduated"],
            "rejected": ["rejected"],
            "withdrawn": ["verified", "enrolled", "withdrawn"],
        }.get(stage, [])
        for step in path:
            if step == Stage.DELIVERED:
                services.record_delivery(
                    enrolment, delivered_on=values.get("on", TODAY), amount=300_000, actor=actor
                )
            else:
                services.move(enrolment, step, actor=actor, reason="Sesuai hasil pemeriksaan")
        enrolment.refresh_from_db()
        return enrolment

    return make
