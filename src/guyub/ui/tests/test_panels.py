from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.template import Context, Template

from guyub.ui import panels


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(panels, "_panels", type(panels._panels)(list))
    return "ui.test"


def later(request: HttpRequest, record: Any) -> tuple[str, dict[str, Any]]:
    return "ui/403.html", {}


def first(request: HttpRequest, record: Any) -> tuple[str, dict[str, Any]] | None:
    return None if record == "tersembunyi" else ("ui/404.html", {})


def drawn(place: str, record: str) -> str:
    request = HttpRequest()
    request.path = "/"
    template = Template("{% load guyub %}{% panels place record %}")
    return template.render(Context({"request": request, "place": place, "record": record}))


def test_panels_show_in_their_order_and_only_once(place: str) -> None:
    panels.register(place, later, order=2)
    panels.register(place, first, order=1)
    panels.register(place, first, order=1)

    assert panels.at(place) == [first, later]
    html = drawn(place, "terlihat")
    assert html.index("Halaman tidak ditemukan") < html.index("Tidak berwenang")


def test_a_panel_with_nothing_to_show_leaves_no_trace(place: str) -> None:
    panels.register(place, first)

    assert drawn(place, "tersembunyi") == ""


def test_a_place_without_panels_is_empty(place: str) -> None:
    assert drawn(place, "apa saja") == ""
