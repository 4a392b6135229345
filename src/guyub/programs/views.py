"""Pages of programs, activities and sub-activities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from guyub.access.guards import requires
from guyub.agencies.models import Agency
from guyub.programs import queries, services
from guyub.programs.filters import ALL_YEARS, CHOICES, narrowing_of
from guyub.programs.forms import ActivityForm, ProgramForm, ReasonForm, SubActivityForm
from guyub.programs.models import Activity, Program, SubActivity
from guyub.programs.vocabulary import FundingSource, Strategy
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of


def _program(pk: int) -> Program:
    return get_object_or_404(Program.objects.select_related("agency", "mission"), pk=pk)


def _activity(pk: int) -> Activity:
    return get_object_or_404(Activity.objects.select_related("program__agency"), pk=pk)


def _sub_activity(pk: int) -> SubActivity:
    return get_object_or_404(
        SubActivity.objects.select_related("agency", "activity__program__mission"), pk=pk
    )


@requires("programs.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Programs, or sub-activities with ``?lihat=sub``, narrowed by the other parameters."""
    years = queries.years()
    narrowing = narrowing_of(request.GET, years)
    by_sub = request.GET.get("lihat") == "sub"
    totals = queries.totals(narrowing)
    context: dict[str, Any] = {
        "narrowing": narrowing,
        "by_sub": by_sub,
        "years": years,
        "all_years": ALL_YEARS,
        "agencies": Agency.objects.filter(programs__isnull=False).distinct(),
        "choices": [
            {
                "name": parameter,
                "label": label,
                "options": choices.choices,
                "chosen": getattr(narrowing, name),
            }
            for parameter, name, label, choices in CHOICES
        ],
        "totals": totals,
        "by_strategy": [
            (strategy.label, totals.by_strategy[strategy])
            for strategy in Strategy
            if totals.by_strategy.get(strategy)
        ],
        "source_label": FundingSource(narrowing.source).label if narrowing.source else "",
        "is_narrowed": any(
            request.GET.get(name)
            for name in ("q", "perangkat", "tahun", *(choice[0] for choice in CHOICES))
        ),
    }
    if by_sub:
        rows = queries.with_budget(queries.sub_activities(narrowing))
        context["page"] = page_of(request, rows)
    else:
        page = page_of(request, queries.programs(narrowing))
        sizes = queries.sizes(page.object_list, narrowing)
        context["page"] = page
        context["rows"] = [(program, sizes[program.pk]) for program in page]
    return render(request, "programs/list.html", context)


@requires("programs.view", load=_program)
def detail(request: HttpRequest, program: Program) -> HttpResponse:
    context = {
        "program": program,
        "tree": queries.tree(program),
        "elsewhere": queries.same_elsewhere(program),
        "other_years": queries.other_years(program),
    }
    return render(request, "programs/detail.html", context)


@requires("programs.view", load=_sub_activity)
def sub_activity(request: HttpRequest, sub: SubActivity) -> HttpResponse:
    """Everything about a sub-activity, and what other apps know of it."""
    amounts = dict(sub.fundings.values_list("source", "amount"))  # type: ignore[attr-defined]
    budget = sum(amounts.values())
    context = {
        "sub_activity": sub,
        "program": sub.activity.program,
        "fundings": queries.by_source(amounts),
        "budget": budget,
        "per_recipient": budget // sub.quota if sub.quota and budget else None,
        "places": queries.places(sub),
    }
    return render(request, "programs/sub_activity.html", context)


def _tell_change(request: HttpRequest, changed: Any) -> None:
    messages.success(
        request, _("Perubahan tersimpan.") if changed else _("Tidak ada yang berubah.")
    )


@requires("programs.edit")
def create(request: HttpRequest) -> HttpResponse:
    # The form offers only the agencies that the user may write for, and refuses any other.
    code = request.GET.get("perangkat", "")
    asked = Agency.objects.filter(code=code).first() if code else None
    initial = {"agency": asked} if asked is not None else {}
    form = ProgramForm(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            program = services.create_program(
                actor=request.user, agency=form.cleaned_data["agency"], values=form.values()
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Program ditambahkan. Lanjutkan dengan kegiatannya."))
            return redirect("programs:detail", pk=program.pk)
    return render(request, "programs/form.html", {"form": form, "title": _("Tambah program")})


@requires("programs.edit", load=_program)
def edit(request: HttpRequest, program: Program) -> HttpResponse:
    form = ProgramForm(request.POST or None, user=request.user, instance=_program(program.pk))
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.update_program(program, actor=request.user, values=form.values())
        except ValidationError as error:
            show_errors(form, error)
        else:
            _tell_change(request, changed)
            return redirect("programs:detail", pk=program.pk)
    context = {"form": form, "title": _("Ubah program"), "program": program}
    return render(request, "programs/form.html", context)


def _reasoned(
    request: HttpRequest,
    act: Callable[[str], None],
    done: Callable[[], HttpResponse],
    context: dict[str, Any],
) -> HttpResponse:
    """Show a page that asks for a reason; then do ``act`` with it and go where ``done`` leads."""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data["reason"])
        except ValidationError as error:
            show_errors(form, error)
        else:
            return done()
    return render(request, "programs/reason.html", {"form": form, **context})


@requires("programs.edit", load=_program)
def delete(request: HttpRequest, program: Program) -> HttpResponse:
    inside = SubActivity.objects.filter(activity__program=program)
    name = program.name

    def done() -> HttpResponse:
        messages.success(request, _("%(name)s dihapus.") % {"name": name})
        return redirect("programs:list")

    return _reasoned(
        request,
        lambda reason: services.delete_program(program, actor=request.user, reason=reason),
        done,
        {
            "program": program,
            "title": _("Hapus program ini?"),
            "subject": f"{program.name}, {program.agency.name}, {program.year}",
            "inside": inside.count(),
            "warning": _("Tidak dapat dikembalikan."),
            "button": _("Hapus"),
        },
    )


@requires("programs.edit", load=_program)
def create_activity(request: HttpRequest, program: Program) -> HttpResponse:
    initial = {"code": f"{program.code}.2." if program.code else ""}
    form = ActivityForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.create_activity(program, actor=request.user, values=form.values())
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Kegiatan ditambahkan. Lanjutkan dengan sub kegiatannya."))
            return redirect("programs:detail", pk=program.pk)
    context = {"form": form, "title": _("Tambah kegiatan"), "program": program}
    return render(request, "programs/form.html", context)


@requires("programs.edit", load=_activity)
def edit_activity(request: HttpRequest, activity: Activity) -> HttpResponse:
    form = ActivityForm(request.POST or None, instance=activity)
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.update_activity(activity, actor=request.user, values=form.values())
        except ValidationError as error:
            show_errors(form, error)
        else:
            _tell_change(request, changed)
            return redirect("programs:detail", pk=activity.program_id)
    context = {"form": form, "title": _("Ubah kegiatan"), "program": activity.program}
    return render(request, "programs/form.html", context)


@requires("programs.edit", load=_activity)
def delete_activity(request: HttpRequest, activity: Activity) -> HttpResponse:
    name, program = activity.name, activity.program

    def done() -> HttpResponse:
        messages.success(request, _("%(name)s dihapus.") % {"name": name})
        return redirect("programs:detail", pk=program.pk)

    return _reasoned(
        request,
        lambda reason: services.delete_activity(activity, actor=request.user, reason=reason),
        done,
        {
            "program": program,
            "title": _("Hapus kegiatan ini?"),
            "subject": name,
            "inside": activity.sub_activities.count(),  # type: ignore[attr-defined]
            "warning": _("Tidak dapat dikembalikan."),
            "button": _("Hapus"),
        },
    )


@requires("programs.edit", load=_activity)
def create_sub_activity(request: HttpRequest, activity: Activity) -> HttpResponse:
    initial = {"code": f"{activity.code}." if activity.code else ""}
    year = activity.program.year
    form = SubActivityForm(request.POST or None, initial=initial, year=year)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_sub_activity(
                activity,
                actor=request.user,
                values=form.values(),
                fundings=form.fundings(),
                areas=form.chosen_areas(),
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Sub kegiatan ditambahkan."))
            return redirect("programs:sub_activity", pk=made.pk)
    context = {
        "form": form,
        "title": _("Tambah sub kegiatan"),
        "activity": activity,
        "program": activity.program,
    }
    return render(request, "programs/sub_activity_form.html", context)


@requires("programs.edit", load=_sub_activity)
def edit_sub_activity(request: HttpRequest, sub: SubActivity) -> HttpResponse:
    form = SubActivityForm(request.POST or None, instance=sub, year=sub.year)
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.update_sub_activity(
                sub,
                actor=request.user,
                values=form.values(),
                fundings=form.fundings(),
                areas=form.chosen_areas(),
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            _tell_change(request, changed)
            return redirect("programs:sub_activity", pk=sub.pk)
    context = {
        "form": form,
        "title": _("Ubah sub kegiatan"),
        "activity": sub.activity,
        "program": sub.activity.program,
        "sub_activity": sub,
    }
    return render(request, "programs/sub_activity_form.html", context)


def _about_sub_activity(
    request: HttpRequest,
    sub: SubActivity,
    act: Callable[[str], None],
    title: str,
    warning: str,
    button: str,
    done_text: str,
    leads_to_program: bool = False,
) -> HttpResponse:
    program = sub.activity.program
    pk = sub.pk

    def done() -> HttpResponse:
        messages.success(request, done_text)
        if leads_to_program:
            return redirect("programs:detail", pk=program.pk)
        return redirect("programs:sub_activity", pk=pk)

    context = {
        "program": program,
        "sub_activity": sub,
        "title": title,
        "subject": sub.name,
        "warning": warning,
        "button": button,
    }
    return _reasoned(request, act, done, context)


@requires("programs.edit", load=_sub_activity)
def cancel_sub_activity(request: HttpRequest, sub: SubActivity) -> HttpResponse:
    return _about_sub_activity(
        request,
        sub,
        lambda reason: services.cancel_sub_activity(sub, actor=request.user, reason=reason),
        _("Batalkan sub kegiatan ini?"),
        _("Riwayatnya tetap ada, tetapi anggarannya tidak lagi dihitung. Dapat dijalankan lagi."),
        _("Batalkan sub kegiatan"),
        _("Sub kegiatan dibatalkan."),
    )


@requires("programs.edit", load=_sub_activity)
def restore_sub_activity(request: HttpRequest, sub: SubActivity) -> HttpResponse:
    return _about_sub_activity(
        request,
        sub,
        lambda reason: services.restore_sub_activity(sub, actor=request.user, reason=reason),
        _("Jalankan lagi sub kegiatan ini?"),
        _("Anggarannya dihitung lagi."),
        _("Jalankan lagi"),
        _("Sub kegiatan dijalankan lagi."),
    )


@requires("programs.edit", load=_sub_activity)
def delete_sub_activity(request: HttpRequest, sub: SubActivity) -> HttpResponse:
    return _about_sub_activity(
        request,
        sub,
        lambda reason: services.delete_sub_activity(sub, actor=request.user, reason=reason),
        _("Hapus sub kegiatan ini?"),
        _("Tidak dapat dikembalikan."),
        _("Hapus"),
        _("%(name)s dihapus.") % {"name": sub.name},
        leads_to_program=True,
    )
