"""Field work as other systems read it, and files that they hand in later."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from guyub.connections import services as connections
from guyub.fieldwork import deciding
from guyub.fieldwork.models import Attachment
from guyub.fieldwork.services import keep_form
from guyub.fieldwork.tests.conftest import small_form
from guyub.fieldwork.tests.test_members import NEW_NIK, member_form, row
from guyub.fieldwork.tests.test_receiving import photo
from guyub.registry import restriction
from guyub.registry import services as registry

ROOT = "/api/v1/fieldwork"


@pytest.fixture
def system(make_agency):
    """A client with a token of an agency: ``system("fieldwork:read", agency="dinkes")``."""

    def make(*scopes: str, agency: str = "dinsos") -> Client:
        _token, key = connections.make_token(
            agency=make_agency(agency), name="Dasbor", purpose="Pemantauan", scopes=scopes,
            expires_at=timezone.now() + dt.timedelta(days=9), actor=None,
        )  # fmt: skip
        return Client(headers={"Authorization": f"Bearer {key}"})

    return make


@pytest.fixture
def form_version(db):
    return keep_form(member_form(), actor=None)


def test_rounds_visits_and_submissions_of_ones_agency_page_by_page(
    system, make_visit, make_agency, send, django_assert_max_num_queries
):
    visits = [make_visit(agency=make_agency("dinsos")) for _number in range(3)]
    for visit in visits:
        send(visit, {"/lantai": "cement", "/catatan": "NIK 3302011203850001"})
    others = make_visit(agency=make_agency("dinkes"))
    other = send(others, {"/lantai": "earth"}).submission
    client = system("fieldwork:read")
    rounds = client.get(f"{ROOT}/rounds").json()
    assert [one["id"] for one in rounds["items"]] == [visits[0].round_id]
    one = client.get(f"{ROOT}/rounds/{visits[0].round_id}").json()
    assert (one["progress"]["total"], one["progress"]["sent"], one["form"]) == (3, 3, "uji")
    path = f"{ROOT}/rounds/{visits[0].round_id}/visits"
    first = client.get(f"{path}?limit=2").json()
    rest = client.get(f"{path}?limit=2&cursor={first['next']}").json()
    keys = [visit["key"] for visit in first["items"] + rest["items"]]
    assert keys == [str(visit.key) for visit in visits]
    assert rest["next"] is None
    with django_assert_max_num_queries(14):
        found = client.get(f"{ROOT}/submissions?state=waiting").json()["items"]
    assert len(found) == 3
    assert "answers" not in found[0]
    assert client.get(f"{ROOT}/submissions?since=2999-01-01T00:00:00%2B07:00").json()["items"] == []
    full = client.get(f"{ROOT}/submissions/{found[0]['instance']}").json()
    assert full["answers"] == {"/lantai": "cement", "/catatan": "NIK 330201••••••••01"}
    # Another agency's.
    assert client.get(f"{ROOT}/rounds/{others.round_id}").status_code == 403
    assert client.get(f"{ROOT}/submissions/{other.instance}").status_code == 403
    assert client.get(f"{ROOT}/submissions/{uuid.uuid4()}").status_code == 404
    # A token that only brings in.
    writer = system("fieldwork:write")
    assert writer.get(f"{ROOT}/rounds").status_code == 403
    assert writer.get(f"{ROOT}/submissions").status_code == 403


def test_members_are_masked_and_restricted_ones_left_out(system, make_visit, make_agency, send):
    visit = make_visit(agency=make_agency("dinsos"))
    head = visit.household.members.get()
    child = registry.add_person(
        visit.household, {"nik": NEW_NIK, "name": "Sari", "relation": "child"},
        as_of=dt.date(2026, 1, 5), actor=None,
    )  # fmt: skip
    rows = [row(id=str(head.pk), nik=head.nik, work="trade"), row(nik=NEW_NIK, work="student")]
    sent = send(visit, {"/anggota": rows}).submission
    deciding.accept(sent, actor=None)
    client, path = system("fieldwork:read"), f"{ROOT}/submissions/{sent.instance}"
    full = client.get(path).json()
    assert [one["/anggota/work"] for one in full["answers"]["/anggota"]] == ["trade", "student"]
    assert head.nik not in str(full)
    assert {(one["person"], one["new"]) for one in full["decisions"]} == {
        (head.pk, "trade"), (child.pk, "student"),
    }  # fmt: skip
    restriction.place(child, reason="Atas permintaannya", actor=None)
    full = client.get(path).json()
    assert [one["/anggota/work"] for one in full["answers"]["/anggota"]] == ["trade"]
    assert [one["person"] for one in full["decisions"]] == [head.pk]
    restriction.place(visit.household, reason="Atas permintaannya", actor=None)
    assert client.get(path).status_code == 403
    assert client.get(f"{ROOT}/submissions").json()["items"] == []


@pytest.fixture
def announced(system, make_agency):
    """A token's client, and the path of the one file that its submission announced."""
    keep_form(small_form(), actor=None, agency=make_agency("dinsos"))
    client = system("fieldwork:write")
    content = {"_uuid": str(uuid.uuid4()), "lantai": "cement", "foto": "rumah.jpg"}
    stored = client.post(f"{ROOT}/forms/uji/submissions", content, content_type="application/json")
    [file] = stored.json()["attachments"]
    assert (file["name"], file["stored"], file["arrived"]) == ("rumah.jpg", False, 0)
    return client, f"{ROOT}/attachments/{file['key']}"


def upload(content: bytes) -> dict:
    return {"file": SimpleUploadedFile("rumah.jpg", content, "image/jpeg")}


def test_a_file_is_handed_in_whole_and_only_once(announced):
    client, path = announced
    content = photo()
    assert client.post(path, upload(b"tidak ada gambar")).status_code == 422
    for _number in range(2):
        answer = client.post(path, upload(content))
        assert (answer.status_code, answer.json()["stored"]) == (200, True), answer.content
    assert client.post(path, upload(photo(50))).status_code == 409
    assert Attachment.objects.get().sha256 == hashlib.sha256(content).hexdigest()


def test_a_file_is_handed_in_piece_by_piece(announced):
    client, path = announced
    content = photo(120)
    query = f"size={len(content)}&sha256={hashlib.sha256(content).hexdigest()}"

    def put(start: int, piece: bytes, asked: str = query):
        return client.post(f"{path}/parts?offset={start}&{asked}", upload(piece))

    assert put(0, content[:1000]).json()["arrived"] == 1000
    # What was sent already, and what leaves a gap, is not kept.
    assert put(0, content[:1000]).json()["arrived"] == 1000
    assert put(5000, content[5000:6000]).json()["arrived"] == 1000
    assert put(1000, content[1000:], f"size={len(content) + 1}").status_code == 422
    answer = put(1000, bytes(len(content) - 1000))
    assert answer.status_code == 422
    # Nothing is here now, so that a size told wrongly can be told anew.
    assert put(500, content[500:900], f"size={len(content) + 1}").json()["arrived"] == 0
    assert put(0, content[:1000]).json()["arrived"] == 1000
    assert put(1000, content[1000:]).json()["stored"] is True
    assert Attachment.objects.get().stored_at is not None


def test_nobody_hands_in_files_of_another_agency(announced, system):
    _client, path = announced
    assert system("fieldwork:write", agency="dinkes").post(path, upload(photo())).status_code == 404
    assert system("fieldwork:read").post(path, upload(photo())).status_code == 403
