"""Pages of obstacles."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.accounts.queries import duty_areas
from guyub.agencies.models import Agency
from guyub.obstacles import analysis, exports, queries, services
from guyub.obstacles.forms import (
    ExtendForm,
    HandOverForm,
    ReasonForm,
    ReportForm,
    SolveForm,
    StepForm,
)
from guyub.obstacles.models import Action, Category, Obstacle, ObstacleState, Severity
from guyub.obstacles.queries import Filters
from guyub.ui.answers import show_errors
from guyub.ui.charts import trend
from guyub.ui.paging import page_of

SPANS = (
    ("6", gettext_lazy("6 bulan")),
    ("12", gettext_lazy("12 bulan")),
    ("36", gettext_lazy("3 tahun")),
)


def _obstacle(pk: int) -> Obstacle:
    rows = Obstacle.objects.select_related(
        "needed_agency", "agency", "area__parent", "reporting_area", "reported_by",
        "sub_activity__activity__program",
    )  # fmt: skip
    return get_object_or_404(rows, pk=pk)


@requires("obstacles.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Obstacles, narrowed by what is in the address (see :class:`guyub.obstacles.queries.Filters`)."""
    filters = Filters.read(request.GET)
    context = {
        "page": page_of(request, queries.obstacles(filters, request.user)),
        "filters": filters,
        "is_narrowed": bool(filters.given),
        "summary": queries.summary(),
        "waiting": queries.waiting(request.user).count(),
        "states": [(queries.UNSOLVED_WORD, _("Belum selesai")), *ObstacleState.choices],
        "severities": [(str(value), label) for value, label in Severity.choices],
        "categories": Category.choices,
        "agencies": Agency.objects.filter(is_active=True),
        "areas": duty_areas(),
    }
    return render(request, "obstacles/list.html", context)


@requires("obstacles.view")
def export(request: HttpRequest) -> HttpResponseBase:
    """The narrowed list as an Excel file."""
    filters = Filters.read(request.GET)
    rows = queries.obstacles(filters, request.user)[: exports.MOST_ROWS]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kendala.xlsx"
        count = exports.write(path, rows.iterator(chunk_size=1000), filters, request.user)
        services.log_export(actor=request.user, count=count, filters=filters.given)
        # Open files outlive their folder.
        return FileResponse(path.open("rb"), as_attachment=True, filename="kendala.xlsx")


@requires("obstacles.view", load=_obstacle)
def detail(request: HttpRequest, obstacle: Obstacle) -> HttpResponse:
    may_act = can(request.user, "obstacles.report", obstacle)
    solved = Obstacle.objects.filter(
        state=ObstacleState.SOLVED, category=obstacle.category
    ).exclude(pk=obstacle.pk)
    context = {
        "obstacle": obstacle,
        "reporter": exports.reporter(obstacle),
        "steps": queries.steps(obstacle),
        "deeds": [deed for deed in DEEDS if may_act and DEEDS[deed].action in obstacle.actions],
        "labels": {name: deed.label for name, deed in DEEDS.items()},
        # Solutions of others to the same thing help most while one looks for one's own.
        "solved_alike": []
        if obstacle.is_solved
        else analysis.like(obstacle.title, solved.order_by("-solved_at")[: analysis.COMPARED]),
    }
    return render(request, "obstacles/detail.html", context)


@requires("obstacles.report")
def report(request: HttpRequest) -> HttpResponse:
    """Report an obstacle; ``?sub=`` and ``?dibutuhkan=`` fill in the sub-activity and the agency."""
    initial: dict[str, Any] = {}
    sub = request.GET.get("sub", "")
    if sub.isascii() and sub.isdigit() and len(sub) < 18:
        initial["sub_activity"] = int(sub)
    if request.GET.get("dibutuhkan"):
        initial["needed_agency"] = Agency.objects.filter(code=request.GET["dibutuhkan"]).first()
    form = ReportForm(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            obstacle = services.report(actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            show_errors(form, error)
        else:
            told = _("Kendala dilaporkan; %(agency)s diberi tahu.")
            messages.success(request, told % {"agency": obstacle.needed_agency})
            return redirect("obstacles:detail", pk=obstacle.pk)
    return render(request, "obstacles/report.html", {"form": form})


class Deed:
    """One thing to do about an obstacle: its form, its service, its words."""

    def __init__(
        self,
        action: Action,
        label: Any,
        button: Any,
        form: Callable[..., forms.Form],
        do: Callable[..., Obstacle],
        done: Any,
    ) -> None:
        self.action, self.label, self.button = action, label, button
        self.form, self.do, self.done = form, do, done


DEEDS: dict[str, Deed] = {
    "step": Deed(
        Action.STEP, gettext_lazy("Catat langkah"), gettext_lazy("Simpan"), StepForm, services.add_step,
        gettext_lazy("Langkah tercatat."),
    ),
    "solve": Deed(
        Action.SOLVE, gettext_lazy("Selesaikan"), gettext_lazy("Tandai selesai"), SolveForm, services.solve,
        gettext_lazy("Kendala ditandai selesai."),
    ),
    "hand_over": Deed(
        Action.HAND_OVER, gettext_lazy("Serahkan"), gettext_lazy("Serahkan"), HandOverForm, services.hand_over,
        gettext_lazy("Kendala diserahkan."),
    ),
    "extend": Deed(
        Action.EXTEND, gettext_lazy("Ubah batas waktu"), gettext_lazy("Simpan"), ExtendForm, services.extend,
        gettext_lazy("Batas waktu diubah."),
    ),
    "escalate": Deed(
        Action.ESCALATE, gettext_lazy("Bawa ke rapat koordinasi"), gettext_lazy("Bawa ke rapat"), ReasonForm,
        services.escalate, gettext_lazy("Kendala dibawa ke rapat koordinasi."),
    ),
    "reopen": Deed(
        Action.REOPEN, gettext_lazy("Buka kembali"), gettext_lazy("Buka kembali"), ReasonForm, services.reopen,
        gettext_lazy("Kendala dibuka kembali."),
    ),
}  # fmt: skip


def _act(request: HttpRequest, obstacle: Obstacle, name: str) -> HttpResponse:
    """Show the form of a deed and do it; what its state does not allow leads back to the obstacle."""
    deed = DEEDS[name]
    extra = {"obstacle": obstacle} if deed.form is HandOverForm else {}
    form = deed.form(request.POST or None, **extra)
    allowed = deed.action in obstacle.actions
    if request.method == "POST" and form.is_valid():
        try:
            deed.do(obstacle, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, deed.done)
            return redirect("obstacles:detail", pk=obstacle.pk)
    elif not allowed:
        messages.error(
            request,
            _('Tidak dapat dilakukan pada kendala yang "%(state)s".')
            % {"state": obstacle.get_state_display()},
        )
        return redirect("obstacles:detail", pk=obstacle.pk)
    context = {"obstacle": obstacle, "form": form, "deed": deed}
    return render(request, "obstacles/act.html", context)


@requires("obstacles.report", load=_obstacle)
def step(request: HttpRequest, obstacle: Obstacle) -> HttpResponse:
    return _act(request, obstacle, "step")


@requires("obstacles.report", load=_obstacle)
def solve(request: HttpRequest, obstacle: Obstacle) -> HttpResponse:
    return _act(request, obstacle, "solve")


@requires("obstacles.report", load=_obstacle)
def hand_over(request: HttpRequest, obstacle: Obstacle) -> HttpResponse:
    return _act(request, obstacle, "hand_over")


@requires("obstacles.report", load=_obstacle)
def extend(request: HttpRequest, obstacle: Obstacle) -> HttpResponse:
    return _act(request, obstacle, "extend")


@requires("obstacles.report", load=_obstacle)
def escalate(request: HttpRequest, obstacle: Obstacle) -> HttpResponse:
    return _act(request, obstacle, "escalate")


@requires("obstacles.report", load=_obstacle)
def reopen(request: HttpRequest, obstacle: Obstacle) -> HttpResponse:
    return _act(request, obstacle, "reopen")


@requires("obstacles.view")
def analysis_page(request: HttpRequest) -> HttpResponse:
    """Time to solve and recurring causes of what was reported in the last ``?bulan=`` months."""
    months = request.GET.get("bulan", "")
    months = months if months in dict(SPANS) else "12"
    today = timezone.localdate()
    since = today - dt.timedelta(days=round(int(months) * 30.44))
    per_month = analysis.per_month(since)
    context = {
        "spans": SPANS,
        "months": months,
        "since": since,
        "whole": next(iter(analysis.durations("all", since)), None),
        "by_category": analysis.durations("category", since),
        "by_agency": analysis.durations("agency", since),
        "causes": analysis.causes(since)[: analysis.GROUPS],
        "repeated": analysis.repeated(since),
        "similar": analysis.similar(since),
        "chart": trend(
            "kendala",
            _("Kendala per bulan"),
            [_("dilaporkan"), _("selesai")],
            [(month, (reported, solved)) for month, reported, solved in per_month],
            date=_("Bulan"),
            value=_("Kendala"),
        ),
    }
    return render(request, "obstacles/analysis.html", context)
