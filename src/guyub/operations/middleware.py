"""What happens round every request: its number, its line in the log, its place in the figures."""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.operations import logs

log = logging.getLogger("guyub.requests")

_NUMBER = re.compile(r"[0-9A-Za-z-]{8,64}")
PROBES = ("/sehat/", "/metrics")


class RequestMiddleware:
    """Gives each request a number, and writes one line when it has been answered.

    The number comes from the proxy's ``X-Request-ID`` where there is one of ours, and goes back in the
    same header, onto the page of an internal error, and into every line that the request causes.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-ID", "") if settings.PROXY_COUNT else ""
        number = sent if _NUMBER.fullmatch(sent) else uuid.uuid4().hex
        request.number = number  # type: ignore[attr-defined]
        if request.path.startswith(PROBES) and settings.ALLOWED_HOSTS:
            # Probes call the server by its own address. These answers hold no links.
            request.META["HTTP_HOST"] = (
                settings.ALLOWED_HOSTS[0].lstrip(".").replace("*", "localhost")
            )
        token = logs.context.set({"request": number})
        start = time.monotonic()
        try:
            response = self.get_response(request)
            self._tell(request, response, time.monotonic() - start)
        finally:
            logs.context.reset(token)
        response.headers["X-Request-ID"] = number
        return response

    def _tell(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        from guyub.operations import metrics

        if request.path.startswith((f"/{settings.STATIC_URL.lstrip('/')}", *PROBES)):
            return
        match = request.resolver_match
        # Of an address only its pattern: what somebody typed into it may be anything.
        name = "(none)" if match is None else match.view_name if match.url_name else match.route
        method = request.method if request.method in _METHODS else "OTHER"
        metrics.DURATION.labels(name, method).observe(seconds)
        metrics.ANSWERS.labels(name, method, str(response.status_code)).inc()
        # Only when something already asked who it is: a log line is no reason to read the session.
        user: Any = getattr(request, "_cached_user", None)
        extra = {
            "method": method,
            "route": name,
            "status": response.status_code,
            "ms": round(seconds * 1000),
        }
        if user is not None and user.is_authenticated:
            extra |= {"user": user.pk, "role": str(user.role)}
        log.info("request", extra=extra)


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RateLimitMiddleware:
    """Turns away who asks too often, and says when to try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        from guyub.connections.problems import problem
        from guyub.operations import limits, metrics

        limit = limits.limit_of(request, view, request.resolver_match)
        if limit is None:
            return None
        seconds = limits.wait_for(limit, limits.who(request))
        if not seconds:
            return None
        metrics.LIMITED.labels(limit.name).inc()
        log.warning("a rate limit was reached", extra={"limit": limit.name})
        again = timezone.localtime() + dt.timedelta(seconds=seconds)
        # Seconds are no use to people: the minute after.
        clock = (again + dt.timedelta(seconds=59)).strftime("%H.%M")
        headers = {"Retry-After": str(seconds), "Cache-Control": "no-store"}
        if limit.name == "api":
            detail = _("Terlalu banyak permintaan. Coba lagi pukul %(clock)s.") % {"clock": clock}
            answer: HttpResponse = problem(429, detail)
            for name, value in headers.items():
                answer.headers[name] = value
            return answer
        context = {
            "clock": clock,
            "minutes": max(1, -(-seconds // 60)),
            "limit": limit,
            "hours": limit.seconds // 3600,
            "spell": limit.seconds // 60,
        }
        answer = render(request, "operations/too_many.html", context, status=429)
        for name, value in headers.items():
            answer.headers[name] = value
        return answer
