"""One agency asks another for data: the request, what was granted, and each time it was handed over."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.datasets.models import Dataset, Version


class RequestState(models.TextChoices):
    OPEN = "open", _("Menunggu jawaban")
    GRANTED = "granted", _("Diberikan")
    REFUSED = "refused", _("Ditolak")
    WITHDRAWN = "withdrawn", _("Ditarik")


class DataRequest(models.Model):
    """An agency asks the owner of a dataset for it."""

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="requests")
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="data_requests")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("diminta"), default=timezone.now)
    # By when the owner should answer.
    due_on = models.DateField(_("batas jawaban"))
    purpose = models.TextField(_("tujuan"))
    legal_basis = models.CharField(_("dasar hukum"), max_length=250)
    columns = models.JSONField(_("kolom"), default=list)
    area = models.ForeignKey(
        Area, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("wilayah")
    )
    with_numbers = models.BooleanField(_("NIK dan KK lengkap"), default=False)
    wanted_until = models.DateField(_("dipakai sampai"))
    state = models.CharField(
        _("keadaan"), max_length=10, choices=RequestState.choices, default=RequestState.OPEN
    )
    answered_at = models.DateTimeField(_("dijawab"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answer = models.TextField(_("jawaban"), blank=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]
        verbose_name = _("permintaan data")
        indexes = [models.Index(fields=["state", "due_on"], name="data_request_by_due_date")]

    def __str__(self) -> str:
        return _("%(agency)s meminta %(dataset)s") % {
            "agency": self.agency,
            "dataset": self.dataset,
        }

    @property
    def owning_agency_id(self) -> int:
        """The owner of the dataset, who has to answer."""
        return self.dataset.owner_id

    @property
    def is_overdue(self) -> bool:
        return self.state == RequestState.OPEN and self.due_on < timezone.localdate()

    @property
    def response_time(self) -> dt.timedelta | None:
        """How long the owner took; ``None`` while there is no answer."""
        if self.answered_at is None or self.state == RequestState.WITHDRAWN:
            return None
        return self.answered_at - self.asked_at


class OwnRequest(DataRequest):
    """The same request from the side of the agency that asked."""

    class Meta:
        proxy = True

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class Grant(models.Model):
    """What the owner granted, until when. The newest version of the list may be taken while it holds."""

    request = models.OneToOneField(DataRequest, models.CASCADE, related_name="grant")
    columns = models.JSONField(_("kolom"), default=list)
    area = models.ForeignKey(
        Area, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("wilayah")
    )
    with_numbers = models.BooleanField(_("NIK dan KK lengkap"), default=False)
    ends_on = models.DateField(_("berlaku sampai"))
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoke_reason = models.CharField(_("alasan pencabutan"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("izin data")

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None and self.ends_on >= timezone.localdate()


class Handover(models.Model):
    """A granted list was taken: which version, how many rows."""

    grant = models.ForeignKey(Grant, models.CASCADE, related_name="handovers")
    version = models.ForeignKey(Version, models.PROTECT, related_name="+")
    rows = models.PositiveIntegerField(_("baris"))
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(_("diambil"), default=timezone.now)

    class Meta:
        ordering = ["-taken_at"]
        verbose_name = _("penyerahan")
