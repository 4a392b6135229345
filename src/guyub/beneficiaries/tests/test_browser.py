"""Recipients in a real browser: from an Excel file to the door, to a delivery, to the household's page."""

import datetime as dt
import io
from pathlib import Path

import pytest
import xlsxwriter
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.beneficiaries.models import Delivery, Enrolment, Stage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def xlsx(path: Path, rows: list[list[object]]) -> Path:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet()
        for r, row in enumerate([["NIK", "Catatan"], *rows]):
            for c, value in enumerate(row):
                (page.write_string if isinstance(value, str) else page.write)(r, c, value)
    path.write_bytes(out.getvalue())
    return path


def fits(page) -> bool:
    return not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_from_a_file_with_mistakes_to_the_household_page(
    browse, make_sub_activity, make_household, tmp_path
):
    sub_activity, home = make_sub_activity("Bedah rumah", quota=10), make_household()
    path = xlsx(
        tmp_path / "usulan.xlsx",
        [[home.members.get().nik, "Musdes"], ["3.30E+15", ""], [3302011203850001, ""]],
    )
    page = browse(f"/penerima/sub/{sub_activity.pk}/", Role.AGENCY_OPERATOR)
    page.get_by_text("Tambah penerima").click()
    page.get_by_role("link", name="Dari berkas Excel berisi NIK").click()
    page.get_by_label("Berkas Excel atau CSV").set_input_files(path)
    page.get_by_role("button", name="Unggah dan periksa").click()
    expect(page.get_by_text("NIK dirusak Excel menjadi bentuk seperti").first).to_be_visible()
    expect(page.get_by_text("NIK tersimpan sebagai angka").first).to_be_visible()
    desk = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    assert fits(page)
    page.set_viewport_size(desk)
    with page.expect_download() as download:
        page.get_by_role("button", name="Unduh untuk diperbaiki").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("button", name="Simpan 1 baris").click()
    expect(page.get_by_text("1 tersimpan.")).to_be_visible()
    page.get_by_role("button", name="Ke daftar penerima").click()

    # Everybody on the list at once, to verified and enrolled.
    for action in ("verified", "enrolled"):
        page.get_by_label("Tindakan untuk yang dipilih").select_option(value=action)
        page.get_by_role("button", name="Lanjutkan dengan semua").click()
        page.get_by_role("button", name="Simpan").click()
        expect(page.get_by_text("1 tersimpan.")).to_be_visible()
        page.get_by_role("button", name="Ke daftar penerima").click()
    page.get_by_role("link", name="TUKIMAN").click()
    page.get_by_role("button", name="Catat penyaluran").click()
    page.get_by_label("Tanggal penyaluran").fill("2026-02-03")
    page.get_by_label("Nilai (rupiah)").fill("Rp 1.500.000")
    page.get_by_role("button", name="Simpan").click()
    expect(page.get_by_text("Penyaluran tercatat.")).to_be_visible()
    assert Delivery.objects.get().delivered_on == dt.date(2026, 2, 3)

    page.goto(f"/registri/keluarga/{home.pk}/")
    help_ = page.locator("#bantuan")
    expect(help_.get_by_text("Bedah rumah")).to_be_visible()
    expect(help_.get_by_text("1.500.000")).to_be_visible()
    expect(help_.get_by_text("Menerima", exact=True)).to_be_visible()
    page.goto(f"/program/sub/{sub_activity.pk}/")
    expect(page.locator("#penerima").get_by_text("dari kuota")).to_be_visible()


def test_at_the_door_with_a_phone(browse, make_enrolment):
    fit, unfit = make_enrolment(), make_enrolment()
    make_enrolment(code="33.02.17.2001")
    page = browse("/penerima/verifikasi/", Role.AREA_OPERATOR, phone=True)
    expect(page.get_by_text("2 calon menunggu diperiksa.")).to_be_visible()
    assert fits(page)
    first = page.locator(f"#calon-{fit.pk}")
    button = first.get_by_role("button", name="Layak", exact=True)
    assert button.bounding_box()["height"] >= 44
    button.click()
    expect(page.get_by_text("Terverifikasi")).to_be_visible()
    second = page.locator(f"#calon-{unfit.pk}")
    second.get_by_text("Tidak layak", exact=True).click()
    second.get_by_label("Sudah pindah").check()
    second.get_by_role("button", name="Simpan: tidak layak").click()
    expect(page.get_by_text("Ditolak")).to_be_visible()
    assert fits(page)
    assert list(Enrolment.objects.order_by("id").values_list("stage", flat=True)) == [
        Stage.VERIFIED,
        Stage.REJECTED,
        Stage.CANDIDATE,
    ]
    # A slip of the thumb.
    page.get_by_role("button", name="Urungkan").last.click()
    expect(page.locator(f"#calon-{unfit.pk}")).to_be_visible()
    unfit.refresh_from_db()
    assert unfit.stage == Stage.CANDIDATE
