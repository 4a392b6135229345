"""Other systems that talk with Guyub: their tokens, what they did, and writes they may repeat."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency


class TokenState(models.TextChoices):
    ACTIVE = "active", _("Berlaku")
    EXPIRED = "expired", _("Kedaluwarsa")
    REVOKED = "revoked", _("Dicabut")


class ApiToken(models.Model):
    """The key of one system of one agency. Only its hash is kept; the key is shown once."""

    agency = models.ForeignKey(
        Agency, models.PROTECT, related_name="api_tokens", verbose_name=_("perangkat daerah")
    )
    name = models.CharField(_("nama sistem"), max_length=80)
    purpose = models.CharField(_("kegunaan"), max_length=250)
    # The open part of the key, by which it is found.
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(_("cakupan"), default=list)
    per_minute = models.PositiveIntegerField(_("panggilan per menit"), default=120)
    # Networks in CIDR notation; none means from anywhere.
    networks = models.JSONField(_("alamat jaringan"), default=list, blank=True)
    expires_at = models.DateTimeField(_("berlaku sampai"))
    # Stands for the system wherever a record says who did it.
    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("dicabut"), null=True, blank=True)
    revoke_reason = models.CharField(_("alasan pencabutan"), max_length=250, blank=True)
    last_used_at = models.DateTimeField(_("terakhir dipakai"), null=True, blank=True)
    # Calls within the running minute, counted in Unix minutes.
    minute = models.BigIntegerField(default=0, editable=False)
    calls = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("token")

    def __str__(self) -> str:
        return self.name

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id

    @property
    def state(self) -> TokenState:
        if self.revoked_at is not None:
            return TokenState.REVOKED
        return TokenState.EXPIRED if self.expires_at <= timezone.now() else TokenState.ACTIVE

    @property
    def ends_soon(self) -> bool:
        return self.state == TokenState.ACTIVE and self.expires_at <= timezone.now() + dt.timedelta(
            days=30
        )


class TokenUse(models.Model):
    """How often a token called an operation on a day."""

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="uses")
    day = models.DateField()
    # "GET /api/v1/programs"; numbers and codes in paths are left out.
    operation = models.CharField(max_length=120)
    calls = models.PositiveIntegerField(default=0)
    # Of them, answered with 4xx or 5xx.
    refused = models.PositiveIntegerField(default=0)
    # Whether the day's sum stands in the audit log.
    is_logged = models.BooleanField(default=False)

    class Meta:
        ordering = ["-day", "operation"]
        constraints = [
            models.UniqueConstraint(fields=["token", "day", "operation"], name="one_use_a_day")
        ]


class KeptAnswer(models.Model):
    """What a write with an ``Idempotency-Key`` was answered, so that its repeat writes nothing."""

    # "t12" for a token, "u7" for a signed-in user.
    owner = models.CharField(max_length=24)
    key = models.CharField(max_length=120)
    # SHA-256 over method, path and body.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    content_type = models.CharField(max_length=100, blank=True)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="one_answer_per_key")]
