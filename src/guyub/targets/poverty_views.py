"""Pages of published poverty figures and of poverty that Guyub measures itself."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.imports.reading import UnreadableFileError, sample_of
from guyub.targets import drawings, estimating, queries, services, sheets, survey
from guyub.targets.estimating import RefusedSurveyError
from guyub.targets.forms import FileForm, LineForm, SurveyForm
from guyub.targets.models import Basis, Estimate, Measure, PublishedFigure
from guyub.targets.poverty import MEASURES, Measured
from guyub.targets.views import scratch_file, send_file, with_upload
from guyub.ui.paging import page_of

# What the tabs call each measure.
SHORT_LABELS: dict[str, Any] = {
    Measure.P0: gettext_lazy("Persentase miskin (P0)"),
    Measure.P1: gettext_lazy("Kedalaman (P1)"),
    Measure.P2: gettext_lazy("Keparahan (P2)"),
    Measure.POOR: gettext_lazy("Jumlah miskin"),
    Measure.LINE: gettext_lazy("Garis kemiskinan"),
    Measure.GINI: gettext_lazy("Gini"),
    Measure.UNEMPLOYMENT: gettext_lazy("Pengangguran"),
    Measure.HDI: gettext_lazy("IPM"),
}


@require_GET
@requires("targets.view")
def published(request: HttpRequest) -> HttpResponse:
    """Published figures of one measure, ``?ukuran=``, for the regency, the province and the country."""
    known = set(PublishedFigure.objects.order_by().values_list("measure", flat=True).distinct())
    asked = request.GET.get("ukuran", "")
    measure = asked if asked in known else Measure.P0.value
    names = queries.area_names()
    figures = queries.by_year(queries.published(measure))
    rows = [
        (year, [found.get(code) for code in names])
        for year, found in figures.items()
        if any(code in found for code in names)
    ]
    context = {
        "measures": [(m, SHORT_LABELS[m]) for m in Measure if m.value in known],
        "measure": Measure(measure),
        "places": drawings.PLACES[measure],
        "areas": list(names.values()),
        "page": page_of(request, rows, 10),
        "chart": drawings.published_chart(measure, figures, names),
        "headline": queries.headline(),
        "has_unverified": any(not f.is_verified for _y, row in rows for f in row if f),
        "may_manage": can(request.user, "targets.manage"),
    }
    return render(request, "targets/published.html", context)


@require_POST
@requires("targets.manage")
def load_published(request: HttpRequest) -> HttpResponse:
    """Add the published figures that come with Guyub."""
    made = services.load_published(actor=request.user)
    messages.success(request, _("%(n)s angka ditambahkan.") % {"n": made})
    return redirect("targets:published")


@require_GET
@requires("targets.view")
def published_download(request: HttpRequest) -> HttpResponseBase:
    path = scratch_file()
    sheets.write_figures(path, queries.published())
    return send_file(path, "angka-kemiskinan.xlsx")


@require_http_methods(["GET", "POST"])
@requires("targets.manage")
def published_upload(request: HttpRequest) -> HttpResponse:
    form = FileForm(request.POST or None, request.FILES or None, most_bytes=sheets.MOST_BYTES)
    context: dict[str, Any] = {"form": form, "measures": list(Measure)}
    if request.method == "POST" and form.is_valid():
        try:
            figures, faults = with_upload(form.cleaned_data["file"], sheets.read_figures)
            if not faults:
                added, changed = services.write_published(figures, actor=request.user)
                messages.success(
                    request,
                    _("%(a)s angka ditambahkan, %(c)s dibetulkan.") % {"a": added, "c": changed},
                )
                return redirect("targets:published")
            context |= {"faults": faults[:100], "fault_count": len(faults), "good": len(figures)}
        except UnreadableFileError as error:
            form.add_error("file", str(error))
    bad = bool(form.errors or context.get("faults"))
    return render(request, "targets/published_upload.html", context, status=422 if bad else 200)


def load_estimate(pk: int) -> Estimate:
    return get_object_or_404(Estimate.objects.select_related("agency", "created_by"), pk=pk)


@require_GET
@requires("targets.view")
def estimates(request: HttpRequest) -> HttpResponse:
    page = page_of(request, queries.estimates(request.user))
    line = queries.latest_published(Measure.LINE)
    rows = [
        (estimate, {m.measure: m for m in measured_of(estimate) if not m.domain})
        for estimate in page
    ]
    context = {
        "page": page,
        "rows": rows,
        "line": line,
        "form": LineForm(initial={"line": line.value if line else None}),
        "may_edit": can(request.user, "targets.edit"),
        "may_manage": can(request.user, "targets.manage"),
    }
    return render(request, "targets/estimates.html", context)


def measured_of(estimate: Estimate) -> list[Measured]:
    """Return the results of an estimate."""
    return [Measured(**result) for result in estimate.results]


MEASURE_LABELS = {
    "p0": Measure.P0.label,
    "p1": Measure.P1.label,
    "p2": Measure.P2.label,
    "gini": Measure.GINI.label,
}
# P0, P1 and P2 are shown in per cent, as BPS publishes them.
SCALES = {"p0": 100, "p1": 100, "p2": 100, "mean": 1, "gini": 1}
PLACES = {"p0": 2, "p1": 2, "p2": 2, "mean": 0, "gini": 3}


def shown(measured: Measured, official: PublishedFigure | None = None) -> dict[str, Any]:
    """Return a measure as the page shows it."""
    scale = SCALES[measured.measure]

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * scale

    return {
        "measure": measured.measure,
        "label": MEASURE_LABELS.get(
            measured.measure, _("Rata-rata pengeluaran per kapita (rupiah)")
        ),
        "value": scaled(measured.value),
        "se": scaled(measured.se),
        "low": scaled(measured.low),
        "high": scaled(measured.high),
        "rse": measured.rse,
        "reliability": measured.reliability.value,
        "places": PLACES[measured.measure],
        "se_places": PLACES[measured.measure] + (0 if measured.measure == "mean" else 1),
        "official": official,
    }


@require_GET
@requires("targets.view", load=load_estimate)
def estimate(request: HttpRequest, record: Estimate) -> HttpResponse:
    """One estimate: measures with their errors, domains, and what BPS published near its date."""
    if record.is_draft:
        if not can(request.user, "targets.edit", record):
            raise Http404
        return redirect("targets:estimate_columns", pk=record.pk)
    official = queries.nearest_published(settings.REGENCY_CODE, record.as_of.year)
    results = measured_of(record)
    domains: dict[str, dict[str, Any]] = {}
    for measured in results:
        if measured.domain:
            row = domains.setdefault(measured.domain, {"households": measured.households})
            row[measured.measure] = shown(measured)
    order = {name: position for position, name in enumerate(MEASURES)}
    whole = sorted((m for m in results if not m.domain), key=lambda m: order[m.measure])
    context = {
        "estimate": record,
        "rows": [shown(m, official.get(m.measure)) for m in whole],
        "page": page_of(request, list(domains.items()), 60),
        "is_registry": record.basis == Basis.REGISTRY,
        "may_delete": can(request.user, "targets.edit", record),
        "columns": [
            (survey.BY_NAME[name].label, heading)
            for name, heading in record.design.get("columns", {}).items()
            if name in survey.BY_NAME
        ],
    }
    return render(request, "targets/estimate.html", context)


@require_http_methods(["GET", "POST"])
@requires("targets.edit")
def estimate_new(request: HttpRequest) -> HttpResponse:
    line = queries.latest_published(Measure.LINE)
    form = SurveyForm(
        request.POST or None,
        request.FILES or None,
        most_bytes=settings.IMPORT_MAX_BYTES,
        initial={"line": line.value if line else None},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = estimating.take_survey(
                title=data["title"],
                as_of=data["as_of"],
                line=data["line"],
                file_name=data["file"].name,
                chunks=data["file"].chunks(),
                actor=request.user,
            )
        except RefusedSurveyError as error:
            form.add_error("file", str(error))
        else:
            return redirect("targets:estimate_columns", pk=made.pk)
    context = {"form": form, "line": line, "fields": survey.FIELDS}
    return render(request, "targets/estimate_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("targets.edit", load=load_estimate)
def estimate_columns(request: HttpRequest, record: Estimate) -> HttpResponse:
    """Match the columns of a survey, see what is wrong with its rows, and have it measured."""
    if not record.is_draft:
        return redirect("targets:estimate", pk=record.pk)
    problem = ""
    headings = record.layout().get("headings", [])
    if request.method == "POST":
        columns = {}
        for survey_field in survey.FIELDS:
            text = request.POST.get(f"kolom-{survey_field.name}", "")
            if text.isdigit() and int(text) < len(headings):
                columns[survey_field.name] = int(text)
        try:
            record = estimating.choose_columns(record, columns, actor=request.user)
            if "hitung" in request.POST:
                record = estimating.measure_survey(record, actor=request.user)
                messages.success(request, _("Ukuran kemiskinan selesai dihitung."))
                return redirect("targets:estimate", pk=record.pk)
        except RefusedSurveyError as error:
            problem = str(error)
    columns = record.design.get("columns", {})
    found = None
    try:
        found = estimating.read_survey(record, columns)
    except RefusedSurveyError as error:
        problem = problem or str(error)
    sample = sample_of(record.layout())
    context = {
        "estimate": record,
        "problem": problem,
        "fields": [
            {"field": survey_field, "column": columns.get(survey_field.name)}
            for survey_field in survey.FIELDS
        ],
        "headings": [
            (index, heading, ", ".join(filter(None, (row[index] for row in sample[:3]))))
            for index, heading in enumerate(headings)
        ],
        "found": found,
        "ready": found is not None and not found.fault_count,
        "hidden": (found.fault_count - len(found.faults)) if found else 0,
    }
    refused = bool(problem) and request.method == "POST"
    return render(request, "targets/estimate_columns.html", context, status=422 if refused else 200)


@require_POST
@requires("targets.edit", load=load_estimate)
def estimate_delete(request: HttpRequest, record: Estimate) -> HttpResponse:
    try:
        estimating.delete_estimate(
            record, actor=request.user, reason=request.POST.get("reason", "")
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("targets:estimate", pk=record.pk)
    messages.success(request, _("Ukuran ini dihapus."))
    return redirect("targets:estimates")


@require_POST
@requires("targets.manage")
def registry_estimate(request: HttpRequest) -> HttpResponse:
    """Measure poverty in the registry against a line."""
    form = LineForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(e) for each in form.errors.values() for e in each))
        return redirect("targets:estimates")
    try:
        made = estimating.measure_registry(form.cleaned_data["line"], actor=request.user)
    except RefusedSurveyError as error:
        messages.error(request, str(error))
        return redirect("targets:estimates")
    messages.success(request, _("Ukuran kemiskinan dalam registri selesai dihitung."))
    return redirect("targets:estimate", pk=made.pk)
