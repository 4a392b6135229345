"""Reports about one agency, area or program as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.text import slugify

from guyub.access.guards import requires
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.documents import briefs, services
from guyub.documents.mailing import MEDIA_TYPES
from guyub.documents.paper import Paper
from guyub.programs.models import Program


def _year(request: HttpRequest) -> int:
    text = request.GET.get("tahun", "")
    known = text.isascii() and text.isdigit() and len(text) == 4
    return int(text) if known else timezone.localdate().year


def _answer(
    request: HttpRequest, record: Any, name: str, make: Callable[[Any, int, Any], Paper]
) -> HttpResponse:
    ending: str = record.wanted
    paper = make(record, _year(request), request.user)
    content = briefs.MAKERS[ending](paper)
    services.log_export(name, actor=request.user, subject=record, format=ending)
    response = HttpResponse(content, content_type=MEDIA_TYPES[ending])
    title = slugify(f"{paper.title} {paper.subtitle}")[:80]
    response["Content-Disposition"] = f'attachment; filename="{title}.{ending}"'
    return response


def _wanted(record: Any, ending: str) -> Any:
    if ending not in briefs.MAKERS:
        raise Http404
    record.wanted = ending
    return record


def _agency(code: str, ending: str) -> Agency:
    return _wanted(get_object_or_404(Agency, code=code), ending)


def _area(code: str, ending: str) -> Area:
    return _wanted(get_object_or_404(Area.objects.select_related("parent"), code=code), ending)


def _program(pk: int, ending: str) -> Program:
    rows = Program.objects.select_related("agency", "mission")
    return _wanted(get_object_or_404(rows, pk=pk), ending)


@requires("documents.view", load=_agency)
def agency_report(request: HttpRequest, agency: Agency) -> HttpResponse:
    return _answer(request, agency, "agency", briefs.of_agency)


@requires("documents.view", load=_area)
def area_report(request: HttpRequest, area: Area) -> HttpResponse:
    return _answer(request, area, "area", briefs.of_area)


@requires("documents.view", load=_program)
def program_report(request: HttpRequest, program: Program) -> HttpResponse:
    return _answer(request, program, "program", briefs.of_program)
