import re

import pytest
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.agencies.services import load_agencies
from guyub.areas.models import Area
from guyub.programs import services
from guyub.programs.models import Activity, Program, SubActivity


@pytest.fixture
def loaded(regency):
    load_agencies()
    services.load_programs(2026)


def names(response):
    page = response.context["page"]
    return [row.name for row in page]


def test_the_list_narrows_and_sums(loaded, client_for, django_assert_max_num_queries):
    client = client_for(Role.REGENT)
    with django_assert_max_num_queries(16):
        response = client.get("/program/")
    assert response.context["totals"].budget > 10**12
    assert "triliun" in response.content.decode()
    response = client.get("/program/?bantuan=house_repair&dana=zakat")
    assert names(response) == ["Banyumas Peduli dan Mandiri"]
    assert response.context["totals"].budget == 1_900_000_000
    assert response.context["rows"][0][1].budget == 1_900_000_000
    response = client.get("/program/?lihat=sub&strategi=income&perangkat=dinarpus")
    assert names(response) == ["Pengembangan Literasi Berbasis Inklusi Sosial"]
    # Words are looked for in sub-activities too.
    assert "Program Penyelenggaraan Jalan" in names(client.get("/program/?q=jembatan"))
    empty = client.get("/program/?q=xyzzy").content.decode()
    assert "Tidak ada yang cocok" in empty
    assert client.get("/program/?bantuan=emas&dana='&tahun=0").status_code == 200


def test_the_list_of_sub_activities_reads_few_queries(
    loaded, client_for, django_assert_max_num_queries
):
    client = client_for(Role.AUDITOR)
    with django_assert_max_num_queries(14):
        response = client.get("/program/?lihat=sub&tahun=semua")
    assert len(response.context["page"]) == 25


def test_a_program_shows_its_tree(loaded, client_for, django_assert_max_num_queries):
    program = Program.objects.get(agency__code="dinsospermasdes", code="1.06.04")
    client = client_for(Role.AREA_OPERATOR)
    with django_assert_max_num_queries(25):
        page = client.get(f"/program/{program.pk}/").content.decode()
    assert "Penyediaan Permakanan" in page
    assert "Rp8.150.000.000" in page  # of its two sources together
    assert "Tambah kegiatan" not in page


def test_a_sub_activity_shows_everything(loaded, client_for, django_assert_max_num_queries):
    sub = SubActivity.objects.get(name="Bantuan Stimulan Perumahan Swadaya (BSPS)")
    sub.target_note = "Lantai tanah"
    sub.save()
    client = client_for(Role.REGENT)
    with django_assert_max_num_queries(30):
        page = client.get(f"/program/sub/{sub.pk}/").content.decode()
    for text in ("Rp8.000.000.000", "Rp20 juta", "Desil 1–4", "Lantai tanah", "Kecamatan Lumbir",
                 "APBN", "Perbaikan rumah", "400"):  # fmt: skip
        assert text in page, text


def fields_of(page):
    """Return what a form would send if it were sent as it stands."""
    return {
        name: value.replace("&quot;", '"')
        for name, value in re.findall(r'name="(\w+)"[^>]*?value="([^"]*)"', page)
    }


def sub_form(**changes):
    data = {
        "code": "1.04.04.2.01.0003", "name": "  Perbaikan   rumah ", "strategy": "pockets",
        "help_kind": "house_repair", "recipient": "household", "desil_min": "1", "desil_max": "4",
        "quota": "100", "starts_on": "2026-02-01", "ends_on": "2026-11-30", "scope": "some",
        "areas": ["33.02.01", "33.02.02.2001"], "apbd_regency": "Rp 2.000.000.000", "dak": "",
    }  # fmt: skip
    return data | changes


def test_an_operator_builds_a_tree(client_for, agency):
    client = client_for(Role.AGENCY_OPERATOR, agency=agency)
    client.post(
        "/program/baru/", {"agency": agency.pk, "year": 2026, "code": " 1.04.04 ", "name": "P"}
    )
    program = Program.objects.get()
    assert program.code == "1.04.04"
    page = client.get(f"/program/{program.pk}/").content.decode()
    assert "Belum ada kegiatan" in page
    address = reverse("programs:create_activity", args=[program.pk])
    assert "1.04.04.2." in client.get(address).content.decode()
    refused = client.post(address, {"code": "1.04.04.2", "name": "K"}).content.decode()
    assert "lima bagian" in refused
    client.post(address, {"code": "1.04.04.2.01", "name": "K"})
    address = reverse("programs:create_sub_activity", args=[Activity.objects.get().pk])
    assert "1.04.04.2.01." in client.get(address).content.decode()
    response = client.post(address, sub_form())
    sub = SubActivity.objects.get()
    assert response["Location"] == f"/program/sub/{sub.pk}/"
    assert sub.name == "Perbaikan rumah"
    assert list(sub.fundings.values_list("source", "amount")) == [("apbd_regency", 2_000_000_000)]
    assert set(sub.areas.values_list("code", flat=True)) == {"33.02.01", "33.02.02.2001"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"areas": []}, "Pilih sedikitnya satu"),
        ({"desil_min": "5"}, "lebih kecil daripada"),
        ({"apbd_regency": "dua miliar"}, "angka bulat"),
        ({"starts_on": "2025-02-01"}, "di luar tahun anggaran 2026"),
        ({"code": "1.04.03.2.03.0002"}, "tidak berada di bawah"),
        ({"quota": "0"}, "Kuota paling sedikit 1"),
        ({"areas": ["33.02"]}, "33.02"),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_entered(
    client_for, agency, activity, changes, message
):
    client = client_for(Role.AGENCY_OPERATOR, agency=agency)
    address = reverse("programs:create_sub_activity", args=[activity.pk])
    page = client.post(address, sub_form(**changes)).content.decode()
    assert message in page
    assert "Belum tersimpan" in page
    assert not SubActivity.objects.exists()
    if "areas" not in changes:
        assert 'value="33.02.02.2001" checked' in page


def test_the_edit_form_sent_as_it_stands_changes_nothing(client_for, sub_activity, regency):
    sub_activity.areas.set(Area.objects.filter(code__in=["33.02.01", "33.02.17.2009"]))
    client = client_for(Role.SECRETARIAT)
    address = reverse("programs:edit_sub_activity", args=[sub_activity.pk])
    page = client.get(address).content.decode()
    data = fields_of(page)
    assert data["apbd_regency"] == "2.000.000.000"
    data |= {
        "strategy": "pockets", "help_kind": "house_repair", "recipient": "household",
        "description": "", "scope": "some",
        "areas": re.findall(r'name="areas" value="([\d.]+)" checked', page),
    }  # fmt: skip
    assert len(data["areas"]) == 2
    response = client.post(address, data, follow=True)
    assert "Tidak ada yang berubah" in response.content.decode()


def test_cancelling_and_taking_it_back(client_for, sub_activity, agency):
    client = client_for(Role.AGENCY_OPERATOR, agency=agency)
    client.post(
        reverse("programs:cancel_sub_activity", args=[sub_activity.pk]), {"reason": "Dialihkan"}
    )
    page = client.get(f"/program/sub/{sub_activity.pk}/").content.decode()
    assert "Dialihkan" in page
    assert "Jalankan lagi" in page
    response = client.post(
        reverse("programs:restore_sub_activity", args=[sub_activity.pk]), {"reason": ""}
    )
    assert "errorlist" in response.content.decode()
    client.post(
        reverse("programs:restore_sub_activity", args=[sub_activity.pk]), {"reason": "Jadi"}
    )
    sub_activity.refresh_from_db()
    assert not sub_activity.is_cancelled


def test_deleting_asks_for_a_reason_and_tells_what_goes_along(client_for, sub_activity, program):
    client = client_for(Role.SECRETARIAT)
    address = reverse("programs:delete", args=[program.pk])
    assert "1 sub kegiatan di dalamnya" in client.get(address).content.decode()
    client.post(address, {"reason": "Salah"})
    assert not Program.objects.exists()


def test_copying_starts_from_this_year_even_when_next_year_is_there(
    client_for, agency, sub_activity
):
    this_year = timezone.localdate().year
    SubActivity.objects.update(year=this_year)
    client, url = client_for(Role.AGENCY_OPERATOR, agency=agency), reverse("programs:copy")
    first = client.get(url)
    assert f"{this_year} → {this_year + 1}" in first.content.decode()
    client.post(
        url, {"perangkat": agency.code, "tahun": this_year, "sub": sub_activity.pk, "percent": 100}
    )
    assert SubActivity.objects.filter(year=this_year + 1).count() == 1
    assert client.get(url).context["year"] == this_year
    assert client.get(url, {"tahun": this_year + 1}).context["year"] == this_year + 1
