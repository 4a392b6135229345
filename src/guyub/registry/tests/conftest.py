"""A small registry: two households in Cirahab (Lumbir) and one in Cilongok."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest


@pytest.fixture
def person_values() -> dict[str, Any]:
    return {"nik": "3302011203850001", "name": "Moh. Soekarno", "sex": "M",
            "birth_date": dt.date(1985, 3, 12), "birth_place": "Banyumas"}  # fmt: skip


@pytest.fixture
def homes(regency: Any) -> Any:
    """Return three households, made as an operator would make them."""
    from guyub.areas.models import Area
    from guyub.registry.services import add_person, create_household

    def home(code: str, kk: str, nik: str, name: str, desil: int, address: str) -> Any:
        return create_household(
            household={
                "kk": kk,
                "village": Area.objects.get(code=code),
                "address": address,
                "desil": desil,
            },
            head={"nik": nik, "name": name, "sex": "M", "birth_date": dt.date(1985, 3, 12)},
            as_of=dt.date(2026, 1, 5),
            actor=None,
        )

    first = home(
        "33.02.01.2001", "3302010101010001", "3302011203850001", "Moh. Soekarno", 1, "Jl Mawar"
    )
    second = home(
        "33.02.01.2001", "3302010101010002", "3302011203850002", "Tukiman", 2, "Jl Melati"
    )
    third = home(
        "33.02.17.2001", "3302170101010003", "3302171203850003", "Muhammad Sukarno", 3, "Jl Anggrek"
    )
    add_person(
        first,
        {"nik": "3302015203870004", "name": "Siti Aminah", "sex": "F", "relation": "spouse",
         "birth_date": dt.date(1987, 3, 12)},
        as_of=dt.date(2026, 1, 5),
        actor=None,
    )  # fmt: skip
    for record in (first, second, third):
        record.refresh_from_db()
    return [first, second, third]
