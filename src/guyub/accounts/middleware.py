"""Who may go on: sessions end, and roles that unmask personal data need a second factor first."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from requests import RequestException

from guyub.accounts.models import User

logger = logging.getLogger(__name__)

# Session keys.
HAS_SECOND_FACTOR = "guyub_has_second_factor"
WANTED_PAGE = "guyub_wanted_page"
SEEN_AT = "guyub_seen_at"

SIGNED_IN_AT = "guyub_signed_in_at"

_BETWEEN_SIGHTINGS = 300

# What an account without its second factor may still open: setting one up, proving who one is,
# passwords, languages, sessions and leaving.
OPEN_WITHOUT_SECOND_FACTOR = frozenset(
    {
        "account_login",
        "account_logout",
        "account_reauthenticate",
        "account_inactive",
        "account_change_password",
        "account_set_password",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "mfa_index",
        "mfa_authenticate",
        "mfa_reauthenticate",
        "mfa_activate_totp",
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "mfa_login_webauthn",
        "mfa_reauthenticate_webauthn",
        "usersessions_list",
        "set_language",
        "public",
        "accounts:second_factor",
        "accounts:resume",
    }
)


def has_second_factor(user: User) -> bool:
    """Tell whether ``user`` has an authenticator app or a passkey; recovery codes alone are none."""
    return Authenticator.objects.filter(
        user=user, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    ).exists()


def _is_page(request: HttpRequest) -> bool:
    """Tell whether somebody went to a page, rather than the page itself asking for a part of it."""
    return request.headers.get("Sec-Fetch-Dest", "document") == "document" and request.accepts(
        "text/html"
    )


def _asks_for_news(request: HttpRequest) -> bool:
    """Tell whether an open page asks for its stream of news, which it does by itself."""
    return request.headers.get("Accept") == "text/event-stream"


class SecondFactorMiddleware:
    """Leads whoever must have a second factor and has none to where they set one up.

    The answer is asked once per session, for whatever takes the last factor away (its owner or a
    reset by the secretariat) ends the sessions that remember having one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        user = request.user
        if not user.is_authenticated or not user.must_use_second_factor:
            return None
        if request.session.get(HAS_SECOND_FACTOR):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in OPEN_WITHOUT_SECOND_FACTOR:
            return None
        if has_second_factor(user):
            request.session[HAS_SECOND_FACTOR] = True
            return None
        if match is not None and "api" in match.namespaces:
            return JsonResponse({"detail": _("Aktifkan faktor kedua lebih dahulu.")}, status=403)
        if _asks_for_news(request):
            # With nothing to follow, the browser does not ask again, nor complain of a page.
            return HttpResponse(status=204)
        setup = reverse("accounts:second_factor")
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": setup})
        if request.method == "GET" and _is_page(request):
            request.session[WANTED_PAGE] = request.get_full_path()
        return HttpResponseRedirect(setup)


class SessionActivityMiddleware:
    """Ends sessions that nobody uses or that have lasted long, and notes when each was last in use.

    Noted to the five minutes, so that few pages write. News that a page left open asks for by itself
    is no use.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = request.session
        was_in = bool(session.session_key) and request.user.is_authenticated
        if was_in:
            now = int(time.time())
            unused = now - session.get(SEEN_AT, now)
            if unused > settings.SESSION_IDLE_SECONDS:
                logout(request)
                messages.info(request, _("Anda keluar dengan sendirinya karena lama tidak memakai Guyub. Masuk lagi."))  # fmt: skip
            elif now - session.get(SIGNED_IN_AT, now) > settings.SESSION_COOKIE_AGE:
                logout(request)
                messages.info(request, _("Sesi Anda sudah berakhir. Masuk lagi."))
            elif (
                not _asks_for_news(request) and now - session.get(SEEN_AT, 0) >= _BETWEEN_SIGHTINGS
            ):
                session[SEEN_AT] = now
                session.setdefault(SIGNED_IN_AT, now)
                UserSession.objects.create_from_request(request)
        response = self.get_response(request)
        if was_in and not request.user.is_authenticated:
            # Not what the page stored by itself: visits of field work wait there to be sent.
            response["Clear-Site-Data"] = '"cache"'
        return response


class SingleSignOnMiddleware:
    """Says so when the provider of single sign-on cannot be reached, where allauth would crash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match = request.resolver_match
        if (
            match is None
            or match.view_name not in ("openid_connect_login", "openid_connect_callback")
            or not isinstance(exception, RequestException)
        ):
            return None
        logger.error("The provider of single sign-on failed: %s", exception)
        return render(request, "socialaccount/authentication_error.html", status=503)
