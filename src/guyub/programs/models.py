"""Programs against poverty: program, activity and sub-activity, as the budget knows them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.programs.vocabulary import FundingSource, HelpKind, Recipient, Strategy


class Mission(models.Model):
    """One mission (*misi*) of the regency's medium-term plan (*RPJMD*)."""

    number = models.PositiveSmallIntegerField(_("nomor"))
    text = models.TextField(_("misi"))
    first_year = models.PositiveSmallIntegerField(_("tahun awal"))
    last_year = models.PositiveSmallIntegerField(_("tahun akhir"))

    class Meta:
        ordering = ["-first_year", "number"]
        verbose_name = _("misi")
        constraints = [
            models.UniqueConstraint(fields=["first_year", "number"], name="mission_once_a_period")
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.text}"


class Program(models.Model):
    """A program of one agency in one budget year."""

    agency = models.ForeignKey(
        Agency, models.PROTECT, related_name="programs", verbose_name=_("perangkat daerah")
    )
    code = models.CharField(_("kode nomenklatur"), max_length=40, blank=True)
    name = models.CharField(_("nama program"), max_length=250)
    year = models.PositiveSmallIntegerField(_("tahun"))
    description = models.TextField(_("uraian"), blank=True)
    mission = models.ForeignKey(
        Mission,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="programs",
        verbose_name=_("misi daerah"),
    )

    class Meta:
        ordering = ["-year", "name"]
        verbose_name = _("program")
        constraints = [
            models.UniqueConstraint(fields=["agency", "year", "name"], name="program_once_a_year")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class Activity(models.Model):
    """An activity (*kegiatan*) within a program."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="activities")
    code = models.CharField(_("kode nomenklatur"), max_length=40, blank=True)
    name = models.CharField(_("nama kegiatan"), max_length=250)

    class Meta:
        ordering = ["code", "name"]
        verbose_name = _("kegiatan")
        constraints = [
            models.UniqueConstraint(fields=["program", "name"], name="activity_once_a_program"),
            models.UniqueConstraint(
                fields=["program", "code"],
                condition=~models.Q(code=""),
                name="activity_code_once_a_program",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owning_agency_id(self) -> int:
        return self.program.agency_id


class SubActivity(models.Model):
    """A sub-activity (*sub kegiatan*): what is budgeted, delivered, reported on and compared.

    ``agency`` and ``year`` repeat those of the program so that lists, overlaps and reports need not
    climb the tree; services keep them in step.
    """

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="sub_activities")
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="sub_activities")
    year = models.PositiveSmallIntegerField(_("tahun"))
    code = models.CharField(_("kode nomenklatur"), max_length=40, blank=True)
    name = models.CharField(_("nama sub kegiatan"), max_length=250)
    description = models.TextField(_("uraian"), blank=True)
    strategy = models.CharField(_("strategi"), max_length=12, choices=Strategy.choices)
    help_kind = models.CharField(_("bentuk bantuan"), max_length=20, choices=HelpKind.choices)
    recipient = models.CharField(
        _("penerima"), max_length=10, choices=Recipient.choices, default=Recipient.HOUSEHOLD
    )
    # The target group by welfare rank; null on either side leaves that side open.
    desil_min = models.PositiveSmallIntegerField(
        _("desil dari"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
    )
    desil_max = models.PositiveSmallIntegerField(
        _("desil sampai"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
    )
    # What else marks the target group, in words: "balita stunting", "belum punya jamban".
    target_note = models.CharField(_("ciri sasaran"), max_length=250, blank=True)
    # Recipients planned: households, people or communities, after `recipient`.
    quota = models.PositiveIntegerField(_("kuota"), null=True, blank=True)
    starts_on = models.DateField(_("mulai"))
    ends_on = models.DateField(_("selesai"))
    # Districts or villages where it works; none means the whole regency.
    areas = models.ManyToManyField(Area, blank=True, related_name="+", verbose_name=_("wilayah"))
    is_cancelled = models.BooleanField(_("dibatalkan"), default=False)
    cancel_reason = models.CharField(_("alasan pembatalan"), max_length=500, blank=True)

    class Meta:
        ordering = ["-year", "code", "name"]
        verbose_name = _("sub kegiatan")
        constraints = [
            models.UniqueConstraint(
                fields=["activity", "name"], name="sub_activity_once_an_activity"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="sub_activity_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(desil_max__gte=models.F("desil_min")),
                name="sub_activity_desil_in_order",
            ),
            models.UniqueConstraint(
                fields=["activity", "code"],
                condition=~models.Q(code=""),
                name="sub_activity_code_once_an_activity",
            ),
        ]
        indexes = [
            models.Index(fields=["year", "help_kind"], name="sub_activity_by_kind"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id

    @property
    def desil_text(self) -> str:
        """The target group by welfare rank in words; empty when it is everyone."""
        low, high = self.desil_min, self.desil_max
        if low in (None, 1) and high in (None, 10):
            return ""
        if low == high:
            return _("Desil %(low)d") % {"low": low}
        if low is None:
            return _("Desil sampai %(high)d") % {"high": high}
        if high is None:
            return _("Desil %(low)d ke atas") % {"low": low}
        return _("Desil %(low)d–%(high)d") % {"low": low, "high": high}


class Funding(models.Model):
    """Money for a sub-activity from one source, in rupiah."""

    sub_activity = models.ForeignKey(SubActivity, models.CASCADE, related_name="fundings")
    source = models.CharField(_("sumber dana"), max_length=15, choices=FundingSource.choices)
    amount = models.PositiveBigIntegerField(_("anggaran"))

    class Meta:
        ordering = ["source"]
        verbose_name = _("anggaran")
        constraints = [
            models.UniqueConstraint(fields=["sub_activity", "source"], name="funding_once_a_source")
        ]


class Upload(models.Model):
    """An Excel file of programs that was looked at, and perhaps taken in."""

    file_name = models.CharField(_("nama berkas"), max_length=200)
    # Small, and gone with its row; emptied once the file is taken in.
    content = models.BinaryField()
    # The agency of who uploaded it; none when that was the secretariat.
    agency = models.ForeignKey(Agency, models.CASCADE, null=True, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("diunggah oleh")
    )
    created_at = models.DateTimeField(_("diunggah"), auto_now_add=True)
    # What it would do, or did: guyub.programs.exchange.Outcome as JSON, and its fingerprint.
    outcome = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    applied_at = models.DateTimeField(_("diterapkan"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("unggahan program")

    def __str__(self) -> str:
        return self.file_name

    @property
    def owning_agency_id(self) -> int | None:
        return self.agency_id
