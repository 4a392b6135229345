"""Every page of every app before axe-core, on a laptop and on a phone.

The list of pages is that of ``test_access_matrix``: whoever adds a URL says there who may open it, and
it is looked at here with the records of its ``World`` from then on. What answers no HTML (a download,
the HTTP API, an address that only takes POST) is passed over.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import DESKTOP, PHONE
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page
from test_access_matrix import (
    EXPECTED,
    NONE,
    PARTS,
    SIGN_IN,
    THE_PUBLIC,
    THIRD_PARTY,
    THIRD_PARTY_KWARGS,
    World,
    names_of,
    urls,
)

from guyub.access.roles import Role
from guyub.ui.tests.test_design import FIRST_LOAD_LIMIT

AXE = (Path(__file__).parent / "assets" / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What every page of a role has alike, looked at on the first of them alone.
FRAME = [".topbar", ".sidebar"]
# Runs axe and adds what it does not look at. Returns one line for each thing that is wrong.
LOOK = """
async ([rules, frame, narrow]) => {
  // The script that folds the menu hears of the new width a frame later.
  for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
  const found = await axe.run(frame.length ? {exclude: frame} : document, {
    runOnly: {type: "tag", values: rules}, resultTypes: ["violations"], preload: false,
  });
  const wrong = [];
  for (const rule of found.violations)
    for (const node of rule.nodes)
      wrong.push(`${rule.id}: ${node.html.slice(0, 200)} (${node.failureSummary})`);
  if (!document.documentElement.lang) wrong.push("html has no lang");
  if (!document.title.split("·")[0].trim()) wrong.push("no title of its own");
  const heads = document.querySelectorAll("h1").length;
  if (heads !== 1) wrong.push(`${heads} h1`);
  const root = document.documentElement, spare = root.scrollWidth - root.clientWidth;
  if (narrow && spare > 0) wrong.push(`scrolls ${spare} px to the side`);
  return wrong;
}
"""


def visits(world: World, part: int) -> Iterator[tuple[str, str, str]]:
    """Yield ``(role, name, path)``: each URL for the secretariat, or else the first role it opens to."""
    arguments = {url.name: url.arguments for url in urls()}
    order = [Role.SECRETARIAT, *(role for role in Role if role != Role.SECRETARIAT), THE_PUBLIC]
    for name in names_of(part):
        if name.startswith("api:"):
            continue
        path = reverse(name, kwargs=world.kwargs(name, "own") if arguments[name] else None)
        may = [role for role in order if EXPECTED[name][role] != NONE]
        if not may:
            continue  # its own tests say who gets there
        yield may[0], name, path
        if THE_PUBLIC in may:
            yield THE_PUBLIC, name, path
    for name, door in list(THIRD_PARTY.items())[part::PARTS]:
        if not name.startswith("api:"):
            path = f"/{name}" if "/" in name else reverse(name, kwargs=THIRD_PARTY_KWARGS.get(name))
            yield Role.SECRETARIAT if door == SIGN_IN else THE_PUBLIC, name, path


def html_of(client: Client, path: str) -> bytes | None:
    """Return the page at ``path``; ``None`` where what comes is no whole page at that very address."""
    response = client.get(path)
    kind = response.get("Content-Type", "")
    if response.streaming or response.status_code in (302, 405) or "text/html" not in kind:
        return None
    return response.content if b"<html" in response.content else None


@cache
def sent(path: str) -> int:
    """Return the bytes of a static file as it is sent, which is compressed."""
    return len(gzip.compress(Path(str(finders.find(path))).read_bytes()))


def weight(html: bytes) -> int:
    """Return the bytes sent for a page and all it links, without what only draws charts."""
    paths = set(re.findall(r'(?:href|src)="/static/([^"#?]+)', html.decode()))
    return len(gzip.compress(html)) + sum(
        sent(path) for path in paths if not path.startswith("vendor/vega")
    )


@pytest.mark.browser
@pytest.mark.parametrize("part", range(PARTS))
def test_axe_finds_nothing_on_any_page_in_both_sizes_and_pages_are_light(
    browser: Browser,
    live_server: Any,
    make_user: Any,
    make_agency: Any,
    make_dataset: Any,
    part: int,
) -> None:
    world = World(make_user, make_agency, make_dataset)
    pages: dict[str, Page] = {}
    sizes = [DESKTOP, PHONE]
    seen, wrong = set(), []
    for role, name, path in visits(world, part):
        html = html_of(world.clients[role], path)
        if html is None:
            continue
        if role not in pages:
            context = browser.new_context(locale="id-ID", base_url=live_server.url)
            context.add_init_script(AXE)
            if role != THE_PUBLIC:
                key = world.clients[role].cookies["sessionid"].value
                context.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
            pages[role] = context.new_page()
        page = pages[role]
        page.goto(path)
        sizes.reverse()  # so that every page begins in the size in which the last one ended
        for size in sizes:
            page.set_viewport_size(size)
            with_menu = (role, size["width"], b'class="sidebar"' in html)
            found = page.evaluate(LOOK, [RULES, FRAME if with_menu in seen else [], size == PHONE])
            wrong += [f"{name} ({role}, {size['width']} px): {line}" for line in found]
            seen.add(with_menu)
        if weight(html) >= FIRST_LOAD_LIMIT:
            wrong.append(f"{name} ({role}) weighs {weight(html)} bytes")
    for page in pages.values():
        page.context.close()
    assert not wrong, "\n".join(wrong)
