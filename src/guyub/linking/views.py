"""Pages of linking: runs, their outcome and model, and the queue of pairs to judge."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from guyub.access.guards import requires
from guyub.access.masking import mask_number
from guyub.access.permissions import authorize, can
from guyub.datasets import exports
from guyub.imports.fields import BY_NAME
from guyub.imports.reading import columns_shown
from guyub.linking import charts, learning, queries, services
from guyub.linking.forms import ExportForm, ListForm, NoteForm, ThresholdsForm
from guyub.linking.lists import FIELDS, LinkFolder
from guyub.linking.model import probability
from guyub.linking.models import LinkModel, LinkRun, Pair, RunState, current_model
from guyub.longruns.progress import shown
from guyub.registry.vocabulary import Sex
from guyub.ui.answers import refused, tried
from guyub.ui.paging import PAGE_SIZE, Slice, page_number, page_of

STAGE_NAMES = {
    "stage": gettext_lazy("Membaca daftar"),
    "registry": gettext_lazy("Menyiapkan registri"),
    "exact": gettext_lazy("Mencocokkan NIK dan KK"),
    "train": gettext_lazy("Menghitung bobot model"),
    "score": gettext_lazy("Membandingkan pasangan"),
    "assign": gettext_lazy("Memilih pasangan terbaik"),
}
# Where each stage begins on the one bar the user sees, in percent.
STARTS = {"stage": 3, "registry": 15, "exact": 30, "train": 40, "score": 50, "assign": 90}
MOST_SHOWN = 50
FIELD_LABELS = {
    "nik": gettext_lazy("NIK"),
    "kk": gettext_lazy("Nomor KK"),
    "name": gettext_lazy("Nama"),
    "birth_date": gettext_lazy("Tanggal lahir"),
    "sex": gettext_lazy("Jenis kelamin"),
    "village": gettext_lazy("Desa/kelurahan"),
}


def load_run(pk: int) -> LinkRun:
    found = (
        LinkRun.objects.select_related("agency", "created_by", "model", "dataset")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def load_pair(pk: int) -> Pair:
    found = Pair.objects.select_related("run").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


# Runs


@require_GET
@requires("linking.view")
def list_page(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "linking/list.html",
        {"page": page_of(request, queries.with_waiting(queries.runs_for(request.user)))},
    )


@require_http_methods(["GET", "POST"])
@requires("linking.run")
def new(request: HttpRequest) -> HttpResponse:
    """Choose a stored dataset or take in a file."""
    user: Any = request.user
    if request.method == "POST":
        form = ListForm(user, request.POST, request.FILES)
        if form.is_valid():
            try:
                return redirect("linking:run", pk=_start(user, form.cleaned_data).pk)
            except ValidationError as error:
                refused(request, error, form)
    else:
        form = ListForm(user, initial={"version": request.GET.get("versi")})
    return render(request, "linking/new.html", {"form": form}, status=422 if form.errors else 200)


def _start(user: Any, given: dict[str, Any]) -> LinkRun:
    if given.get("version"):
        authorize(user, "linking.run", given["version"])
        return services.start_version(given["version"], actor=user)
    agency = given.get("agency") or user.agency
    if agency is None:
        raise PermissionDenied
    return services.start_file(
        agency, title=given["title"], file_name=given["file"].name,
        chunks=given["file"].chunks(), actor=user,
    )  # fmt: skip


@require_POST
@requires("linking.manage")
def duplicates(request: HttpRequest) -> HttpResponse:
    """Look for people who stand in the registry twice."""
    try:
        run = services.start_duplicates(actor=request.user)
    except ValidationError as error:
        refused(request, error)
        return redirect("linking:list")
    return redirect("linking:run", pk=run.pk)


@require_GET
@requires("linking.view", load=load_run)
def run_page(request: HttpRequest, run: LinkRun) -> HttpResponse:
    return _run_page(request, run)


def _run_page(
    request: HttpRequest, run: LinkRun, problem: str = "", mapping: dict[str, str] | None = None
) -> HttpResponse:
    context = _frame(request, run, "run")
    if run.state == RunState.MAPPING:
        context |= {
            "problem": problem,
            "columns": columns_shown(run.layout, run.mapping if mapping is None else mapping),
            "fields": [BY_NAME[name] for name in FIELDS],
        }
        return render(request, "linking/mapping.html", context, status=422 if problem else 200)
    context["progress"] = _progress(run)
    if run.is_done:
        context["queue"] = queries.queue_counts(run)
        if run.finds_duplicates:
            context["confirmed"] = queries.to_merge(run)[:MOST_SHOWN]
            context["may_merge"] = can(request.user, "reconciliation.merge")
        context["chart"] = charts.spread(run, queries.histogram(run))
        if not run.finds_duplicates:
            found = queries.stage_counts(run)
            total = sum(found.values())
            context["linked"] = sum(found.get(stage, 0) for stage in queries.LINKED)
            context["total"] = total
            context["stages"] = [
                (stage, label, found.get(stage, 0), queries.TONES[stage])
                for stage, label in queries.STAGES.items()
            ]
    return render(request, "linking/run.html", context)


def _frame(request: HttpRequest, run: LinkRun, tab: str) -> dict[str, Any]:
    return {"run": run, "tab": tab, "may_run": can(request.user, "linking.run", run),
            "may_export": can(request.user, "linking.export", run)}  # fmt: skip


def _progress(run: LinkRun) -> dict[str, Any]:
    folder = LinkFolder(run.pk)
    percent = STARTS.get(folder.progress().stage, 2)
    return shown(folder, STAGE_NAMES, percent=percent, silent_after=None)


@require_GET
@requires("linking.view", load=load_run)
def progress(request: HttpRequest, run: LinkRun) -> HttpResponse:
    """The part of the page that renews itself; the page is loaded anew once the worker is done."""
    if not run.is_working:
        return HttpResponseClientRefresh()
    return render(request, "linking/_progress.html", {"run": run, "progress": _progress(run)})


@require_POST
@requires("linking.run", load=load_run)
def choose_sheet(request: HttpRequest, run: LinkRun) -> HttpResponse:
    try:
        services.choose_sheet(run, request.POST.get("lembar", ""), actor=request.user)
    except ValidationError as error:
        refused(request, error)
    return redirect("linking:run", pk=run.pk)


@require_POST
@requires("linking.run", load=load_run)
def map_columns(request: HttpRequest, run: LinkRun) -> HttpResponse:
    mapping = {
        key.removeprefix("kolom-"): str(value)
        for key, value in request.POST.items()
        if key.startswith("kolom-") and value
    }
    try:
        services.confirm_mapping(run, mapping, actor=request.user)
    except ValidationError as error:
        if run.state == RunState.MAPPING:
            return _run_page(request, run, " ".join(error.messages), mapping)
        refused(request, error)
    return redirect("linking:run", pk=run.pk)


@require_POST
@requires("linking.run", load=load_run)
def cancel(request: HttpRequest, run: LinkRun) -> HttpResponse:
    tried(request, lambda: services.cancel(run, actor=request.user), _("Pencocokan dibatalkan."))
    return redirect("linking:run", pk=run.pk)


# The outcome


@require_GET
@requires("linking.view", load=load_run)
def outcome(request: HttpRequest, run: LinkRun) -> HttpResponse:
    """Every row of the list with what became of it; ``?hasil=`` narrows."""
    if run.finds_duplicates or not run.is_done:
        raise Http404
    stage = request.GET.get("hasil", "")
    stages = queries.LINKED if stage == "linked" else (stage,) if stage in queries.STAGES else ()
    number = page_number(request)
    rows = queries.rows_of(run, stages, (number - 1) * PAGE_SIZE, PAGE_SIZE + 1)
    context = _frame(request, run, "outcome") | {
        "page": Slice(rows, number),
        "stage": stage,
        "stages": queries.STAGES.items(),
        "villages": queries.village_names([row.record.village for row in rows]),
        "may_open": can(request.user, "registry.view"),
    }
    return render(request, "linking/outcome.html", context)


@require_GET
@requires("linking.view", load=load_run)
def differing(request: HttpRequest, run: LinkRun) -> HttpResponse:
    """The values that linked rows and the registry have differently; ``?data=`` narrows."""
    if run.finds_duplicates or not run.is_done:
        raise Http404
    field = request.GET.get("data", "")
    field = field if field in queries.COMPARED else ""
    number = page_number(request)
    found = queries.differences(run, field, (number - 1) * PAGE_SIZE, PAGE_SIZE + 1)
    names = queries.village_names(
        [value for d in found if d.field == "village" for value in (d.listed, d.registered)]
    )
    rows = [
        {
            "difference": d,
            "label": FIELD_LABELS[d.field],
            "listed": _shown(d.field, d.listed, names),
            "registered": _shown(d.field, d.registered, names),
        }
        for d in found
    ]
    context = _frame(request, run, "differences") | {
        "page": Slice(rows, number),
        "field": field,
        "fields": FIELD_LABELS.items(),
    }
    return render(request, "linking/differences.html", context)


def _shown(field: str, value: str, villages: dict[str, str]) -> Any:
    if field in ("nik", "kk"):
        return mask_number(value)
    if field == "village":
        return villages.get(value, value)
    if field == "sex":
        return Sex(value).label if value in Sex.values else value
    if field == "birth_date":
        year, month, day = value.split("-")
        return f"{day}/{month}/{year}"
    return value


@require_http_methods(["GET", "POST"])
@requires("linking.export", load=load_run)
def export(request: HttpRequest, run: LinkRun) -> HttpResponseBase:
    """Take the outcome out as an Excel file, with the reason."""
    if run.finds_duplicates or not run.is_done:
        raise Http404
    form = ExportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["full_numbers"]:
            authorize(request.user, "registry.reveal")
        return _export_file(request, run, form.cleaned_data)
    context = _frame(request, run, "outcome") | {
        "form": form, "title": _("Unduh hasil pencocokan"), "deed": _("Unduh"),
        "back": reverse("linking:outcome", args=[run.pk]),
    }  # fmt: skip
    return render(request, "linking/form.html", context, status=422 if form.errors else 200)


def _export_file(request: HttpRequest, run: LinkRun, given: dict[str, Any]) -> HttpResponseBase:
    user: Any = request.user
    info = [
        (_("Daftar"), run.title),
        (_("Pemilik"), str(run.agency)),
        (_("Dicocokkan dengan"), _("Registri Guyub, %(date)s")
         % {"date": f"{timezone.localtime(run.finished_at):%d/%m/%Y %H.%M}"}),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
        (_("Alasan"), given["reason"]),
        (_("NIK dan KK"), _("lengkap") if given["full_numbers"] else _("disamarkan")),
    ]  # fmt: skip
    headings = [
        _("Baris"), _("NIK"), _("Nomor KK"), _("Nama"), _("Tanggal lahir"), _("Jenis kelamin"),
        _("Kode desa/kelurahan"), _("Hasil"), _("Nomor orang di registri"),
        _("Nomor keluarga di registri"), _("Nama di registri"), _("Bobot"),
    ]  # fmt: skip
    stages = ("none",) if given["only_missing"] else ()

    def number(text: str | None) -> str:
        return (text or "") if given["full_numbers"] else mask_number(text or "")

    def rows() -> Iterator[list[Any]]:
        offset, size = 0, 5000
        while found := queries.rows_of(run, stages, offset, size, with_people=False, handed=True):
            people = queries.people_by_id(row.person_id for row in found if row.person_id)
            for row in found:
                # What nobody has judged yet points at nobody.
                known = row.is_linked or row.stage == "double"
                person = people.get(row.person_id or 0) if known else None
                record = row.record
                yield [
                    record.number, number(record.nik), number(record.kk), record.name,
                    record.birth_date, record.sex_label, record.village, row.label,
                    person and person.pk, person and person.household_id,
                    person and person.name, row.weight,
                ]  # fmt: skip
            offset += size

    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "hasil.xlsx"
        count = exports.write_xlsx(target, info, headings, rows())
        services.log_export(
            run, actor=user, reason=given["reason"], rows=count, full_numbers=given["full_numbers"]
        )
        return FileResponse(
            target.open("rb"), as_attachment=True, filename=f"hasil-pencocokan-{run.pk}.xlsx"
        )


@require_GET
@requires("linking.view", load=load_run)
def run_model(request: HttpRequest, run: LinkRun) -> HttpResponse:
    """The model that a run used: chances, weights, thresholds."""
    if not run.is_done:
        raise Http404
    context = _frame(request, run, "model") | {
        "rows": [
            (comparison, level, charts.share(m), charts.share(u), bits)
            for comparison, level, m, u, bits in charts.level_rows(run)
        ],
        "chart": charts.match_weights(run),
        "limits": run.used.get("thresholds", {}),
        "prior": charts.share(run.used["prior"]) if "prior" in run.used else "",
        "backend": run.used.get("backend", ""),
        "splink": run.used.get("splink"),
    }
    return render(request, "linking/run_model.html", context)


# The queue


@require_GET
@requires("linking.run", load=load_run)
def review(request: HttpRequest, run: LinkRun) -> HttpResponse:
    """One pair side by side; ``?lewati=`` passes one over."""
    if not run.is_done:
        raise Http404
    passed = request.GET.get("lewati", "")
    after = run.pairs.filter(pk=int(passed)).first() if passed.isdigit() else None
    pair = queries.next_pair(run, after)
    last = (
        run.pairs.filter(decided_by=request.user.pk)
        .exclude(verdict="")
        .order_by("-decided_at")
        .first()
    )
    context = _frame(request, run, "review") | {
        "pair": pair,
        "last": last,
        "counts": queries.queue_counts(run),
    }
    if pair is not None:
        record = queries.records(run, [pair.record]).get(pair.record)
        if record is None:
            raise Http404
        context |= {
            "record": record,
            "sides": _sides(pair, record),
            "chart": charts.waterfall(pair, run),
            "percent": round(100 * probability(pair.weight), 1),
            "may_open": can(request.user, "registry.view", pair.person),
        }
    return render(request, "linking/review.html", context)


def _sides(pair: Pair, record: queries.Record) -> list[dict[str, Any]]:
    """Return the rows of the table that sets the two records side by side."""
    person, home = pair.person, pair.person.household
    villages = queries.village_names([record.village])
    pairs = [
        ("name", record.name, person.name, "name"),
        ("birth_date", record.birth_date, person.birth_date, "birth"),
        ("sex", record.sex_label, person.get_sex_display(), "sex"),
        ("village", villages.get(record.village or "", record.village), home.village.title, "area"),
        ("nik", record.masked_nik, person.masked_nik, "nik"),
        ("kk", record.masked_kk, home.masked_kk, "kk"),
    ]
    rows = []
    for field, left, right, name in pairs:
        value = int(pair.weights.get(name, (-1, 0))[0])
        comparison = queries.comparison_of(name)
        level = comparison.level_of(value)
        best = value == len(comparison.levels) - 1
        tone = "neutral" if level is None else "good" if best else "bad" if value == 0 else "warn"
        rows.append(
            {
                "label": FIELD_LABELS[field], "left": left, "right": right, "tone": tone,
                "level": level.label if level is not None else _("Salah satu kosong"),
                "mono": field in ("nik", "kk"),
            }
        )  # fmt: skip
    return rows


@require_POST
@requires("linking.run", load=load_pair)
def decide(request: HttpRequest, pair: Pair) -> HttpResponse:
    verdict = request.POST.get("putusan", "")
    try:
        services.decide(pair, verdict, actor=request.user)
    except ValidationError as error:
        refused(request, error)
    return redirect("linking:review", pk=pair.run_id)


@require_POST
@requires("linking.run", load=load_pair)
def undo(request: HttpRequest, pair: Pair) -> HttpResponse:
    tried(
        request,
        lambda: services.undo(pair, actor=request.user),
        _("Putusan terakhir dibatalkan; pasangannya menunggu lagi."),
    )
    return redirect("linking:review", pk=pair.run_id)


# The model in force


@require_GET
@requires("linking.view")
def model_page(request: HttpRequest) -> HttpResponse:
    return _model_page(request)


def _model_page(
    request: HttpRequest, limits: ThresholdsForm | None = None, note: NoteForm | None = None
) -> HttpResponse:
    model = current_model()
    start = {name: getattr(model, name) for name in ("accept", "review", "margin")}
    context = {
        "model": model,
        "lesson": learning.lesson(),
        "limits": limits or ThresholdsForm(initial=start),
        "note": note or NoteForm(),
        "may_manage": can(request.user, "linking.manage"),
        "page": page_of(request, LinkModel.objects.select_related("created_by"), 10),
    }
    failed = bool((limits and limits.errors) or (note and note.errors))
    return render(request, "linking/model.html", context, status=422 if failed else 200)


@require_POST
@requires("linking.manage")
def thresholds(request: HttpRequest) -> HttpResponse:
    form = ThresholdsForm(request.POST)
    if form.is_valid():
        try:
            services.set_thresholds(**form.cleaned_data, actor=request.user)
            return redirect("linking:model")
        except ValidationError as error:
            refused(request, error, form)
    return _model_page(request, limits=form)


@require_POST
@requires("linking.manage")
def learn(request: HttpRequest) -> HttpResponse:
    form = NoteForm(request.POST)
    if form.is_valid():
        try:
            services.learn(**form.cleaned_data, actor=request.user)
            return redirect("linking:model")
        except ValidationError as error:
            refused(request, error, form)
    return _model_page(request, note=form)
