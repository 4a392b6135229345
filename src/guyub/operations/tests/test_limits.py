from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse

from guyub.access.roles import Role
from guyub.operations import limits
from guyub.operations.models import Allowance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew():
    limits.forget()
    yield
    limits.forget()


@pytest.fixture
def noon(monkeypatch):
    """A clock that stands at the start of an hour until a test moves it."""
    clock = [1_800_000_000.0 // 3600 * 3600]
    monkeypatch.setattr(limits, "clock", lambda: clock[0])
    return clock


def test_processes_share_a_limit_and_write_little(noon, django_assert_num_queries):
    limit = limits.Limit("uji", 100, 3600)
    with django_assert_num_queries(1):
        for _time in range(5):
            assert limits.wait_for(limit, "u1") == 0
    passed = 5
    for _process in range(40):
        limits.forget()  # what another process would have in hand: nothing
        passed += sum(limits.wait_for(limit, "u1") == 0 for _time in range(5))
    assert passed == 100
    assert limits.wait_for(limit, "u1") == 3601
    # Known to be used up, without asking again.
    with django_assert_num_queries(0):
        assert limits.wait_for(limit, "u1")
    assert limits.wait_for(limit, "u2") == 0
    noon[0] += 3600
    assert limits.wait_for(limit, "u1") == 0


def test_small_limits_are_exact(noon):
    limit = limits.Limit("uji", 3, 60)
    assert [limits.wait_for(limit, "a1") > 0 for _time in range(5)] == [False] * 3 + [True] * 2


def test_the_page_says_when_to_try_again(client_for, settings, noon):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "export": (2, 3600)}
    client = client_for(Role.SECRETARIAT)
    url = reverse("registry:export")
    for _time in range(2):
        assert client.post(url).status_code != 429
    answer = client.post(url)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "3601"
    page = answer.content.decode()
    assert "paling banyak 2 kali dalam 1 jam" in page
    assert "Coba lagi pukul" in page
    # Somebody else is not kept out.
    assert client_for(Role.SECRETARIAT).post(url).status_code != 429
    # To look at the page takes nothing out, and counts for nothing.
    assert client.get(url).status_code == 200


def test_the_api_answers_in_json(client_for, settings, noon):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "api": (1, 60)}
    client = client_for(Role.REGENT)
    assert client.get("/api/v1/areas").status_code != 429
    answer = client.get("/api/v1/areas")
    assert answer.status_code == 429
    assert "Coba lagi pukul" in answer.json()["detail"]


def test_public_forms_are_limited_by_address(settings, noon):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "public_form": (1, 600)}
    url = reverse("proposals:track")
    assert Client(REMOTE_ADDR="10.0.0.1").post(url, {}).status_code == 200
    assert Client(REMOTE_ADDR="10.0.0.1").post(url, {}).status_code == 429
    assert Client(REMOTE_ADDR="10.0.0.2").post(url, {}).status_code == 200
    assert Client(REMOTE_ADDR="10.0.0.1").get(url).status_code == 200
    for key in Allowance.objects.values_list("key", flat=True):
        assert key.startswith("public_")


def test_every_export_and_every_reveal_has_a_limit():
    found = {}

    def walk(resolver, spaces=()):
        for part in resolver.url_patterns:
            if hasattr(part, "url_patterns"):
                walk(part, (*spaces, part.namespace) if part.namespace else spaces)
            else:
                request = RequestFactory().post("/")
                limit = limits.limit_of(request, part.callback, None)
                found[":".join([*spaces, part.name or ""])] = limit.name if limit else ""

    walk(get_resolver())
    assert found["registry:reveal"] == "reveal"
    for name in ("registry:export", "datasets:export", "beneficiaries:export", "sharing:take"):
        assert found[name] == "export"
    assert found["proposals:lodge"] == found["proposals:track"] == "public_form"
    assert found["registry:search"] == ""


def test_probes_have_none():
    for _time in range(3):
        assert Client().get("/sehat/hidup").status_code == 200
    assert not Allowance.objects.exists()
