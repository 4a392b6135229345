"""An operator's way with programs in a real browser: write a tree, change it in Excel, copy it on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from guyub.access.roles import Role
from guyub.programs.models import SubActivity

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fits(page: Page) -> bool:
    return not page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_from_a_new_program_to_the_next_year(
    browse: Any, agency: Any, tmp_path: Path, phone: bool
) -> None:
    page = browse("/program/", Role.AGENCY_OPERATOR, agency=agency, phone=phone)

    # A program with an activity and a sub-activity, its money and places.
    page.get_by_role("button", name="Tambah program").first.click()
    page.get_by_label("Tahun anggaran").fill("2026")
    page.get_by_label("Kode nomenklatur").fill("1.04.04")
    page.get_by_label("Nama program").fill("Program Perumahan")
    page.get_by_role("button", name="Simpan").click()
    page.get_by_role("button", name="Tambah kegiatan").first.click()
    expect(page.get_by_label("Kode nomenklatur")).to_have_value("1.04.04.2.")
    page.get_by_label("Kode nomenklatur").fill("1.04.04.2.01")
    page.get_by_label("Nama kegiatan").fill("Pencegahan permukiman kumuh")
    page.get_by_role("button", name="Simpan").click()
    page.get_by_role("link", name="Tambah sub kegiatan").click()
    page.get_by_label("Kode nomenklatur").fill("1.04.04.2.01.0003")
    page.get_by_label("Nama sub kegiatan").fill("Perbaikan rumah tidak layak huni")
    page.get_by_label("Strategi").select_option(label="Mengurangi kantong kemiskinan")
    page.get_by_label("Bentuk bantuan").select_option(label="Perbaikan rumah")
    page.get_by_label("Desil dari").fill("1")
    page.get_by_label("Desil sampai").fill("4")
    page.get_by_label("Kuota").fill("150")
    page.get_by_label("APBD Kabupaten").fill("2.500.000.000")
    page.get_by_label("Zakat").fill("Rp 500.000.000")
    choice = page.locator(".area-choice")
    expect(choice).to_be_hidden()
    page.get_by_label("Kecamatan atau desa tertentu").check()
    choice.get_by_text("Lumbir", exact=True).first.click()
    page.get_by_label("Seluruh Kecamatan Lumbir").check()
    choice.get_by_text("Cilongok", exact=True).first.click()
    page.get_by_label("Cipete").check()
    assert fits(page)
    page.get_by_role("button", name="Simpan").click()
    expect(page.get_by_role("heading", name="Perbaikan rumah tidak layak huni")).to_be_visible()
    expect(page.get_by_text("Rp3 miliar")).to_be_visible()
    expect(page.get_by_text("Desa Cipete")).to_be_visible()
    assert fits(page)

    # Out to Excel, changed there, and in again.
    page.goto("/program/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Unduh Excel").click()
    path = tmp_path / "program.xlsx"
    download.value.save_as(path)
    book = openpyxl.load_workbook(path)
    sheet = book["Program"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, columns["Kuota"], 175)
    for name, value in {
        "Perangkat daerah": "Dinperkim", "Tahun": 2026, "Program": "Program Perumahan",
        "Kegiatan": "Pencegahan permukiman kumuh", "Sub kegiatan": "Pendataan", "Strategi": "Salah",
        "Bentuk bantuan": "Data, perencanaan, dan koordinasi",
    }.items():  # fmt: skip
        sheet.cell(3, columns[name], value)
    book.save(path)
    page.get_by_role("button", name="Impor Excel").click()
    page.get_by_label("Berkas Excel").set_input_files(path)
    page.get_by_role("button", name="Unggah dan periksa").click()
    expect(page.get_by_text("1 baris ditolak")).to_be_visible()
    expect(page.get_by_text("Pilih salah satu: Mengurangi beban pengeluaran")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Terapkan 1 baris").click()
    expect(page.get_by_text("0 baru, 1 berubah, 0 tetap, 1 ditolak")).to_be_visible()
    assert SubActivity.objects.get().quota == 175

    # And on to the next year.
    page.goto("/program/")
    page.get_by_role("link", name="Salin ke tahun berikutnya").click()
    whole = page.get_by_label("Semua dalam program ini")
    one = page.get_by_label(re.compile("Perbaikan rumah tidak layak huni"))
    whole.uncheck()
    expect(one).not_to_be_checked()
    whole.check()
    expect(one).to_be_checked()
    page.get_by_label("Anggaran tahun berikutnya").fill("110")
    page.get_by_role("button", name="Salin yang dicentang").click()
    expect(page.get_by_text("1 sub kegiatan disalin dari 2026 ke 2027")).to_be_visible()
    page.get_by_role("link", name="Perbaikan rumah tidak layak huni").click()
    expect(page.get_by_text("Rp3,3 miliar")).to_be_visible()
    expect(page.get_by_text("1 Januari 2027")).to_be_visible()
    assert fits(page)
