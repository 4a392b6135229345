"""The office's pages: rounds, what came in, deciding, and taking a round out."""

from __future__ import annotations

import io

import openpyxl
import pytest
from django.urls import reverse

from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.beneficiaries import services as beneficiaries
from guyub.fieldwork import deciding, services
from guyub.fieldwork.models import Round, Submission
from guyub.fieldwork.tests.test_phone import payload, post
from guyub.fieldwork.verification import definition, keep_built_in_form
from guyub.registry import restriction


def test_a_round_from_preparing_to_closing(client_for, make_household, form_version):
    for desil in (1, 2, 7):
        make_household(desil=desil)
    held_back = make_household(desil=1)
    restriction.place(held_back, reason="Atas permintaannya", actor=None)
    client = client_for(Role.AGENCY_OPERATOR)
    client.post(
        reverse("fieldwork:create"),
        {"title": "Verifikasi", "purpose": "verify", "form_version": form_version.pk},
    )
    record = Round.objects.get()
    assert record.agency == client.user.agency
    client.post(reverse("fieldwork:open", args=[record.pk]))
    record.refresh_from_db()
    assert record.state == "draft"  # nobody to visit yet
    village = Area.objects.get(code="33.02.01.2001")
    client.post(
        reverse("fieldwork:add_households", args=[record.pk]),
        {"village": village.pk, "desil": ["1", "2"]},
    )
    assert record.visits.count() == 2
    client.post(reverse("fieldwork:open", args=[record.pk]))
    client.post(reverse("fieldwork:close", args=[record.pk]))
    record.refresh_from_db()
    assert (record.state, record.closed_at is not None) == ("closed", True)


def test_the_round_page_reads_few_queries_however_much_came_in(
    make_visit, send, client_for, django_assert_max_num_queries
):
    visits = [make_visit() for _number in range(4)]
    for visit in visits[:3]:
        send(visit, {"/lantai": "cement"})
    client = client_for(Role.SECRETARIAT)
    path = reverse("fieldwork:round", args=[visits[0].round_id])
    client.get(path)
    with django_assert_max_num_queries(24):
        page = client.get(path).content.decode()
    assert "75 %" in page


def test_agencies_see_only_their_own_rounds(make_visit, client_for, make_agency, send):
    visit = make_visit(agency=make_agency("dinkes"))
    sent = send(visit, {"/lantai": "cement"}).submission
    client = client_for(Role.AGENCY_OPERATOR)
    assert "Verifikasi" not in client.get(reverse("fieldwork:rounds")).content.decode()
    assert client.get(reverse("fieldwork:submission", args=[sent.pk])).status_code == 403
    own = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    assert own.get(reverse("fieldwork:submission", args=[sent.pk])).status_code == 200


def test_a_conflict_is_settled_on_its_page(make_visit, send, client_for):
    visit = make_visit()
    one = send(visit, {"/lantai": "cement"}).submission
    send(visit, {"/lantai": "ceramic"})
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("fieldwork:submission", args=[one.pk])).content.decode()
    assert "Ada 2 kiriman untuk kunjungan ini" in page
    path = reverse("fieldwork:settle", args=[one.pk])
    missing = client.post(path, {})
    assert missing.status_code == 422
    assert "Pilih isian mana yang dipakai untuk lantai" in missing.content.decode()
    client.post(path, {"pilih-household.floor": str(one.pk), "note": "Ada fotonya."})
    visit.household.refresh_from_db()
    assert visit.household.floor == "cement"
    settled = client.get(reverse("fieldwork:submission", args=[one.pk])).content.decode()
    assert "Semen/bata" in settled
    assert "Ada fotonya." in settled
    # The household's page says where the value came from.
    home = client.get(reverse("registry:household", args=[visit.household_id])).content.decode()
    assert "Kunjungan lapangan" in home
    assert str(one) in home


def test_numbers_are_masked_until_somebody_says_why(make_visit, send, client_for):
    sent = send(make_visit(), {"/catatan": "NIK 3302011203850001"}).submission
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("fieldwork:submission", args=[sent.pk])).content.decode()
    assert "3302011203850001" not in page
    path = reverse("fieldwork:reveal", args=[sent.pk])
    assert "3302011203850001" not in client.post(path, {"note": "x"}).content.decode()
    shown = client.post(path, {"note": "Mencocokkan dengan KTP"}).content.decode()
    assert "3302011203850001" in shown
    assert (
        Event.objects.get(action="fieldwork.submission.reveal").reason == "Mencocokkan dengan KTP"
    )


def test_a_round_is_taken_out_with_its_reason_and_without_numbers(make_visit, send, client_for):
    visit = make_visit()
    send(visit, {"/lantai": "cement", "/catatan": "=1+1 NIK 3302011203850001"})
    client = client_for(Role.SECRETARIAT)
    path = reverse("fieldwork:export", args=[visit.round_id])
    assert client.post(path, {"note": ""}).status_code == 422
    answer = client.post(path, {"note": "Bahan rapat verifikasi"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    rows = list(book["Data"].values)
    assert rows[0][8:] == ("Lantai", "Dinding", "Foto", "Catatan")
    assert rows[1][2] == "TUKIMAN"
    assert rows[1][8] == "Semen"
    assert "3302011203850001" not in str(rows)
    event = Event.objects.get(action="fieldwork.round.export")
    assert (event.reason, event.detail["rows"]) == ("Bahan rapat verifikasi", 1)


def test_the_finding_about_a_candidate_verifies_the_enrolment(
    make_household, make_sub_activity, client_for, make_user
):
    home, sub_activity = make_household(), make_sub_activity()
    enrolment = beneficiaries.enrol(sub_activity, household=home, person=None, actor=None)
    record = services.create_round(
        keep_built_in_form(),
        {"title": "Calon", "purpose": "candidates", "sub_activity": sub_activity},
        actor=None,
    )
    client = client_for(Role.SECRETARIAT)
    client.post(reverse("fieldwork:add_households", args=[record.pk]), {"village": home.village_id})
    services.open_round(record, actor=None)
    visit = record.visits.get()
    assert visit.enrolment == enrolment
    officer = client_for(Role.AREA_OPERATOR)
    answers = {"/kunjungan/masih_tinggal": "active", "/simpulan/layak": "tidak",
               "/simpulan/alasan_tidak_layak": "Sudah punya rumah tembok dan mobil."}  # fmt: skip
    sent = post(officer, payload(visit, answers=answers))
    assert sent.status_code == 201, sent.content
    deciding.accept(Submission.objects.get(), actor=make_user(Role.SECRETARIAT))
    enrolment.refresh_from_db()
    assert enrolment.stage == "rejected"
    assert enrolment.reason.startswith("Sudah punya rumah")


def test_the_built_in_form_can_be_answered_and_says_what_is_wrong(db):
    from guyub.fieldwork.checking import check_answers
    from guyub.fieldwork.definition import Definition

    form = Definition.from_json(definition())
    assert Definition.from_json(form.as_json()) == form
    moved = {"/kunjungan/masih_tinggal": "moved", "/kunjungan/pindah_ke": "Cilacap"}
    assert check_answers(form, moved) == []
    here = {
        "/kunjungan/masih_tinggal": "active", "/keluarga/jumlah_anggota": 4,
        "/keluarga/balita": 5, "/rumah/lantai": "cement", "/rumah/dinding": "brick",
    }  # fmt: skip
    assert [problem.path for problem in check_answers(form, here)] == ["/keluarga/balita"]
    assert form.by_path["/rumah/lantai"].label["en"]


def test_every_registry_field_that_the_built_in_form_asks_is_known(db):
    from guyub.fieldwork import household_fields, member_fields
    from guyub.fieldwork.answers import questions

    asked = {q["field"] for q in questions(definition()) if q["field"]}
    assert asked <= {*household_fields.KNOWN, *member_fields.KNOWN}
    assert len(asked) >= 13


@pytest.mark.parametrize(
    ("name", "answer", "value"),
    [("household.floor", "cement", "cement"), ("household.expenditure", 450000, "450000"),
     ("household.assets", ["gold", "car"], "car,gold"), ("household.assets", "gold car", "car,gold"),
     ("household.location", "-7.42 109.23 0 5", "-7.420000,109.230000"), ("household.rt", "", "")],
)  # fmt: skip
def test_answers_become_values_of_the_registry(name, answer, value):
    from guyub.fieldwork import household_fields

    assert household_fields.FIELDS[name].read(answer) == value


@pytest.mark.parametrize(
    ("name", "answer"),
    [("household.floor", "emas"), ("household.expenditure", "banyak"),
     ("household.expenditure", -1), ("household.assets", ["kuda"]), ("household.location", "7"),
     ("household.location", "95 109"), ("household.rt", "0001")],
)  # fmt: skip
def test_answers_that_the_registry_can_not_hold_are_told(name, answer):
    from guyub.fieldwork import household_fields

    with pytest.raises(household_fields.UnusableAnswerError):
        household_fields.FIELDS[name].read(answer)


def test_places_are_one_when_they_are_about_as_near_as_phones_measure():
    from guyub.fieldwork.household_fields import same

    place = "household.location"
    assert same(place, "-7.420000,109.230000", "-7.420900,109.230000")
    assert not same(place, "-7.420000,109.230000", "-7.424000,109.230000")
    assert not same(place, "", "-7.424000,109.230000")


def test_visits_are_assigned_cancelled_and_added(make_visit, client_for, make_user):
    mine, other = make_visit(), make_visit("33.02.01.2002")
    officer, client = make_user(Role.AREA_OPERATOR), client_for(Role.SECRETARIAT)
    record = mine.round
    client.post(
        reverse("fieldwork:assign", args=[record.pk]),
        {"village": "33.02.01.2001", "assignee": officer.pk},
    )
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.assignee, other.assignee) == (officer, None)
    client.post(reverse("fieldwork:cancel_visit", args=[other.pk]))
    other.refresh_from_db()
    assert other.state == "cancelled"
    path = reverse("fieldwork:add_address", args=[record.pk])
    village = mine.village_id
    assert client.post(path, {"village": village}).status_code == 422
    client.post(path, {"village": village, "name": "Sumirah", "rt": "001"})
    page = client.get(reverse("fieldwork:visits", args=[record.pk])).content.decode()
    assert "Sumirah" in page
    assert officer.full_name in page


def test_the_finding_about_a_proposal_verifies_it(make_household, make_user, client_for, regency):
    from guyub.proposals import services as proposals
    from guyub.proposals.models import Proposal

    home, secretary = make_household(), make_user(Role.SECRETARIAT)
    proposal = proposals.submit(
        village=home.village, kind="object", household=home, actor=secretary,
        values={"reason_kind": "well_off", "reason": "Sudah punya usaha tetap sejak tahun lalu."},
    )  # fmt: skip
    Proposal.objects.update(state="deliberated")
    record = services.create_round(
        keep_built_in_form(), {"title": "Usulan", "purpose": "proposals"}, actor=secretary
    )
    client = client_for(Role.SECRETARIAT)
    path = reverse("fieldwork:add_households", args=[record.pk])
    for _number in range(2):
        client.post(path, {"village": home.village_id})
    services.open_round(record, actor=secretary)
    visit = record.visits.get()
    assert visit.proposal == proposal
    answers = {"/kunjungan/masih_tinggal": "active", "/simpulan/layak": "ya"}
    post(client_for(Role.AREA_OPERATOR), payload(visit, answers=answers))
    deciding.accept(Submission.objects.get(), actor=secretary)
    proposal.refresh_from_db()
    assert proposal.state == "verified"
    # Fit for help, so the objection does not hold.
    assert proposal.steps.latest("pk").outcome == "rejected"
