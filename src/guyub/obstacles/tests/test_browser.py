"""An obstacle in a real browser: reported by one agency, talked over and solved by another."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.obstacles.models import Obstacle

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("phone", [False, True])
def test_from_report_to_solution(browse, make_agency, make_user, phone):
    needed = make_agency("dindukcapil", name="Dindukcapil")
    head = make_user(Role.AGENCY_HEAD, agency=needed, full_name="Sri Wahyuni")
    page = browse("/kendala/baru/", Role.AGENCY_OPERATOR, phone=phone)
    page.get_by_label("Kendala dalam satu kalimat").fill("Data penerima belum padan")
    page.get_by_label("Uraian").fill("Dua ratus keluarga tidak cocok dengan data kependudukan.")
    page.get_by_label("Jenis").select_option("data")
    page.get_by_label("Dibutuhkan dari").select_option(label="Dindukcapil")
    due = timezone.localdate() + dt.timedelta(days=5)
    page.get_by_label("Batas waktu").fill(due.isoformat())
    page.get_by_role("button", name="Laporkan").click()
    expect(page.get_by_text("Dindukcapil diberi tahu")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    theirs = browse("/kendala/", head, phone=phone)
    expect(theirs.locator("[data-unread]")).to_have_text("1")
    theirs.get_by_role("link", name="yang menunggu saya").click()
    theirs.get_by_role("link", name="Data penerima belum padan").click()
    theirs.get_by_label("Tulis pesan").fill("Daftarnya mohon dikirim.")
    theirs.get_by_role("button", name="Kirim").click()
    expect(theirs.get_by_text("Daftarnya mohon dikirim.").last).to_be_visible()
    theirs.get_by_role("button", name="Catat langkah").click()
    theirs.get_by_label("Langkah yang sudah diambil").fill("Pemadanan dijadwalkan Senin.")
    theirs.get_by_role("button", name="Simpan").click()
    expect(theirs.get_by_text("Pemadanan dijadwalkan Senin.")).to_be_visible()
    theirs.get_by_role("button", name="Selesaikan").click()
    theirs.get_by_label("Bagaimana kendala ini diselesaikan").fill("Dipadankan lewat web service.")
    theirs.get_by_role("button", name="Tandai selesai").click()
    expect(theirs.get_by_text("Kendala ditandai selesai.")).to_be_visible()
    assert Obstacle.objects.get().is_solved

    page.goto("/pembicaraan/kabar/")
    page.get_by_role("link", name="Kendala selesai").click()
    expect(page.get_by_text("Dipadankan lewat web service.").first).to_be_visible()
