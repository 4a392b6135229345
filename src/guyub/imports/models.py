"""Import runs: one uploaded file on its way into a dataset and the registry."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guyub.datasets.models import Dataset, Version


class State(models.TextChoices):
    """Where a run stands. Only ``APPLYING`` writes to the registry, in one transaction."""

    MAPPING = "mapping", _("Menunggu pencocokan kolom")
    CHECKING = "checking", _("Sedang diperiksa")
    CHECKED = "checked", _("Menunggu persetujuan")
    APPLYING = "applying", _("Sedang diterapkan")
    DONE = "done", _("Selesai")
    FAILED = "failed", _("Gagal")
    CANCELLED = "cancelled", _("Dibatalkan")


WORKING = (State.CHECKING, State.APPLYING)
OPEN = (State.MAPPING, State.CHECKING, State.CHECKED, State.APPLYING)


class Extent(models.TextChoices):
    """What the file's silence about somebody means."""

    WHOLE = "whole", _("Daftar lengkap: yang tidak tercantum dianggap keluar dari daftar")
    PART = "part", _("Tambahan/perubahan: yang tidak tercantum tetap seperti semula")


class ImportRun(models.Model):
    """One file. Its bulk data lies in ``<DATA_DIR>/imports/<id>/`` (:mod:`guyub.imports.folder`)."""

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="import_runs")
    as_of = models.DateField(_("per tanggal"))
    extent = models.CharField(
        _("cakupan berkas"), max_length=10, choices=Extent.choices, default=Extent.WHOLE
    )
    file_name = models.CharField(_("nama berkas"), max_length=250)
    size = models.BigIntegerField(_("ukuran"))  # bytes
    digest = models.CharField(max_length=64)  # SHA-256 of the file
    state = models.CharField(
        _("status"), max_length=10, choices=State.choices, default=State.MAPPING, db_index=True
    )
    # What reading the file's head showed: encoding, delimiter, sheet, header rows, columns, sample.
    layout = models.JSONField(default=dict)
    # {"column position": "field"} as the user confirmed it.
    mapping = models.JSONField(default=dict)
    # Results of checking and applying; see services.
    counts = models.JSONField(default=dict)
    error = models.TextField(_("kesalahan"), blank=True)
    # Renewed while a worker is busy on the run. A run whose beat has gone quiet is taken up again.
    beat_at = models.DateTimeField(null=True)
    version = models.OneToOneField(
        Version, models.PROTECT, null=True, blank=True, related_name="import_run"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("diunggah"), auto_now_add=True)
    finished_at = models.DateTimeField(_("selesai"), null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("impor")

    def __str__(self) -> str:
        return self.file_name

    @property
    def owning_agency_id(self) -> int:
        return self.dataset.owner_id

    @property
    def is_working(self) -> bool:
        return self.state in WORKING

    @property
    def is_all_rejected(self) -> bool:
        """Whether the check left nothing that could be applied."""
        return self.state == State.CHECKED and not self.counts.get("accepted")

    @property
    def state_label(self) -> str:
        """Where the run stands, in the user's words."""
        return gettext("Semua baris ditolak") if self.is_all_rejected else self.get_state_display()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class RememberedMapping(models.Model):
    """How the columns of a dataset's files were mapped last time, by their set of headings."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="remembered_mappings")
    signature = models.CharField(max_length=64)  # SHA-256 of the headings in order
    mapping = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "signature"], name="one_mapping_per_headings"
            )
        ]
