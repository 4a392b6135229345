"""A citizen's rights over their data, from the request to the answer; the register and breaches."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.discussions.models import Notification
from guyub.privacy import queries, reminders, services
from guyub.privacy.models import Activity, Breach, RequestState, Right, SubjectRequest
from guyub.registry import restriction
from guyub.registry import services as registry
from guyub.registry.models import Person

NIK = "3302014507900007"


@pytest.fixture
def secretary(make_user):
    return make_user(Role.SECRETARIAT)


def lodged(nik=NIK, right=Right.ACCESS, **values):
    return services.lodge({"right": right, "name": "Wagiyem", "nik": nik, **values})


def test_a_citizen_lodges_and_follows_by_code(regency):
    citizen = Client()
    given = {"right": "access", "name": "Wagiyem", "nik": "3302 0145 0790 0007", "website": ""}
    page = citizen.post(reverse("privacy:lodge"), given)
    made = SubjectRequest.objects.get()
    assert made.nik == NIK
    assert made.shown_code in page.content.decode()
    assert NIK not in page.content.decode()
    assert made.due_at - made.received_at < dt.timedelta(hours=72, seconds=5)
    page = citizen.post(reverse("privacy:track"), {"code": made.shown_code.lower()})
    assert "menunggu pemeriksaan identitas" in page.content.decode()
    assert "Wagiyem" not in page.content.decode()
    wrong = citizen.post(reverse("privacy:track"), {"code": "AAAAA-AAAAA"})
    assert "Tidak ada yang berkode ini" in wrong.content.decode()


@pytest.mark.parametrize("nik", ["123", "9999014507900007", "3302010099900007"])
def test_a_nik_that_is_none_is_refused_with_its_reason(regency, nik):
    given = {"right": "access", "name": "Wagiyem", "nik": nik}
    page = Client().post(reverse("privacy:lodge"), given)
    assert "Belum terkirim" in page.content.decode()
    assert not SubjectRequest.objects.exists()


def test_a_program_that_fills_in_everything_is_not_taken_in(regency):
    given = {"right": "access", "name": "x", "nik": NIK, "website": "http://x"}
    assert Client().post(reverse("privacy:lodge"), given).status_code == 404
    assert not SubjectRequest.objects.exists()


def test_a_number_in_the_wish_is_masked(regency):
    given = {
        "right": "correct",
        "name": "Wagiyem",
        "nik": NIK,
        "wish": f"NIK saya {NIK}, bukan itu",
    }
    Client().post(reverse("privacy:lodge"), given)
    assert NIK not in SubjectRequest.objects.get().wish


def test_the_copy_holds_all_about_the_person_and_goes_to_who_checked_them(
    make_household, make_user, secretary
):
    home = make_household(name="Tukiman", desil=2)
    person = home.members.get()
    registry.edit_household(home, {"desil": 1}, as_of=timezone.localdate(), actor=secretary)
    registry.reveal(home, reason="Memadankan dengan KTP", actor=secretary)
    made = lodged(person.nik)
    with pytest.raises(ValidationError):
        services.make_copy(made, actor=secretary)
    made = services.verify(made, identity="KTP asli dicocokkan", actor=secretary)
    assert made.person == person
    with pytest.raises(ValidationError):
        services.make_copy(made, actor=make_user(Role.SECRETARIAT))
    copy = json.loads(json.dumps(services.make_copy(made, actor=secretary)))
    assert copy["data_diri"]["nik"]["nilai"] == person.nik
    assert copy["data_keluarga"]["desil"]["nilai"] == 1
    assert copy["data_keluarga"]["desil"]["asal"]
    assert ("desil", "2", "1") in {
        (row["data"], row["semula"], row["menjadi"]) for row in copy["riwayat_perubahan"]
    }
    assert [row["alasan"] for row in copy["siapa_melihat"]] == ["Memadankan dengan KTP"]
    assert copy["pemrosesan"]
    assert Event.objects.filter(action="privacy.request.copy").count() == 1


def test_whoever_is_unknown_gets_a_copy_that_says_so(regency, secretary):
    made = services.lodge(
        {"right": Right.ACCESS, "name": "Wagiyem", "nik": NIK}, identity="KTP asli", actor=secretary
    )
    assert (made.state, made.at_desk, made.person) == (RequestState.VERIFIED, True, None)
    assert services.make_copy(made, actor=secretary)["data_diri"] is None


def test_the_order_of_steps_holds(regency, secretary):
    made = lodged(right=Right.ERASE)
    with pytest.raises(ValidationError):
        services.close(made, answer="Sudah.", granted=True, actor=secretary)
    with pytest.raises(ValidationError):
        services.verify(made, identity=" ", actor=secretary)
    services.verify(made, identity="KTP asli", actor=secretary)
    closed = services.close(
        made, answer="Wajib disimpan (Pasal 15).", granted=False, actor=secretary
    )
    assert closed.state == RequestState.REFUSED
    with pytest.raises(ValidationError):
        services.close(made, answer="Lagi", granted=True, actor=secretary)
    page = Client().post(reverse("privacy:track"), {"code": made.code})
    assert "Wajib disimpan" in page.content.decode()


def test_the_most_urgent_stands_first_and_the_late_are_marked(regency, client_for):
    late = lodged()
    SubjectRequest.objects.filter(pk=late.pk).update(due_at=timezone.now() - dt.timedelta(hours=1))
    lodged(right=Right.CORRECT)
    assert queries.requests().first() == late
    page = client_for(Role.SECRETARIAT).get(reverse("privacy:requests")).content.decode()
    assert page.count("lewat 3 x 24 jam") == 1


def test_the_list_does_not_grow_in_queries(regency, client_for, django_assert_max_num_queries):
    for _number in range(30):
        lodged()
    secretary = client_for(Role.SECRETARIAT)
    with django_assert_max_num_queries(8):
        secretary.get(reverse("privacy:requests"))


def test_the_desk_answers_through_pages(make_household, client_for):
    person = make_household().members.get()
    secretary = client_for(Role.SECRETARIAT)
    given = {"right": "access", "name": "Tukiman", "nik": person.nik, "identity": "KTP asli"}
    made = secretary.post(reverse("privacy:desk"), given, follow=True).context["record"]
    file = secretary.post(reverse("privacy:copy", args=[made.pk]))
    assert file["Content-Disposition"].startswith("attachment")
    assert json.loads(file.content)["data_diri"]["nik"]["nilai"] == person.nik
    secretary.post(
        reverse("privacy:close", args=[made.pk]), {"granted": "1", "answer": "Diserahkan."}
    )
    made.refresh_from_db()
    assert made.state == RequestState.ANSWERED
    bad = secretary.post(reverse("privacy:close", args=[made.pk]), {"granted": "1", "answer": ""})
    assert bad.status_code == 422


def test_the_notice_tells_what_the_register_says_and_whom_to_turn_to(regency, client_for):
    secretary = client_for(Role.SECRETARIAT)
    secretary.post(
        reverse("privacy:contact"), {"officer": "Ratri Wulandari", "email": "ppdp@contoh.test"}
    )
    first = Activity.objects.first()
    page = Client().get(reverse("privacy:notice")).content.decode()
    assert "Ratri Wulandari" in page
    assert first.name in page
    assert first.legal_basis[:20] in page


def test_a_breach_runs_a_clock_until_both_were_told(regency, client_for):
    secretary = client_for(Role.SECRETARIAT)
    found = timezone.localtime() - dt.timedelta(hours=80)
    given = {
        "title": "Laptop hilang", "found_at": f"{found:%Y-%m-%dT%H:%M}", "data": "NIK", "how": "Dicuri",
        "handling": "Akun ditutup", "authority_told_at": f"{found + dt.timedelta(hours=5):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    secretary.post(reverse("privacy:new_breach"), given)
    breach = Breach.objects.get()
    assert (breach.is_told, breach.is_late) == (False, True)
    assert "terlambat" in secretary.get(reverse("privacy:register")).content.decode()
    given["subjects_told_at"] = f"{found + dt.timedelta(hours=6):%Y-%m-%dT%H:%M}"
    secretary.post(reverse("privacy:breach", args=[breach.pk]), given)
    breach.refresh_from_db()
    assert (breach.is_told, breach.is_late) == (True, False)
    given["subjects_told_at"] = f"{found - dt.timedelta(hours=6):%Y-%m-%dT%H:%M}"
    assert secretary.post(reverse("privacy:breach", args=[breach.pk]), given).status_code == 422


# What granting a request does


def checked(person, right, secretary, **values):
    made = lodged(person.nik, right=right, **values)
    return services.verify(made, identity="KTP asli", actor=secretary)


def test_a_granted_restriction_holds_until_it_is_lifted(make_household, client_for):
    client = client_for(Role.SECRETARIAT)
    person = make_household().members.get()
    made = checked(person, Right.RESTRICT, client.user)
    address = reverse("privacy:close", args=[made.pk])
    client.post(address, {"granted": "1", "answer": "Dibatasi.", "whole": "0"})
    made.refresh_from_db()
    assert (made.state, made.restriction.person) == (RequestState.ANSWERED, person)
    assert restriction.is_restricted(person)
    page = client.get(reverse("registry:household", args=[person.household_id])).content.decode()
    assert "Pemrosesan dibatasi" in page
    assert f"no. {made.pk}" in page
    lift = reverse("privacy:lift", args=[made.pk])
    assert client.post(lift, {"reason": " "}).status_code == 422
    client.post(lift, {"reason": "Pemohon mencabutnya"})
    assert not restriction.is_restricted(person)
    assert (
        "Pemohon mencabutnya"
        in client.get(reverse("privacy:request", args=[made.pk])).content.decode()
    )
    assert client.post(lift, {"reason": "Lagi"}).status_code == 422


def test_a_restriction_can_hold_the_whole_household(make_household, secretary):
    home = make_household()
    made = checked(home.members.get(), Right.RESTRICT, secretary)
    services.close(made, answer="Ya", granted=True, actor=secretary, whole_household=True)
    assert restriction.household_ids() == [home.pk]
    unknown = checked(Person(nik="3302014507900077"), Right.RESTRICT, secretary)
    with pytest.raises(ValidationError):
        services.close(unknown, answer="Ya", granted=True, actor=secretary)


def test_a_correction_is_granted_once_the_registry_says_so(make_household, client_for):
    client = client_for(Role.SECRETARIAT)
    person = make_household().members.get()
    made = checked(person, Right.CORRECT, client.user)
    detail = reverse("privacy:request", args=[made.pk])
    assert reverse("registry:edit_person", args=[person.pk]) in client.get(detail).content.decode()
    close = reverse("privacy:close", args=[made.pk])
    given = {"granted": "1", "answer": "Sudah diperbaiki."}
    assert client.post(close, given).status_code == 422
    registry.edit_person(person, {"name": "Tukimin"}, as_of=timezone.localdate(), actor=client.user)
    client.post(close, given)
    made.refresh_from_db()
    assert made.state == RequestState.ANSWERED
    assert made.corrected_at > made.received_at
    assert "nama" in client.get(detail).content.decode()


# Reminders


def test_clocks_are_reminded_of_before_and_after(regency, secretary, make_user):
    make_user(Role.AGENCY_OPERATOR)
    made = lodged()
    breach = Breach.objects.create(
        title="Laptop hilang", found_at=made.received_at, data="-", how="-", handling="-",
        reported_by=secretary,
    )  # fmt: skip
    start = made.received_at
    told = [reminders.remind(start + dt.timedelta(hours=n)) for n in (24, 48, 49, 73, 97)]
    assert told == [0, 2, 0, 2, 0]
    news = Notification.objects.filter(user=secretary).order_by("url")
    assert Notification.objects.count() == news.count() == 2
    assert all(one.text.startswith("Lewat batas 3 x 24 jam") for one in news)
    assert {one.url for one in news} == {
        reverse("privacy:request", args=[made.pk]), reverse("privacy:breach", args=[breach.pk])
    }  # fmt: skip
    # What is done runs no clock.
    other = lodged()
    services.close(other, answer="Tidak bisa.", granted=False, actor=secretary)
    assert reminders.remind(start + dt.timedelta(hours=99)) == 0


def test_the_paper_copy_says_what_the_file_says(make_household, client_for):
    client = client_for(Role.SECRETARIAT)
    home = make_household(name="Tukiman", desil=2, floor="earth", expenditure=450000)
    person = home.members.get()
    registry.edit_household(home, {"desil": 1}, as_of=timezone.localdate(), actor=client.user)
    registry.reveal(home, reason="Memadankan dengan KTP", actor=client.user)
    made = checked(person, Right.ACCESS, client.user)
    answer = client.post(reverse("privacy:copy", args=[made.pk]), {"format": "pdf"})
    assert answer["Content-Type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    for said in (
        person.nik, "TUKIMAN", "Laki-laki", "12 Mar 1985", "Tanah", "Rp 450.000", home.kk,
        "Memadankan dengan KTP", "Registri warga miskin", "Pasal 7",
    ):  # fmt: skip
        assert said in text, said
    unknown = lodged("3302014507900078")
    services.verify(unknown, identity="KTP asli", actor=client.user)
    answer = client.post(reverse("privacy:copy", args=[unknown.pk]), {"format": "pdf"})
    assert "tidak menyimpan data" in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
