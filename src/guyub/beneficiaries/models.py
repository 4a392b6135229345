"""Who receives what: enrolments from candidate to finished, and what was delivered."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import HelpKind
from guyub.registry.models import Household, Person
from guyub.targeting.models import RuleVersion


class Stage(models.TextChoices):
    """How far an enrolment has come. Rejected and withdrawn end it before anything is given."""

    CANDIDATE = "candidate", _("Calon")
    VERIFIED = "verified", _("Terverifikasi")
    ENROLLED = "enrolled", _("Ditetapkan")
    DELIVERED = "delivered", _("Menerima")
    FINISHED = "finished", _("Selesai")
    GRADUATED = "graduated", _("Graduasi")
    REJECTED = "rejected", _("Ditolak")
    WITHDRAWN = "withdrawn", _("Dibatalkan")


# Stages that count as being helped when overlaps, gaps and coverage are reckoned.
HELPED = (Stage.ENROLLED, Stage.DELIVERED, Stage.FINISHED, Stage.GRADUATED)


class Entry(models.TextChoices):
    """How an enrolment came about."""

    RULE = "rule", _("Aturan sasaran")
    FILE = "file", _("Berkas Excel")
    MANUAL = "manual", _("Isian langsung")
    PLAN = "plan", _("Rencana alokasi")


class Enrolment(models.Model):
    """A household (or one member of it) in a sub-activity.

    ``agency``, ``year`` and ``help_kind`` repeat those of the sub-activity, so that overlaps and the
    coverage matrix are one pass over this table; services keep them in step.
    """

    sub_activity = models.ForeignKey(SubActivity, models.PROTECT, related_name="enrolments")
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="+", db_index=False)
    year = models.PositiveSmallIntegerField(_("tahun"))
    help_kind = models.CharField(_("bentuk bantuan"), max_length=20, choices=HelpKind.choices)
    household = models.ForeignKey(
        Household, models.PROTECT, related_name="enrolments", db_index=False
    )
    # Only where the recipient is a person.
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="enrolments"
    )
    stage = models.CharField(
        _("tahap"), max_length=10, choices=Stage.choices, default=Stage.CANDIDATE
    )
    stage_since = models.DateTimeField(_("sejak"))
    reason = models.CharField(_("alasan"), max_length=250, blank=True)
    entry = models.CharField(_("asal"), max_length=10, choices=Entry.choices)
    rule_version = models.ForeignKey(
        RuleVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("penerima")
        constraints = [
            # Two constraints, because a null person differs from another null person.
            models.UniqueConstraint(
                fields=["sub_activity", "person"],
                condition=~models.Q(person=None),
                name="enrolment_of_person_once",
            ),
            models.UniqueConstraint(
                fields=["sub_activity", "household"],
                condition=models.Q(person=None),
                name="enrolment_of_household_once",
            ),
        ]
        indexes = [
            models.Index(fields=["sub_activity", "stage", "id"], name="enrolment_by_stage"),
            models.Index(
                fields=["household", "year", "help_kind", "stage"], name="enrolment_by_household"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household} · {self.sub_activity}"

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id

    @property
    def area_code(self) -> str:
        return self.household.area_code

    @property
    def recipient(self) -> Person | Household:
        """The person, or the household where households are the recipients."""
        return self.person or self.household


class EnrolmentStep(models.Model):
    """An enrolment went from one stage to another."""

    enrolment = models.ForeignKey(Enrolment, models.CASCADE, related_name="steps")
    from_stage = models.CharField(max_length=10, choices=Stage.choices, blank=True)
    to_stage = models.CharField(max_length=10, choices=Stage.choices)
    reason = models.CharField(_("alasan"), max_length=250, blank=True)
    # What was seen at the door.
    note = models.CharField(_("catatan"), max_length=250, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField(_("waktu"))

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # The scorecard counts who left within a quarter; most steps lead further in.
            models.Index(
                fields=["at"],
                condition=models.Q(to_stage__in=["finished", "graduated", "withdrawn"]),
                name="step_that_ended",
            ),
        ]


def proof_path(delivery: Any, file_name: str) -> str:
    """Name a stored proof by a random part, never by what its sender called it."""
    return f"proofs/{uuid.uuid4().hex}.jpg"


class Delivery(models.Model):
    """Help handed over once, to one enrolment.

    Every row counts. One that was recorded wrongly is changed or taken away, and what it said before
    becomes a :class:`DeliveryChange`.
    """

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="deliveries")
    # Repeats the enrolment's, so that a report's total is one index range.
    sub_activity = models.ForeignKey(
        SubActivity, models.PROTECT, related_name="deliveries", db_index=False
    )
    delivered_on = models.DateField(_("tanggal"))
    amount = models.PositiveBigIntegerField(_("nilai"), default=0)  # rupiah
    description = models.CharField(_("keterangan"), max_length=250, blank=True)
    proof = models.ImageField(_("bukti"), upload_to=proof_path, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-delivered_on", "-id"]
        verbose_name = _("penyaluran")
        indexes = [
            # Holds all that a report's totals ask for.
            models.Index(
                fields=["sub_activity", "delivered_on", "enrolment", "amount"],
                name="delivery_totals",
            ),
        ]

    @property
    def owning_agency_id(self) -> int:
        return self.enrolment.agency_id

    @property
    def area_code(self) -> str:
        return self.enrolment.area_code


class ChangeKind(models.TextChoices):
    CORRECTED = "corrected", _("Diperbaiki")
    VOIDED = "voided", _("Dibatalkan")


class DeliveryChange(models.Model):
    """What a delivery said before it was corrected or voided, with the reason."""

    enrolment = models.ForeignKey(
        Enrolment, models.CASCADE, related_name="delivery_changes", verbose_name=_("penerima")
    )
    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    delivered_on = models.DateField(_("tanggal"))
    amount = models.PositiveBigIntegerField(_("nilai"))  # rupiah
    description = models.CharField(_("keterangan"), max_length=250, blank=True)
    reason = models.CharField(_("alasan"), max_length=250)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField(_("waktu"))

    class Meta:
        ordering = ["-at", "-id"]


class BatchKind(models.TextChoices):
    """What a batch does to many enrolments at once."""

    ENROL_RULE = "enrol_rule", _("Pendaftaran dari aturan sasaran")
    ENROL_FILE = "enrol_file", _("Pendaftaran dari berkas")
    DELIVER_FILE = "deliver_file", _("Penyaluran dari berkas")
    MOVE = "move", _("Perubahan tahap")
    DELIVER = "deliver", _("Penyaluran serentak")


class BatchState(models.TextChoices):
    """Where a batch stands. Only ``APPLYING`` writes, in one transaction."""

    CHECKING = "checking", _("Sedang diperiksa")
    CHECKED = "checked", _("Menunggu persetujuan")
    APPLYING = "applying", _("Sedang diterapkan")
    DONE = "done", _("Selesai")
    FAILED = "failed", _("Gagal")
    CANCELLED = "cancelled", _("Dibatalkan")


class Batch(models.Model):
    """One action on many enrolments of a sub-activity, all of it or none.

    Its bulk data, where it came from a file, lies in ``<DATA_DIR>/batches/<id>/``.
    """

    sub_activity = models.ForeignKey(SubActivity, models.PROTECT, related_name="batches")
    kind = models.CharField(_("pekerjaan"), max_length=12, choices=BatchKind.choices)
    state = models.CharField(_("status"), max_length=10, choices=BatchState.choices, db_index=True)
    # What was asked for, after the kind; see guyub.beneficiaries.batches.
    wish = models.JSONField(default=dict)
    file_name = models.CharField(_("nama berkas"), max_length=250, blank=True)
    # What reading the file's head showed, and {"column position": "field"}.
    layout = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    error = models.TextField(_("kesalahan"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dimulai"), auto_now_add=True)
    finished_at = models.DateTimeField(_("selesai"), null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("pekerjaan")

    def __str__(self) -> str:
        return self.file_name or str(self.get_kind_display())

    @property
    def owning_agency_id(self) -> int:
        return self.sub_activity.agency_id

    @property
    def is_working(self) -> bool:
        return self.state in (BatchState.CHECKING, BatchState.APPLYING)

    @property
    def is_open(self) -> bool:
        return self.is_working or self.state == BatchState.CHECKED
