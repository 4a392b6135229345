from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from guyub.access.roles import Role
from guyub.documents import keeping, services
from guyub.programs.models import Funding


@pytest.fixture
def secretary(make_user: Callable[..., Any]) -> Any:
    return make_user(Role.SECRETARIAT, full_name="Wening Prabandari")


@pytest.fixture
def sub(make_sub_activity: Callable[..., Any]) -> Any:
    """House repair by dinsos with 100 million rupiah."""
    found = make_sub_activity("Perbaikan rumah", quota=10)
    Funding.objects.create(sub_activity=found, source="apbd_regency", amount=100_000_000)
    return found


@pytest.fixture
def document(secretary: Any, sub: Any) -> Any:
    """The LP2KD of 2026, with an agency's part."""
    return services.start_document(2026, actor=secretary)


@pytest.fixture
def homes(make_household: Callable[..., Any]) -> list[Any]:
    """Two poor households in Lumbir, one better off in Cilongok."""
    return [
        make_household(desil=1, sanitation="none"),
        make_household(desil=2, name="Wagiman"),
        make_household("33.02.17.2001", desil=8, name="Karsono"),
    ]


@pytest.fixture
def reckoned(document: Any) -> Callable[[], Any]:
    """Compute the document's figures as the worker does: ``reckoned()``."""

    def reckon() -> Any:
        figures = keeping.ask_for(keeping.of_document(document), actor=None)
        return keeping.compute(figures.pk)

    return reckon


TODAY = dt.date(2026, 3, 2)
