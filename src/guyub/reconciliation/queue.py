"""Reading differences: the queue, what a rule would change, and the lists of what to mend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from guyub.access.permissions import Scope, scope_of
from guyub.areas.models import Area, Level
from guyub.datasets.models import Dataset
from guyub.reconciliation.models import (
    WAITING,
    Detection,
    Difference,
    DifferenceState,
    Side,
)
from guyub.reconciliation.sources import (
    ATTRIBUTES,
    REASONS,
    Rule,
    Source,
    decide,
    reference_dataset,
)
from guyub.registry.models import Household, Person, SubjectKind
from guyub.registry.restriction import LEFT_OUT_PEOPLE, open_households
from guyub.registry.wording import in_words

# Beyond this a list says that there are more instead of counting them.
COUNTED = 10_000


@dataclass(frozen=True)
class Narrowing:
    """What the queue is narrowed to; empty means no narrowing."""

    state: str = DifferenceState.OPEN
    attribute: str = ""
    area: str = ""
    dataset: str = ""
    other: str = ""  # the list that the registry's value came from; "manual" is by hand
    suggested: str = ""


def attributes() -> list[tuple[str, str]]:
    """Return what sources may differ about, as (column, label)."""
    return [(name, label_of(name)) for name in ATTRIBUTES]


def label_of(attribute: str) -> str:
    """Return what users call a column of the flat form."""
    if attribute in ("person_status", "household_status"):
        model: Any = Person if attribute == "person_status" else Household
        return f"{model._meta.get_field('status').verbose_name} ({model._meta.verbose_name})"
    model = Person if attribute in {f.name for f in Person._meta.get_fields()} else Household
    name = str(model._meta.get_field(attribute).verbose_name)
    return name[:1].upper() + name[1:]


def visible_to(user: Any) -> QuerySet[Difference]:
    """Return the differences that ``user`` may see."""
    rows = Difference.objects.all()
    scope = scope_of(user, "reconciliation.view")
    if scope is None:
        return rows.none()
    return rows.filter(**_within(user.area_code or "-")) if scope is Scope.OWN_AREA else rows


def _within(code: str) -> dict[str, Any]:
    """Narrow to an area by its code."""
    area = Area.objects.filter(code=code).first()
    if area is None:
        return {"pk": 0}
    if area.level == Level.VILLAGE:
        return {"village": area}
    return {"district": area} if area.level == Level.DISTRICT else {}


def narrowed(user: Any, wish: Narrowing) -> QuerySet[Difference]:
    """Return the differences that ``user`` may see and ``wish`` lets through, in order of place."""
    rows = visible_to(user)
    if wish.state:
        rows = rows.filter(state=wish.state)
    if wish.attribute:
        rows = rows.filter(field=wish.attribute)
    if wish.area:
        rows = rows.filter(**_within(wish.area))
    if wish.dataset:
        rows = rows.filter(dataset__in=list(Dataset.objects.filter(code=wish.dataset)))
    if wish.other == "manual":
        rows = rows.filter(our_dataset=None)
    elif wish.other:
        rows = rows.filter(our_dataset__in=list(Dataset.objects.filter(code=wish.other)))
    if wish.suggested:
        rows = rows.filter(suggested="" if wish.suggested == "ask" else wish.suggested)
    return rows.order_by("id")


def handed(rows: QuerySet[Difference]) -> QuerySet[Difference]:
    """Leave out of ``rows``, which go to a file or another system, those whose data are restricted."""
    return open_households(rows, "household__").exclude(
        kind=SubjectKind.PERSON, subject_id__in=LEFT_OUT_PEOPLE
    )


def counted(rows: QuerySet[Difference]) -> tuple[int, bool]:
    """Return how many there are, up to :data:`COUNTED`, and whether there are more."""
    n = len(rows.values_list("pk")[: COUNTED + 1])
    return min(n, COUNTED), n > COUNTED


def page(rows: QuerySet[Difference], start: int, size: int) -> list[Difference]:
    """Return differences with all that a line shows. Two queries."""
    found = list(
        rows.select_related(
            "household__village", "household__district", "dataset", "our_origin__dataset",
            "our_origin__entered_by", "settled_by", "village",
        )[start : start + size]
    )  # fmt: skip
    return described(found)


def described(found: list[Difference]) -> list[Difference]:
    """Give differences their words: ``label``, ``shown_ours``, ``shown_theirs``, ``who``, ``why_text``."""
    names = dict(
        Person.objects.filter(
            pk__in=[one.subject_id for one in found if one.kind == SubjectKind.PERSON]
        ).values_list("pk", "name")
    )
    codes = [text for one in found if one.field == "village" for text in (one.ours, one.theirs)]
    villages = (
        dict(Area.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
    )
    for one in found:
        extra: Any = one
        extra.label = label_of(one.field)
        extra.shown_ours = villages.get(one.ours) or in_words(one.field, one.ours)
        extra.shown_theirs = villages.get(one.theirs) or in_words(one.field, one.theirs)
        extra.who = names.get(one.subject_id, "") if one.kind == SubjectKind.PERSON else ""
        extra.why_text = REASONS.get(one.why, "")
    return found


def weighed(attribute: str, rule: Rule) -> Iterator[tuple[dict[str, Any], tuple[str, str], int]]:
    """Yield what a rule says of the waiting differences of an attribute, by their sources and dates.

    Each is (what the group has in common, (winner, reason), how many).
    """
    reference = reference_dataset()
    names = ("our_dataset", "our_as_of", "dataset", "their_as_of")
    groups = (
        Difference.objects.filter(field=attribute, state__in=WAITING)
        .order_by()
        .values(*names)
        .annotate(n=Count("pk"))
    )
    for group in list(groups):
        count = group.pop("n")
        ours = Source(group["our_dataset"], group["our_as_of"])
        theirs = Source(group["dataset"], group["their_as_of"])
        yield group, decide(rule, reference, ours, theirs), count


def effect(attribute: str, rule: Rule) -> dict[str, int]:
    """Return what settling by a rule would do: values changed, values kept, and left to people."""
    sums = {Side.THEIRS.value: 0, Side.OURS.value: 0, "": 0}
    for _group, (winner, _why), count in weighed(attribute, rule):
        sums[str(winner)] += count
    return {"changed": sums["theirs"], "kept": sums["ours"], "asked": sums[""]}


def waiting_by_attribute() -> dict[str, int]:
    """Return how many differences wait, by attribute."""
    rows = Difference.objects.filter(state__in=WAITING).order_by().values("field")
    return {row["field"]: row["n"] for row in rows.annotate(n=Count("pk"))}


def of_household(home: Household) -> list[Difference]:
    """Return what waits about a household and its members, at most twenty."""
    rows = Difference.objects.filter(household=home, state__in=WAITING).order_by("id")
    return page(rows, 0, 20)


def to_mend(dataset: Dataset) -> QuerySet[Difference]:
    """Return what a dataset's list has to mend: settled, and the list's value did not win."""
    return Difference.objects.filter(
        dataset=dataset, state=DifferenceState.SETTLED, winner=Side.OURS
    ).order_by("id")


def mending(datasets: Iterable[Dataset]) -> dict[int, int]:
    """Return how much each dataset has to mend."""
    rows = Difference.objects.filter(
        dataset__in=list(datasets), state=DifferenceState.SETTLED, winner=Side.OURS
    )
    counts = rows.order_by().values("dataset").annotate(n=Count("pk"))
    return {row["dataset"]: row["n"] for row in counts}


def newest_detection() -> Detection | None:
    return Detection.objects.first()
