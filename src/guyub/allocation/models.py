"""Scenarios of who gets what, and what each sub-activity has to give in them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.programs.models import SubActivity
from guyub.targeting.models import Rule


class State(models.TextChoices):
    """Where a scenario stands."""

    DRAFT = "draft", _("Rancangan")
    RUNNING = "running", _("Sedang dihitung")
    DONE = "done", _("Selesai dihitung")
    FAILED = "failed", _("Gagal")


class Importance(models.IntegerChoices):
    """How much a kind of help counts beside the others, where not all needs of a household can be met."""

    USUAL = 1, _("Biasa")
    HIGH = 2, _("Penting")
    HIGHEST = 3, _("Sangat penting")


class Scenario(models.Model):
    """What is assumed, and once reckoned, what came of it.

    The plan itself (a bit for each household and sub-activity) lies below ``<DATA_DIR>/allocations``.
    """

    year = models.PositiveSmallIntegerField(_("tahun anggaran"))
    name = models.CharField(_("nama"), max_length=120)
    note = models.CharField(_("keterangan"), max_length=500, blank=True)
    severe_desil = models.PositiveSmallIntegerField(
        _("kebutuhan berat sampai desil"),
        default=1,
        validators=[MinValueValidator(0), MaxValueValidator(10)],
    )
    extreme_is_severe = models.BooleanField(_("miskin ekstrem selalu berat"), default=True)
    moderate_desil = models.PositiveSmallIntegerField(
        _("kebutuhan sedang sampai desil"),
        default=2,
        validators=[MinValueValidator(0), MaxValueValidator(10)],
    )
    # Households that any of these match rank one level higher.
    priority_rules = models.ManyToManyField(
        Rule, blank=True, related_name="+", verbose_name=_("aturan yang mendahulukan")
    )
    most_kinds = models.PositiveSmallIntegerField(
        _("paling banyak jenis bantuan per keluarga"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(15)],
    )
    pool = models.PositiveBigIntegerField(_("tambahan dana"), default=0)  # rupiah
    state = models.CharField(
        _("keadaan"), max_length=10, choices=State.choices, default=State.DRAFT
    )
    error = models.TextField(_("kesalahan"), blank=True)
    # Sums of the plan; see guyub.allocation.outcome.
    result = models.JSONField(default=dict, blank=True)
    # The folder of the plan, new at each reckoning.
    token = models.CharField(max_length=40, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)
    reckoned_at = models.DateTimeField(_("dihitung"), null=True, editable=False, blank=True)
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    chosen_at = models.DateTimeField(_("dipilih"), null=True, editable=False, blank=True)
    chosen_reason = models.CharField(_("alasan"), max_length=500, blank=True)

    class Meta:
        ordering = ["-year", "-created_at", "-id"]
        verbose_name = _("skenario alokasi")
        constraints = [
            models.UniqueConstraint(fields=["year", "name"], name="scenario_name_once_a_year"),
            # One plan a year is the one that agencies carry out.
            models.UniqueConstraint(
                fields=["year"],
                condition=models.Q(chosen_at__isnull=False),
                name="one_chosen_scenario_a_year",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_chosen(self) -> bool:
        return self.chosen_at is not None

    @property
    def is_current(self) -> bool:
        """Whether there is a plan to look at."""
        return self.state == State.DONE and bool(self.token)


class ScenarioOffer(models.Model):
    """A sub-activity in a scenario: what it has to give, and what the plan makes of that."""

    scenario = models.ForeignKey(Scenario, models.CASCADE, related_name="offers")
    sub_activity = models.ForeignKey(SubActivity, models.PROTECT, related_name="+")
    included = models.BooleanField(_("ikut"), default=True)
    # What is left of it this year; null is without limit.
    places = models.PositiveIntegerField(_("sisa tempat"), null=True, blank=True)
    money = models.PositiveBigIntegerField(_("sisa anggaran"), null=True, blank=True)  # rupiah
    unit_cost = models.PositiveBigIntegerField(_("biaya per penerima"), default=0)  # rupiah
    importance = models.PositiveSmallIntegerField(
        _("bobot"), choices=Importance.choices, default=Importance.USUAL
    )
    # Sums of the plan, by severity; see guyub.allocation.outcome.
    result = models.JSONField(default=dict, blank=True)
    adopted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    adopted_at = models.DateTimeField(_("dijadikan calon"), null=True)
    adopted_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["sub_activity__help_kind", "sub_activity__name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["scenario", "sub_activity"], name="scenario_offer_once")
        ]

    def __str__(self) -> str:
        return str(self.sub_activity)

    @property
    def owning_agency_id(self) -> int:
        return self.sub_activity.agency_id
