"""Obstacles (*kendala*) in carrying out programs, and what is done about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
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


class Action(models.TextChoices):
    """What is done about an obstacle."""

    REPORT = "report", _("Dilaporkan")
    STEP = "step", _("Langkah")
    HAND_OVER = "hand_over", _("Diserahkan")
    SOLVE = "solve", _("Diselesaikan")
    REOPEN = "reopen", _("Dibuka kembali")
    ESCALATE = "escalate", _("Dibawa ke rapat koordinasi")
    EXTEND = "extend", _("Batas waktu diubah")


UNSOLVED = (ObstacleState.OPEN, ObstacleState.WORKING, ObstacleState.ESCALATED)
# In which states each action may be taken.
ALLOWED: dict[Action, tuple[ObstacleState, ...]] = {
    Action.REPORT: (),
    Action.STEP: UNSOLVED,
    Action.HAND_OVER: UNSOLVED,
    Action.SOLVE: UNSOLVED,
    Action.REOPEN: (ObstacleState.SOLVED,),
    Action.ESCALATE: (ObstacleState.OPEN, ObstacleState.WORKING),
    Action.EXTEND: UNSOLVED,
}


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
    # Who reported it (an agency, or an area; neither: the secretariat) and who is asked to solve it.
    agency = models.ForeignKey(
        Agency, models.PROTECT, null=True, blank=True, related_name="obstacles_met"
    )
    reporting_area = models.ForeignKey(
        Area, models.PROTECT, null=True, blank=True, related_name="+"
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
    # When the needed agency was last reminded of the due date.
    reminded_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-severity", "due_on", "id"]
        verbose_name = _("kendala")
        indexes = [
            models.Index(fields=["state", "due_on"], name="obstacle_by_due_date"),
            models.Index(fields=["-reported_at"], name="obstacle_newest"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def owning_agency_ids(self) -> tuple[int | None, ...]:
        """The agencies that may act: who reported it and who is needed."""
        return (self.agency_id, self.needed_agency_id)

    @property
    def area_code(self) -> str:
        """Code of the area that reported it, whose operators may act; empty when none did."""
        return self.reporting_area.code if self.reporting_area is not None else ""

    @property
    def is_solved(self) -> bool:
        return self.state == ObstacleState.SOLVED

    @property
    def days_late(self) -> int:
        """Days past the due date while it is not solved; 0 when there is time left."""
        if self.is_solved:
            return 0
        return max(0, (timezone.localdate() - self.due_on).days)

    @property
    def days_to_solve(self) -> int | None:
        return (self.solved_at - self.reported_at).days if self.solved_at else None

    @property
    def actions(self) -> list[Action]:
        """What may be done in its present state."""
        return [action for action, states in ALLOWED.items() if self.state in states]


class ObstacleStep(models.Model):
    """Something done about an obstacle, or a change of its state."""

    obstacle = models.ForeignKey(Obstacle, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=10, choices=Action.choices, default=Action.STEP)
    # The agency of whoever did it, at the time.
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    text = models.TextField(_("langkah"))
    state = models.CharField(max_length=10, choices=ObstacleState.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("waktu"))

    class Meta:
        ordering = ["at", "id"]
