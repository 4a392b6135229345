"""Overlap between programs of different agencies, as cases that are talked over and settled."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import HelpKind


class CaseState(models.TextChoices):
    OPEN = "open", _("Perlu dibahas")
    SETTLED = "settled", _("Diputuskan")
    # The overlap is no longer found in the data.
    GONE = "gone", _("Tidak terjadi lagi")


class Ruling(models.TextChoices):
    """What the secretariat settled."""

    ONE_LEADS = "one_leads", _("Satu perangkat daerah memimpin")
    SPLIT_AREAS = "split_areas", _("Wilayah dibagi")
    SPLIT_GROUPS = "split_groups", _("Kelompok sasaran dibagi")
    MERGE = "merge", _("Digabung")
    NO_OVERLAP = "no_overlap", _("Bukan tumpang tindih")


# Rulings under which one agency takes the lead, so that it must be named.
LED = frozenset({Ruling.ONE_LEADS, Ruling.MERGE})


class Reckoning(models.Model):
    """When overlap and gaps of a year were last reckoned, and where the result lies.

    ``token`` names the files (:mod:`guyub.overlaps.snapshot`). ``totals`` are the sums for the whole
    regency, so that first pages need no files: households, helped, doubled, outside, missed, poorest.
    """

    year = models.PositiveSmallIntegerField(_("tahun"), unique=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(_("dihitung"))
    token = models.CharField(max_length=40)
    totals = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("perhitungan tumpang tindih")

    def __str__(self) -> str:
        return str(self.year)


class OverlapCase(models.Model):
    """Sub-activities of two or more agencies with the same help, group, area and period."""

    year = models.PositiveSmallIntegerField(_("tahun"))
    help_kind = models.CharField(_("bentuk bantuan"), max_length=20, choices=HelpKind.choices)
    # Those of the last reckoning that found it.
    sub_activities = models.ManyToManyField(SubActivity, related_name="overlap_cases")
    # Households helped by more than one of them when last reckoned.
    households = models.PositiveIntegerField(_("keluarga rangkap"), default=0)
    state = models.CharField(
        _("keadaan"), max_length=10, choices=CaseState.choices, default=CaseState.OPEN
    )
    found_at = models.DateTimeField(_("ditemukan"))
    seen_at = models.DateTimeField(_("terakhir terlihat"))
    # The last ruling; it stays readable when the case is opened again.
    ruling = models.CharField(_("putusan"), max_length=15, choices=Ruling.choices, blank=True)
    lead_agency = models.ForeignKey(
        Agency,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("perangkat daerah yang memimpin"),
    )
    ruling_note = models.TextField(_("isi putusan"), blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    settled_at = models.DateTimeField(_("diputuskan pada"), null=True, blank=True)

    class Meta:
        ordering = ["-year", "-households", "id"]
        verbose_name = _("kasus tumpang tindih")
        indexes = [models.Index(fields=["state", "year"], name="overlap_case_by_state")]

    def __str__(self) -> str:
        return f"{self.get_help_kind_display()} {self.year}"


class StepKind(models.TextChoices):
    FOUND = "found", _("Ditemukan")
    MEMBERS = "members", _("Sub kegiatannya berubah")
    GONE = "gone", _("Tidak terjadi lagi")
    RETURNED = "returned", _("Terjadi lagi")
    SETTLED = "settled", _("Diputuskan")
    REOPENED = "reopened", _("Dibuka lagi")


class CaseStep(models.Model):
    """Something that happened to a case."""

    case = models.ForeignKey(OverlapCase, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=10, choices=StepKind.choices)
    text = models.TextField(blank=True)
    # None: found by reckoning.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("waktu"))

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("langkah")
