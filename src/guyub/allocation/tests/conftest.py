"""A year with two offers of one kind and one of another, and households that need them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from guyub.access.roles import Role
from guyub.allocation import services
from guyub.allocation.models import Scenario
from guyub.programs.models import Funding, SubActivity
from guyub.programs.vocabulary import HelpKind


@dataclass
class Year:
    secretary: Any
    homes: dict[str, Any]
    houses: SubActivity
    latrines: SubActivity
    others: list[Any] = field(default_factory=list)

    def scenario(self, name: str = "Uji", **values: Any) -> Scenario:
        return services.create_scenario(2026, values={"name": name, **values}, actor=self.secretary)

    def reckoned(self, name: str = "Uji", **values: Any) -> Scenario:
        scenario = self.scenario(name, **values)
        services.start(scenario, actor=self.secretary, at_once=True)
        found = services.work(scenario.pk)
        assert found is not None
        assert found.state == "done", found.error
        return found


@pytest.fixture
def year(
    make_user: Callable[..., Any],
    make_agency: Callable[..., Any],
    make_sub_activity: Callable[..., Any],
    make_household: Callable[..., Any],
) -> Year:
    secretary = make_user(Role.SECRETARIAT)
    houses = make_sub_activity("Rumah", agency=make_agency("dinperkim"), quota=2)
    latrines = make_sub_activity(
        "Jamban", agency=make_agency("dinkes"), quota=1, help_kind=HelpKind.SANITATION, desil_max=2
    )
    Funding.objects.create(sub_activity=houses, source="apbd_regency", amount=40_000_000)
    Funding.objects.create(sub_activity=latrines, source="apbd_regency", amount=5_000_000)
    homes = {
        name: make_household(name=name, **values)
        for name, values in {
            "Paling": {"desil": 1, "expenditure": 200_000},
            "Kedua": {"desil": 1, "expenditure": 300_000},
            "Ketiga": {"desil": 1, "expenditure": 400_000},
            "Sedang": {"desil": 2, "expenditure": 100_000},
            "Ringan": {"desil": 4, "expenditure": 100_000},
            "Mampu": {"desil": 9},
            "Ekstrem": {"desil": 3, "extreme_poor": True, "expenditure": 500_000},
        }.items()
    }
    return Year(secretary, homes, houses, latrines)
