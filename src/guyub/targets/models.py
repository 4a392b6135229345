"""Indicators with yearly targets and realisation, published figures, and estimates of poverty."""

from __future__ import annotations

from typing import Any

from django.conf import settings
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

    def __str__(self) -> str:
        return f"{self.indicator} {self.year}"


class Measure(models.TextChoices):
    """What Statistics Indonesia (BPS) publishes on poverty for a regency every year."""

    P0 = "p0", _("Persentase penduduk miskin (P0)")
    P1 = "p1", _("Indeks kedalaman kemiskinan (P1)")
    P2 = "p2", _("Indeks keparahan kemiskinan (P2)")
    POOR = "poor", _("Jumlah penduduk miskin (ribu jiwa)")
    LINE = "line", _("Garis kemiskinan (rupiah per kapita per bulan)")
    GINI = "gini", _("Rasio Gini")
    UNEMPLOYMENT = "unemployment", _("Tingkat pengangguran terbuka (persen)")
    HDI = "hdi", _("Indeks pembangunan manusia")


class PublishedFigure(models.Model):
    """One published figure, with where it was published."""

    measure = models.CharField(_("ukuran"), max_length=15, choices=Measure.choices)
    # Kemendagri code of the area: the regency, the province (33) or the country (empty).
    area_code = models.CharField(_("kode wilayah"), max_length=13, blank=True)
    year = models.PositiveSmallIntegerField(_("tahun"))
    value = models.DecimalField(_("nilai"), max_digits=18, decimal_places=4)
    source = models.CharField(_("sumber"), max_length=250)
    url = models.URLField(_("alamat sumber"), blank=True)
    # Whether somebody compared the value with what was published, and where.
    is_verified = models.BooleanField(_("sudah dicocokkan"), default=False)
    evidence = models.CharField(_("dicocokkan dengan"), max_length=250, blank=True)

    class Meta:
        ordering = ["measure", "area_code", "year"]
        verbose_name = _("angka terbitan")
        constraints = [
            models.UniqueConstraint(
                fields=["measure", "area_code", "year"], name="published_figure_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_measure_display()} {self.year}"


class Basis(models.TextChoices):
    """What an estimate was computed from."""

    SURVEY = "survey", _("Berkas survei")
    REGISTRY = "registry", _("Registri")


class Estimate(models.Model):
    """Poverty measured by Guyub itself from a survey file or from the registry; never official.

    ``design`` says how the sample was drawn as far as it matters for the errors, and which column of
    the file held what; ``results`` holds one :class:`guyub.targets.poverty.Measured` per measure and
    domain. A survey file is kept only while its columns are being matched; its digest stays.
    """

    title = models.CharField(_("judul"), max_length=200)
    basis = models.CharField(_("dihitung dari"), max_length=10, choices=Basis.choices)
    # Whose estimate it is; empty for the secretariat's.
    agency = models.ForeignKey(
        Agency, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("pemilik")
    )
    as_of = models.DateField(_("keadaan per tanggal"))
    # Rupiah per person per month.
    line = models.DecimalField(_("garis kemiskinan"), max_digits=12, decimal_places=2)
    file_name = models.CharField(_("nama berkas"), max_length=250, blank=True)
    digest = models.CharField(_("sidik SHA-256"), max_length=64, blank=True)
    rows = models.PositiveIntegerField(_("rumah tangga"), default=0)
    # The people for whom the rows stand.
    people = models.DecimalField(_("penduduk"), max_digits=14, decimal_places=2, default=0)
    design = models.JSONField(default=dict)
    results = models.JSONField(default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)
    computed_at = models.DateTimeField(_("dihitung"), null=True, blank=True)

    class Meta:
        ordering = ["-as_of", "-pk"]
        verbose_name = _("ukuran kemiskinan")

    def __str__(self) -> str:
        return self.title

    @property
    def owning_agency_id(self) -> int | None:
        return self.agency_id

    @property
    def is_draft(self) -> bool:
        return self.computed_at is None

    def layout(self) -> dict[str, Any]:
        """Return what the head of the file showed (see :class:`guyub.imports.reading.Layout`)."""
        found: dict[str, Any] = self.design.get("layout", {})
        return found
