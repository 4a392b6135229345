"""Forms and submissions from KoboToolbox and ODK, from the upload to the registry's door."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
import zipfile
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.connections.services import make_token
from guyub.fieldwork import loading, services
from guyub.fieldwork.models import Form, FormUpload, Load, Submission
from guyub.fieldwork.vocabulary import LoadState, SubmissionState
from guyub.registry import restriction
from guyub.registry.models import Household

SURVEY = [
    ["type", "name", "label", "required", "constraint", "guyub"],
    ["text", "kk", "Nomor KK", "yes", "regex(., '[0-9]{16}')", "household.kk"],
    ["text", "desa", "Kode desa", "", "", "area.village"],
    ["select_one lantai", "lantai", "Lantai terluas", "yes", "", "household.floor"],
    ["image", "foto", "Foto rumah"],
    ["begin_repeat", "anggota", "Anggota"],
    ["text", "nama", "Nama"],
    ["end_repeat"],
]
CHOICES = [
    ["list_name", "name", "label"],
    ["lantai", "earth", "Tanah"],
    ["lantai", "cement", "Semen"],
]


def workbook(**sheets: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for line, row in enumerate(rows):
                page.write_row(line, 0, row)
    return out.getvalue()


def form_file(survey: list[list[Any]] = SURVEY, version: str = "1") -> SimpleUploadedFile:
    settings = [["form_title", "form_id", "version"], ["Survei rumah", "survei_rumah", version]]
    content = workbook(survey=survey, choices=CHOICES, settings=settings)
    return SimpleUploadedFile("survei.xlsx", content)


@pytest.fixture
def secretariat(client_for):
    return client_for(Role.SECRETARIAT)


@pytest.fixture
def form(secretariat) -> Form:
    return bring(secretariat)


def bring(client: Any, **options: Any) -> Form:
    answer = client.post(reverse("fieldwork:bring"), {"file": form_file(**options)})
    assert answer.status_code == 302, answer.content.decode()
    done = client.post(answer.url)
    assert done.status_code == 302
    return Form.objects.get(id_string="survei_rumah")


def rows_of(*rows: list[Any]) -> bytes:
    head = ["kk", "desa", "lantai", "foto", "_uuid", "_index", "__version__"]
    return workbook(
        survei=[head, *rows], anggota=[["nama", "_parent_index"], ["Sari", 1], ["Budi", 1]]
    )


def load(client: Any, form: Form, content: bytes, name: str = "kobo.xlsx", **values: Any) -> Load:
    file = SimpleUploadedFile(name, content)
    answer = client.post(
        reverse("fieldwork:load_submissions"), {"form": form.pk, "file": file, **values}
    )
    assert answer.status_code == 302
    assert "/formulir/muat/" in answer.url, answer.url
    found = Load.objects.first()
    loading.work(found.pk)
    found.refresh_from_db()
    return found


def counts(one: Load) -> tuple[int, int, int, int]:
    return one.loaded, one.known, one.replaced, one.failed


# Forms


def test_a_form_is_looked_at_before_it_is_kept(secretariat):
    answer = secretariat.post(reverse("fieldwork:bring"), {"file": form_file()})
    page = secretariat.get(answer.url).content.decode()
    assert "Begini petugas ditanya" in page
    assert "Lantai terluas" in page
    assert not Form.objects.exists()
    secretariat.post(answer.url)
    form = Form.objects.get()
    assert (form.id_string, form.versions.get().name) == ("survei_rumah", "1")
    assert not FormUpload.objects.exists()
    page = secretariat.get(reverse("fieldwork:form_page", args=[form.pk])).content.decode()
    assert "household.floor" in page


def test_a_form_with_faults_is_not_kept(secretariat):
    survey = [*SURVEY[:2], ["txt", "x", "X"]]
    answer = secretariat.post(reverse("fieldwork:bring"), {"file": form_file(survey)})
    page = secretariat.get(answer.url).content.decode()
    assert "Jenis “txt” tidak dikenal. Mungkin maksudnya text?" in page
    secretariat.post(answer.url)
    assert not Form.objects.exists()


def test_what_is_no_workbook_is_refused(secretariat):
    file = SimpleUploadedFile("survei.xlsx", b"bukan excel")
    answer = secretariat.post(reverse("fieldwork:bring"), {"file": file})
    assert answer.status_code == 422
    assert "bukan XLSForm" in answer.content.decode()
    assert not FormUpload.objects.exists()


def test_a_new_wording_is_a_new_version_and_old_submissions_keep_theirs(secretariat, form):
    load(
        secretariat, form, rows_of(["3302010101010001", "", "earth", "", str(uuid.uuid4()), 1, "1"])
    )
    bring(secretariat, survey=[*SURVEY, ["text", "catatan", "Catatan"]], version="2")
    assert list(form.versions.values_list("number", "name")) == [(2, "2"), (1, "1")]
    assert Submission.objects.get().form_version.number == 1


def test_a_form_goes_out_and_comes_in_again(secretariat, form):
    version = form.versions.get()
    content = secretariat.get(reverse("fieldwork:xlsform", args=[version.pk])).content
    file = SimpleUploadedFile("survei.xlsx", content)
    answer = secretariat.post(reverse("fieldwork:bring"), {"file": file})
    secretariat.post(answer.url)
    assert form.versions.get() == version
    xform = secretariat.get(reverse("fieldwork:xform", args=[version.pk]))
    assert b"/data/anggota/nama" in xform.content


def test_the_built_in_form_goes_out_too(secretariat):
    from guyub.fieldwork.definition import Definition
    from guyub.fieldwork.verification import keep_built_in_form
    from guyub.fieldwork.xlsform import read_cells
    from guyub.fieldwork.xlsform_writing import sheets_of, xform_of

    form = Definition.from_json(keep_built_in_form().definition)
    again = read_cells(sheets_of(form))
    assert again.faults == []
    assert again.definition == form
    assert "guyub_verifikasi" in xform_of(form)


def test_agencies_keep_forms_of_their_own(client_for, make_agency, secretariat, form):
    operator = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    answer = operator.post(reverse("fieldwork:bring"), {"file": form_file(version="9")})
    page = operator.post(answer.url, follow=True).content.decode()
    assert "milik perangkat daerah lain" in page
    assert form.versions.count() == 1


# Submissions from files


def test_an_export_is_loaded_once(secretariat, form, make_household):
    home = make_household("33.02.01.2001")
    first = str(uuid.uuid4())
    content = rows_of(
        [home.kk, "", "Semen", "", first, 1, "1"],
        ["3302019999999999", "33.02.01.2001", "earth", "", str(uuid.uuid4()), 2, "1"],
        ["3302010101010001", "", "emas", "", str(uuid.uuid4()), 3, "1"],
    )
    one = load(secretariat, form, content)
    assert (one.state, counts(one)) == (LoadState.DONE, (2, 0, 0, 1))
    assert [(line.outcome, line.sheet, line.row) for line in loading.lines_of(one)] == [
        ("failed", "survei", 4), ("remark", "survei", 3),
    ]  # fmt: skip
    submission = Submission.objects.get(instance=first)
    assert submission.household == home
    assert submission.answers == {
        "/kk": home.kk, "/lantai": "cement",
        "/anggota": [{"/anggota/nama": "Sari"}, {"/anggota/nama": "Budi"}],
    }  # fmt: skip
    assert submission.state == SubmissionState.WAITING
    again = load(secretariat, form, content)
    assert counts(again) == (0, 2, 0, 1)
    assert Submission.objects.count() == 2
    assert Event.objects.filter(action="fieldwork.load.finish").count() == 2
    assert not one.file
    assert home.kk not in json.dumps(list(Event.objects.values_list("detail", flat=True)))


def test_the_report_can_be_taken_along(secretariat, form):
    one = load(secretariat, form, rows_of(["1", "", "emas", "", str(uuid.uuid4()), 1, "1"]))
    page = secretariat.get(reverse("fieldwork:load", args=[one.pk])).content.decode()
    assert "Pilihan “emas” tidak ada dalam daftar" in page
    answer = secretariat.get(reverse("fieldwork:load_report", args=[one.pk]))
    report = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "gagal,kobo.xlsx,survei,2,,Lantai terluas" in report


def test_an_interrupted_load_is_taken_up(secretariat, form, monkeypatch):
    rows = [
        ["330201010101000" + str(n), "", "earth", "", str(uuid.uuid4()), n + 1, "1"]
        for n in range(3)
    ]
    real, calls = loading.take, []

    def dies(*args: Any, **values: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise SystemExit
        return real(*args, **values)

    monkeypatch.setattr(loading, "take", dies)
    file = SimpleUploadedFile("kobo.xlsx", rows_of(*rows))
    secretariat.post(reverse("fieldwork:load_submissions"), {"form": form.pk, "file": file})
    one = Load.objects.get()
    with pytest.raises(SystemExit):
        loading.work(one.pk)
    assert loading.abandoned() == [one]
    monkeypatch.setattr(loading, "take", real)
    loading.work(one.pk)
    one.refresh_from_db()
    assert counts(one) == (3, 0, 0, 0)
    assert loading.abandoned() == []


def test_photos_come_along_and_later(secretariat, form, make_household):
    home = make_household("33.02.01.2001")
    number = str(uuid.uuid4())
    xml = (
        f'<data id="survei_rumah" version="1"><kk>{home.kk}</kk><lantai>cement</lantai><foto>rumah.jpg</foto>'
        f"<meta><instanceID>uuid:{number}</instanceID></meta></data>"
    )
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(picture, "JPEG")

    def archive(**files: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            made.writestr("a/submission.xml", xml)
            for name, content in files.items():
                made.writestr(f"a/{name}.jpg", content)
        return out.getvalue()

    load(secretariat, form, archive(), "a.zip")
    attachment = Submission.objects.get().attachments.get()
    assert attachment.stored_at is None
    one = load(secretariat, form, archive(rumah=picture.getvalue()), "a.zip")
    assert counts(one) == (0, 1, 0, 0)
    attachment.refresh_from_db()
    assert attachment.stored_at is not None
    assert Image.open(attachment.file).size == (40, 30)


def test_an_edit_replaces_what_nobody_has_decided(secretariat, form):
    number, later = str(uuid.uuid4()), str(uuid.uuid4())

    def sent(instance: str, floor: str, **values: Any) -> dict[str, Any]:
        return {
            "_uuid": instance,
            "kk": "3302010101010001",
            "lantai": floor,
            "__version__": "1",
            **values,
        }

    load(secretariat, form, json.dumps([sent(number, "earth")]).encode(), "a.json")
    edit = sent(later, "cement", **{"meta/deprecatedID": f"uuid:{number}"})
    one = load(secretariat, form, json.dumps([edit]).encode(), "a.json")
    assert counts(one) == (0, 0, 1, 0)
    old, new = (Submission.objects.get(instance=instance) for instance in (number, later))
    assert (old.state, new.replaces) == (SubmissionState.SUPERSEDED, old)
    assert "Suntingan dari" in loading.lines_of(one)[0].message
    # Other answers under a number that is taken: the stored ones stay.
    other = load(secretariat, form, json.dumps([sent(later, "earth")]).encode(), "a.json")
    assert counts(other) == (0, 0, 0, 1)
    new.refresh_from_db()
    assert new.answers["/lantai"] == "cement"


def test_submissions_find_the_visit_of_their_round(secretariat, form, make_household):
    home = make_household("33.02.01.2001")
    record = services.create_round(form.versions.get(), {"title": "Survei"}, actor=None)
    services.add_households(record, Household.objects.filter(pk=home.pk), actor=None)
    services.open_round(record, actor=None)
    content = rows_of([home.kk, "", "cement", "", str(uuid.uuid4()), 1, "1"])
    load(secretariat, form, content, round=record.pk)
    submission = Submission.objects.get()
    assert (submission.visit, submission.round) == (record.visits.get(), record)


def test_a_restricted_household_is_not_found(secretariat, form, make_household, monkeypatch):
    home = make_household("33.02.01.2001")
    monkeypatch.setattr(restriction, "LEFT_OUT_HOUSEHOLDS", [home.pk])
    content = rows_of([home.kk, "33.02.01.2001", "cement", "", str(uuid.uuid4()), 1, "1"])
    load(secretariat, form, content)
    submission = Submission.objects.get()
    assert submission.household is None
    assert submission.village.code == "33.02.01.2001"


def test_files_that_are_not_taken(secretariat, form):
    answer = secretariat.post(
        reverse("fieldwork:load_submissions"),
        {"form": form.pk, "file": SimpleUploadedFile("x.zip", b"PK\3\4rusak")},
        follow=True,
    )
    assert "rusak" in answer.content.decode()
    assert not Load.objects.exists()
    one = load(secretariat, form, b"{", "x.json")
    assert (one.state, one.error) == (LoadState.FAILED, "Isi JSON rusak. Unduh ulang dari Kobo.")


def test_pages_read_few_queries(secretariat, form, django_assert_max_num_queries):
    for _number in range(3):
        load(secretariat, form, rows_of(["1", "", "earth", "", str(uuid.uuid4()), 1, "1"]))
    page = secretariat.get(reverse("fieldwork:form_page", args=[form.pk])).content.decode()
    assert page.count("Kiriman no.") == 3
    for address in (reverse("fieldwork:form_list"), reverse("fieldwork:form_page", args=[form.pk])):
        with django_assert_max_num_queries(20):
            assert secretariat.get(address).status_code == 200


# The API


@pytest.fixture
def system(regency, make_agency):
    from django.test import Client

    _token, key = make_token(
        agency=make_agency("dinsos"), name="Kobo", purpose="Survei", scopes=["fieldwork:write"],
        expires_at=timezone.now() + dt.timedelta(days=9), actor=None,
    )  # fmt: skip
    return Client(headers={"Authorization": f"Bearer {key}"})


def test_a_submission_from_kobo_is_stored_once(system, form, make_household):
    home = make_household("33.02.01.2001")
    content = {"_uuid": str(uuid.uuid4()), "kk": home.kk, "lantai": "cement", "__version__": "1"}
    address = "/api/v1/fieldwork/forms/survei_rumah/submissions"
    first = system.post(address, content, content_type="application/json")
    assert (first.status_code, first.json()["outcome"]) == (201, "loaded")
    again = system.post(address, content, content_type="application/json")
    assert (again.status_code, again.json()["outcome"]) == (200, "known")
    assert Submission.objects.get().household == home
    wrong = system.post(
        address,
        {**content, "_uuid": str(uuid.uuid4()), "lantai": "emas"},
        content_type="application/json",
    )
    assert wrong.status_code == 422
    assert "Lantai terluas" in json.dumps(wrong.json(), ensure_ascii=False)
    for body in (b"{", b"[1]", b"null"):
        assert system.post(address, body, content_type="application/json").status_code == 422


def test_a_submission_as_xml_is_stored_once(system, form):
    xml = (
        '<data id="survei_rumah" version="1"><kk>3302010101010001</kk><lantai>earth</lantai>'
        f"<meta><instanceID>uuid:{uuid.uuid4()}</instanceID></meta></data>"
    )
    address = "/api/v1/fieldwork/forms/survei_rumah/submissions.xml"
    for status in (201, 200):
        answer = system.post(address, xml, content_type="application/xml")
        assert answer.status_code == status, answer.content
    assert system.post(address, "<a", content_type="application/xml").status_code == 422
    assert (
        system.post(
            address.replace("survei_rumah", "lain"), xml, content_type="application/xml"
        ).status_code
        == 404
    )
    assert [row["id_string"] for row in system.get("/api/v1/fieldwork/forms").json()["items"]] == [
        "survei_rumah"
    ]
