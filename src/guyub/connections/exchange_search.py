"""Reading a search of the social registry standard, and answering it with records of the registry.

Queries come as ``idtype-value``, ``predicate`` or ``expression``.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.db.models import Q

from guyub.audit import services as audit
from guyub.connections import exchange_records as records
from guyub.connections import minimising
from guyub.connections.models import Partner
from guyub.registry import restriction
from guyub.registry.models import Person
from guyub.registry.vocabulary import Status

MOST_RECORDS = 10_000
MOST_A_PAGE = 100
USUAL_PAGE = 20
DEEPEST = 5

CRITERIA, SORT = "rjct.search_criteria.invalid", "rjct.sort.invalid"
PAGINATION, TOO_MANY = "rjct.pagination.invalid", "rjct.search.too_many_records_found"

PERSON_IDS = frozenset({"NIK", "NATIONALID", "NATIONAL_ID", "UIN"})
HOUSEHOLD_IDS = frozenset({"KK", "FAMILYCARD", "HOUSEHOLDID", "HOUSEHOLD_ID"})
# Attributes that may be asked for, and the field that each stands for. ``poverty_score`` is the desil.
NUMBERS = {"desil": "desil", "poverty_score": "desil", "group_size": "member_count"}
AREAS = frozenset({"area_code", "location", "village", "district"})
OPERATORS = {"eq": "", "gt": "__gt", "lt": "__lt", "ge": "__gte", "le": "__lte", "in": "__in"}


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
    purpose_code: str = ""


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
    purpose, code = _purpose(criteria)
    return Wanted(
        condition, entity, page, size, _order(criteria.get("sort")), purpose, asked, nik, code
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


def _purpose(criteria: dict[str, Any]) -> tuple[str, str]:
    """Return what the search is for, as said in ``authorize`` or ``consent``, and the purpose's code."""
    for name in ("authorize", "consent"):
        said = criteria.get(name)
        purpose = said.get("purpose") if isinstance(said, dict) else None
        if isinstance(purpose, dict):
            code = str(purpose.get("code") or "")
            text = f"{purpose.get('text') or ''} {code}".strip()
            if text:
                return text[:500], code
    return "", ""


# Answering


def answer(criteria: Any, *, partner: Partner, user: Any, reference: str) -> dict[str, Any]:
    """Return the ``data`` and ``pagination`` of one search, and write it into the audit log.

    NIK and KK are in full only where the token may unmask and the search says what for; each
    household handed over is logged.

    Raises:
        RejectedError: the search is not understood, asks by what the partner is not given, or finds
            too many.
    """
    wanted = read(criteria)
    check_allowed(wanted, partner)
    rows = records.given_to(partner, user).filter(wanted.condition, status=Status.ACTIVE)
    count = rows.order_by().values("pk")[: MOST_RECORDS + 1].count()
    if count > MOST_RECORDS:
        raise RejectedError(TOO_MANY, f"more than {MOST_RECORDS} records; narrow the search")
    start = (wanted.page - 1) * wanted.size
    page = list(records.with_people(rows).order_by(*wanted.order)[start : start + wanted.size])
    in_full = records.may_be_full(partner, user, wanted.purpose, wanted.purpose_code)
    audit.record(
        "connections.partner.search",
        actor=user,
        subject=partner,
        reason=wanted.purpose,
        detail={"reference": reference, "by": sorted(set(wanted.asked_by)), "found": count,
                "shown": len(page), "in_full": in_full},
    )  # fmt: skip
    made: list[dict[str, Any]] = []
    for home in page:
        made += records.hand_over(
            home, wanted.entity, partner=partner, user=user, in_full=in_full,
            purpose=wanted.purpose, reference=reference, nik=wanted.nik,
        )  # fmt: skip
    return {
        "data": records.data_of(wanted.entity, made),
        "pagination": {
            "page_size": wanted.size, "page_number": wanted.page, "total_count": count,
        },
    }  # fmt: skip


def check_allowed(wanted: Wanted, partner: Partner) -> None:
    """Check that a search asks only by what the partner is given.

    Raises:
        RejectedError: it asks by an attribute that its answer would have to leave out.
    """
    for name in wanted.asked_by:
        needed = minimising.NEEDED.get(name)
        if needed is not None and needed not in partner.shares:
            raise RejectedError(CRITERIA, f"{name}: not among the data agreed with you")
