"""Pages of indicators: the list, one indicator, its years, and their Excel files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.imports.reading import UnreadableFileError
from guyub.targets import drawings, queries, services, sheets
from guyub.targets.forms import CopyForm, FileForm, IndicatorForm, YearForm
from guyub.targets.models import Indicator, IndicatorKind
from guyub.targets.progress import STANDING_LABELS
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of

NEWEST = "terbaru"


def load_indicator(code: str) -> Indicator:
    found = queries.find_indicator(code)
    if found is None:
        raise Http404
    return found


def load_indicator_year(code: str, year: int) -> Indicator:
    """Return the indicator with ``chosen_year`` set, for a page about one of its years."""
    indicator = load_indicator(code)
    if not services.FIRST_YEAR <= year <= timezone.localdate().year + services.YEARS_AHEAD:
        raise Http404
    indicator.chosen_year = year  # type: ignore[attr-defined]
    return indicator


@require_GET
@requires("targets.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Indicators by kind, agency, standing and year; ``?tahun=`` is a year or the newest of each."""
    years = queries.years()
    asked = request.GET.get("tahun", "")
    year = next((y for y in years if str(y) == asked), None)
    filters = {
        "kind": request.GET.get("jenis", ""),
        "owner": request.GET.get("perangkat", ""),
        "standing": request.GET.get("status", ""),
        "text": request.GET.get("q", "").strip()[:100],
    }
    may_manage = can(request.user, "targets.manage")
    with_inactive = may_manage and request.GET.get("nonaktif") == "1"
    rows = queries.indicators(**filters, year=year, with_inactive=with_inactive)
    context = {
        "page": page_of(request, rows),
        "years": years,
        "year": year,
        "filters": filters,
        "is_filtered": any(filters.values()) or year is not None,
        "kinds": IndicatorKind.choices,
        "owners": queries.owners(),
        "standings": [(s.value, label) for s, label in STANDING_LABELS.items()],
        "with_inactive": with_inactive,
        "may_manage": may_manage,
        "may_edit": can(request.user, "targets.edit"),
        "this_year": timezone.localdate().year,
    }
    return render(request, "targets/list.html", context)


@require_GET
@requires("targets.view", load=load_indicator)
def indicator(request: HttpRequest, record: Indicator) -> HttpResponse:
    years = list(record.years.all())  # type: ignore[attr-defined]
    progress = [queries.progress_of(record, entry.year) for entry in reversed(years)]
    context = {
        "indicator": record,
        "latest": queries.latest_progress(record),
        "page": page_of(request, progress, 15),
        "chart": drawings.indicator_chart(record, years),
        "history": queries.history(record),
        "may_edit": can(request.user, "targets.edit", record),
        "may_manage": can(request.user, "targets.manage"),
        "next_year": timezone.localdate().year,
    }
    return render(request, "targets/indicator.html", context)


@require_http_methods(["GET", "POST"])
@requires("targets.manage")
def create(request: HttpRequest) -> HttpResponse:
    form = IndicatorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_indicator(actor=request.user, values=form.values())
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Indikator ditambahkan."))
            return redirect("targets:indicator", code=made.code)
    return render(request, "targets/form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("targets.manage", load=load_indicator)
def edit(request: HttpRequest, record: Indicator) -> HttpResponse:
    form = IndicatorForm(request.POST or None, instance=load_indicator(record.code))
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.update_indicator(record, actor=request.user, values=form.values())
        except ValidationError as error:
            show_errors(form, error)
        else:
            text = _("Perubahan tersimpan.") if changed else _("Tidak ada yang berubah.")
            messages.success(request, text)
            return redirect("targets:indicator", code=record.code)
    context = {"form": form, "indicator": record}
    return render(request, "targets/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("targets.edit", load=load_indicator_year)
def year_page(request: HttpRequest, record: Indicator) -> HttpResponse:
    """Enter the target and realisation of one year; a new year may be chosen in the form."""
    year: int = record.chosen_year  # type: ignore[attr-defined]
    entry = next((e for e in record.years.all() if e.year == year), None)  # type: ignore[attr-defined]
    form = YearForm(
        request.POST or None,
        indicator=record,
        entry=entry,
        year=year,
        may_manage=can(request.user, "targets.manage"),
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["year"]
        if entry is None and any(e.year == chosen for e in record.years.all()):  # type: ignore[attr-defined]
            form.add_error(
                "year", _("Tahun ini sudah ada. Buka baris tahun itu untuk mengubahnya.")
            )
        else:
            try:
                written = services.write_year(record, chosen, form.values(), actor=request.user)
            except ValidationError as error:
                show_errors(form, error)
            else:
                text = _("Tersimpan.") if written else _("Tidak ada yang berubah.")
                messages.success(request, text)
                return redirect("targets:indicator", code=record.code)
    context = {"form": form, "indicator": record, "year": year, "entry": entry}
    return render(request, "targets/year.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("targets.manage")
def copy(request: HttpRequest) -> HttpResponse:
    form = CopyForm(request.POST or None, years=queries.years())
    if request.method == "POST" and form.is_valid():
        from_year, to_year = form.cleaned_data["from_year"], form.cleaned_data["to_year"]
        try:
            copied = services.copy_targets(from_year, to_year, actor=request.user)
        except ValidationError as error:
            for field, errors in error.message_dict.items():
                form.add_error("to_year" if field == "year" else None, errors)
        else:
            messages.success(
                request,
                _("%(n)s target disalin ke tahun %(year)s.") % {"n": copied, "year": to_year}
                if copied
                else _("Semua indikator sudah punya target untuk tahun itu."),
            )
            return redirect("targets:list")
    return render(request, "targets/copy.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@requires("targets.manage")
def load_built_in(request: HttpRequest) -> HttpResponse:
    """Add the indicators that come with Guyub."""
    made = services.load_indicators(actor=request.user)
    messages.success(request, _("%(n)s indikator ditambahkan.") % {"n": made})
    return redirect("targets:list")


def send_file(path: Path, name: str) -> HttpResponseBase:
    """Send a file that is thrown away afterwards."""
    handle = path.open("rb")
    path.unlink()
    return FileResponse(
        handle,
        as_attachment=True,
        filename=name,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def scratch_file(suffix: str = ".xlsx") -> Path:
    """Return a new empty file outside the database."""
    with tempfile.NamedTemporaryFile(suffix=suffix, delete=False) as file:
        return Path(file.name)


@require_GET
@requires("targets.view")
def download(request: HttpRequest) -> HttpResponseBase:
    """An Excel file of all active indicators in ``?tahun=``, to fill in and upload again."""
    asked = request.GET.get("tahun", "")
    last = timezone.localdate().year + services.YEARS_AHEAD
    year = int(asked) if asked.isdigit() and len(asked) == 4 else timezone.localdate().year
    year = min(max(year, services.FIRST_YEAR), last)
    rows = queries.indicators(owner=request.GET.get("perangkat", ""), year=year)
    path = scratch_file()
    sheets.write_years(path, year, ((row.indicator, row.progress.entry) for row in rows))
    return send_file(path, f"indikator-{year}.xlsx")


@require_http_methods(["GET", "POST"])
@requires("targets.edit")
def upload(request: HttpRequest) -> HttpResponse:
    """Read targets and realisation from a file; nothing is written while any row is at fault."""
    form = FileForm(request.POST or None, request.FILES or None, most_bytes=sheets.MOST_BYTES)
    context: dict[str, Any] = {"form": form, "this_year": timezone.localdate().year}
    if request.method == "POST" and form.is_valid():
        try:
            rows, faults = with_upload(
                form.cleaned_data["file"], lambda path: sheets.read_years(path, request.user)
            )
            if not faults:
                changed = services.write_years(rows, actor=request.user)
                messages.success(
                    request,
                    _("%(n)s baris tersimpan.") % {"n": changed}
                    if changed
                    else _("Isi berkas sama dengan yang tercatat. Tidak ada yang berubah."),
                )
                return redirect("targets:list")
            context |= {"faults": faults[:100], "fault_count": len(faults), "good": len(rows)}
        except UnreadableFileError as error:
            form.add_error("file", str(error))
        except ValidationError as error:
            form.add_error(None, error.messages)
    bad = bool(form.errors or context.get("faults"))
    return render(request, "targets/upload.html", context, status=422 if bad else 200)


def with_upload(file: Any, use: Any) -> Any:
    """Give ``use`` an uploaded file as a file on disk, and throw that away."""
    path = scratch_file(".bin")
    try:
        with path.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        return use(path)
    finally:
        path.unlink(missing_ok=True)
