"""Agencies (*perangkat daerah*) and their duties and functions (*tugas dan fungsi*)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Agency(models.Model):
    """One agency of the regency, with what it is for and whom to call."""

    code = models.SlugField(_("kode"), max_length=40, unique=True)
    name = models.CharField(_("nama"), max_length=200)
    short_name = models.CharField(_("singkatan"), max_length=60, blank=True)
    head_name = models.CharField(_("nama kepala"), max_length=120, blank=True)
    head_title = models.CharField(_("jabatan kepala"), max_length=120, blank=True)
    phone = models.CharField(_("telepon"), max_length=40, blank=True)
    email = models.EmailField(_("surel"), blank=True)
    website = models.URLField(_("situs"), blank=True)
    address = models.CharField(_("alamat kantor"), max_length=250, blank=True)
    duty = models.TextField(_("tugas pokok"), blank=True)
    regulation = models.CharField(_("dasar hukum"), max_length=250, blank=True)
    # Everyday words for what the agency handles ("rumah", "RTLH"), so that a question finds it.
    topics = models.TextField(_("kata kunci urusan"), blank=True)
    is_active = models.BooleanField(_("aktif"), default=True)
    updated_at = models.DateTimeField(_("diperbarui"), auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("perangkat daerah")

    def __str__(self) -> str:
        return self.short_name or self.name

    @property
    def owning_agency_id(self) -> int:
        return self.pk


class AgencyFunction(models.Model):
    """One function (*fungsi*) of an agency, in the order its regulation lists them."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="functions")
    position = models.PositiveSmallIntegerField()
    text = models.TextField(_("fungsi"))

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["agency", "position"], name="agency_function_position")
        ]

    def __str__(self) -> str:
        return self.text
