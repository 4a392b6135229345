"""Lists to publish: a version of the reference list from a few numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest

# How many households: {(village, desil, extremely poor): number}.
Homes = Mapping[tuple[str, int | None, bool], int]
V1, V2, V3 = "33.02.01.2001", "33.02.01.2002", "33.02.01.2003"
V4, V5 = "33.02.02.2001", "33.02.02.2002"


@pytest.fixture
def make_version(make_dataset: Callable[..., Any], regency: Any) -> Callable[..., Any]:
    """Make a version of DTSEN with its file: ``make_version(dt.date(2025, 10, 1), {(V1, 1, True): 3})``."""
    from guyub.datasets.models import Version
    from guyub.datasets.store import version_path

    def make(as_of: dt.date, homes: Homes) -> Any:
        dataset = make_dataset()
        Version.objects.filter(is_reference=True).update(is_reference=False)
        version = Version.objects.create(
            dataset=dataset,
            number=dataset.versions.count() + 1,
            as_of=as_of,
            digest="0" * 64,
            is_reference=True,
        )
        rows = []
        for (village, desil, extreme), count in homes.items():
            for _one in range(count):
                number = f"{len(rows):016d}"
                rows += [
                    (f"{member}{number[1:]}", number, village, desil, extreme, "active", "active")
                    for member in "12"
                ]
        names = ("nik", "kk", "village", "desil", "extreme_poor")
        schema = {
            **dict.fromkeys(names, pl.String),
            "desil": pl.Int8,
            "extreme_poor": pl.Boolean,
            "household_status": pl.String,
            "person_status": pl.String,
        }
        path = version_path(dataset.code, version.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)
        return version

    return make


HOMES: Homes = {
    (V1, 1, True): 3, (V1, 1, False): 9, (V1, 2, False): 14, (V1, 5, False): 40,
    (V2, 1, True): 8, (V2, 1, False): 12, (V2, 2, False): 20, (V2, None, False): 30,
    (V3, 1, False): 15, (V3, 3, False): 2, (V3, 4, False): 17, (V3, 7, False): 25,
    (V4, 1, True): 11, (V4, 2, False): 21, (V4, 3, False): 33, (V4, 9, False): 60,
    (V5, 1, True): 6, (V5, 2, False): 18, (V5, 3, False): 29, (V5, 4, False): 44,
}  # fmt: skip


@pytest.fixture
def release(make_version: Callable[..., Any]) -> Callable[..., Any]:
    """Release a list: ``release(dt.date(2025, 10, 1), homes)``."""
    from guyub.portal import services

    def publish(as_of: dt.date = dt.date(2025, 10, 1), homes: Homes = HOMES) -> Any:
        draft = services.compute(services.prepare(make_version(as_of, homes), actor=None))
        return services.publish(draft, actor=None)

    return publish
