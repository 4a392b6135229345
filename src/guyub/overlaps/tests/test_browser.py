"""A case's whole way in a real browser: found, talked over, settled, read on the program's page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from guyub.access.roles import Role
from guyub.overlaps.models import CaseState, OverlapCase

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"desktop": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}


@pytest.mark.parametrize("size", SIZES)
def test_from_finding_to_who_leads(
    browser: Browser,
    live_server: Any,
    client_for: Any,
    two_repairs: Any,
    make_household: Any,
    enrol: Any,
    size: str,
) -> None:
    home = make_household("33.02.17.2001", desil=1)
    for sub in two_repairs:
        enrol(sub, home)
    contexts = []

    def page_as(role: str, **values: Any) -> Any:
        client = client_for(role, **values)
        context = browser.new_context(viewport=SIZES[size], locale="id-ID")
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        contexts.append(context)
        return context.new_page()

    def fits(page: Any) -> bool:
        return not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    secretary = page_as(Role.SECRETARIAT)
    secretary.goto(f"{live_server.url}/tumpang-tindih/?tahun=2026")
    secretary.get_by_role("button", name="Hitung sekarang").click()
    expect(secretary.get_by_text("1 kasus perlu dibahas, 1 keluarga rangkap")).to_be_visible()
    assert fits(secretary)
    case = OverlapCase.objects.get()

    operator = page_as(Role.AGENCY_OPERATOR, agency=two_repairs[1].agency)
    operator.goto(f"{live_server.url}/tumpang-tindih/kasus/{case.pk}/")
    operator.get_by_label("Tulis pesan").fill("Daftar kami sudah diserahkan ke Dinperkim.")
    operator.get_by_role("button", name="Kirim").click()
    expect(operator.locator(".message", has_text="sudah diserahkan")).to_be_visible()
    expect(operator.get_by_role("button", name="Putuskan")).to_have_count(0)
    assert fits(operator)

    secretary.get_by_role("link", name="Perbaikan rumah", exact=True).click()
    expect(secretary.locator(".message", has_text="sudah diserahkan")).to_be_visible()
    secretary.get_by_role("link", name="Lihat daftarnya").click()
    expect(secretary.get_by_role("link", name="TUKIMAN")).to_be_visible()
    secretary.goto(f"{live_server.url}/tumpang-tindih/kasus/{case.pk}/")
    secretary.get_by_role("button", name="Putuskan").click()
    secretary.get_by_label("Satu perangkat daerah memimpin").check()
    secretary.get_by_label("Isi putusan").fill("Dinperkim memegang satu daftar untuk Cilongok.")
    secretary.get_by_role("button", name="Simpan putusan").click()
    expect(secretary.get_by_text("Pilih perangkat daerah yang memimpin.")).to_be_visible()
    agency = two_repairs[0].agency
    secretary.get_by_label("Perangkat daerah yang memimpin").select_option(label=str(agency))
    secretary.get_by_role("button", name="Simpan putusan").click()
    expect(secretary.get_by_text(f"{agency} memimpin").first).to_be_visible()
    assert fits(secretary)
    case.refresh_from_db()
    assert case.state == CaseState.SETTLED

    operator.goto(f"{live_server.url}/program/sub/{two_repairs[1].pk}/")
    expect(operator.get_by_text(f"{agency} memimpin")).to_be_visible()
    operator.get_by_role("link", name="Perbaikan rumah 2026").click()
    expect(operator.get_by_text("Dinperkim memegang satu daftar")).not_to_have_count(0)

    # The matrix opens into the list behind a cell.
    secretary.goto(f"{live_server.url}/tumpang-tindih/cakupan/?tahun=2026")
    assert fits(secretary)
    row = secretary.get_by_role("row", name="Perbaikan rumah")
    row.get_by_role("link", name="100%").click()
    expect(secretary.get_by_role("link", name="TUKIMAN")).to_be_visible()
    secretary.get_by_role("link", name="Belum dibantu").click()
    expect(secretary.get_by_text("Tidak ada keluarga yang cocok")).to_be_visible()
    for context in contexts:
        context.close()
