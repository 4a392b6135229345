"""Probes for machines, and *Kesehatan sistem* for people."""

from __future__ import annotations

import time
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from guyub.access import wall
from guyub.access.guards import public, requires
from guyub.operations import health, metrics, queries, services
from guyub.operations.models import Backup
from guyub.ui.answers import tried
from guyub.ui.paging import page_of

# Anyone may ask, so nobody can make the database work by asking often.
KEEP_SECONDS = 2.0
_ready: tuple[float, int, dict[str, Any]] | None = None


@public
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "hidup"}, headers={"Cache-Control": "no-store"})


@public
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Requests may be sent here: 200, or 503 while no page can be served.

    States only: no versions, paths, names or error texts.
    """
    global _ready
    now = time.monotonic()
    if _ready is None or now - _ready[0] > KEEP_SECONDS:
        found = health.checks()
        status = health.verdict(found)
        ages = {"worker", "queue", "chain", "backup", "daily"}
        body: dict[str, Any] = {
            "status": status,
            "checks": {check.key: check.state for check in found},
            "seconds": {
                check.key: round(check.value)
                for check in found
                if check.key in ages and check.value is not None
            },
        }
        _ready = (now, 503 if status == "tidak siap" else 200, body)
    return JsonResponse(_ready[2], status=_ready[1], headers={"Cache-Control": "no-store"})


@public
@require_GET
@wall.everything()
def figures(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus, for whoever may read them; to everybody else there is no such page."""
    if not metrics.may_read(request.META, request.headers.get("Authorization", "")):
        raise Http404
    return HttpResponse(
        metrics.page(),
        content_type=metrics.CONTENT_TYPE,
        headers={"Cache-Control": "no-store"},
    )


@require_GET
@requires("operations.view")
def overview(request: HttpRequest) -> HttpResponse:
    """How the installation is, in plain words."""
    found = health.checks()
    page = page_of(request, queries.failed_jobs(), 10)
    page.object_list = queries.named(list(page.object_list))
    context = {
        "checks": found,
        "verdict": health.verdict(found),
        "bad": health.wanting(found, health.BAD),
        "warned": health.wanting(found, health.WARN),
        "waiting": queries.open_jobs(),
        "page": page,
        "backups": Backup.objects.all()[:7],
        "versions": health.versions(),
    }
    return render(request, "operations/overview.html", context)


@require_POST
@requires("operations.retry", load=queries.load_job)
def retry(request: HttpRequest, job: Any) -> HttpResponse:
    """Have a failed job tried again."""
    tried(
        request,
        lambda: services.retry(job, actor=request.user),
        _("Pekerjaan itu masuk antrean lagi."),
    )
    return redirect("operations:overview")
