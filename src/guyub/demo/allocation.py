"""Scenarios of allocation in the demo: as budgeted, spread more evenly, and with more money."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from guyub.allocation.models import Scenario
from guyub.allocation.services import choose, create_scenario, start, work
from guyub.programs.money import rupiah_short


def make_scenarios(actors: dict[str, Any], year: int, share: float) -> None:
    """Reckon three scenarios for ``year`` and make the first the plan.

    ``share`` is how much of the regency the demo holds, which its money is scaled by.
    """
    secretary = actors["sekretariat"]
    more = max(1, round(20 * share * 1000)) * 1_000_000
    first = _made(year, secretary, {"name": _("Sesuai sisa kuota dan anggaran")})
    _made(year, secretary, {"name": _("Merata: dua jenis bantuan per keluarga"), "most_kinds": 2})
    name = _("Dengan tambahan dana %(sum)s") % {"sum": rupiah_short(more)}
    _made(year, secretary, {"name": name, "pool": more})
    if first.is_current:
        choose(
            first,
            reason=_("Disepakati dalam rapat koordinasi: yang paling berat didahulukan."),
            actor=secretary,
        )


def _made(year: int, actor: Any, values: dict[str, Any]) -> Scenario:
    scenario = create_scenario(year, values=values, actor=actor)
    start(scenario, actor=actor, at_once=True)
    return work(scenario.pk) or scenario
