"""Writing a part of the LP2KD, and building a report, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.documents import services
from guyub.documents.models import BuiltReport

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_part_saves_itself_and_tells_of_another_writer(
    browse: Any, document: Any, secretary: Any
) -> None:
    section = document.sections.get(key="perangkat.dinsos")
    page = browse(f"/dokumen/bagian/{section.pk}/", Role.AGENCY_OPERATOR)
    page.get_by_label("Uraian").fill("Rumah diperbaiki.")
    expect(page.get_by_text("Tersimpan sendiri")).to_be_visible(timeout=6000)
    section.refresh_from_db()
    assert (section.text, section.version) == ("Rumah diperbaiki.", 1)
    # A second go carries the version that the first brought.
    page.get_by_label("Uraian").fill("Rumah diperbaiki bersama desa.")
    expect(page.locator("#simpan input")).to_have_value("2", timeout=6000)
    section.refresh_from_db()
    assert section.version == 2

    services.write(section, text="Dari sekretariat.", version=2, done=False, actor=secretary)
    page.get_by_label("Uraian").fill("Tulisan saya.")
    expect(page.get_by_text("Wening Prabandari menyimpan bagian ini")).to_be_visible(timeout=6000)
    page.get_by_role("button", name="Simpan", exact=True).click()
    expect(page.get_by_text("Dari sekretariat.").first).to_be_visible()
    page.get_by_role("button", name="Simpan tulisan saya").click()
    section.refresh_from_db()
    assert section.text == "Tulisan saya."


def test_building_and_saving_a_report_on_a_phone(browse: Any, homes: Any) -> None:
    page = browse("/dokumen/susun/", Role.SECRETARIAT, phone=True)
    page.get_by_role("link", name="Keluarga aktif dalam registri").click()
    page.get_by_label("Baris 1").select_option("kecamatan")
    page.get_by_label("Kolom").select_option("desil")
    page.get_by_role("button", name="Tampilkan").click()
    expect(page.get_by_role("cell", name="Lumbir").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Nama").fill("Desil per kecamatan")
    page.get_by_role("button", name="Simpan", exact=True).click()
    expect(page.get_by_role("heading", name="Desil per kecamatan")).to_be_visible()
    assert BuiltReport.objects.get().question["column"] == "desil"
