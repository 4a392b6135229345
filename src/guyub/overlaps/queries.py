"""Reading overlap and gaps: cases, coverage, and the households behind every number."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import Scope, scope_of
from guyub.areas.models import Area, Level
from guyub.beneficiaries.models import HELPED, Enrolment
from guyub.overlaps import snapshot
from guyub.overlaps.definitions import COMPARED, DESILS, POOREST, Reach, Territory, overlap
from guyub.overlaps.models import CaseState, OverlapCase, Reckoning
from guyub.overlaps.reckoning import reaches
from guyub.overlaps.snapshot import Snapshot, SnapshotMissingError, measure
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import HelpKind
from guyub.registry.models import Household


def years() -> list[int]:
    """Return the years that have sub-activities, newest first."""
    return list(SubActivity.objects.order_by("-year").values_list("year", flat=True).distinct())


def usual_year(known: Sequence[int]) -> int:
    """Return the year that pages show unless asked: this one, else the newest that has programs."""
    now = timezone.localdate().year
    return now if now in known or not known else known[0]


def years_in_work() -> list[int]:
    """Return the years whose programs are planned or carried out now."""
    return [year for year in years() if year >= timezone.localdate().year]


def reckoned(year: int) -> tuple[Reckoning, Snapshot] | None:
    """Return the last reckoning of a year with its arrays; None while there is none to read."""
    reckoning = Reckoning.objects.filter(year=year).first()
    if reckoning is None:
        return None
    try:
        return reckoning, snapshot.load(reckoning.token)
    except SnapshotMissingError:
        return None


# Cases


def cases(year: int, *, state: str = "", kind: str = "", agency: str = "") -> QuerySet[OverlapCase]:
    """Return the cases of a year, those with most households first."""
    found = OverlapCase.objects.filter(year=year)
    if state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(help_kind=kind)
    if agency:
        found = found.filter(sub_activities__agency__code=agency).distinct()
    members = SubActivity.objects.select_related("agency").order_by("agency__name", "pk")
    return found.select_related("lead_agency").prefetch_related(Prefetch("sub_activities", members))


def agencies_of(case: OverlapCase) -> list[Any]:
    """Return the agencies that have a part in a case, by name."""
    found = {sub.agency_id: sub.agency for sub in case.sub_activities.all()}
    return sorted(found.values(), key=str)


def cases_about(**about: Any) -> list[OverlapCase]:
    """Return the cases of some sub-activities that are open or carry a ruling. Two queries."""
    return list(
        OverlapCase.objects.filter(**about)
        .exclude(state=CaseState.GONE, ruling="")
        .select_related("lead_agency")
        .prefetch_related(Prefetch("sub_activities", SubActivity.objects.select_related("agency")))
        .distinct()
    )


@dataclass
class Member:
    """A sub-activity of a case, as it stands beside the others."""

    sub_activity: SubActivity
    budget: int
    helped: int  # households
    places: list[str]


@dataclass
class Meeting:
    """Where two sub-activities of a case meet."""

    a: SubActivity
    b: SubActivity
    places: list[str]
    desil: tuple[int, int]
    starts_on: dt.date
    ends_on: dt.date
    households: int


@dataclass
class CaseDetail:
    members: list[Member]
    meetings: list[Meeting]  # those with most households first


def case_detail(case: OverlapCase, arrays: Snapshot | None) -> CaseDetail:
    """Return the members of a case and where they meet. A handful of queries."""
    subs = {
        sub.pk: sub
        for sub in case.sub_activities.select_related("agency")
        .annotate(budget=Sum("fundings__amount"))
        .order_by("agency__name", "name")
    }
    territory = Territory(Area.objects.all())
    by_pk = {reach.pk: reach for reach in reaches(case.year, territory) if reach.pk in subs}
    members = [
        Member(
            sub,
            int(sub.budget or 0),
            len(arrays.members_of(sub.pk)) if arrays is not None else 0,
            places_named(territory, by_pk[sub.pk].villages) if sub.pk in by_pk else [],
        )
        for sub in subs.values()
    ]
    order = list(subs)
    linked = [
        (a, b)
        for i, a in enumerate(order)
        for b in order[i + 1 :]
        if a in by_pk and b in by_pk and overlap(by_pk[a], by_pk[b])
    ]
    shared = arrays.shared_by_pair(linked) if arrays is not None else {}
    meetings = [
        _meeting(subs, by_pk[a], by_pk[b], territory, shared.get((a, b), 0)) for a, b in linked
    ]
    meetings.sort(key=lambda meeting: -meeting.households)
    return CaseDetail(members, meetings)


def _meeting(
    subs: Mapping[int, SubActivity], a: Reach, b: Reach, territory: Territory, households: int
) -> Meeting:
    return Meeting(
        subs[a.pk],
        subs[b.pk],
        places_named(territory, a.villages & b.villages),
        (max(a.desil[0], b.desil[0]), min(a.desil[1], b.desil[1])),
        max(a.starts_on, b.starts_on),
        min(a.ends_on, b.ends_on),
        households,
    )


NAMED_VILLAGES = 3


def places_named(territory: Territory, villages: int) -> list[str]:
    """Name a set of villages as people would: the regency, whole districts, else some villages."""
    if villages == territory.everywhere:
        return [str(_("Seluruh kabupaten"))]
    names = []
    for district, here, whole in territory.described(villages):
        if here == whole:
            names.append(district.name)
        else:
            inside = villages & territory.of(district)
            some = [
                territory.areas[code].name
                for place, code in enumerate(territory.codes)
                if inside >> place & 1
            ]
            listed = ", ".join(some[:NAMED_VILLAGES])
            if here > NAMED_VILLAGES:
                listed += " " + str(_("dan %(n)d lainnya") % {"n": here - NAMED_VILLAGES})
            names.append(f"{listed} ({district.name})")
    return names


# Findings: lists of households, and their sums


@dataclass(frozen=True)
class Finding:
    """A question put to every household; see ``docs/overlaps.md``."""

    name: str  # as it stands in an address
    title: Any
    explained: Any
    mark: str
    negate: bool = False
    desil: tuple[int, ...] = ()

    @property
    def about_help(self) -> bool:
        """Whether the list tells who receives something; else it tells who does not."""
        return not self.negate


DOUBLED = Finding(
    "rangkap",
    _("Dibantu rangkap"),
    _("Keluarga yang mendapat bantuan sejenis dari dua sub kegiatan atau lebih."),
    "doubled",
)
MISSED = Finding(
    "terlewat",
    _("Terlewat"),
    _("Keluarga desil 1–2 yang tidak mendapat bantuan apa pun."),
    "helped",
    negate=True,
    desil=POOREST,
)
OUTSIDE = Finding(
    "luar-sasaran",
    _("Di luar sasaran"),
    _("Keluarga yang dibantu padahal desil atau desanya di luar sasaran sub kegiatannya."),
    "outside",
)
GIVEN = Finding("dibantu", _("Dibantu"), _("Keluarga yang mendapat bantuan ini."), "helped")
NOT_GIVEN = Finding(
    "belum", _("Belum dibantu"), _("Keluarga yang tidak mendapat bantuan ini."), "helped", True
)
GAPS = (DOUBLED, MISSED, OUTSIDE)
FINDINGS = {finding.name: finding for finding in (*GAPS, GIVEN, NOT_GIVEN)}


@dataclass(frozen=True)
class Narrowing:
    """What a list of households is narrowed to."""

    finding: Finding
    kind: str = ""
    desil: tuple[int, ...] = ()
    case: OverlapCase | None = None
    pair: tuple[int, int] | None = None

    @property
    def ranks(self) -> tuple[int, ...]:
        """The desils that both the finding and the user asked for; empty means all."""
        if self.finding.desil and self.desil:
            return tuple(n for n in self.desil if n in self.finding.desil) or (-1,)
        return self.desil or self.finding.desil


def count(arrays: Snapshot, code: str, narrowing: Narrowing) -> tuple[int, int]:
    """Return how many households of an area fit, of how many of the ranks asked for."""
    whole = arrays.sums(code, "households")
    marked = arrays.sums(code, measure(narrowing.finding.mark, narrowing.kind))
    ranks = narrowing.ranks or range(DESILS)
    of = sum(whole[n] for n in ranks if n >= 0)
    fit = sum(marked[n] for n in ranks if n >= 0)
    return (of - fit if narrowing.finding.negate else fit), of


@dataclass(frozen=True)
class AreaSum:
    area: Area
    households: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.households / self.of if self.of else 0


def by_area(arrays: Snapshot, area: Area, narrowing: Narrowing) -> list[AreaSum]:
    """Return the sums of a finding for the areas within ``area``, most households first."""
    rows = [
        AreaSum(child, *count(arrays, child.code, narrowing))
        for child in Area.objects.filter(parent=area)
    ]
    return sorted(rows, key=lambda row: (-row.households, row.area.code))


def household_ids(user: Any, arrays: Snapshot, code: str, narrowing: Narrowing) -> Any:
    """Return the ids of the households of an area that fit and that ``user`` may see by name."""
    codes = [code]
    scope = scope_of(user, "beneficiaries.view")
    if scope is Scope.OWN_AREA:
        codes.append(user.area_code or "-")
    elif scope is not Scope.ANY:
        codes.append("-")
    shared_by: Sequence[int] = narrowing.pair or ()
    if narrowing.case is not None and not shared_by:
        shared_by = list(narrowing.case.sub_activities.values_list("pk", flat=True))
    finding = narrowing.finding
    return arrays.households(
        codes,
        # A case is about its own sub-activities, so that their marks say it all.
        mark="" if shared_by else finding.mark,
        negate=finding.negate,
        kind=narrowing.kind,
        desil=narrowing.ranks,
        shared_by=shared_by,
    )


def helped_by(agency_id: int, year: int, arrays: Snapshot, kind: str = "") -> Any:
    """Return the ids of the households that an agency helps itself, with one kind of help or any."""
    own = SubActivity.objects.filter(agency_id=agency_id, year=year, is_cancelled=False)
    if kind:
        own = own.filter(help_kind=kind)
    return arrays.helped_by(list(own.values_list("pk", flat=True)))


@dataclass
class Row:
    """A household of a list, and the help that put it there."""

    household: Household
    helps: list[Enrolment] = field(default_factory=list)


def rows(ids: Iterable[int], year: int, narrowing: Narrowing) -> list[Row]:
    """Return households by id in the order given, with their help of the year. Two queries."""
    wanted = [int(pk) for pk in ids]
    homes = {
        home.pk: home
        for home in Household.objects.filter(pk__in=wanted).select_related("village", "district")
    }
    found = {pk: Row(homes[pk]) for pk in wanted if pk in homes}
    helps = Enrolment.objects.filter(
        household__in=list(found), year=year, stage__in=HELPED, sub_activity__is_cancelled=False
    )
    kinds = [narrowing.kind] if narrowing.kind else COMPARED
    if narrowing.finding.negate:
        # What else they get tells how far they are missed.
        kinds = COMPARED
    helps = helps.filter(help_kind__in=kinds).select_related("sub_activity", "agency")
    for enrolment in helps.order_by("help_kind", "sub_activity__name", "pk"):
        row = found[enrolment.household_id]
        # Several members in one sub-activity are one help to the household.
        if all(known.sub_activity_id != enrolment.sub_activity_id for known in row.helps):
            row.helps.append(enrolment)
    if narrowing.finding is OUTSIDE:
        _keep_strays(found.values(), year)
    if narrowing.finding is DOUBLED:
        for row in found.values():
            times: dict[str, int] = defaultdict(int)
            for help_ in row.helps:
                times[help_.help_kind] += 1
            row.helps = [help_ for help_ in row.helps if times[help_.help_kind] > 1]
    return list(found.values())


def _keep_strays(found: Iterable[Row], year: int) -> None:
    """Leave of each household's help what it gets although it is not of the target. Three queries."""
    territory = Territory(Area.objects.all())
    by_pk = {reach.pk: reach for reach in reaches(year, territory)}
    for row in found:
        home = row.household
        here, desil = territory.of(home.village), home.desil
        strays = []
        for help_ in row.helps:
            reach = by_pk.get(help_.sub_activity_id)
            if reach is None:
                continue
            help_.elsewhere = not reach.villages & here  # type: ignore[attr-defined]
            too_high = desil is not None and not reach.desil[0] <= desil <= reach.desil[1]
            if too_high or help_.elsewhere:  # type: ignore[attr-defined]
                strays.append(help_)
        row.helps = strays


# The coverage matrix


@dataclass(frozen=True)
class Cell:
    """``helped`` of ``of`` households; ``step`` colours it, 0 (nobody) to 5."""

    desil: int
    helped: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.helped / self.of if self.of else 0

    @property
    def step(self) -> int:
        if not self.helped:
            return 0
        return next(n for n, limit in enumerate(STEPS, 1) if self.percent <= limit)


STEPS = (10, 25, 50, 75, 100)  # percent; upper limits of the colours
COLUMNS = (*range(1, DESILS), 0)  # desils in the order of a matrix, unknown last


@dataclass(frozen=True)
class MatrixRow:
    key: str  # a kind of help or the code of an area
    label: str
    cells: list[Cell]
    total: Cell


def matrix_row(arrays: Snapshot, code: str, kind: str, key: str, label: str) -> MatrixRow:
    """Return how many households of an area a kind of help reaches, by desil."""
    whole = arrays.sums(code, "households")
    helped = arrays.sums(code, measure("helped", kind))
    cells = [Cell(desil, helped[desil], whole[desil]) for desil in COLUMNS]
    return MatrixRow(key, label, cells, Cell(-1, sum(helped), sum(whole)))


def coverage(arrays: Snapshot, area: Area) -> list[MatrixRow]:
    """Return the coverage matrix of an area: a row for each kind of help, and one for any help."""
    labels = dict(HelpKind.choices)
    rows = [matrix_row(arrays, area.code, kind, kind, str(labels[kind])) for kind in COMPARED]
    return [matrix_row(arrays, area.code, "", "", str(_("Bantuan apa pun"))), *rows]


def coverage_by_area(arrays: Snapshot, area: Area, kind: str) -> list[MatrixRow]:
    """Return the coverage of one kind of help (or any) for the areas within ``area``."""
    children = Area.objects.filter(parent=area) if area.level != Level.VILLAGE else [area]
    return [
        matrix_row(arrays, child.code, kind, child.code, child.name)
        for child in children
        if arrays.covers(child.code)
    ]


# For first pages


@dataclass(frozen=True)
class Waiting:
    """Open cases that wait for a user, with most households first, and how many in all."""

    cases: list[OverlapCase]
    total: int


def waiting(user: Any, limit: int = 5) -> Waiting:
    """Return the open cases of the user's agency, or all for whoever settles them."""
    scope = scope_of(user, "overlaps.settle")
    found = OverlapCase.objects.filter(state=CaseState.OPEN)
    if scope is not Scope.ANY:
        if scope_of(user, "overlaps.comment") is None or user.agency_id is None:
            return Waiting([], 0)
        own = SubActivity.objects.filter(agency_id=user.agency_id)
        found = found.filter(sub_activities__in=own).distinct()
    found = found.prefetch_related(
        Prefetch("sub_activities", SubActivity.objects.select_related("agency"))
    )
    first = list(found[: limit + 1])
    return Waiting(first[:limit], found.count() if len(first) > limit else len(first))


@dataclass(frozen=True)
class Summary:
    """Overlap and gaps of a year in a few numbers."""

    year: int
    finished_at: dt.datetime | None
    open_cases: int
    settled_cases: int
    households: int = 0
    helped: int = 0
    doubled: int = 0
    outside: int = 0
    missed: int = 0  # of `poorest`
    poorest: int = 0


def summary(year: int) -> Summary:
    """Return the sums of a year for the whole regency. Two queries, no files."""
    reckoning = Reckoning.objects.filter(year=year).first()
    numbers = OverlapCase.objects.filter(year=year).aggregate(
        opened=Count("pk", filter=Q(state=CaseState.OPEN)),
        settled=Count("pk", filter=Q(state=CaseState.SETTLED)),
    )
    return Summary(
        year,
        reckoning.finished_at if reckoning else None,
        numbers["opened"],
        numbers["settled"],
        **(reckoning.totals if reckoning else {}),
    )
