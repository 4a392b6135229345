"""What the installation remembers about itself: signs of life, backups, and what was used up of limits."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Sign(models.Model):
    """The last time that something which must go on was seen to, such as a worker or a check.

    One row per thing, written over. ``detail`` holds counts and names of jobs, never personal values.
    """

    name = models.CharField(max_length=120, primary_key=True)
    at = models.DateTimeField()
    is_good = models.BooleanField(default=True)
    detail: Any = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("tanda hidup")

    def __str__(self) -> str:
        return self.name


class Backup(models.Model):
    """One try at a backup, whether or not it came to a file."""

    started_at = models.DateTimeField(_("mulai"), db_index=True)
    seconds = models.FloatField(_("lama (detik)"), default=0)
    file_name = models.CharField(_("berkas"), max_length=120, blank=True)
    size = models.BigIntegerField(_("ukuran (bita)"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    # Empty when it came off; else the kind of the failure, never its text.
    failure = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = _("cadangan")

    def __str__(self) -> str:
        return self.file_name or self.failure


class Allowance(models.Model):
    """How much of a rate limit somebody has used up in one stretch of time."""

    key = models.CharField(max_length=120, primary_key=True)
    used = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("jatah permintaan")

    def __str__(self) -> str:
        return self.key
