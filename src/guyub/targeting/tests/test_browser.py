"""A rule's whole way in a real browser: built, counted, broken as text, mended, saved as a version."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.targeting.models import Rule

expect.set_options(timeout=15_000)
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_from_builder_to_a_new_version(browse: Any, make_household: Any, phone: bool) -> None:
    for desil in (1, 1, 2, 5):
        make_household(desil=desil, wall="bamboo" if desil == 1 else "brick")
    page = browse("/aturan-sasaran/", Role.AGENCY_OPERATOR, phone=phone)
    page.get_by_role("button", name="Buat aturan").first.click()
    page.get_by_label("Nama aturan").fill("Termiskin")

    # Build: two conditions on the household.
    total, text = page.locator(".tally-total b"), page.get_by_label("Rumusan (CEL)")
    page.get_by_label("Atribut").select_option("desil")
    page.get_by_label("Nilai").fill("2")
    expect(total).to_have_text("3")
    expect(text).to_have_value("desil <= 2")
    page.get_by_role("button", name="Syarat", exact=True).click()
    page.get_by_label("Atribut").nth(1).select_option("wall")
    page.get_by_label("Bambu/anyaman").check()
    expect(total).to_have_text("2")
    expect(text).to_have_value('desil <= 2 && wall == "bamboo"')
    expect(page.get_by_label("Nilai", exact=True).first).to_have_value("2")

    # And one on the members.
    page.get_by_role("button", name="Kelompok syarat anggota").click()
    page.get_by_label("Atribut").nth(2).select_option("age")
    page.get_by_label("Perbandingan").nth(2).select_option(">=")
    page.get_by_label("Nilai", exact=True).last.fill("100")
    expect(total).to_have_text("0")
    page.get_by_label("Nilai", exact=True).last.fill("30")
    expect(total).to_have_text("2")

    # As text: break it, read what is wrong, mend it.
    text.fill('desil <= 2 && dinding == "bamboo"')
    expect(page.locator("mark")).to_have_text("dinding")
    expect(page.get_by_text("Mungkin maksudnya wall (Dinding)?")).to_be_visible()
    expect(total).to_have_count(0)
    text.fill('desil <= 5 && wall == "brick"')
    expect(total).to_have_text("2")
    expect(page.get_by_label("Tembok")).to_be_checked()
    expect(text).to_be_focused()
    page.get_by_label("Keterangan versi").fill("Awal")
    page.get_by_role("button", name="Simpan").click()
    expect(page.get_by_role("heading", name="Termiskin")).to_be_visible()
    expect(total).to_have_text("2")

    # Change it in the builder: another version.
    page.get_by_role("button", name="Ubah").click()
    page.get_by_label("Nilai", exact=True).first.fill("2")
    expect(total).to_have_text("1")
    page.get_by_role("button", name="Simpan").click()
    expect(page.get_by_text("Tersimpan sebagai versi 2.")).to_be_visible()
    expect(page.locator("ins").first).to_have_text("2")
    page.get_by_role("button", name="Tampilkan contoh").click()
    expect(page.locator("#contoh tbody tr")).to_have_count(1)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert list(Rule.objects.get().versions.values_list("number", "households")) == [(2, 1), (1, 2)]


def test_places_are_picked_from_a_list_that_stays_within_the_page(
    browse: Any, make_household: Any
) -> None:
    make_household("33.02.17.2009")
    make_household("33.02.01.2001")
    page = browse("/aturan-sasaran/baru/", Role.AGENCY_OPERATOR)
    page.get_by_label("Atribut").select_option("village")
    page.get_by_text("Cilongok", exact=True).first.click()
    page.get_by_label("Cipete").check()
    expect(page.locator(".tally-total b")).to_have_text("1")
    expect(page.get_by_label("Rumusan (CEL)")).to_have_value('village == "33.02.17.2009"')
    # What was opened stays open, for more villages to be picked.
    expect(page.get_by_label("Batuanten")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
