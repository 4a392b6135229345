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


class OverlapCase(models.Model):
    """Sub-activities of two or more agencies with the same help, group, area and period."""

    year = models.PositiveSmallIntegerField(_("tahun"))
    help_kind = models.CharField(_("bentuk bantuan"), max_length=20, choices=HelpKind.choices)
    # Which sub-activities, as sorted ids joined by commas: finding it again finds this case.
    fingerprint = models.CharField(max_length=250, unique=True)
    sub_activities = models.ManyToManyField(SubActivity, related_name="overlap_cases")
    # Households helped by more than one of them when last reckoned.
    households = models.PositiveIntegerField(_("keluarga rangkap"), default=0)
    state = models.CharField(
        _("keadaan"), max_length=10, choices=CaseState.choices, default=CaseState.OPEN
    )
    found_at = models.DateTimeField(_("ditemukan"))
    seen_at = models.DateTimeField(_("terakhir terlihat"))
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
