"""A report's whole way in a real browser: filled in, returned, corrected, accepted, drawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.reports import curves, schedules
from guyub.reports.models import Report, ReportState

from .conftest import BUDGET, photo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_from_filling_in_to_the_s_curve(
    browse: Any, scheduled: Any, tmp_path: Path, phone: bool
) -> None:
    sub_activity = scheduled("Perbaikan rumah")
    reports = list(sub_activity.reports.order_by("period_end"))
    plan = curves.propose(
        sub_activity.starts_on, [r.period_end for r in reports], BUDGET, curves.S_CURVE
    )
    schedules.set_plan(
        sub_activity,
        {r.pk: (p.physical, p.budget) for r, p in zip(reports, plan, strict=True)},
        actor=None,
    )
    picture = tmp_path / "lokasi.jpg"
    picture.write_bytes(photo().read())

    page = browse("/laporan/?tahun=2025", Role.AGENCY_OPERATOR, phone=phone)
    page.get_by_role("link", name="Perbaikan rumah").first.click()
    page.get_by_role("button", name="Isi laporan").click()
    page.get_by_label("Realisasi fisik").fill("9,5")
    page.get_by_label("Realisasi keuangan").fill("30.000.000")
    page.get_by_label("Penerima manfaat").fill("0")
    page.get_by_label("Uraian").fill("Pendataan selesai.")
    page.get_by_label("Tambah foto").set_input_files(picture)
    page.get_by_role("button", name="Simpan dan ajukan").click()
    expect(page.get_by_text("Laporan diajukan kepada Sekretariat.")).to_be_visible()
    expect(page.locator(".photos img")).to_be_visible()
    report = Report.objects.get(state=ReportState.SUBMITTED)

    desk = browse("/laporan/tinjauan/", Role.SECRETARIAT, phone=phone)
    desk.get_by_role("link", name="Perbaikan rumah").click()
    desk.get_by_label("Catatan").fill("Sebutkan desa yang sudah didata.")
    desk.get_by_role("button", name="Kembalikan").click()
    expect(desk.get_by_text("Tidak ada yang menunggu")).to_be_visible()

    page.reload()
    expect(page.get_by_text("Sebutkan desa yang sudah didata.").first).to_be_visible()
    page.get_by_role("button", name="Perbaiki", exact=True).click()
    page.get_by_label("Uraian").fill("Pendataan selesai di Cirahab dan Canduk.")
    page.get_by_role("button", name="Simpan dan ajukan").click()
    expect(page.get_by_text("Laporan diajukan kepada Sekretariat.")).to_be_visible()

    desk.reload()
    desk.get_by_role("link", name="Perbaikan rumah").click()
    desk.get_by_role("button", name="Terima").click()
    expect(desk.get_by_text("Laporan diterima.")).to_be_visible()

    desk.goto(f"/laporan/sub-kegiatan/{sub_activity.pk}/")
    drawing = desk.locator("#chart-kurva-s svg")
    expect(drawing).to_be_visible(timeout=20_000)
    report.refresh_from_db()
    assert report.state == ReportState.ACCEPTED
    assert [e.step for e in report.events.order_by("id")] == [
        "submitted", "returned", "submitted", "accepted",
    ]  # fmt: skip
    # Nothing on the page is wider than the screen.
    width = desk.evaluate("document.documentElement.scrollWidth")
    assert width <= desk.viewport_size["width"]
    assert re.search(r"9,5", desk.locator("main").inner_text())
