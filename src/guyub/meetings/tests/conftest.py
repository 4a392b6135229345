"""A meeting of three agencies, planned for tomorrow, and their heads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from guyub.access.roles import Role


@pytest.fixture
def secretary(make_user: Callable[..., Any]) -> Any:
    return make_user(Role.SECRETARIAT)


@pytest.fixture
def heads(make_agency: Callable[..., Any], make_user: Callable[..., Any]) -> dict[str, Any]:
    """Return the heads of three agencies, by agency code."""
    return {
        code: make_user(Role.AGENCY_HEAD, agency=make_agency(code), full_name=f"Kepala {code}")
        for code in ("dinsos", "dinkes", "dinperkim")
    }


@pytest.fixture
def meeting_values() -> dict[str, Any]:
    start = timezone.localtime().replace(microsecond=0) + dt.timedelta(days=1)
    return {
        "title": "Rapat koordinasi TKPKD",
        "purpose": "Menyepakati siapa memimpin perbaikan rumah.",
        "starts_at": start,
        "ends_at": start + dt.timedelta(hours=2),
        "place": "Pendopo Sipanji",
        "input_due_on": start.date(),
    }


@pytest.fixture
def meeting(secretary: Any, heads: dict[str, Any], meeting_values: dict[str, Any]) -> Any:
    """Return a meeting with one agenda item, to which the three agencies are invited."""
    from guyub.agencies.models import Agency
    from guyub.meetings import services

    made = services.plan_meeting(actor=secretary, values=meeting_values)
    services.save_item(
        made,
        actor=secretary,
        values={"title": "Siapa memimpin RTLH?", "description": ""},
        agencies=[],
    )
    services.invite(made, Agency.objects.filter(code__in=heads), actor=secretary)
    made.refresh_from_db()
    return made


@pytest.fixture
def item(meeting: Any) -> Any:
    return meeting.agenda.get()
