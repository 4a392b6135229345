"""The public's way through the portal in a real browser, on a phone and on an old laptop."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from guyub.access.roles import Role
from guyub.portal.models import Release, ReleaseState

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fits(page: Page) -> bool:
    return not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_citizen_on_a_phone_goes_from_the_map_to_the_villages(release: Any, browse: Any) -> None:
    one = release()
    page = browse("/", phone=True)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kemiskinan di")
    # Nobody waits for fonts, pictures or drawings to read the first numbers.
    sizes = page.evaluate(
        "performance.getEntries().filter(e => e.decodedBodySize !== undefined && "
        "!e.name.includes('/vendor/vega')).reduce((sum, e) => sum + e.encodedBodySize, 0)"
    )
    assert 0 < sizes < 200_000
    assert fits(page)
    page.get_by_role("link", name="Lumbir").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kecamatan Lumbir")
    expect(page.get_by_role("rowheader", name="Cirahab")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Mengapa?").click()
    expect(page.get_by_text("jumlah 1 sampai 4 keluarga tidak pernah ditampilkan")).to_be_visible()
    page.get_by_role("link", name="Data terbuka").click()
    with page.expect_download() as found:
        page.get_by_role("link", name="CSV").first.click()
    assert found.value.suggested_filename == f"keluarga-desil-{one.as_of:%Y-%m-%d}.csv"


def test_the_secretariat_publishes_on_a_laptop(make_version: Any, browse: Any) -> None:
    import datetime as dt

    from guyub.portal import services
    from guyub.portal.tests.conftest import HOMES

    services.compute(services.prepare(make_version(dt.date(2025, 10, 1), HOMES), actor=None))
    page = browse("/publikasi-data/", Role.SECRETARIAT)
    page.get_by_role("link", name="DTSEN 01/10/2025").click()
    expect(page.get_by_role("heading", name="Yang akan dilihat warga")).to_be_visible()
    page.get_by_role("button", name="Terbitkan untuk umum").click()
    expect(page.get_by_text("Data sudah terbit")).to_be_visible()
    assert Release.objects.get().state == ReleaseState.RELEASED
    page.get_by_role("button", name="Lihat di halaman publik").click()
    page.get_by_label("Yang ditampilkan").select_option("Semua keluarga terdaftar")
    expect(page.locator("#peta .map-label")).to_have_text("Semua keluarga terdaftar")
    assert fits(page)
