"""Three agencies with their heads, and the present quarter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from guyub.access.roles import Role
from guyub.scorecard.quarters import Quarter


@pytest.fixture
def today() -> Any:
    return timezone.localdate()


@pytest.fixture
def quarter(today: Any) -> Quarter:
    return Quarter.of(today)


@pytest.fixture
def secretary(make_user: Callable[..., Any]) -> Any:
    return make_user(Role.SECRETARIAT)


@pytest.fixture
def heads(make_agency: Callable[..., Any], make_user: Callable[..., Any]) -> dict[str, Any]:
    return {
        code: make_user(Role.AGENCY_HEAD, agency=make_agency(code), full_name=f"Kepala {code}")
        for code in ("a", "b", "c")
    }
