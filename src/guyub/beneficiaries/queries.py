"""Reading enrolments and deliveries: lists, sums per stage, and what waits for a user."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, Max, OuterRef, Q, QuerySet, Subquery, Sum, When

from guyub.access.permissions import Scope, can, scope_of
from guyub.areas.models import Area, Level
from guyub.beneficiaries.models import HELPED, Delivery, Enrolment, Stage
from guyub.beneficiaries.stages import GIVEN
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import Recipient
from guyub.registry.models import Household, Person
from guyub.registry.queries import Filters, search, villages_of
from guyub.registry.restriction import open_households, open_people
from guyub.registry.vocabulary import Relation, Status


@dataclass(frozen=True)
class Narrowing:
    """What a list of enrolments is narrowed to. Empty means no narrowing."""

    stage: str = ""
    area: str = ""  # Kemendagri code

    def as_json(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass
class StageCounts:
    """How many enrolments of a sub-activity are in each stage."""

    by_stage: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, stage: str) -> int:
        if stage not in Stage.values:
            # Templates try this before they look for an attribute.
            raise KeyError(stage)
        return self.by_stage.get(stage, 0)

    @property
    def total(self) -> int:
        return sum(self.by_stage.values())

    @property
    def helped(self) -> int:
        """Those that take a place of the quota: enrolled, receiving, finished, graduated."""
        return sum(self.by_stage.get(stage, 0) for stage in HELPED)

    @property
    def given(self) -> int:
        """Those that were given something and were not taken out."""
        return sum(self.by_stage.get(stage, 0) for stage in GIVEN)


def stage_counts(sub_activities: Iterable[SubActivity]) -> dict[int, StageCounts]:
    """Return the numbers per stage of each sub-activity, by id. One query, read from an index."""
    ids = [sub_activity.pk for sub_activity in sub_activities]
    found: dict[int, StageCounts] = {pk: StageCounts() for pk in ids}
    rows = (
        Enrolment.objects.filter(sub_activity__in=ids)
        .order_by()
        .values_list("sub_activity_id", "stage")
        .annotate(n=Count("*"))
    )
    for pk, stage, n in rows:
        found[pk].by_stage[stage] = n
    return found


def reached(sub_activity: SubActivity, start: dt.date, end: dt.date) -> tuple[int, int]:
    """Return how many recipients were given something from ``start`` to ``end``, and the rupiah.

    Both days count. A recipient of several deliveries counts once.
    """
    sums = Delivery.objects.filter(
        sub_activity=sub_activity, delivered_on__range=(start, end)
    ).aggregate(recipients=Count("enrolment", distinct=True), rupiah=Sum("amount"))
    return sums["recipients"] or 0, sums["rupiah"] or 0


def delivered(sub_activity: SubActivity) -> dict[str, Any]:
    """Return the number of deliveries, their rupiah and the day of the last one."""
    return Delivery.objects.filter(sub_activity=sub_activity).aggregate(
        times=Count("*"), rupiah=Sum("amount"), last=Max("delivered_on")
    )


# Lists


def in_area(enrolments: QuerySet[Enrolment], code: str) -> QuerySet[Enrolment]:
    """Narrow to the enrolments of households in the area ``code``."""
    area = Area.objects.filter(code=code).first()
    if area is None:
        return enrolments.none()
    if area.level == Level.VILLAGE:
        return enrolments.filter(household__village=area)
    if area.level == Level.DISTRICT:
        return enrolments.filter(household__district=area)
    return enrolments


def visible_to(user: Any) -> QuerySet[Enrolment]:
    """Return the enrolments that ``user`` may see by name."""
    scope = scope_of(user, "beneficiaries.view")
    if scope is None:
        return Enrolment.objects.none()
    enrolments = Enrolment.objects.all()
    return in_area(enrolments, user.area_code or "-") if scope is Scope.OWN_AREA else enrolments


def narrowed(sub_activity: SubActivity, user: Any, narrowing: Narrowing) -> QuerySet[Enrolment]:
    """Return the enrolments of a sub-activity that ``user`` may see and ``narrowing`` lets through."""
    rows = visible_to(user).filter(sub_activity=sub_activity)
    if narrowing.stage:
        rows = rows.filter(stage=narrowing.stage)
    if narrowing.area:
        rows = in_area(rows, narrowing.area)
    return rows


def handed(rows: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    """Leave out of ``rows``, which go to a file or another system, those whose data are restricted."""
    return open_people(open_households(rows, "household__"), "person__")


def _shown(rows: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    return rows.select_related("household__village", "household__district", "person").annotate(
        times=Count("deliveries"),
        rupiah=Sum("deliveries__amount"),
        last=Max("deliveries__delivered_on"),
    )


def page(rows: QuerySet[Enrolment], number: int, size: int) -> list[Enrolment]:
    """Return one page of enrolments with sums of what each was given, and one more if there is.

    Ids first: the order is an index's, so that a page is read, not sorted, and only its rows are
    joined.
    """
    start = (number - 1) * size
    # Within all stages at once the index is not in the order of ids, so that they would be sorted.
    ids = list(rows.order_by("stage", "id").values_list("id", flat=True)[start : start + size + 1])
    found = {row.pk: row for row in _shown(Enrolment.objects.filter(pk__in=ids))}
    return [found[pk] for pk in ids]


def shown(keys: list[int]) -> list[Enrolment]:
    """Return the enrolments of ``keys`` by id, with sums of what each was given."""
    return list(_shown(Enrolment.objects.filter(pk__in=keys)).order_by("id"))


SEARCHED = 50


def find(sub_activity: SubActivity, user: Any, text: str, narrowing: Narrowing) -> list[Enrolment]:
    """Find enrolments by name, NIK, KK number or address of the household, best match first.

    Spelling is forgiven as in the registry's search. A name so common that the search there stops
    early is looked up word for word instead. At most fifty.
    """
    rows = narrowed(sub_activity, user, narrowing)
    answer = search(user, text, Filters(area=narrowing.area, status=""))
    order = {row.household.pk: n for n, row in reversed(list(enumerate(answer.rows)))}
    if answer.capped:
        for word in text.split()[:4]:
            rows = rows.filter(
                Q(household__head_name__icontains=word) | Q(person__name__icontains=word)
            )
        ids = list(rows.order_by("stage", "id").values_list("id", flat=True)[:SEARCHED])
        return list(_shown(Enrolment.objects.filter(pk__in=ids)).order_by("household__head_name"))
    ids = list(rows.filter(household__in=list(order)).values_list("id", flat=True)[:SEARCHED])
    found = list(_shown(Enrolment.objects.filter(pk__in=ids)))
    return sorted(found, key=lambda row: (order.get(row.household_id, 0), row.pk))


def overview(user: Any, year: int | None, agency_id: int | None) -> QuerySet[SubActivity]:
    """Return the sub-activities that have recipients, newest year first."""
    rows = SubActivity.objects.select_related("agency").exclude(recipient=Recipient.COMMUNITY)
    if year:
        rows = rows.filter(year=year)
    if agency_id:
        rows = rows.filter(agency_id=agency_id)
    return rows.filter(is_cancelled=False).order_by("-year", "agency__name", "code", "name", "pk")


def years() -> list[int]:
    """Return the budget years that have sub-activities, newest first."""
    return list(SubActivity.objects.order_by("-year").values_list("year", flat=True).distinct())


def of_household(household: Household) -> list[Enrolment]:
    """Return what a household and its members are in, newest first, with what each was given."""
    return list(
        Enrolment.objects.filter(household=household)
        .select_related("sub_activity", "agency", "person")
        .annotate(
            times=Count("deliveries"),
            rupiah=Sum("deliveries__amount"),
            last=Max("deliveries__delivered_on"),
        )
        .order_by("-year", "-stage_since", "-id")[:50]
    )


# At the door


def candidates(user: Any) -> QuerySet[Enrolment]:
    """Return the candidates that ``user`` may verify, of sub-activities that go on."""
    scope = scope_of(user, "beneficiaries.verify")
    rows = Enrolment.objects.filter(stage=Stage.CANDIDATE, sub_activity__is_cancelled=False)
    if scope is None:
        return rows.none()
    if scope is Scope.OWN_AGENCY:
        return rows.filter(agency_id=user.agency_id)
    if scope is Scope.OWN_AREA:
        villages = villages_of(user) or []
        # From the area's households: far fewer than all candidates. Said twice, since PostgreSQL, when it is
        # to sort by address, would else begin with the households of the whole regency.
        homes = Household.objects.filter(village_id__in=villages)
        return rows.filter(household_id__in=homes.values("id"), household__village_id__in=villages)
    return rows


def walk(rows: QuerySet[Enrolment], number: int, size: int, by_address: bool) -> list[Enrolment]:
    """Return one page of candidates as one would walk from door to door, and one more if there is."""
    start = (number - 1) * size
    order: Sequence[str] = ("id",)
    if by_address:
        order = (
            "household__village_id", "household__hamlet", "household__rw", "household__rt",
            "household__address", "household_id", "id",
        )  # fmt: skip
    ids = list(rows.order_by(*order).values_list("id", flat=True)[start : start + size + 1])
    found = {
        row.pk: row
        for row in Enrolment.objects.filter(pk__in=ids)
        .select_related(
            "household__village", "household__district", "person", "sub_activity__agency"
        )
        .prefetch_related("household__members")
    }
    return [found[pk] for pk in ids]


def sub_activities_to_verify(rows: QuerySet[Enrolment]) -> list[dict[str, Any]]:
    """Return the sub-activities that have candidates among ``rows``, with how many."""
    counted = (
        rows.order_by()
        .values_list("sub_activity_id", "sub_activity__name")
        .annotate(n=Count("*"))
        .order_by("sub_activity__name")
    )
    return [{"pk": pk, "name": name, "n": n} for pk, name, n in counted]


@dataclass(frozen=True)
class Waiting:
    """What waits for a user: candidates to verify, and verified ones to enrol."""

    to_verify: int = 0
    to_enrol: int = 0


def waiting(user: Any) -> Waiting:
    """Count the candidates in the user's area or agency, and the verified that the agency may enrol."""
    to_verify = candidates(user).count() if can(user, "beneficiaries.verify") else 0
    to_enrol = 0
    scope = scope_of(user, "beneficiaries.edit")
    if scope is not None:
        rows = Enrolment.objects.filter(stage=Stage.VERIFIED, sub_activity__is_cancelled=False)
        if scope is Scope.OWN_AGENCY:
            # By sub-activity, which is how the index runs.
            own = SubActivity.objects.filter(agency_id=user.agency_id, is_cancelled=False)
            rows = rows.filter(sub_activity__in=list(own.values_list("pk", flat=True)))
        to_enrol = rows.count()
    return Waiting(to_verify, to_enrol)


def members_by_household(enrolments: Iterable[Enrolment]) -> dict[int, list[Any]]:
    """Return the active members of the households of ``enrolments``, the head first."""
    found: dict[int, list[Any]] = defaultdict(list)
    for enrolment in enrolments:
        members = [m for m in enrolment.household.members.all() if m.status == "active"]
        members.sort(key=lambda m: (m.relation != "head", m.pk))
        found[enrolment.household_id] = members
    return found


def for_export(rows: QuerySet[Enrolment]) -> Iterable[Any]:
    """Return enrolments with all that a file says of them, as a stream: ``head_nik`` among it."""
    head = (
        Person.objects.filter(household=OuterRef("household"), status=Status.ACTIVE)
        # The head is whoever is one, else the member first recorded.
        .order_by(Case(When(relation=Relation.HEAD, then=0), default=1), "id")
        .values("nik")[:1]
    )
    return (
        _shown(rows)
        .annotate(head_nik=Subquery(head))
        .order_by("stage", "id")
        .iterator(chunk_size=2000)
    )


HOUSE = ("floor", "wall", "roof", "sanitation", "water", "electricity", "ownership")


def house_facts(household: Household) -> list[tuple[str, str]]:
    """Return what is known of a house, in words: what to compare with what one sees."""
    facts = []
    for name in HOUSE:
        value = getattr(household, f"get_{name}_display")()
        if value:
            field: Any = Household._meta.get_field(name)
            facts.append((str(field.verbose_name), str(value)))
    return facts
