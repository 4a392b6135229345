"""Proposals and objections of villages, complaints of citizens, and every step taken on them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guyub.access.masking import mask_number
from guyub.access.sealed_fields import SealedNumberField
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.proposals.vocabulary import (
    CONFIDENTIAL,
    OPEN_STATES,
    Outcome,
    ProposalKind,
    ProposalState,
    Reason,
    StepKind,
)
from guyub.registry.models import Household, sixteen_digits
from guyub.registry.vocabulary import Sex


class Proposal(models.Model):
    """A household proposed, a household objected to, or a citizen's complaint.

    ``code`` is the secret by which a citizen follows it: it stands in no URL, log or notification.
    ``agency`` decides or answers; without one the secretariat does.
    """

    code = models.CharField(_("kode lacak"), max_length=10, unique=True)
    kind = models.CharField(_("jenis"), max_length=10, choices=ProposalKind.choices)
    village = models.ForeignKey(
        Area, models.PROTECT, related_name="+", verbose_name=_("desa/kelurahan")
    )
    household = models.ForeignKey(
        Household, models.PROTECT, null=True, blank=True, related_name="proposals"
    )
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    # Of a household that is not in the registry yet.
    head_name = models.CharField(_("nama kepala keluarga"), max_length=150, blank=True)
    nik = SealedNumberField(_("NIK"), blank=True, validators=[sixteen_digits])
    kk = SealedNumberField(_("nomor KK"), blank=True, validators=[sixteen_digits])
    birth_date = models.DateField(_("tanggal lahir"), null=True, blank=True)
    sex = models.CharField(_("jenis kelamin"), max_length=1, choices=Sex.choices, blank=True)
    address = models.CharField(_("alamat"), max_length=250, blank=True)
    rt = models.CharField(_("RT"), max_length=3, blank=True)
    rw = models.CharField(_("RW"), max_length=3, blank=True)
    reason_kind = models.CharField(_("perihal"), max_length=20, choices=Reason.choices)
    reason = models.TextField(_("uraian"))
    # Null for citizens, who may leave name and contact or not.
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    citizen_name = models.CharField(_("nama pelapor"), max_length=100, blank=True)
    citizen_contact = models.CharField(_("nomor HP atau surel pelapor"), max_length=100, blank=True)
    submitted_at = models.DateTimeField(_("diajukan"), default=timezone.now)
    state = models.CharField(
        _("keadaan"), max_length=12, choices=ProposalState.choices, default=ProposalState.SUBMITTED
    )
    outcome = models.CharField(_("putusan"), max_length=10, choices=Outcome.choices, blank=True)
    # When the next step is due; after a decision, the last day to appeal.
    due_on = models.DateField(_("batas waktu"), null=True, blank=True)

    class Meta:
        ordering = ["-submitted_at", "-pk"]
        verbose_name = _("usul-sanggah")
        indexes = [
            models.Index(fields=["village", "state"], name="proposal_by_village"),
            models.Index(fields=["state", "due_on"], name="proposal_by_due_date"),
            models.Index(fields=["-submitted_at"], name="proposal_by_age"),
            models.Index(fields=["nik"], name="proposal_by_nik"),
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s no. %(number)s") % {
            "kind": self.get_kind_display(),
            "number": self.pk,
        }

    @property
    def owning_agency_id(self) -> int | None:
        """The agency that decides or answers."""
        return self.agency_id

    @property
    def is_confidential(self) -> bool:
        return self.kind == ProposalKind.COMPLAINT and self.reason_kind in CONFIDENTIAL

    @property
    def area_code(self) -> str:
        """The village's code; empty when no village officer may read it."""
        return "" if self.is_confidential else self.village.code

    @property
    def is_overdue(self) -> bool:
        return (
            self.state in OPEN_STATES
            and self.due_on is not None
            and self.due_on < timezone.localdate()
        )

    @property
    def can_be_appealed(self) -> bool:
        """A rejection, or an objection that took a household off, within the days for it."""
        return (
            self.state == ProposalState.DECIDED
            and self.due_on is not None
            and self.due_on >= timezone.localdate()
            and (self.outcome == Outcome.REJECTED or self.kind == ProposalKind.OBJECT)
        )

    @property
    def about(self) -> str:
        """The household that it is about, as its handlers name it."""
        return str(self.household) if self.household is not None else self.head_name

    @property
    def masked_nik(self) -> str:
        return mask_number(self.nik)

    @property
    def masked_kk(self) -> str:
        return mask_number(self.kk)

    @property
    def shown_code(self) -> str:
        return f"{self.code[:5]}-{self.code[5:]}"


class ProposalStep(models.Model):
    """One step: what was done, when, by whom (nobody: a citizen), and what was found or decided.

    ``text`` is for those who handle the proposal. ``answer`` is what whoever holds the code reads.
    """

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=15, choices=StepKind.choices)
    happened_on = models.DateField(_("tanggal"))
    recorded_at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    text = models.TextField(blank=True)
    answer = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("langkah usul-sanggah")

    @property
    def outcome_label(self) -> str:
        """What the outcome means in this step."""
        if not self.outcome:
            return ""
        agreed = self.outcome == Outcome.ACCEPTED
        if self.kind == StepKind.DELIBERATED:
            return (
                gettext("Disetujui musyawarah") if agreed else gettext("Tidak disetujui musyawarah")
            )
        if self.kind == StepKind.VERIFIED:
            return gettext("Sesuai keadaan") if agreed else gettext("Tidak sesuai keadaan")
        return str(Outcome(self.outcome).label)


def file_path(file: ProposalFile, name: str) -> str:
    """Name a stored file by its proposal and a random part, never by what its sender called it."""
    ending = "pdf" if file.media_type == "application/pdf" else "jpg"
    return f"proposals/{file.step.proposal_id}/{uuid.uuid4().hex}.{ending}"


class ProposalFile(models.Model):
    """A photo or the minutes that came with a step."""

    step = models.ForeignKey(ProposalStep, models.CASCADE, related_name="files")
    file = models.FileField(_("berkas"), upload_to=file_path)
    name = models.CharField(max_length=150)
    media_type = models.CharField(max_length=80)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("lampiran usul-sanggah")

    @property
    def area_code(self) -> str:
        return self.step.proposal.area_code

    @property
    def owning_agency_id(self) -> int | None:
        return self.step.proposal.agency_id

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")
