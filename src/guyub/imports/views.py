"""Uploading a list: choose the file, match its columns, look at the report, approve."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from guyub.access.guards import requires
from guyub.access.permissions import authorize, can
from guyub.audit import services as audit
from guyub.imports import queries, services
from guyub.imports.corrections import write_corrections
from guyub.imports.fields import FIELDS
from guyub.imports.folder import RunFolder
from guyub.imports.forms import UploadForm
from guyub.imports.models import Extent, ImportRun, State
from guyub.imports.reading import columns_shown
from guyub.imports.services import RefusedImportError
from guyub.longruns.progress import shown
from guyub.ui.paging import Slice, page_number, page_of

REJECTIONS_A_PAGE = 20
STAGE_NAMES = {
    "stage": gettext_lazy("Membaca berkas"),
    "check": gettext_lazy("Memeriksa isi"),
    "apply": gettext_lazy("Menerapkan ke registri"),
}
# Where each stage lies on the one bar the user sees, in percent.
STAGE_SPANS = {
    (State.CHECKING, "stage"): (2, 40),
    (State.CHECKING, "check"): (40, 98),
    (State.APPLYING, "apply"): (2, 98),
}


def load_run(pk: int) -> ImportRun:
    run = (
        ImportRun.objects.select_related(
            "dataset__owner", "dataset__current_version", "created_by", "version"
        )
        .filter(pk=pk)
        .first()
    )
    if run is None:
        raise Http404
    return run


@require_GET
@requires("imports.view")
def list_page(request: HttpRequest) -> HttpResponse:
    page = page_of(request, queries.runs_for(request.user))
    return render(request, "imports/list.html", {"page": page})


@require_http_methods(["GET", "POST"])
@requires("imports.run")
def new(request: HttpRequest) -> HttpResponse:
    """Take in a file. ``?perbaikan=<run>`` presets the form for a corrected file of rejected rows."""
    initial: dict[str, Any] = {"dataset": request.GET.get("dataset")}
    mended = request.GET.get("perbaikan", "")
    if mended.isdigit():
        run = load_run(int(mended))
        authorize(request.user, "imports.run", run)
        initial = {"dataset": run.dataset_id, "as_of": run.as_of, "extent": Extent.PART}
    if request.method == "POST":
        form = UploadForm(request.user, request.POST, request.FILES)
        if form.is_valid():
            given = form.cleaned_data
            authorize(request.user, "imports.run", given["dataset"])
            try:
                run = services.start(
                    given["dataset"],
                    as_of=given["as_of"],
                    file_name=given["file"].name,
                    chunks=given["file"].chunks(),
                    actor=request.user,
                    extent=given["extent"],
                )
            except RefusedImportError as error:
                form.add_error("as_of" if "anggal" in str(error)[:8] else "file", str(error))
            else:
                return redirect("imports:run", pk=run.pk)
    else:
        form = UploadForm(request.user, initial=initial)
    status = 422 if form.errors else 200
    return render(request, "imports/new.html", {"form": form}, status=status)


@require_GET
@requires("imports.view", load=load_run)
def run_page(request: HttpRequest, run: ImportRun) -> HttpResponse:
    return _run_page(request, run)


def _run_page(
    request: HttpRequest, run: ImportRun, problem: str = "", mapping: dict[str, str] | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "run": run,
        "problem": problem,
        "may_run": can(request.user, "imports.run", run),
        "progress": _progress(run),
    }
    remap = request.GET.get("kolom") == "1" and run.state in (State.CHECKED, State.FAILED)
    if run.state == State.MAPPING or remap or problem:
        context["columns"] = columns_shown(run.layout, run.mapping if mapping is None else mapping)
        context["field_groups"] = _field_groups()
        template = "imports/mapping.html"
    else:
        cause = request.GET.get("sebab", "")
        number = page_number(request)
        rows = queries.rejections(
            run, (number - 1) * REJECTIONS_A_PAGE, REJECTIONS_A_PAGE + 1, cause
        )
        context |= {
            "rejections": Slice(rows, number, REJECTIONS_A_PAGE),
            "causes": queries.cause_counts(run),
            "cause": cause,
            "has_corrections": RunFolder(run.pk).rejected.exists()
            and RunFolder(run.pk).staged.exists()
            and bool(run.counts.get("rejected")),
        }
        template = "imports/run.html"
    return render(request, template, context, status=422 if problem else 200)


def _field_groups() -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for field in FIELDS:
        groups.setdefault(field.group, []).append(field)
    return groups


def _progress(run: ImportRun) -> dict[str, Any]:
    folder = RunFolder(run.pk)
    told = folder.progress()
    low, high = STAGE_SPANS.get((State(run.state), told.stage), (2, 2))
    return shown(folder, STAGE_NAMES, percent=low + (high - low) * told.percent // 100)


@require_GET
@requires("imports.view", load=load_run)
def progress(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """The part of the page that renews itself; the page is loaded anew once the worker is done."""
    if not run.is_working:
        return HttpResponseClientRefresh()
    return render(request, "imports/_progress.html", {"run": run, "progress": _progress(run)})


@require_POST
@requires("imports.run", load=load_run)
def map_columns(request: HttpRequest, run: ImportRun) -> HttpResponse:
    mapping = {
        key.removeprefix("kolom-"): str(value)
        for key, value in request.POST.items()
        if key.startswith("kolom-") and value
    }
    try:
        services.confirm_mapping(run, mapping, request.user)
    except RefusedImportError as error:
        return _run_page(request, run, str(error), mapping)
    return redirect("imports:run", pk=run.pk)


@require_POST
@requires("imports.run", load=load_run)
def choose_sheet(request: HttpRequest, run: ImportRun) -> HttpResponse:
    try:
        services.choose_sheet(run, request.POST.get("lembar", ""), request.user)
    except RefusedImportError as error:
        messages.error(request, str(error))
    return redirect("imports:run", pk=run.pk)


@require_POST
@requires("imports.run", load=load_run)
def approve(request: HttpRequest, run: ImportRun) -> HttpResponse:
    try:
        services.approve(run, request.user)
    except RefusedImportError as error:
        messages.error(request, str(error))
    return redirect("imports:run", pk=run.pk)


@require_POST
@requires("imports.run", load=load_run)
def cancel(request: HttpRequest, run: ImportRun) -> HttpResponse:
    try:
        services.cancel(run, request.user)
    except RefusedImportError as error:
        messages.error(request, str(error))
    return redirect("imports:run", pk=run.pk)


@require_POST
@requires("imports.run", load=load_run)
def corrections(request: HttpRequest, run: ImportRun) -> HttpResponseBase:
    """The rejected rows as Excel, to be corrected and uploaded again. Holds full NIKs: logged."""
    if not RunFolder(run.pk).rejected.exists() or not RunFolder(run.pk).staged.exists():
        raise Http404
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "perbaikan.xlsx"
        count = write_corrections(run, target)
        audit.record(
            "imports.run.export_rejections",
            actor=request.user,
            subject=run,
            reason=_("Memperbaiki baris yang ditolak"),
            detail={"rows": count},
        )
        return FileResponse(
            target.open("rb"), as_attachment=True, filename=f"perbaikan-impor-{run.pk}.xlsx"
        )
