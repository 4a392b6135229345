"""Coordination meetings: agenda, who comes and may decide, decisions, and what follows from them."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency


def new_secret() -> str:
    return secrets.token_urlsafe(24)


class MeetingState(models.TextChoices):
    PLANNED = "planned", _("Direncanakan")
    INVITED = "invited", _("Undangan terkirim")
    RUNNING = "running", _("Berlangsung")
    CLOSED = "closed", _("Selesai")
    CANCELLED = "cancelled", _("Batal")


class Meeting(models.Model):
    """One meeting of the coordination team (*rapat koordinasi TKPKD*)."""

    title = models.CharField(_("judul"), max_length=150)
    purpose = models.TextField(_("tujuan"), blank=True)
    starts_at = models.DateTimeField(_("mulai"))
    ends_at = models.DateTimeField(_("selesai"))
    place = models.CharField(_("tempat"), max_length=200)
    online_url = models.URLField(_("tautan daring"), blank=True)
    chair = models.CharField(_("pemimpin rapat"), max_length=120, blank=True)
    # Until when agencies are asked for written input.
    input_due_on = models.DateField(_("batas masukan tertulis"))
    # Share of the invited agencies that must be there with somebody who can decide.
    quorum_percent = models.PositiveSmallIntegerField(
        _("kuorum (%)"), default=51, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    # Days that an absent head has to ratify before the regent is asked.
    ratify_days = models.PositiveSmallIntegerField(
        _("hari untuk mengesahkan"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    state = models.CharField(
        _("keadaan"), max_length=10, choices=MeetingState.choices, default=MeetingState.PLANNED
    )
    # Signs the check-in code that the QR on the wall carries.
    secret = models.CharField(max_length=40, default=new_secret, editable=False)
    # Rises with every change sent out, so that calendars know the newest invitation.
    sequence = models.PositiveIntegerField(default=0, editable=False)
    invited_at = models.DateTimeField(_("diundang"), null=True, blank=True)
    opened_at = models.DateTimeField(_("dibuka"), null=True, blank=True)
    closed_at = models.DateTimeField(_("ditutup"), null=True, blank=True)
    notes = models.TextField(_("jalannya rapat"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = _("rapat")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="meeting_ends_after_start",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open_for_changes(self) -> bool:
        return self.state not in (MeetingState.CLOSED, MeetingState.CANCELLED)


class Topic(models.TextChoices):
    """Where an agenda item came from."""

    OBSTACLE = "obstacle", _("Kendala")
    OVERLAP = "overlap", _("Tumpang tindih")
    LATE_REPORT = "late_report", _("Laporan terlambat")
    STALE_DATA = "stale_data", _("Data usang")
    ACTION = "action", _("Tindak lanjut rapat lalu")
    OTHER = "other", _("Lainnya")


class AgendaItem(models.Model):
    """One point to be talked about and decided."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="agenda")
    position = models.PositiveSmallIntegerField(_("urutan"))
    topic = models.CharField(_("jenis"), max_length=12, choices=Topic.choices, default=Topic.OTHER)
    title = models.CharField(_("pokok bahasan"), max_length=200)
    description = models.TextField(_("uraian"), blank=True)
    # What the item is about, so that filling the agenda again does not repeat it.
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=40, blank=True)
    url = models.CharField(max_length=200, blank=True)
    # The agencies whose consent a decision on this item needs; none means all that are invited.
    agencies = models.ManyToManyField(
        Agency, blank=True, related_name="+", verbose_name=_("perangkat daerah terkait")
    )

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("agenda")
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "subject_type", "subject_id"],
                condition=~models.Q(subject_type=""),
                name="agenda_subject_once",
            )
        ]

    def __str__(self) -> str:
        return self.title


class Reply(models.TextChoices):
    NONE = "none", _("Belum menjawab")
    ATTEND = "attend", _("Kepala hadir sendiri")
    DELEGATE = "delegate", _("Mewakilkan")
    DECLINE = "decline", _("Tidak hadir")


class MandateScope(models.TextChoices):
    """What a delegate may decide in the head's name."""

    NOTHING = "nothing", _("Hanya mendengar dan melaporkan")
    ITEMS = "items", _("Memutuskan pokok bahasan tertentu")
    ALL = "all", _("Memutuskan semua pokok bahasan")


class Invitation(models.Model):
    """An agency's head is asked to come, and answers: in person, or by a delegate with a mandate."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="invitations")
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="invitations")
    reply = models.CharField(_("jawaban"), max_length=10, choices=Reply.choices, default=Reply.NONE)
    replied_at = models.DateTimeField(null=True, blank=True)
    replied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decline_reason = models.CharField(_("alasan"), max_length=250, blank=True)
    delegate_name = models.CharField(_("nama wakil"), max_length=120, blank=True)
    delegate_position = models.CharField(_("jabatan wakil"), max_length=120, blank=True)
    mandate_scope = models.CharField(
        _("wewenang wakil"), max_length=10, choices=MandateScope.choices, blank=True
    )
    mandate_items = models.ManyToManyField(
        AgendaItem,
        blank=True,
        related_name="+",
        verbose_name=_("pokok bahasan yang boleh diputuskan"),
    )
    mandate_limits = models.TextField(_("batas wewenang"), blank=True)
    # Printed on the mandate letter, so that whoever holds it can check it against Guyub.
    mandate_code = models.CharField(max_length=12, blank=True)
    mandate_signed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["agency__name"]
        verbose_name = _("undangan")
        constraints = [
            models.UniqueConstraint(fields=["meeting", "agency"], name="invitation_once")
        ]

    def __str__(self) -> str:
        return f"{self.agency} · {self.meeting}"

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class WrittenInput(models.Model):
    """What an agency has to say before the meeting, on any item, also outside its own duties."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="inputs")
    item = models.ForeignKey(
        AgendaItem,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="inputs",
        verbose_name=_("pokok bahasan"),
    )
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(_("masukan"))
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["written_at"]
        verbose_name = _("masukan tertulis")

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class Capacity(models.TextChoices):
    """As what somebody sits in the meeting."""

    HEAD = "head", _("Kepala")
    DELEGATE = "delegate", _("Wakil")
    COMPANION = "companion", _("Pendamping")
    GUEST = "guest", _("Tamu")


class Attendance(models.Model):
    """Somebody was there, as their own telephone or the secretariat says."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="attendances")
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    name = models.CharField(_("nama"), max_length=120)
    position = models.CharField(_("jabatan"), max_length=120, blank=True)
    capacity = models.CharField(_("sebagai"), max_length=10, choices=Capacity.choices)
    by_qr = models.BooleanField(_("lewat QR"), default=False)
    arrived_at = models.DateTimeField(_("hadir pukul"), default=timezone.now)

    class Meta:
        ordering = ["arrived_at"]
        verbose_name = _("kehadiran")
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "user"],
                condition=~models.Q(user=None),
                name="attendance_once_a_user",
            ),
            # An agency has one voice.
            models.UniqueConstraint(
                fields=["meeting", "agency"],
                condition=models.Q(capacity__in=["head", "delegate"]),
                name="one_voice_an_agency",
            ),
        ]


class DecisionState(models.TextChoices):
    ADOPTED = "adopted", _("Berlaku")
    PENDING = "pending", _("Menunggu pengesahan")
    ESCALATED = "escalated", _("Menunggu Bupati")
    REJECTED = "rejected", _("Tidak disepakati")


class Decision(models.Model):
    """Something decided. It holds once every agency it needs has consented."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="decisions")
    item = models.ForeignKey(AgendaItem, models.PROTECT, related_name="decisions")
    number = models.PositiveSmallIntegerField(_("nomor"))
    text = models.TextField(_("keputusan"))
    state = models.CharField(_("keadaan"), max_length=10, choices=DecisionState.choices)
    decided_at = models.DateTimeField(_("diputuskan"))
    ratify_by = models.DateField(_("batas pengesahan"), null=True, blank=True)
    # When it came to hold, or was turned down.
    settled_at = models.DateTimeField(null=True, blank=True)
    regent_note = models.TextField(_("arahan Bupati"), blank=True)

    class Meta:
        ordering = ["meeting_id", "number"]
        verbose_name = _("keputusan")
        constraints = [
            models.UniqueConstraint(fields=["meeting", "number"], name="decision_number")
        ]
        indexes = [models.Index(fields=["state", "ratify_by"], name="decision_by_ratify_date")]

    def __str__(self) -> str:
        return f"{self.number}. {self.text[:80]}"


class Stance(models.TextChoices):
    AGREED = "agreed", _("Setuju")
    OBJECTED = "objected", _("Keberatan")
    AWAITED = "awaited", _("Ditunggu pengesahannya")
    OVERRULED = "overruled", _("Diputus Bupati")


class Consent(models.Model):
    """Where one agency stands on one decision, and by whose word."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="consents")
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="+")
    stance = models.CharField(_("sikap"), max_length=10, choices=Stance.choices)
    # In the room, or afterwards by ratification.
    on_the_day = models.BooleanField(default=False)
    by_delegate = models.BooleanField(default=False)
    note = models.TextField(_("catatan"), blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["agency__name"]
        verbose_name = _("sikap")
        constraints = [
            models.UniqueConstraint(fields=["decision", "agency"], name="consent_once_an_agency")
        ]

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class ActionState(models.TextChoices):
    OPEN = "open", _("Belum selesai")
    DONE = "done", _("Selesai")
    DROPPED = "dropped", _("Tidak dilanjutkan")


class ActionItem(models.Model):
    """Something to be done by one agency by a date, because of a decision."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="actions")
    decision = models.ForeignKey(
        Decision, models.PROTECT, null=True, blank=True, related_name="actions"
    )
    text = models.CharField(_("tindak lanjut"), max_length=250)
    agency = models.ForeignKey(
        Agency, models.PROTECT, related_name="meeting_actions", verbose_name=_("penanggung jawab")
    )
    due_on = models.DateField(_("batas waktu"))
    state = models.CharField(
        _("keadaan"), max_length=8, choices=ActionState.choices, default=ActionState.OPEN
    )
    done_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["due_on", "id"]
        verbose_name = _("tindak lanjut")
        indexes = [models.Index(fields=["state", "due_on"], name="action_by_due_date")]

    def __str__(self) -> str:
        return self.text

    @property
    def is_overdue(self) -> bool:
        return self.state == ActionState.OPEN and self.due_on < timezone.localdate()

    @property
    def owning_agency_id(self) -> int:
        return self.agency_id


class ActionUpdate(models.Model):
    """What an agency says it has done about an action item."""

    action = models.ForeignKey(ActionItem, models.CASCADE, related_name="updates")
    text = models.TextField(_("kemajuan"))
    state = models.CharField(max_length=8, choices=ActionState.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "id"]
