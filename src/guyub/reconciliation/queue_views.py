"""Pages of the queue: differences between sources, settling them, rules, and what lists must mend."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access import wall
from guyub.access.guards import requires
from guyub.access.permissions import authorize, can
from guyub.datasets.models import Dataset
from guyub.reconciliation import corrections as correction_lists
from guyub.reconciliation import queue as reading
from guyub.reconciliation import settling, tasks
from guyub.reconciliation.models import (
    DetectionState,
    Difference,
    DifferenceState,
    Mode,
    SourceRule,
)
from guyub.reconciliation.queue_forms import (
    RANKS,
    CorrectionsForm,
    QueueFilter,
    RuleForm,
    SettleForm,
    VerifyForm,
)
from guyub.reconciliation.sources import ATTRIBUTES, current_rules
from guyub.ui.answers import refused
from guyub.ui.paging import PAGE_SIZE, Slice, page_number, page_of


def load_difference(pk: int) -> Difference:
    return get_object_or_404(
        Difference.objects.select_related("village", "household__village", "dataset"), pk=pk
    )


def load_dataset(code: str) -> Dataset:
    return get_object_or_404(Dataset.objects.select_related("owner", "current_version"), code=code)


@dataclass(frozen=True)
class Attribute:
    """A column that sources may differ about."""

    name: str
    label: str


def load_attribute(attribute: str) -> Attribute:
    if attribute not in ATTRIBUTES:
        raise Http404
    return Attribute(attribute, reading.label_of(attribute))


# The queue


@require_GET
@requires("reconciliation.view")
def queue(request: HttpRequest) -> HttpResponse:
    return _queue_page(request, SettleForm(initial={"deed": "suggested"}))


def _queue_page(request: HttpRequest, form: SettleForm, status: int = 200) -> HttpResponse:
    filter_form = QueueFilter(request.user, request.GET)
    wish = filter_form.narrowing()
    rows = reading.narrowed(request.user, wish)
    number = page_number(request)
    found = reading.page(rows, (number - 1) * PAGE_SIZE, PAGE_SIZE + 1)
    count, is_more = reading.counted(rows)
    may_settle = can(request.user, "reconciliation.settle")
    settles = may_settle and wish.state in ("open", "verify")
    datasets = list(
        Dataset.objects.exclude(current_version=None).select_related("owner").order_by("name")
    )
    mending = reading.mending(datasets)
    context = {
        "filter": filter_form,
        "wish": wish,
        "page": Slice(found, number),
        "count": count,
        "is_more": is_more,
        "form": form,
        "settles": settles,
        "verifies": can(request.user, "reconciliation.verify") and wish.state == "verify",
        "may_rule": can(request.user, "reconciliation.rules"),
        "may_settle": may_settle,
        "detection": reading.newest_detection(),
        "lists": [
            (dataset, mending[dataset.pk])
            for dataset in datasets
            if dataset.pk in mending and can(request.user, "reconciliation.corrections", dataset)
        ],
        "most": settling.MOST_AT_ONCE,
    }
    return render(request, "reconciliation/queue.html", context, status=status)


@require_POST
@requires("reconciliation.settle")
def settle(request: HttpRequest) -> HttpResponse:
    """Settle what was ticked, or with ``semua`` the first of all that the filters let through."""
    form = SettleForm(request.POST)
    filter_form = QueueFilter(request.user, request.GET)
    rows = reading.narrowed(request.user, filter_form.narrowing())
    if request.POST.get("semua"):
        chosen = list(rows[: settling.MOST_AT_ONCE])
    else:
        # Each tick carries what its line showed, so that nobody settles what they did not see.
        ticked = [text for text in request.POST.getlist("pilih") if text.isdigit()]
        chosen = list(rows.filter(pk__in=ticked[: settling.MOST_AT_ONCE + 1]))
    if not chosen:
        form.add_error(None, _("Centang dahulu perbedaan yang hendak diputuskan."))
    if form.is_valid():
        given = form.cleaned_data
        try:
            if given["deed"] == "ask":
                count = settling.ask_village(chosen, reason=given["reason"], actor=request.user)
                text = _("%(n)d perbedaan dikirim ke desa untuk diperiksa.") % {"n": count}
            else:
                count, left = settling.settle(
                    chosen, side=given["deed"], reason=given["reason"], actor=request.user
                )
                text = _("%(n)d perbedaan diputuskan.") % {"n": count}
                if left:
                    text += " " + _(
                        "%(n)d tidak, karena sudah berubah atau tidak ada sarannya."
                    ) % {"n": left}
        except ValidationError as error:
            refused(request, error, form)
        else:
            messages.success(request, text)
            return redirect(f"{reverse('reconciliation:queue')}?{request.GET.urlencode()}")
    return _queue_page(request, form, status=422)


@require_http_methods(["GET", "POST"])
@requires("reconciliation.verify", load=load_difference)
def verify(request: HttpRequest, one: Difference) -> HttpResponse:
    """Say what was found in the village about a difference that was sent there."""
    form = VerifyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if one.state != DifferenceState.VERIFY:
                raise ValidationError(_("Perbedaan ini tidak sedang ditanyakan ke desa."))
            # That a household lives elsewhere takes it out of the area; its lists' counts are of all.
            with wall.everything():
                done, _left = settling.settle(
                    [one], side=given["side"], reason=given["reason"], actor=request.user
                )
            if not done:
                raise ValidationError(_("Datanya baru saja berubah. Periksa lagi."))
        except ValidationError as error:
            refused(request, error, form)
        else:
            messages.success(request, _("Terima kasih. Hasil pemeriksaan tersimpan."))
            return redirect(f"{reverse('reconciliation:queue')}?keadaan=verify")
    (one,) = reading.page(Difference.objects.filter(pk=one.pk), 0, 1)
    context = {"one": one, "form": form}
    return render(
        request, "reconciliation/verify.html", context, status=422 if form.errors else 200
    )


# Comparing


@require_POST
@requires("reconciliation.settle")
def compare(request: HttpRequest) -> HttpResponse:
    """Have the worker compare all lists with the registry now."""
    newest = reading.newest_detection()
    if newest is not None and newest.state == DetectionState.WORKING:
        messages.info(request, _("Perbandingan sedang berjalan."))
    else:
        tasks.compare.enqueue(request.user.pk)
        messages.success(request, _("Perbandingan dimulai. Halaman ini menunjukkan kemajuannya."))
    return redirect("reconciliation:queue")


@require_GET
@requires("reconciliation.view")
def progress(request: HttpRequest) -> HttpResponse:
    """How far the newest comparison is, for the page to ask again."""
    context = {"detection": reading.newest_detection()}
    return render(request, "reconciliation/_progress.html", context)


# Rules


@require_GET
@requires("reconciliation.rules")
def rules(request: HttpRequest) -> HttpResponse:
    current, waiting = current_rules(), reading.waiting_by_attribute()
    names = dict(Dataset.objects.values_list("code", "name")) | {"manual": _("Isian langsung")}
    rows = [
        {
            "name": name,
            "label": label,
            "rule": current.get(name),
            "ranking": [names.get(c, c) for c in current[name].ranking] if name in current else [],
            "waiting": waiting.get(name, 0),
        }
        for name, label in reading.attributes()
    ]
    return render(request, "reconciliation/rules.html", {"rows": rows, "modes": dict(Mode.choices)})


@require_http_methods(["GET", "POST"])
@requires("reconciliation.rules", load=load_attribute)
def rule(request: HttpRequest, attribute: Attribute) -> HttpResponse:
    """Set the rule of an attribute; ``periksa`` only shows what it would do."""
    present = current_rules().get(attribute.name)
    initial = {"mode": present.mode if present else Mode.DEFAULT}
    if present:
        initial |= dict(zip(RANKS, present.ranking, strict=False))
    form = RuleForm(request.POST or None, initial=initial)
    effect = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            draft = settling.check_rule(attribute.name, given["mode"], form.ranking())
            if request.POST.get("periksa"):
                effect = reading.effect(attribute.name, draft)
            else:
                settling.save_rule(
                    attribute.name, mode=given["mode"], ranking=form.ranking(),
                    reason=given["reason"], actor=request.user,
                )  # fmt: skip
        except ValidationError as error:
            refused(request, error, form)
        else:
            if effect is None:
                messages.success(request, _("Aturan tersimpan dan berlaku sejak sekarang."))
                return redirect("reconciliation:rules")
    context = {
        "attribute": attribute,
        "form": form,
        "effect": effect,
        "versions": SourceRule.objects.filter(attribute=attribute.name).select_related("made_by")[
            :10
        ],
    }
    return render(request, "reconciliation/rule.html", context, status=422 if form.errors else 200)


# What a list must mend


@require_http_methods(["GET", "POST"])
@requires("reconciliation.corrections", load=load_dataset)
def corrections(request: HttpRequest, dataset: Dataset) -> HttpResponseBase:
    """What a dataset's owner has to mend; by POST as an Excel file, with a reason."""
    form = CorrectionsForm(request.POST or None)
    rows = reading.to_mend(dataset)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if given["full_numbers"]:
            authorize(request.user, "registry.reveal")
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "perbaikan.xlsx"
            count = correction_lists.write(
                path, dataset, request.user, given["reason"], given["full_numbers"]
            )
            settling.log_corrections(
                dataset, rows=count, full=given["full_numbers"], reason=given["reason"],
                actor=request.user,
            )  # fmt: skip
            name = f"perbaikan-{dataset.code}-{timezone.localdate():%Y%m%d}.xlsx"
            return FileResponse(path.open("rb"), as_attachment=True, filename=name)
    page = page_of(request, rows.select_related(
        "household__village", "household__district", "dataset", "our_origin__dataset",
        "our_origin__entered_by", "settled_by", "village",
    ))  # fmt: skip
    page.object_list = reading.described(list(page.object_list))
    context = {"dataset": dataset, "page": page, "form": form}
    return render(
        request, "reconciliation/corrections.html", context, status=422 if form.errors else 200
    )
