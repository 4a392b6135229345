"""Answers about members: whom they are about, what is chosen, and what the registry then says."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from guyub.access.roles import Role
from guyub.fieldwork import deciding, member_fields, placing, services
from guyub.fieldwork.definition import Definition
from guyub.fieldwork.exports import write_round
from guyub.fieldwork.member_deciding import ADD, KEEP
from guyub.fieldwork.members import compare_members
from guyub.fieldwork.models import FieldDecision, Submission
from guyub.fieldwork.services import keep_form
from guyub.fieldwork.tests.conftest import question, small_form
from guyub.fieldwork.tests.test_app import phone, until  # noqa: F401 (a fixture)
from guyub.fieldwork.tests.test_phone import payload, post
from guyub.fieldwork.verification import keep_built_in_form
from guyub.registry import restriction
from guyub.registry import services as registry
from guyub.registry.models import Household, Origin, Person, ValueChange

# Where somebody who wants to look at the pages has their pictures put.
SHOTS = Path(os.environ["GUYUB_SHOTS"]) if "GUYUB_SHOTS" in os.environ else None
NEW_NIK = "3302015503150009"


def member_question(field: str, kind: str = "text"):
    return question(field, kind, path=f"/anggota/{field}", field=f"member.{field}")


def member_form(*fields: str):
    asked = fields or (
        "id", "nik", "name", "sex", "birth_date", "relation", "work", "disability", "status",
    )  # fmt: skip
    repeat = question("anggota", kind="repeat", items=[member_question(f) for f in asked])
    repeat["kind"] = "repeat"
    return small_form(items=[*small_form()["items"], repeat])


def row(**values):
    return {f"/anggota/{name}": value for name, value in values.items()}


@pytest.fixture
def form_version(db):
    return keep_form(member_form(), actor=None)


@pytest.fixture
def visit(make_visit):
    return make_visit()


@pytest.fixture
def tukiman(visit):
    return visit.household.members.get()


@pytest.mark.parametrize("by", ["id", "nik", "name"])
def test_a_row_is_matched_by_key_then_nik_then_name_with_birth_date(visit, tukiman, send, by):
    said = {
        "id": row(id=str(tukiman.pk), work="trade"),
        "nik": row(nik=tukiman.nik, name="Lain Sama Sekali", work="trade"),
        "name": row(name="tukiman.", birth_date="1985-03-12", work="trade"),
    }[by]
    sent = send(visit, {"/anggota": [said]}).submission
    found = compare_members([sent], visit.household)
    assert [member.person for member in found.known] == [tukiman]
    assert not found.strangers


@pytest.mark.parametrize(
    "said",
    [
        row(name="Tukiman", work="trade"),
        row(name="Tukiman", birth_date="1985-03-13"),
        row(name="Tukimin", birth_date="1985-03-12"),
        row(id="999999", work="trade"),
    ],
)
def test_what_is_not_certain_is_asked_and_never_guessed(visit, send, said):
    sent = send(visit, {"/anggota": [said]}).submission
    found = compare_members([sent], visit.household)
    assert (len(found.known), len(found.strangers)) == (0, 1)
    assert found.strangers[0].lacks
    with pytest.raises(ValidationError):
        deciding.accept(sent, actor=None)
    with pytest.raises(ValidationError):
        deciding.settle(sent, {found.strangers[0].key: ADD}, actor=None)
    deciding.settle(sent, {found.strangers[0].key: KEEP}, actor=None)
    assert Person.objects.count() == 1


def test_a_person_says_whom_a_row_is_about_and_then_decides_value_by_value(
    visit, tukiman, send, client_for, make_household
):
    said = row(name="Tukimin", birth_date="1985-03-12", work="trade")
    sent = send(visit, {"/anggota": [said]}).submission
    client = client_for(Role.SECRETARIAT)
    path, name = reverse("fieldwork:match_member", args=[sent.pk]), f"orang-baru-{sent.pk}-1"
    stranger = make_household("33.02.01.2002").members.get()
    for wrong in ({name: stranger.pk, "baris": "1"}, {name: tukiman.pk, "baris": "7"}, {name: "x"}):
        client.post(path, wrong)
        sent.refresh_from_db()
        assert sent.matches == {}
    client.post(path, {name: tukiman.pk, "baris": "1"})
    sent.refresh_from_db()
    [member] = compare_members([sent], visit.household).known
    assert [one.name for one in member.rows if one.is_disputed] == ["member.name"]
    page = client.get(reverse("fieldwork:submission", args=[sent.pk])).content.decode()
    assert "Batalkan pencocokan" in page
    client.post(path, {"baris": "1"})
    sent.refresh_from_db()
    assert sent.matches == {}
    deciding.match_by_hand(sent, 1, tukiman, actor=client.user)
    deciding.settle(sent, {f"{tukiman.pk}.member.name": str(sent.pk)}, actor=client.user)
    tukiman.refresh_from_db()
    assert (tukiman.name, tukiman.work) == ("TUKIMIN", "trade")
    with pytest.raises(ValidationError):
        deciding.match_by_hand(sent, 1, None, actor=client.user)


def test_two_rows_about_one_person_are_asked_about(visit, tukiman, send):
    twice = [row(id=str(tukiman.pk), work="trade"), row(nik=tukiman.nik, work="labour")]
    sent = send(visit, {"/anggota": twice}).submission
    assert len(compare_members([sent], visit.household).strangers) == 2


def test_plain_values_are_applied_with_their_origin_and_history(visit, tukiman, send, make_user):
    sent = send(visit, {"/anggota": [row(id=str(tukiman.pk), work="trade")]}).submission
    deciding.accept(sent, actor=make_user(Role.SECRETARIAT))
    tukiman.refresh_from_db()
    assert tukiman.work == "trade"
    origin = Origin.objects.get(pk=tukiman.origin_id_of("work"))
    assert origin.channel == "field"
    assert str(sent) in origin.note
    assert ValueChange.objects.get(kind="p", field="work").new == "trade"
    decision = FieldDecision.objects.get(field="member.work")
    assert (decision.person, decision.new) == (tukiman, "trade")


def test_who_somebody_is_changes_only_by_choice(visit, tukiman, send):
    said = row(id=str(tukiman.pk), nik=NEW_NIK, name="Tukimin", status="died", work="trade")
    sent = send(visit, {"/anggota": [said]}).submission
    assert sent.state == "waiting"
    with pytest.raises(ValidationError):
        deciding.accept(sent, actor=None)
    own, mine = f"{tukiman.pk}.", str(sent.pk)
    chosen = {f"{own}member.nik": KEEP, f"{own}member.name": mine}
    with pytest.raises(ValidationError) as caught:
        deciding.settle(sent, chosen, actor=None)
    assert set(caught.value.message_dict) == {f"pilih-{own}member.status"}
    before = tukiman.nik
    deciding.settle(sent, {**chosen, f"{own}member.status": mine}, actor=None)
    tukiman.refresh_from_db()
    assert (tukiman.nik, tukiman.name, tukiman.status) == (before, "TUKIMIN", "died")
    assert tukiman.work == "trade"
    visit.household.refresh_from_db()
    assert visit.household.member_count == 0
    assert "•" in FieldDecision.objects.get(field="member.nik").new


def test_a_change_since_the_download_is_a_conflict(visit, tukiman, send):
    seen = {"values": {}, "members": {str(tukiman.pk): {"member.work": "", "member.nik": "x"}}}
    registry.edit_person(tukiman, {"work": "labour"}, as_of=dt.date(2026, 2, 1), actor=None)
    said = {"/anggota": [row(id=str(tukiman.pk), work="trade")]}
    sent = send(visit, said, seen=seen).submission
    assert (sent.state, sent.conflict) == ("conflict", "changed")
    deciding.settle(sent, {f"{tukiman.pk}.member.work": KEEP}, actor=None)
    tukiman.refresh_from_db()
    assert tukiman.work == "labour"


def test_two_officers_differ_about_a_member(visit, tukiman, send):
    one, other = (
        send(visit, {"/anggota": [row(id=str(tukiman.pk), work=work)]}).submission
        for work in ("trade", "labour")
    )
    deciding.settle(one, {f"{tukiman.pk}.member.work": str(other.pk)}, actor=None)
    tukiman.refresh_from_db()
    one.refresh_from_db()
    other.refresh_from_db()
    assert (tukiman.work, one.state, other.state) == ("labour", "rejected", "applied")


def test_a_new_member_is_added_once_somebody_says_so(visit, send, client_for):
    said = row(nik=NEW_NIK, name="Sari", sex="F", birth_date="2015-03-15", relation="child")
    sent = send(visit, {"/anggota": [said]}).submission
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("fieldwork:submission", args=[sent.pk])).content.decode()
    assert "anggota baru?" in page
    assert NEW_NIK not in page
    path, key = reverse("fieldwork:settle", args=[sent.pk]), f"pilih-baru-{sent.pk}-1"
    missing = client.post(path, {})
    assert missing.status_code == 422
    assert "Pilih apakah SARI anggota baru" in missing.content.decode()
    client.post(path, {key: ADD})
    person = Person.objects.get(nik=NEW_NIK)
    assert (person.household, person.name, person.origin.channel) == (
        visit.household, "SARI", "field",
    )  # fmt: skip
    after = client.get(reverse("fieldwork:submission", args=[sent.pk])).content.decode()
    assert "SARI" in after
    assert NEW_NIK not in after


NEWBORN = {"name": "Sari", "sex": "F", "birth_date": "2026-10-01", "relation": "child"}


def test_a_child_without_a_nik_is_added_by_choice_and_known_again(visit, send, client_for):
    first = send(visit, {"/anggota": [row(**NEWBORN)]}).submission
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("fieldwork:submission", args=[first.pk])).content.decode()
    assert "anggota baru?" in page
    assert "Belum punya NIK" in page
    client.post(reverse("fieldwork:settle", args=[first.pk]), {f"pilih-baru-{first.pk}-1": ADD})
    child = Person.objects.get(nik="")
    assert (child.household, child.name, child.relation, child.origin.channel) == (
        visit.household, "SARI", "child", "field",
    )  # fmt: skip
    # Sent once more it is about the child that is there now, and so is what brings the NIK.
    again = send(visit, {"/anggota": [row(**{**NEWBORN, "name": "sari."})]}).submission
    assert not compare_members([again], visit.household).strangers
    deciding.reject(again, actor=client.user, reason="Terkirim dua kali")
    later = send(visit, {"/anggota": [row(**NEWBORN, nik=NEW_NIK)]}).submission
    [member] = compare_members([later], visit.household).known
    assert [one.name for one in member.rows if one.is_disputed] == ["member.nik"]
    deciding.settle(later, {f"{child.pk}.member.nik": str(later.pk)}, actor=client.user)
    child.refresh_from_db()
    assert child.nik == NEW_NIK
    assert visit.household.members.count() == 2


def test_two_submissions_about_one_new_child_add_it_once(visit, send):
    sent = [send(visit, {"/anggota": [row(**NEWBORN)]}).submission for _number in range(2)]
    found = compare_members(sent, visit.household)
    assert len(found.strangers) == 2
    deciding.settle(sent[1], {one.key: ADD for one in found.strangers}, actor=None)
    assert visit.household.members.filter(nik="").count() == 1
    assert set(Submission.objects.values_list("state", flat=True)) == {"applied"}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"birth_date": "1990-10-01"}, "17 tahun"),
        ({"birth_date": ""}, "tanggal lahir"),
        ({"relation": "head"}, "Kepala keluarga"),
        ({"nik": "123"}, "tidak bisa dipakai"),
    ],
)
def test_who_needs_a_nik_is_not_added_without_and_it_is_said_why(visit, send, values, why):
    sent = send(visit, {"/anggota": [row(**{**NEWBORN, **values})]}).submission
    [stranger] = compare_members([sent], visit.household).strangers
    assert why in stranger.lacks
    with pytest.raises(ValidationError):
        deciding.settle(sent, {stranger.key: ADD}, actor=None)
    assert Person.objects.count() == 1


def test_a_nik_of_another_household_is_never_added_twice(visit, make_household, send):
    other = make_household("33.02.01.2002").members.get()
    said = row(nik=other.nik, name="Sari", relation="child")
    sent = send(visit, {"/anggota": [said]}).submission
    stranger = compare_members([sent], visit.household).strangers[0]
    assert "keluarga lain" in stranger.lacks


def test_restricted_people_are_neither_shown_nor_changed(visit, tukiman, send, client_for):
    person = registry.add_person(
        visit.household,
        {"nik": NEW_NIK, "name": "Sari", "relation": "child", "birth_date": dt.date(2015, 3, 15)},
        as_of=dt.date(2026, 1, 5),
        actor=None,
    )
    restriction.place(person, reason="Atas permintaannya", actor=None)
    said = [row(id=str(person.pk), work="trade", name="Sari Baru")]
    sent = send(visit, {"/anggota": said}).submission
    found = compare_members([sent], visit.household)
    assert (found.known[0].is_restricted, found.known[0].rows) == (True, ())
    page = client_for(Role.SECRETARIAT).get(reverse("fieldwork:submission", args=[sent.pk]))
    assert "sedang dibatasi" in page.content.decode()
    deciding.accept(sent, actor=None)
    person.refresh_from_db()
    assert (person.work, person.name) == ("", "SARI")


def test_the_page_reads_few_queries_however_many_members(
    visit, tukiman, send, client_for, django_assert_max_num_queries
):
    for number in range(6):
        registry.add_person(
            visit.household,
            {"nik": f"33020155031500{number + 10}", "name": f"Sari {number}", "relation": "child"},
            as_of=dt.date(2026, 1, 5),
            actor=None,
        )
    rows = [row(id=str(p.pk), work="trade") for p in visit.household.members.all()]
    sent = send(visit, {"/anggota": rows}).submission
    client = client_for(Role.SECRETARIAT)
    path = reverse("fieldwork:submission", args=[sent.pk])
    client.get(path)
    with django_assert_max_num_queries(20):
        client.get(path)


@pytest.mark.parametrize(
    ("name", "answer", "value"),
    [("member.nik", "330201••••••••01", ""), ("member.nik", "3302 0155 0315 0009", NEW_NIK),
     ("member.name", " siti  aminah ", "SITI AMINAH"), ("member.birth_date", "2015-03-15", "2015-03-15"),
     ("member.work", "trade", "trade"), ("member.work", "", "")],
)  # fmt: skip
def test_answers_become_values_of_a_person(db, name, answer, value):
    assert member_fields.FIELDS[name].read(answer) == value


@pytest.mark.parametrize(
    ("name", "answer"),
    [("member.nik", "123"), ("member.birth_date", "kemarin"), ("member.birth_date", "2999-01-01"),
     ("member.work", "raja")],
)  # fmt: skip
def test_answers_that_no_person_can_have_are_told(db, name, answer):
    from guyub.fieldwork.household_fields import UnusableAnswerError

    with pytest.raises(UnusableAnswerError):
        member_fields.FIELDS[name].read(answer)


def test_questions_about_members_stand_in_a_repeat_that_asks_who(db):
    fine = Definition.from_json(member_form("name", "work"))
    nobody = Definition.from_json(member_form("work", "sex"))
    outside = Definition.from_json(small_form(items=[member_question("work")]))
    assert list(placing.misplaced(fine)) == []
    assert [path for path, _why in placing.misplaced(nobody)] == ["/anggota/work"]
    assert [path for path, _why in placing.misplaced(outside)] == ["/anggota/work"]


def test_a_phone_carries_what_is_known_of_members_with_masked_numbers(
    visit, tukiman, client_for, django_assert_max_num_queries
):
    held_back = registry.add_person(
        visit.household,
        {"nik": NEW_NIK, "name": "Sari", "relation": "child"},
        as_of=dt.date(2026, 1, 5),
        actor=None,
    )
    restriction.place(held_back, reason="Atas permintaannya", actor=None)
    client = client_for(Role.AREA_OPERATOR)
    client.get(reverse("fieldwork:data"))
    with django_assert_max_num_queries(15):
        answer = client.get(reverse("fieldwork:data"))
    [member] = answer.json()["visits"][0]["seen"]["members"]
    assert member["id"] == str(tukiman.pk)
    assert member["values"]["member.nik"] == tukiman.masked_nik
    assert member["values"]["member.birth_date"] == "1985-03-12"
    assert "member.schooling" not in member["values"]
    assert tukiman.nik not in answer.content.decode()
    assert "Sari" not in answer.content.decode()


def test_what_the_phone_knew_of_members_comes_back_with_the_answers(visit, tukiman, client_for):
    client = client_for(Role.AREA_OPERATOR)
    seen = client.get(reverse("fieldwork:data")).json()["visits"][0]["seen"]
    registry.edit_person(tukiman, {"work": "labour"}, as_of=dt.date(2026, 2, 1), actor=None)
    answers = {"/anggota": [row(id=str(tukiman.pk), work="trade")]}
    assert post(client, payload(visit, seen=seen, answers=answers)).status_code == 201
    sent = Submission.objects.get()
    assert sent.seen["members"][str(tukiman.pk)]["member.work"] == ""
    assert sent.conflict == "changed"


@pytest.mark.browser
def test_members_from_the_phone_to_the_registry(make_household, phone, browse):  # noqa: F811
    home = make_household()
    tukiman = home.members.get()
    record = services.create_round(keep_built_in_form(), {"title": "Verifikasi"}, actor=None)
    services.add_households(record, Household.objects.filter(pk=home.pk), actor=None)
    services.open_round(record, actor=None)
    page = phone()
    page.locator(".visits a").first.click()
    page.get_by_role("button", name="Mulai isi formulir").click()
    page.get_by_label("Ya, masih tinggal di sini").check()
    page.get_by_role("button", name="Berikutnya").click()
    page.get_by_label("Berapa orang yang tinggal").fill("2")
    page.get_by_role("button", name="Berikutnya").click()
    page.locator(".visit-member summary").click()
    assert tukiman.masked_nik in page.locator(".visit-member summary").inner_text()
    assert "Menurut registri: 1985-03-12" in page.content()
    page.get_by_label("Pekerjaan").select_option("trade")
    page.get_by_role("button", name="Tambah Anggota").click()
    fresh = page.locator("fieldset.visit-group").last
    fresh.get_by_label("Nama").fill("Sari")
    fresh.get_by_label("NIK").fill(NEW_NIK)
    fresh.get_by_label("Perempuan").check()
    fresh.get_by_label("Tanggal lahir").fill("2015-03-15")
    fresh.get_by_label("Hubungan dengan kepala keluarga").select_option("child")
    page.screenshot(path=str(SHOTS / "isi.png") if SHOTS else None, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Berikutnya").click()
    page.get_by_label("Tembok").check()
    page.get_by_label("Semen/bata").check()
    for _step in range(3):
        page.get_by_role("button", name="Berikutnya").click()
    page.get_by_role("button", name="Selesai, masukkan antrean").click()
    until(page, "(await self.lapangan.store.all('sent')).length === 1")
    assert not page.problems
    sent = Submission.objects.get()
    path = reverse("fieldwork:submission", args=[sent.pk])
    for name, small in (("kecil", True), ("lebar", False)):
        office = browse(path, Role.SECRETARIAT, phone=small)
        office.screenshot(path=str(SHOTS / f"{name}.png") if SHOTS else None, full_page=True)
        assert office.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert NEW_NIK not in office.content()
    office.get_by_label("Tambahkan sebagai anggota baru").check()
    office.get_by_role("button", name="Putuskan").click()
    office.wait_for_load_state()
    tukiman.refresh_from_db()
    assert tukiman.work == "trade"
    assert Person.objects.get(nik=NEW_NIK).household == home


def test_the_excel_file_of_a_round_counts_what_repeats_hold(visit, send, make_user, tmp_path):
    rows = [row(name="Sari", nik=NEW_NIK), row(name="Budi")]
    send(visit, {"/lantai": "cement", "/anggota": rows})
    path = tmp_path / "putaran.xlsx"
    write_round(path, visit.round, reason="Rapat", actor=make_user(Role.SECRETARIAT))
    head, first = openpyxl.load_workbook(path)["Data"].values
    assert dict(zip(head, first, strict=True))["Jumlah: Anggota"] == 2
    assert "Sari" not in str(first)
