"""Writes to talk: saying something, taking it back, starting a conversation, having read.

What a person has read, and their own notifications, change with nearly every page; they say nothing
about anybody else and are not written to the audit log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from guyub.access.roles import AGENCY_ROLES
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.discussions import files, people
from guyub.discussions.models import (
    Attachment,
    Conversation,
    Following,
    Kind,
    MailMode,
    Message,
    Notification,
    Preference,
    Thread,
)
from guyub.discussions.numbers import mask_numbers
from guyub.discussions.subjects import Place, place_of

LONGEST = 4000  # characters of one message
MOST_FILES = 5  # with one message


@dataclass(frozen=True)
class Written:
    """A message as it was kept, and how many NIK or KK numbers in it were masked."""

    message: Message
    masked: int


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n")).strip()


@transaction.atomic
def write(record: models.Model, text: str, *, author: Any, uploads: Sequence[Any] = ()) -> Written:
    """Say ``text`` about ``record``, with files if any. NIK and KK numbers are masked before it is kept.

    Whoever it mentions, and whoever follows the thread, is notified.

    Raises:
        ValidationError: nothing is said, or too much, or a file may not be attached.
    """
    text = _tidy(text)
    if not text and not uploads:
        raise ValidationError(_("Tulis pesannya dahulu."))
    if len(text) > LONGEST:
        raise ValidationError(
            _("Pesan terlalu panjang: %(count)d huruf, paling banyak %(limit)d. Bagi menjadi dua.")
            % {"count": len(text), "limit": LONGEST}
        )
    if len(uploads) > MOST_FILES:
        raise ValidationError(
            _("Terlalu banyak lampiran: paling banyak %(limit)d dalam satu pesan.")
            % {"limit": MOST_FILES}
        )
    checked = [files.check(upload) for upload in uploads]
    text, masked = mask_numbers(text)
    place = place_of(record)
    subject_type, subject_id = place.key
    thread, _created = Thread.objects.get_or_create(
        subject_type=subject_type, subject_id=subject_id
    )
    message = Message.objects.create(
        thread=thread, author=author, agency=author.agency, role=author.role, text=text
    )
    for file in checked:
        attachment = Attachment(
            message=message,
            name=mask_numbers(file.name)[0],
            media_type=file.media_type,
            size=len(file.content),
        )
        attachment.file.save("lampiran", ContentFile(file.content), save=False)
        attachment.save()
    Thread.objects.filter(pk=thread.pk).update(
        message_count=models.F("message_count") + 1, last_message_at=message.written_at
    )
    audit.record(
        "discussions.message.write",
        actor=author,
        subject=record,
        detail={"message": message.pk, "masked": masked, "files": len(checked)},
    )
    _tell(place, thread, message)
    return Written(message, masked)


@dataclass(frozen=True)
class Said:
    """Something said about a record at some time, for :func:`load`."""

    record: models.Model
    author: Any
    text: str
    at: dt.datetime


@transaction.atomic
def load(said: Sequence[Said], *, actor: Any) -> int:
    """Keep what was said elsewhere, in order of time; return how many messages.

    NIK and KK numbers are masked, authors follow their threads, and nobody is notified.
    """
    said = sorted(said, key=lambda one: one.at)
    keys = {one: place_of(one.record).key for one in said}
    Thread.objects.bulk_create(
        [Thread(subject_type=kind, subject_id=pk) for kind, pk in dict.fromkeys(keys.values())],
        ignore_conflicts=True,
    )
    kinds, ids = {key[0] for key in keys.values()}, {key[1] for key in keys.values()}
    threads = {
        (thread.subject_type, thread.subject_id): thread
        for thread in Thread.objects.filter(subject_type__in=kinds, subject_id__in=ids)
    }
    made = Message.objects.bulk_create(
        Message(
            thread=threads[keys[one]],
            author=one.author,
            agency=one.author.agency,
            role=one.author.role,
            text=mask_numbers(_tidy(one.text))[0],
        )
        for one in said
    )
    for message, one in zip(made, said, strict=True):
        message.written_at = one.at
        message.thread.message_count += 1
        message.thread.last_message_at = max(message.thread.last_message_at or one.at, one.at)
    Message.objects.bulk_update(made, ["written_at"], batch_size=500)
    Thread.objects.bulk_update(
        {message.thread for message in made}, ["message_count", "last_message_at"], batch_size=500
    )
    followers = {(message.author_id, message.thread_id): message.thread for message in made}
    Following.objects.bulk_create(
        [
            Following(user_id=author, thread=thread, read_at=thread.last_message_at)
            for (author, _thread), thread in followers.items()
        ],
        ignore_conflicts=True,
    )
    audit.record("discussions.load", actor=actor, detail={"messages": len(made)})
    return len(made)


def _tell(place: Place, thread: Thread, message: Message) -> None:
    """Notify of a message: the mentioned, the participants of a conversation, the followers."""
    author = message.author
    mentioned = [user for user in people.mentioned_in(message.text, place) if user != author]
    known = User.objects.filter(
        pk__in=Following.objects.filter(thread=thread).values("user"), is_active=True
    ).select_related("area")
    others = {user.pk: user for user in known}
    if isinstance(place.record, Conversation):
        others |= {user.pk: user for user in people.participants(place.record)}
    for user in (*mentioned, author):
        others.pop(user.pk, None)
    followers = [user for user in others.values() if place.readable_by(user)]
    Following.objects.bulk_create(
        [Following(user=user, thread=thread) for user in (*mentioned, *followers)],
        ignore_conflicts=True,
    )
    Following.objects.update_or_create(
        user=author, thread=thread, defaults={"read_at": message.written_at}
    )
    about = {"name": str(author), "subject": place.public_title}
    notify(
        mentioned, Kind.MENTION, _("%(name)s menyebut Anda tentang %(subject)s") % about, place.url
    )
    notify(followers, Kind.MESSAGE, _("%(name)s menulis tentang %(subject)s") % about, place.url)


@transaction.atomic
def withdraw(message: Message, *, actor: Any) -> Message:
    """Take back one's own message: its place stays, its text and files go for good.

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
        for attachment in message.attachments.all():
            storage, name = attachment.file.storage, str(attachment.file.name)
            attachment.delete()
            transaction.on_commit(partial(storage.delete, name))
        audit.record(
            "discussions.message.withdraw",
            actor=actor,
            subject=message.thread,
            detail={"message": message.pk},
        )
    return message


@transaction.atomic
def start_conversation(
    *, topic: str, agencies: Sequence[Agency], text: str, author: Any, uploads: Sequence[Any] = ()
) -> Conversation:
    """Start a conversation between agencies with its first message and return it.

    The author's own agency takes part whether named or not.

    Raises:
        ValidationError: there is no topic, no other agency, or no message.
    """
    topic = mask_numbers(" ".join(topic.split()))[0]
    own = {author.agency_id} if author.role in AGENCY_ROLES else set()
    members = {agency.pk for agency in agencies} | own
    if not topic:
        raise ValidationError({"topic": _("Tulis topiknya.")})
    if not members - own:
        raise ValidationError({"agencies": _("Pilih perangkat daerah yang diajak bicara.")})
    conversation = Conversation(topic=topic, started_by=author)
    conversation.full_clean()
    conversation.save()
    conversation.agencies.set(members)
    audit.record(
        "discussions.conversation.start",
        actor=author,
        subject=conversation,
        detail={"agencies": sorted(members)},
    )
    try:
        write(conversation, text, author=author, uploads=uploads)
    except ValidationError as error:
        raise ValidationError({"text": error.messages}) from error
    return conversation


@transaction.atomic
def mark_read(place: Place, thread: Thread | None, user: Any) -> bool:
    """Note that ``user`` has the newest of a thread before them; return whether anything was new."""
    if thread is None or thread.last_message_at is None:
        return False
    news = (
        Following.objects.filter(user=user, thread=thread)
        .filter(models.Q(read_at=None) | models.Q(read_at__lt=thread.last_message_at))
        .update(read_at=thread.last_message_at)
    )
    if news:
        Notification.objects.filter(user=user, read_at=None, url=place.url).update(
            read_at=timezone.now()
        )
    return bool(news)


# Notifications


@transaction.atomic
def notify(users: Iterable[Any], kind: str, text: str, url: str) -> int:
    """Tell ``users`` something, in the page and by e-mail as they prefer; return how many.

    While one has not read the former notification of the same kind and address, it is brought up to
    date instead of a second one being made.

    Args:
        users: Whom; each once, closed accounts are passed over.
        kind: A :class:`guyub.discussions.models.Kind`.
        text: One line. No personal data of poor people: it goes out by e-mail.
        url: Address of the page about it, without host.
    """
    wanted = {user.pk: user for user in users if user.is_active}
    if not wanted:
        return 0
    now = timezone.now()
    text = Truncator(text).chars(250)
    waiting = Notification.objects.filter(user__in=wanted, kind=kind, url=url, read_at=None)
    again = set(waiting.values_list("user", flat=True))
    waiting.update(text=text, created_at=now, mailed_at=None)
    Notification.objects.bulk_create(
        Notification(user=user, kind=kind, text=text, url=url, created_at=now)
        for pk, user in wanted.items()
        if pk not in again
    )
    at_once = list(
        Preference.objects.filter(user__in=wanted, mail=MailMode.IMMEDIATE).values_list(
            "user", flat=True
        )
    )
    if at_once:
        from guyub.discussions.tasks import mail_news  # the task imports this module

        for pk in at_once:
            transaction.on_commit(partial(mail_news.enqueue, pk))
    return len(wanted)


@transaction.atomic
def settle(url: str, users: Iterable[Any] | None = None) -> int:
    """Note that nothing is waited for any more at ``url``; return how many notifications that ends.

    They stay in the list, marked as settled and read, and go into no e-mail any more.

    Args:
        url: Address as it was given to :func:`notify`.
        users: Of whom nothing is waited for; nobody in particular means everybody.
    """
    rows = Notification.objects.filter(kind__in=(Kind.TASK, Kind.DUE), settled_at=None, url=url)
    if users is not None:
        rows = rows.filter(user__in=[user.pk for user in users])
    now = timezone.now()
    return rows.update(settled_at=now, read_at=Coalesce("read_at", models.Value(now)))


@transaction.atomic
def mark_notifications_read(user: Any, notification: Notification | None = None) -> None:
    """Note that ``user`` has read one of their notifications, or all."""
    rows = Notification.objects.filter(user=user, read_at=None)
    if notification is not None:
        rows = rows.filter(pk=notification.pk)
    rows.update(read_at=timezone.now())


@transaction.atomic
def set_preference(user: Any, *, mail: str, mailed_kinds: Sequence[str]) -> Preference:
    """Keep how ``user`` wants to be told by e-mail."""
    preference, _created = Preference.objects.update_or_create(
        user=user,
        defaults={
            "mail": MailMode(mail),
            "unmailed_kinds": [kind for kind in Kind.values if kind not in mailed_kinds],
        },
    )
    audit.record("discussions.preference.set", actor=user, detail={"mail": preference.mail})
    return preference
