"""Pages of the Excel workbook: fetch it, send it back filled in, look at the check, apply."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.reports import history, queries, services, workbook
from guyub.reports.forms import WorkbookForm
from guyub.reports.models import Upload
from guyub.reports.services import ReportError
from guyub.reports.workbook import WorkbookError

FAULTS_SHOWN = 200


def load_upload(pk: int) -> Upload:
    return get_object_or_404(Upload.objects.select_related("agency", "added_by"), pk=pk)


def _agencies(user: Any) -> list[Agency]:
    """Return the agencies whose reports ``user`` may write."""
    return [
        agency
        for agency in Agency.objects.filter(sub_activities__schedule__isnull=False).distinct()
        if can(user, "reports.edit", agency)
    ]


def _agency(request: HttpRequest, agencies: list[Agency]) -> Agency | None:
    asked = request.POST.get("perangkat") or request.GET.get("perangkat", "")
    if asked and all(agency.code != asked for agency in agencies):
        raise PermissionDenied("reports.edit")
    return next((agency for agency in agencies if agency.code == asked), None) or (
        agencies[0] if agencies else None
    )


@require_http_methods(["GET", "POST"])
@requires("reports.edit")
def page(request: HttpRequest) -> HttpResponse:
    """Where the workbook of a period is fetched and a filled one sent in."""
    agencies = _agencies(request.user)
    agency = _agency(request, agencies)
    form = WorkbookForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and agency is not None and form.is_valid():
        upload = form.cleaned_data["file"]
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "laporan.xlsx"
            with path.open("wb") as file:
                for chunk in upload.chunks():
                    file.write(chunk)
            try:
                checked = workbook.read(path, agency.pk)
            except WorkbookError as error:
                form.add_error("file", str(error))
            else:
                kept = services.keep_upload(
                    agency_id=agency.pk, name=upload.name, checked=checked, actor=request.user
                )
                return redirect("reports:upload", pk=kept.pk)
    context = {
        "form": form,
        "agencies": agencies,
        "agency": agency,
        "periods": queries.workbook_periods(agency.pk) if agency is not None else [],
    }
    return render(request, "reports/workbook.html", context, status=422 if form.errors else 200)


@require_GET
@requires("reports.edit")
def download(request: HttpRequest) -> HttpResponseBase:
    """The workbook of ``?perangkat=`` with the reports on the periods that end on ``?periode=``."""
    agency = _agency(request, _agencies(request.user))
    try:
        end = dt.date.fromisoformat(request.GET.get("periode", ""))
    except ValueError:
        end = None
    reports = list(queries.for_workbook(agency.pk, end)) if agency is not None and end else []
    if agency is None or end is None or not reports:
        messages.info(request, _("Tidak ada laporan pada periode itu. Pilih periode lain."))
        return redirect("reports:workbook")
    title = _("Laporan kemajuan %(agency)s, periode berakhir %(date)s") % {
        "agency": agency.name,
        "date": f"{end:%d/%m/%Y}",
    }
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "laporan.xlsx"
        workbook.write(path, reports, title)
        audit.record(
            "reports.workbook.download",
            actor=request.user,
            subject=agency,
            detail={"period_end": end, "reports": len(reports)},
        )
        name = f"laporan-{slugify(str(agency))}-{end.isoformat()}.xlsx"
        return FileResponse(path.open("rb"), as_attachment=True, filename=name)


@require_GET
@requires("reports.edit", load=load_upload)
def upload_page(request: HttpRequest, upload: Upload) -> HttpResponse:
    """What a workbook would change, and what is wrong with it."""
    rows = [row | {"changes": history.changes(row["old"], row["figures"])} for row in upload.rows]
    context = {
        "upload": upload,
        "rows": rows,
        "ready": sum(1 for row in rows if not row["lacks"]),
        "faults": upload.faults[:FAULTS_SHOWN],
        "more_faults": max(0, len(upload.faults) - FAULTS_SHOWN),
        "may_submit": can(request.user, "reports.submit", upload),
    }
    return render(request, "reports/upload.html", context)


@require_POST
@requires("reports.edit", load=load_upload)
def apply(request: HttpRequest, upload: Upload) -> HttpResponse:
    hand_in = request.POST.get("langkah") == "ajukan"
    if hand_in and not can(request.user, "reports.submit", upload):
        raise PermissionDenied("reports.submit")
    try:
        written, refused = services.apply_upload(upload, hand_in=hand_in, actor=request.user)
    except ReportError as error:
        messages.error(request, str(error))
        return redirect("reports:upload", pk=upload.pk)
    if written:
        text = (
            _("%(count)d laporan diajukan.")
            if hand_in
            else _("%(count)d laporan disimpan sebagai rancangan.")
        )
        messages.success(request, text % {"count": written})
    for line in refused[:20]:
        messages.warning(request, line)
    if len(refused) > 20:
        messages.warning(request, _("… dan %(count)d baris lain.") % {"count": len(refused) - 20})
    return redirect("reports:list")
