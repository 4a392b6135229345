"""Reports about one agency, area or program as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.documents import briefs, keeping, services
from guyub.documents.formats import MAKERS
from guyub.documents.mailing import MEDIA_TYPES
from guyub.documents.models import FiguresState, FileFormat
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
    content = MAKERS[ending](paper)
    services.log_export(name, actor=request.user, subject=record, format=ending)
    response = HttpResponse(content, content_type=MEDIA_TYPES[ending])
    title = slugify(f"{paper.title} {paper.subtitle}")[:80]
    response["Content-Disposition"] = f'attachment; filename="{title}.{ending}"'
    return response


def _wanted(record: Any, ending: str) -> Any:
    if ending not in MAKERS:
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
    """The report of an area; that of the regency as it was last computed in the worker."""
    if area.level != Level.REGENCY:
        return _answer(request, area, "area", briefs.of_area)
    kept = keeping.of_area(area, _year(request))
    if "tersimpan" not in request.GET or kept.computed_at is None:
        return redirect(_address("area_page", area, request))
    reader = briefs.name_of(request.user)
    return _answer(request, area, "area", lambda *_asked: keeping.paper_of(kept, reader))


def _regency(code: str) -> Area:
    return get_object_or_404(Area, code=code, level=Level.REGENCY)


def _address(name: str, area: Area, request: HttpRequest) -> str:
    return f"{reverse(f'documents:{name}', args=[area.code])}?tahun={_year(request)}"


def _context(request: HttpRequest, area: Area) -> dict[str, Any]:
    return {
        "area": area,
        "year": _year(request),
        "figures": keeping.of_area(area, _year(request)),
        "progress_url": _address("area_progress", area, request),
        "compute_url": _address("compute_area", area, request),
        "formats": FileFormat.choices,
    }


@requires("documents.view", load=_regency)
def area_page(request: HttpRequest, area: Area) -> HttpResponse:
    """The regency's report: of when its figures are, its files, and having it computed anew."""
    kept = keeping.of_area(area, _year(request))
    if kept.state == FiguresState.NONE:
        keeping.ask_for(kept, actor=request.user)
    return render(request, "documents/area.html", _context(request, area))


@requires("documents.view", load=_regency)
def area_progress(request: HttpRequest, area: Area) -> HttpResponse:
    """How far the regency's report is, as a piece of page."""
    context = _context(request, area)
    response = render(request, "documents/_figures.html", context)
    if not context["figures"].is_working:
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@requires("documents.view", load=_regency)
def compute_area(request: HttpRequest, area: Area) -> HttpResponse:
    """Have the regency's report computed anew."""
    keeping.ask_for(keeping.of_area(area, _year(request)), actor=request.user)
    return redirect(_address("area_page", area, request))


@requires("documents.view", load=_program)
def program_report(request: HttpRequest, program: Program) -> HttpResponse:
    return _answer(request, program, "program", briefs.of_program)
