"""Reading programs: lists and their totals, the tree of one, and what hangs on a sub-activity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from guyub.areas.models import Area, Level
from guyub.programs.models import Activity, Funding, Mission, Program, SubActivity
from guyub.programs.vocabulary import FundingSource

MAX_WORDS = 8


def without_code(path: str = "") -> models.ExpressionWrapper:
    """Return what orders a list so that whatever has no code comes last."""
    return models.ExpressionWrapper(Q(**{f"{path}code": ""}), output_field=models.BooleanField())


ORDER = ("-year", without_code(), "code", "name", "agency__name")


@dataclass(frozen=True)
class Narrowing:
    """What a list of programs is narrowed to. Empty means no narrowing."""

    year: int | None = None
    agency: str = ""  # code
    strategy: str = ""
    help_kind: str = ""
    source: str = ""  # of money
    text: str = ""

    @property
    def by_sub_activity(self) -> bool:
        """Whether it asks for something that only sub-activities have."""
        return bool(self.strategy or self.help_kind or self.source)

    @property
    def words(self) -> list[str]:
        return self.text.split()[:MAX_WORDS]


def years() -> list[int]:
    """Return the budget years that have programs, newest first."""
    return list(Program.objects.order_by("-year").values_list("year", flat=True).distinct())


def _has_word(word: str, prefix: str = "") -> Q:
    found = Q()
    for name in ("name", "description"):
        found |= Q(**{f"{prefix}{name}__icontains": word})
    return found | Q(**{f"{prefix}code__istartswith": word})


def sub_activities(narrowing: Narrowing) -> QuerySet[SubActivity]:
    """Return sub-activities that fit, cancelled ones too, by agency and code.

    Every word must stand in the sub-activity, its activity, its program or its agency's name.
    """
    rows = SubActivity.objects.select_related("agency", "activity__program").order_by(*ORDER)
    if narrowing.year is not None:
        rows = rows.filter(year=narrowing.year)
    if narrowing.agency:
        rows = rows.filter(agency__code=narrowing.agency)
    if narrowing.strategy:
        rows = rows.filter(strategy=narrowing.strategy)
    if narrowing.help_kind:
        rows = rows.filter(help_kind=narrowing.help_kind)
    if narrowing.source:
        rows = rows.filter(
            Exists(Funding.objects.filter(sub_activity=OuterRef("pk"), source=narrowing.source))
        )
    for word in narrowing.words:
        rows = rows.filter(
            _has_word(word)
            | Q(activity__name__icontains=word)
            | _has_word(word, "activity__program__")
            | Q(agency__name__icontains=word)
            | Q(agency__short_name__icontains=word)
        )
    return rows


def programs(narrowing: Narrowing) -> QuerySet[Program]:
    """Return programs that fit, with their agencies.

    A program fits when a sub-activity of it does, or, where nothing is asked that only sub-activities
    have, when the words stand in the program itself.
    """
    rows = Program.objects.select_related("agency").order_by(*ORDER)
    if narrowing.year is not None:
        rows = rows.filter(year=narrowing.year)
    if narrowing.agency:
        rows = rows.filter(agency__code=narrowing.agency)
    if not narrowing.by_sub_activity and not narrowing.words:
        return rows
    inside = Exists(sub_activities(narrowing).filter(activity__program=OuterRef("pk")).order_by())
    if narrowing.by_sub_activity:
        return rows.filter(inside)
    itself = Q()
    for word in narrowing.words:
        itself &= (
            _has_word(word)
            | Q(agency__name__icontains=word)
            | Q(agency__short_name__icontains=word)
        )
    return rows.filter(itself | Q(inside))


@dataclass
class Totals:
    """Sums over sub-activities that are not cancelled. Amounts are rupiah."""

    sub_activities: int = 0
    budget: int = 0
    by_strategy: dict[str, int] = field(default_factory=dict)
    by_source: dict[str, int] = field(default_factory=dict)


def totals(narrowing: Narrowing) -> Totals:
    """Return the sums of what fits; with a source of money asked for, of that money alone.

    Two queries.
    """
    rows = sub_activities(narrowing).filter(is_cancelled=False).order_by()
    fundings = Funding.objects.filter(sub_activity__in=rows.values("pk"))
    if narrowing.source:
        fundings = fundings.filter(source=narrowing.source)
    found = Totals(sub_activities=rows.count())
    for strategy, source, amount in (
        fundings.order_by()
        .values_list("sub_activity__strategy", "source")
        .annotate(total=Sum("amount"))
    ):
        found.budget += amount
        found.by_strategy[strategy] = found.by_strategy.get(strategy, 0) + amount
        found.by_source[source] = found.by_source.get(source, 0) + amount
    return found


@dataclass(frozen=True)
class Size:
    """How much of a program fits what was asked."""

    sub_activities: int
    budget: int


def sizes(programs: Iterable[Program], narrowing: Narrowing) -> dict[int, Size]:
    """Return the size of each of ``programs`` within ``narrowing``, by id. Two queries."""
    ids = [program.pk for program in programs]
    # The words found the program; within it they leave nothing out.
    wanted = Narrowing(
        strategy=narrowing.strategy, help_kind=narrowing.help_kind, source=narrowing.source
    )
    rows = (
        sub_activities(wanted)
        .filter(activity__program__in=ids, is_cancelled=False)
        .order_by()
        .select_related(None)
    )
    # By number, not as a query within the next: PostgreSQL may plan that one badly by far.
    program_of = dict(rows.values_list("pk", "activity__program_id"))
    counts = Counter(program_of.values())
    fundings = Funding.objects.filter(sub_activity__in=list(program_of))
    if narrowing.source:
        fundings = fundings.filter(source=narrowing.source)
    budgets: Counter[int] = Counter()
    totals = fundings.order_by().values_list("sub_activity_id").annotate(total=Sum("amount"))
    for sub_activity, total in totals:
        budgets[program_of[sub_activity]] += total
    return {pk: Size(counts[pk], budgets[pk]) for pk in ids}


def with_budget(rows: QuerySet[SubActivity]) -> QuerySet[SubActivity]:
    """Return sub-activities with ``budget``, the sum of their money in rupiah."""
    return rows.annotate(
        budget=Coalesce(Sum("fundings__amount"), 0, output_field=models.BigIntegerField())
    )


@dataclass
class Branch:
    """An activity in the tree of a program, with its sub-activities."""

    activity: Activity
    sub_activities: list[Any]

    @property
    def budget(self) -> int:
        return sum(row.budget for row in self.sub_activities if not row.is_cancelled)


@dataclass
class Tree:
    """A program with all its activities and sub-activities."""

    branches: list[Branch]
    by_source: list[tuple[str, int]]  # label, rupiah

    @property
    def budget(self) -> int:
        return sum(branch.budget for branch in self.branches)

    @property
    def sub_activities(self) -> int:
        return sum(len(branch.sub_activities) for branch in self.branches)


def tree(program: Program) -> Tree:
    """Return the whole tree of a program. Three queries."""
    activities = program.activities.prefetch_related(  # type: ignore[attr-defined]
        Prefetch(
            "sub_activities",
            queryset=with_budget(SubActivity.objects.order_by("code", "name")),
        )
    )
    branches = [Branch(activity, list(activity.sub_activities.all())) for activity in activities]
    sums = dict(
        Funding.objects.filter(
            sub_activity__activity__program=program, sub_activity__is_cancelled=False
        )
        .order_by()
        .values_list("source")
        .annotate(total=Sum("amount"))
    )
    return Tree(branches, by_source(sums))


def by_source(sums: dict[str, int]) -> list[tuple[str, int]]:
    """Return amounts with the names of their sources, in the order of the vocabulary."""
    return [(str(s.label), sums[s.value]) for s in FundingSource if sums.get(s.value)]


@dataclass(frozen=True)
class Place:
    """A district where a sub-activity works: all of it, or the villages named."""

    district: Area
    villages: tuple[Area, ...] = ()


def places(sub_activity: SubActivity) -> list[Place]:
    """Return where a sub-activity works, by district; nothing means the whole regency. One query."""
    whole: list[Place] = []
    parts: dict[int, list[Area]] = {}
    districts: dict[int, Area] = {}
    for area in sub_activity.areas.select_related("parent").order_by("code"):
        if area.level == Level.DISTRICT:
            whole.append(Place(area))
        elif area.parent is not None:
            districts[area.parent.pk] = area.parent
            parts.setdefault(area.parent.pk, []).append(area)
    partly = [Place(districts[pk], tuple(villages)) for pk, villages in parts.items()]
    return sorted([*whole, *partly], key=lambda place: place.district.code)


def dependents(records: QuerySet[SubActivity]) -> list[str]:
    """Return what hangs on these sub-activities, as names of kinds of records.

    Their money and areas are parts of them and do not count. One query a kind.
    """
    found = []
    for relation in SubActivity._meta.related_objects:
        if relation.related_model is Funding:
            continue
        manager = relation.related_model._base_manager
        if manager.filter(**{f"{relation.field.name}__in": records}).exists():
            found.append(str(relation.related_model._meta.verbose_name))
    return sorted(set(found))


def is_fixed(sub_activity: SubActivity) -> bool:
    """Tell whether others keep records that repeat what it gives and to whom."""
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: sub_activity}).exists()
        for relation in SubActivity._meta.related_objects
        if getattr(relation, "on_delete", None) is models.PROTECT
    )


def missions_for(year: int) -> QuerySet[Mission]:
    """Return the missions of the plan that covers budget ``year``."""
    return Mission.objects.filter(first_year__lte=year, last_year__gte=year)


def missions_with_sums() -> QuerySet[Mission]:
    """Return missions, newest plan first, with ``program_count`` and ``budget`` (rupiah) of all years."""
    budgets = (
        Funding.objects.filter(
            sub_activity__activity__program__mission=OuterRef("pk"),
            sub_activity__is_cancelled=False,
        )
        .order_by()
        .values("sub_activity__activity__program__mission")
        .annotate(total=Sum("amount"))
        .values("total")
    )
    return Mission.objects.annotate(
        program_count=Count("programs"),
        budget=Coalesce(Subquery(budgets), 0, output_field=models.BigIntegerField()),
    ).order_by("-first_year", "number")


def same_elsewhere(program: Program) -> QuerySet[Program]:
    """Return the same program of the same year run by other agencies, known by its code."""
    if not program.code:
        return Program.objects.none()
    return (
        Program.objects.filter(code=program.code, year=program.year)
        .exclude(agency_id=program.agency_id)
        .select_related("agency")
        .order_by("agency__name")
    )


def other_years(program: Program) -> QuerySet[Program]:
    """Return the agency's program of the same name or code in other years, newest first."""
    same = Q(name__iexact=program.name)
    if program.code:
        same |= Q(code=program.code)
    return (
        Program.objects.filter(same, agency_id=program.agency_id)
        .exclude(year=program.year)
        .order_by("-year")
    )
