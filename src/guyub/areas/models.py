"""Administrative areas: regency, districts, villages, by Kemendagri code."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.IntegerChoices):
    REGENCY = 2, _("Kabupaten")
    DISTRICT = 3, _("Kecamatan")
    VILLAGE = 4, _("Desa/Kelurahan")


class Area(models.Model):
    """One area. ``code`` is the dotted Kemendagri code: ``33.02``, ``33.02.01``, ``33.02.01.2001``."""

    code = models.CharField(_("kode"), max_length=13, unique=True)
    name = models.CharField(_("nama"), max_length=100)
    level = models.SmallIntegerField(_("tingkat"), choices=Level.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    # Column and row on the tile map, where each district is one square near its true place.
    tile_column = models.SmallIntegerField(null=True, blank=True)
    tile_row = models.SmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name = _("wilayah")

    def __str__(self) -> str:
        return self.name

    @property
    def area_code(self) -> str:
        return self.code

    @property
    def is_urban_ward(self) -> bool:
        """A *kelurahan* has 1 as the first digit of its village number, a *desa* has 2."""
        return self.level == Level.VILLAGE and self.code.rsplit(".", 1)[-1].startswith("1")

    @property
    def title(self) -> str:
        """The name with its kind in front: *Kecamatan Lumbir*, *Desa Cirahab*."""
        if self.level == Level.REGENCY:
            return self.name
        if self.level == Level.DISTRICT:
            return _("Kecamatan %(name)s") % {"name": self.name}
        kind = _("Kelurahan %(name)s") if self.is_urban_ward else _("Desa %(name)s")
        return kind % {"name": self.name}
