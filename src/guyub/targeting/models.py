"""Targeting rules: which households and people a sub-activity is for, as an expression in CEL."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.programs.models import SubActivity


class Rule(models.Model):
    """A named rule of an agency. Its text lies in its versions, which are never changed."""

    agency = models.ForeignKey(
        Agency, models.PROTECT, related_name="targeting_rules", verbose_name=_("perangkat daerah")
    )
    name = models.CharField(_("nama"), max_length=150)
    description = models.TextField(_("uraian"), blank=True)
    # The newest version, kept here so that lists need no further query.
    current_version = models.ForeignKey(
        "RuleVersion", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    # The sub-activities that this rule defines the target group of.
    sub_activities = models.ManyToManyField(
        SubActivity, blank=True, related_name="targeting_rules", verbose_name=_("sub kegiatan")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("aturan sasaran")
        constraints = [
            models.UniqueConstraint(fields=["agency", "name"], name="rule_name_once_an_agency")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class RuleVersion(models.Model):
    """One wording of a rule."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("versi"))
    text = models.TextField(_("rumusan"))  # CEL
    # How many households matched when this version was saved.
    households = models.PositiveIntegerField(_("keluarga"), default=0)
    note = models.CharField(_("keterangan"), max_length=250, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="rule_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.rule} v{self.number}"

    @property
    def owning_agency_id(self) -> int:
        return self.rule.agency_id
