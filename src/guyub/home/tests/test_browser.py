"""First pages in a real browser, under the content policy that users get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from guyub.access.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def open_page(
    browser: Browser, live_server: Any, client_for: Callable[..., Client]
) -> Iterator[Callable[..., Page]]:
    """Open a path as a role (``None``: signed in as nobody); fails on any console error."""
    contexts, complaints = [], []

    def complain(message: Any) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def open_it(path: str, role: Role | None, size: Any = DESKTOP, **options: Any) -> Page:
        context = browser.new_context(viewport=size, locale="id-ID", **options)
        contexts.append(context)
        if role is not None:
            key = client_for(role).cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
        page = context.new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


def test_a_chart_is_fetched_only_when_it_comes_near_and_drawn_without_eval(
    filled_regency: Any, add_version: Any, open_page: Callable[..., Page]
) -> None:
    add_version(days_ago=100)
    latest = add_version(days_ago=10)
    latest.is_reference = True
    latest.save()
    page = open_page("/", Role.REGENT, PHONE)
    drawing = page.locator("#chart-tren [data-drawing]")

    assert page.locator("script[src*='vega']").count() == 0
    drawing.scroll_into_view_if_needed()

    expect(drawing.locator("svg")).to_be_visible()
    expect(drawing).to_contain_text("Desil 1–2")
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert "script-src 'self';" in policy


def test_the_numbers_of_a_chart_can_be_read_as_a_table(
    filled_regency: Any, open_page: Callable[..., Page]
) -> None:
    page = open_page("/angka/33.02.01/", Role.REGENT)
    block = page.locator("#chart-desil")
    expect(block.locator("[data-drawing] svg")).to_be_visible()

    block.get_by_text("Lihat sebagai tabel").click()

    expect(block.get_by_role("row", name="Desil 4")).to_be_visible()


def test_choosing_a_measure_redraws_the_map_in_place(
    filled_regency: Any, open_page: Callable[..., Page]
) -> None:
    page = open_page("/", Role.REGENT)
    page.evaluate("window.stillThere = true")

    page.get_by_label("Yang dihitung").focus()
    page.get_by_label("Yang dihitung").select_option("Miskin ekstrem")

    expect(page.locator(".map-label")).to_have_text("Keluarga: Miskin ekstrem")
    assert "ukuran=ekstrem" in page.url
    assert page.evaluate("window.stillThere")
    expect(page.get_by_label("Yang dihitung")).to_be_focused()


def test_choosing_a_measure_redraws_the_chart_of_an_area(
    filled_regency: Any, open_page: Callable[..., Page]
) -> None:
    page = open_page("/angka/33.02.01/", Role.REGENT)
    drawing = page.locator("#chart-wilayah [data-drawing]")
    expect(drawing.locator("svg")).to_be_visible()

    page.get_by_label("Yang dihitung").select_option("Semua yang terdaftar")

    expect(page.locator(".map-label")).to_have_text("Keluarga: Semua yang terdaftar")
    expect(drawing.locator("svg")).to_contain_text("551")


def test_the_map_is_reached_and_followed_by_keyboard(
    filled_regency: Any, open_page: Callable[..., Page]
) -> None:
    page = open_page("/", Role.REGENT)
    page.get_by_label("Ditampilkan sebagai").focus()
    page.keyboard.press("Tab")

    tile = page.locator(":focus")
    expect(tile).to_have_attribute("href", "/angka/33.02.01/")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Kecamatan Lumbir")


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_first_page_scrolls_sideways(
    role: Role | None, size: Any, filled_regency: Any, add_version: Any, open_page: Any
) -> None:
    add_version(file_name="x" * 200).dataset.name = "Data"
    page = open_page("/", role, size)

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_name_on_the_map_is_whole_on_a_phone(
    filled_regency: Any, open_page: Callable[..., Page]
) -> None:
    page = open_page("/", Role.REGENT, PHONE)

    cut = page.eval_on_selector_all(
        ".tilemap-tile",
        "tiles => tiles.filter(t => t.scrollWidth > t.clientWidth || t.scrollHeight > t.clientHeight)"
        ".map(t => t.textContent)",
    )

    assert page.locator(".tilemap-tile").count() == 27
    assert cut == []


def test_the_menu_folds_on_a_phone_and_stands_open_on_a_desk(
    filled_regency: Any, open_page: Callable[..., Page]
) -> None:
    phone = open_page("/", Role.REGENT, PHONE)
    entry = phone.get_by_role("link", name="Perangkat daerah", exact=True).first
    expect(entry).to_be_hidden()
    phone.locator(".sidebar summary").click()
    expect(entry).to_be_visible()

    desk = open_page("/", Role.AUDITOR)
    expect(desk.get_by_role("link", name="Jejak audit", exact=True).first).to_be_visible()


def test_without_scripts_the_numbers_are_still_there(
    filled_regency: Any, open_page: Callable[..., Page]
) -> None:
    page = open_page("/angka/33.02.01/", Role.REGENT, java_script_enabled=False)
    # Playwright's text search passes over <noscript>.
    expect(page.locator("#chart-desil noscript p")).to_be_visible()
    expect(page.locator("#chart-desil [data-drawing]")).to_be_hidden()
    expect(page.get_by_role("link", name="Wilayah", exact=True)).to_be_visible()

    page.get_by_label("Satuan").select_option("Jiwa")
    page.get_by_role("button", name="Tampilkan").click()

    expect(page.locator(".map-label")).to_have_text("Jiwa: Desil 1–2")
    page.locator("#chart-wilayah").get_by_text("Lihat sebagai tabel").click()
    expect(page.locator("#chart-wilayah").get_by_role("row", name="Cirahab")).to_be_visible()
