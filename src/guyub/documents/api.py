"""Documents over HTTP: the LP2KD and its editions, and built reports run for the reader."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Router, Schema
from ninja.errors import HttpError
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.documents import built, keeping, services
from guyub.documents.mailing import MEDIA_TYPES
from guyub.documents.models import BuiltReport, Edition, EditionState
from guyub.documents.question import Question, ask, kept_answer, takes_long
from guyub.ui.cursor import CursorPages

router = Router(tags=["documents"])


class EditionRow(Schema):
    id: int
    year: int
    number: int
    note: str
    issued_at: dt.datetime
    sha256: str
    files: dict[str, str]

    @staticmethod
    def resolve_year(edition: Edition) -> int:
        return edition.document.year

    @staticmethod
    def resolve_sha256(edition: Edition) -> str:
        return edition.digest

    @staticmethod
    def resolve_files(edition: Edition) -> dict[str, str]:
        return edition.digests


class BuiltRow(Schema):
    token: UUID
    name: str
    description: str
    question: dict[str, Any]
    sharing: str
    updated_at: dt.datetime


class BuiltAnswer(Schema):
    name: str
    columns: list[str]
    rows: list[list[Any]]
    reach: str
    source: str
    computed: str


@router.get("/editions", response=list[EditionRow], summary="Issued editions of the LP2KD")
@api_requires("documents.view")
@paginate(CursorPages)
def list_editions(request: HttpRequest) -> Any:
    """Newest year first. ``files`` gives the SHA-256 of each file by its format."""
    rows = Edition.objects.filter(number__isnull=False).select_related("document")
    return rows.defer("content").order_by("-document__year", "-number")


@router.get("/editions/{edition_id}/{ending}", summary="A file of an edition: pdf, docx or xlsx")
@api_requires("documents.view")
def edition_download(request: HttpRequest, edition_id: int, ending: str) -> Any:
    edition = get_object_or_404(
        Edition.objects.select_related("document"),
        pk=edition_id,
        number__isnull=False,
        state=EditionState.READY,
    )
    if ending not in edition.digests:
        raise HttpError(404, _("Tidak ada berkas seperti itu."))
    content = services.content_of(edition, ending)
    if content is None:
        raise HttpError(409, _("Berkas ini berubah sejak diterbitkan."))
    services.log_export(
        "lp2kd", actor=request.user, subject=edition, format=ending, edition=edition.name
    )
    name = services.file_name(edition, ending)
    response = HttpResponse(content, content_type=MEDIA_TYPES[ending])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@router.get("/built", response=list[BuiltRow], summary="Built reports that the reader finds")
@api_requires("documents.build")
@paginate(CursorPages)
def list_built(request: HttpRequest) -> Any:
    return built.visible_to(request.user)


def _shared(request: HttpRequest, token: UUID) -> BuiltReport:
    report = get_object_or_404(BuiltReport, token=token)
    if not built.may_open(request.user, report):
        raise HttpError(403, _("Laporan ini tidak dibagikan kepada Anda."))
    return report


@router.get("/built/{token}", response=BuiltAnswer, summary="Run a built report")
@api_requires("documents.build")
def run_built(request: HttpRequest, token: UUID) -> Any:
    """The figures are those that the reader may count."""
    report = _shared(request, token)
    try:
        question = Question.read(report.question)
        answer = kept_answer(question, request.user)
        if answer is None and takes_long(question, request.user):
            # The worker answers for the account that asks; ask again a little later.
            keeping.ask_for(keeping.of_question(question, request.user), actor=request.user)
            raise HttpError(503, _("Angkanya sedang dihitung. Panggil lagi sebentar."))
        answer = answer or ask(question, request.user)
    except ValidationError as error:
        raise HttpError(422, " ".join(error.messages)) from error
    except PermissionDenied as error:
        raise HttpError(403, _("Pokok laporan ini di luar hak akses akun Anda.")) from error
    return {
        "name": report.name,
        "columns": [column.label for column in answer.table_columns()],
        "rows": list(answer.lines()),
        "reach": answer.reach,
        "source": answer.source,
        "computed": answer.made_at,
    }
