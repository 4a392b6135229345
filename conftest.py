"""Fixtures that tests of every app share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from guyub.access.roles import AGENCY_ROLES, AREA_ROLES, Role


@pytest.fixture
def regency(db: None) -> Any:
    """Banyumas with its districts and villages; returns the regency's area."""
    from guyub.areas.models import Area
    from guyub.areas.services import load_regency

    load_regency()
    return Area.objects.get(code="33.02")


@pytest.fixture
def village(regency: Any) -> Any:
    """Desa Cirahab in Kecamatan Lumbir."""
    from guyub.areas.models import Area

    return Area.objects.select_related("parent").get(code="33.02.01.2001")


@pytest.fixture
def make_agency(db: None) -> Callable[..., Any]:
    """Make an agency: ``make_agency("dinsos")``."""
    from guyub.agencies.models import Agency

    def make(code: str = "dinsos", **values: Any) -> Any:
        values.setdefault("name", f"Dinas {code.title()}")
        return Agency.objects.get_or_create(code=code, defaults=values)[0]

    return make


@pytest.fixture
def make_user(make_agency: Callable[..., Any], regency: Any) -> Callable[..., Any]:
    """Make a user of a role with a second factor: ``make_user(Role.AREA_OPERATOR, area=...)``."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from guyub.accounts.models import User
    from guyub.areas.models import Area

    def make(role: str, **values: Any) -> Any:
        number = User.objects.count() + 1
        if role in AGENCY_ROLES:
            values.setdefault("agency", make_agency())
        if role in AREA_ROLES:
            values.setdefault("area", Area.objects.get(code="33.02.01.2001"))
        values.setdefault("username", f"{role}{number}")
        values.setdefault("email", f"{role}{number}@contoh.test")
        values.setdefault("full_name", f"Pengguna {number}")
        second_factor = values.pop("second_factor", True)
        user = User(role=role, **values)
        user.set_password("kata-sandi-uji-12345")
        user.save()
        if second_factor:
            TOTP.activate(user, generate_totp_secret())
        assert not second_factor or Authenticator.objects.filter(user=user).exists()
        return user

    return make


@pytest.fixture
def client_for(make_user: Callable[..., Any]) -> Callable[..., Client]:
    """Return a client signed in as a fresh user of a role: ``client_for(Role.REGENT)``."""

    def sign_in(role: str = Role.SECRETARIAT, **values: Any) -> Client:
        client = Client()
        user = make_user(role, **values)
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        client.user = user  # type: ignore[attr-defined]
        return client

    return sign_in


@pytest.fixture
def make_dataset(make_agency: Callable[..., Any]) -> Callable[..., Any]:
    """Make a dataset: ``make_dataset("dtsen", owner=agency)``."""
    from guyub.datasets.models import Cadence, Dataset

    def make(code: str = "dtsen", **values: Any) -> Any:
        values.setdefault("owner", make_agency())
        values.setdefault("name", code.upper())
        values.setdefault("legal_basis", "Inpres 4/2025")
        values.setdefault("cadence", Cadence.QUARTERLY)
        return Dataset.objects.get_or_create(code=code, defaults=values)[0]

    return make
