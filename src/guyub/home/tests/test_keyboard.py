"""A whole flow by keyboard alone: sign in, menu, list, filter, record, one write."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from guyub.access.roles import Role
from guyub.accounts.tests.conftest import PASSWORD, totp_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_STEPS = 80
# What has the focus, and whether one sees that: an outline or a shadow, within the window.
FOCUS = """
() => {
  const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  const there = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return {body: it === document.body, seen: ring && there, what: it.outerHTML.slice(0, 120)};
}
"""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on ``selector``; each stop on the way has to be visible."""
    wanted = page.locator(selector)
    for _step in range(MOST_STEPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["body"] or focus["seen"], f"The focus cannot be seen on {focus['what']}"
        if wanted.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"{selector} cannot be reached with Tab")


def test_from_signing_in_to_a_change_with_the_keyboard_alone(
    browse: Any, make_user: Any, make_agency: Any
) -> None:
    agency = make_agency("dinkes", name="Dinas Kesehatan")
    make_agency("dindik", name="Dinas Pendidikan")
    user = make_user(Role.SECRETARIAT)
    page = browse("/masuk/")
    keys = page.keyboard

    tab_to(page, "#id_login")
    keys.type(user.username)
    tab_to(page, "#id_password")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.locator("#id_code")).to_be_visible()
    if not page.locator("#id_code").evaluate("it => it === document.activeElement"):
        tab_to(page, "#id_code")
    keys.type(totp_code(user))
    keys.press("Enter")
    expect(page.locator("nav.sidebar")).to_be_visible()

    # The menu leads to the list; there the first stop skips the menu.
    tab_to(page, 'nav.sidebar a[href="/perangkat-daerah/"]')
    keys.press("Enter")
    page.wait_for_url("**/perangkat-daerah/")
    tab_to(page, "a.skip")
    keys.press("Enter")
    expect(page.locator("main")).to_be_focused()

    tab_to(page, "#q")
    keys.type("kesehatan")
    keys.press("Enter")
    expect(page.locator("#hasil")).not_to_contain_text("Dinas Pendidikan")
    tab_to(page, '#hasil a[href="/perangkat-daerah/dinkes/"]')
    keys.press("Enter")
    page.wait_for_url("**/perangkat-daerah/dinkes/")
    tab_to(page, 'main a[href="/perangkat-daerah/dinkes/ubah/"]')
    keys.press("Enter")
    page.wait_for_url("**/perangkat-daerah/dinkes/ubah/")
    tab_to(page, "#id_head_name")
    keys.type("Siti Rahayu")
    tab_to(page, "form.card button[type=submit]")
    keys.press("Space")

    expect(page.get_by_role("status")).to_be_visible()
    agency.refresh_from_db()
    assert agency.head_name == "Siti Rahayu"
