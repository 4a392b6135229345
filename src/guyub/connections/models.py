"""Other systems that talk with Guyub: their tokens, what they did, and writes they may repeat."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.connections.minimising import all_groups


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
    # The key before the last change still opens until then, so that the system can be given the new one.
    former_digest = models.CharField(max_length=64, blank=True, editable=False)
    former_until = models.DateTimeField(_("kunci lama berlaku sampai"), null=True, blank=True)
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
    def has_former_key(self) -> bool:
        """Whether the key before the last change still opens."""
        return self.former_until is not None and self.former_until > timezone.now()

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


class Subscription(models.Model):
    """A system of an agency wants to be told of events at its address."""

    agency = models.ForeignKey(
        Agency, models.PROTECT, related_name="+", verbose_name=_("perangkat daerah")
    )
    url = models.CharField(_("alamat penerima"), max_length=500)
    events = models.JSONField(_("kejadian"), default=list)
    # Sealed: it signs every message, so it has to be read again.
    secret = models.TextField()
    is_active = models.BooleanField(_("aktif"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("langganan kabar")

    def __str__(self) -> str:
        return self.url

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Menunggu")
    DELIVERED = "delivered", _("Terkirim")
    GIVEN_UP = "given_up", _("Gagal")


class Delivery(models.Model):
    """A message in the outbox: written with what it tells of, sent by the worker."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40, unique=True)
    event = models.CharField(_("kejadian"), max_length=40)
    # Exactly the bytes that are signed and sent; without personal data.
    body = models.TextField()
    state = models.CharField(
        _("keadaan"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING
    )
    tries = models.PositiveSmallIntegerField(_("percobaan"), default=0)
    next_at = models.DateTimeField(_("dicoba lagi"))
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True, db_index=True)
    delivered_at = models.DateTimeField(_("terkirim"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("kiriman")
        indexes = [models.Index(fields=["state", "next_at"], name="delivery_by_next_try")]

    @property
    def owning_agency_id(self) -> int:
        return self.subscription.agency_id


class Attempt(models.Model):
    """One try to send a message: what was answered, or why nothing was."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField(auto_now_add=True)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=250, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pk"]

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def said(self) -> str:
        """What the answer means, in words."""
        if self.status is None:
            return self.error
        if self.status in SAID:
            return str(SAID[self.status])
        return str(next(text for first, text in KINDS_SAID if self.status >= first))


# What receivers' answers mean to whoever has to mend it.
SAID: dict[int, Any] = {
    401: _("penerima menolak: tidak dikenali"),
    403: _("penerima menolak: dilarang"),
    404: _("alamat itu tidak ada di penerima"),
    410: _("penerima tidak ingin dikabari lagi"),
    429: _("penerima kewalahan"),
}
KINDS_SAID: tuple[tuple[int, Any], ...] = (
    (500, _("galat di pihak penerima")),
    (400, _("penerima menolak kiriman ini")),
    (300, _("penerima mengalihkan ke alamat lain; tulis alamat barunya")),
    (200, _("diterima")),
    (0, _("jawaban yang tidak dikenal")),
)


class Partner(models.Model):
    """A system that searches the registry by the social registry standard of DCI (SPDCI)."""

    name = models.CharField(_("nama"), max_length=120)
    # How its messages name it, and how ours name it as receiver.
    sender_id = models.CharField(_("sender_id"), max_length=120, unique=True)
    # Whose tokens it comes with.
    agency = models.ForeignKey(
        Agency, models.PROTECT, related_name="+", verbose_name=_("perangkat daerah")
    )
    # Public keys (JWK) that its messages are signed with and, with ``use: enc``, that ours are
    # encrypted to.
    keys = models.JSONField(_("kunci publik"), default=list)
    # Where it publishes its keys as a JWK set; empty where they were pasted in.
    keys_url = models.CharField(_("alamat kunci publik"), max_length=500, blank=True)
    keys_read_at = models.DateTimeField(_("kunci dibaca"), null=True, blank=True)
    # Where answers to asynchronous messages go; empty where it only searches synchronously.
    callback = models.CharField(_("alamat jawaban"), max_length=500, blank=True)
    # What it uses the data for, as agreed with it.
    purpose = models.CharField(_("tujuan"), max_length=250, blank=True)
    # Codes of purposes for which it may see full numbers; none means that any stated purpose will do.
    purpose_codes = models.JSONField(_("kode tujuan"), default=list, blank=True)
    # Names of the groups of fields that it is given (``minimising.GROUPS``).
    shares = models.JSONField(_("data yang diberikan"), default=all_groups)
    # Districts and villages whose households it is given; none means the whole regency.
    areas = models.ManyToManyField(Area, related_name="+", blank=True, verbose_name=_("wilayah"))
    is_active = models.BooleanField(_("aktif"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("mitra")

    def __str__(self) -> str:
        return self.name


class ExchangeKind(models.TextChoices):
    SEARCH = "search", _("Pencarian")
    SUBSCRIBE = "subscribe", _("Berlangganan")
    UNSUBSCRIBE = "unsubscribe", _("Berhenti berlangganan")
    STATUS = "status", _("Tanya keadaan")


class ExchangeState(models.TextChoices):
    WAITING = "waiting", _("Menunggu")
    DONE = "done", _("Dijawab")
    GIVEN_UP = "given_up", _("Gagal")


class Exchange(models.Model):
    """One message of a partner and how far its answer is."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="exchanges")
    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="+")
    kind = models.CharField(
        _("jenis"), max_length=12, choices=ExchangeKind.choices, default=ExchangeKind.SEARCH
    )
    message_id = models.CharField(max_length=120)
    transaction_id = models.CharField(max_length=99, db_index=True)
    correlation_id = models.CharField(max_length=40, unique=True)
    is_async = models.BooleanField(default=False)
    is_encrypted = models.BooleanField(_("terenkripsi"), default=False)
    state = models.CharField(max_length=10, choices=ExchangeState.choices)
    # The message while it waits, sealed: it may hold NIK. Empty once it is answered.
    request = models.TextField(blank=True)
    # Per reference_id: status, reason and how many records; no record itself.
    results = models.JSONField(default=list)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("pertukaran")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "message_id"], name="one_exchange_per_message"
            )
        ]


class Watch(models.Model):
    """A partner wants to be told of households that are new, change or end: a subscription of SPDCI."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="watches")
    # Its calls were let in by it; when it ends, the partner is told nothing more.
    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="+")
    code = models.CharField(_("kode"), max_length=40, unique=True)
    reference_id = models.CharField(max_length=99)
    event = models.CharField(_("kejadian"), max_length=30)
    # ``filter`` and ``authorize`` as sent, sealed: a filter may hold a NIK.
    criteria = models.TextField()
    # SHA-256 over event, criteria and entity, by which a repeat is noticed.
    fingerprint = models.CharField(max_length=64)
    # Attributes that the filter asks by; never their values.
    asked_by = models.JSONField(default=list)
    entity = models.CharField(max_length=10)
    purpose = models.CharField(_("tujuan"), max_length=500, blank=True)
    starts_at = models.DateTimeField(_("mulai"))
    ends_at = models.DateTimeField(_("sampai"), null=True, blank=True)
    ended_at = models.DateTimeField(_("berhenti"), null=True, blank=True)
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("langganan mitra")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "fingerprint"],
                condition=models.Q(ended_at=None),
                name="one_watch_of_a_kind",
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_running(self) -> bool:
        now = timezone.now()
        return self.ended_at is None and (self.ends_at is None or self.ends_at > now)


class RegistryChange(models.Model):
    """Households that changed and partners are still to be told of: one, or all of a span of time.

    Written within the transaction that changed them, dropped when the notices are in the outbox.
    """

    # One household; else all whose ``updated_at`` lies between ``since`` and ``until``.
    household_id = models.BigIntegerField(null=True)
    event = models.CharField(max_length=30)
    since = models.DateTimeField()
    until = models.DateTimeField()
    # The last household looked at, where it is many.
    position = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["pk"]


class Notice(models.Model):
    """A notification to a partner in the outbox. It names households; their data are read when it goes."""

    watch = models.ForeignKey(Watch, models.CASCADE, related_name="notices")
    message_id = models.CharField(max_length=40, unique=True)
    # {household id: event}
    households = models.JSONField()
    state = models.CharField(
        _("keadaan"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING
    )
    # Records that were in fact handed over: those that had left the partner's scope are not.
    told = models.PositiveIntegerField(_("data"), default=0)
    tries = models.PositiveSmallIntegerField(_("percobaan"), default=0)
    next_at = models.DateTimeField(_("dicoba lagi"), null=True)
    error = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True, db_index=True)
    sent_at = models.DateTimeField(_("terkirim"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("pemberitahuan")
        indexes = [models.Index(fields=["state", "next_at"], name="notice_by_next_try")]
