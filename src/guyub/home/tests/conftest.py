"""Numbers to show: every village has households in every desil, and a reference with a history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone


@pytest.fixture
def filled_regency(regency: Any) -> Any:
    """Banyumas where each village has as many households in a desil as the desil says, times ten.

    People are three times that; one household in a village is extremely poor; desil 0 (unknown) has
    one household.
    """
    from guyub.areas.models import Area, Level
    from guyub.registry.models import AreaCount

    AreaCount.objects.bulk_create(
        AreaCount(
            village=village,
            district=village.parent or regency,
            desil=desil,
            households=10 * desil or 1,
            people=3 * (10 * desil or 1),
            extreme_households=int(desil == 1),
        )
        for village in Area.objects.filter(level=Level.VILLAGE).select_related("parent")
        for desil in range(11)
    )
    return regency


@pytest.fixture
def add_version(make_dataset: Callable[..., Any]) -> Callable[..., Any]:
    """Add a version to a dataset, with counts: ``add_version("dtsen", days_ago=10)``."""
    from guyub.areas.models import Area, Level
    from guyub.datasets.models import Version
    from guyub.registry.models import VersionCount

    def add(code: str = "dtsen", days_ago: int = 0, households: int = 100, **values: Any) -> Any:
        dataset = make_dataset(code)
        version = Version.objects.create(
            dataset=dataset,
            number=dataset.versions.count() + 1,
            as_of=timezone.localdate() - dt.timedelta(days=days_ago),
            digest="0" * 64,
            **values,
        )
        dataset.current_version = version
        dataset.save()
        VersionCount.objects.bulk_create(
            VersionCount(version=version, district=district, desil=desil, households=households)
            for district in Area.objects.filter(level=Level.DISTRICT)
            for desil in (1, 2, 3, 4)
        )
        return version

    return add


@pytest.fixture
def make_run(make_dataset: Callable[..., Any]) -> Callable[..., Any]:
    """Make an import run: ``make_run("failed", "dtsen", file_name="a.csv")``."""
    from guyub.imports.models import ImportRun

    def make(state: str, dataset: str = "dtsen", **values: Any) -> Any:
        values.setdefault("file_name", f"{state}.csv")
        return ImportRun.objects.create(
            dataset=make_dataset(dataset),
            as_of=timezone.localdate(),
            size=1,
            digest="0" * 64,
            state=state,
            **values,
        )

    return make
