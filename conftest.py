"""Fixtures that tests of every app share."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from guyub.access.roles import AGENCY_ROLES, AREA_ROLES, Role

DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    # Playwright runs an event loop of its own in this thread; Django must not mistake it for one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield found
        found.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def browse(
    browser: Browser, live_server: Any, client_for: Callable[..., Client]
) -> Iterator[Callable[..., Page]]:
    """Open a path as a role, as a user, or as nobody (``None``); fail on any console error.

    ``browse("/program/", Role.SECRETARIAT, phone=True)``; further options make the user. The page
    has the user as ``page.user``, and relative addresses may be used from then on.
    """
    contexts, complaints = [], []

    def complain(message: Any) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def open_it(path: str, who: Any = None, *, phone: bool = False, **values: Any) -> Page:
        context = browser.new_context(
            viewport=PHONE if phone else DESKTOP, locale="id-ID", base_url=live_server.url
        )
        contexts.append(context)
        user = None
        if who is not None:
            if isinstance(who, str):
                client = client_for(who, **values)
                user = client.user  # type: ignore[attr-defined]
            else:
                client, user = Client(), who
                client.force_login(
                    user, backend="allauth.account.auth_backends.AuthenticationBackend"
                )
            key = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
        page = context.new_page()
        page.user = user  # type: ignore[attr-defined]
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert not complaints, complaints


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


@pytest.fixture
def make_sub_activity(make_agency: Callable[..., Any]) -> Callable[..., Any]:
    """Make a sub-activity with its program and activity: ``make_sub_activity("RTLH", agency=...)``.

    It gives house repair to desil 1 to 4 in the whole regency throughout 2026 unless told otherwise.
    """
    from guyub.programs.models import Activity, Program, SubActivity
    from guyub.programs.vocabulary import HelpKind, Strategy

    def make(name: str = "Perbaikan rumah", **values: Any) -> Any:
        agency = values.pop("agency", None) or make_agency()
        areas = values.pop("areas", [])
        year = values.setdefault("year", 2026)
        values.setdefault("help_kind", HelpKind.HOUSE_REPAIR)
        values.setdefault("strategy", Strategy.EXPENDITURE)
        values.setdefault("desil_min", 1)
        values.setdefault("desil_max", 4)
        values.setdefault("starts_on", dt.date(year, 1, 1))
        values.setdefault("ends_on", dt.date(year, 12, 31))
        program, _ = Program.objects.get_or_create(agency=agency, year=year, name=f"Program {name}")
        activity, _ = Activity.objects.get_or_create(program=program, name=f"Kegiatan {name}")
        sub_activity = SubActivity.objects.create(
            activity=activity, agency=agency, name=name, **values
        )
        sub_activity.areas.set(areas)
        return sub_activity

    return make


@pytest.fixture
def make_household(regency: Any) -> Callable[..., Any]:
    """Make a household of one man in a village: ``make_household("33.02.01.2001", desil=1)``."""
    from guyub.areas.models import Area
    from guyub.registry.services import create_household

    serial = itertools.count(1)

    def make(code: str = "33.02.01.2001", name: str = "Tukiman", **values: Any) -> Any:
        number = next(serial)
        district = code.replace(".", "")[:6]
        values.setdefault("desil", 1)
        values.setdefault("kk", f"{district}010101{number:04d}")
        home = create_household(
            household={"village": Area.objects.get(code=code), **values},
            head={
                "nik": f"{district}120385{number:04d}",
                "name": name,
                "sex": "M",
                "birth_date": dt.date(1985, 3, 12),
            },
            as_of=dt.date(2026, 1, 5),
            actor=None,
        )
        home.refresh_from_db()
        return home

    return make
