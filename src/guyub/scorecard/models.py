"""Scores of quarters gone by, kept so that a trend does not change under its reader."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency


class Score(models.Model):
    """One indicator in one quarter, of one agency or (without agency) of all together.

    The score in per cent is ``100 * credit / weight``; both are sums over the evidence.
    """

    quarter = models.DateField(_("triwulan"))  # its first day
    indicator = models.CharField(_("ukuran"), max_length=40)
    agency = models.ForeignKey(Agency, models.CASCADE, null=True, blank=True, related_name="+")
    credit = models.FloatField()
    weight = models.FloatField()
    reckoned_at = models.DateTimeField(_("dihitung"), auto_now=True)

    class Meta:
        ordering = ["quarter", "indicator"]
        verbose_name = _("nilai")
        constraints = [
            models.UniqueConstraint(
                fields=["quarter", "indicator", "agency"],
                condition=~models.Q(agency=None),
                name="score_of_agency_once",
            ),
            models.UniqueConstraint(
                fields=["quarter", "indicator"],
                condition=models.Q(agency=None),
                name="score_of_all_once",
            ),
        ]
