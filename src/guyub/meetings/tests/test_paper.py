from __future__ import annotations

import io
from typing import Any

import pytest
from docx import Document
from pypdf import PdfReader

from guyub.access.roles import Role
from guyub.meetings import decisions, paper, services
from guyub.meetings.models import MandateScope

pytestmark = pytest.mark.django_db


def words_of(docx: bytes) -> str:
    document = Document(io.BytesIO(docx))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


@pytest.fixture
def held(meeting: Any, heads: dict[str, Any], secretary: Any, item: Any) -> Any:
    services.give_input(
        meeting, actor=heads["dinkes"], text='Sanitasi #eval("x") *tebal* $a$ [kurung]', item=item
    )
    services.open_meeting(meeting, actor=secretary)
    for code in ("dinsos", "dinperkim"):
        services.check_in(meeting, user=heads[code])
    decisions.record_decision(item, actor=secretary, text="Dinperkim memimpin RTLH.")
    return meeting


def test_minutes_say_what_was_decided_and_by_whom(held):
    text = words_of(paper.minutes_docx(held))
    assert "Dinperkim memimpin RTLH." in text
    assert "Menunggu pengesahan" in text
    assert "Kepala dinsos" in text
    assert "Siapa memimpin RTLH?" in text


def test_what_people_write_is_never_taken_for_markup(held):
    data = paper.minutes_data(held)
    assert data["agenda"][0]["inputs"][0]["text"].startswith("Sanitasi #eval")
    assert paper.minutes_pdf(held).startswith(b"%PDF")


def test_a_mandate_letter_lists_what_may_be_decided(meeting, heads, item):
    made = services.delegate(
        meeting.invitations.get(agency__code="dinkes"),
        actor=heads["dinkes"],
        name="Wakil Setia",
        position="Sekretaris",
        scope=MandateScope.ITEMS,
        items=[item],
        limits="Paling banyak Rp100 juta",
    )
    assert paper.mandate_letter(made).startswith(b"%PDF")


def text_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_papers_are_indonesian_unless_another_language_is_asked_for(held, client_for):
    client = client_for(Role.SECRETARIAT)
    client.cookies["guyub_bahasa"] = "en"
    address = f"/rapat/{held.pk}/notulen.pdf"
    usual = text_of(client.get(address).content)
    assert "Daftar hadir" in usual
    assert "Pemimpin rapat" in usual
    english = text_of(client.get(address, {"bahasa": "en"}).content)
    for label in ("Daftar hadir", "Pemimpin rapat", "Kuorum", "Waktu", "Tindak lanjut"):
        assert label not in english, label
    # What people wrote stays as they wrote it.
    assert "Dinperkim memimpin RTLH." in english
    assert "Daftar hadir" in text_of(client.get(address, {"bahasa": "xx"}).content)
    word = words_of(client.get(f"/rapat/{held.pk}/notulen.docx", {"bahasa": "en"}).content)
    assert "Daftar hadir" not in word


def test_every_label_of_a_mandate_letter_can_be_translated(meeting, heads, item, monkeypatch):
    made = services.delegate(
        meeting.invitations.get(agency__code="dinkes"), actor=heads["dinkes"], name="Wakil Setia",
        position="Sekretaris", scope=MandateScope.ITEMS, items=[item], limits="Rp100 juta",
    )  # fmt: skip
    labels = (
        "Jabatan", "memberi mandat kepada:", "untuk menghadiri:", "Wewenang", "Batas wewenang",
        "Kode mandat", "Disahkan secara elektronik",
    )  # fmt: skip
    usual = text_of(paper.mandate_letter(made))
    monkeypatch.setattr(paper, "_", lambda text: f"~{text}")
    marked = text_of(paper.mandate_letter(made))
    for label in labels:
        assert label in usual
        assert usual.count(label) == marked.count(f"~{label}"), label
