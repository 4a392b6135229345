"""What phones ask: visits of one's own, sending once, and nothing of others."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid

import pytest
from django.urls import reverse

from guyub.access import wall
from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.fieldwork import phone, queries, services
from guyub.fieldwork.models import Submission
from guyub.fieldwork.tests.test_receiving import photo
from guyub.registry import restriction
from guyub.registry.services import edit_household

OTHER_VILLAGE = "33.02.17.2001"


def payload(visit, content: bytes = b"", **values):
    files = []
    if content:
        key = str(uuid.uuid4())
        files = [
            {"key": key, "name": f"{key}.jpg", "path": "/foto", "media_type": "image/jpeg",
             "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        ]  # fmt: skip
    return {
        "instance": str(uuid.uuid4()), "visit": str(visit.key),
        "form": visit.round.form_version_id, "begun_at": "2026-11-20T09:00:00+07:00",
        "finished_at": "2026-11-20T09:20:00+07:00", "answers": {"/lantai": "cement"},
        "seen": {"values": {"household.floor": "earth"}}, "replaces": None, "files": files, **values,
    }  # fmt: skip


def post(client, content):
    return client.post(reverse("fieldwork:send"), json.dumps(content), "application/json")


def test_a_phone_carries_its_own_area_with_masked_numbers_in_few_queries(
    make_visit, client_for, django_assert_max_num_queries
):
    mine, other = make_visit(), make_visit(OTHER_VILLAGE)
    for _number in range(5):
        make_visit()
    client = client_for(Role.AREA_OPERATOR)
    client.get(reverse("fieldwork:data"))
    with django_assert_max_num_queries(14):
        carried = client.get(reverse("fieldwork:data")).json()
    assert len(carried["visits"]) == 6
    keys = {visit["key"] for visit in carried["visits"]}
    assert str(mine.key) in keys
    assert str(other.key) not in keys
    visit = next(v for v in carried["visits"] if v["key"] == str(mine.key))
    assert visit["seen"]["values"] == {"household.floor": "earth", "household.wall": ""}
    assert visit["nik"].startswith("330201••")
    nik = mine.household.members.get().nik
    assert nik not in json.dumps(carried)
    assert carried["forms"][0]["definition"]["id_string"] == "uji"
    again = client.get(reverse("fieldwork:data") + f"?formulir={carried['forms'][0]['id']}").json()
    assert again["forms"] == []
    assert again["needed_forms"] == [carried["forms"][0]["id"]]


def test_what_is_anothers_restricted_or_over_is_not_carried(make_visit, make_user, client_for):
    hers, restricted, mine = make_visit(), make_visit(), make_visit()
    services.assign(
        hers.round.visits.filter(pk=hers.pk), make_user(Role.AREA_OPERATOR), actor=None,
        record=hers.round,
    )  # fmt: skip
    restriction.place(restricted.household, reason="Atas permintaannya", actor=None)
    client = client_for(Role.AREA_OPERATOR)
    found = client.get(reverse("fieldwork:data")).json()["visits"]
    assert [visit["key"] for visit in found] == [str(mine.key)]
    services.close_round(mine.round, actor=None)
    assert client.get(reverse("fieldwork:data")).json()["visits"] == []


def test_more_than_a_phone_takes_is_said_and_one_village_can_be_chosen(
    make_visit, client_for, monkeypatch, regency
):
    monkeypatch.setattr(phone, "MOST_VISITS", 2)
    for code in ("33.02.01.2001", "33.02.01.2001", "33.02.01.2002"):
        make_visit(code)
    client = client_for(Role.AREA_OPERATOR, area=Area.objects.get(code="33.02.01"))
    carried = client.get(reverse("fieldwork:data")).json()
    assert (carried["limited"], carried["total"], len(carried["visits"])) == (True, 3, 2)
    assert [village["n"] for village in carried["villages"]] == [2, 1]
    one = client.get(reverse("fieldwork:data") + "?desa=33.02.01.2002").json()
    assert (one["limited"], len(one["visits"])) == (False, 1)


def test_sending_again_answers_alike_and_other_content_is_refused(make_visit, client_for):
    client, content = client_for(Role.AREA_OPERATOR), photo(60)
    sent = payload(make_visit(), content)
    first, again = post(client, sent), post(client, sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    key = sent["files"][0]["key"]
    path = reverse("fieldwork:part", args=[key])

    def put(start: int, end: int):
        return client.post(
            f"{path}?dari={start}", content[start:end], content_type="application/octet-stream"
        ).json()

    assert put(0, 500) == {"arrived": 500, "stored": False}
    assert post(client, sent).json()["files"] == [{"key": key, "arrived": 500, "stored": False}]
    assert put(500, len(content)) == {"arrived": len(content), "stored": True}
    other = post(client, {**sent, "answers": {"/lantai": "ceramic"}})
    assert other.status_code == 409
    assert other.json()["detail"]
    assert Submission.objects.get().answers == {"/lantai": "cement"}


def test_a_spoilt_photo_is_told_and_begins_anew(make_visit, client_for):
    client, content = client_for(Role.AREA_OPERATOR), photo()
    sent = payload(make_visit(), content)
    post(client, sent)
    path = reverse("fieldwork:part", args=[sent["files"][0]["key"]]) + "?dari=0"
    spoilt = client.post(path, bytes(len(content)), content_type="application/octet-stream")
    assert (spoilt.status_code, spoilt.json()["arrived"]) == (422, 0)
    assert client.post(path, content, content_type="application/octet-stream").json()["stored"]


@pytest.mark.parametrize(
    "change",
    [{"instance": "x"}, {"answers": []}, {"seen": {"values": {"a": 1}}}, {"form": "z"},
     {"finished_at": "2026-11-20T09:20:00"}, {"files": [{"key": "1"}]}, {"files": 5}],
)  # fmt: skip
def test_what_can_not_be_read_is_refused_in_words(make_visit, client_for, change):
    client = client_for(Role.AREA_OPERATOR)
    answer = post(client, payload(make_visit(), **change))
    assert answer.status_code == 422
    assert "tidak terbaca" in answer.json()["detail"]
    assert not Submission.objects.exists()


def test_nobody_sends_about_another_area_or_adds_to_anothers_submission(make_visit, client_for):
    client, content = client_for(Role.AREA_OPERATOR), photo()
    assert post(client, payload(make_visit(OTHER_VILLAGE))).status_code == 422
    sent = payload(make_visit(), content)
    post(client, sent)
    path = reverse("fieldwork:part", args=[sent["files"][0]["key"]]) + "?dari=0"
    other = client_for(Role.AREA_OPERATOR)
    assert other.post(path, content, content_type="application/octet-stream").status_code == 422
    assert post(client_for(Role.REGENT), sent).status_code == 403


@pytest.mark.usefixtures("as_web_role")
def test_what_is_sent_stays_with_a_household_that_moved_out_of_the_area(make_visit, client_for):
    visit = make_visit()
    away = Area.objects.get(code=OTHER_VILLAGE)
    edit_household(visit.household, {"village": away}, as_of=dt.date(2026, 2, 1), actor=None)
    assert post(client_for(Role.AREA_OPERATOR), payload(visit)).status_code == 201
    assert Submission.objects.get().household == visit.household


def move_away(visit, code: str = OTHER_VILLAGE):
    edit_household(
        visit.household,
        {"village": Area.objects.get(code=code), "address": "Jalan Baru 7"},
        as_of=dt.date(2026, 2, 1),
        actor=None,
    )


def carried_by(client, visit):
    visits = client.get(reverse("fieldwork:data")).json()["visits"]
    return next((one for one in visits if one["key"] == str(visit.key)), None)


@pytest.mark.web_role
def test_of_a_household_that_moved_out_of_the_area_a_phone_hears_only_that(make_visit, client_for):
    visit, stays = make_visit(name="Wagiman"), make_visit()
    client = client_for(Role.AREA_OPERATOR)
    assert carried_by(client, visit)["left"] is False
    move_away(visit)
    found = carried_by(client, visit)
    assert found["left"] is True
    assert "pindah" in found["name"]
    assert found["where"] == visit.village.title
    assert (found["nik"], found["members"], found["seen"]) == ("", None, {})
    text = client.get(reverse("fieldwork:data")).content.decode()
    assert "WAGIMAN" not in text
    assert "Jalan Baru" not in text
    assert carried_by(client, stays)["left"] is False
    with wall.everything():
        assert queries.to_go(client.user) == 1


@pytest.mark.web_role
def test_whoever_works_where_a_household_moved_to_goes_there_now(make_visit, client_for):
    visit = make_visit(name="Wagiman")
    move_away(visit)
    client = client_for(Role.AREA_OPERATOR, area=Area.objects.get(code=OTHER_VILLAGE))
    found = carried_by(client, visit)
    assert (found["name"], found["left"]) == ("WAGIMAN", False)
    assert "Jalan Baru 7" in found["where"]
    assert Area.objects.get(code=OTHER_VILLAGE).title in found["where"]
    carried = client.get(reverse("fieldwork:data") + f"?desa={OTHER_VILLAGE}").json()
    assert [village["code"] for village in carried["villages"]] == [OTHER_VILLAGE]
    assert len(carried["visits"]) == 1
    assert post(client, payload(visit)).status_code == 201
    third = client_for(Role.AREA_OPERATOR, area=Area.objects.get(code="33.02.01.2002"))
    assert carried_by(third, visit) is None
    assert post(third, payload(visit)).status_code == 422


@pytest.mark.web_role
@pytest.mark.parametrize("when", ["before sending", "before the photo"])
def test_photos_arrive_wherever_the_household_lives_by_now(make_visit, client_for, when):
    visit, content = make_visit(), photo(60)
    client, sent = client_for(Role.AREA_OPERATOR), payload(visit, content)
    if when == "before sending":
        move_away(visit)
    assert post(client, sent).status_code == 201
    if when == "before the photo":
        move_away(visit)
    path = reverse("fieldwork:part", args=[sent["files"][0]["key"]])
    for start, end in ((0, 500), (500, len(content))):
        answer = client.post(
            f"{path}?dari={start}", content[start:end], content_type="application/octet-stream"
        )
        assert answer.status_code == 200
    assert answer.json() == {"arrived": len(content), "stored": True}
    with Submission.objects.get().attachments.get().file.open("rb") as file:
        assert file.read(2) == b"\xff\xd8"
    # What became of it is told to whoever sent it.
    told = client.get(reverse("fieldwork:data")).json()["sent"]
    assert [one["instance"] for one in told] == [sent["instance"]]


@pytest.mark.web_role
def test_the_page_of_a_submission_keeps_a_household_that_left_to_itself(make_visit, client_for):
    visit = make_visit(name="Wagiman")
    client = client_for(Role.AREA_OPERATOR)
    post(client, payload(visit, answers={"/lantai": "cement", "/catatan": "Dua kamar"}))
    move_away(visit)
    edit_household(visit.household, {"floor": "ceramic"}, as_of=dt.date(2026, 3, 1), actor=None)
    path = reverse("fieldwork:submission", args=[Submission.objects.get().pk])
    page = client.get(path).content.decode()
    assert "pindah dari wilayah Anda" in page
    assert "Dua kamar" in page
    assert "WAGIMAN" not in page
    assert "Keramik" not in page
    # Whoever decides about it sees it as before.
    office = client_for(Role.SECRETARIAT).get(path).content.decode()
    assert "WAGIMAN" in office
    assert "Keramik" in office
    assert "pindah dari wilayah Anda" not in office


def test_the_download_is_logged_once_a_day(make_visit, client_for):
    from guyub.audit.models import Event

    make_visit()
    client = client_for(Role.AREA_OPERATOR)
    for _number in range(2):
        client.get(reverse("fieldwork:data"))
    assert Event.objects.filter(action="fieldwork.visit.download").count() == 1


def test_the_worker_names_all_parts_of_the_app_and_the_page_holds_nobody(make_visit, client_for):
    from django.contrib.staticfiles import finders

    from guyub.fieldwork import app_views

    make_visit()
    client = client_for(Role.AREA_OPERATOR, full_name="Petugas Lapangan")
    worker = client.get(reverse("fieldwork:worker"))
    assert worker.headers["Content-Type"].startswith("text/javascript")
    for name in (*app_views.WORKER_SCRIPTS, *app_views.MODULES, *app_views.LOOKS):
        assert f'"/static/{name}"' in worker.content.decode()
        assert finders.find(name)
    page = client.get(reverse("fieldwork:app")).content.decode()
    assert "Petugas" not in page
    assert "TUKIMAN" not in page
    manifest = client.get(reverse("fieldwork:manifest")).json()
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/lapangan/")
