"""What the tests of overlap share: enrolments made straight, and a small regency at random."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone


@pytest.fixture
def enrol(db: None) -> Callable[..., Any]:
    """Enrol a household: ``enrol(sub_activity, household, stage="delivered", person=...)``."""
    from guyub.beneficiaries.models import Enrolment, Entry, Stage

    def make(sub_activity: Any, household: Any, stage: str = Stage.DELIVERED, **values: Any) -> Any:
        return Enrolment.objects.create(
            sub_activity=sub_activity,
            agency=sub_activity.agency,
            year=sub_activity.year,
            help_kind=sub_activity.help_kind,
            household=household,
            stage=stage,
            stage_since=timezone.now(),
            entry=Entry.FILE,
            **values,
        )

    return make


@pytest.fixture
def two_repairs(regency: Any, make_agency: Any, make_sub_activity: Any) -> tuple[Any, Any]:
    """House repair for desil 1 to 4 in Cilongok by two agencies, in overlapping months of 2026."""
    from guyub.areas.models import Area

    cilongok = Area.objects.get(code="33.02.17")
    return (
        make_sub_activity(
            "Perbaikan RTLH", agency=make_agency("dinperkim"), areas=[cilongok], desil_max=4
        ),
        make_sub_activity(
            "Bedah rumah",
            agency=make_agency("dinsos"),
            areas=[Area.objects.get(code="33.02.17.2001")],
            desil_max=2,
            starts_on=dt.date(2026, 6, 1),
        ),
    )
