"""Progress reports of sub-activities: what is due when, what was planned, what was done."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.programs.models import SubActivity


class Frequency(models.TextChoices):
    MONTHLY = "monthly", _("Bulanan")
    QUARTERLY = "quarterly", _("Triwulanan")


class Schedule(models.Model):
    """How often a sub-activity reports, and who has to."""

    sub_activity = models.OneToOneField(SubActivity, models.CASCADE, related_name="schedule")
    frequency = models.CharField(
        _("jadwal"), max_length=10, choices=Frequency.choices, default=Frequency.QUARTERLY
    )
    # Days after a period's end by which its report is due.
    grace_days = models.PositiveSmallIntegerField(_("batas hari"), default=10)

    class Meta:
        verbose_name = _("jadwal laporan")

    @property
    def owning_agency_id(self) -> int:
        return self.sub_activity.agency_id


class ReportState(models.TextChoices):
    MISSING = "missing", _("Belum dibuat")
    DRAFT = "draft", _("Rancangan")
    SUBMITTED = "submitted", _("Diajukan")
    RETURNED = "returned", _("Dikembalikan")
    ACCEPTED = "accepted", _("Diterima")


class Timeliness(models.TextChoices):
    """How a report stands to its due date. The day of the first submission decides."""

    OPEN = "open", _("Belum jatuh tempo")
    ON_TIME = "on_time", _("Tepat waktu")
    LATE = "late", _("Terlambat")
    MISSING = "missing", _("Belum masuk")


class Report(models.Model):
    """The report of one sub-activity on one period, present from the day the calendar is made.

    Planned figures are the S-curve; both planned and realised figures count from the start of the
    year to the end of the period.
    """

    sub_activity = models.ForeignKey(SubActivity, models.CASCADE, related_name="reports")
    period_start = models.DateField(_("awal periode"))
    period_end = models.DateField(_("akhir periode"))
    due_on = models.DateField(_("batas waktu"))
    planned_physical = models.DecimalField(  # per cent
        _("rencana fisik"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    planned_budget = models.PositiveBigIntegerField(_("rencana keuangan"), null=True, blank=True)
    physical = models.DecimalField(  # per cent
        _("realisasi fisik"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    budget = models.PositiveBigIntegerField(_("realisasi keuangan"), null=True, blank=True)
    reached = models.PositiveIntegerField(_("penerima manfaat"), null=True, blank=True)
    narrative = models.TextField(_("uraian"), blank=True)
    # Why a figure is lower than the one accepted before, or above the budget.
    explanation = models.TextField(_("penjelasan"), blank=True)
    state = models.CharField(
        _("keadaan"), max_length=10, choices=ReportState.choices, default=ReportState.MISSING
    )
    submitted_at = models.DateTimeField(_("diajukan"), null=True, blank=True)
    # The first submission decides whether the report was on time.
    first_submitted_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(_("diterima"), null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    # Counts the changes, so that of two people who edit at the same time one is told.
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-period_end", "sub_activity_id"]
        verbose_name = _("laporan kemajuan")
        constraints = [
            models.UniqueConstraint(
                fields=["sub_activity", "period_start"], name="report_once_a_period"
            )
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="report_by_due_date")]

    def __str__(self) -> str:
        return f"{self.sub_activity} · {self.period_end:%m/%Y}"

    @property
    def owning_agency_id(self) -> int:
        return self.sub_activity.agency_id

    @property
    def first_submitted_on(self) -> dt.date | None:
        """The local day of the first submission."""
        if self.first_submitted_at is None:
            return None
        return timezone.localtime(self.first_submitted_at).date()

    def timeliness(self, today: dt.date) -> Timeliness:
        """Tell whether the report came on time, seen from ``today``."""
        submitted = self.first_submitted_on
        if submitted is not None:
            return Timeliness.ON_TIME if submitted <= self.due_on else Timeliness.LATE
        return Timeliness.MISSING if self.due_on < today else Timeliness.OPEN

    def days_late(self, today: dt.date) -> int:
        """Return the days from the due date to the first submission, or to ``today`` without one."""
        return max(0, ((self.first_submitted_on or today) - self.due_on).days)


class Step(models.TextChoices):
    """What was done to a report."""

    SAVED = "saved", _("Rancangan disimpan")
    SUBMITTED = "submitted", _("Diajukan")
    CORRECTED = "corrected", _("Koreksi diajukan")
    RETURNED = "returned", _("Dikembalikan")
    ACCEPTED = "accepted", _("Diterima")


class ReportEvent(models.Model):
    """One step of a report: saved, submitted, returned, accepted, corrected.

    ``values`` keeps the figures as they stood, so that corrections keep their history.
    """

    report = models.ForeignKey(Report, models.CASCADE, related_name="events")
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.SAVED)
    state = models.CharField(max_length=10, choices=ReportState.choices)
    values = models.JSONField(default=dict)
    remark = models.TextField(_("catatan"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("waktu"))

    class Meta:
        ordering = ["-at", "-id"]


def attachment_path(attachment: Any, file_name: str) -> str:
    """Name a stored file by a random part, never by what its sender called it."""
    return f"reports/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """A photo or document that goes with a report."""

    report = models.ForeignKey(Report, models.CASCADE, related_name="attachments")
    file = models.FileField(_("berkas"), upload_to=attachment_path)
    name = models.CharField(_("nama"), max_length=150)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()  # bytes
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["added_at"]

    @property
    def owning_agency_id(self) -> int:
        return self.report.owning_agency_id


class Upload(models.Model):
    """A workbook of reports that was sent in: its rows wait to be applied.

    ``rows`` holds one entry per report that the workbook would change: its key, the figures, and the
    version that they were checked against. ``faults`` tell what is wrong with other rows.
    """

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    name = models.CharField(_("nama berkas"), max_length=150)
    rows = models.JSONField(default=list)
    faults = models.JSONField(default=list)
    unchanged = models.PositiveIntegerField(default=0)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-added_at"]

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class Occasion(models.TextChoices):
    """When an agency is reminded of a report."""

    BEFORE = "before", _("Menjelang batas waktu")
    TODAY = "today", _("Batas waktu hari ini")
    LATE = "late", _("Lewat batas waktu")


class Reminder(models.Model):
    """An agency was reminded of a report. Each occasion comes once."""

    report = models.ForeignKey(Report, models.CASCADE, related_name="reminders")
    occasion = models.CharField(max_length=10, choices=Occasion.choices)
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "occasion"], name="reminder_once_an_occasion")
        ]
