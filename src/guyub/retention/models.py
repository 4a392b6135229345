"""How long records are kept, what may not go yet, and what was disposed of on whose word."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Schedule(models.Model):
    """For how many years one class of records (:mod:`guyub.retention.classes`) is kept, and why."""

    code = models.SlugField(max_length=40, unique=True)
    years = models.PositiveSmallIntegerField(_("disimpan berapa tahun"))
    basis = models.CharField(_("dasar masa simpan"), max_length=250)
    is_active = models.BooleanField(
        _("usulkan pemusnahan"),
        default=True,
        help_text=_("Bila tidak dicentang, tidak ada yang diusulkan untuk dimusnahkan."),
    )

    class Meta:
        ordering = ["code"]
        verbose_name = _("jadwal retensi")

    def __str__(self) -> str:
        from guyub.retention.classes import class_of

        return str(class_of(self.code).name)


class Hold(models.Model):
    """One record that is kept beyond its time, for a reason, until somebody lets it go."""

    code = models.SlugField(max_length=40)
    record_id = models.BigIntegerField()
    reason = models.CharField(_("alasan"), max_length=250)
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    placed_at = models.DateTimeField(_("ditahan sejak"), auto_now_add=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-placed_at", "-pk"]
        verbose_name = _("penahanan")
        constraints = [
            models.UniqueConstraint(
                fields=["code", "record_id"],
                condition=models.Q(lifted_at=None),
                name="one_hold_a_record",
            )
        ]


class State(models.TextChoices):
    """Where a disposal stands. Two people stand between a proposal and the worker."""

    PROPOSED = "proposed", _("Menunggu tinjauan")
    SUBMITTED = "submitted", _("Menunggu persetujuan orang kedua")
    APPROVED = "approved", _("Sedang dikerjakan")
    DONE = "done", _("Selesai dimusnahkan")
    DROPPED = "dropped", _("Dibatalkan")


OPEN = (State.PROPOSED, State.SUBMITTED, State.APPROVED)
REVIEWED = (State.PROPOSED, State.SUBMITTED)


class Disposal(models.Model):
    """Records of one class whose time is up: proposed, reviewed, approved by a second person, erased.

    ``years`` and ``basis`` are those of the schedule when it was proposed.
    """

    code = models.SlugField(max_length=40)
    years = models.PositiveSmallIntegerField(_("disimpan berapa tahun"))
    basis = models.CharField(_("dasar"), max_length=250)
    # Records dated before this day; null where a person asked for it.
    cutoff = models.DateField(_("sebelum tanggal"), null=True)
    oldest = models.DateField(_("tanggal tertua"), null=True)
    state = models.CharField(
        _("keadaan"), max_length=10, choices=State.choices, default=State.PROPOSED
    )
    proposed_at = models.DateTimeField(_("diusulkan"), auto_now_add=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    submitted_at = models.DateTimeField(_("ditinjau"), null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(_("disetujui"), null=True)
    finished_at = models.DateTimeField(_("selesai"), null=True)
    dropped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    drop_reason = models.CharField(_("alasan pembatalan"), max_length=250, blank=True)
    # files, versions, runs: how many files went or were written anew without the erased.
    outcome = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("pemusnahan")
        indexes = [models.Index(fields=["code", "state"], name="disposal_by_class")]

    def __str__(self) -> str:
        return f"{self.record_class.name} no. {self.pk}"

    @property
    def record_class(self) -> Any:
        from guyub.retention.classes import class_of

        return class_of(self.code)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_reviewed(self) -> bool:
        """Whether records can still be held back from it."""
        return self.state in REVIEWED


class ItemState(models.TextChoices):
    WAITING = "waiting", _("Akan dimusnahkan")
    HELD = "held", _("Ditahan")
    # Out of the database; its files still have to go.
    FILES = "files", _("Berkasnya sedang dihapus")
    DONE = "done", _("Dimusnahkan")
    SKIPPED = "skipped", _("Dilewati: masa simpannya belum habis lagi")


class Item(models.Model):
    """One record of a disposal, by its id alone: who it was about is not kept here."""

    disposal = models.ForeignKey(Disposal, models.CASCADE, related_name="items")
    record_id = models.BigIntegerField()
    dated = models.DateField(_("tanggal"), null=True)
    state = models.CharField(
        _("keadaan"), max_length=10, choices=ItemState.choices, default=ItemState.WAITING
    )
    # What is left to do for it: stored files by name, and sealed numbers to be taken out of lists that
    # lie in files. Emptied when that is done.
    files = models.JSONField(default=list)
    numbers = models.JSONField(default=list)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("isi pemusnahan")
        constraints = [
            models.UniqueConstraint(fields=["disposal", "record_id"], name="disposal_item_once")
        ]
        indexes = [models.Index(fields=["disposal", "state", "id"], name="disposal_item_by_state")]
