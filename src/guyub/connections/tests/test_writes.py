"""Lists that are paged alike, errors that read alike, and writes that may be repeated."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from guyub.access.roles import Role
from guyub.beneficiaries.models import Enrolment
from guyub.connections import repeats
from guyub.connections.models import KeptAnswer
from guyub.obstacles.models import Obstacle
from guyub.proposals.models import Proposal
from guyub.reports.models import Report
from guyub.reports.schedules import set_schedule

OBSTACLES = "/api/v1/obstacles"


def obstacle(agency, **values):
    return {
        "title": "Data belum padan", "description": "Menunggu data dari dinas.", "category": "data",
        "severity": 2, "needed_agency": agency.code,
        "due_on": (timezone.localdate() + dt.timedelta(days=9)).isoformat(), **values,
    }  # fmt: skip


@pytest.fixture
def reporter(caller, make_agency):
    found = caller("obstacles:write")
    found.body = obstacle(make_agency("dinkes", name="Dinas Kesehatan"))
    return found


def test_a_list_is_walked_page_by_page_without_gap_or_repeat(caller, make_household):
    homes = [make_household(name=f"Warga {letter}") for letter in "ABCDE"]
    found = caller("registry:read")
    seen, cursor = [], ""
    while True:
        page = found.get("/api/v1/registry/households", limit=2, cursor=cursor).json()
        seen += [row["id"] for row in page["items"]]
        assert page["count"] is None
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == [home.pk for home in homes]


def test_areas_are_walked_in_a_stable_order(caller):
    found = caller("agencies:read")
    codes, cursor = [], ""
    while cursor is not None:
        page = found.get("/api/v1/areas", limit=150, cursor=cursor).json()
        codes += [row["code"] for row in page["items"]]
        cursor = page["next"]
    assert len(codes) == len(set(codes)) == page["count"]


@pytest.mark.parametrize("query", ["cursor=o", "cursor=k1", "cursor=o-1", "limit=0", "limit=a"])
def test_what_is_no_page_is_refused(caller, query):
    answer = caller().get(f"/api/v1/programs?{query}")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"


def test_faults_are_named_by_field_in_indonesian(reporter):
    body = {**reporter.body, "severity": 9, "due_on": "besok"}
    del body["title"]
    answer = reporter.post(OBSTACLES, body)
    assert answer.status_code == 422
    found = {row["field"]: row["message"] for row in answer.json()["errors"]}
    assert found == {
        "title": "Wajib diisi.",
        "severity": "Terlalu besar; paling banyak 4.",
        "due_on": "Harus tanggal, misalnya 2026-03-31.",
    }
    past = reporter.post(OBSTACLES, {**reporter.body, "due_on": "2020-01-01"}).json()
    assert past["errors"] == [
        {"field": "due_on", "message": "Batas waktu tidak boleh sudah lewat."}
    ]


@pytest.mark.parametrize("path", ["/api/v1/tidak-ada", "/api/v1/programs/99999", "/api/v2/"])
def test_what_is_not_there_is_a_problem_too(caller, path):
    answer = caller().get(path)
    assert answer.status_code == 404
    assert answer.json()["title"] == "Tidak ditemukan"


def test_other_methods_are_refused_with_those_that_there_are(caller):
    answer = caller().post("/api/v1/programs")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET"
    assert answer.json()["status"] == 405


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_that_no_database_takes_is_refused(reporter, text):
    answer = reporter.post(OBSTACLES, {**reporter.body, "title": text + "Judul panjang"})
    assert answer.status_code == 400
    assert reporter.client.get("/api/v1/obstacles?category=%00").status_code == 400


def test_broken_json_is_refused(reporter):
    answer = reporter.client.post(OBSTACLES, b"{", content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["title"] == "Permintaan tidak dapat dibaca"


def test_a_session_writes_only_with_its_csrf_token(make_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(
        make_user(Role.SECRETARIAT), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    answer = client.post(OBSTACLES, {}, content_type="application/json")
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"


# Repeating


def test_a_repeated_write_writes_once_and_answers_alike(reporter):
    first = reporter.post(OBSTACLES, reporter.body, key="k-1")
    again = reporter.post(OBSTACLES, reporter.body, key="k-1")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Obstacle.objects.count() == 1
    other = reporter.post(OBSTACLES, {**reporter.body, "severity": 3}, key="k-1")
    assert other.status_code == 422
    assert "kunci" in other.json()["detail"]
    assert reporter.post(OBSTACLES, reporter.body, key="k-2").status_code == 201
    assert Obstacle.objects.count() == 2


def test_keys_of_another_token_do_not_matter(reporter, caller):
    reporter.post(OBSTACLES, reporter.body, key="k-1")
    caller("obstacles:write").post(OBSTACLES, reporter.body, key="k-1")
    assert Obstacle.objects.count() == 2


def test_a_refused_write_may_be_mended_under_the_same_key(reporter):
    assert reporter.post(OBSTACLES, {}, key="k-1").status_code == 422
    assert not KeptAnswer.objects.exists()
    assert reporter.post(OBSTACLES, reporter.body, key="k-1").status_code == 201


def test_a_call_without_https_is_refused_and_not_led_on(reporter, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    refused = reporter.post(OBSTACLES, reporter.body)
    assert refused.status_code == 403
    assert "HTTPS" in refused.json()["detail"]
    assert not Obstacle.objects.exists()


def test_kept_answers_end(reporter):
    reporter.post(OBSTACLES, reporter.body, key="k-1")
    KeptAnswer.objects.update(created_at=timezone.now() - dt.timedelta(hours=25))
    assert (
        reporter.post(OBSTACLES, reporter.body, key="k-1").headers.get("Idempotent-Replayed")
        is None
    )
    assert Obstacle.objects.count() == 2
    assert repeats.forget_old(timezone.now() + dt.timedelta(hours=25)) == 1
    assert reporter.post(OBSTACLES, reporter.body, key="k" * 121).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_write_once(reporter):
    answers, counts = [], []
    start = threading.Barrier(2)

    def send():
        try:
            start.wait(5)
            answers.append(reporter.post(OBSTACLES, reporter.body, key="k-1"))
            counts.append(Obstacle.objects.count())
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert max(counts) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 1


# What can be written


def test_obstacles_are_taken_up_and_solved_by_those_concerned(reporter, caller, make_agency):
    made = reporter.post(OBSTACLES, reporter.body).json()
    stranger = caller("obstacles:write", agency=make_agency("dlh"))
    path = f"{OBSTACLES}/{made['id']}"
    assert stranger.post(f"{path}/steps", {"text": "Coba"}).status_code == 403
    needed = caller("obstacles:write", agency=make_agency("dinkes"))
    taken = needed.post(f"{path}/steps", {"text": "Data dikirim"})
    assert (taken.status_code, taken.json()["state"]) == (201, "working")
    assert needed.post(f"{path}/solution", {"text": "Sudah padan"}).json()["state"] == "solved"
    assert needed.post(f"{path}/solution", {"text": "Lagi"}).status_code == 422
    reader = caller("obstacles:read", agency=make_agency("dinkes"))
    assert reader.post(f"{path}/steps", {"text": "Coba"}).status_code == 403


def test_an_obstacle_names_only_ones_own_sub_activity(reporter, make_sub_activity, make_agency):
    other = make_sub_activity(agency=make_agency("dinkes"))
    answer = reporter.post(OBSTACLES, {**reporter.body, "sub_activity_id": other.pk})
    assert answer.json()["errors"][0]["field"] == "sub_activity_id"
    unknown = reporter.post(OBSTACLES, {**reporter.body, "needed_agency": "entah"})
    assert unknown.json()["errors"][0]["field"] == "needed_agency"


def test_a_report_is_kept_handed_in_and_guarded_by_its_version(caller, make_sub_activity):
    sub = make_sub_activity(year=2025)
    set_schedule(sub, frequency="quarterly", grace_days=10, actor=None)
    report = Report.objects.filter(sub_activity=sub).earliest("period_end")
    found = caller("reports:write")
    path = f"/api/v1/reports/{report.pk}"
    figures = {"version": found.get(path).json()["version"], "physical": "25.00", "budget": 0,
               "reached": 4, "narrative": "Empat rumah selesai."}  # fmt: skip
    kept = found.post(f"{path}/draft", figures)
    assert kept.json()["state"] == "draft", kept.content
    stale = found.post(f"{path}/submission", figures)
    assert stale.status_code == 409
    sent = found.post(f"{path}/submission", {**figures, "version": kept.json()["version"]}, key="a")
    assert sent.json()["state"] == "submitted", sent.content
    again = found.post(
        f"{path}/submission", {**figures, "version": kept.json()["version"]}, key="a"
    )
    assert again.json() == sent.json()
    assert caller("reports:read").post(f"{path}/submission", figures).status_code == 403


def test_a_list_of_people_is_enrolled_and_those_amiss_are_told(
    caller, make_sub_activity, make_household, make_agency
):
    sub = make_sub_activity()
    first, second = make_household(), make_household()
    niks = [first.members.get().nik, "3302010101010001", second.members.get().nik]
    path = f"/api/v1/beneficiaries/sub-activities/{sub.pk}/recipients"
    found = caller("beneficiaries:write")
    answer = found.post(path, {"niks": niks}, key="a")
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["accepted"] == 2
    assert [row["position"] for row in body["refused"]] == [2]
    assert niks[1] not in answer.content.decode()
    assert found.post(path, {"niks": niks}, key="a").json() == body
    assert Enrolment.objects.filter(sub_activity=sub).count() == 2
    nobody = found.post(path, {"niks": niks[1:2]})
    assert (nobody.status_code, nobody.json()["accepted"]) == (201, 0)
    assert found.post(path, {"niks": ["12"]}).status_code == 422
    other = caller("beneficiaries:write", agency=make_agency("dinkes"))
    assert other.post(path, {"niks": niks}).status_code == 403


def test_proposals_are_submitted_and_read_without_names(caller, make_household, village):
    home = make_household()
    found = caller("proposals:write")
    answer = found.post(
        "/api/v1/proposals",
        {"kind": "object", "reason_kind": "moved", "household_id": home.pk,
         "reason": "Sudah pindah ke luar kabupaten."},
        key="a",
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    nik = "3302011203850099"
    new = found.post(
        "/api/v1/proposals",
        {"kind": "propose", "reason_kind": "unlisted", "village": village.code, "nik": nik,
         "head_name": "Sarwono", "birth_date": "1985-03-12", "sex": "M",
         "reason": "Rumah roboh dan belum terdata."},
    )  # fmt: skip
    assert new.status_code == 201, new.content
    assert nik not in new.content.decode()
    listed = found.get("/api/v1/proposals").content.decode()
    assert "Sarwono" not in listed
    assert home.head_name not in listed
    steps = found.get(f"/api/v1/proposals/{new.json()['id']}").json()["steps"]
    assert [step["kind"] for step in steps] == ["submitted"]
    complaint = found.post(
        "/api/v1/proposals",
        {"kind": "complaint", "reason_kind": "levy", "reason": "Ada pungutan di desa."},
    )
    assert complaint.status_code == 422
    assert Proposal.objects.count() == 2


def test_confidential_complaints_are_no_systems_to_read(caller, village, make_agency):
    from guyub.proposals.services import submit

    for reason in ("levy", "help_missing"):
        submit(
            village=village,
            kind="complaint",
            values={"reason_kind": reason, "reason": "Bantuan dipotong di desa."},
            agency=make_agency("dinkes"),
        )
    own = caller("proposals:read", agency=make_agency("dinkes"))
    listed = own.get("/api/v1/proposals").json()["items"]
    assert [row["reason_kind"] for row in listed] == ["help_missing"]


def test_meetings_and_requests_are_read(caller, make_user, make_agency, make_dataset):
    from guyub.meetings import decisions, services
    from guyub.sharing.models import DataRequest

    now, user = timezone.now(), make_user(Role.SECRETARIAT)
    meeting = services.plan_meeting(
        actor=user,
        values={"title": "Rapat", "starts_at": now, "ends_at": now + dt.timedelta(hours=1),
                "place": "Pendopo", "input_due_on": now.date(), "quorum_percent": 1},
    )  # fmt: skip
    agency = make_agency()
    services.save_item(
        meeting, actor=user, values={"title": "RTLH", "description": ""}, agencies=[agency]
    )
    services.invite(meeting, [agency], actor=user)
    services.open_meeting(meeting, actor=user)
    decisions.add_action(
        meeting, actor=user, text="Padankan", agency=agency, due_on=now.date() + dt.timedelta(9)
    )
    found = caller("meetings:read", "sharing:read")
    assert found.get("/api/v1/meetings").json()["items"][0]["title"] == "Rapat"
    full = found.get(f"/api/v1/meetings/{meeting.pk}")
    assert full.json()["actions"][0]["agency"] == agency.code
    assert meeting.secret not in full.content.decode()
    actions = found.get("/api/v1/meetings/actions", agency=agency.code, state="open").json()
    assert [row["text"] for row in actions["items"]] == ["Padankan"]
    assert found.get("/api/v1/meetings/decisions").json()["items"] == []
    asked = DataRequest.objects.create(
        dataset=make_dataset(owner=make_agency("dinkes")), agency=agency, asked_by=user,
        due_on=now.date(), wanted_until=now.date(), columns=["name"],
    )  # fmt: skip
    sent = found.get("/api/v1/sharing/requests", side="sent", state="open").json()
    assert [row["id"] for row in sent["items"]] == [asked.pk]
    assert found.get("/api/v1/sharing/requests", side="received").json()["items"] == []
    assert found.get(f"/api/v1/sharing/requests/{asked.pk}").json()["grant"] is None
