"""Who is at the other end of the connection."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from guyub.access.client import client_address


class ClientAddressMiddleware:
    """Notes the client's own address, in ``REMOTE_ADDR`` too when requests come through proxies.

    Rate limits and the audit log go by that address. Only as many entries of ``X-Forwarded-For``
    are believed as there are proxies of ours (``GUYUB_PROXIES``): whatever stands before them was
    written by the client.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        count = settings.PROXY_COUNT
        if count > 0:
            hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
            if len(hops) >= count and hops[-count]:
                request.META["REMOTE_ADDR"] = hops[-count]
        token = client_address.set(request.META.get("REMOTE_ADDR", ""))
        try:
            return self.get_response(request)
        finally:
            client_address.reset(token)
