"""Talk about any record: one thread per record, and messages in it."""

from __future__ import annotations

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
