"""Rounds, visits and submissions over HTTP, and the files that submissions have announced.

NIK and KK numbers in answers are masked. Households and members whose data are restricted are left out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, File, Query, Router, Schema, UploadedFile
from ninja.errors import HttpError
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.fieldwork import queries, receiving
from guyub.fieldwork.members import open_answers
from guyub.fieldwork.models import Attachment, FieldDecision, Round, Submission, Visit
from guyub.fieldwork.revealing import masked_answers
from guyub.fieldwork.vocabulary import RoundState, SubmissionState, VisitState
from guyub.registry.restriction import is_restricted, open_households, open_people
from guyub.ui.cursor import CursorPages, Keyed

router = Router(tags=["fieldwork"])


class _OfForm(Schema):
    """What tells the form of a round or submission."""

    @staticmethod
    def resolve_form(record: Round | Submission) -> str:
        return record.form_version.form.id_string

    @staticmethod
    def resolve_form_version(record: Round | Submission) -> int:
        return record.form_version.number


class RoundRow(_OfForm):
    id: int
    title: str
    purpose: str
    state: str
    form: str = Field(description="The form's `id_string`")
    form_version: int
    agency: str | None = Field(description="Who runs it; null is the secretariat")
    due_on: dt.date | None
    created_at: dt.datetime
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None

    @staticmethod
    def resolve_agency(record: Round) -> str | None:
        return record.agency.code if record.agency is not None else None


class Progress(Schema):
    """How many visits stand where; cancelled ones do not count."""

    to_go: int
    sent: int
    conflict: int
    done: int
    total: int
    percent: int = Field(description="Visited of all")


class RoundFull(RoundRow):
    note: str
    progress: Progress

    @staticmethod
    def resolve_progress(record: Round) -> queries.Progress:
        return queries.progress_of(record)


class VisitRow(Schema):
    key: uuid.UUID
    household: int | None = Field(description="Null where the address is not in the registry")
    name: str
    village: str = Field(description="Kemendagri code")
    rt: str
    rw: str
    state: str
    assignee: str | None = Field(description="Null is whoever works in that area")
    changed_at: dt.datetime

    @staticmethod
    def resolve_household(visit: Visit) -> int | None:
        return visit.household_id

    @staticmethod
    def resolve_name(visit: Visit) -> str:
        return str(visit)

    @staticmethod
    def resolve_village(visit: Visit) -> str:
        return visit.village.code

    @staticmethod
    def resolve_rt(visit: Visit) -> str:
        return str((visit.household or visit).rt)

    @staticmethod
    def resolve_rw(visit: Visit) -> str:
        return str((visit.household or visit).rw)

    @staticmethod
    def resolve_assignee(visit: Visit) -> str | None:
        return visit.assignee.full_name if visit.assignee is not None else None


class SubmissionRow(_OfForm):
    instance: uuid.UUID
    form: str = Field(description="The form's `id_string`")
    form_version: int
    round: int | None
    visit: uuid.UUID | None
    household: int | None
    village: str | None = Field(description="Kemendagri code")
    source: str
    state: str
    conflict: str = Field(description="`twice`, `changed`, or empty")
    is_late: bool
    finished_at: dt.datetime | None
    received_at: dt.datetime
    decided_at: dt.datetime | None

    @staticmethod
    def resolve_round(one: Submission) -> int | None:
        return one.round_id

    @staticmethod
    def resolve_visit(one: Submission) -> uuid.UUID | None:
        return one.visit.key if one.visit is not None else None

    @staticmethod
    def resolve_household(one: Submission) -> int | None:
        return one.household_id

    @staticmethod
    def resolve_village(one: Submission) -> str | None:
        return one.village.code if one.village is not None else None


class AttachmentRow(Schema):
    """A file that a submission announced; ``arrived`` counts its bytes that are here."""

    key: uuid.UUID
    name: str
    question: str = Field(description="Path of the question that it answers")
    media_type: str
    size: int | None
    arrived: int
    stored: bool

    @staticmethod
    def resolve_question(file: Attachment) -> str:
        return file.path

    @staticmethod
    def resolve_arrived(file: Attachment) -> int:
        return receiving.arrived(file)

    @staticmethod
    def resolve_stored(file: Attachment) -> bool:
        return file.stored_at is not None


class DecisionRow(Schema):
    """What was decided about one value; ``person`` is the member whose it is, null for the household."""

    field: str
    person: int | None
    old: str
    new: str
    was_disputed: bool
    decided_at: dt.datetime

    @staticmethod
    def resolve_person(one: FieldDecision) -> int | None:
        return one.person_id


class SubmissionFull(SubmissionRow):
    decision_note: str
    answers: dict[str, Any] = Field(
        description="By path of the question, a repeat as a list; NIK and KK masked"
    )
    attachments: list[AttachmentRow]
    decisions: list[DecisionRow]

    @staticmethod
    def resolve_answers(one: Submission) -> dict[str, Any]:
        return masked_answers(open_answers(one))

    @staticmethod
    def resolve_attachments(one: Submission) -> list[Attachment]:
        return list(one.attachments.prefetch_related("parts"))

    @staticmethod
    def resolve_decisions(one: Submission) -> list[FieldDecision]:
        return list(open_people(one.decisions.all(), "person__"))


def _round(pk: int) -> Round:
    rows = Round.objects.select_related("agency", "form_version__form")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _submission(instance: uuid.UUID) -> Submission:
    rows = Submission.objects.select_related(
        "form_version__form", "round", "visit", "household", "village"
    )
    found = rows.filter(instance=instance).first()
    if found is None:
        raise Http404
    return found


@router.get("/rounds", response=list[RoundRow], summary="Rounds of visits, newest first")
@api_requires("fieldwork.view_rounds")
@paginate(CursorPages)
def list_rounds(
    request: HttpRequest,
    state: RoundState | None = Query(None),  # noqa: B008 (Ninja reads the default)
) -> Any:
    """Those of the caller's agency; all of them for the secretariat."""
    rows = queries.rounds_for(request.user)
    return rows.filter(state=state) if state else rows


@router.get("/rounds/{pk}", response=RoundFull, summary="One round and how far it is")
@api_requires("fieldwork.view_rounds", load=_round)
def one_round(request: HttpRequest, record: Round) -> Any:
    return record


@router.get("/rounds/{pk}/visits", response=list[VisitRow], summary="The doors of a round")
@api_requires("fieldwork.view_rounds", load=_round)
@paginate(CursorPages)
def list_visits(
    request: HttpRequest,
    record: Round,
    state: VisitState | None = Query(None),  # noqa: B008 (Ninja reads the default)
    village: str = Query("", max_length=13, description="Kemendagri code"),
) -> Any:
    """Along their ids; the list is not counted."""
    rows = queries.visits_of(record, state=state or "", village=village)
    return Keyed(open_households(rows, "household__").order_by())


@router.get("/submissions", response=list[SubmissionRow], summary="What came from the field")
@api_requires("fieldwork.view")
@paginate(CursorPages)
def list_submissions(
    request: HttpRequest,
    round: int | None = Query(None, description="Id of a round"),
    form: str = Query("", max_length=100, description="`id_string` of a form"),
    state: SubmissionState | None = Query(None),  # noqa: B008 (Ninja reads the default)
    since: dt.datetime | None = Query(  # noqa: B008 (Ninja reads the default)
        None, description="Received then or later"
    ),
) -> Any:
    """Those of the caller's agency, along their ids and without answers; the list is not counted."""
    rows = queries.submissions_for(request.user).defer("answers", "seen")
    if round is not None:
        rows = rows.filter(round=round)
    if form:
        rows = rows.filter(form_version__form__id_string=form)
    if state:
        rows = rows.filter(state=state)
    if since is not None:
        rows = rows.filter(received_at__gte=since)
    return Keyed(open_households(rows, "household__").order_by())


@router.get(
    "/submissions/{instance}", response=SubmissionFull, summary="One submission with its answers"
)
@api_requires("fieldwork.view", load=_submission)
def one_submission(request: HttpRequest, submission: Submission) -> Any:
    """Answers about members whose data are restricted are left out."""
    if submission.household is not None and is_restricted(submission.household):
        raise HttpError(
            403, _("Pemrosesan data keluarga ini sedang dibatasi atas permintaan pemiliknya.")
        )
    return submission


# Files


def _own_attachment(request: HttpRequest, key: uuid.UUID) -> Attachment:
    """Return a file of a submission that the caller's agency sent over this API."""
    user: Any = request.user
    rows = Attachment.objects.select_related("submission__form_version", "submission__household")
    mine = rows.filter(submission__sent_by=user)
    if user.agency_id is not None:
        mine = mine | rows.filter(
            submission__sent_by__is_service=True, submission__sent_by__agency=user.agency_id
        )
    found = mine.filter(key=key).first()
    if found is None:
        raise Http404
    return found


@router.post(
    "/attachments/{key}", response=AttachmentRow, summary="Hand in an announced file as a whole"
)
@api_requires("fieldwork.load")
def store_attachment(request: HttpRequest, key: uuid.UUID, file: File[UploadedFile]) -> Any:
    """`multipart/form-data`, up to 2 MB; larger ones in pieces. The same file again changes nothing."""
    found, content = _own_attachment(request, key), file.read()
    if found.stored_at is not None:
        if found.sha256 != hashlib.sha256(content).hexdigest():
            raise HttpError(409, _("Lampiran ini sudah ada dengan isi lain. Yang lama tetap."))
        return found
    return receiving.store_whole(found, content)


@router.post(
    "/attachments/{key}/parts",
    response=AttachmentRow,
    summary="Hand in an announced file piece by piece",
)
@api_requires("fieldwork.load")
def store_part(
    request: HttpRequest,
    key: uuid.UUID,
    file: File[UploadedFile],
    offset: int = Query(..., ge=0, description="Byte at which the piece begins"),
    size: int = Query(..., ge=1, le=receiving.LARGEST_FILE, description="Bytes of the whole file"),
    sha256: str = Query("", pattern="^([0-9a-f]{64})?$", description="Of the whole file, in hex"),
) -> Any:
    """Pieces of up to 1 MB. `arrived` in the answer tells where the next one begins.

    A file that is spoilt when its last piece is here is refused, and begins anew at 0.
    """
    found = receiving.announce_size(_own_attachment(request, key), size=size, sha256=sha256)
    receiving.store_part(found, offset, file.read())
    found.refresh_from_db()
    return found
