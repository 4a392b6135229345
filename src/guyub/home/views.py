"""The first page of each role, and the numbers of one area."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from guyub.access.guards import public, requires
from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.home import dashboards, queries
from guyub.registry.measures import FORMS, MEASURES, UNITS

CHOICES = {"measures": MEASURES, "units": UNITS, "forms": FORMS}


@public
def front(request: HttpRequest) -> HttpResponseBase:
    """The bare address: one's own first page, or the public's."""
    if not request.user.is_authenticated:
        return redirect("public")
    return dashboard(request)


@requires("home.view")
def dashboard(request: HttpRequest) -> HttpResponse:
    template, build = dashboards.DASHBOARDS[Role(request.user.role)]  # type: ignore[union-attr]
    return render(request, template, {**CHOICES, **build(request)})


def load_area(code: str) -> Area:
    """Return the area of ``code`` with its district and regency.

    Raises:
        Http404: there is none.
    """
    return get_object_or_404(Area.objects.select_related("parent__parent"), code=code)


@requires("registry.view_aggregates", load=load_area)
def area_page(request: HttpRequest, area: Area) -> HttpResponse:
    context = dashboards.area_numbers(request, area)
    context.update(CHOICES, area=area, reference=queries.reference_version())
    return render(request, "home/area.html", context)
