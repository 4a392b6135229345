"""The public's pages: no account, released data alone."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import parse_etags, quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from guyub.access.guards import public
from guyub.areas.models import Area, Level
from guyub.portal import catalogue, drawings, queries
from guyub.portal.files import FORMATS, PUBLICATIONS
from guyub.portal.models import CountTable, Release, ReleasedFile, ReleaseState
from guyub.portal.tables import EXTREME, POOR, TOTAL
from guyub.programs.money import rupiah_short

# A released file never changes; the catalogue changes when another release comes.
FOREVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"
AGENCIES_SHOWN = 8


def _frame(request: HttpRequest, tab: str) -> dict[str, Any]:
    """Return what every public page shows: which release, and the others."""
    release, every = queries.choose(request.GET.get("terbitan", ""))
    return {"release": release, "releases": every, "tab": tab, "sign": queries.HIDDEN_SIGN}


def _source(release: Release) -> str:
    dataset = release.version.dataset
    return _("Sumber: %(dataset)s, %(owner)s, per %(date)s, versi acuan %(number)d.") % {
        "dataset": dataset.name,
        "owner": dataset.owner,
        "date": f"{release.as_of:%d/%m/%Y}",
        "number": release.version.number,
    }


def _recipients_source(release: Release) -> str:
    return _("Sumber: penetapan penerima oleh perangkat daerah tahun %(year)d, per %(date)s.") % {
        "year": release.year,
        "date": f"{timezone.localtime(release.created_at):%d/%m/%Y}",
    }


@require_safe
@public
def front(request: HttpRequest) -> HttpResponse:
    """The regency at a glance."""
    context = _frame(request, "front")
    release, regency = context["release"], queries.regency()
    if release is not None and regency is not None:
        columns = [TOTAL, POOR, "desil_1", EXTREME]
        whole, *rows = queries.rows(
            release, CountTable.HOUSEHOLDS, [regency, *queries.districts()], columns
        )
        helped, *helped_rows = queries.rows(
            release, CountTable.RECIPIENTS, [row.area for row in [whole, *rows]], [TOTAL]
        )
        received = {row.area.pk: row for row in helped_rows}
        agencies = queries.by_agency(release)
        context |= {
            "source": _source(release),
            "rate": queries.latest_figure(release, "p0"),
            "poor": whole.written(POOR),
            "whole_extreme": whole.written(EXTREME),
            "whole_helped": helped.written(TOTAL),
            "history": queries.history(context["releases"], regency),
            "lines": [
                {
                    "name": row.area.name,
                    "url": drawings.district_url(row.area.code, release),
                    "figures": [
                        row.written(POOR),
                        row.written(EXTREME),
                        row.written(TOTAL),
                        received[row.area.pk].written(TOTAL),
                    ],
                }
                for row in rows
            ],
            "map": drawings.district_map(
                release, rows, drawings.shown_by(request.GET.get("peta", ""))
            ),
            "choices": drawings.CHOICES,
            "chart": drawings.rates_chart(release),
            "agencies": agencies[:AGENCIES_SHOWN],
            "more_agencies": max(0, len(agencies) - AGENCIES_SHOWN),
            "budget": rupiah_short(sum(agency.budget for agency in agencies)),
            "realised": rupiah_short(sum(agency.realised for agency in agencies)),
        }
    return render(request, "portal/front.html", context)


@require_safe
@public
def district(request: HttpRequest, code: str) -> HttpResponse:
    """One district with its villages."""
    area = get_object_or_404(Area, code=code, level=Level.DISTRICT)
    context = _frame(request, "front") | {"area": area}
    release = context["release"]
    if release is not None:
        villages = Area.objects.filter(parent=area).order_by("name")
        whole, *rows = queries.rows(release, CountTable.HOUSEHOLDS, [area, *villages])
        (helped,) = queries.rows(release, CountTable.RECIPIENTS, [area])
        source = _source(release)
        table = queries.table_of(release, rows, Level.VILLAGE)
        context |= {
            "source": source,
            "poor": whole.written(POOR),
            "whole_extreme": whole.written(EXTREME),
            "whole_total": whole.written(TOTAL),
            "whole_helped": helped.written(TOTAL),
            "table": table,
            "history": queries.history(context["releases"], area),
            "whole_figures": queries.figures(whole, table.columns),
            "groups": drawings.groups_chart(release, whole, source),
            "kinds": drawings.kinds_chart(release, helped, _recipients_source(release)),
        }
    return render(request, "portal/district.html", context)


@require_safe
@public
def programs(request: HttpRequest) -> HttpResponse:
    """Programs by agency: budget, realisation, progress and recipients."""
    context = _frame(request, "programs")
    release, regency = context["release"], queries.regency()
    if release is not None and regency is not None:
        (helped,) = queries.rows(release, CountTable.RECIPIENTS, [regency])
        context |= {
            "agencies": queries.by_agency(release, helped),
            "kinds": drawings.kinds_chart(release, helped, _recipients_source(release)),
        }
    return render(request, "portal/programs.html", context)


@require_safe
@public
def data(request: HttpRequest) -> HttpResponse:
    """Open data: every file of every release, what is in it, and how it may be used."""
    context = _frame(request, "data")
    found = queries.files_of(context["releases"])
    context["publications"] = [
        {
            "publication": publication,
            "releases": [
                (one, [file for file in found[one.pk] if file.dataset == publication.key])
                for one in context["releases"]
            ],
        }
        for publication in PUBLICATIONS
    ]
    context["licence"] = catalogue.LICENCE
    return render(request, "portal/data.html", context)


@require_safe
@public
def method(request: HttpRequest) -> HttpResponse:
    """How households are protected, in words for everybody."""
    context = _frame(request, "method")
    return render(request, "portal/method.html", context)


@require_safe
@public
def download(request: HttpRequest, release: int, dataset: str, form: str) -> HttpResponseBase:
    """One file of a release. Its address and content never change."""
    file = get_object_or_404(
        ReleasedFile.objects.select_related("release"),
        release=release,
        release__state=ReleaseState.RELEASED,
        dataset=dataset,
        format=form,
    )
    etag = quote_etag(file.digest)
    response: HttpResponseBase
    if _is_known(request, etag):
        response = HttpResponse(status=304)
    else:
        try:
            content = file.path.open("rb")
        except FileNotFoundError as error:
            raise Http404 from error
        response = FileResponse(
            content,
            as_attachment=True,
            filename=f"{dataset}-{file.release.as_of:%Y-%m-%d}.{form}",
            content_type=FORMATS[form] + ("; charset=utf-8" if form == "csv" else ""),
        )
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = FOREVER
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
@public
def catalogue_json(request: HttpRequest) -> HttpResponse:
    """The catalogue as DCAT in JSON-LD."""
    return _catalogue(request, catalogue.as_json, "application/ld+json")


@require_safe
@public
def catalogue_turtle(request: HttpRequest) -> HttpResponse:
    """The catalogue as DCAT in Turtle."""
    return _catalogue(request, catalogue.as_turtle, "text/turtle; charset=utf-8")


def _catalogue(request: HttpRequest, write: Any, content_type: str) -> HttpResponse:
    releases = list(queries.released())
    content = write(
        catalogue.describe(
            releases, queries.files_of(releases), request.build_absolute_uri("/").rstrip("/")
        )
    ).encode()
    etag = quote_etag(catalogue.digest(content))
    response = HttpResponse(status=304) if _is_known(request, etag) else HttpResponse(content)
    response.headers["Content-Type"] = content_type
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = FOR_AN_HOUR
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return etag in known or f"W/{etag}" in known or known == ["*"]
