"""Programs against poverty. For now: which agency runs what, so that the directory can tell."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency


class Program(models.Model):
    """A program of one agency in one budget year."""

    agency = models.ForeignKey(
        Agency, models.PROTECT, related_name="programs", verbose_name=_("perangkat daerah")
    )
    code = models.CharField(_("kode nomenklatur"), max_length=40, blank=True)
    name = models.CharField(_("nama program"), max_length=250)
    year = models.PositiveSmallIntegerField(_("tahun"))
    description = models.TextField(_("uraian"), blank=True)

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
