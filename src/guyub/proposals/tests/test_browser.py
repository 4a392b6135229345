"""A village proposes on a telephone, the agency decides, the citizen follows by code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from guyub.proposals.models import Proposal
from guyub.proposals.tests.conftest import NIK, REASON, minutes, picture
from guyub.registry.models import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_village_to_the_citizen(
    browse: Any, village_operator: Any, agency_operator: Any, tmp_path: Path
) -> None:
    photo, paper = tmp_path / "rumah.jpg", tmp_path / "berita acara.pdf"
    photo.write_bytes(picture().read())
    paper.write_bytes(minutes().read())

    page = browse("/usul-sanggah/", village_operator, phone=True)
    page.get_by_role("button", name="Usulkan keluarga").click()
    page.get_by_label("Perihal").select_option(label="Miskin, belum ada di daftar mana pun")
    page.get_by_label("Nama kepala keluarga").fill("Warsito")
    page.get_by_label("NIK kepala keluarga").fill(NIK)
    page.get_by_label("Alamat").fill("Grumbul Kauman")
    page.get_by_label("Uraian").fill(REASON)
    page.get_by_label("Foto rumah").set_input_files(photo)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Ajukan").click()
    expect(page.get_by_text("Tersimpan.")).to_be_visible()
    proposal = Proposal.objects.get()
    expect(page.get_by_text(proposal.shown_code)).to_be_visible()
    assert NIK not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.get_by_label("Disetujui", exact=True).check()
    page.get_by_label("Berita acara").set_input_files(paper)
    page.get_by_role("button", name="Catat musyawarah desa").click()
    expect(page.get_by_text("Musyawarah dicatat.")).to_be_visible()
    page.get_by_label("Sesuai keadaan", exact=True).check()
    page.get_by_label("Uraian temuan").fill(REASON)
    page.get_by_label("Foto rumah").set_input_files([photo, photo])
    page.get_by_role("button", name="Catat verifikasi lapangan").click()
    expect(page.get_by_text("Verifikasi dicatat.")).to_be_visible()

    office = browse("/usul-sanggah/?giliran=1", agency_operator)
    office.get_by_role("link", name=str(proposal)).click()
    office.get_by_label("Diterima").check()
    office.get_by_label("Alasan putusan").fill(REASON)
    office.get_by_label("Pesan untuk pelapor").fill("Sudah masuk daftar kami.")
    office.get_by_role("button", name="Putuskan").click()
    expect(office.get_by_text("Putusan disimpan.")).to_be_visible()
    assert Person.objects.get(nik=NIK).name == "WARSITO"

    citizen = browse("/pengaduan/lacak/", phone=True)
    citizen.get_by_label("Kode lacak").fill(proposal.shown_code.lower())
    citizen.get_by_role("button", name="Lacak", exact=True).click()
    expect(citizen.get_by_text("Sudah masuk daftar kami.")).to_be_visible()
    expect(citizen.get_by_text("Verifikasi lapangan")).to_be_visible()
    assert "Warsito" not in citizen.content()
    assert proposal.code not in citizen.url
