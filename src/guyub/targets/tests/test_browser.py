"""Entering a realisation, and measuring a survey, in a real browser."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.targets import services
from guyub.targets.models import Estimate
from guyub.targets.services import YearValues

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_realisation_is_entered(browse, make_indicator, make_agency, phone):
    indicator = make_indicator("stunting", name="Prevalensi stunting", owner=make_agency("dinkes"))
    services.write_year(indicator, 2024, YearValues(D(16), D("17.1"), "SSGI 2024"), actor=None)
    services.write_year(indicator, 2025, YearValues(D(15), None), actor=None)
    page = browse("/indikator/", Role.AGENCY_OPERATOR, agency=indicator.owner, phone=phone)
    page.get_by_role("link", name="Prevalensi stunting").click()
    page.get_by_role("link", name="Ubah 2025").click()
    expect(page.get_by_label("Target (persen)")).to_be_disabled()
    page.get_by_label("Realisasi (persen)").fill("14,2")
    page.get_by_label("Sumber realisasi").fill("SSGI 2025")
    page.get_by_role("button", name="Simpan").click()
    expect(page.get_by_text("Tersimpan.")).to_be_visible()
    expect(page.get_by_text("105,3 %").first).to_be_visible()
    expect(page.get_by_text("Realisasi: – → 14,20")).to_be_visible()
    expect(page.locator("#chart-indikator svg").first).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_survey_gives_p0_with_its_error(browse, survey_csv, tmp_path, phone):
    services.load_published()
    path = tmp_path / "susenas.csv"
    path.write_bytes(survey_csv.replace(b"R301", b"Isi rumah", 1))  # a heading nobody knows
    page = browse("/ukuran-kemiskinan/", Role.AGENCY_OPERATOR, phone=phone)
    page.get_by_role("button", name="Unggah survei", exact=True).click()
    page.get_by_label("Judul").fill("Susenas uji")
    page.get_by_label("Keadaan per tanggal").fill("2026-03-01")
    page.get_by_label("Berkas Excel atau CSV").set_input_files(path)
    page.get_by_role("button", name="Unggah dan periksa").click()
    expect(page.get_by_text("Pilih kolom untuk")).to_be_visible()
    expect(page.get_by_role("button", name="Hitung")).to_have_count(0)
    page.get_by_label("Jumlah anggota rumah tangga").select_option(index=4)
    page.get_by_role("button", name="Periksa lagi").click()
    expect(page.get_by_text("penduduk yang diwakili")).to_be_visible()
    page.get_by_role("button", name="Hitung").click()
    expect(page.get_by_text("Ukuran kemiskinan selesai dihitung.")).to_be_visible()
    estimate = Estimate.objects.get()
    p0 = next(r for r in estimate.results if (r["measure"], r["domain"]) == ("p0", ""))
    row = page.get_by_role("row", name="Persentase penduduk miskin (P0)")
    written = f"{100 * p0['value']:.2f}".replace(".", ",")
    error = f"{100 * p0['se']:.3f}".replace(".", ",")
    expect(row.get_by_text(written, exact=True)).to_be_visible()
    expect(row.get_by_text(error, exact=True)).to_be_visible()
    expect(row).to_contain_text("11,15")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
