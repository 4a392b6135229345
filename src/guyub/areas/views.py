"""Pages of areas."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers

from guyub.access.guards import requires
from guyub.areas import queries
from guyub.areas.models import Area, Level

RESULTS_SHOWN = 50


def _area(code: str) -> Area:
    return get_object_or_404(Area.objects.select_related("parent__parent"), code=code)


@requires("areas.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """All districts, or the areas that ``?q=`` (a name or a code) finds."""
    text = request.GET.get("q", "").strip()[:100]
    context: dict[str, Any] = {"text": text}
    if text:
        found = queries.find(text, RESULTS_SHOWN + 1)
        context |= {"found": found[:RESULTS_SHOWN], "too_many": len(found) > RESULTS_SHOWN}
    else:
        districts = queries.districts()
        context |= {
            "districts": districts,
            "rural": sum(district.rural for district in districts),
            "urban": sum(district.urban for district in districts),
        }
    is_partial = request.headers.get("HX-Request") == "true"
    template = "areas/_results.html" if is_partial else "areas/list.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@requires("areas.view", load=_area)
def detail(request: HttpRequest, area: Area) -> HttpResponse:
    """An area with those below it: a regency's districts, a district's villages."""
    context: dict[str, Any] = {
        "area": area,
        "bare_code": area.code.replace(".", ""),
        "is_regency": area.level == Level.REGENCY,
        "is_district": area.level == Level.DISTRICT,
    }
    if area.level != Level.VILLAGE:
        children = list(area.children.all())
        context |= {
            "children": children,
            "urban": sum(child.is_urban_ward for child in children),
        }
    return render(request, "areas/detail.html", context)
