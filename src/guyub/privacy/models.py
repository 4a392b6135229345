"""What UU 27/2022 asks of whoever keeps personal data: rights, the register, breaches."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.masking import mask_number
from guyub.access.sealed_fields import SealedNumberField
from guyub.registry.models import Person, Restriction, sixteen_digits
from guyub.retention.models import Disposal

# 3 x 24 hours: UU 27/2022 articles 30 and 32 (correcting, access), 40 and 41 (ending, restricting),
# 46 (telling of a breach).
LIMIT = dt.timedelta(hours=72)


def in_three_days() -> dt.datetime:
    return timezone.now() + LIMIT


class Contact(models.Model):
    """Whom citizens turn to; the one row behind the public notice."""

    officer = models.CharField(
        _("pejabat pelindungan data pribadi (PPDP)"), max_length=150, blank=True
    )
    office = models.CharField(_("kantor"), max_length=200, blank=True)
    email = models.EmailField(_("surel"), blank=True)
    phone = models.CharField(_("telepon"), max_length=40, blank=True)
    hours = models.CharField(_("jam layanan"), max_length=120, blank=True)

    def __str__(self) -> str:
        return self.officer


class Activity(models.Model):
    """One way in which personal data are processed: a line of the register (article 31)."""

    name = models.CharField(_("kegiatan"), max_length=150)
    purpose = models.TextField(_("tujuan"))
    legal_basis = models.TextField(_("dasar hukum"))
    data = models.TextField(_("data pribadi yang diproses"))
    subjects = models.CharField(_("siapa yang datanya diproses"), max_length=250)
    recipients = models.TextField(_("siapa yang menerima atau melihat"))
    retention_years = models.PositiveSmallIntegerField(_("disimpan berapa tahun"))
    retention_basis = models.CharField(_("dasar masa simpan"), max_length=250)
    safeguards = models.TextField(_("pengamanan"))

    class Meta:
        ordering = ["name"]
        verbose_name = _("kegiatan pemrosesan")

    def __str__(self) -> str:
        return self.name


class Right(models.TextChoices):
    """What a person may ask for."""

    ACCESS = "access", _("Meminta salinan data saya (Pasal 7)")
    CORRECT = "correct", _("Memperbaiki data yang salah atau kurang (Pasal 6)")
    RESTRICT = "restrict", _("Menunda atau membatasi pemakaian data (Pasal 11)")
    ERASE = "erase", _("Mengakhiri pemakaian, menghapus, atau memusnahkan data (Pasal 8)")


class RequestState(models.TextChoices):
    RECEIVED = "received", _("Diterima, menunggu pemeriksaan identitas")
    VERIFIED = "verified", _("Identitas sudah diperiksa, sedang dikerjakan")
    ANSWERED = "answered", _("Dijawab")
    REFUSED = "refused", _("Tidak dapat dipenuhi")


class Reminded(models.TextChoices):
    """The last reminder of a clock of 3 x 24 hours that went out."""

    BEFORE = "before", _("Sebelum batas waktu")
    LATE = "late", _("Setelah batas waktu")


OPEN = (RequestState.RECEIVED, RequestState.VERIFIED)


class SubjectRequest(models.Model):
    """A citizen uses a right over their own data."""

    right = models.CharField(_("permintaan"), max_length=10, choices=Right.choices)
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(_("nama lengkap"), max_length=150)
    nik = SealedNumberField(_("NIK"), validators=[sixteen_digits])
    contact = models.CharField(_("nomor HP atau surel"), max_length=100, blank=True)
    wish = models.TextField(_("uraian"), blank=True)
    at_desk = models.BooleanField(_("disampaikan di meja layanan"), default=False)
    received_at = models.DateTimeField(_("diterima"), default=timezone.now)
    due_at = models.DateTimeField(_("batas waktu"), default=in_three_days)
    state = models.CharField(
        _("keadaan"), max_length=10, choices=RequestState.choices, default=RequestState.RECEIVED
    )
    # Who they turned out to be; null when the registry does not know them.
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    verified_at = models.DateTimeField(null=True)
    identity = models.CharField(_("cara identitas diperiksa"), max_length=250, blank=True)
    answer = models.TextField(_("jawaban"), blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(_("dijawab"), null=True)
    # What granting it led to: the restriction placed, or when the registry was last corrected for it.
    restriction = models.ForeignKey(
        Restriction, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    corrected_at = models.DateTimeField(_("diperbaiki"), null=True, blank=True)
    # The erasure that a second person has to approve.
    disposal = models.ForeignKey(Disposal, models.SET_NULL, null=True, blank=True, related_name="+")
    # Which reminders of its due date have gone out.
    reminded = models.CharField(max_length=10, choices=Reminded.choices, blank=True)

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [models.Index(fields=["state", "due_at"], name="privacy_request_due")]
        verbose_name = _("permintaan pemilik data")

    def __str__(self) -> str:
        return f"{self.get_right_display()} no. {self.pk}"

    @property
    def masked_nik(self) -> str:
        return mask_number(self.nik)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_late(self) -> bool:
        return (self.closed_at or timezone.now()) > self.due_at

    @property
    def shown_code(self) -> str:
        return f"{self.code[:5]}-{self.code[5:]}"


class Breach(models.Model):
    """Personal data got out, were changed or lost: what was found, and who was told when."""

    title = models.CharField(_("kejadian"), max_length=150)
    found_at = models.DateTimeField(_("diketahui"))
    data = models.TextField(_("data pribadi yang terungkap"))
    how = models.TextField(_("kapan dan bagaimana terungkap"))
    people = models.PositiveIntegerField(_("perkiraan jumlah orang"), null=True, blank=True)
    handling = models.TextField(_("upaya penanganan dan pemulihan"))
    authority_told_at = models.DateTimeField(_("lembaga diberi tahu"), null=True, blank=True)
    subjects_told_at = models.DateTimeField(_("pemilik data diberi tahu"), null=True, blank=True)
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reminded = models.CharField(max_length=10, choices=Reminded.choices, blank=True)

    class Meta:
        ordering = ["-found_at"]
        verbose_name = _("kegagalan pelindungan data")

    def __str__(self) -> str:
        return self.title

    @property
    def due_at(self) -> dt.datetime:
        """By when the authority and the people concerned are told in writing."""
        return self.found_at + LIMIT

    @property
    def is_told(self) -> bool:
        return bool(self.authority_told_at and self.subjects_told_at)

    @property
    def is_late(self) -> bool:
        told = [self.authority_told_at, self.subjects_told_at]
        return any((moment or timezone.now()) > self.due_at for moment in told)
