"""Taking in what comes from the field: each submission once, each file whole.

A device names its submission and its files by UUIDs of its own, and repeats a message until it has been
told that it is stored. So every function here answers a repeated message as it answered the first.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access import wall
from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.discussions.models import Kind
from guyub.discussions.services import notify, settle
from guyub.fieldwork.comparing import compare
from guyub.fieldwork.members import compare_members
from guyub.fieldwork.models import (
    Attachment,
    AttachmentPart,
    FormVersion,
    Round,
    Submission,
    Visit,
)
from guyub.fieldwork.photos import hang_photos
from guyub.fieldwork.services import digest_of
from guyub.fieldwork.vocabulary import (
    UNDECIDED,
    ConflictKind,
    RoundState,
    SubmissionState,
    VisitState,
)
from guyub.registry.models import Household
from guyub.registry.pictures import UnusablePictureError, clean_jpeg

MOST_ATTACHMENTS = 30
LARGEST_FILE = 10 * 1024 * 1024  # bytes
LONGEST_PART = 1024 * 1024  # bytes


class OtherContentError(Exception):
    """A UUID that is taken came again with other content. ``known`` is what is stored."""

    def __init__(self, known: Submission | None = None) -> None:
        super().__init__(_("Kiriman dengan nomor ini sudah ada, tetapi isinya lain."))
        self.known = known


@dataclass(frozen=True)
class Received:
    """A submission as it is stored, and whether it was this message that brought it."""

    submission: Submission
    is_new: bool


@dataclass(frozen=True)
class Announced:
    """A file that belongs to a submission and arrives by itself."""

    key: uuid.UUID
    name: str
    path: str = ""
    media_type: str = ""
    sha256: str = ""
    size: int | None = None


def _known(instance: uuid.UUID) -> Submission | None:
    # Whoever sent it, and wherever: a UUID is taken for all.
    with wall.everything():
        return Submission.objects.filter(instance=instance).first()


def _again(known: Submission, digest: str) -> Received:
    if known.digest != digest:
        raise OtherContentError(known)
    return Received(known, is_new=False)


@transaction.atomic
def receive(
    *,
    instance: uuid.UUID,
    form_version: FormVersion,
    answers: dict[str, Any],
    source: str,
    actor: Any = None,
    round: Round | None = None,
    visit: Visit | None = None,
    household: Household | None = None,
    village: Area | None = None,
    begun_at: dt.datetime | None = None,
    finished_at: dt.datetime | None = None,
    seen: dict[str, Any] | None = None,
    attachments: Sequence[Announced] = (),
    replaces: uuid.UUID | None = None,
) -> Received:
    """Store a submission once, and tell whether it agrees with what is known.

    Args:
        instance: The UUID that the device gave it.
        form_version: The form that was filled in.
        answers: See :class:`Submission`.
        source: A :class:`guyub.fieldwork.vocabulary.Source`.
        actor: Who sent it, where that is an account here.
        round: The round that it belongs to, where it has no visit.
        visit: The visit that it is about; round, household and village follow from it.
        household: Whom it is about, where it has no visit.
        village: Where, for what is about no household.
        begun_at: When the form was opened, by the device's clock.
        finished_at: When it was finished, by the device's clock.
        seen: What the device knew of the household.
        attachments: The files that will follow.
        replaces: An earlier submission of the same sender that this one corrects.

    Raises:
        OtherContentError: the UUID is taken by other content, which stays as it is.
        ValidationError: too many files.
    """
    if len(attachments) > MOST_ATTACHMENTS:
        raise ValidationError(
            _("Paling banyak %(n)d lampiran dalam satu kiriman.") % {"n": MOST_ATTACHMENTS}
        )
    digest = digest_of(
        {
            "form": form_version.digest,
            "visit": str(visit.key) if visit is not None else None,
            "household": household.pk if household is not None else None,
            "answers": answers,
            "files": [[str(a.key), a.name, a.sha256, a.size] for a in attachments],
            "replaces": str(replaces) if replaces else None,
        }
    )
    known = _known(instance)
    if known is not None:
        return _again(known, digest)
    if visit is not None:
        visit = (
            Visit.objects.select_for_update(of=("self",))
            .select_related("round", "household", "village")
            .get(pk=visit.pk)
        )
        round, household, village = visit.round, visit.household, visit.village
    if household is not None:
        village = household.village
    earlier = _earlier(replaces, actor)
    submission = Submission(
        instance=instance,
        form_version=form_version,
        round=round,
        visit=visit,
        household=household,
        village=village,
        source=source,
        sent_by=actor,
        begun_at=begun_at,
        finished_at=finished_at,
        answers=answers,
        seen=seen or {},
        digest=digest,
        is_late=round is not None and round.state == RoundState.CLOSED,
        replaces=earlier,
    )
    try:
        with transaction.atomic():
            submission.save(force_insert=True)
            Attachment.objects.bulk_create(
                Attachment(
                    key=a.key, submission=submission, name=a.name[:150], path=a.path[:250],
                    media_type=a.media_type[:80], sha256=a.sha256, size=a.size,
                )
                for a in attachments
            )  # fmt: skip
    except IntegrityError as error:
        # The same message came twice at the same time, or a file's UUID is another's.
        known = _known(instance)
        if known is None:
            raise OtherContentError from error
        return _again(known, digest)
    if earlier is not None and earlier.state in UNDECIDED:
        earlier.state, earlier.conflict = SubmissionState.SUPERSEDED, ""
        earlier.save(update_fields=["state", "conflict"])
        settle(reverse("fieldwork:submission", args=[earlier.pk]))
    judge(submission)
    audit.record(
        "fieldwork.submission.receive",
        actor=actor,
        subject=submission,
        detail={
            "source": source,
            "state": submission.state,
            "files": len(attachments),
            "late": submission.is_late,
        },
    )
    if submission.state == SubmissionState.CONFLICT:
        _tell_of_conflict(submission)
    return Received(submission, is_new=True)


def _earlier(replaces: uuid.UUID | None, actor: Any) -> Submission | None:
    if replaces is None:
        return None
    return Submission.objects.select_for_update().filter(instance=replaces, sent_by=actor).first()


def changed_meanwhile(submission: Submission) -> list[str]:
    """Return the fields in which the household or a member was changed since the device saw it.

    What was changed to the same as is answered does not count.
    """
    home = submission.household
    if home is None:
        return []
    rows = [*compare([submission], home), *compare_members([submission], home).rows]
    return [row.key for row in rows if row.is_changed]


def judge(submission: Submission) -> None:
    """Set the state of an undecided submission and of its visit by what else is known.

    It is in conflict when something else came in about the same visit, or when the household was changed
    in a field that it answers since the device saw it.
    """
    visit, conflict = submission.visit, ""
    if visit is not None:
        others = visit.submissions.filter(state__in=[*UNDECIDED, SubmissionState.APPLIED]).exclude(
            pk__in=[submission.pk, submission.replaces_id or 0]
        )
        if others.exists():
            conflict = ConflictKind.TWICE
            others.filter(state__in=UNDECIDED).update(
                state=SubmissionState.CONFLICT, conflict=ConflictKind.TWICE
            )
    if not conflict and changed_meanwhile(submission):
        conflict = ConflictKind.CHANGED
    submission.conflict = conflict
    submission.state = SubmissionState.CONFLICT if conflict else SubmissionState.WAITING
    submission.save(update_fields=["conflict", "state"])
    if visit is not None:
        visit.state = VisitState.CONFLICT if conflict else VisitState.SENT
        visit.changed_at = timezone.now()
        visit.save(update_fields=["state", "changed_at"])


def reviewers(submission: Submission) -> list[User]:
    """Return who decides about a submission: the round's agency, else the secretariat."""
    users = User.objects.filter(is_active=True)
    agency = submission.owning_agency_id
    if agency is None:
        return list(users.filter(role=Role.SECRETARIAT))
    return list(users.filter(role=Role.AGENCY_OPERATOR, agency=agency))


def _tell_of_conflict(submission: Submission) -> None:
    """Tell the reviewers of a conflict. No name goes out."""
    text = _("Kiriman lapangan bentrok di %(village)s: %(round)s") % {
        "village": submission.village.title if submission.village is not None else "—",
        "round": submission.round or submission.form_version.form,
    }
    url = reverse("fieldwork:submission", args=[submission.pk])
    notify(reviewers(submission), Kind.TASK, text, url)


# Files


def arrived(attachment: Attachment) -> int:
    """Return how many bytes of a file are here, from its beginning."""
    if attachment.stored_at is not None:
        return attachment.size or 0
    # Not in SQL: whoever lists files has read the parts of all of them at once.
    return max((part.offset + part.size for part in attachment.parts.all()), default=0)


@transaction.atomic
def announce_size(attachment: Attachment, *, size: int, sha256: str = "") -> Attachment:
    """Note how large a file is of which only the name was announced, and its SHA-256 in hex.

    What was announced can be changed as long as nothing of the file is here.

    Raises:
        ValidationError: another size or digest was announced for what is here.
    """
    held = Attachment.objects.select_for_update(of=("self",)).get(pk=attachment.pk)
    differs = held.size not in (None, size) or (sha256 and held.sha256 not in ("", sha256))
    if differs and arrived(held):
        raise ValidationError(
            _(
                "Ukuran atau SHA-256 lampiran ini bukan yang diberitahukan sebelumnya. "
                "Kirim potongan berikutnya dengan yang semula."
            )
        )
    if held.stored_at is None:
        held.size, held.sha256 = size, sha256 if differs else sha256 or held.sha256
        held.save(update_fields=["size", "sha256"])
    return held


def store_part(attachment: Attachment, offset: int, content: bytes) -> int:
    """Store the piece of a file that begins at ``offset``; return how many bytes are here now.

    A piece that does not begin where the last one ended is not kept: the answer tells the sender from
    where to go on. When the last byte is here the file is checked and put together.

    Raises:
        ValidationError: the file is not what was announced, or none that may be kept. What had come of it
            is dropped, and the sender begins anew.
    """
    try:
        return _store_part(attachment, offset, content)
    except ValidationError:
        begin_anew(attachment)
        raise


@transaction.atomic
def _store_part(attachment: Attachment, offset: int, content: bytes) -> int:
    held = Attachment.objects.select_for_update(of=("self",)).get(pk=attachment.pk)
    here = arrived(held)
    if held.stored_at is not None or offset != here or not content:
        return here
    size = held.size or 0
    if not 0 < size <= LARGEST_FILE or len(content) > LONGEST_PART or here + len(content) > size:
        raise ValidationError(
            _("Lampiran lebih besar daripada yang diberitahukan, atau lebih dari %(n)d MB.")
            % {"n": LARGEST_FILE // 1024 // 1024}
        )
    if here + len(content) < size:
        part = AttachmentPart(attachment=held, offset=offset, size=len(content))
        part.file.save("bagian", ContentFile(content), save=False)
        part.save()
        return here + len(content)
    # The last piece has no file of its own: a refusal would leave it behind.
    whole = b"".join(part.file.open("rb").read() for part in held.parts.all()) + content
    _drop_parts(held)
    keep_file(held, whole)
    return size


def _drop_parts(attachment: Attachment) -> None:
    files = [(part.file.storage, str(part.file.name)) for part in attachment.parts.all()]
    attachment.parts.all().delete()

    def remove() -> None:
        for storage, name in files:
            storage.delete(name)

    transaction.on_commit(remove)


def begin_anew(attachment: Attachment) -> None:
    """Drop what has come of a file that turned out to be spoilt."""
    with transaction.atomic():
        held = Attachment.objects.select_for_update(of=("self",)).get(pk=attachment.pk)
        if held.stored_at is None:
            _drop_parts(held)


def store_whole(attachment: Attachment, content: bytes) -> Attachment:
    """Store an announced file in one piece, whatever of it came in pieces before.

    Raises:
        ValidationError: as of :func:`keep_file`.
    """
    begin_anew(attachment)
    with transaction.atomic():
        held = Attachment.objects.select_for_update(of=("self",)).get(pk=attachment.pk)
        return keep_file(held, content)


@transaction.atomic
def keep_file(attachment: Attachment, content: bytes) -> Attachment:
    """Keep the whole content of an announced file; a picture is drawn anew, without the camera's notes.

    Raises:
        ValidationError: it is too large, or not the file that was announced.
    """
    if attachment.stored_at is not None:
        return attachment
    if len(content) > LARGEST_FILE:
        raise ValidationError(
            _("Lampiran lebih dari %(n)d MB.") % {"n": LARGEST_FILE // 1024 // 1024}
        )
    digest = hashlib.sha256(content).hexdigest()
    if attachment.sha256 and attachment.sha256 != digest:
        raise ValidationError(_("Lampiran rusak di jalan; kirim ulang."))
    kept: ContentFile[bytes] = ContentFile(content)
    if attachment.is_picture:
        try:
            kept, attachment.media_type = clean_jpeg(kept), "image/jpeg"
        except UnusablePictureError as error:
            raise ValidationError(str(error)) from error
    attachment.sha256, attachment.size = digest, len(content)
    attachment.file.save("lampiran", kept, save=False)
    attachment.stored_at = timezone.now()
    attachment.save()
    submission = attachment.submission
    if submission.state == SubmissionState.APPLIED:
        # It was decided before the photo got through.
        hang_photos(submission, actor=submission.decided_by, only=attachment)
    return attachment
