"""Letting a call with a token in: whose it is, whether it still holds, and how often it calls."""

from __future__ import annotations

import hmac
import ipaddress
import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from guyub.accounts.models import User
from guyub.connections import services
from guyub.connections.models import ApiToken, TokenState
from guyub.connections.problems import problem
from guyub.connections.scopes import permissions_of


class RefusedError(Exception):
    """The call is not let in; ``response`` says why."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


def find_token(key: str) -> ApiToken | None:
    """Return the token of ``key``, whether it still holds or not."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != services.MARK or not parts[1].isalnum():
        return None
    token = (
        ApiToken.objects.select_related("agency", "account__agency")
        .filter(prefix=parts[1][:12])
        .first()
    )
    if token is None:
        return None
    digest = services.digest_of(key)
    if hmac.compare_digest(token.digest, digest):
        return token
    former = token.has_former_key and hmac.compare_digest(token.former_digest, digest)
    return token if former else None


def principal_of(token: ApiToken) -> User:
    """Return who acts: the token's account, narrowed to what its scopes stand for."""
    account: Any = token.account
    # Only here and in memory; the stored account is never active, so that nobody signs in with it.
    account.is_active = True
    account.narrowed_to = permissions_of(token.scopes)
    return account


def admit(request: HttpRequest, key: str) -> ApiToken:
    """Set ``request.user`` and ``request.api_token`` by the key that was sent.

    Raises:
        RefusedError: the token is unknown, ended, used from elsewhere, or used too often.
    """
    token = find_token(key)
    if token is None:
        raise RefusedError(problem(401, _("Token ini tidak dikenal.")))
    if token.state == TokenState.REVOKED:
        raise RefusedError(problem(401, _("Token ini sudah dicabut.")))
    if token.state == TokenState.EXPIRED:
        raise RefusedError(problem(401, _("Masa berlaku token ini sudah habis.")))
    if not token.agency.is_active:
        raise RefusedError(problem(403, _("Perangkat daerah pemilik token ini tidak aktif.")))
    if token.networks and not _within(request.META.get("REMOTE_ADDR", ""), token.networks):
        raise RefusedError(problem(403, _("Token ini tidak boleh dipakai dari alamat ini.")))
    calls = services.count_call(token)
    if calls > token.per_minute:
        wait = 60 - int(time.time()) % 60
        response = problem(
            429,
            _("Token ini boleh memanggil %(most)d kali per menit. Coba lagi dalam %(wait)d detik.")
            % {"most": token.per_minute, "wait": wait},
        )
        response.headers["Retry-After"] = str(wait)
        raise RefusedError(response)
    request.user = principal_of(token)
    request.api_token = token  # type: ignore[attr-defined]
    return token


def _within(address: str, networks: list[str]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network) for network in networks)
