"""Talk: threads about records and between agencies, messages, who follows what, and notifications."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.access.roles import Role
from guyub.agencies.models import Agency


class Thread(models.Model):
    """The conversation about one record, known by its model and key.

    ``subject_type`` is a model's label (``obstacles.obstacle``), ``subject_id`` its key as text.
    """

    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=40)
    started_at = models.DateTimeField(_("dimulai"), auto_now_add=True)
    last_message_at = models.DateTimeField(_("pesan terakhir"), null=True, db_index=True)
    message_count = models.PositiveIntegerField(_("jumlah pesan"), default=0)

    class Meta:
        verbose_name = _("pembicaraan")
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id"], name="thread_once_a_record"
            )
        ]


class Conversation(models.Model):
    """A topic that agencies talk about among themselves; its thread is one about this record.

    The heads and operators of ``agencies`` take part, and always the secretariat.
    """

    topic = models.CharField(_("topik"), max_length=150)
    agencies = models.ManyToManyField(
        Agency, related_name="conversations", verbose_name=_("perangkat daerah")
    )
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    started_at = models.DateTimeField(_("dimulai"), auto_now_add=True)

    class Meta:
        verbose_name = _("pembicaraan antarperangkat daerah")

    def __str__(self) -> str:
        return self.topic


class Message(models.Model):
    """One message. ``agency`` and ``role`` are the author's at the time of writing."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(_("peran"), max_length=30, choices=Role.choices, default="")
    text = models.TextField(_("pesan"))
    written_at = models.DateTimeField(_("ditulis"), auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    # A withdrawn message leaves its place and loses its text.
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["written_at", "id"]
        verbose_name = _("pesan")
        indexes = [models.Index(fields=["thread", "id"], name="message_by_thread")]


def attachment_path(attachment: Any, file_name: str) -> str:
    """Name a stored file by a random part, never by what its sender called it."""
    return f"talk/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """A file that came with a message."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    file = models.FileField(_("berkas"), upload_to=attachment_path)
    name = models.CharField(_("nama"), max_length=150)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()  # bytes

    class Meta:
        ordering = ["id"]

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


class Following(models.Model):
    """A person follows a thread, having read it up to ``read_at`` (null: not at all yet)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="followings")
    read_at = models.DateTimeField(_("dibaca"), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "thread"], name="following_once_a_thread")
        ]


class Kind(models.TextChoices):
    """What a notification is about; people choose by kind what comes by e-mail."""

    MENTION = "mention", _("Anda disebut")
    MESSAGE = "message", _("Pesan baru")
    TASK = "task", _("Menunggu tindakan Anda")
    DUE = "due", _("Batas waktu")
    NEWS = "news", _("Kabar perubahan")


class Notification(models.Model):
    """Something that one person should know, with the address of the page about it.

    ``text`` holds no personal data of poor people: it travels by e-mail too.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.CharField(_("jenis"), max_length=10, choices=Kind.choices)
    text = models.CharField(_("kabar"), max_length=250)
    url = models.CharField(_("alamat"), max_length=250)
    created_at = models.DateTimeField(_("waktu"))
    read_at = models.DateTimeField(_("dibaca"), null=True, blank=True)
    # Since when nothing is waited for any more; only of those kinds that wait for something.
    settled_at = models.DateTimeField(_("selesai"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("dikirim"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("kabar")
        indexes = [
            models.Index(fields=["user", "read_at", "url"], name="notification_unread"),
            models.Index(fields=["user", "-created_at"], name="notification_newest"),
            models.Index(
                fields=["url"],
                condition=models.Q(kind__in=["task", "due"], settled_at=None),
                name="notification_waiting",
            ),
        ]


class MailMode(models.TextChoices):
    IMMEDIATE = "now", _("Segera, satu surel tiap kabar")
    DAILY = "daily", _("Rangkuman sekali sehari")
    NEVER = "never", _("Tidak lewat surel")


class Preference(models.Model):
    """How a person wants to be told by e-mail. Whoever has none gets the daily digest of all kinds."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preference"
    )
    mail = models.CharField(
        _("kabar lewat surel"), max_length=10, choices=MailMode.choices, default=MailMode.DAILY
    )
    # Kinds that never come by e-mail, as a list of codes.
    unmailed_kinds = models.JSONField(default=list, blank=True)
