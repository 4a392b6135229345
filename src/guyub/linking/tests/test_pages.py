"""What the pages show, to whom, and that they stay light."""

from __future__ import annotations

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.linking import services
from guyub.linking.models import LinkRun, Pair
from guyub.linking.tests.conftest import file_of, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_for):
    return client_for(Role.AGENCY_OPERATOR)


def url(name, run):
    return reverse(f"linking:{name}", args=[run.pk])


def test_a_list_is_taken_in_and_its_columns_settled(client, people):
    (content,) = file_of(line(people["Tukiman"]))
    response = client.post(
        reverse("linking:new"), {"title": "BLT", "file": SimpleUploadedFile("blt.csv", content)}
    )
    run = LinkRun.objects.get()
    assert response["Location"] == url("run", run)
    page = client.get(url("run", run)).content.decode()
    assert people["Tukiman"].nik not in page
    assert "3302" in page, "the form of a number shows"
    bad = client.post(url("map", run), {"kolom-0": "nik"})
    assert bad.status_code == 422
    assert "Pilih kolom yang berisi nama." in bad.content.decode()
    response = client.post(
        url("map", run), {f"kolom-{place}": field for place, field in run.mapping.items()}
    )
    run.refresh_from_db()
    assert run.is_working
    assert "kemajuan" in client.get(url("run", run)).content.decode()
    services.work(run.pk)
    assert client.get(url("progress", run)).headers["HX-Refresh"] == "true"


def test_neither_a_file_nor_a_dataset_is_refused(client):
    response = client.post(reverse("linking:new"), {"title": "BLT"})
    assert response.status_code == 422
    assert "Pilih dataset, atau pilih berkas" in response.content.decode()


def test_pages_of_a_run_mask_numbers_and_read_little(
    client, doubtful, people, django_assert_max_num_queries
):
    for name in ("run", "outcome", "differences", "run_model", "review"):
        with django_assert_max_num_queries(22):
            response = client.get(url(name, doubtful))
        assert response.status_code == 200
        text = response.content.decode()
        for person in people.values():
            assert person.nik not in text
            assert person.household.kk not in text
    assert "Ada di registri" in client.get(url("outcome", doubtful)).content.decode()
    narrowed = client.get(url("outcome", doubtful) + "?hasil=review").content.decode()
    assert "Moh. Soekarno" in narrowed
    assert "TUKIMAN" not in narrowed.upper().split("<TBODY>")[1]


def test_the_queue_goes_on_to_the_next_pair_and_back(client, doubtful):
    (pair,) = doubtful.pairs.all()
    page = client.get(url("review", doubtful)).content.decode()
    assert "Tanggal lahir" in page
    assert 'data-key="s"' in page
    client.post(reverse("linking:decide", args=[pair.pk]), {"putusan": "different"})
    page = client.get(url("review", doubtful)).content.decode()
    assert "Semua pasangan sudah diputuskan" in page
    client.post(reverse("linking:undo", args=[pair.pk]))
    pair.refresh_from_db()
    assert pair.verdict == ""
    again = client.post(
        reverse("linking:decide", args=[pair.pk]), {"putusan": "mungkin"}, follow=True
    )
    assert "Pilih sama atau berbeda." in again.content.decode()


def test_a_pair_passed_over_comes_last(client, doubtful):
    (first,) = doubtful.pairs.all()
    lighter = Pair.objects.create(
        run=doubtful, record=3, person=first.person, weight=first.weight - 1, weights=first.weights
    )
    page = client.get(url("review", doubtful) + f"?lewati={first.pk}")
    assert page.context["pair"] == lighter
    page = client.get(url("review", doubtful) + f"?lewati={lighter.pk}")
    assert page.context["pair"] == first


def test_the_outcome_is_taken_out_with_a_reason(client, link, people):
    run = link(line(people["Tukiman"]), line(name="=1+1", birth="01/02/1999", sex="L", village=""))
    assert client.post(url("export", run), {"reason": "x"}).status_code == 422
    given = {"reason": "Verifikasi penerima BLT"}
    response = client.post(url("export", run), given)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    rows = list(book["Data"].iter_rows(values_only=True))
    tukiman = people["Tukiman"]
    assert rows[1][7] == "NIK sama"
    assert rows[1][8:10] == (tukiman.pk, tukiman.household_id)
    assert rows[1][1] == tukiman.masked_nik
    assert rows[2][3] == "=1+1"
    assert book["Data"]["D3"].data_type == "s", "a formula stays text"
    assert rows[2][7] == "Tidak ditemukan"
    event = Event.objects.get(action="linking.run.export")
    assert event.reason == given["reason"]
    assert event.detail == {"rows": 2, "full_numbers": False}
    response = client.post(url("export", run), given | {"only_missing": "on", "full_numbers": "on"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    assert len(list(book["Data"].iter_rows())) == 2


def test_the_secretariat_alone_sets_thresholds(client, client_for):
    page = client.get(reverse("linking:model")).content.decode()
    assert "Ubah ambang" not in page
    office = client_for(Role.SECRETARIAT)
    given = {"accept": "9.5", "review": "1", "margin": "2", "note": "Lebih hati-hati dahulu"}
    assert office.post(reverse("linking:thresholds"), given).status_code == 302
    assert "9,5" in office.get(reverse("linking:model")).content.decode()
    bad = office.post(reverse("linking:thresholds"), given | {"review": "12"})
    assert bad.status_code == 422
    few = office.post(reverse("linking:learn"), {"note": "Belajar dari putusan"})
    assert few.status_code == 422
    assert "Perlu paling sedikit 25 putusan" in few.content.decode()


def test_another_agency_sees_nothing(client_for, make_agency, doubtful):
    stranger = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    assert stranger.get(url("review", doubtful)).status_code == 403
    assert doubtful.title not in stranger.get(reverse("linking:list")).content.decode()


def test_the_api_tells_the_same(client, doubtful, people):
    (run,) = client.get("/api/v1/linking").json()["items"]
    assert run["title"] == doubtful.title
    detail = client.get(f"/api/v1/linking/{doubtful.pk}").json()
    assert detail["waiting"] == 1
    assert detail["stages"]["nik"] == 1
    rows = client.get(f"/api/v1/linking/{doubtful.pk}/rows").json()["items"]
    assert [row["outcome"] for row in rows] == ["review", "nik"]
    assert rows[0]["person_id"] is None, "nobody has said so yet"
    assert rows[1]["person_id"] == people["Tukiman"].pk
    assert people["Tukiman"].nik not in str(rows)
