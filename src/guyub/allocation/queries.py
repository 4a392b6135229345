"""Reading plans: who gets what and why, and scenarios side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, Q, QuerySet

from guyub.allocation import outcome
from guyub.allocation.models import Scenario, ScenarioOffer
from guyub.areas.models import Area, Level
from guyub.overlaps.definitions import Territory
from guyub.programs.vocabulary import HelpKind
from guyub.registry.models import Household

# What a list of households shows.
GETS, SEVERE_UNMET = "dapat", "berat-belum"


def scenarios(year: int | None = None) -> QuerySet[Scenario]:
    """Return scenarios, newest first, with how many sub-activities take part."""
    rows = (
        Scenario.objects.select_related("created_by", "chosen_by")
        .annotate(taking_part=Count("offers", filter=Q(offers__included=True)))
        .order_by("-year", "-created_at", "-pk")
    )
    return rows.filter(year=year) if year else rows


def years() -> list[int]:
    return list(Scenario.objects.order_by("-year").values_list("year", flat=True).distinct())


def offers_of(scenario: Scenario) -> list[ScenarioOffer]:
    """Return the offers of a scenario with sub-activities and agencies. One query."""
    return list(
        scenario.offers.select_related("sub_activity__agency", "adopted_by").order_by(
            "sub_activity__help_kind", "sub_activity__name", "pk"
        )
    )


@dataclass(frozen=True)
class Narrowing:
    """Which households of a plan are listed."""

    sub_activity: int = 0  # that get something of this one; 0: of any
    area: str = ""  # Kemendagri code of a district or village
    unmet: bool = False  # instead: those with a severe need that stays unmet


def household_ids(scenario: Scenario, narrowing: Narrowing) -> Any:
    """Return the ids of the households narrowed to, the worst off first.

    Raises:
        PlanMissingError: the plan's files are gone.
    """
    arrays = outcome.load(scenario)
    if narrowing.unmet:
        is_severe = arrays.severity == outcome.SEVERITIES.index("severe")
        fits = np.zeros(len(arrays.ids), dtype=bool)
        for kind in range(len(arrays.kinds)):
            fits |= arrays.needs(kind) & ~arrays.met(kind) & is_severe
    elif narrowing.sub_activity in arrays.offers:
        number = list(arrays.offers).index(narrowing.sub_activity)
        fits = arrays.gets(number)
    else:
        fits = arrays.gets_anything()
    if narrowing.area:
        territory = Territory(Area.objects.filter(Q(level=Level.VILLAGE) | Q(code=narrowing.area)))
        inside = [
            territory.areas[code].pk
            for code in territory.codes
            if code == narrowing.area or code.startswith(narrowing.area + ".")
        ]
        fits &= np.isin(arrays.villages, np.array(inside, dtype=np.int64))
    return np.asarray(arrays.ids[fits])


@dataclass(frozen=True)
class Line:
    """A household of a plan, and what it gets."""

    household: Household
    severity: str
    gets: Sequence[ScenarioOffer]


def lines(scenario: Scenario, ids: Sequence[int], offers: Sequence[ScenarioOffer]) -> list[Line]:
    """Return what the plan gives to some households. One query."""
    arrays = outcome.load(scenario)
    homes = Household.objects.select_related("village", "district").in_bulk(list(ids))
    by_sub = {offer.sub_activity_id: offer for offer in offers}
    found = []
    where = _positions(arrays, ids)
    for pk in ids:
        at = where.get(pk)
        if at is None or pk not in homes:
            continue
        numbers = sorted(arrays.offers_at(arrays.given, at))
        gets = [by_sub[arrays.offers[number]] for number in numbers]
        severity = outcome.SEVERITIES[int(arrays.severity[at])]
        found.append(Line(homes[pk], severity, gets))
    return found


def _positions(arrays: outcome.Arrays, ids: Sequence[int]) -> dict[int, int]:
    wanted = np.array(list(ids), dtype=np.int64)
    at = np.flatnonzero(np.isin(arrays.ids, wanted))
    return {int(arrays.ids[place]): int(place) for place in at}


@dataclass(frozen=True)
class Reason:
    """Why a household gets a kind of help, or does not.

    ``why`` is ``given``, ``helped`` (already this year), ``not_meant`` (no sub-activity of the kind is for
    it), ``full`` (others of the same or a higher severity took all there was) or ``enough`` (it gets as
    many kinds as the scenario allows). ``place`` is where it stands among all of its severity who need
    the kind, the worst off first, ``of`` how many those are, and ``met`` how many of them get it.
    """

    kind: str
    why: str
    offers: Sequence[ScenarioOffer]
    place: int = 0
    of: int = 0
    met: int = 0

    @property
    def label(self) -> str:
        return str(HelpKind(self.kind).label)


@dataclass(frozen=True)
class Explanation:
    severity: str
    raised: bool
    reasons: Sequence[Reason]


def explain(
    scenario: Scenario, household: Household, offers: Sequence[ScenarioOffer]
) -> Explanation | None:
    """Say for each kind of help why a household gets it or not; ``None`` when it was not in the plan.

    Raises:
        PlanMissingError: the plan's files are gone.
    """
    arrays = outcome.load(scenario)
    found = np.flatnonzero(arrays.ids == household.pk)
    if not len(found):
        return None
    at = int(found[0])
    severity, helped = int(arrays.severity[at]), int(arrays.helped[at])
    given, eligible = (arrays.offers_at(rows, at) for rows in (arrays.given, arrays.eligible))
    by_sub = {offer.sub_activity_id: offer for offer in offers}
    gets = len({arrays.kind_of[place] for place in given})
    reasons = []
    for number, kind in enumerate(arrays.kinds):
        group = set(arrays.of_kind(number))
        mine = [by_sub[arrays.offers[p]] for p in sorted((given & group) or (eligible & group))]
        if helped >> number & 1:
            reasons.append(Reason(kind, "helped", []))
            continue
        if not eligible & group:
            reasons.append(Reason(kind, "not_meant", []))
            continue
        same = arrays.needs(number) & (arrays.severity == severity)
        met = int((arrays.met(number) & (arrays.severity == severity)).sum())
        numbers = {"place": int(same[: at + 1].sum()), "of": int(same.sum()), "met": met}
        if given & group:
            why = "given"
        elif scenario.most_kinds is not None and gets >= scenario.most_kinds:
            why = "enough"
        else:
            why = "full"
        reasons.append(Reason(kind, why, mine, **numbers))
    order = {"given": 0, "full": 1, "enough": 2, "helped": 3, "not_meant": 4}
    reasons.sort(key=lambda reason: (order[reason.why], reason.label))
    return Explanation(outcome.SEVERITIES[severity], bool(arrays.raised[at]), reasons)


@dataclass(frozen=True)
class Difference:
    """How the households differ that two plans help: only in the first, only in the second, in both."""

    only_first: int
    only_second: int
    both: int


def difference(first: Scenario, second: Scenario) -> Difference:
    """Compare whom two plans help with anything.

    Raises:
        PlanMissingError: the files of one are gone.
    """
    a, b = (outcome.load(scenario) for scenario in (first, second))
    helped_a, helped_b = a.ids[a.gets_anything()], b.ids[b.gets_anything()]
    both = len(np.intersect1d(helped_a, helped_b, assume_unique=True))
    return Difference(len(helped_a) - both, len(helped_b) - both, both)


@dataclass(frozen=True)
class Waiting:
    """How many sub-activities of an agency have not yet taken up what a chosen plan gives them."""

    scenario_id: int
    year: int
    number: int


def waiting_for(agency_id: int, year: int) -> Waiting | None:
    """Return what an agency has to take up of the year's chosen plan; ``None`` when it is nothing."""
    found = (
        ScenarioOffer.objects.filter(
            scenario__year=year,
            scenario__chosen_at__isnull=False,
            included=True,
            adopted_at__isnull=True,
            sub_activity__agency=agency_id,
        )
        .values("scenario_id")
        .annotate(number=Count("pk"))
        .order_by("scenario_id")
        .first()
    )
    return Waiting(found["scenario_id"], year, found["number"]) if found else None
