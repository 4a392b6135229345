"""Panels: how an app shows something on a page of an app that does not know it.

Knowledge runs one way, yet a household's page should show the help it receives, and a program's page
its reports and obstacles. So the page names a place, and an app further down registers a panel for
it in its ``AppConfig.ready``::

    panels.register("registry.household", received_help, order=20)

where ``received_help(request, household)`` returns ``(template name, context)``, or ``None`` when there
is nothing for this user to see. The page writes ``{% panels "registry.household" household %}``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

Panel = Callable[[HttpRequest, Any], tuple[str, dict[str, Any]] | None]

_panels: dict[str, list[tuple[int, str, Panel]]] = defaultdict(list)


def register(place: str, panel: Panel, order: int = 50) -> None:
    """Show ``panel`` at ``place``, lower ``order`` first. Registering a panel again changes nothing."""
    name = f"{panel.__module__}.{panel.__qualname__}"
    if all(known != name for _order, known, _panel in _panels[place]):
        _panels[place].append((order, name, panel))
        _panels[place].sort(key=lambda entry: entry[:2])


def at(place: str) -> list[Panel]:
    """Return the panels of ``place`` in the order in which they are shown."""
    return [panel for _order, _name, panel in _panels.get(place, ())]
