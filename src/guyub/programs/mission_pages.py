"""Pages of the regency's missions: everyone reads them, the secretariat writes them."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from guyub.access.guards import requires
from guyub.programs import queries, services
from guyub.programs.forms import MissionForm, ReasonForm
from guyub.programs.models import Mission
from guyub.ui.paging import page_of


def _mission(pk: int) -> Mission:
    return get_object_or_404(Mission, pk=pk)


@requires("programs.view")
def missions(request: HttpRequest) -> HttpResponse:
    """Missions, newest plan first, with the programs and the money that serve each."""
    context = {"page": page_of(request, queries.missions_with_sums())}
    return render(request, "programs/missions.html", context)


@requires("programs.manage")
def create_mission(request: HttpRequest) -> HttpResponse:
    return _form_page(request, Mission(), _("Tambah misi"), _("Misi ditambahkan."))


@requires("programs.manage", load=_mission)
def edit_mission(request: HttpRequest, mission: Mission) -> HttpResponse:
    return _form_page(request, mission, _("Ubah misi"), _("Perubahan tersimpan."))


def _form_page(request: HttpRequest, mission: Mission, title: str, done: str) -> HttpResponse:
    form = MissionForm(request.POST or None, instance=mission)
    if request.method == "POST" and form.is_valid():
        for name, value in form.values().items():
            setattr(mission, name, value)
        try:
            services.save_mission(mission, actor=request.user)
        except ValidationError as error:
            for field, errors in error.message_dict.items():
                form.add_error(field if field in form.fields else None, errors)
        else:
            messages.success(request, done)
            return redirect("programs:missions")
    context = {"form": form, "title": title, "mission": mission}
    return render(request, "programs/mission_form.html", context)


@requires("programs.manage", load=_mission)
def delete_mission(request: HttpRequest, mission: Mission) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.delete_mission(mission, actor=request.user, reason=form.cleaned_data["reason"])
        except ValidationError as error:
            form.add_error("reason", error.message_dict["reason"])
        else:
            messages.success(request, _("Misi dihapus."))
            return redirect("programs:missions")
    context = {"form": form, "title": _("Hapus misi ini?"), "mission": mission, "deleting": True}
    return render(request, "programs/mission_form.html", context)
