"""The pages of scenarios, as those who use them see them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from guyub.access.roles import Role
from guyub.allocation import services
from guyub.allocation.models import Scenario
from guyub.audit.models import Event

pytestmark = pytest.mark.django_db


def test_from_a_new_scenario_to_its_plan(year: Any, client_for: Any) -> None:
    client = client_for(Role.SECRETARIAT)
    assert "Belum ada skenario" in client.get(reverse("allocation:list")).content.decode()
    about = {"tahun": "2026", "name": "Awal", "severe_desil": 1, "extreme_is_severe": "on",
             "moderate_desil": 2, "pool": ""}  # fmt: skip
    answer = client.post(reverse("allocation:create"), about)
    scenario = Scenario.objects.get()
    assert answer["Location"] == reverse("allocation:edit", args=[scenario.pk])
    page = client.get(answer["Location"])
    rows = page.context["rows"]
    # Folded by kind of help, so that a hundred rows make a short page.
    assert sum(len(kind.rows) for kind in rows.kinds()) == len(rows)
    assert f"{len(rows.kinds()[0].rows)} sub kegiatan ikut" in page.content.decode()
    assert not any(kind.is_open for kind in rows.kinds())
    fields = {**about, "sub-TOTAL_FORMS": len(rows), "sub-INITIAL_FORMS": len(rows)}
    for row in rows:
        prefix = row.prefix
        fields |= {f"{prefix}-id": row.instance.pk, f"{prefix}-included": "on",
                   f"{prefix}-places": 1, f"{prefix}-money": 100, f"{prefix}-unit_cost": 0,
                   f"{prefix}-importance": 1}  # fmt: skip
    refused = client.post(answer["Location"], fields)
    assert refused.status_code == 422
    assert "Isi biaya per penerima" in refused.content.decode()
    assert all(kind.is_open for kind in refused.context["rows"].kinds())
    for row in rows:
        fields[f"{row.prefix}-unit_cost"] = 100
    client.post(answer["Location"], {**fields, "hitung": "1"})
    scenario.refresh_from_db()
    assert scenario.state == "running"
    shown = client.get(reverse("allocation:scenario", args=[scenario.pk])).content.decode()
    assert "kemajuan" in shown
    services.work(scenario.pk)
    done = client.get(reverse("allocation:progress", args=[scenario.pk]))
    assert done["HX-Refresh"] == "true"
    shown = client.get(reverse("allocation:scenario", args=[scenario.pk])).content.decode()
    assert "Terbukti terbaik" in shown
    assert "Kebutuhan berat yang belum terpenuhi" in shown


def test_lists_and_reasons_with_few_queries(
    year: Any, client_for: Any, django_assert_max_num_queries: Any
) -> None:
    scenario = year.reckoned()
    client = client_for(Role.AGENCY_OPERATOR)
    with django_assert_max_num_queries(14):
        client.get(reverse("allocation:scenario", args=[scenario.pk]))
    with django_assert_max_num_queries(13):
        page = client.get(reverse("allocation:households", args=[scenario.pk]))
    assert [line.household.head_name for line in page.context["lines"]] == ["PALING", "KEDUA"]
    unmet = client.get(
        reverse("allocation:households", args=[scenario.pk]), {"tampilkan": "berat-belum"}
    )
    assert {line.household.head_name for line in unmet.context["lines"]} == {
        "KEDUA", "KETIGA", "EKSTREM",
    }  # fmt: skip
    elsewhere = client.get(
        reverse("allocation:households", args=[scenario.pk]), {"wilayah": "33.02.17"}
    )
    assert not elsewhere.context["lines"]
    url = reverse("allocation:explain", args=[scenario.pk, year.homes["Ketiga"].pk])
    with django_assert_max_num_queries(14):
        shown = client.get(url).content.decode()
    assert "urutan ke-3 dari 3" in shown
    assert year.homes["Ketiga"].kk not in shown


def test_choosing_adopting_and_the_household_page(year: Any, client_for: Any) -> None:
    scenario = year.reckoned()
    secretary = client_for(Role.SECRETARIAT)
    url = reverse("allocation:choose", args=[scenario.pk])
    assert secretary.post(url, {"reason": "pendek"}).status_code == 422
    secretary.post(url, {"reason": "Disepakati dalam rapat koordinasi."})
    operator = client_for(Role.AGENCY_OPERATOR, agency=year.houses.agency)
    page = operator.get(reverse("allocation:scenario", args=[scenario.pk])).content.decode()
    assert page.count("Daftarkan calon") == 1
    offer = scenario.offers.get(sub_activity=year.houses)
    answer = operator.post(reverse("allocation:adopt", args=[offer.pk]), follow=True)
    assert "2 calon penerima didaftarkan" in answer.content.decode()
    other = scenario.offers.get(sub_activity=year.latrines)
    assert operator.post(reverse("allocation:adopt", args=[other.pk])).status_code == 403
    shown = operator.get(reverse("registry:household", args=[year.homes["Paling"].pk]))
    assert "Rencana alokasi" in shown.content.decode()


def test_the_excel_file_is_masked_and_logged(year: Any, client_for: Any) -> None:
    scenario = year.reckoned()
    client = client_for(Role.SECRETARIAT)
    url = reverse("allocation:export", args=[scenario.pk])
    assert client.post(url, {"reason": ""}).status_code == 422
    answer = client.post(url, {"reason": "Bahan rapat koordinasi"})
    content = b"".join(answer.streaming_content)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    text = " ".join(str(c) for n in book.sheet_names for r in book.get_sheet_by_name(n).to_python()
                    for c in r)  # fmt: skip
    assert "PALING" in text
    assert year.homes["Paling"].kk not in text
    assert Event.objects.get(action="allocation.list.export").reason == "Bahan rapat koordinasi"


def test_side_by_side(year: Any, client_for: Any) -> None:
    first, second = year.reckoned("Satu"), year.reckoned("Dua", most_kinds=1)
    client = client_for(Role.REGENT)
    url = reverse("allocation:compare")
    assert "Pilih dua" in client.get(url, {"skenario": [first.pk]}).content.decode()
    shown = client.get(url, {"skenario": [first.pk, second.pk]}).content.decode()
    assert "+1 / −0" in shown
    answer = client.get("/api/v1/allocation/scenarios").json()
    assert {found["name"] for found in answer["items"]} == {"Satu", "Dua"}
    detail = client.get(f"/api/v1/allocation/scenarios/{first.pk}").json()
    assert sum(offer["given"][2] for offer in detail["offers"]) == first.result["met"][2]
