"""The audit log: one row per write, reveal, export and sign-in, each sealed to the one before."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One thing that somebody did.

    Rows are never updated or deleted: database triggers refuse it, and ``seal`` (an HMAC over this
    row and the previous seal) shows it if someone gets round them. There are no foreign keys, so
    that the log outlives whatever it speaks of. ``detail`` names fields and counts, never personal
    values.
    """

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(_("waktu"), db_index=True)
    actor_id = models.BigIntegerField(null=True, db_index=True)
    actor_name = models.CharField(_("pelaku"), max_length=200)
    actor_role = models.CharField(_("peran"), max_length=30, blank=True)
    action = models.CharField(_("tindakan"), max_length=80, db_index=True)
    subject_type = models.CharField(_("jenis objek"), max_length=80, blank=True)
    subject_id = models.CharField(_("objek"), max_length=80, blank=True)
    reason = models.TextField(_("alasan"), blank=True)
    detail = models.JSONField(_("rincian"), default=dict)
    address = models.CharField(_("alamat IP"), max_length=45, blank=True)
    previous_seal = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    class Meta:
        ordering = ["-sequence"]
        indexes = [models.Index(fields=["subject_type", "subject_id"])]
        verbose_name = _("jejak audit")

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"


class ChainHead(models.Model):
    """The newest link: the single row that writers lock, so that the chain never forks."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    seal = models.CharField(max_length=64, default="0" * 64)
