"""Reading the registry: search that forgives spelling, and all that a household's page shows.

Nothing here counts or scans the registry: every query starts from an index and is bounded.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from rapidfuzz import fuzz

from guyub.access import wall
from guyub.access.permissions import Scope, scope_of
from guyub.areas.models import Area, Level
from guyub.datasets.models import Dataset, Freshness
from guyub.registry.models import (
    AreaCount,
    Channel,
    Household,
    Listing,
    Move,
    Origin,
    Person,
    SearchKey,
    SearchKeyVariant,
)
from guyub.registry.names import keys_of, variants_of, words_of

CANDIDATES = 200
# How many spellings one searched word may stand for.
ALTERNATIVES = 40


@dataclass(frozen=True)
class Filters:
    """What a list of households is narrowed to. Empty means no narrowing."""

    area: str = ""
    desil: tuple[int, ...] = ()
    dataset: str = ""
    freshness: str = ""
    status: str = "active"
    extreme: bool = False


@dataclass
class Found:
    """One line of a search's answer: a household, and the member who was looked for."""

    household: Household
    person: Person | None = None
    score: float = 0.0
    vouched_by: Dataset | None = None


@dataclass
class Answer:
    """What a search found. ``kind`` tells how the text was read; ``capped`` that there is more."""

    kind: str
    rows: list[Found] = field(default_factory=list)
    capped: bool = False


def villages_of(user: Any, area_code: str = "") -> list[int] | None:
    """Return the ids of the villages that ``user`` may see, within ``area_code``.

    ``None`` means all villages: no narrowing is needed.
    """
    codes = [code for code in (area_code,) if code]
    if scope_of(user, "registry.view") is Scope.OWN_AREA:
        codes.append(user.area_code or "-")
    if not codes:
        return None
    villages = Area.objects.filter(level=Level.VILLAGE)
    for code in codes:
        villages = villages.filter(Q(code=code) | Q(code__startswith=code + "."))
    return list(villages.values_list("id", flat=True))


def visible_to(user: Any) -> QuerySet[Household]:
    """Return the households that ``user`` may see."""
    households = Household.objects.select_related("village", "district")
    scope = scope_of(user, "registry.view")
    if scope is None:
        return households.none()
    villages = villages_of(user)
    return households if villages is None else households.filter(village_id__in=villages)


def _with_origin(households: QuerySet[Household]) -> QuerySet[Household]:
    return households.select_related("village", "district", "origin__dataset")


def narrowed(user: Any, filters: Filters) -> QuerySet[Household]:
    """Return the households that ``user`` may see and ``filters`` let through, unordered."""
    households = visible_to(user)
    if filters.area:
        area = Area.objects.filter(code=filters.area).first()
        if area is None:
            return households.none()
        if area.level == Level.VILLAGE:
            households = households.filter(village=area)
        elif area.level == Level.DISTRICT:
            households = households.filter(district=area)
    if filters.status:
        households = households.filter(status=filters.status)
    if filters.desil:
        households = households.filter(desil__in=filters.desil)
    if filters.extreme:
        households = households.filter(extreme_poor=True)
    if filters.dataset:
        chosen = Dataset.objects.filter(code=filters.dataset).select_related("current_version")
        households = households.filter(_on_list_of(list(chosen)))
    if filters.freshness:
        households = households.filter(_fresh(filters.freshness))
    return households


# Up to this many households, a list is read whole; beyond, each household is looked up in it.
SHORT_LIST = 50_000


def _on_list_of(datasets: list[Dataset]) -> Q:
    """Narrow to households that now stand on one of the lists of ``datasets``."""
    listed = Listing.objects.filter(dataset__in=[d.pk for d in datasets], dropped_version=None)
    size = sum(d.current_version.households for d in datasets if d.current_version is not None)
    if size <= SHORT_LIST:
        return Q(pk__in=listed.values("household_id"))
    return Q(Exists(listed.filter(household=OuterRef("pk"))))


def _fresh(freshness: str) -> Q:
    """Narrow to households whose freshest source is current, due or stale.

    A household is as fresh as the freshest list that has it; one entered by hand and on no list is
    current for a year.
    """
    lists: dict[str, list[Dataset]] = {state: [] for state in Freshness.values}
    for dataset in Dataset.objects.select_related("current_version"):
        lists[dataset.freshness].append(dataset)
    current, due = _on_list_of(lists[Freshness.CURRENT]), _on_list_of(lists[Freshness.DUE])
    by_hand = Q(
        origin__channel=Channel.MANUAL,
        origin__as_of__gt=timezone.localdate() - dt.timedelta(days=366),
    )
    if freshness == Freshness.CURRENT:
        return current | by_hand
    if freshness == Freshness.DUE:
        return due & ~current & ~by_hand
    return _on_list_of(lists[Freshness.STALE]) & ~due & ~current & ~by_hand


def confirmations(households: Iterable[Household]) -> dict[int, Dataset]:
    """Return for each household the dataset that vouches for it: the reference, else the newest.

    Values keep the origin they came with; this tells which list last had the household on it.
    """
    best: dict[int, Dataset] = {}
    listings = Listing.objects.filter(
        household__in=[h.pk for h in households], dropped_version=None
    ).select_related("dataset__current_version")

    def rank(dataset: Dataset) -> tuple[bool, dt.date]:
        version = dataset.current_version
        return (bool(version and version.is_reference), version.as_of if version else dt.date.min)

    for item in listings:
        held = best.get(item.household_id)
        if held is None or rank(item.dataset) > rank(held):
            best[item.household_id] = item.dataset
    return best


def listing(user: Any, filters: Filters, number: int, size: int) -> list[Household]:
    """Return one page of households (and one row more when there is a next page), poorest first.

    The order is that of the indexes, so that a page is read, not sorted.
    """
    order = ("desil", "id") if filters.status else ("id",)
    rows = _with_origin(narrowed(user, filters)).order_by(*order)
    start = (number - 1) * size
    return list(rows[start : start + size + 1])


def total(user: Any, filters: Filters) -> int | None:
    """Return how many households ``filters`` let through, where the counts kept per area can tell."""
    if filters.dataset or filters.freshness or filters.extreme or filters.status != "active":
        return None
    counts = AreaCount.objects.all()
    villages = villages_of(user, filters.area)
    if villages is not None:
        counts = counts.filter(village_id__in=villages)
    if filters.desil:
        counts = counts.filter(desil__in=filters.desil)
    return counts.aggregate(n=Sum("households"))["n"] or 0


# Search


def search(user: Any, text: str, filters: Filters) -> Answer:
    """Find households by NIK, KK number, name or address, whichever ``text`` looks like.

    Sixteen digits are a NIK or KK and must match exactly. Anything else is matched by spelling-
    tolerant keys, first on names, then on addresses, best match first, at most 200.
    """
    digits = re.sub(r"[\s.\-]", "", text)
    if re.fullmatch(r"\d{16}", digits):
        return _by_number(user, digits)
    if re.fullmatch(r"[\d\s.\-]{4,}", text.strip()):
        return Answer(kind="partial_number")
    if not keys_of(text):
        return Answer(kind="nothing")
    people = _by_name(user, text, filters)
    if people.rows and people.rows[0].score >= 60:
        return people
    addresses = _by_address(user, text, filters)
    return addresses if addresses.rows else people


def _by_number(user: Any, digits: str) -> Answer:
    visible = _with_origin(visible_to(user))
    # A merged record's number finds the one it stands for.
    person = Person.objects.filter(nik=digits).first()
    if person is not None and person.merged_into_id is not None:
        person = Person.objects.get(pk=person.merged_into_id)
    home = visible.filter(pk=person.household_id).first() if person else None
    if home is not None:
        return Answer("nik", [Found(home, person, 100)])
    known = Household.objects.filter(kk=digits).first()
    household = visible.filter(pk=known.merged_into_id or known.pk).first() if known else None
    if household is not None:
        return Answer("kk", [Found(household, None, 100)])
    return Answer("number_unknown")


def alternatives(word_key: str, last: bool) -> list[str]:
    """Return the keys in use that a searched key may stand for, the likeliest first.

    The key itself, keys one slip away, and for the last word keys that it begins.
    """
    exact = list(SearchKey.objects.filter(key=word_key).values_list("key", flat=True))
    prefixed: list[str] = []
    if last and len(word_key) >= 3:
        top = word_key[:-1] + chr(ord(word_key[-1]) + 1)
        prefixed = list(
            SearchKey.objects.filter(key__gt=word_key, key__lt=top)
            .order_by("key")
            .values_list("key", flat=True)[:ALTERNATIVES]
        )
    near = list(
        SearchKeyVariant.objects.filter(variant__in=variants_of(word_key))
        .values_list("key", flat=True)
        .distinct()[: ALTERNATIVES * 2]
    )
    near.sort(key=lambda key: -fuzz.ratio(key, word_key))
    return list(dict.fromkeys([*exact, *near, *prefixed]))[:ALTERNATIVES]


def _matching(
    table: str, owner: str, groups: Sequence[Sequence[str]], villages: list[int] | None
) -> list[int]:
    """Return ids of owners that have a key of every group, at most :data:`CANDIDATES` of them."""
    if villages == []:
        return []
    parameters: list[Any] = []

    def one(group: Sequence[str]) -> str:
        parameters.extend(group)
        where = f"key IN ({', '.join(['%s'] * len(group))})"
        if villages is not None:
            parameters.extend(villages)
            where += f" AND village_id IN ({', '.join(['%s'] * len(villages))})"
        return where

    first = one(groups[0])
    sql = f"SELECT a.{owner} FROM {table} a WHERE {first}"
    for group in groups[1:]:
        parameters.extend(group)
        marks = ", ".join(["%s"] * len(group))
        sql += (
            f" AND EXISTS (SELECT 1 FROM {table} b WHERE b.key IN ({marks}) "
            f"AND b.village_id = a.village_id AND b.{owner} = a.{owner})"
        )
    parameters.append(CANDIDATES)
    with connection.cursor() as cursor:
        cursor.execute(sql + " LIMIT %s", parameters)
        return list(dict.fromkeys(row[0] for row in cursor.fetchall()))


def _frequency(table: str, keys: Iterable[str]) -> int:
    """Tell roughly how common keys are, looking at no more than two thousand rows."""
    marks = list(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE key IN "
            f"({', '.join(['%s'] * len(marks))}) LIMIT 2000) x",
            marks,
        )
        return int(cursor.fetchone()[0])


def _search_keys(
    table: str, owner: str, text: str, villages: list[int] | None
) -> tuple[list[int], bool]:
    """Return matching ids, exact spellings first, then those that a slip away may mean."""
    keys = keys_of(text)
    exact = [[key] for key in keys]
    order = sorted(exact, key=lambda group: _frequency(table, group)) if len(exact) > 1 else exact
    ids = _matching(table, owner, order, villages)
    if len(ids) < 20:
        wide = [alternatives(key, i == len(keys) - 1) for i, key in enumerate(keys)]
        if all(wide):
            wide.sort(key=lambda group: _frequency(table, group))
            ids = list(dict.fromkeys([*ids, *_matching(table, owner, wide, villages)]))
    return ids[:CANDIDATES], len(ids) >= CANDIDATES


def _by_name(user: Any, text: str, filters: Filters) -> Answer:
    villages = villages_of(user, filters.area)
    ids, capped = _search_keys("registry_personkey", "person_id", text, villages)
    people = {p.pk: p for p in Person.objects.filter(pk__in=ids)}
    homes = {
        h.pk: h
        for h in _with_origin(narrowed(user, filters)).filter(
            pk__in={p.household_id for p in people.values()}
        )
    }
    wanted = " ".join(words_of(text))
    wanted_keys = " ".join(keys_of(text))
    rows = []
    for person in people.values():
        if person.household_id not in homes:
            continue
        score = max(
            fuzz.WRatio(wanted, person.name),
            fuzz.WRatio(wanted_keys, " ".join(keys_of(person.name))),
        )
        # Exact spelling before sound-alikes, whole names before parts.
        score += 5 if wanted == " ".join(words_of(person.name)) else 0
        rows.append(Found(homes[person.household_id], person, score))
    rows.sort(key=lambda row: (-row.score, row.person.name if row.person else ""))
    return Answer("name", rows, capped)


def _by_address(user: Any, text: str, filters: Filters) -> Answer:
    villages = villages_of(user, filters.area)
    ids, capped = _search_keys("registry_addresskey", "household_id", text, villages)
    homes = _with_origin(narrowed(user, filters)).filter(pk__in=ids)
    wanted = " ".join(words_of(text))
    rows = [
        Found(h, None, fuzz.WRatio(wanted, " ".join(words_of(f"{h.address} {h.hamlet}"))))
        for h in homes
    ]
    rows.sort(key=lambda row: (-row.score, row.household.head_name))
    return Answer("address", rows, capped)


# A household's page


def moves_of(home: Household) -> list[Move]:
    """Return the last ten departures and the last ten arrivals, to and from other areas too."""
    # The other household, and who left, are beyond an area operator's wall. That they went is not.
    with wall.everything():
        return [
            *home.departures.select_related("person")[:10],
            *home.arrivals.select_related("person")[:10],
        ]


def origins_of(records: Iterable[Any]) -> dict[int, Origin]:
    """Return every origin that the values of ``records`` come from, by id."""
    ids = {record.origin_id for record in records}
    for record in records:
        ids.update(int(origin) for origin in record.origins.values())
    origins = Origin.objects.select_related("dataset", "version", "entered_by")
    return {origin.pk: origin for origin in origins.filter(pk__in=ids)}


def datasets_in_use() -> list[Dataset]:
    """Return the datasets by which lists can be narrowed."""
    return list(Dataset.objects.exclude(current_version=None).order_by("name"))
