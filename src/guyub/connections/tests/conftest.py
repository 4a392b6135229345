"""Tokens and callers for the tests of connections."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from guyub.access.roles import Role
from guyub.connections import partners
from guyub.connections.scopes import IDENTIFIERS
from guyub.connections.services import make_token
from guyub.connections.tests.partner_system import System


class Caller:
    """A client that sends a token, and JSON."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.client = Client(headers={"Authorization": f"Bearer {key}"})

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(path, body or {}, content_type="application/json", headers=headers)


@pytest.fixture
def token_for(make_agency: Any, regency: Any) -> Any:
    """Make a token with scopes: ``token, key = token_for("programs:read", agency=...)``."""

    def make(*scopes: str, **values: Any) -> tuple[Any, str]:
        values.setdefault("agency", make_agency())
        values.setdefault("name", "SIM Bansos")
        values.setdefault("purpose", "Memadankan penerima")
        values.setdefault("expires_at", timezone.now() + dt.timedelta(days=30))
        values.setdefault("actor", None)
        return make_token(scopes=scopes or ["programs:read"], **values)

    return make


@pytest.fixture
def caller(token_for: Any) -> Any:
    """Make a caller with scopes: ``caller("reports:write").get("/api/v1/reports")``."""

    def make(*scopes: str, **values: Any) -> Caller:
        token, key = token_for(*scopes, **values)
        found = Caller(key)
        found.token = token  # type: ignore[attr-defined]
        return found

    return make


@pytest.fixture
def system(
    settings: Any, tmp_path: Any, token_for: Any, make_agency: Any, make_user: Any
) -> Iterator[System]:
    """A partner's system that may search and see full numbers, with a server of its own."""
    settings.DATA_DIR = tmp_path
    settings.OUTGOING_HOSTS = ["127.0.0.1"]
    agency, actor = make_agency(), make_user(Role.SECRETARIAT)
    token, secret = token_for("registry:read", IDENTIFIERS, actor=actor)
    found = System(secret)
    found.token = token
    found.partner = partners.admit(
        name="SPMIS", sender_id="spmis.contoh.go.id", agency=agency,
        keys=json.dumps(found.keys()), callback=found.uri, actor=actor,
    )  # fmt: skip
    yield found
    found.close()
