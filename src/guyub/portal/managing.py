"""The secretariat's pages: what is about to be published, and letting it go."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from guyub.access.guards import requires
from guyub.areas.models import Level
from guyub.datasets.models import Version
from guyub.portal import queries, services
from guyub.portal.computing import state_of
from guyub.portal.models import CountTable, Release
from guyub.portal.tasks import work_out
from guyub.ui.answers import refused, tried
from guyub.ui.paging import page_of


def _release(pk: int) -> Release:
    return get_object_or_404(queries.all_releases(), pk=pk)


def _version(pk: int) -> Version:
    return get_object_or_404(Version.objects.select_related("dataset"), pk=pk)


def _percent(counts: dict[str, int], what: str) -> int:
    return round(100 * counts.get(what, 0) / counts["cells"])


@require_safe
@requires("portal.manage")
def list_page(request: HttpRequest) -> HttpResponse:
    """What has been released, what waits, and which versions may be next."""
    context = {
        "page": page_of(request, queries.all_releases()),
        "versions": queries.versions_to_release()[:8],
    }
    return render(request, "portal/manage_list.html", context)


@require_POST
@requires("portal.manage", load=_version)
def prepare(request: HttpRequest, version: Version) -> HttpResponseBase:
    """Have the worker work out a release."""
    try:
        release = services.prepare(version, actor=request.user)
    except ValidationError as error:
        refused(request, error)
        return redirect("portal:list")
    transaction.on_commit(lambda: work_out.enqueue(release.pk))
    return redirect("portal:preview", release.pk)


@require_safe
@requires("portal.manage", load=_release)
def preview(request: HttpRequest, release: Release) -> HttpResponse:
    """What the public would see of a draft, and how much of it is hidden."""
    context = {
        "release": release,
        "tables": [
            (
                CountTable(name).label,
                counts,
                _percent(counts, "hidden"),
                _percent(counts, "withheld"),
            )
            for name, counts in release.counts.items()
            if counts["cells"]
        ],
        "computing": state_of(release) if release.is_computing else None,
        "files": queries.files_of([release])[release.pk],
    }
    regency = queries.regency()
    if release.counts and regency is not None:
        areas = [regency, *queries.districts()]
        rows = queries.rows(release, CountTable.HOUSEHOLDS, areas)
        context["table"] = queries.table_of(release, rows, Level.DISTRICT)
    return render(request, "portal/manage_preview.html", context)


@require_POST
@requires("portal.manage", load=_release)
def publish(request: HttpRequest, release: Release) -> HttpResponseBase:
    """Let the public see a draft."""
    tried(
        request,
        lambda: services.publish(release, actor=request.user),
        _("Data sudah terbit dan dapat dilihat siapa saja."),
    )
    return redirect("portal:preview", release.pk)


@require_POST
@requires("portal.manage", load=_release)
def discard(request: HttpRequest, release: Release) -> HttpResponseBase:
    """Throw a draft away."""
    done = tried(
        request, lambda: services.discard(release, actor=request.user), _("Rancangan dihapus.")
    )
    return redirect("portal:list") if done else redirect("portal:preview", release.pk)
