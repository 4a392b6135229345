"""One enrolment through its stages: which steps there are, and what each wants."""

import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.beneficiaries import queries, services
from guyub.beneficiaries.models import ChangeKind, Stage
from guyub.beneficiaries.services import (
    BeneficiariesError,
    QuotaError,
    RepeatedDeliveryError,
)
from guyub.programs.vocabulary import Recipient
from guyub.registry.vocabulary import Status

from .conftest import TODAY

pytestmark = pytest.mark.django_db
WHY = "Rumah sudah layak huni"


def trace(enrolment):
    return list(enrolment.steps.order_by("id").values_list("from_stage", "to_stage"))


def test_the_whole_way_is_kept_and_audited(make_enrolment):
    enrolment = make_enrolment("graduated")
    assert trace(enrolment) == [
        ("", "candidate"),
        ("candidate", "verified"),
        ("verified", "enrolled"),
        ("enrolled", "delivered"),
        ("delivered", "graduated"),
    ]
    assert enrolment.reason == "Sesuai hasil pemeriksaan"
    actions = Event.objects.filter(action__startswith="beneficiaries.").values_list(
        "action", flat=True
    )
    assert sorted(actions) == [
        "beneficiaries.delivery.record",
        "beneficiaries.enrolment.create",
        *["beneficiaries.enrolment.move"] * 3,
    ]


@pytest.mark.parametrize(
    ("stage", "target"),
    [
        ("candidate", "enrolled"),
        ("candidate", "delivered"),
        ("verified", "candidate"),
        ("enrolled", "delivered"),
        ("enrolled", "finished"),
        ("rejected", "verified"),
        ("withdrawn", "enrolled"),
        ("graduated", "finished"),
    ],
)
def test_there_are_no_other_steps(make_enrolment, operator, stage, target):
    enrolment = make_enrolment(stage)
    with pytest.raises(BeneficiariesError, match="jadi tidak bisa langsung"):
        services.move(enrolment, target, actor=operator, reason=WHY)
    enrolment.refresh_from_db()
    assert enrolment.stage == stage


@pytest.mark.parametrize(
    ("stage", "target"),
    [("candidate", "rejected"), ("enrolled", "withdrawn"), ("delivered", "graduated")],
)
def test_an_end_wants_a_reason(make_enrolment, operator, stage, target):
    enrolment = make_enrolment(stage)
    with pytest.raises(BeneficiariesError, match="Tulis alasannya"):
        services.move(enrolment, target, actor=operator, reason="  ya ")
    services.move(enrolment, target, actor=operator, reason=WHY)
    enrolment.refresh_from_db()
    assert (enrolment.stage, enrolment.reason) == (target, WHY)


@pytest.mark.parametrize(
    ("stage", "before"),
    [
        ("verified", "candidate"),
        ("enrolled", "verified"),
        ("finished", "delivered"),
        ("graduated", "delivered"),
        ("rejected", "candidate"),
        ("withdrawn", "enrolled"),
    ],
)
def test_a_correction_goes_one_step_back(make_enrolment, operator, stage, before):
    enrolment = make_enrolment(stage)
    with pytest.raises(BeneficiariesError, match="Tulis alasannya"):
        services.correct(enrolment, reason="", actor=operator)
    services.correct(enrolment, reason="Salah pilih orang", actor=operator)
    enrolment.refresh_from_db()
    assert enrolment.stage == before
    assert trace(enrolment)[-1] == (stage, before)


def test_a_candidate_has_nothing_to_go_back_to(make_enrolment, operator):
    with pytest.raises(BeneficiariesError, match="Belum ada langkah"):
        services.correct(make_enrolment(), reason="Salah pilih orang", actor=operator)


def test_nobody_is_enrolled_twice(make_enrolment, make_sub_activity, operator):
    enrolment = make_enrolment()
    with pytest.raises(BeneficiariesError, match="Sudah terdaftar"):
        services.enrol(
            enrolment.sub_activity, household=enrolment.household, person=None, actor=operator
        )


def test_who_cannot_be_enrolled(make_sub_activity, make_household, operator):
    home = make_household()
    person = home.members.get()
    for sub_activity, whom, message in (
        (make_sub_activity("A", is_cancelled=True), None, "dibatalkan"),
        (make_sub_activity("B", recipient=Recipient.COMMUNITY), None, "kelompok"),
        (make_sub_activity("C", recipient=Recipient.PERSON), None, "bukan jenis"),
        (make_sub_activity("D"), person, "bukan jenis"),
    ):
        with pytest.raises(BeneficiariesError, match=message):
            services.enrol(sub_activity, household=home, person=whom, actor=operator)
    person.status = Status.DIED
    person.save()
    with pytest.raises(BeneficiariesError, match="Meninggal"):
        services.enrol(
            make_sub_activity("E", recipient=Recipient.PERSON),
            household=home,
            person=person,
            actor=operator,
        )


def test_the_quota_is_passed_only_on_purpose(make_enrolment, make_sub_activity, operator):
    sub_activity = make_sub_activity(quota=1)
    make_enrolment("delivered", sub_activity=sub_activity)
    second = make_enrolment("verified", sub_activity=sub_activity)
    with pytest.raises(QuotaError, match="Kuota 1, sudah terisi 1"):
        services.move(second, Stage.ENROLLED, actor=operator)
    with pytest.raises(BeneficiariesError, match="Tulis alasannya"):
        services.move(second, Stage.ENROLLED, actor=operator, over_quota=True)
    services.move(
        second, Stage.ENROLLED, actor=operator, over_quota=True, reason="Tambahan anggaran"
    )
    counts = queries.stage_counts([sub_activity])[sub_activity.pk]
    assert (counts.helped, counts["enrolled"], counts.total) == (2, 1, 2)


def test_graduating_can_tell_the_registry(make_enrolment, operator):
    enrolment = make_enrolment("delivered")
    services.move(
        enrolment,
        Stage.GRADUATED,
        actor=operator,
        reason="Pendapatan naik",
        graduate_household=True,
    )
    enrolment.household.refresh_from_db()
    assert enrolment.household.status == Status.GRADUATED
    kept = make_enrolment("graduated").household
    kept.refresh_from_db()
    assert kept.status == Status.ACTIVE


# Deliveries


def deliver(enrolment, actor, **values):
    values = {"delivered_on": TODAY, "amount": 500_000} | values
    return services.record_delivery(enrolment, actor=actor, **values)


def test_the_first_delivery_makes_a_receiver(make_enrolment, operator):
    enrolment = make_enrolment("enrolled")
    deliver(enrolment, operator)
    deliver(enrolment, operator, delivered_on=TODAY + dt.timedelta(days=30))
    enrolment.refresh_from_db()
    assert enrolment.stage == Stage.DELIVERED
    assert trace(enrolment).count(("enrolled", "delivered")) == 1


@pytest.mark.parametrize("stage", ["candidate", "verified", "rejected", "withdrawn", "finished"])
def test_help_is_for_the_enrolled(make_enrolment, operator, stage):
    with pytest.raises(BeneficiariesError, match="penyaluran dicatat untuk"):
        deliver(make_enrolment(stage), operator, delivered_on=TODAY - dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"delivered_on": dt.date(2099, 1, 1)}, "masa depan"),
        ({"delivered_on": dt.date(2025, 12, 31)}, "sebelum sub kegiatan dimulai"),
        ({"amount": -1}, "kurang dari nol"),
        ({"amount": 0}, "Isi nilai rupiah"),
    ],
)
def test_impossible_deliveries_are_refused(make_enrolment, operator, values, message):
    enrolment = make_enrolment("enrolled")
    with pytest.raises(BeneficiariesError, match=message):
        deliver(enrolment, operator, **values)
    assert not enrolment.deliveries.exists()


def test_the_same_delivery_twice_is_asked_about(make_enrolment, operator):
    enrolment = make_enrolment("enrolled")
    deliver(enrolment, operator)
    with pytest.raises(RepeatedDeliveryError, match="sudah tercatat"):
        deliver(enrolment, operator)
    deliver(enrolment, operator, repeated=True)
    assert enrolment.deliveries.count() == 2


def test_a_correction_keeps_what_was_said_before(make_enrolment, operator):
    enrolment = make_enrolment("delivered")
    delivery = enrolment.deliveries.get()
    services.correct_delivery(
        delivery,
        delivered_on=TODAY,
        amount=450_000,
        description="Tahap 1",
        reason="Salah ketik nilai",
        actor=operator,
    )
    delivery.refresh_from_db()
    assert (delivery.amount, delivery.description) == (450_000, "Tahap 1")
    change = enrolment.delivery_changes.get()
    assert (change.kind, change.amount, change.reason) == (
        ChangeKind.CORRECTED,
        300_000,
        "Salah ketik nilai",
    )


def test_voiding_the_only_delivery_goes_a_stage_back(make_enrolment, operator):
    enrolment = make_enrolment("delivered")
    services.void_delivery(
        enrolment.deliveries.get(), reason="Ternyata tidak hadir", actor=operator
    )
    enrolment.refresh_from_db()
    assert enrolment.stage == Stage.ENROLLED
    assert enrolment.delivery_changes.get().kind == ChangeKind.VOIDED
    assert queries.reached(enrolment.sub_activity, TODAY, TODAY) == (0, 0)


def test_what_was_given_to_the_finished_stands(make_enrolment, operator):
    enrolment = make_enrolment("finished")
    with pytest.raises(BeneficiariesError, match="satu-satunya penyaluran"):
        services.void_delivery(enrolment.deliveries.get(), reason="Salah orang", actor=operator)
    receiving = make_enrolment("delivered")
    with pytest.raises(BeneficiariesError, match="Batalkan dahulu penyalurannya"):
        services.correct(receiving, reason="Salah orang", actor=operator)


def test_a_proof_is_drawn_anew(make_enrolment, operator, django_capture_on_commit_callbacks):
    enrolment = make_enrolment("enrolled")
    picture = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Pabrik Kamera"
    Image.new("RGB", (4000, 30), "red").save(picture, "JPEG", exif=exif)
    upload = SimpleUploadedFile("NIK 3302.jpg", picture.getvalue())
    delivery = deliver(enrolment, operator, proof=upload)
    with Image.open(delivery.proof.open("rb")) as kept:
        assert kept.width == 1600
        assert not kept.getexif()
    assert "3302" not in delivery.proof.name
    with pytest.raises(BeneficiariesError, match="bukan foto"):
        deliver(enrolment, operator, amount=7, proof=SimpleUploadedFile("x.jpg", b"<svg/>"))
    storage, name = delivery.proof.storage, delivery.proof.name
    with django_capture_on_commit_callbacks(execute=True):
        services.void_delivery(delivery, reason="Bukan orangnya", actor=operator)
    assert not storage.exists(name)


def test_reached_counts_people_once(make_enrolment, make_sub_activity, operator):
    sub_activity = make_sub_activity()
    first = make_enrolment("delivered", sub_activity=sub_activity)
    make_enrolment("delivered", sub_activity=sub_activity)
    make_enrolment("delivered")
    deliver(first, operator, delivered_on=dt.date(2026, 4, 1), amount=1_000)
    assert queries.reached(sub_activity, TODAY, dt.date(2026, 4, 1)) == (2, 601_000)
    assert queries.reached(sub_activity, dt.date(2026, 4, 1), dt.date(2026, 4, 30)) == (1, 1_000)
    assert queries.reached(sub_activity, dt.date(2025, 1, 1), dt.date(2025, 2, 1)) == (0, 0)


# At the door


def test_a_decision_at_the_door_can_be_taken_back_by_its_maker(make_enrolment, make_user):
    enrolment = make_enrolment()
    verifier, other = make_user(Role.AREA_OPERATOR), make_user(Role.AREA_OPERATOR)
    services.verify(
        enrolment, fit=False, reason="Sudah pindah", note="Rumah kosong", actor=verifier
    )
    enrolment.refresh_from_db()
    assert (enrolment.stage, enrolment.steps.first().note) == (Stage.REJECTED, "Rumah kosong")
    with pytest.raises(BeneficiariesError, match="keputusan Anda sendiri"):
        services.undo_verification(enrolment, actor=other)
    services.undo_verification(enrolment, actor=verifier)
    services.verify(enrolment, fit=True, actor=verifier)
    services.move(enrolment, Stage.ENROLLED, actor=None)
    with pytest.raises(BeneficiariesError, match="belum ditindaklanjuti"):
        services.undo_verification(enrolment, actor=verifier)


def test_what_waits(make_enrolment, make_sub_activity, make_agency, make_user):
    make_enrolment()
    make_enrolment("verified")
    make_enrolment("verified", sub_activity=make_sub_activity("B", agency=make_agency("dinkes")))
    make_enrolment(code="33.02.17.2001")
    make_enrolment(sub_activity=make_sub_activity("C", is_cancelled=False))
    gone = make_enrolment(sub_activity=make_sub_activity("D"))
    gone.sub_activity.is_cancelled = True
    gone.sub_activity.save()
    assert queries.waiting(make_user(Role.AREA_OPERATOR)) == queries.Waiting(2, 0)
    assert queries.waiting(make_user(Role.AGENCY_OPERATOR)) == queries.Waiting(3, 1)
    assert queries.waiting(make_user(Role.SECRETARIAT)) == queries.Waiting(3, 2)
    assert queries.waiting(make_user(Role.REGENT)) == queries.Waiting(0, 0)
