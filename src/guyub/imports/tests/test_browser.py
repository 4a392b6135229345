"""An operator's whole way in a real browser: upload, match, mend, approve, find, reveal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.imports import services
from guyub.imports.models import ImportRun

from .conftest import HEADINGS, MAN, NEIGHBOUR, changed, csv_bytes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"desktop": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}


@pytest.mark.parametrize("size", SIZES)
def test_from_upload_to_reveal(
    browser: Browser,
    live_server: Any,
    client_for: Any,
    make_dataset: Any,
    tmp_path: Path,
    size: str,
) -> None:
    make_dataset("rtlh", name="Rumah tidak layak huni")
    client = client_for(Role.AGENCY_OPERATOR)
    context = browser.new_context(viewport=SIZES[size], locale="id-ID")
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    # One heading nobody knows, to be matched by hand; one row to be rejected.
    headings = ["Tingkat" if name == "Desil" else name for name in HEADINGS]
    path = tmp_path / "daftar.csv"
    path.write_bytes(csv_bytes([MAN, changed(NEIGHBOUR, NIK="3.30E+15")], headings))

    page.goto(f"{live_server.url}/impor/baru/")
    page.get_by_label("Dataset").select_option(label="Rumah tidak layak huni")
    page.get_by_label("Keadaan per tanggal").fill("2026-01-05")
    page.get_by_label("Berkas CSV atau XLSX").set_input_files(path)
    page.get_by_role("button", name="Unggah dan periksa").click()
    expect(page.get_by_role("heading", name="Cocokkan kolom")).to_be_visible()
    page.get_by_label("Tingkat").select_option(value="desil")
    page.get_by_role("button", name="Periksa berkas").click()
    expect(page.locator("#kemajuan")).to_be_visible()

    run = ImportRun.objects.get()
    services.work(run.pk)
    # The page asks by itself and shows the report once the worker is done.
    expect(page.get_by_text("NIK dirusak Excel").first).to_be_visible(timeout=15_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Unduh untuk diperbaiki").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("button", name="Terapkan 1 baris").click()
    expect(page.locator("#kemajuan")).to_be_visible()
    services.work(run.pk)
    expect(page.get_by_text("Akibatnya pada registri bersama")).to_be_visible(timeout=15_000)

    page.goto(f"{live_server.url}/registri/")
    page.get_by_label("Cari NIK").fill("muhamad sukarno")
    page.get_by_role("button", name="Cari", exact=True).click()
    link = page.get_by_role("link", name="MOH. SOEKARNO")
    expect(link).to_be_visible()
    assert "sukarno" not in page.url
    link.click()
    assert MAN[0] not in page.content()
    page.get_by_role("button", name="Tampilkan NIK/KK").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Alasan").fill("Mencocokkan dengan KTP di balai desa")
    dialog.get_by_role("button", name="Tampilkan").click()
    expect(page.get_by_text(MAN[0])).to_be_visible()
    assert Event.objects.filter(action="registry.household.reveal").count() == 1
    page.get_by_role("button", name="Tutup").click()
    expect(page.get_by_text(MAN[0])).to_have_count(0)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    context.close()
