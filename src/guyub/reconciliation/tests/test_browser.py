"""Merging and the queue in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.reconciliation.keeping import detect
from guyub.reconciliation.models import Difference, Merge

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fits(page: Any) -> bool:
    return not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_two_households_become_one_and_two_again(browse: Any, make_household: Any) -> None:
    double = make_household(name="Tukiman", floor="earth")
    home = make_household(name="Tukimin", floor="cement")
    page = browse(
        f"/rekonsiliasi/gabung/keluarga/{double.pk}/{home.pk}/?utama={home.pk}", Role.SECRETARIAT,
        phone=True,
    )  # fmt: skip
    assert fits(page)
    page.get_by_label("Tanah").check()
    page.get_by_label("Mengapa keduanya sama?").fill("Satu rumah, satu KK asli.")
    page.get_by_role("button", name="Gabungkan").click()
    expect(page.get_by_text("Data sudah digabung")).to_be_visible()
    home.refresh_from_db()
    # The two heads, alike in name, sex and birth date, were one person.
    assert (home.floor, home.member_count) == ("earth", 1)
    page.goto(f"/registri/keluarga/{double.pk}/")
    expect(page.get_by_text("sudah digabung ke keluarga ini")).to_be_visible()
    page.get_by_role("link", name="Keluarga ganda digabung").click()
    page.get_by_role("button", name="Pisahkan lagi").click()
    page.get_by_label("Alasan").fill("Ternyata dua keluarga berbeda.")
    page.get_by_role("button", name="Pisahkan", exact=True).click()
    expect(page.get_by_text("terpisah lagi seperti semula")).to_be_visible()
    assert not Merge.objects.filter(undone_at=None).exists()


def test_a_difference_from_queue_to_list_to_mend(browse: Any, two_lists: Any) -> None:
    detect()
    page = browse("/rekonsiliasi/", Role.SECRETARIAT)
    assert fits(page)
    page.get_by_label("Pilih Lantai WARGA 1").check()
    page.get_by_label("Alasan").fill("Sudah dicek bersama kedua dinas.")
    page.get_by_role("button", name="Putuskan").click()
    expect(page.get_by_text("1 perbedaan diputuskan")).to_be_visible()
    expect(page.get_by_text("1 perbedaan", exact=True)).to_be_visible()
    page.get_by_role("link", name="RTLH").click()
    expect(page.get_by_role("cell", name="Semen/bata")).to_be_visible()
    assert Difference.objects.filter(state="settled").count() == 1
