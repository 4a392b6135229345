"""The history of a report: each step, and what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from guyub.programs.money import rupiah
from guyub.reports.amounts import percent
from guyub.reports.models import Report, ReportEvent
from guyub.ui.numbers import grouped


@dataclass(frozen=True)
class Change:
    """A figure before and after a step."""

    label: str
    old: str
    new: str
    is_text: bool = False


@dataclass(frozen=True)
class Entry:
    event: ReportEvent
    changes: list[Change]


def of(report: Report) -> list[Entry]:
    """Return the steps of ``report``, the newest first, each with what it changed."""
    events = list(report.events.select_related("by").order_by("at", "id"))
    found: list[Entry] = []
    before: dict[str, Any] = {}
    for event in events:
        found.append(Entry(event, changes(before, event.values)))
        before = event.values
    return found[::-1]


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two sets of figures, as :meth:`services.Figures.as_json` has them."""
    found = []
    for name, label in (
        ("physical", _("Fisik")),
        ("budget", _("Keuangan")),
        ("reached", _("Penerima")),
    ):
        if old.get(name) != new.get(name):
            found.append(
                Change(label, _written(name, old.get(name)), _written(name, new.get(name)))
            )
    for name, label in (("narrative", _("Uraian")), ("explanation", _("Penjelasan"))):
        if (old.get(name) or "") != (new.get(name) or ""):
            found.append(Change(label, old.get(name) or "", new.get(name) or "", is_text=True))
    return found


def _written(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name == "physical":
        return percent(Decimal(value))
    return rupiah(value) if name == "budget" else grouped(value)
