"""Schemathesis against the real application: no server error, answers as described."""

from __future__ import annotations

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from guyub.access.roles import Role
from guyub.connections.scopes import SCOPES

EXAMPLES = 5
SEED = 20260331
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def kept_open():
    """Keep the test's connection through what a real server does around a request."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def described(kept_open, token_for, make_user, make_sub_activity, make_household):
    """The description, a key with every scope, and a few records to find."""
    make_sub_activity()
    make_household()
    _token, key = token_for(*SCOPES, actor=make_user(Role.SECRETARIAT), per_minute=3000)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    # Werkzeug's client, which stands behind this, does not unpack.
    return schema, {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}


def test_no_call_breaks_the_server_or_the_description(described):
    schema, headers = described
    answered = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @hypothesis.seed(SEED)
        @hypothesis.settings(
            max_examples=EXAMPLES,
            database=None,
            derandomize=False,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        @hypothesis.given(case=operation.as_strategy())
        def probe(case):
            with transaction.atomic():
                response = case.call_and_validate(headers=headers, checks=CHECKS)
                answered.add((case.method.upper(), response.status_code))
                transaction.set_rollback(True)

        probe()
    # Calls came through to what they are for, and some were rightly refused.
    assert {("GET", 200), ("GET", 404), ("POST", 422)} <= answered
