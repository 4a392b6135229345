"""Reads of obstacles: lists, what waits for whom, sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from guyub.access.roles import AGENCY_ROLES, AREA_ROLES, Role
from guyub.obstacles.models import (
    UNSOLVED,
    Category,
    Obstacle,
    ObstacleState,
    ObstacleStep,
    Severity,
)

UNSOLVED_WORD = "belum"  # in the address: all states but solved
WHOLE_REGENCY = "-"  # in the address: where no area is named


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; the field names are those of the address."""

    q: str = ""
    keadaan: str = ""  # a state, or :data:`UNSOLVED_WORD`
    tingkat: str = ""
    jenis: str = ""
    dibutuhkan: str = ""  # code of the agency needed
    pelapor: str = ""  # code of the reporting agency
    wilayah: str = ""  # area code, areas below included, or :data:`WHOLE_REGENCY`
    sub: str = ""
    program: str = ""
    lewat: str = ""  # "1": overdue
    saya: str = ""  # "1": waiting for me
    dari: str = ""  # reported on or after this day
    sampai: str = ""  # reported on or before this day

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Filters:
        """Read an address; what makes no sense narrows nothing."""
        given = {field.name: str(values.get(field.name, ""))[:100].strip() for field in fields(cls)}
        choices = {
            "keadaan": {*ObstacleState.values, UNSOLVED_WORD},
            "tingkat": {str(value) for value in Severity.values},
            "jenis": set(Category.values),
            "lewat": {"1"},
            "saya": {"1"},
        }
        for name, allowed in choices.items():
            if given[name] not in allowed:
                given[name] = ""
        for name in ("sub", "program"):
            if not (given[name].isascii() and given[name].isdigit() and len(given[name]) < 18):
                given[name] = ""
        for name in ("dari", "sampai"):
            if _day(given[name]) is None:
                given[name] = ""
        return cls(**given)

    @property
    def given(self) -> dict[str, str]:
        """The filters that narrow, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}


def _day(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def overdue(today: dt.date | None = None) -> Q:
    """Return the condition of being past the due date and not solved."""
    return Q(state__in=UNSOLVED, due_on__lt=today or timezone.localdate())


def waiting_for(user: Any) -> Q:
    """Return the condition of waiting for ``user``.

    For an agency's people what is needed from it, for the secretariat what goes to a coordination
    meeting, for an area operator what their area reported and is not solved yet.
    """
    if user.role in AGENCY_ROLES:
        return Q(state__in=UNSOLVED, needed_agency=user.agency_id)
    if user.role == Role.SECRETARIAT:
        return Q(state=ObstacleState.ESCALATED)
    if user.role in AREA_ROLES and user.area_id is not None:
        return Q(state__in=UNSOLVED) & (
            Q(reporting_area=user.area_id) | Q(reporting_area__parent=user.area_id)
        )
    return Q(pk__in=[])


def waiting(user: Any) -> QuerySet[Obstacle]:
    """Return the obstacles that wait for ``user``, the most pressing first."""
    return (
        Obstacle.objects.filter(waiting_for(user))
        .select_related("needed_agency", "agency", "area", "reporting_area")
        .order_by("due_on", "-severity", "pk")
    )


def obstacles(filters: Filters, user: Any) -> QuerySet[Obstacle]:
    """Return the obstacles that ``filters`` leave: unsolved first, by due date."""
    rows = Obstacle.objects.select_related(
        "needed_agency", "agency", "area", "reporting_area", "sub_activity"
    )
    for word in filters.q.split()[:8]:
        rows = rows.filter(
            Q(title__icontains=word) | Q(description__icontains=word) | Q(solution__icontains=word)
        )
    if filters.keadaan == UNSOLVED_WORD:
        rows = rows.filter(state__in=UNSOLVED)
    elif filters.keadaan:
        rows = rows.filter(state=filters.keadaan)
    if filters.tingkat:
        rows = rows.filter(severity=int(filters.tingkat))
    if filters.jenis:
        rows = rows.filter(category=filters.jenis)
    if filters.dibutuhkan:
        rows = rows.filter(needed_agency__code=filters.dibutuhkan)
    if filters.pelapor:
        rows = rows.filter(agency__code=filters.pelapor)
    if filters.wilayah == WHOLE_REGENCY:
        rows = rows.filter(area=None)
    elif filters.wilayah:
        rows = rows.filter(
            Q(area__code=filters.wilayah) | Q(area__code__startswith=filters.wilayah + ".")
        )
    if filters.sub:
        rows = rows.filter(sub_activity=int(filters.sub))
    if filters.program:
        rows = rows.filter(sub_activity__activity__program=int(filters.program))
    if filters.dari:
        rows = rows.filter(reported_at__date__gte=_day(filters.dari))
    if filters.sampai:
        rows = rows.filter(reported_at__date__lte=_day(filters.sampai))
    if filters.lewat:
        rows = rows.filter(overdue())
    if filters.saya:
        rows = rows.filter(waiting_for(user))
    solved_last = Q(state=ObstacleState.SOLVED)
    return rows.alias(is_solved_=solved_last).order_by("is_solved_", "due_on", "-severity", "pk")


def steps(obstacle: Obstacle) -> QuerySet[ObstacleStep]:
    """Return what was done about an obstacle, the first first."""
    return obstacle.steps.select_related("by", "agency")


@dataclass(frozen=True)
class Summary:
    """How the regency's obstacles stand."""

    unsolved: int
    overdue: int
    escalated: int
    blocking: int
    solved_this_year: int


def summary(rows: QuerySet[Obstacle] | None = None) -> Summary:
    """Return how ``rows`` (all when missing) stand. One query."""
    today = timezone.localdate()
    rows = Obstacle.objects.all() if rows is None else rows
    year = timezone.make_aware(dt.datetime(today.year, 1, 1))
    counts = rows.order_by().aggregate(
        unsolved=Count("pk", filter=Q(state__in=UNSOLVED)),
        overdue=Count("pk", filter=overdue(today)),
        escalated=Count("pk", filter=Q(state=ObstacleState.ESCALATED)),
        blocking=Count("pk", filter=Q(state__in=UNSOLVED, severity=Severity.BLOCKING)),
        solved_this_year=Count("pk", filter=Q(solved_at__gte=year)),
    )
    return Summary(**counts)
