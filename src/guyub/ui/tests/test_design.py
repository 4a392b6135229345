"""The design's promises that a program can check."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from guyub.ui.charts import tokens
from guyub.ui.tests.test_charts import contrast

AA = 4.5
FIRST_LOAD_LIMIT = 200_000  # bytes of a page with all it links, charts apart


@pytest.mark.parametrize(
    ("letters", "ground"),
    [
        *itertools.product(("ink", "muted", "accent", "accent-deep"), ("surface", "ground")),
        *((tone, f"{tone}-soft") for tone in ("good", "warn", "bad", "info")),
        ("accent-deep", "accent-soft"),
        *(("ink", f"seq-{step}") for step in (1, 2, 3)),
        *(("surface", f"seq-{step}") for step in (4, 5)),
        *((f"series-{number}", "surface") for number in (1, 2, 3, 4)),
    ],
)
def test_letters_can_be_read_on_their_ground(letters: str, ground: str) -> None:
    colours = {
        name: "#" + "".join(c * 2 for c in value[1:]) if len(value) == 4 else value
        for name, value in tokens().items()
    }

    assert contrast(colours[letters], colours[ground]) >= AA


def linked_bytes(html: str) -> int:
    """Return the size of the static files that a page names in its markup, each once."""
    paths = set(re.findall(r'(?:href|src)="/static/([^"#?]+)', html))
    assert any(path.endswith(".css") for path in paths)
    return sum(Path(str(finders.find(path))).stat().st_size for path in paths)


@pytest.mark.django_db
def test_the_frame_is_light(client: Client) -> None:
    html = client.get("/tidak-ada/").content.decode()

    assert len(html.encode()) + linked_bytes(html) < FIRST_LOAD_LIMIT


@pytest.mark.django_db
def test_every_symbol_that_templates_draw_is_in_the_icon_file() -> None:
    package = Path(__file__).parents[2]
    icons = (package / "ui/static/ui/icons.svg").read_text()
    known = set(re.findall(r'<symbol id="([a-z-]+)"', icons))
    used = {
        name
        for template in package.glob("*/templates/**/*.html")
        for name in re.findall(r'{% icon "([a-z-]+)" %}', template.read_text())
    }

    assert used
    assert used <= known


def test_no_template_writes_the_key_of_a_record_with_thousands_separators() -> None:
    # "2.004" finds nothing: neither in a link, nor in what a form sends back.
    package = Path(__file__).parents[2]
    bare = [
        f"{template.relative_to(package)}: {key}"
        for template in package.glob("*/templates/**/*.html")
        for key in re.findall(r"{{ *[\w.]*\bpk *}}", template.read_text())
    ]

    assert bare == []


@pytest.mark.parametrize("name", ["403", "404", "500"])
def test_error_pages_say_what_to_do_next(name: str) -> None:
    from django.template.loader import render_to_string

    html = render_to_string(f"ui/{name}.html")

    assert "beranda" in html
    assert "<h1>" in html


@pytest.mark.django_db
def test_a_wrong_address_gets_our_page(client: Client) -> None:
    response = client.get("/tidak-ada/")

    assert response.status_code == 404
    assert "Halaman tidak ditemukan" in response.content.decode()
