"""Passkeys and the demo panel in a real browser, under the content policy that users get."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from guyub.access.roles import Role
from guyub.accounts.services import make_demo_account
from guyub.accounts.tests.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of an Indonesian browser; fails on whatever the content policy blocks."""
    context = browser.new_context(locale="id-ID", viewport={"width": 390, "height": 844})
    page = context.new_page()
    blocked: list[str] = []
    page.on("console", lambda m: blocked.append(m.text) if "Content Security" in m.text else None)
    page.on("pageerror", lambda error: blocked.append(str(error)))
    yield page
    context.close()
    assert blocked == []


def test_a_passkey_is_set_up_and_then_signs_in_without_a_password(
    page: Page, live_server: Any, make_user: Any
) -> None:
    user = make_user(Role.SECRETARIAT, second_factor=False)
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    page.goto(f"{live_server.url}/akun/?peran=auditor")
    page.get_by_label("Nama pengguna atau surel").fill(user.username)
    page.get_by_label("Kata sandi").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Masuk", exact=True).click()
    expect(page.get_by_role("heading", name="Siapkan faktor kedua")).to_be_visible()
    page.get_by_text("Kunci sandi di perangkat ini").click()
    page.get_by_label("Nama kunci").fill("Laptop kantor")
    page.get_by_label("Pakai juga untuk masuk tanpa kata sandi").check()
    page.get_by_role("button", name="Tambah").click()
    expect(page.get_by_role("heading", name="Kode pemulihan")).to_be_visible()
    page.get_by_text("Sudah saya simpan, lanjutkan").click()
    expect(page).to_have_url(f"{live_server.url}/akun/?peran=auditor")

    page.goto(f"{live_server.url}/masuk/logout/")
    page.locator("main").get_by_role("button", name="Keluar").click()
    page.get_by_role("button", name="Masuk dengan kunci sandi").click()
    expect(page).not_to_have_url(re.compile("masuk"))
    page.goto(f"{live_server.url}/akun/saya/")
    expect(page.get_by_role("heading", name=user.full_name)).to_be_visible()


def test_a_passkey_that_is_not_there_is_said_in_words(
    page: Page, live_server: Any, make_user: Any
) -> None:
    make_user(Role.REGENT)
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")  # and no authenticator to answer
    page.goto(f"{live_server.url}/masuk/login/")
    page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    page.get_by_role("button", name="Masuk dengan kunci sandi").click()
    expect(page.get_by_text("Kunci sandi tidak terbaca")).to_be_visible()


def test_the_demo_panel_fills_the_forms(page: Page, live_server: Any, settings: Any) -> None:
    settings.MODE = "demo"
    make_demo_account("bupati", "Bupati Banyumas", Role.REGENT)
    page.goto(f"{live_server.url}/masuk/login/?next=/akun/saya/")
    page.get_by_role("button", name="Bupati").click()
    page.locator("main").get_by_role("button", name="Masuk", exact=True).click()
    page.get_by_role("button", name="Isikan").click()
    page.locator("main").get_by_role("button", name="Masuk", exact=True).click()
    expect(page.get_by_role("heading", name="Bupati Banyumas")).to_be_visible()


def test_the_account_form_shows_what_the_role_needs(
    page: Page, live_server: Any, client_for: Any
) -> None:
    key = client_for(Role.SECRETARIAT).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
    page.goto(f"{live_server.url}/akun/baru/")
    agency, area = page.get_by_label("perangkat daerah"), page.get_by_label("wilayah tugas")
    expect(agency).to_be_hidden()
    expect(area).to_be_hidden()
    page.get_by_label("Peran", exact=True).select_option(Role.AGENCY_HEAD)
    expect(agency).to_be_visible()
    page.get_by_label("Peran", exact=True).select_option(Role.AREA_OPERATOR)
    expect(agency).to_be_hidden()
    expect(area).to_be_visible()
