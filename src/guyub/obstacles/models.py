"""Obstacles (*kendala*) in carrying out programs, and what is done about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.programs.models import SubActivity


class Category(models.TextChoices):
    BUDGET = "budget", _("Anggaran")
    DATA = "data", _("Data sasaran")
    REGULATION = "regulation", _("Aturan dan perizinan")
    PROCUREMENT = "procurement", _("Pengadaan")
    STAFF = "staff", _("Tenaga pelaksana")
    COORDINATION = "coordination", _("Koordinasi antarperangkat daerah")
    LAND = "land", _("Lahan dan lokasi")
    COMMUNITY = "community", _("Penerimaan masyarakat")
    NATURE = "nature", _("Cuaca dan bencana")
    OTHER = "other", _("Lainnya")


class Severity(models.IntegerChoices):
    MINOR = 1, _("Ringan")
    MODERATE = 2, _("Sedang")
    SEVERE = 3, _("Berat")
    BLOCKING = 4, _("Menghentikan kegiatan")


class ObstacleState(models.TextChoices):
    OPEN = "open", _("Terbuka")
    WORKING = "working", _("Ditangani")
    ESCALATED = "escalated", _("Dibawa ke rapat koordinasi")
    SOLVED = "solved", _("Selesai")


class Obstacle(models.Model):
    """Something in the way of a program, seen by one agency or area and often solved by another."""

    title = models.CharField(_("kendala"), max_length=150)
    description = models.TextField(_("uraian"))
    category = models.CharField(_("jenis"), max_length=15, choices=Category.choices)
    severity = models.PositiveSmallIntegerField(_("tingkat"), choices=Severity.choices)
    sub_activity = models.ForeignKey(
        SubActivity,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="obstacles",
        verbose_name=_("sub kegiatan"),
    )
    # Where it happens; none means the whole regency.
    area = models.ForeignKey(
        Area,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("wilayah"),
    )
    # Who reported it (none: an area operator or the secretariat) and who is asked to solve it.
    agency = models.ForeignKey(
        Agency, models.PROTECT, null=True, blank=True, related_name="obstacles_met"
    )
    needed_agency = models.ForeignKey(
        Agency,
        models.PROTECT,
        related_name="obstacles_asked",
        verbose_name=_("dibutuhkan dari"),
    )
    due_on = models.DateField(_("batas waktu"))
    state = models.CharField(
        _("keadaan"), max_length=10, choices=ObstacleState.choices, default=ObstacleState.OPEN
    )
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(_("dilaporkan"))
    escalated_at = models.DateTimeField(null=True, blank=True)
    solved_at = models.DateTimeField(_("selesai"), null=True, blank=True)
    solution = models.TextField(_("penyelesaian"), blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-severity", "due_on", "id"]
        verbose_name = _("kendala")
        indexes = [
            models.Index(fields=["state", "due_on"], name="obstacle_by_due_date"),
        ]

    def __str__(self) -> str:
        return self.title


class ObstacleStep(models.Model):
    """Something done about an obstacle, or a change of its state."""

    obstacle = models.ForeignKey(Obstacle, models.CASCADE, related_name="steps")
    text = models.TextField(_("langkah"))
    state = models.CharField(max_length=10, choices=ObstacleState.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("waktu"))

    class Meta:
        ordering = ["at", "id"]
