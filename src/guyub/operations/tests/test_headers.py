"""What every answer carries, and that pages work under it."""

from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import expect

from guyub.access.roles import Role


@pytest.mark.django_db
def test_headers_of_every_page(settings):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    headers = Client().get("/masuk/login/", secure=True).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    for part in ("default-src 'self'", "script-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):  # fmt: skip
        assert part in policy
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "microphone=()" in headers["Permissions-Policy"]
    # Chromium complains of features that it does not know.
    assert "bluetooth" not in headers["Permissions-Policy"]


@pytest.mark.browser
def test_the_map_stands_as_it_should_without_style_attributes(browse, make_household):
    for number in range(3):
        make_household(desil=number + 1)
    page = browse("/", Role.SECRETARIAT)
    tiles = page.locator(".tilemap > li")
    expect(tiles).to_have_count(27)
    places = {tuple(tiles.nth(i).bounding_box().values())[:2] for i in range(27)}
    assert len(places) == 27
    assert len({left for left, _top in places}) > 4
    assert len({top for _left, top in places}) > 3
