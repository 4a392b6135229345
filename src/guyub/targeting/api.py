"""Rules over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Form, Query, Router, Schema, Status
from ninja.errors import HttpError
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.areas.models import Area, Level
from guyub.targeting import queries
from guyub.targeting.cel import RuleError
from guyub.targeting.checking import understand
from guyub.targeting.models import Rule
from guyub.ui.cursor import CursorPages

router = Router(tags=["targeting"])
MOST = 200


class VersionRow(Schema):
    number: int
    text: str
    households: int
    note: str
    created_at: dt.datetime


class RuleRow(Schema):
    id: int
    agency: str
    name: str
    description: str
    current_version: VersionRow | None

    @staticmethod
    def resolve_agency(rule: Any) -> str:
        return str(rule.agency.code)


class RuleFull(RuleRow):
    sub_activities: list[int]
    versions: list[VersionRow]

    @staticmethod
    def resolve_sub_activities(rule: Any) -> list[int]:
        return sorted(rule.sub_activities.values_list("pk", flat=True))

    @staticmethod
    def resolve_versions(rule: Any) -> list[Any]:
        return list(rule.versions.all()[:MOST])


class Counted(Schema):
    households: int
    districts: dict[str, int]


class Refused(Schema):
    message: str
    line: int
    column: int
    start: int
    end: int


@router.get("", response=list[RuleRow], summary="Rules by name")
@api_requires("targeting.view")
@paginate(CursorPages)
def list_rules(
    request: HttpRequest,
    agency: str = Query("", max_length=50),
    q: str = Query("", max_length=100),
) -> Any:
    """Rules by name; with ``agency`` (code) only that agency's, with ``q`` those that have its words."""
    return queries.rules(agency, q)


@router.post(
    "/evaluate", response={200: Counted, 422: Refused}, summary="Count the households of a rule"
)
@api_requires("targeting.edit")
def evaluate(request: HttpRequest, text: str = Form(""), area: str = Form("")) -> Any:
    """How many households the rule ``text`` is for, within ``area`` (Kemendagri code), by district.

    Both are sent as form fields. A text that is no rule is answered with what is wrong and where.
    """
    within = None
    if area:
        within = Area.objects.filter(code=area[:13]).first()
        if within is None:
            raise HttpError(404, _("Wilayah ini tidak ada."))
    try:
        counts = queries.per_district(understand(text), within)
    except RuleError as error:
        line, column = error.place(text)
        return Status(
            422,
            {
                "message": error.message,
                "line": line,
                "column": column,
                "start": error.start,
                "end": error.end,
            },
        )
    codes = dict(Area.objects.filter(level=Level.DISTRICT).values_list("pk", "code"))
    return {
        "households": sum(counts.values()),
        "districts": {codes[pk]: n for pk, n in sorted(counts.items(), key=lambda c: codes[c[0]])},
    }


@router.get("/{int:rule_id}", response=RuleFull, summary="One rule with its versions")
@api_requires("targeting.view")
def one_rule(request: HttpRequest, rule_id: int) -> Any:
    rule = Rule.objects.select_related("agency", "current_version").filter(pk=rule_id).first()
    if rule is None:
        raise Http404
    return rule
