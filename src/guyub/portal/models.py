"""What the public may see: releases, each a frozen set of tables computed once per reference version.

True counts of hidden cells are not kept here at all, so nothing that reads these tables can leak them.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.areas.models import Area
from guyub.datasets.models import Version
from guyub.portal.suppression import THRESHOLD, WIDTH


class ReleaseState(models.TextChoices):
    COMPUTING = "computing", _("Sedang dihitung")
    DRAFT = "draft", _("Menunggu persetujuan")
    RELEASED = "released", _("Terbit")
    FAILED = "failed", _("Gagal")


class Release(models.Model):
    """One publication. Once released it never changes, and there is never a second of its version.

    ``programs``, ``figures`` and ``obstacles`` are the tables that hold no counts of households;
    ``columns`` names the columns of each table of counts; ``counts`` tells how many cells were hidden.
    """

    version = models.OneToOneField(
        Version, models.PROTECT, related_name="release", verbose_name=_("versi dataset")
    )
    year = models.PositiveSmallIntegerField(_("tahun"))
    as_of = models.DateField(_("keadaan per tanggal"))
    state = models.CharField(_("status"), max_length=10, choices=ReleaseState.choices)
    threshold = models.PositiveSmallIntegerField(default=THRESHOLD)
    width = models.PositiveSmallIntegerField(default=WIDTH)
    columns = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    programs = models.JSONField(default=list)
    figures = models.JSONField(default=list)
    obstacles = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("disiapkan"), auto_now_add=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    released_at = models.DateTimeField(_("diterbitkan"), null=True, blank=True)

    class Meta:
        ordering = ["-as_of", "-pk"]
        verbose_name = _("publikasi data")

    def __str__(self) -> str:
        return f"{self.version.dataset.code.upper()} {self.as_of:%d/%m/%Y}"

    @property
    def is_released(self) -> bool:
        return self.state == ReleaseState.RELEASED

    @property
    def is_computing(self) -> bool:
        return self.state == ReleaseState.COMPUTING

    @property
    def folder(self) -> Path:
        """Where the files of the release lie."""
        return Path(settings.DATA_DIR) / "publications" / str(self.pk)


class CountTable(models.TextChoices):
    """The tables of counts."""

    HOUSEHOLDS = "households", _("Keluarga menurut wilayah dan desil")
    RECIPIENTS = "recipients", _("Penerima bantuan menurut wilayah dan program")


class ReleasedCell(models.Model):
    """One cell. ``value`` is ``None`` where it is hidden, or withheld: not even known not to be nought."""

    release = models.ForeignKey(Release, models.CASCADE, related_name="cells", db_index=False)
    table = models.CharField(max_length=10, choices=CountTable.choices)
    area = models.ForeignKey(Area, models.PROTECT, related_name="+", db_index=False)
    column = models.CharField(max_length=40)
    value = models.PositiveIntegerField(null=True)
    is_withheld = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "table", "area", "column"], name="released_cell_once"
            )
        ]


class ReleasedFile(models.Model):
    """One file to download."""

    release = models.ForeignKey(Release, models.CASCADE, related_name="files")
    dataset = models.SlugField(max_length=40)
    format = models.CharField(max_length=10)
    rows = models.PositiveIntegerField()
    size = models.PositiveIntegerField()  # bytes
    digest = models.CharField(max_length=64)  # SHA-256

    class Meta:
        ordering = ["dataset", "format"]
        constraints = [
            models.UniqueConstraint(
                fields=["release", "dataset", "format"], name="released_file_once"
            )
        ]

    @property
    def file_name(self) -> str:
        return f"{self.dataset}.{self.format}"

    @property
    def path(self) -> Path:
        return self.release.folder / self.file_name
