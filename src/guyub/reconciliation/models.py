"""Bringing sources together: duplicates merged, with a journal that undoes it exactly."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.areas.models import Area
from guyub.registry.models import SubjectKind


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
