"""Talk in a real browser: a name is completed, its holder hears of it, the badge clears."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.discussions import services
from guyub.discussions.models import Message
from guyub.discussions.queries import PAGE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("phone", [False, True])
def test_a_mention_is_completed_and_reaches_its_holder(browse, make_dataset, make_user, phone):
    dataset = make_dataset("rtlh", name="Rumah tidak layak huni")
    head = make_user(Role.AGENCY_HEAD, username="budi.s", full_name="Budi Santoso")
    for number in range(PAGE + 5):
        services.write(dataset, f"Pesan lama {number:02d}.", author=head)
    page = browse("/dataset/rtlh/", Role.SECRETARIAT, phone=phone)
    page.get_by_role("button", name="Tampilkan pesan sebelumnya").click()
    expect(page.get_by_text("Pesan lama 00.")).to_be_visible()
    box = page.get_by_label("Tulis pesan")
    box.press_sequentially("Mohon dicek @bud")
    expect(page.get_by_role("option", name="@budi.s")).to_be_visible()
    box.press("Enter")
    expect(box).to_have_value("Mohon dicek @budi.s ")
    box.press_sequentially("atas nama 3302011203850001")
    page.get_by_role("button", name="Kirim").click()
    expect(page.get_by_text("disamarkan.", exact=False).first).to_be_visible()
    expect(page.get_by_text("330201••••••••01")).to_be_visible()
    assert "3302011203850001" not in Message.objects.latest("pk").text
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    theirs = browse("/", head, phone=phone)
    bell = theirs.get_by_role("link", name="Kabar")
    expect(bell).to_contain_text("1")
    bell.click()
    theirs.get_by_role("link", name="menyebut Anda").click()
    expect(theirs.get_by_text("330201••••••••01")).to_be_visible()
    theirs.goto("/pembicaraan/")
    expect(theirs.locator("[data-unread]")).to_be_hidden()
    expect(theirs.get_by_role("link", name="Rumah tidak layak huni")).to_be_visible()


def test_news_comes_to_an_open_page(browse, make_dataset, make_user, monkeypatch):
    monkeypatch.setattr("guyub.discussions.views.ASK_AGAIN", 300)
    dataset = make_dataset("rtlh", name="Rumah tidak layak huni")
    head = make_user(Role.AGENCY_HEAD)
    services.write(dataset, "Halo.", author=head)
    page = browse("/dataset/rtlh/", head)
    expect(page.locator("[data-unread]")).to_be_hidden()
    with page.expect_response("**/kabar/aliran/"):
        pass
    page.wait_for_timeout(500)
    services.write(dataset, "Ada jawaban.", author=make_user(Role.SECRETARIAT))
    expect(page.locator("[data-unread]")).to_have_text("1", timeout=10_000)
    page.get_by_role("button", name="Ada pesan baru").click()
    expect(page.get_by_text("Ada jawaban.")).to_be_visible()
    expect(page.locator("[data-unread]")).to_be_hidden(timeout=10_000)
