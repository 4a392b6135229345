"""Indicators with yearly targets and realisation, and published poverty figures."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency


class IndicatorKind(models.TextChoices):
    IKU = "iku", _("Indikator kinerja utama")
    IKD = "ikd", _("Indikator kinerja daerah")
    PROGRAM = "program", _("Indikator program")


class Direction(models.TextChoices):
    """Which way is better."""

    DOWN = "down", _("Makin rendah makin baik")
    UP = "up", _("Makin tinggi makin baik")


class Indicator(models.Model):
    """Something measured year by year against a target."""

    code = models.SlugField(_("kode"), max_length=60, unique=True)
    name = models.CharField(_("nama"), max_length=200)
    kind = models.CharField(_("jenis"), max_length=10, choices=IndicatorKind.choices)
    owner = models.ForeignKey(
        Agency, models.PROTECT, related_name="indicators", verbose_name=_("penanggung jawab")
    )
    unit = models.CharField(_("satuan"), max_length=40)
    decimals = models.PositiveSmallIntegerField(_("angka desimal"), default=2)
    direction = models.CharField(_("arah"), max_length=5, choices=Direction.choices)
    formula = models.TextField(_("rumus"), blank=True)
    source = models.CharField(_("sumber data"), max_length=250, blank=True)
    is_active = models.BooleanField(_("dipakai"), default=True)

    class Meta:
        ordering = ["kind", "name"]
        verbose_name = _("indikator")

    def __str__(self) -> str:
        return self.name

    @property
    def owning_agency_id(self) -> int:
        return self.owner_id


class IndicatorYear(models.Model):
    """An indicator's target and realisation in one year."""

    indicator = models.ForeignKey(Indicator, models.CASCADE, related_name="years")
    year = models.PositiveSmallIntegerField(_("tahun"))
    target = models.DecimalField(
        _("target"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    actual = models.DecimalField(
        _("realisasi"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    source = models.CharField(_("sumber realisasi"), max_length=250, blank=True)
    note = models.TextField(_("keterangan"), blank=True)

    class Meta:
        ordering = ["year"]
        constraints = [
            models.UniqueConstraint(fields=["indicator", "year"], name="indicator_year_once")
        ]


class Measure(models.TextChoices):
    """What Statistics Indonesia (BPS) publishes on poverty for a regency every year."""

    P0 = "p0", _("Persentase penduduk miskin (P0)")
    P1 = "p1", _("Indeks kedalaman kemiskinan (P1)")
    P2 = "p2", _("Indeks keparahan kemiskinan (P2)")
    POOR = "poor", _("Jumlah penduduk miskin (ribu jiwa)")
    LINE = "line", _("Garis kemiskinan (rupiah per kapita per bulan)")
    GINI = "gini", _("Rasio Gini")
    UNEMPLOYMENT = "unemployment", _("Tingkat pengangguran terbuka (persen)")


class PublishedFigure(models.Model):
    """One published figure, with where it was published."""

    measure = models.CharField(_("ukuran"), max_length=15, choices=Measure.choices)
    # Kemendagri code of the area: the regency, the province (33) or the country (empty).
    area_code = models.CharField(_("kode wilayah"), max_length=13, blank=True)
    year = models.PositiveSmallIntegerField(_("tahun"))
    value = models.DecimalField(_("nilai"), max_digits=18, decimal_places=4)
    source = models.CharField(_("sumber"), max_length=250)
    url = models.URLField(_("alamat sumber"), blank=True)

    class Meta:
        ordering = ["measure", "area_code", "year"]
        verbose_name = _("angka terbitan")
        constraints = [
            models.UniqueConstraint(
                fields=["measure", "area_code", "year"], name="published_figure_once"
            )
        ]
