"""The pages as their users see them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from guyub.access.roles import Role
from guyub.targets import estimating, services
from guyub.targets.models import Estimate, Indicator
from guyub.targets.services import YearValues

pytestmark = pytest.mark.django_db
D = Decimal


def text_of(response):
    return response.content.decode()


@pytest.fixture
def measured(make_indicator, make_user):
    indicator = make_indicator(name="Persentase penduduk miskin", formula="Rumus <b>")
    actor = make_user(Role.SECRETARIAT)
    for year, target, actual in (
        (2023, "12.9", "12.53"),
        (2024, "12", "12.4"),
        (2025, "11.5", "11.15"),
    ):
        services.write_year(indicator, year, YearValues(D(target), D(actual), "BPS"), actor=actor)
    return indicator


def test_the_list_shows_standing_and_a_little_line(
    client_for, measured, django_assert_max_num_queries
):
    client = client_for(Role.REGENT)
    with django_assert_max_num_queries(12):
        page = text_of(client.get(reverse("targets:list")))
    assert "11,15" in page
    assert "Tercapai" in page
    assert "Dari 12,53 pada 2023 menjadi 11,15 pada 2025" in page
    page = text_of(client.get(reverse("targets:list"), {"tahun": 2024}))
    assert "Belum tercapai" in page
    assert "Tidak ada yang cocok" in text_of(client.get(reverse("targets:list"), {"q": "zzz"}))


def test_the_list_does_not_ask_more_for_more_indicators(
    client_for, make_indicator, django_assert_max_num_queries
):
    for number in range(40):
        make_indicator(f"indikator-{number}")
    client = client_for(Role.AUDITOR)
    with django_assert_max_num_queries(12):
        page = text_of(client.get(reverse("targets:list")))
    assert "Halaman 1" in page


def test_an_indicator_shows_years_formula_and_history(
    client_for, measured, django_assert_max_num_queries
):
    client = client_for(Role.REGENT)
    with django_assert_max_num_queries(12):
        page = text_of(client.get(reverse("targets:indicator", args=["penduduk-miskin"])))
    assert "103,0 %" in page  # (2 * 11.5 - 11.15) / 11.5
    assert "Rumus &lt;b&gt;" in page
    assert "Target atau realisasi dicatat" in page
    assert "Isi realisasi" not in page


def test_a_realisation_is_entered_by_the_owner(client_for, measured):
    client = client_for(Role.AGENCY_OPERATOR, agency=measured.owner)
    url = reverse("targets:year", args=[measured.code, 2025])
    page = text_of(client.get(url))
    assert 'value="11,5"' in page
    response = client.post(url, {"target": "1", "actual": "11,2"})
    assert response.status_code == 422
    assert "Tulis sumber" in text_of(response)
    response = client.post(url, {"target": "1", "actual": "11,2", "source": "BPS, rilis ulang"})
    assert response.status_code == 302
    entry = measured.years.get(year=2025)
    assert (entry.target, entry.actual) == (D("11.5"), D("11.2"))


def test_a_new_year_is_added_once(client_for, measured):
    client = client_for(Role.SECRETARIAT)
    url = reverse("targets:year", args=[measured.code, 2026])
    assert client.post(url, {"year": 2025, "target": "10"}).status_code == 422
    assert client.post(url, {"year": 2026, "target": "10,5"}).status_code == 302
    assert measured.years.get(year=2026).target == D("10.5")
    assert client.get(reverse("targets:year", args=[measured.code, 1900])).status_code == 404


def test_definitions_are_written_by_the_secretariat(client_for, make_agency):
    client = client_for(Role.SECRETARIAT)
    data = {"code": "stunting", "name": "Stunting", "kind": "iku", "owner": make_agency("dinkes").pk,
            "unit": "persen", "decimals": 1, "direction": "down", "formula": "", "source": ""}  # fmt: skip
    assert client.post(reverse("targets:create"), {**data, "decimals": 9}).status_code == 422
    assert client.post(reverse("targets:create"), data).status_code == 302
    url = reverse("targets:edit", args=["stunting"])
    assert client.post(url, {**data, "unit": "anak"}).status_code == 302
    indicator = Indicator.objects.get()
    assert indicator.unit == "anak"
    assert not indicator.is_active  # the box was left empty


def test_targets_are_copied(client_for, measured):
    client = client_for(Role.SECRETARIAT)
    response = client.post(reverse("targets:copy"), {"from_year": 2025, "to_year": 2026})
    assert response.status_code == 302
    assert measured.years.get(year=2026).target == D("11.5")
    response = client.post(reverse("targets:copy"), {"from_year": 2025, "to_year": 2099})
    assert response.status_code == 422
    assert "Tahun di luar" in text_of(response)


def test_empty_pages_offer_what_comes_with_guyub(client_for, make_agency):
    make_agency("dinkes")
    client = client_for(Role.SECRETARIAT)
    assert "bawaan" in text_of(client.get(reverse("targets:list")))
    assert "bawaan" in text_of(client.get(reverse("targets:published")))
    client.post(reverse("targets:load_built_in"))
    client.post(reverse("targets:load_published"))
    assert "Prevalensi stunting" in text_of(client.get(reverse("targets:list")))
    assert "12,53" in text_of(client.get(reverse("targets:published")))


def test_published_figures_cite_their_source_and_mark_what_is_unsure(
    client_for, django_assert_max_num_queries
):
    services.load_published()
    client = client_for(Role.REGENT)
    with django_assert_max_num_queries(12):
        page = text_of(client.get(reverse("targets:published")))
    assert "BPS, Susenas Maret 2023" in page
    assert "Jawa Tengah" in page
    assert "perlu dicocokkan" in page
    page = text_of(client.get(reverse("targets:published"), {"ukuran": "line"}))
    assert "529.310" in page
    assert client.get(reverse("targets:published"), {"ukuran": "entah"}).status_code == 200


def test_a_survey_is_uploaded_checked_and_measured(client_for, survey_csv):
    services.load_published()
    client = client_for(Role.AGENCY_OPERATOR)
    response = client.get(reverse("targets:estimate_new"))
    assert 'value="529310"' in text_of(response)
    data = {"title": "Susenas uji", "as_of": "2026-03-01", "line": "529.310"}
    bad = client.post(
        reverse("targets:estimate_new"), {**data, "file": SimpleUploadedFile("x.csv", b"")}
    )
    assert bad.status_code == 422
    response = client.post(
        reverse("targets:estimate_new"), {**data, "file": SimpleUploadedFile("x.csv", survey_csv)}
    )
    draft = Estimate.objects.get()
    url = reverse("targets:estimate_columns", args=[draft.pk])
    assert response["Location"] == url
    page = text_of(client.get(url))
    assert "Hitung" in page
    columns = {f"kolom-{name}": index for name, index in draft.design["columns"].items()}
    response = client.post(url, {**columns, "kolom-members": "", "hitung": "1"})
    assert response.status_code == 422
    assert "Jumlah anggota rumah tangga" in text_of(response)
    response = client.post(url, {**columns, "hitung": "1"}, follow=True)
    page = text_of(response)
    assert "Galat baku" in page
    assert "11,15" in page  # the published figure beside it
    assert "Bukan angka resmi" in page
    assert draft.digest in page
    assert "Cilongok" in page
    assert "Susenas uji" in text_of(client.get(reverse("targets:estimates")))


def test_drafts_are_seen_by_those_who_may_finish_them(
    client_for, make_agency, survey_csv, make_user
):
    owner = make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinsos"))
    draft = estimating.take_survey(
        title="Rahasia dulu", as_of=dt.date(2026, 3, 1), line=D(500000), file_name="x.csv",
        chunks=[survey_csv], actor=owner,
    )  # fmt: skip
    url = reverse("targets:estimate", args=[draft.pk])
    listed = reverse("targets:estimates")
    mine = client_for(Role.AGENCY_HEAD, agency=owner.agency)
    assert mine.get(url).status_code == 302
    assert "Rahasia dulu" in text_of(mine.get(listed))
    for client in (
        client_for(Role.REGENT),
        client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinkes")),
    ):
        assert client.get(url).status_code == 404
        assert "Rahasia dulu" not in text_of(client.get(listed))


def test_the_registry_is_measured_on_request(client_for, make_household):
    make_household(expenditure=300_000)
    make_household(expenditure=800_000)
    client = client_for(Role.SECRETARIAT)
    url = reverse("targets:registry_estimate")
    assert client.post(url, {"line": "12"}, follow=True).status_code == 200
    assert not Estimate.objects.exists()
    page = text_of(client.post(url, {"line": "529.310"}, follow=True))
    assert "50,00" in page
    assert "Galat baku" not in page
    assert "tidak dapat disamakan" in page


def test_an_agency_shows_its_indicators(client_for, measured):
    page = text_of(client_for(Role.REGENT).get(reverse("agencies:detail", args=["dinsos"])))
    assert "Persentase penduduk miskin" in page
    assert "target 11,50" in page


def test_the_api_reads(client_for, measured, survey_csv, make_user):
    services.load_published()
    client = client_for(Role.REGENT)
    base = "/api/v1/targets"
    assert [i["code"] for i in client.get(f"{base}/indicators").json()["items"]] == [
        "penduduk-miskin"
    ]
    full = client.get(f"{base}/indicators/penduduk-miskin").json()
    assert [y["standing"] for y in full["years"]] == ["met", "behind", "met"]
    assert client.get(f"{base}/indicators/entah").status_code == 404
    figures = client.get(f"{base}/poverty/published", {"measure": "p0"}).json()["items"]
    assert {"12.5300"} <= {f["value"] for f in figures if f["year"] == 2023}
    draft = estimating.take_survey(
        title="Survei", as_of=dt.date(2026, 3, 1), line=D(529310), file_name="x.csv",
        chunks=[survey_csv], actor=make_user(Role.SECRETARIAT),
    )  # fmt: skip
    assert client.get(f"{base}/poverty/estimates").json()["items"] == []
    estimating.measure_survey(draft, actor=None)
    (found,) = client.get(f"{base}/poverty/estimates").json()["items"]
    assert found["is_official"] is False
    assert found["results"][0]["reliability"] in ("accurate", "careful", "unreliable")
