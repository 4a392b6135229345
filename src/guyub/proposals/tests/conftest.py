"""Who takes part in a proposal, and a reference dataset whose owner decides."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from PIL import Image

from guyub.access.roles import Role
from guyub.datasets.models import Version
from guyub.proposals import services

NIK, KK = "3302011203850771", "3302010101010771"
REASON = "Rumahnya roboh dan kepala keluarga sakit menahun."


@pytest.fixture(autouse=True)
def fresh_cache(db: None) -> None:
    """Rate limits live in the cache, which outlives a rolled back test."""
    cache.clear()


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }


@pytest.fixture
def owner(make_agency: Any, make_dataset: Any) -> Any:
    """The agency that owns the reference dataset."""
    agency = make_agency("dinsos")
    dataset = make_dataset("dtsen", owner=agency)
    Version.objects.create(dataset=dataset, number=1, as_of=dt.date(2026, 1, 1), is_reference=True)
    return agency


@pytest.fixture
def village_operator(make_user: Any) -> Any:
    return make_user(Role.AREA_OPERATOR)


@pytest.fixture
def agency_operator(make_user: Any, owner: Any) -> Any:
    return make_user(Role.AGENCY_OPERATOR, agency=owner)


@pytest.fixture
def secretary(make_user: Any) -> Any:
    return make_user(Role.SECRETARIAT)


def picture(name: str = "rumah.jpg") -> ContentFile:
    """Return a small photo as it is uploaded."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "brown").save(out, "JPEG")
    return ContentFile(out.getvalue(), name)


def minutes() -> ContentFile:
    return ContentFile(b"%PDF-1.7 berita acara", "berita acara.pdf")


@pytest.fixture
def propose(village: Any, village_operator: Any, owner: Any) -> Callable[..., Any]:
    """Propose a new household: ``propose(nik=...)``."""

    def make(**values: Any) -> Any:
        actor = values.pop("actor", village_operator)
        given = {
            "reason_kind": "unlisted", "reason": REASON, "head_name": "Warsito", "nik": NIK,
            "kk": KK, "sex": "M", "birth_date": dt.date(1985, 3, 12), "address": "Jl. Kauman 3",
            **values,
        }  # fmt: skip
        return services.submit(
            village=village, kind="propose", values=given, actor=actor, uploads=[picture()]
        )

    return make


@pytest.fixture
def object_to(village: Any, village_operator: Any, owner: Any) -> Callable[..., Any]:
    """Object to a household: ``object_to(home)``."""

    def make(home: Any, reason_kind: str = "moved") -> Any:
        return services.submit(
            village=village, kind="object", household=home, actor=village_operator,
            values={"reason_kind": reason_kind, "reason": REASON},
        )  # fmt: skip

    return make


@pytest.fixture
def complain(village: Any, owner: Any) -> Callable[..., Any]:
    """Complain as a citizen: ``complain("levy")``."""

    def make(reason_kind: str = "help_missing", **values: Any) -> Any:
        return services.submit(
            village=village, kind="complaint", agency=owner,
            values={"reason_kind": reason_kind, "reason": REASON, **values},
        )  # fmt: skip

    return make
