"""Pages of the directory of agencies."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.agencies import queries, services
from guyub.agencies.forms import AgencyForm, StatusForm
from guyub.agencies.models import Agency
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of

# The whole directory of one regency fits on a page or two.
DIRECTORY_PAGE = 50


def _agency(code: str) -> Agency:
    return get_object_or_404(Agency, code=code)


def _agency_with_everything(code: str) -> Agency:
    agency = queries.with_everything(code)
    if agency is None:
        raise Http404
    return agency


@requires("agencies.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """The directory, or the answer to ``?q=``. Inactive agencies show with ``?nonaktif=1``."""
    question = request.GET.get("q", "").strip()
    may_manage = can(request.user, "agencies.manage")
    with_inactive = may_manage and request.GET.get("nonaktif") == "1"
    context: dict[str, Any] = {"question": question, "with_inactive": with_inactive}
    answer = queries.search(question) if question else None
    if answer is not None and answer.understood:
        context["answer"] = answer
    else:
        context["misunderstood"] = answer is not None
        agencies, context["year"] = queries.directory(with_inactive)
        context["page"] = page_of(request, agencies, DIRECTORY_PAGE)
    # While somebody types only the results travel, not the frame.
    is_partial = request.headers.get("HX-Request") == "true"
    template = "agencies/_results.html" if is_partial else "agencies/list.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@requires("agencies.view", load=_agency_with_everything)
def detail(request: HttpRequest, agency: Agency) -> HttpResponse:
    programs = list(agency.programs.all())  # type: ignore[attr-defined]
    latest = programs[0].year if programs else None
    context = {
        "agency": agency,
        "functions": agency.functions.all(),
        "topics": [topic.strip() for topic in agency.topics.split(",") if topic.strip()],
        "year": latest,
        "programs": [program for program in programs if program.year == latest],
        "has_earlier_programs": any(program.year != latest for program in programs),
        "datasets": agency.datasets.all(),  # type: ignore[attr-defined]
    }
    return render(request, "agencies/detail.html", context)


@requires("agencies.manage")
def create(request: HttpRequest) -> HttpResponse:
    form = AgencyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            agency = services.create_agency(
                actor=request.user,
                values=form.values(),
                functions=form.cleaned_data["functions"],
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("%(name)s ditambahkan.") % {"name": agency.name})
            return redirect("agencies:detail", code=agency.code)
    return render(request, "agencies/form.html", {"form": form})


@requires("agencies.edit", load=_agency)
def edit(request: HttpRequest, agency: Agency) -> HttpResponse:
    form = AgencyForm(request.POST or None, instance=_agency(agency.code))
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.update_agency(
                agency,
                actor=request.user,
                values=form.values(),
                functions=form.cleaned_data["functions"],
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            text = _("Perubahan tersimpan.") if changed else _("Tidak ada yang berubah.")
            messages.success(request, text)
            return redirect("agencies:detail", code=agency.code)
    return render(request, "agencies/form.html", {"form": form, "agency": agency})


@requires("agencies.manage", load=_agency)
def status(request: HttpRequest, agency: Agency) -> HttpResponse:
    """Close the agency when it is active, open it again when it is not."""
    form = StatusForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        # The page says which of the two was meant, so that a second click does not undo it.
        active = request.POST.get("active") == "1"
        agency = services.set_active(
            agency, actor=request.user, active=active, reason=form.cleaned_data["reason"]
        )
        if agency.is_active:
            messages.success(request, _("%(name)s aktif kembali.") % {"name": agency.name})
        else:
            messages.success(request, _("%(name)s dinonaktifkan.") % {"name": agency.name})
        return redirect("agencies:detail", code=agency.code)
    return render(request, "agencies/status.html", {"form": form, "agency": agency})
