"""Reading a search of the social registry standard, and answering it with records of the registry.

Queries come as ``idtype-value``, ``predicate`` or ``expression``; records go out as *Group* and
*Member* with the field names of the standard's JSON-LD.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from guyub.access.permissions import can
from guyub.audit import services as audit
from guyub.connections.models import Partner
from guyub.registry import queries as registry
from guyub.registry import restriction
from guyub.registry import services as registry_services
from guyub.registry.models import Household, Person

MOST_RECORDS = 10_000
MOST_A_PAGE = 100
USUAL_PAGE = 20
DEEPEST = 5
SHORTEST_PURPOSE = 10

CRITERIA, SORT = "rjct.search_criteria.invalid", "rjct.sort.invalid"
PAGINATION, TOO_MANY = "rjct.pagination.invalid", "rjct.search.too_many_records_found"

PERSON_IDS = frozenset({"NIK", "NATIONALID", "NATIONAL_ID", "UIN"})
HOUSEHOLD_IDS = frozenset({"KK", "FAMILYCARD", "HOUSEHOLDID", "HOUSEHOLD_ID"})
# Attributes that may be asked for, and the field that each stands for. ``poverty_score`` is the desil.
NUMBERS = {"desil": "desil", "poverty_score": "desil", "group_size": "member_count"}
AREAS = frozenset({"area_code", "location", "village", "district"})
OPERATORS = {"eq": "", "gt": "__gt", "lt": "__lt", "ge": "__gte", "le": "__lte", "in": "__in"}
CONTEXT = {
    "spdci": "https://schema.spdci.org/extensions/social/v1/",
    "common": "https://schema.spdci.org/common/v1/",
}


class RejectedError(Exception):
    """A search can't be answered; ``code`` is the standard's reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Wanted:
    """A search, read."""

    condition: Q
    entity: str
    page: int
    size: int
    order: list[str]
    purpose: str
    # Attributes asked by, for the log; never their values.
    asked_by: list[str]
    nik: str = ""


def read(criteria: Any) -> Wanted:
    """Read ``search_criteria``.

    Raises:
        RejectedError: it is not understood.
    """
    if not isinstance(criteria, dict):
        raise RejectedError(CRITERIA, "search_criteria is missing")
    kind, query = criteria.get("query_type"), criteria.get("query")
    asked: list[str] = []
    nik = ""
    if kind == "idtype-value":
        condition, nik = _by_identifier(query, asked)
    elif kind == "predicate":
        condition = _by_predicates(query, asked)
    elif kind == "expression":
        condition = _by_expression(query, asked)
    else:
        raise RejectedError(CRITERIA, "query_type must be idtype-value, predicate or expression")
    entity = criteria.get("response_entity", "Group")
    if entity not in ("Group", "Member"):
        raise RejectedError(CRITERIA, "response_entity must be Group or Member")
    page, size = _pages(criteria.get("pagination"))
    return Wanted(
        condition, entity, page, size, _order(criteria.get("sort")), _purpose(criteria), asked, nik
    )


def _by_identifier(query: Any, asked: list[str]) -> tuple[Q, str]:
    if not isinstance(query, dict):
        raise RejectedError(CRITERIA, "query must hold type and value")
    kind, value = str(query.get("type", "")).upper().replace("-", ""), query.get("value")
    number = str(value) if isinstance(value, (str, int)) else ""
    if not (len(number) == 16 and number.isascii() and number.isdigit()):
        raise RejectedError(CRITERIA, "value must be a number of 16 digits")
    if kind in PERSON_IDS:
        asked.append("NIK")
        person = restriction.open_people(Person.objects.filter(nik=number)).first()
        return Q(pk=person.household_id if person is not None else 0), number
    if kind in HOUSEHOLD_IDS:
        asked.append("KK")
        return Q(kk=number), ""
    raise RejectedError(CRITERIA, "type must be NIK or KK")


def _compared(name: Any, how: Any, value: Any, asked: list[str]) -> Q:
    """Return the condition that attribute ``name`` stands in relation ``how`` to ``value``."""
    if how not in OPERATORS or not isinstance(name, str):
        raise RejectedError(CRITERIA, "operator must be eq, gt, lt, ge, le or in")
    values = value if isinstance(value, list) else [value]
    if (how == "in") != isinstance(value, list) or not 0 < len(values) <= 100:
        raise RejectedError(CRITERIA, f"{name}: a list goes with `in`, a single value with others")
    asked.append(name)
    if name in NUMBERS:
        numbers = [_number(name, one) for one in values]
        return Q(**{NUMBERS[name] + OPERATORS[how]: numbers if how == "in" else numbers[0]})
    if name in AREAS:
        if how not in ("eq", "in") or not all(isinstance(one, str) for one in values):
            raise RejectedError(CRITERIA, f"{name}: give Kemendagri codes with eq or in")
        return reduce(
            operator.or_, (Q(village__code=one) | Q(district__code=one) for one in values)
        )
    if name == "extreme_poor" and how == "eq":
        return Q(extreme_poor=value in (True, "true", "True", 1))
    raise RejectedError(CRITERIA, f"{name}: this attribute cannot be searched by")


def _number(name: str, value: Any) -> int:
    try:
        number = int(float(value)) if not isinstance(value, (dict, list)) else None
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or abs(number) > 1_000_000:
        raise RejectedError(CRITERIA, f"{name}: give a number")
    return number


def _by_predicates(query: Any, asked: list[str]) -> Q:
    if not isinstance(query, list) or not 0 < len(query) <= 10:
        raise RejectedError(CRITERIA, "query must be a list of predicates")
    whole = Q()
    for predicate in query:
        if not isinstance(predicate, dict):
            raise RejectedError(CRITERIA, "a predicate must be an object")
        found = _by_expression1(predicate.get("expression1"), asked)
        condition = predicate.get("condition")
        if condition is not None:
            second = _by_expression1(predicate.get("expression2"), asked)
            if condition not in ("and", "or", "not"):
                raise RejectedError(CRITERIA, "condition must be and, or, not")
            found = {"and": found & second, "or": found | second, "not": found & ~second}[condition]
        whole &= found
    return whole


def _by_expression1(part: Any, asked: list[str]) -> Q:
    if not isinstance(part, dict):
        raise RejectedError(CRITERIA, "an expression must be an object")
    return _compared(
        part.get("attribute_name"), part.get("operator"), part.get("attribute_value"), asked
    )


def _by_expression(query: Any, asked: list[str]) -> Q:
    for name in ("value", "expression", "query"):
        if not isinstance(query, dict) or name not in query:
            raise RejectedError(CRITERIA, f"query lacks {name}")
        query = query[name]
    return _expressed(query, asked, 0)


def _expressed(query: Any, asked: list[str], depth: int) -> Q:
    if not isinstance(query, dict) or not query or depth > DEEPEST or len(asked) > 20:
        raise RejectedError(CRITERIA, "the expression is not understood, or too deep")
    whole = Q()
    for name, inner in query.items():
        if name in ("$and", "$or"):
            if not isinstance(inner, list) or not inner:
                raise RejectedError(CRITERIA, f"{name} needs a list")
            parts = [_expressed(part, asked, depth + 1) for part in inner]
            whole &= reduce(operator.and_ if name == "$and" else operator.or_, parts)
        elif isinstance(inner, dict):
            for how, value in inner.items():
                plain = {"$gte": "ge", "$lte": "le"}.get(how, how.removeprefix("$"))
                whole &= _compared(name, plain, value, asked)
        else:
            whole &= _compared(name, "eq", inner, asked)
    return whole


def _pages(pagination: Any) -> tuple[int, int]:
    if pagination is None:
        return 1, USUAL_PAGE
    size = pagination.get("page_size") if isinstance(pagination, dict) else None
    page = pagination.get("page_number", 1) if isinstance(pagination, dict) else None
    for number, most in ((size, MOST_A_PAGE), (page, MOST_RECORDS)):
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
            raise RejectedError(PAGINATION, f"page_size 1 to {MOST_A_PAGE}, page_number from 1")
    assert isinstance(page, int) and isinstance(size, int)  # noqa: PT018
    return page, size


def _order(sort: Any) -> list[str]:
    order = []
    for part in sort if isinstance(sort, list) else [] if sort is None else [sort]:
        name = part.get("attribute_name") if isinstance(part, dict) else None
        if name not in NUMBERS:
            raise RejectedError(SORT, "sort by desil, poverty_score or group_size")
        order.append(("-" if part.get("sort_order") == "desc" else "") + NUMBERS[name])
    return [*order, "pk"]


def _purpose(criteria: dict[str, Any]) -> str:
    """Return what the search is for, as said in ``authorize`` or ``consent``."""
    for name in ("authorize", "consent"):
        said = criteria.get(name)
        purpose = said.get("purpose") if isinstance(said, dict) else None
        if isinstance(purpose, dict):
            text = f"{purpose.get('text') or ''} {purpose.get('code') or ''}".strip()
            if text:
                return text[:500]
    return ""


# Answering


def answer(criteria: Any, *, partner: Partner, user: Any, reference: str) -> dict[str, Any]:
    """Return the ``data`` and ``pagination`` of one search, and write it into the audit log.

    NIK and KK are in full only where the token may unmask and the search says what for; each
    household so shown is logged.

    Raises:
        RejectedError: the search is not understood, or finds too many.
    """
    wanted = read(criteria)
    known = registry.narrowed(user, registry.Filters(status="active"))
    rows = restriction.open_households(known).filter(wanted.condition)
    count = rows.order_by().values("pk")[: MOST_RECORDS + 1].count()
    if count > MOST_RECORDS:
        raise RejectedError(TOO_MANY, f"more than {MOST_RECORDS} records; narrow the search")
    start = (wanted.page - 1) * wanted.size
    page = list(_with_people(rows).order_by(*wanted.order)[start : start + wanted.size])
    in_full = len(wanted.purpose) >= SHORTEST_PURPOSE and can(user, "registry.reveal")
    audit.record(
        "connections.partner.search",
        actor=user,
        subject=partner,
        reason=wanted.purpose,
        detail={"reference": reference, "by": sorted(set(wanted.asked_by)), "found": count,
                "shown": len(page), "in_full": in_full},
    )  # fmt: skip
    if in_full:
        for home in page:
            registry_services.reveal(home, reason=wanted.purpose, actor=user)
    records = []
    for home in page:
        members = list(home.members.all())
        if wanted.entity == "Member":
            chosen = [one for one in members if wanted.nik in ("", one.nik)]
            records += [{"@context": CONTEXT, **_member(one, in_full)} for one in chosen]
        else:
            records.append(_group(home, members, in_full))
    return {
        "data": {
            "version": "1.0.0",
            "reg_type": "ns:org:RegistryType:Social",
            "reg_record_type": f"spdci:{wanted.entity}",
            "reg_records": records,
        },
        "pagination": {
            "page_size": wanted.size, "page_number": wanted.page, "total_count": count,
        },
    }  # fmt: skip


def _with_people(rows: QuerySet[Household]) -> QuerySet[Household]:
    return rows.select_related("village", "district").prefetch_related(
        Prefetch("members", restriction.open_people(Person.objects.all()))
    )


def _identifier(kind: str, value: str) -> list[dict[str, str]]:
    return [{"@type": "Identifier", "identifier_type": kind, "identifier_value": value}]


def _member(person: Person, in_full: bool) -> dict[str, Any]:
    nik = _identifier("NationalID", person.nik if in_full else person.masked_nik)
    return {
        "@id": f"{settings.SITE_URL}/api/v1/registry/households/{person.household_id}#{person.pk}",
        "@type": "spdci:Member",
        "member_identifier": nik,
        "demographic_info": {
            "@type": "SRPerson",
            "identifier": nik,
            "name": {"@type": "Name", "given_name": person.name},
            "sex": {"M": "male", "F": "female"}.get(person.sex, "unknown"),
            "birth_date": person.birth_date.isoformat() if person.birth_date else None,
        },
        "is_disabled": person.disability not in ("", "none"),
        "relationship_type": person.relation or None,
        "registration_date": person.created_at.isoformat(),
        "last_updated": person.updated_at.isoformat(),
    }


def _group(home: Household, members: list[Person], in_full: bool) -> dict[str, Any]:
    listed = [_member(one, in_full) for one in members if one.status == "active"]
    head = next((one for one in members if one.relation == "head"), None)
    place: dict[str, Any] = {"@type": "Place", "address": home.address}
    # Where exactly they live is as personal as their number.
    if in_full and home.latitude is not None and home.longitude is not None:
        place["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": str(home.latitude),
            "longitude": str(home.longitude),
        }
    return {
        "@context": CONTEXT,
        "@id": f"{settings.SITE_URL}/api/v1/registry/households/{home.pk}",
        "@type": "spdci:Group",
        "group_identifier": _identifier("HouseholdID", home.kk if in_full else home.masked_kk),
        "group_type": "family",
        "place": place,
        "poverty_score": home.desil,
        "poverty_score_type": "desil",
        "group_head_info": _member(head, in_full) if head is not None else None,
        "group_size": home.member_count,
        "member_list": listed,
        "registration_date": home.created_at.isoformat(),
        "last_updated": home.updated_at.isoformat(),
        "additional_attributes": [
            {"village_code": home.village.code, "district_code": home.district.code}
        ],
    }
