"""Pages about overlap: cases, households found, coverage, budget against need."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import Scope, authorize, can, scope_of
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.overlaps import budget as budgets
from guyub.overlaps import exports, queries, services
from guyub.overlaps.choices import Choices
from guyub.overlaps.forms import ReasonForm, ReopenForm, SettleForm
from guyub.overlaps.models import CaseState, OverlapCase
from guyub.programs.models import SubActivity
from guyub.registry.restriction import household_ids
from guyub.ui.charts import bars
from guyub.ui.paging import page_of

EXPORT_LIMIT = 100_000
MEETINGS_SHOWN = 40


def _case(pk: int) -> OverlapCase:
    return get_object_or_404(OverlapCase.objects.select_related("lead_agency", "settled_by"), pk=pk)


def _frame(request: HttpRequest, choices: Choices, tab: str) -> dict[str, Any]:
    """Return what every page here shows: which tab, which year, reckoned when."""
    return {
        "choices": choices,
        "tab": tab,
        "reckoning": choices.reckoning,
        "may_settle": can(request.user, "overlaps.settle"),
    }


# Cases


@require_GET
@requires("overlaps.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """The cases of a year; ``?keadaan=``, ``?bentuk=`` and ``?perangkat=`` narrow them."""
    choices = Choices(request)
    state = request.GET.get("keadaan", "")
    state = state if state in CaseState.values else ""
    agency = request.GET.get("perangkat", "")[:40]
    found = queries.cases(choices.year, state=state, kind=choices.kind, agency=agency)
    page = page_of(request, found)
    for case in page:
        case.agencies = queries.agencies_of(case)
    context = _frame(request, choices, "cases") | {
        "page": page,
        "states": CaseState.choices,
        "state": state,
        "agencies": Agency.objects.filter(sub_activities__year=choices.year).distinct(),
        "agency": agency,
        "is_narrowed": bool(state or agency or choices.kind),
        "summary": queries.summary(choices.year),
    }
    return render(request, "overlaps/list.html", context)


@require_POST
@requires("overlaps.settle")
def reckon(request: HttpRequest) -> HttpResponse:
    """Find overlap and gaps of a year anew, at once."""
    text = request.POST.get("tahun", "")
    known = queries.years()
    year = next((year for year in known if str(year) == text), queries.usual_year(known))
    services.reckon(year, actor=request.user)
    summary = queries.summary(year)
    messages.success(
        request,
        _("Sudah dihitung ulang: %(cases)d kasus perlu dibahas, %(doubled)d keluarga rangkap.")
        % {"cases": summary.open_cases, "doubled": summary.doubled},
    )
    return redirect(f"{reverse('overlaps:list')}?tahun={year}")


@require_GET
@requires("overlaps.view", load=_case)
def case_page(request: HttpRequest, case: OverlapCase) -> HttpResponse:
    found = queries.reckoned(case.year)
    detail = queries.case_detail(case, found[1] if found else None)
    context = {
        "case": case,
        "agencies": queries.agencies_of(case),
        "members": detail.members,
        "meetings": detail.meetings[:MEETINGS_SHOWN],
        "more_meetings": max(0, len(detail.meetings) - MEETINGS_SHOWN),
        "steps": case.steps.select_related("by")[:30],
        "reckoning": found[0] if found else None,
        "may_settle": can(request.user, "overlaps.settle"),
        "may_list": can(request.user, "beneficiaries.view"),
    }
    return render(request, "overlaps/case.html", context)


@require_http_methods(["GET", "POST"])
@requires("overlaps.settle", load=_case)
def settle(request: HttpRequest, case: OverlapCase) -> HttpResponse:
    initial = {"ruling": case.ruling, "lead_agency": case.lead_agency, "note": case.ruling_note}
    form = SettleForm(case, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.settle(case, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Putusan tersimpan dan tampil di sub kegiatannya."))
            return redirect("overlaps:case", pk=case.pk)
    return _form_page(request, case, form, _("Putuskan kasus"), _("Simpan putusan"))


@require_http_methods(["GET", "POST"])
@requires("overlaps.settle", load=_case)
def reopen(request: HttpRequest, case: OverlapCase) -> HttpResponse:
    form = ReopenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.reopen(case, reason=form.cleaned_data["reason"], actor=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Kasus dibuka lagi."))
            return redirect("overlaps:case", pk=case.pk)
    return _form_page(request, case, form, _("Buka kasus lagi"), _("Buka lagi"))


def _form_page(
    request: HttpRequest, case: OverlapCase, form: Any, title: str, button: str
) -> HttpResponse:
    context = {
        "case": case,
        "agencies": queries.agencies_of(case),
        "form": form,
        "title": title,
        "button": button,
    }
    return render(request, "overlaps/form.html", context, status=422 if form.errors else 200)


# Households found


@require_GET
@requires("overlaps.view")
def gaps(request: HttpRequest) -> HttpResponse:
    """Sums of the three findings for an area, and of one of them for the areas within it."""
    choices = Choices(request)
    finding = choices.finding if choices.finding in queries.GAPS else queries.DOUBLED
    narrowing = queries.Narrowing(finding, choices.kind if finding.about_help else "")
    context = _frame(request, choices, "gaps") | {
        "finding": finding,
        "may_list": _may_list(request.user, choices.area),
    }
    if choices.reckoned and choices.area:
        arrays = choices.reckoned[1]
        context["tiles"] = [
            (one, *queries.count(arrays, choices.area.code, queries.Narrowing(one)))
            for one in queries.GAPS
        ]
        context["count"], context["of"] = queries.count(arrays, choices.area.code, narrowing)
        context["page"] = page_of(request, queries.by_area(arrays, choices.area, narrowing), 50)
        context["most"] = max(
            (row.households for row in context["page"].paginator.object_list), default=0
        )
    return render(request, "overlaps/gaps.html", context)


def _may_list(user: Any, area: Area | None) -> bool:
    """Tell whether ``user`` may see the households of an area by name."""
    return area is not None and can(user, "beneficiaries.view", area)


@require_GET
@requires("beneficiaries.view")
def households(request: HttpRequest) -> HttpResponse:
    """The households behind a number, by name. An area operator sees those of the own area."""
    choices = Choices(request)
    if choices.case is not None and choices.case.year != choices.year:
        raise Http404
    narrowing = choices.narrowing
    context = _frame(request, choices, "gaps") | {
        "narrowing": narrowing,
        "finding": narrowing.finding,
        "may_export": _may_export(request.user, narrowing),
        "desils": [*range(1, 11), 0],
        "pair": SubActivity.objects.filter(pk__in=choices.pair).select_related("agency")
        if choices.pair
        else [],
    }
    if choices.reckoned and choices.area:
        ids = queries.household_ids(request.user, choices.reckoned[1], choices.area.code, narrowing)
        page = page_of(request, ids)
        context["page"] = page
        context["rows"] = queries.rows(page.object_list, choices.year, narrowing)
    return render(request, "overlaps/households.html", context)


def _may_export(user: Any, narrowing: queries.Narrowing) -> bool:
    return can(user, "registry.export") and (
        not narrowing.finding.about_help or can(user, "beneficiaries.export")
    )


@require_http_methods(["GET", "POST"])
@requires("registry.export")
def export(request: HttpRequest) -> HttpResponseBase:
    """Take a list of households out as an Excel file, with the reason.

    Lists of who receives something need ``beneficiaries.export`` too; an agency takes out the
    households that it helps itself.
    """
    choices = Choices(request)
    narrowing = choices.narrowing
    if narrowing.finding.about_help:
        authorize(request.user, "beneficiaries.export")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if choices.reckoned is None or choices.area is None:
            form.add_error(None, _("Belum ada hasil perhitungan untuk tahun ini."))
        else:
            ids = _ids_to_export(request.user, choices, narrowing)
            if len(ids) <= EXPORT_LIMIT:
                return _export_file(request, choices, narrowing, ids, form.cleaned_data["reason"])
            form.add_error(
                None,
                _(
                    "Daftar ini lebih dari 100.000 keluarga. Persempit dahulu, misalnya per kecamatan."
                ),
            )
    context = {"choices": choices, "narrowing": narrowing, "form": form}
    return render(request, "overlaps/export.html", context, status=422 if form.errors else 200)


def _ids_to_export(user: Any, choices: Choices, narrowing: queries.Narrowing) -> Any:
    assert choices.reckoned is not None
    assert choices.area is not None
    arrays = choices.reckoned[1]
    ids = queries.household_ids(user, arrays, choices.area.code, narrowing)
    if narrowing.finding.about_help and scope_of(user, "beneficiaries.export") is Scope.OWN_AGENCY:
        own = queries.helped_by(user.agency_id, choices.year, arrays, narrowing.kind)
        ids = ids[np.isin(ids, own)]
    return ids[~np.isin(ids, household_ids())]


def _export_file(
    request: HttpRequest, choices: Choices, narrowing: queries.Narrowing, ids: Any, reason: str
) -> HttpResponseBase:
    assert choices.reckoning is not None
    assert choices.area is not None
    title = f"{narrowing.finding.title}. {narrowing.finding.explained}"
    if choices.kind:
        title += f" {choices.kind_label}."
    info = exports.about(title, choices.area.title, choices.reckoning, request.user, reason)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keluarga.xlsx"
        count = exports.write_households(path, info, ids, choices.year, narrowing)
        services.log_export(
            narrowing.finding.name,
            actor=request.user,
            reason=reason,
            rows=count,
            filters={
                "year": choices.year,
                "area": choices.area.code,
                "kind": choices.kind,
                "desil": list(choices.desil),
                "case": choices.case.pk if choices.case else None,
            },
        )
        name = f"{narrowing.finding.name}-{choices.year}-{timezone.localdate():%Y%m%d}.xlsx"
        return FileResponse(path.open("rb"), as_attachment=True, filename=name)


# Coverage


@require_GET
@requires("overlaps.view")
def coverage(request: HttpRequest) -> HttpResponse:
    """The matrix of an area: kind of help by desil."""
    choices = Choices(request)
    context = _frame(request, choices, "coverage") | {
        "columns": queries.COLUMNS,
        "may_list": _may_list(request.user, choices.area),
    }
    if choices.reckoned and choices.area:
        context["matrix"] = queries.coverage(choices.reckoned[1], choices.area)
    return render(request, "overlaps/coverage.html", context)


@require_GET
@requires("overlaps.view")
def coverage_areas(request: HttpRequest) -> HttpResponse:
    """The matrix of one kind of help (or of any): areas within an area by desil."""
    choices = Choices(request)
    context = _frame(request, choices, "coverage") | {
        "columns": queries.COLUMNS,
        "may_list": _may_list(request.user, choices.area),
        "by_area": True,
    }
    if choices.reckoned and choices.area:
        context["matrix"] = queries.coverage_by_area(
            choices.reckoned[1], choices.area, choices.kind
        )
        context["opens"] = choices.area.level == Level.REGENCY
    return render(request, "overlaps/coverage.html", context)


@require_GET
@requires("overlaps.view")
def coverage_export(request: HttpRequest) -> HttpResponseBase:
    """The matrix that the page shows, as an Excel file of sums."""
    choices = Choices(request)
    if choices.reckoned is None or choices.area is None:
        messages.error(request, _("Belum ada hasil perhitungan untuk tahun ini."))
        return redirect("overlaps:coverage")
    reckoning, arrays = choices.reckoned
    if request.GET.get("per") == "wilayah":
        matrix = queries.coverage_by_area(arrays, choices.area, choices.kind)
        first = _("Wilayah")
        title = _("Cakupan bantuan menurut wilayah: %(kind)s") % {
            "kind": choices.kind_label or _("bantuan apa pun")
        }
    else:
        matrix, first = queries.coverage(arrays, choices.area), _("Bentuk bantuan")
        title = _("Cakupan bantuan menurut bentuk dan desil")
    info = exports.about(title, choices.area.title, reckoning, request.user)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cakupan.xlsx"
        exports.write_matrix(path, info, first, matrix)
        name = f"cakupan-{choices.year}-{choices.area.code}.xlsx"
        return FileResponse(path.open("rb"), as_attachment=True, filename=name)


# Budget against need


def _budget(request: HttpRequest, choices: Choices) -> dict[str, Any]:
    poor_up_to = 4 if request.GET.get("miskin") == "4" else 2
    return _frame(request, choices, "budget") | {
        "poor_up_to": poor_up_to,
        "found": budgets.by_district(choices.year, kind=choices.kind, poor_up_to=poor_up_to),
    }


@require_GET
@requires("overlaps.view")
def budget(request: HttpRequest) -> HttpResponse:
    """Each district's part of the budgets against its poor households."""
    choices = Choices(request)
    context = _budget(request, choices)
    rows = sorted(context["found"].districts, key=lambda row: (-(row.each or 0), row.area.code))
    context["rows"] = rows
    if context["found"].amount and any(row.each for row in rows):
        context["chart"] = bars(
            "anggaran",
            _("Anggaran per keluarga miskin (rupiah)"),
            [(row.area.name, row.each or 0) for row in rows],
            label=_("Kecamatan"),
            value=_("Rupiah per keluarga miskin"),
        )
    return render(request, "overlaps/budget.html", context)


@require_GET
@requires("overlaps.view")
def budget_area(request: HttpRequest, code: str) -> HttpResponse:
    """The sub-activities whose budgets a district has a part in."""
    choices = Choices(request)
    context = _budget(request, choices)
    row = next((row for row in context["found"].districts if row.area.code == code), None)
    if row is None:
        raise Http404
    context["row"] = row
    context["page"] = page_of(request, row.shares)
    return render(request, "overlaps/budget_area.html", context)
