"""Pages of scenarios: their list, what they assume, what comes of them, and why."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import authorize, can
from guyub.allocation import exports, outcome, queries, services
from guyub.allocation.forms import ChooseForm, OfferFormSet, ScenarioForm
from guyub.allocation.models import Scenario, ScenarioOffer, State
from guyub.allocation.pictures import needs_met
from guyub.areas.models import Area, Level
from guyub.longruns.progress import shown
from guyub.overlaps.queries import usual_year
from guyub.overlaps.queries import years as budget_years
from guyub.programs.vocabulary import HelpKind
from guyub.registry.forms import ReasonForm
from guyub.registry.models import Household
from guyub.registry.queries import visible_to
from guyub.registry.restriction import household_ids
from guyub.ui.answers import refused, show_errors, tried
from guyub.ui.paging import page_of

EXPORT_LIMIT = 100_000
MOST_COMPARED = 4


def _scenario(pk: int, **_more: Any) -> Scenario:
    return get_object_or_404(Scenario.objects.select_related("created_by", "chosen_by"), pk=pk)


def _offer(pk: int) -> ScenarioOffer:
    return get_object_or_404(
        ScenarioOffer.objects.select_related("scenario", "sub_activity__agency"), pk=pk
    )


@require_GET
@requires("allocation.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """The scenarios; ``?tahun=`` narrows them."""
    known = queries.years()
    text = request.GET.get("tahun", "")
    year = next((year for year in known if str(year) == text), None)
    context = {
        "page": page_of(request, queries.scenarios(year)),
        "years": known,
        "year": year,
        "may_edit": can(request.user, "allocation.edit"),
    }
    return render(request, "allocation/list.html", context)


@require_http_methods(["GET", "POST"])
@requires("allocation.edit")
def create(request: HttpRequest) -> HttpResponse:
    """A new scenario for a budget year, from what its sub-activities have left."""
    known = budget_years()
    text = request.POST.get("tahun") or request.GET.get("tahun", "")
    year = next((year for year in known if str(year) == text), usual_year(known))
    form = ScenarioForm(request.POST or None, instance=Scenario(year=year))
    if request.method == "POST" and form.is_valid():
        try:
            scenario = services.create_scenario(
                year,
                values=_values(form),
                priority_rules=form.cleaned_data["priority_rules"],
                actor=request.user,
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            return redirect("allocation:edit", scenario.pk)
    context = {"form": form, "years": known, "year": year}
    return render(request, "allocation/create.html", context, status=422 if form.errors else 200)


def _values(form: ScenarioForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in services.ABOUT}


@require_http_methods(["GET", "POST"])
@requires("allocation.edit", load=_scenario)
def edit(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """What the scenario assumes, and what each sub-activity has to give."""
    offers = scenario.offers.select_related("sub_activity__agency").order_by(
        "sub_activity__name", "pk"
    )
    form = ScenarioForm(
        request.POST or None,
        instance=Scenario.objects.get(pk=scenario.pk),
        initial={"priority_rules": scenario.priority_rules.all()},
    )
    rows = OfferFormSet(request.POST or None, queryset=offers, prefix="sub")
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        changed = {row.instance.pk: row.cleaned_data for row in rows.forms}
        try:
            services.change_scenario(
                scenario,
                values=_values(form),
                priority_rules=form.cleaned_data["priority_rules"],
                offers=changed,
                actor=request.user,
            )
            if "hitung" in request.POST:
                services.start(scenario, actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            return redirect("allocation:scenario", scenario.pk)
    context = {"scenario": scenario, "form": form, "rows": rows}
    failed = request.method == "POST"
    return render(request, "allocation/edit.html", context, status=422 if failed else 200)


@require_POST
@requires("allocation.edit", load=_scenario)
def copy(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """A further scenario with the same assumptions, to change one thing and compare."""
    number = Scenario.objects.filter(year=scenario.year).count() + 1
    values = {name: getattr(scenario, name) for name in services.ABOUT}
    values["name"] = f"{scenario.name[:100]} ({number})"
    try:
        made = services.create_scenario(
            scenario.year,
            values=values,
            priority_rules=scenario.priority_rules.all(),
            base=scenario,
            actor=request.user,
        )
    except ValidationError as error:
        refused(request, error)
        return redirect("allocation:scenario", scenario.pk)
    return redirect("allocation:edit", made.pk)


@require_POST
@requires("allocation.edit", load=_scenario)
def delete(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """Remove a scenario that was not chosen."""
    gone = tried(
        request,
        lambda: services.delete_scenario(scenario, actor=request.user),
        _("Skenario dihapus."),
    )
    return redirect("allocation:list") if gone else redirect("allocation:scenario", scenario.pk)


@require_POST
@requires("allocation.edit", load=_scenario)
def start(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """Reckon the plan, or reckon it again."""
    try:
        services.start(scenario, actor=request.user)
    except ValidationError as error:
        refused(request, error)
    return redirect("allocation:scenario", scenario.pk)


def _progress(scenario: Scenario) -> dict[str, Any]:
    names = {
        "gather": _("Membaca registri, penerima, dan aturan"),
        "solve": _("Mencari rencana terbaik"),
        "explain": _("Menyusun penjelasan"),
    }
    return shown(outcome.ScenarioFolder(scenario.pk), names, silent_after=None)


@require_GET
@requires("allocation.view", load=_scenario)
def progress(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """How far the reckoning is; loads the page anew once it has ended."""
    if scenario.state != State.RUNNING:
        answer = HttpResponse()
        answer["HX-Refresh"] = "true"
        return answer
    context = {"scenario": scenario, "progress": _progress(scenario)}
    return render(request, "allocation/_progress.html", context)


@require_GET
@requires("allocation.view", load=_scenario)
def scenario_page(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """What comes of a scenario: needs met and unmet, by kind, sub-activity and district."""
    offers = queries.offers_of(scenario)
    context: dict[str, Any] = {
        "scenario": scenario,
        "rules": scenario.priority_rules.all(),
        "offers": offers,
        "taking_part": [offer for offer in offers if offer.included],
        "may_edit": can(request.user, "allocation.edit"),
        "may_list": can(request.user, "allocation.view_people"),
        "others": queries.scenarios(scenario.year).exclude(pk=scenario.pk)[:8],
    }
    if scenario.state == State.RUNNING:
        context["progress"] = _progress(scenario)
    if scenario.is_current:
        result = scenario.result
        names = dict(Area.objects.filter(level=Level.DISTRICT).values_list("pk", "name"))
        districts = [
            {"name": names.get(pk, ""), "severe": severe, "severe_met": severe_met,
             "needs": needs, "met": met}
            for pk, severe, severe_met, needs, met in result["by_district"]
        ]  # fmt: skip
        districts.sort(key=lambda row: row["severe_met"] - row["severe"])
        # Most worth a look first: those that give to most.
        shown = sorted(context["taking_part"], key=lambda offer: -sum(offer.result["given"]))
        context["page"] = page_of(request, shown)
        for offer in context["page"]:
            offer.may_adopt = can(request.user, "allocation.adopt", offer)
        context |= {
            "sums": _sums(result),
            "kinds": [
                {"label": HelpKind(kind).label, "needs": needs, "met": met}
                for kind, (needs, met) in result["by_kind"].items()
            ],
            "chart": needs_met(result),
            "districts": districts,
            "more": _worthwhile(context["taking_part"]),
        }
    return render(request, "allocation/scenario.html", context)


def _sums(result: dict[str, Any]) -> dict[str, Any]:
    needs, met = result["needs"], result["met"]
    return {
        "severe": needs[2],
        "severe_met": met[2],
        "severe_unmet": needs[2] - met[2],
        "needs": sum(needs),
        "met": sum(met),
        "percent": 100 * sum(met) / sum(needs) if sum(needs) else 0,
        "severe_percent": 100 * met[2] / needs[2] if needs[2] else 100,
        "distance": 100 * result["distance"],
        "best": result["distance"] < 0.00005,
    } | {key: result[key] for key in ("households", "helped_households", "spent", "added",
                                      "severe_bound", "seconds", "classes")}  # fmt: skip


def _worthwhile(offers: list[ScenarioOffer]) -> list[dict[str, Any]]:
    """Return where more money would meet most severe needs for what it costs."""
    found = []
    for offer in offers:
        more = offer.result.get("more")
        if more:
            cost = outcome.MORE * offer.unit_cost
            found.append(
                {"offer": offer, "more": more, "cost": cost, "each": cost // more if cost else 0}
            )
    found.sort(key=lambda row: (row["each"], -row["more"]))
    return found[:8]


@require_http_methods(["GET", "POST"])
@requires("allocation.choose", load=_scenario)
def choose(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """Make the scenario the year's plan, with the reason."""
    form = ChooseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.choose(scenario, reason=form.cleaned_data["reason"], actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(
                request, _("Skenario ini menjadi rencana. Perangkat daerahnya diberi tahu.")
            )
            return redirect("allocation:scenario", scenario.pk)
    context = {"scenario": scenario, "form": form}
    return render(request, "allocation/choose.html", context, status=422 if form.errors else 200)


@require_POST
@requires("allocation.adopt", load=_offer)
def adopt(request: HttpRequest, offer: ScenarioOffer) -> HttpResponse:
    """Make candidates of the households that the plan names for a sub-activity."""
    try:
        count = services.adopt(offer, actor=request.user)
    except ValidationError as error:
        refused(request, error)
    else:
        messages.success(
            request,
            _("%(count)d calon penerima didaftarkan pada %(name)s. Langkah berikutnya: verifikasi.")
            % {"count": count, "name": offer.sub_activity},
        )
    return redirect("allocation:scenario", offer.scenario_id)


# Households


def _narrowing(request: HttpRequest) -> queries.Narrowing:
    sub = request.GET.get("sub", "")
    return queries.Narrowing(
        sub_activity=int(sub) if sub.isdigit() and len(sub) < 12 else 0,
        area=request.GET.get("wilayah", "")[:13],
        unmet=request.GET.get("tampilkan") == queries.SEVERE_UNMET,
    )


@require_GET
@requires("allocation.view_people", load=_scenario)
def households(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """Who gets what; ``?sub=``, ``?wilayah=`` and ``?tampilkan=berat-belum`` narrow the list."""
    narrowing = _narrowing(request)
    offers = queries.offers_of(scenario)
    context: dict[str, Any] = {
        "scenario": scenario,
        "offers": [offer for offer in offers if offer.included],
        "narrowing": narrowing,
        "districts": Area.objects.filter(level=Level.DISTRICT),
        "may_export": can(request.user, "allocation.export"),
    }
    try:
        ids = queries.household_ids(scenario, narrowing) if scenario.is_current else []
    except outcome.PlanMissingError:
        context["missing"] = True
        ids = []
    page = page_of(request, ids)
    shown = [int(pk) for pk in page.object_list]
    context |= {
        "page": page,
        "lines": queries.lines(scenario, shown, offers) if shown else [],
    }
    return render(request, "allocation/households.html", context)


@require_http_methods(["GET", "POST"])
@requires("allocation.export", load=_scenario)
def export(request: HttpRequest, scenario: Scenario) -> HttpResponseBase:
    """Take the list out as an Excel file, with the reason; numbers stay masked."""
    narrowing = _narrowing(request)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ids = queries.household_ids(scenario, narrowing) if scenario.is_current else []
        except outcome.PlanMissingError:
            ids = []
        if len(ids) > EXPORT_LIMIT:
            form.add_error(None, _("Daftar ini lebih dari 100.000 keluarga. Persempit dahulu."))
        elif not len(ids):
            form.add_error(None, _("Tidak ada keluarga yang bisa diunduh."))
        else:
            reason = form.cleaned_data["reason"]
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "alokasi.xlsx"
                hidden = set(household_ids())
                handed = [int(pk) for pk in ids if int(pk) not in hidden]
                rows = exports.write(path, scenario, handed, user=request.user, reason=reason)
                services.log_export(scenario, reason=reason, rows=rows, actor=request.user)
                name = f"alokasi-{scenario.year}-{timezone.localdate():%Y%m%d}.xlsx"
                return FileResponse(path.open("rb"), as_attachment=True, filename=name)
    context = {"scenario": scenario, "form": form, "query": request.GET.urlencode()}
    return render(request, "allocation/export.html", context, status=422 if form.errors else 200)


def _explained(pk: int, household: int) -> tuple[Scenario, Household]:
    found = Household.objects.select_related("village", "district").filter(pk=household).first()
    if found is None:
        raise Http404
    return _scenario(pk), found


@require_GET
@requires("allocation.view_people")
def explain(request: HttpRequest, pk: int, household: int) -> HttpResponse:
    """Why a household gets something, or does not."""
    scenario, home = _explained(pk, household)
    authorize(request.user, "registry.view", home)
    if not visible_to(request.user).filter(pk=home.pk).exists():
        raise Http404
    try:
        found = (
            queries.explain(scenario, home, queries.offers_of(scenario))
            if scenario.is_current
            else None
        )
    except outcome.PlanMissingError:
        found = None
    context = {"scenario": scenario, "household": home, "found": found}
    return render(request, "allocation/explain.html", context)


# Side by side


@require_GET
@requires("allocation.view")
def compare(request: HttpRequest) -> HttpResponse:
    """Up to four scenarios side by side; ``?skenario=`` names each."""
    wanted = [int(pk) for pk in request.GET.getlist("skenario") if pk.isdigit() and len(pk) < 12]
    known = Scenario.objects.filter(state=State.DONE).exclude(token="").order_by("-year", "name")
    chosen = sorted(
        known.filter(pk__in=wanted[:MOST_COMPARED]), key=lambda found: wanted.index(found.pk)
    )
    columns = []
    for scenario in chosen:
        column = {"scenario": scenario, "sums": _sums(scenario.result), "difference": None}
        if scenario is not chosen[0]:
            try:
                column["difference"] = queries.difference(chosen[0], scenario)
            except outcome.PlanMissingError:
                column["difference"] = None
        columns.append(column)
    kinds = sorted({kind for found in chosen for kind in found.result["by_kind"]})
    by_kind = [
        {
            "label": HelpKind(kind).label,
            "cells": [
                (needs[2], met[2], sum(needs), sum(met))
                for needs, met in (
                    found.result["by_kind"].get(kind, ([0, 0, 0], [0, 0, 0])) for found in chosen
                )
            ],
        }
        for kind in kinds
    ]
    context = {"known": known[:60], "columns": columns, "by_kind": by_kind, "wanted": wanted}
    return render(request, "allocation/compare.html", context)
