"""The description of the API is valid and says all that a caller needs; the example client works."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import jsonschema
import pytest
from django.utils import timezone

from guyub.access.roles import Role
from guyub.connections import exchange, notices, watching, webhooks
from guyub.connections.models import Exchange, Notice, Watch
from guyub.connections.openapi import TAGS
from guyub.obstacles.models import Obstacle

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def description():
    from guyub.api import api

    return api.get_openapi_schema(path_prefix="/api/v1/")


def operations(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_each_operation_says_what_it_is_and_what_it_needs(description):
    names = []
    for name, operation in operations(description):
        assert operation["summary"][0].isupper(), name
        assert "_" not in operation["summary"], name
        assert set(operation["tags"]) <= set(TAGS), name
        if "/public/" in name:
            # Released for everybody.
            assert "security" not in operation, name
        else:
            assert {"TokenAuth": []} in operation["security"], name
            assert re.search("Needs the scope|For people only", operation["description"]), name
        for status in (401, 403, 422, 429):
            assert "application/problem+json" in operation["responses"][status]["content"], name
        if name.startswith("post"):
            assert "Idempotency-Key" in [p["name"] for p in operation["parameters"]], name
        names.append(operation["operationId"])
    assert len(names) == len(set(names)) > 40


def test_every_list_is_paged_alike(description):
    for name, operation in operations(description):
        parameters = {p["name"] for p in operation.get("parameters", [])}
        assert ("cursor" in parameters) == ("limit" in parameters), name
        content = operation["responses"].get(200, {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if name.startswith("get") and schema.get("type") == "array":
            pytest.fail(f"{name} answers a bare list")


def test_its_schemas_are_valid(description):
    for schema in description["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    text = str(description)
    for reference in set(re.findall(r"#/components/schemas/(\w+)", text)):
        assert reference in description["components"]["schemas"], reference


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("client", ROOT / "examples" / "client.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_client_reads_writes_and_checks(
    example, live_server, token_for, make_agency, make_sub_activity, settings
):
    make_sub_activity()
    needed = make_agency("dinkes")
    _token, key = token_for("programs:read", "obstacles:write", "agencies:read")
    guyub = example.Guyub(live_server.url, key)
    assert [row["year"] for row in guyub.each("/programs")] == [2026]
    codes = [row["code"] for row in guyub.each("/areas", limit=200)]
    assert len(codes) == len(set(codes)) > 300
    content = {
        "title": "Data belum padan", "description": "Menunggu data.", "category": "data",
        "severity": 2, "needed_agency": needed.code, "due_on": timezone.localdate().isoformat(),
    }  # fmt: skip
    first = guyub.write("/obstacles", content, key="sekali")
    assert guyub.write("/obstacles", content, key="sekali") == first
    assert Obstacle.objects.count() == 1
    with pytest.raises(example.GuyubError) as refused:
        guyub.write("/obstacles", {**content, "severity": 9})
    assert refused.value.errors[0]["field"] == "severity"


def test_the_example_partner_subscribes_and_is_told(example, live_server, system, make_household):
    key = system.client.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    partner = example.Partner(live_server.url, key, "spmis.contoh.go.id", system.key)
    acknowledged = partner.subscribe("REGISTER", 2, "Pemutakhiran penerima PKH", "PKH")
    assert acknowledged["ack_status"] == "ACK"
    exchange.answer_later(Exchange.objects.get().pk)
    confirmed = partner.opened(system.got[-1])
    (subscription,) = confirmed["subscribe_response"][0]["subscriptions"]
    home = make_household(desil=1)
    watching.spread()
    notices.send(Notice.objects.get().pk)
    (event,) = partner.opened(system.got[-1])["notify_event"]
    (group,) = event["data"]["reg_records"]
    assert group["group_identifier"][0]["identifier_value"] == home.kk
    changed = {**system.got[-1], "message": {"notify_event": []}}
    with pytest.raises(ValueError, match="does not fit"):
        partner.opened(changed)
    partner.unsubscribe(subscription["code"])
    assert Watch.objects.get().ended_at is not None
    status = {"reference_id": "s", "txn_type": "subscribe", "attribute_type": "correlation_id",
              "attribute_value": acknowledged["correlation_id"]}  # fmt: skip
    message = {"transaction_id": "t", "txnstatus_request": status}
    told = partner.send("/sync/txn/status", "txn-status", message)
    assert told["txnstatus_response"]["status"] == "succ"


def test_the_example_client_knows_our_webhooks(example):
    secret, now, body = webhooks._new_secret(), int(timezone.now().timestamp()), b'{"type":"ping"}'
    headers = {
        "webhook-id": "msg_1", "webhook-timestamp": str(now),
        "webhook-signature": webhooks.sign(secret, "msg_1", now, body),
    }  # fmt: skip
    assert example.is_from_guyub(secret, headers, body)
    assert not example.is_from_guyub(secret, headers, body + b" ")
    old = {**headers, "webhook-timestamp": str(now - 900)}
    assert not example.is_from_guyub(secret, old, body)


def test_people_read_the_description_without_other_hosts(client, client_for, db):
    page = client.get("/sambungan/rujukan/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "/api/v1/reports/{pk}/submission" in text
    assert "<code>reports:write</code>" in text
    assert "**" not in text
    assert '<script src="http' not in text
    assert client_for(Role.AGENCY_HEAD).get("/sambungan/rujukan/").status_code == 200
