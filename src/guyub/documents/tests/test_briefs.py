from __future__ import annotations

import io
from typing import Any

import pytest
from django.urls import reverse
from docx import Document as Word
from pypdf import PdfReader

from guyub.access.roles import Role
from guyub.audit.models import Event

pytestmark = pytest.mark.django_db


def text_of(content: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


@pytest.mark.parametrize("ending", ["pdf", "docx", "xlsx"])
def test_each_form_of_each_report(ending: str, sub: Any, homes: Any, client_for: Any) -> None:
    client = client_for(Role.REGENT)
    starts = {"pdf": b"%PDF", "docx": b"PK", "xlsx": b"PK"}
    for page, key in (
        ("agency_report", "dinsos"),
        ("area_report", "33.02.01"),
        ("program_report", sub.activity.program_id),
    ):
        answer = client.get(reverse(f"documents:{page}", args=[key, ending]) + "?tahun=2026")
        assert answer.content.startswith(starts[ending]), page
        assert f".{ending}" in answer["Content-Disposition"]
    assert Event.objects.filter(action="documents.report.export").count() == 3
    assert client.get(f"/dokumen/program/{sub.activity.program_id}/exe/").status_code == 404


def test_a_village_report_counts_its_own_and_names_nobody(
    sub: Any, homes: Any, client_for: Any
) -> None:
    client = client_for(Role.AREA_OPERATOR)
    url = reverse("documents:area_report", args=["33.02.01.2001", "pdf"])
    text = text_of(client.get(url).content)

    assert "Desa Cirahab" in text
    assert "Keluarga desil 1–2" in text
    assert "Data acuan" in text
    assert "Tukiman" not in text
    assert "33020112038500" not in text


def test_a_program_report_states_money_and_recipients(sub: Any, client_for: Any) -> None:
    url = reverse("documents:program_report", args=[sub.activity.program_id, "docx"])
    word = Word(io.BytesIO(client_for(Role.AUDITOR).get(url).content))

    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    assert "Rp100.000.000" in cells
    assert "APBD Kabupaten" in cells


def test_pages_offer_their_report(sub: Any, client_for: Any) -> None:
    client = client_for(Role.AGENCY_OPERATOR)
    for url, report in (
        (reverse("agencies:detail", args=["dinsos"]), "/dokumen/perangkat-daerah/dinsos/pdf/"),
        (reverse("areas:detail", args=["33.02.01"]), "/dokumen/wilayah/33.02.01/xlsx/"),
        (
            reverse("programs:detail", args=[sub.activity.program_id]),
            f"/dokumen/program/{sub.activity.program_id}/docx/",
        ),
    ):
        assert report in client.get(url).content.decode()


def test_a_year_that_is_none_is_this_one(sub: Any, client_for: Any) -> None:
    url = reverse("documents:agency_report", args=["dinsos", "xlsx"])
    assert client_for(Role.REGENT).get(f"{url}?tahun=²026").status_code == 200
