"""Writes to talk: saying something, taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.discussions.models import Message, Thread
from guyub.discussions.numbers import mask_numbers
from guyub.discussions.subjects import place_of

LONGEST = 4000  # characters of one message


@dataclass(frozen=True)
class Written:
    """A message as it was kept, and how many NIK or KK numbers in it were masked."""

    message: Message
    masked: int


@transaction.atomic
def write(record: models.Model, text: str, *, author: Any) -> Written:
    """Say ``text`` about ``record``. NIK and KK numbers in it are masked before it is kept.

    Raises:
        ValidationError: nothing is said, or too much.
    """
    text = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n")).strip()
    if not text:
        raise ValidationError(_("Tulis pesannya dahulu."))
    if len(text) > LONGEST:
        raise ValidationError(
            _("Pesan terlalu panjang: %(count)d huruf, paling banyak %(limit)d. Bagi menjadi dua.")
            % {"count": len(text), "limit": LONGEST}
        )
    text, masked = mask_numbers(text)
    subject_type, subject_id = place_of(record).key
    thread, _created = Thread.objects.get_or_create(
        subject_type=subject_type, subject_id=subject_id
    )
    message = Message.objects.create(
        thread=thread, author=author, agency=author.agency, role=author.role, text=text
    )
    Thread.objects.filter(pk=thread.pk).update(
        message_count=models.F("message_count") + 1, last_message_at=message.written_at
    )
    audit.record(
        "discussions.message.write",
        actor=author,
        subject=record,
        detail={"message": message.pk, "masked": masked},
    )
    return Written(message, masked)


@transaction.atomic
def withdraw(message: Message, *, actor: Any) -> Message:
    """Take back one's own message: its place stays, its text goes for good.

    Raises:
        ValidationError: it is somebody else's.
    """
    message = Message.objects.select_for_update().get(pk=message.pk)
    if message.author_id != actor.pk:
        raise ValidationError(_("Hanya penulisnya yang dapat menarik pesan."))
    if message.withdrawn_at is None:
        message.text = ""
        message.withdrawn_at = timezone.now()
        message.save(update_fields=["text", "withdrawn_at"])
        audit.record(
            "discussions.message.withdraw",
            actor=actor,
            subject=message.thread,
            detail={"message": message.pk},
        )
    return message
