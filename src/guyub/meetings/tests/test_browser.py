"""A whole meeting in a real browser: four roles, a delegate, a ratification, the regent's word."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.meetings.models import DecisionState, Meeting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_meeting_from_plan_to_ratification(browse: Any, heads: Any, secretary: Any) -> None:
    start = timezone.localtime() + dt.timedelta(days=2)
    page = browse("/rapat/", secretary)
    page.get_by_role("button", name="Rencanakan rapat").click()
    page.get_by_label("Judul").fill("Rapat TKPKD triwulan")
    page.get_by_label("Mulai").fill(f"{start:%Y-%m-%dT09:00}")
    page.get_by_label("Selesai").fill(f"{start:%Y-%m-%dT11:00}")
    page.get_by_label("Tempat").fill("Pendopo Sipanji")
    page.get_by_label("Batas masukan tertulis").fill(f"{start:%Y-%m-%d}")
    page.get_by_role("button", name="Simpan").click()
    page.get_by_role("link", name="Tambah").first.click()
    page.get_by_label("Pokok bahasan").fill("Siapa memimpin RTLH?")
    page.get_by_role("button", name="Simpan").click()
    page.get_by_role("button", name="Undang", exact=True).click()
    page.get_by_role("button", name="Kirim undangan").click()
    expect(page.get_by_text("3 perangkat daerah diundang")).to_be_visible()
    meeting = Meeting.objects.get()
    detail = f"/rapat/{meeting.pk}/"

    # One head comes in person; another sends a delegate who may decide; the third says nothing.
    dinsos = browse(detail, heads["dinsos"], phone=True)
    dinsos.get_by_role("link", name="Jawab undangan").click()
    dinsos.get_by_role("button", name="Kepala hadir").click()
    expect(dinsos.get_by_text("Kepala hadir sendiri").first).to_be_visible()
    dinkes = browse(detail, heads["dinkes"])
    dinkes.get_by_text("Beri masukan tertulis").click()
    dinkes.get_by_label("Masukan").fill("Rumah tanpa jamban didahulukan.")
    dinkes.get_by_role("button", name="Kirim masukan").click()
    expect(dinkes.get_by_text("Rumah tanpa jamban didahulukan.")).to_be_visible()
    dinkes.get_by_role("link", name="Jawab undangan").click()
    dinkes.get_by_text("Kirim wakil dengan mandat").click()
    dinkes.get_by_label("Nama wakil").fill("Wakil Setia")
    dinkes.get_by_role("button", name="Tanda tangani mandat").click()
    code = meeting.invitations.get(agency__code="dinkes").mandate_code
    expect(dinkes.get_by_text(code)).to_be_visible()

    # In the room.
    page.goto(detail)
    page.get_by_role("button", name="Mulai rapat").click()
    page.get_by_role("button", name="Kode QR kehadiran").click()
    link = page.get_by_role("link", name="Isi di perangkat ini").get_attribute("href")
    dinsos.goto(link)
    dinsos.get_by_role("button", name="Saya hadir").click()
    expect(dinsos.get_by_text("Kehadiran tercatat")).to_be_visible()
    assert not dinsos.evaluate("document.documentElement.scrollWidth > innerWidth")
    delegate = browse(link, phone=True)
    delegate.get_by_label("Nama lengkap").fill("Wakil Setia")
    delegate.get_by_label("Perangkat daerah").select_option(label=heads["dinkes"].agency.name)
    delegate.get_by_label("Kode mandat").fill(code)
    delegate.get_by_role("button", name="Saya hadir").click()
    expect(delegate.get_by_text("Kehadiran tercatat")).to_be_visible()

    page.goto(detail)
    page.get_by_role("button", name="Putuskan").click()
    expect(page.get_by_text("Menunggu pengesahan")).to_be_visible()
    page.get_by_label("Isi keputusan").fill("Dinperkim memimpin perbaikan rumah.")
    page.get_by_role("button", name="Catat keputusan").click()
    expect(page.get_by_text("Menunggu pengesahan").first).to_be_visible()
    page.get_by_role("link", name="Tambah").click()
    page.get_by_label("Tindak lanjut").fill("Satukan daftar RTLH")
    page.get_by_label("Penanggung jawab").select_option(label=heads["dinperkim"].agency.name)
    page.get_by_label("Batas waktu").fill(f"{start + dt.timedelta(days=14):%Y-%m-%d}")
    page.get_by_role("button", name="Simpan").click()
    page.get_by_role("button", name="Tutup rapat").click()
    page.get_by_label("Jalannya rapat").fill("Berjalan lancar.")
    page.get_by_role("button", name="Tutup rapat").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Word").click()
    assert download.value.suggested_filename.endswith(".docx")

    # The head who was not there objects; the regent has the last word.
    decision = meeting.decisions.get()
    absent = browse("/rapat/keputusan/", heads["dinperkim"])
    absent.get_by_role("link", name="Dinperkim memimpin perbaikan rumah.").first.click()
    absent.get_by_label("Catatan").fill("Anggaran kami belum cukup.")
    absent.get_by_role("button", name="Keberatan").click()
    expect(absent.get_by_text("diteruskan kepada Bupati").first).to_be_visible()
    decision.refresh_from_db()
    assert decision.state == DecisionState.ESCALATED
    regent = browse(f"/rapat/keputusan/{decision.pk}/", Role.REGENT, phone=True)
    regent.get_by_label("Isi arahan").fill("Anggaran digeser di perubahan.")
    regent.get_by_role("button", name="Berlakukan keputusan").click()
    expect(regent.get_by_text("Anggaran digeser di perubahan.")).to_be_visible()
    decision.refresh_from_db()
    assert decision.state == DecisionState.ADOPTED
