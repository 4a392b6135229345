"""Writes on single enrolments and deliveries. What is done to many at once is in ``batches``."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.beneficiaries.models import (
    HELPED,
    ChangeKind,
    Delivery,
    DeliveryChange,
    Enrolment,
    EnrolmentStep,
    Entry,
    Stage,
)
from guyub.beneficiaries.stages import (
    BACK,
    CHOSEN,
    EXPLAINED,
    GIVEN,
    NEXT,
    RECEIVING,
    begins_to_count,
)
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import Recipient
from guyub.registry.models import Household, Person
from guyub.registry.pictures import UnusablePictureError, clean_jpeg
from guyub.registry.restriction import is_restricted
from guyub.registry.services import RegistryError, add_photo, set_household_status
from guyub.registry.vocabulary import Status

REASON_LENGTH = 5


class BeneficiariesError(Exception):
    """It can't be done; the message tells the user why and what to do."""


class QuotaError(BeneficiariesError):
    """More would be enrolled than the quota has places for, and nobody said that this is meant."""


class RepeatedDeliveryError(BeneficiariesError):
    """The same help on the same day is recorded already, and nobody said that this is meant."""


def hold(sub_activity_id: int) -> SubActivity:
    """Lock a sub-activity until the transaction ends: its enrolments have one writer at a time."""
    return SubActivity.objects.select_for_update(of=("self",)).get(pk=sub_activity_id)


def _hold_enrolment(enrolment: Enrolment) -> Enrolment:
    hold(enrolment.sub_activity_id)
    return Enrolment.objects.select_related("sub_activity", "household__village").get(
        pk=enrolment.pk
    )


def require_reason(reason: str) -> str:
    """Return ``reason`` without blanks around it.

    Raises:
        BeneficiariesError: it is shorter than five characters.
    """
    if len(reason.strip()) < REASON_LENGTH:
        raise BeneficiariesError(_("Tulis alasannya, paling sedikit 5 huruf."))
    return reason.strip()[:250]


def refuse_closed(sub_activity: SubActivity) -> None:
    """Refuse new recipients where there can be none.

    Raises:
        BeneficiariesError: the sub-activity is cancelled, or helps groups rather than people.
    """
    if sub_activity.is_cancelled:
        raise BeneficiariesError(
            _("Sub kegiatan ini dibatalkan, jadi tidak menerima peserta baru.")
        )
    if sub_activity.recipient == Recipient.COMMUNITY:
        raise BeneficiariesError(
            _("Sub kegiatan ini untuk kelompok atau wilayah; penerimanya tidak didaftar per orang.")
        )


def check_quota(sub_activity: SubActivity, more: int, confirmed: bool) -> None:
    """Refuse to enrol ``more`` than the quota has places for, unless that is ``confirmed``.

    Raises:
        QuotaError: the quota would be passed.
    """
    if sub_activity.quota is None or not more or confirmed:
        return
    taken = Enrolment.objects.filter(sub_activity=sub_activity, stage__in=HELPED).count()
    if taken + more > sub_activity.quota:
        raise QuotaError(
            _(
                "Kuota %(quota)s, sudah terisi %(taken)s; penetapan ini menambah %(more)s. "
                "Kurangi jumlahnya, atau nyatakan bahwa kuota memang dilampaui beserta alasannya."
            )
            % {"quota": sub_activity.quota, "taken": taken, "more": more}
        )


# Enrolling and stages


@transaction.atomic
def enrol(
    sub_activity: SubActivity, *, household: Household, person: Person | None, actor: Any
) -> Enrolment:
    """Add one candidate by hand. ``person`` is wanted where people are the recipients, only there.

    Raises:
        BeneficiariesError: the sub-activity takes no recipients, they are in it already, have died or
            moved away.
    """
    sub_activity = hold(sub_activity.pk)
    refuse_closed(sub_activity)
    if (sub_activity.recipient == Recipient.PERSON) != (person is not None):
        raise BeneficiariesError(_("Penerima sub kegiatan ini bukan jenis yang Anda pilih."))
    for record in filter(None, (household, person)):
        if record.status != Status.ACTIVE:
            raise BeneficiariesError(
                _("Menurut registri, statusnya “%(status)s”. Perbarui registri bila keliru.")
                % {"status": record.get_status_display()}
            )
    if is_restricted(person or household):
        raise BeneficiariesError(
            _(
                "Pemrosesan datanya sedang dibatasi atas permintaan pemiliknya, jadi tidak didaftarkan."
            )
        )
    if Enrolment.objects.filter(
        sub_activity=sub_activity, household=household, person=person
    ).exists():
        raise BeneficiariesError(_("Sudah terdaftar pada sub kegiatan ini."))
    now = timezone.now()
    enrolment = Enrolment.objects.create(
        sub_activity=sub_activity, agency_id=sub_activity.agency_id, year=sub_activity.year,
        help_kind=sub_activity.help_kind, household=household, person=person, stage_since=now,
        entry=Entry.MANUAL, created_by=actor,
    )  # fmt: skip
    EnrolmentStep.objects.create(enrolment=enrolment, to_stage=Stage.CANDIDATE, by=actor, at=now)
    audit.record("beneficiaries.enrolment.create", actor=actor, subject=enrolment)
    return enrolment


def _step(
    enrolment: Enrolment, target: Stage, *, reason: str, actor: Any, note: str = ""
) -> Enrolment:
    now = timezone.now()
    EnrolmentStep.objects.create(
        enrolment=enrolment, from_stage=enrolment.stage, to_stage=target, reason=reason,
        note=note.strip()[:250], by=actor, at=now,
    )  # fmt: skip
    enrolment.stage, enrolment.stage_since, enrolment.reason = target, now, reason
    enrolment.save(update_fields=["stage", "stage_since", "reason"])
    return enrolment


@transaction.atomic
def move(
    enrolment: Enrolment,
    target: str,
    *,
    actor: Any,
    reason: str = "",
    note: str = "",
    over_quota: bool = False,
    graduate_household: bool = False,
) -> Enrolment:
    """Take an enrolment one step forward.

    ``over_quota`` says that passing the quota is meant; it and some stages want a ``reason``.
    ``graduate_household`` also notes in the registry that the household left poverty.

    Raises:
        BeneficiariesError: no such step from here, or the reason is missing.
        QuotaError: the quota is full.
    """
    record = _hold_enrolment(enrolment)
    stage, wanted = Stage(record.stage), Stage(target)
    if wanted not in NEXT[stage] or wanted not in CHOSEN:
        raise BeneficiariesError(
            _("Tahapnya sekarang “%(now)s”, jadi tidak bisa langsung menjadi “%(then)s”.")
            % {"now": stage.label, "then": wanted.label}
        )
    if wanted in EXPLAINED or over_quota:
        reason = require_reason(reason)
    if begins_to_count(stage, wanted):
        check_quota(record.sub_activity, 1, over_quota)
    _step(record, wanted, reason=reason.strip()[:250], actor=actor, note=note)
    audit.record(
        "beneficiaries.enrolment.move",
        actor=actor,
        subject=record,
        reason=reason,
        detail={"from": stage, "to": wanted, "over_quota": over_quota},
    )
    if graduate_household and wanted is Stage.GRADUATED:
        set_household_status(
            record.household,
            Status.GRADUATED,
            as_of=timezone.localdate(),
            reason=reason,
            actor=actor,
        )
    return record


def stage_before(enrolment: Enrolment) -> Stage | None:
    """Return where a correction would lead; ``None`` when there is nothing to go back to."""
    stage = Stage(enrolment.stage)
    if stage in BACK:
        return BACK[stage]
    if stage is Stage.CANDIDATE:
        return None
    last = enrolment.steps.order_by("-id").first()
    return Stage(last.from_stage) if last is not None and last.from_stage else None


@transaction.atomic
def correct(enrolment: Enrolment, *, reason: str, actor: Any) -> Enrolment:
    """Take an enrolment one step back because the last step was wrong.

    Raises:
        BeneficiariesError: there is nothing to go back to, help was given since, or no reason.
        QuotaError: it would again take a place of a quota that is full by now.
    """
    record = _hold_enrolment(enrolment)
    stage, before = Stage(record.stage), stage_before(record)
    if before is None:
        raise BeneficiariesError(_("Belum ada langkah yang bisa dikembalikan."))
    reason = require_reason(reason)
    if stage is Stage.DELIVERED and record.deliveries.exists():
        raise BeneficiariesError(
            _("Penyaluran sudah tercatat. Batalkan dahulu penyalurannya bila memang keliru.")
        )
    if begins_to_count(stage, before):
        check_quota(record.sub_activity, 1, confirmed=False)
    _step(record, before, reason=reason, actor=actor)
    audit.record(
        "beneficiaries.enrolment.correct",
        actor=actor,
        subject=record,
        reason=reason,
        detail={"from": stage, "to": before},
    )
    return record


# Checking a candidate at the door


@transaction.atomic
def verify(
    enrolment: Enrolment,
    *,
    fit: bool,
    actor: Any,
    reason: str = "",
    note: str = "",
    photo: Any = None,
) -> Enrolment:
    """Note what was found at a candidate's door. A ``photo`` goes to the household's page.

    Raises:
        BeneficiariesError: somebody decided already, no reason for unfit, or the photo can't be read.
    """
    record = move(
        enrolment,
        Stage.VERIFIED if fit else Stage.REJECTED,
        actor=actor,
        reason=reason,
        note=note,
    )
    if photo is not None:
        try:
            add_photo(
                record.household,
                photo,
                caption=str(_("Verifikasi: %(what)s") % {"what": record.sub_activity})[:150],
                taken_on=timezone.localdate(),
                actor=actor,
            )
        except RegistryError as error:
            raise BeneficiariesError(str(error)) from error
    return record


@transaction.atomic
def undo_verification(enrolment: Enrolment, *, actor: Any) -> Enrolment:
    """Take back one's own decision on a candidate.

    Raises:
        BeneficiariesError: it was somebody else's, or things have moved on.
    """
    record = _hold_enrolment(enrolment)
    last = record.steps.order_by("-id").first()
    if (
        last is None
        or record.stage not in (Stage.VERIFIED, Stage.REJECTED)
        or last.from_stage != Stage.CANDIDATE
        or last.by_id != actor.pk
    ):
        raise BeneficiariesError(
            _("Hanya keputusan Anda sendiri yang belum ditindaklanjuti yang bisa diurungkan.")
        )
    return correct(record, reason=_("Diurungkan oleh pemeriksa"), actor=actor)


# Deliveries


def check_delivery(
    sub_activity: SubActivity, delivered_on: dt.date, amount: int, text: str
) -> None:
    """Refuse a delivery that can't be.

    Raises:
        BeneficiariesError: the date lies ahead or before the sub-activity began, or neither an amount
            nor a description says what was given.
    """
    if delivered_on > timezone.localdate():
        raise BeneficiariesError(_("Tanggal penyaluran ada di masa depan."))
    if delivered_on < sub_activity.starts_on:
        raise BeneficiariesError(
            _("Tanggal penyaluran sebelum sub kegiatan dimulai (%(date)s).")
            % {"date": f"{sub_activity.starts_on:%d/%m/%Y}"}
        )
    if amount < 0:
        raise BeneficiariesError(_("Nilai tidak boleh kurang dari nol."))
    if amount == 0 and not text.strip():
        raise BeneficiariesError(_("Isi nilai rupiah, atau tulis barang/layanan yang diberikan."))


def _proof(delivery: Delivery, upload: Any) -> None:
    try:
        delivery.proof.save("bukti.jpg", clean_jpeg(upload), save=False)
    except UnusablePictureError as error:
        raise BeneficiariesError(str(error)) from error


def refuse_repeated(
    enrolment: Enrolment, delivered_on: dt.date, amount: int, but: int | None = None
) -> None:
    """Raise :class:`RepeatedDeliveryError` when that day's same amount is recorded already."""
    same = enrolment.deliveries.filter(delivered_on=delivered_on, amount=amount).exclude(
        pk=but or 0
    )
    if same.exists():
        raise RepeatedDeliveryError(
            _(
                "Penyaluran dengan tanggal dan nilai yang sama sudah tercatat untuk penerima ini. "
                "Bila memang diberikan dua kali, centang pernyataannya lalu simpan lagi."
            )
        )


@transaction.atomic
def record_delivery(
    enrolment: Enrolment,
    *,
    delivered_on: dt.date,
    amount: int,
    description: str = "",
    proof: Any = None,
    actor: Any,
    repeated: bool = False,
) -> Delivery:
    """Record help handed over; ``amount`` in rupiah. The first makes the enrolment a receiving one.

    Raises:
        BeneficiariesError: the enrolment is not at that stage, or see :func:`check_delivery`.
        RepeatedDeliveryError: that day's same amount is recorded, and ``repeated`` is not said.
    """
    record = _hold_enrolment(enrolment)
    if record.stage not in RECEIVING:
        raise BeneficiariesError(
            _("Tahapnya “%(stage)s”; penyaluran dicatat untuk yang ditetapkan atau menerima.")
            % {"stage": record.get_stage_display()}
        )
    check_delivery(record.sub_activity, delivered_on, amount, description)
    if not repeated:
        refuse_repeated(record, delivered_on, amount)
    delivery = Delivery(
        enrolment=record, sub_activity_id=record.sub_activity_id, delivered_on=delivered_on,
        amount=amount, description=description.strip()[:250], recorded_by=actor,
    )  # fmt: skip
    if proof is not None:
        _proof(delivery, proof)
    delivery.save()
    if record.stage == Stage.ENROLLED:
        _step(record, Stage.DELIVERED, reason="", actor=actor)
    audit.record(
        "beneficiaries.delivery.record",
        actor=actor,
        subject=record,
        detail={"delivery": delivery.pk, "on": delivered_on, "rupiah": amount},
    )
    return delivery


def _keep_old(delivery: Delivery, kind: str, reason: str, actor: Any) -> None:
    DeliveryChange.objects.create(
        enrolment_id=delivery.enrolment_id, kind=kind, delivered_on=delivery.delivered_on,
        amount=delivery.amount, description=delivery.description, reason=reason, by=actor,
        at=timezone.now(),
    )  # fmt: skip


@transaction.atomic
def correct_delivery(
    delivery: Delivery,
    *,
    delivered_on: dt.date,
    amount: int,
    description: str,
    proof: Any = None,
    reason: str,
    actor: Any,
) -> Delivery:
    """Replace what a delivery says, keeping what it said before."""
    record = _hold_enrolment(delivery.enrolment)
    held: Delivery = record.deliveries.get(pk=delivery.pk)
    reason = require_reason(reason)
    check_delivery(record.sub_activity, delivered_on, amount, description)
    refuse_repeated(record, delivered_on, amount, but=held.pk)
    _keep_old(held, ChangeKind.CORRECTED, reason, actor)
    held.delivered_on, held.amount = delivered_on, amount
    held.description = description.strip()[:250]
    if proof is not None:
        _forget_file(held)
        _proof(held, proof)
    held.save()
    audit.record(
        "beneficiaries.delivery.correct",
        actor=actor,
        subject=record,
        reason=reason,
        detail={"delivery": held.pk, "on": delivered_on, "rupiah": amount},
    )
    return held


@transaction.atomic
def void_delivery(delivery: Delivery, *, reason: str, actor: Any) -> Enrolment:
    """Take a delivery away that never was; the last one takes the enrolment a stage back.

    Raises:
        BeneficiariesError: no reason, or it is the last of an enrolment that is past receiving.
    """
    record = _hold_enrolment(delivery.enrolment)
    held: Delivery = record.deliveries.get(pk=delivery.pk)
    reason = require_reason(reason)
    is_last = not record.deliveries.exclude(pk=held.pk).exists()
    if is_last and record.stage not in RECEIVING:
        raise BeneficiariesError(
            _(
                "Ini satu-satunya penyaluran, sedangkan tahapnya sudah “%(stage)s”. "
                "Kembalikan dahulu tahapnya ke “Menerima”."
            )
            % {"stage": record.get_stage_display()}
        )
    detail = {"delivery": held.pk, "on": held.delivered_on, "rupiah": held.amount}
    _keep_old(held, ChangeKind.VOIDED, reason, actor)
    _forget_file(held)
    held.delete()
    if is_last and record.stage in GIVEN:
        _step(record, Stage.ENROLLED, reason=reason, actor=actor)
    audit.record(
        "beneficiaries.delivery.void", actor=actor, subject=record, reason=reason, detail=detail
    )
    return record


def _forget_file(delivery: Delivery) -> None:
    name, storage = str(delivery.proof.name or ""), delivery.proof.storage
    if name:
        transaction.on_commit(lambda: storage.delete(name))


def log_export(
    sub_activity: SubActivity,
    *,
    actor: Any,
    reason: str,
    rows: int,
    full_numbers: bool,
    narrowing: dict[str, Any],
) -> None:
    """Log that a list of recipients was taken out."""
    audit.record(
        "beneficiaries.list.export",
        actor=actor,
        subject=sub_activity,
        reason=require_reason(reason),
        detail={"rows": rows, "full_numbers": full_numbers, "filters": narrowing},
    )
