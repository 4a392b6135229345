"""Datasets: the lists that agencies keep, each with an owner, a date and a history of versions."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency


class Cadence(models.TextChoices):
    """How often a dataset should be renewed."""

    MONTHLY = "monthly", _("Bulanan")
    QUARTERLY = "quarterly", _("Triwulanan")
    HALF_YEARLY = "half_yearly", _("Semesteran")
    YEARLY = "yearly", _("Tahunan")


CADENCE_DAYS = {
    Cadence.MONTHLY: 31,
    Cadence.QUARTERLY: 92,
    Cadence.HALF_YEARLY: 184,
    Cadence.YEARLY: 366,
}


class Freshness(models.TextChoices):
    """How a dataset's date stands against its cadence."""

    CURRENT = "current", _("Mutakhir")
    DUE = "due", _("Jatuh tempo")
    STALE = "stale", _("Usang")
    EMPTY = "empty", _("Belum ada data")


def freshness_of(as_of: dt.date | None, cadence: str, today: dt.date) -> Freshness:
    """Judge a date against a cadence.

    Current within one period after ``as_of``, due within half a period more, stale after that.
    """
    if as_of is None:
        return Freshness.EMPTY
    age, period = (today - as_of).days, CADENCE_DAYS[Cadence(cadence)]
    if age <= period:
        return Freshness.CURRENT
    return Freshness.DUE if age <= period * 1.5 else Freshness.STALE


class Dataset(models.Model):
    """One list of poor households or people, owned by one agency."""

    code = models.SlugField(_("kode"), max_length=60, unique=True)
    name = models.CharField(_("nama"), max_length=200)
    owner = models.ForeignKey(
        Agency, models.PROTECT, related_name="datasets", verbose_name=_("pemilik")
    )
    description = models.TextField(_("uraian"), blank=True)
    legal_basis = models.CharField(_("dasar hukum"), max_length=250)
    cadence = models.CharField(_("jadwal pemutakhiran"), max_length=20, choices=Cadence.choices)
    # The newest version, kept here so that lists need no further query.
    current_version = models.ForeignKey(
        "Version", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("dataset")

    def __str__(self) -> str:
        return self.name

    @property
    def owning_agency_id(self) -> int:
        return self.owner_id

    @property
    def freshness(self) -> Freshness:
        as_of = self.current_version.as_of if self.current_version is not None else None
        return freshness_of(as_of, self.cadence, timezone.localdate())


class Version(models.Model):
    """One state of a dataset: the whole list as it stood on ``as_of``.

    Its rows lie in ``<DATA_DIR>/datasets/<dataset code>/<number>.parquet`` (see
    :mod:`guyub.datasets.store`), so that history does not swell the database.
    """

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("versi"))
    as_of = models.DateField(_("per tanggal"))
    file_name = models.CharField(_("berkas asal"), max_length=250, blank=True)
    digest = models.CharField(max_length=64, db_index=True)  # SHA-256 of the uploaded file
    people = models.PositiveIntegerField(_("jiwa"), default=0)
    households = models.PositiveIntegerField(_("keluarga"), default=0)
    added = models.PositiveIntegerField(_("baru"), default=0)
    changed = models.PositiveIntegerField(_("berubah"), default=0)
    unchanged = models.PositiveIntegerField(_("tetap"), default=0)
    removed = models.PositiveIntegerField(_("hilang"), default=0)
    rejected = models.PositiveIntegerField(_("ditolak"), default=0)
    is_reference = models.BooleanField(_("acuan"), default=False)
    created_at = models.DateTimeField(_("diunggah"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-number"]
        verbose_name = _("versi dataset")
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="dataset_version_number"),
            models.UniqueConstraint(
                fields=["is_reference"],
                condition=models.Q(is_reference=True),
                name="only_one_reference_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"

    @property
    def owning_agency_id(self) -> int:
        return self.dataset.owner_id
