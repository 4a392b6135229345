"""Field work over HTTP: forms, and submissions from KoboToolbox and from tools of ODK, each stored once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.fieldwork import queries
from guyub.fieldwork.loading import Taken, Wordings, take
from guyub.fieldwork.odk import Found, UnreadableSubmissionError, read_kobo, read_xml
from guyub.fieldwork.reading_api import AttachmentRow
from guyub.fieldwork.vocabulary import Source
from guyub.ui.cursor import CursorPages

router = Router(tags=["fieldwork"])


class FormRow(Schema):
    id_string: str
    title: dict[str, str]
    agency: str | None
    versions: int

    @staticmethod
    def resolve_agency(form: Any) -> str | None:
        return form.agency.code if form.agency is not None else None

    @staticmethod
    def resolve_versions(form: Any) -> int:
        return int(form.version_count)


class Stored(Schema):
    """What became of a submission: ``loaded``, ``known`` (it was here already) or ``replaced`` (an edit)."""

    instance: uuid.UUID
    outcome: str
    remarks: list[str]
    attachments: list[AttachmentRow] = Field(description="The files that are expected yet or here")


@router.get("/forms", response=list[FormRow], summary="The forms that submissions may come for")
@api_requires("fieldwork.view_forms")
@paginate(CursorPages)
def list_forms(request: HttpRequest) -> Any:
    return queries.forms_for(request.user).order_by("pk")


def _stored(
    request: HttpRequest, id_string: str, read: Callable[[Wordings], Found], source: str
) -> Any:
    form = queries.forms_to_load(request.user).filter(id_string=id_string).first()
    if form is None:
        raise Http404
    wordings = Wordings(form)
    try:
        found = read(wordings)
    except UnreadableSubmissionError as error:
        raise ValidationError({error.column or "submission": error.message}) from error
    taken: Taken = take(found, wordings, actor=request.user, source=source)
    status = 200 if taken.outcome == "known" else 201
    return Status(
        status,
        {
            "instance": found.instance,
            "outcome": taken.outcome,
            "remarks": list(taken.remarks),
            "attachments": taken.submission.attachments.prefetch_related("parts")
            if taken.submission is not None
            else [],
        },
    )


@router.post(
    "/forms/{id_string}/submissions",
    response={200: Stored, 201: Stored},
    summary="Store a submission as KoboToolbox's REST service sends it",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}},
        }
    },
)  # fmt: skip
@api_requires("fieldwork.load")
def store_kobo(request: HttpRequest, id_string: str) -> Any:
    """JSON with flat keys (`group/question`). A repeat of the same `_uuid` stores nothing twice."""
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise ValidationError({"submission": _("Isi JSON rusak.")}) from error
    return _stored(request, id_string, lambda w: read_kobo(content, w.definition), Source.KOBO)


@router.post(
    "/forms/{id_string}/submissions.xml",
    response={200: Stored, 201: Stored},
    summary="Store a submission as OpenRosa XML",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/xml": {"schema": {"type": "string"}}}}
    },
)  # fmt: skip
@api_requires("fieldwork.load")
def store_xml(request: HttpRequest, id_string: str) -> Any:
    """The instance as ODK Collect sends it. A repeat of the same `instanceID` stores nothing twice."""
    return _stored(request, id_string, lambda w: read_xml(request.body, w.definition), Source.ODK)
