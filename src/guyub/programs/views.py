"""Pages of programs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from guyub.access.guards import requires
from guyub.agencies.models import Agency
from guyub.programs import queries, services
from guyub.programs.forms import DeleteForm, ProgramForm
from guyub.programs.models import Program
from guyub.ui.paging import page_of

ALL_YEARS = "semua"


def _program(pk: int) -> Program:
    return get_object_or_404(Program.objects.select_related("agency"), pk=pk)


@requires("programs.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Programs by ``?perangkat=`` (code), ``?tahun=`` (the newest when missing) and ``?q=``."""
    years = queries.years()
    asked_year = request.GET.get("tahun", "")
    year = next((y for y in years if str(y) == asked_year), None)
    if year is None and asked_year != ALL_YEARS and years:
        year = years[0]
    agency = request.GET.get("perangkat", "")
    text = request.GET.get("q", "").strip()[:100]
    context = {
        "page": page_of(request, queries.programs(agency, year, text)),
        "years": years,
        "year": year,
        "all_years": ALL_YEARS,
        "agencies": Agency.objects.filter(programs__isnull=False).distinct(),
        "agency": agency,
        "text": text,
        "is_narrowed": bool(agency or text or asked_year),
    }
    return render(request, "programs/list.html", context)


@requires("programs.view", load=_program)
def detail(request: HttpRequest, program: Program) -> HttpResponse:
    context = {
        "program": program,
        "elsewhere": queries.same_elsewhere(program),
        "other_years": queries.other_years(program),
    }
    return render(request, "programs/detail.html", context)


def _show_errors(form: Any, error: ValidationError) -> None:
    """Put what a service refused beside the field it is about."""
    for field, errors in error.message_dict.items():
        form.add_error(field if field in form.fields else None, errors)


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
            _show_errors(form, error)
        else:
            messages.success(request, _("Program ditambahkan."))
            return redirect("programs:detail", pk=program.pk)
    return render(request, "programs/form.html", {"form": form})


@requires("programs.edit", load=_program)
def edit(request: HttpRequest, program: Program) -> HttpResponse:
    form = ProgramForm(request.POST or None, user=request.user, instance=_program(program.pk))
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.update_program(program, actor=request.user, values=form.values())
        except ValidationError as error:
            _show_errors(form, error)
        else:
            text = _("Perubahan tersimpan.") if changed else _("Tidak ada yang berubah.")
            messages.success(request, text)
            return redirect("programs:detail", pk=program.pk)
    return render(request, "programs/form.html", {"form": form, "program": program})


@requires("programs.edit", load=_program)
def delete(request: HttpRequest, program: Program) -> HttpResponse:
    form = DeleteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = program.name
        services.delete_program(program, actor=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, _("%(name)s dihapus.") % {"name": name})
        return redirect("programs:list")
    return render(request, "programs/delete.html", {"form": form, "program": program})
