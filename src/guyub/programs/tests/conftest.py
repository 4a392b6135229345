"""Fixtures that give programs."""

from __future__ import annotations

from typing import Any

import pytest

from guyub.programs import services


@pytest.fixture
def agency(make_agency: Any) -> Any:
    return make_agency("dinperkim", name="Dinas Perumahan", short_name="Dinperkim")


@pytest.fixture
def program(agency: Any) -> Any:
    return services.create_program(
        actor=None,
        agency=agency,
        values={"year": 2026, "code": "1.04.04", "name": "Program Perumahan"},
    )


@pytest.fixture
def activity(program: Any) -> Any:
    return services.create_activity(
        program, actor=None, values={"code": "1.04.04.2.01", "name": "Pencegahan kumuh"}
    )


@pytest.fixture
def values() -> dict[str, Any]:
    """What makes a sub-activity that is in order."""
    import datetime as dt

    return {
        "code": "1.04.04.2.01.0003",
        "name": "Perbaikan rumah tidak layak huni",
        "strategy": "pockets",
        "help_kind": "house_repair",
        "recipient": "household",
        "desil_min": 1,
        "desil_max": 4,
        "quota": 100,
        "starts_on": dt.date(2026, 2, 1),
        "ends_on": dt.date(2026, 11, 30),
    }


@pytest.fixture
def sub_activity(activity: Any, values: dict[str, Any]) -> Any:
    return services.create_sub_activity(
        activity,
        actor=None,
        values=values,
        fundings={"apbd_regency": 2_000_000_000, "apbd_province": 500_000_000},
    )
