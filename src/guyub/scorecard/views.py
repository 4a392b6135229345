"""Pages of the scorecard."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from guyub.access.guards import requires
from guyub.agencies.models import Agency
from guyub.scorecard import queries
from guyub.scorecard.quarters import Quarter
from guyub.scorecard.yardsticks import INDICATORS, YARDSTICKS
from guyub.ui.paging import page_of


def _quarter(request: HttpRequest) -> Quarter:
    """Return the quarter that ``?triwulan=`` asks for; the present one when it is missing or to come."""
    present = Quarter.of(timezone.localdate())
    asked = Quarter.read(request.GET.get("triwulan", ""))
    return asked if asked is not None and asked <= present else present


def _card(request: HttpRequest, agency: Agency | None) -> dict[str, Any]:
    quarter = _quarter(request)
    scores = queries.scores_of(quarter)
    key = agency.pk if agency is not None else None
    points = queries.trend(scores, quarter, key)
    earlier = queries.kept([quarter.before]).get(quarter.before)
    rows = queries.card(scores, key, earlier)
    return {
        "quarter": quarter,
        "rows": rows,
        "whole": queries.whole(rows),
        "points": points,
        "yardsticks": YARDSTICKS,
        "agency": agency,
        "scores": scores,
    }


@require_GET
@requires("scorecard.view")
def overview(request: HttpRequest) -> HttpResponse:
    """The seven yardsticks of all agencies together, and each agency beside."""
    context = _card(request, None)
    context["page"] = page_of(request, queries.by_agency(context.pop("scores")), 40)
    return render(request, "scorecard/card.html", context)


def load_agency(code: str) -> Agency:
    return get_object_or_404(Agency, code=code)


@require_GET
@requires("scorecard.view", load=load_agency)
def agency_card(request: HttpRequest, agency: Agency) -> HttpResponse:
    context = _card(request, agency)
    context.pop("scores")
    return render(request, "scorecard/card.html", context)


@require_GET
@requires("scorecard.view")
def evidence(request: HttpRequest, code: str) -> HttpResponse:
    """The rows behind one figure, by ``?triwulan=`` and ``?perangkat=``."""
    indicator = INDICATORS.get(code)
    if indicator is None:
        raise Http404
    quarter = _quarter(request)
    agency = Agency.objects.filter(code=request.GET.get("perangkat", "")).first()
    rows = queries.evidence_of(indicator, quarter, agency.pk if agency is not None else None)
    sums = queries.sums_of(rows)
    credit, weight = sums.get(None, (0.0, 0.0))
    context = {
        "indicator": indicator,
        "quarter": quarter,
        "agency": agency,
        "page": page_of(request, rows),
        "credit": credit,
        "weight": weight,
        "score": 100 * credit / weight if weight else None,
    }
    return render(request, "scorecard/evidence.html", context)
