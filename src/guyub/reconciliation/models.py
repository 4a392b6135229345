"""Bringing sources together: duplicates merged, rules of which source wins, and differences."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.areas.models import Area
from guyub.datasets.models import Dataset
from guyub.registry.models import Household, Origin, SubjectKind


class Merge(models.Model):
    """Two records that are one household or one person, made one.

    ``survivor_id`` and ``loser_id`` are the ids as they were then: a survivor may be merged further
    later. ``picked`` names the fields whose value came from the loser.
    """

    kind = models.CharField(_("jenis"), max_length=1, choices=SubjectKind.choices)
    survivor_id = models.BigIntegerField()
    loser_id = models.BigIntegerField()
    # Where the survivor lived then.
    village = models.ForeignKey(Area, models.PROTECT, related_name="+")
    picked = models.JSONField(default=list)
    reason = models.CharField(_("alasan"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("waktu"))
    # The merge of the households in the course of which two people were found to be one.
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField(_("dipisah lagi"), null=True, blank=True)
    undo_reason = models.CharField(_("alasan pemisahan"), max_length=300, blank=True)
    # Values edited since, which undoing left as they are: [model label, row id, field].
    kept = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("penggabungan")
        indexes = [
            models.Index(fields=["kind", "survivor_id"], name="merge_by_survivor"),
            models.Index(fields=["kind", "loser_id"], name="merge_by_loser"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.loser_id} → {self.survivor_id}"

    @property
    def area_code(self) -> str:
        return self.village.code


class MergedRow(models.Model):
    """One row that a merge changed: the values before and after, by field.

    Numbers of people and family cards never stand here: they stay with the record they belong to.
    """

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="rows")
    model = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["model", "row_id"], name="merged_row_by_record")]


class Mode(models.TextChoices):
    """How it is decided whose value of an attribute stands."""

    DEFAULT = "default", _("Seperti biasa: data acuan, lalu tanggal terbaru")
    RANKING = "ranking", _("Urutan sumber")
    NEWEST = "newest", _("Tanggal terbaru")
    ASK = "ask", _("Selalu diputuskan orang")


class SourceRule(models.Model):
    """Which source wins for one attribute. The highest number of an attribute is in force."""

    # A column of guyub.registry.flat.
    attribute = models.CharField(_("data"), max_length=30)
    number = models.PositiveIntegerField(_("versi"))
    mode = models.CharField(_("cara"), max_length=10, choices=Mode.choices)
    # Codes of datasets, strongest first; "manual" is what people enter.
    ranking = models.JSONField(_("urutan"), default=list)
    reason = models.CharField(_("alasan"), max_length=300)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    made_at = models.DateTimeField(_("ditetapkan"), auto_now_add=True)

    class Meta:
        ordering = ["attribute", "-number"]
        verbose_name = _("aturan sumber")
        constraints = [
            models.UniqueConstraint(fields=["attribute", "number"], name="source_rule_version")
        ]

    def __str__(self) -> str:
        return f"{self.attribute} v{self.number}"


class DifferenceState(models.TextChoices):
    """Where a difference stands."""

    OPEN = "open", _("Menunggu putusan")
    VERIFY = "verify", _("Ditanyakan ke desa")
    SETTLED = "settled", _("Diputuskan")
    # The list on which the losing value stood says otherwise by now.
    MENDED = "mended", _("Daftar sudah diperbaiki")
    GONE = "gone", _("Tidak berbeda lagi")


WAITING = (DifferenceState.OPEN, DifferenceState.VERIFY)


class Side(models.TextChoices):
    """Whose value stands: the registry's, or that of the list."""

    OURS = "ours", _("Isi registri")
    THEIRS = "theirs", _("Isi daftar")


class Difference(models.Model):
    """A dataset's newest list says otherwise than the registry about one value.

    ``ours`` is the registry's value, which came from ``our_origin``; ``theirs`` the list's. Both are
    text as :class:`guyub.registry.models.ValueChange` keeps it.
    """

    kind = models.CharField(max_length=1, choices=SubjectKind.choices)
    subject_id = models.BigIntegerField()
    household = models.ForeignKey(Household, models.CASCADE, related_name="differences")
    village = models.ForeignKey(Area, models.PROTECT, related_name="+", db_index=False)
    district = models.ForeignKey(Area, models.PROTECT, related_name="+", db_index=False)
    field = models.CharField(_("data"), max_length=30)  # a column of guyub.registry.flat
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="differences", db_index=False)
    theirs = models.TextField(_("isi daftar"))
    their_as_of = models.DateField()
    ours = models.TextField(_("isi registri"))
    our_origin = models.ForeignKey(Origin, models.PROTECT, related_name="+", db_index=False)
    # Of the origin; null where somebody entered the value.
    our_dataset = models.ForeignKey(
        Dataset, models.PROTECT, null=True, related_name="+", db_index=False
    )
    our_as_of = models.DateField()
    # By the rule in force; empty where people decide.
    suggested = models.CharField(max_length=6, choices=Side.choices, blank=True)
    why = models.CharField(max_length=12)
    state = models.CharField(
        _("keadaan"), max_length=8, choices=DifferenceState.choices, default=DifferenceState.OPEN
    )
    winner = models.CharField(_("yang berlaku"), max_length=6, choices=Side.choices, blank=True)
    reason = models.CharField(_("alasan"), max_length=300, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    settled_at = models.DateTimeField(_("diputuskan"), null=True)
    mended_at = models.DateTimeField(_("diperbaiki"), null=True)
    found_at = models.DateTimeField(_("ditemukan"))

    class Meta:
        verbose_name = _("perbedaan")
        constraints = [
            models.UniqueConstraint(
                fields=["subject_id", "kind", "field", "dataset"], name="difference_once"
            )
        ]
        indexes = [
            models.Index(fields=["state", "id"], name="difference_by_state"),
            models.Index(fields=["state", "district", "id"], name="difference_by_district"),
            models.Index(fields=["state", "village", "id"], name="difference_by_village"),
            models.Index(fields=["state", "field", "id"], name="difference_by_field"),
            models.Index(fields=["dataset", "state", "id"], name="difference_by_dataset"),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.dataset_id}"

    @property
    def area_code(self) -> str:
        return self.village.code

    @property
    def is_waiting(self) -> bool:
        return self.state in WAITING


class DetectionState(models.TextChoices):
    WORKING = "working", _("Sedang dihitung")
    DONE = "done", _("Selesai")
    FAILED = "failed", _("Gagal")


class Detection(models.Model):
    """One comparison of all newest lists with the registry."""

    state = models.CharField(
        _("status"), max_length=8, choices=DetectionState.choices, default=DetectionState.WORKING
    )
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # found: differing values; new, returned, gone, mended: what changed.
    counts = models.JSONField(default=dict)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    started_at = models.DateTimeField(_("dimulai"))
    finished_at = models.DateTimeField(_("selesai"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("perbandingan sumber")

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.done / self.total)) if self.total else 0
