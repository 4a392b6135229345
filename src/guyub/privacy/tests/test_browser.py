"""A citizen asks for their data on a telephone, and the secretariat answers."""

from __future__ import annotations

import pytest

from guyub.access.roles import Role

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


def test_a_request_from_the_citizen_to_the_answer(regency, browse):
    citizen = browse("/privasi/", phone=True)
    citizen.get_by_role("button", name="Ajukan permintaan").click()
    citizen.get_by_label("Permintaan").select_option("access")
    citizen.get_by_label("Nama lengkap").fill("Wagiyem")
    citizen.get_by_label("NIK").fill("3302 0145 0790 0007")
    citizen.get_by_role("button", name="Kirim").click()
    code = citizen.locator(".tracking-code").inner_text()
    desk = browse("/privasi/masuk/", Role.SECRETARIAT)
    desk.get_by_role("link", name="Meminta salinan data saya").click()
    desk.get_by_label("Cara identitas diperiksa").fill("KTP asli diperlihatkan")
    desk.get_by_role("button", name="Identitas cocok").click()
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Unduh JSON untuk sistem lain").click()
    assert download.value.suggested_filename.endswith(".json")
    desk.get_by_label("Dipenuhi", exact=True).check()
    desk.get_by_label("Jawaban").fill("Salinan diserahkan.")
    desk.get_by_role("button", name="Kirim jawaban").click()
    citizen.goto("/privasi/lacak/")
    citizen.get_by_label("Kode").fill(code)
    citizen.get_by_role("button", name="Lacak").click()
    citizen.get_by_text("Salinan diserahkan.").wait_for()
