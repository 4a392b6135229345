"""Reading meetings: what should be talked about, who may decide, what waits for whom."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, Prefetch, Q, QuerySet, When
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guyub.access.roles import Role
from guyub.agencies.models import Agency
from guyub.datasets.models import Dataset, Freshness
from guyub.meetings.models import (
    ActionItem,
    ActionState,
    AgendaItem,
    Attendance,
    Capacity,
    Consent,
    Decision,
    DecisionState,
    Invitation,
    MandateScope,
    Meeting,
    MeetingState,
    Reply,
    Stance,
    Topic,
)
from guyub.obstacles.models import Obstacle, ObstacleState
from guyub.overlaps.models import CaseState, OverlapCase
from guyub.reports.models import Report, ReportState

# Of one sort, as many as a meeting can deal with; the worst first.
CANDIDATES_OF_A_SORT = 10
VOICES = (Capacity.HEAD, Capacity.DELEGATE)


@dataclass(frozen=True)
class Candidate:
    """Something that should come before a meeting."""

    topic: Topic
    title: str
    description: str
    subject_type: str
    subject_id: str
    url: str
    agencies: Sequence[Agency] = field(default_factory=tuple)


def agenda_candidates(meeting: Meeting) -> list[Candidate]:
    """Return what waits for a meeting, the worst of each sort first."""
    today = timezone.localdate()
    return [
        *_open_actions(meeting),
        *_escalated_obstacles(),
        *_open_overlaps(),
        *_late_reports(today),
        *_stale_datasets(),
    ]


def _open_actions(meeting: Meeting) -> Iterator[Candidate]:
    actions = (
        ActionItem.objects.filter(state=ActionState.OPEN)
        .exclude(meeting=meeting)
        .select_related("agency", "meeting")[:CANDIDATES_OF_A_SORT]
    )
    for action in actions:
        yield Candidate(
            Topic.ACTION,
            action.text,
            _("Dari %(meeting)s; batas waktu %(date)s.")
            % {"meeting": action.meeting.title, "date": date_format(action.due_on)},
            "meetings.actionitem",
            str(action.pk),
            reverse("meetings:action", args=[action.pk]),
            (action.agency,),
        )


def _escalated_obstacles() -> Iterator[Candidate]:
    obstacles = Obstacle.objects.filter(state=ObstacleState.ESCALATED).select_related(
        "agency", "needed_agency"
    )[:CANDIDATES_OF_A_SORT]
    for obstacle in obstacles:
        concerned = {a.pk: a for a in (obstacle.needed_agency, obstacle.agency) if a is not None}
        yield Candidate(
            Topic.OBSTACLE,
            obstacle.title,
            obstacle.description,
            "obstacles.obstacle",
            str(obstacle.pk),
            reverse("obstacles:detail", args=[obstacle.pk]),
            tuple(concerned.values()),
        )


def _open_overlaps() -> Iterator[Candidate]:
    cases = OverlapCase.objects.filter(state=CaseState.OPEN).prefetch_related(
        "sub_activities__agency"
    )[:CANDIDATES_OF_A_SORT]
    for case in cases:
        involved = list(case.sub_activities.all())
        agencies = {s.agency_id: s.agency for s in involved}
        yield Candidate(
            Topic.OVERLAP,
            _("Siapa memimpin %(kind)s tahun %(year)d?")
            % {"kind": case.get_help_kind_display().lower(), "year": case.year},
            "\n".join(f"{s.agency}: {s.name}" for s in involved),
            "overlaps.overlapcase",
            str(case.pk),
            reverse("overlaps:case", args=[case.pk]),
            tuple(agencies.values()),
        )


def _late_reports(today: dt.date) -> Iterator[Candidate]:
    late = (
        Report.objects.filter(
            state__in=(ReportState.MISSING, ReportState.DRAFT, ReportState.RETURNED),
            due_on__lt=today,
        )
        .values("sub_activity__agency")
        .annotate(n=Count("pk"))
        .order_by("-n")[:CANDIDATES_OF_A_SORT]
    )
    counts = {row["sub_activity__agency"]: row["n"] for row in late}
    agencies = Agency.objects.in_bulk(counts)
    for agency_id, number in counts.items():
        agency = agencies[agency_id]
        yield Candidate(
            Topic.LATE_REPORT,
            ngettext(
                "%(n)d laporan kemajuan %(agency)s terlambat",
                "%(n)d laporan kemajuan %(agency)s terlambat",
                number,
            )
            % {"n": number, "agency": agency},
            "",
            # By agency, and afresh in each month: the same agency may be late again.
            "reports.late",
            f"{agency.code}:{today:%Y-%m}"[:40],
            reverse("reports:list") + f"?perangkat={agency.code}",
            (agency,),
        )


def _stale_datasets() -> Iterator[Candidate]:
    shown = 0
    for dataset in Dataset.objects.select_related("owner", "current_version"):
        version = dataset.current_version
        if version is None or dataset.freshness != Freshness.STALE or shown == CANDIDATES_OF_A_SORT:
            continue
        shown += 1
        yield Candidate(
            Topic.STALE_DATA,
            _("%(name)s usang: keadaan %(date)s")
            % {"name": dataset.name, "date": date_format(version.as_of)},
            "",
            "datasets.dataset",
            f"{dataset.pk}:{version.number}",
            reverse("datasets:detail", args=[dataset.code]),
            (dataset.owner,),
        )


# Who may decide


@dataclass(frozen=True)
class Voice:
    """Who speaks for an agency in the room."""

    agency: Agency
    name: str
    by_delegate: bool
    user: Any


def voices_on(item: AgendaItem) -> dict[int, Voice]:
    """Return by agency who is there and may decide on ``item``: heads, and delegates so mandated."""
    invitations = {
        invitation.agency_id: invitation
        for invitation in item.meeting.invitations.prefetch_related("mandate_items")
    }
    found = {}
    for attendance in _voices(item.meeting_id):
        invitation = invitations.get(attendance.agency_id or 0)
        if invitation is None or attendance.agency is None:
            continue
        by_delegate = attendance.capacity == Capacity.DELEGATE
        if by_delegate and not may_decide(invitation, item):
            continue
        found[invitation.agency_id] = Voice(
            attendance.agency, attendance.name, by_delegate, attendance.user
        )
    return found


def _voices(meeting_id: int) -> QuerySet[Attendance]:
    return Attendance.objects.filter(meeting_id=meeting_id, capacity__in=VOICES).select_related(
        "agency", "user"
    )


def may_decide(invitation: Invitation, item: AgendaItem) -> bool:
    """Tell whether the mandate lets the agency's delegate decide on ``item``."""
    if invitation.reply != Reply.DELEGATE or invitation.mandate_signed_at is None:
        return False
    if invitation.mandate_scope == MandateScope.ALL:
        return True
    return invitation.mandate_scope == MandateScope.ITEMS and any(
        chosen.pk == item.pk for chosen in invitation.mandate_items.all()
    )


def concerned_by(item: AgendaItem) -> list[Agency]:
    """Return the agencies whose consent a decision on ``item`` needs: its own, or all invited."""
    named = list(item.agencies.all())
    if named:
        return named
    return list(Agency.objects.filter(invitations__meeting=item.meeting_id))


@dataclass(frozen=True)
class Quorum:
    """How many invited agencies sit there with somebody who may decide on something."""

    invited: int
    present: int
    needed: int

    @property
    def is_met(self) -> bool:
        return self.invited > 0 and self.present >= self.needed


def quorum(meeting: Meeting) -> Quorum:
    """Reckon the quorum: heads, and delegates whose signed mandate lets them decide on something."""
    invitations = {i.agency_id: i for i in meeting.invitations.all()}
    present = 0
    for attendance in _voices(meeting.pk):
        invitation = invitations.get(attendance.agency_id or 0)
        if invitation is None:
            continue
        present += attendance.capacity == Capacity.HEAD or (
            invitation.mandate_signed_at is not None
            and invitation.mandate_scope in (MandateScope.ALL, MandateScope.ITEMS)
        )
    needed = max(1, math.ceil(len(invitations) * meeting.quorum_percent / 100))
    return Quorum(len(invitations), present, needed)


# Lists and pages


def meetings(past: bool) -> QuerySet[Meeting]:
    """Return meetings that are over, newest first, or those to come, soonest first."""
    over = Q(state__in=(MeetingState.CLOSED, MeetingState.CANCELLED))
    rows = Meeting.objects.annotate(
        invited_count=Count("invitations", distinct=True),
        item_count=Count("agenda", distinct=True),
    )
    return (
        rows.filter(over).order_by("-starts_at")
        if past
        else rows.exclude(over).order_by("starts_at")
    )


def agenda_of(meeting: Meeting) -> list[AgendaItem]:
    """Return the agenda with its agencies, written input and decisions."""
    return list(
        meeting.agenda.prefetch_related(
            "agencies",
            Prefetch("decisions", Decision.objects.order_by("number")),
            "inputs__agency",
            "inputs__author",
        )
    )


def ended_elsewhere(agenda: Sequence[AgendaItem]) -> set[int]:
    """Return the agenda items whose obstacle, overlap or action has come to an end by itself."""
    waiting = {
        "obstacles.obstacle": Obstacle.objects.exclude(state=ObstacleState.SOLVED),
        "overlaps.overlapcase": OverlapCase.objects.filter(state=CaseState.OPEN),
        "meetings.actionitem": ActionItem.objects.filter(state=ActionState.OPEN),
    }
    found: set[int] = set()
    for kind, records in waiting.items():
        about = {item.subject_id: item.pk for item in agenda if item.subject_type == kind}
        if about:
            still = {str(pk) for pk in records.filter(pk__in=about).values_list("pk", flat=True)}
            found |= {pk for subject, pk in about.items() if subject not in still}
    return found


def decisions_of(meeting: Meeting) -> list[Decision]:
    """Return the decisions with where each agency stands and the actions that follow."""
    return list(
        meeting.decisions.select_related("item").prefetch_related(
            Prefetch("consents", Consent.objects.select_related("agency", "by")),
            Prefetch("actions", ActionItem.objects.select_related("agency")),
        )
    )


def actions(agency: str = "", state: str = "", overdue: bool = False) -> QuerySet[ActionItem]:
    """Return action items, narrowed by agency code, state and lateness, the most urgent first."""
    rows = ActionItem.objects.select_related("agency", "meeting", "decision")
    if agency:
        rows = rows.filter(agency__code=agency)
    if state:
        rows = rows.filter(state=state)
    if overdue:
        rows = rows.filter(state=ActionState.OPEN, due_on__lt=timezone.localdate())
    closed = Case(When(state=ActionState.OPEN, then=0), default=1)
    return rows.order_by(closed, "due_on", "pk")


def awaited_consents(user: Any) -> QuerySet[Consent]:
    """Return the consents that ``user``'s agency still owes, the most urgent first."""
    return (
        Consent.objects.filter(
            agency_id=user.agency_id or 0,
            stance=Stance.AWAITED,
            decision__state=DecisionState.PENDING,
        )
        .select_related("decision__meeting", "decision__item", "agency")
        .order_by("decision__ratify_by", "pk")
    )


@dataclass(frozen=True)
class Waiting:
    """What waits for somebody, counted."""

    invitations: int = 0
    inputs: int = 0
    mandates: int = 0
    ratifications: int = 0
    rulings: int = 0
    actions: int = 0


def waiting(user: Any) -> Waiting:
    """Count what in meetings waits for ``user``."""
    rulings = 0
    if user.role in (Role.REGENT, Role.SECRETARIAT):
        rulings = Decision.objects.filter(state=DecisionState.ESCALATED).count()
    if user.agency_id is None:
        return Waiting(rulings=rulings)
    today = timezone.localdate()
    mine = Invitation.objects.filter(agency_id=user.agency_id, meeting__state=MeetingState.INVITED)
    totals = mine.aggregate(
        unanswered=Count("pk", filter=Q(reply=Reply.NONE)),
        unsigned=Count("pk", filter=Q(reply=Reply.DELEGATE, mandate_signed_at=None)),
    )
    return Waiting(
        invitations=totals["unanswered"],
        inputs=mine.filter(meeting__input_due_on__gte=today)
        .exclude(meeting__inputs__agency=user.agency_id)
        .count(),
        mandates=totals["unsigned"] if user.role == Role.AGENCY_HEAD else 0,
        ratifications=awaited_consents(user).count() if user.role == Role.AGENCY_HEAD else 0,
        rulings=rulings,
        actions=ActionItem.objects.filter(agency_id=user.agency_id, state=ActionState.OPEN).count(),
    )


# Attendance over time


@dataclass
class Comings:
    """How often somebody came: the head, a mandated delegate, somebody without mandate, nobody."""

    heads: int = 0
    mandated: int = 0
    unmandated: int = 0
    absent: int = 0

    @property
    def invited(self) -> int:
        return self.heads + self.mandated + self.unmandated + self.absent

    def count(self, invitation: Invitation, capacities: set[str]) -> None:
        """Count how the agency of ``invitation`` came, known by who of it was there."""
        kind = _kind_of(invitation, capacities)
        setattr(self, kind, getattr(self, kind) + 1)


@dataclass
class Turnout(Comings):
    """Who came to one meeting."""

    meeting: Meeting = field(kw_only=True)


def _kind_of(invitation: Invitation, capacities: set[str]) -> str:
    if Capacity.HEAD in capacities:
        return "heads"
    decides = (
        invitation.mandate_signed_at is not None
        and invitation.mandate_scope != MandateScope.NOTHING
    )
    if Capacity.DELEGATE in capacities and decides:
        return "mandated"
    return "unmandated" if capacities else "absent"


def turnouts(limit: int = 12) -> list[Turnout]:
    """Return who came to the newest ``limit`` closed meetings, oldest first."""
    closed = list(
        Meeting.objects.filter(state=MeetingState.CLOSED)
        .order_by("-starts_at")
        .prefetch_related("invitations", "attendances")[:limit]
    )
    found = []
    for meeting in reversed(closed):
        turnout = Turnout(meeting=meeting)
        capacities: dict[int, set[str]] = defaultdict(set)
        for attendance in meeting.attendances.all():
            capacities[attendance.agency_id or 0].add(attendance.capacity)
        for invitation in meeting.invitations.all():
            turnout.count(invitation, capacities[invitation.agency_id])
        found.append(turnout)
    return found


@dataclass
class AgencyTurnout(Comings):
    """How an agency came to the newest meetings."""

    agency: Agency = field(kw_only=True)

    @property
    def head_percent(self) -> int:
        return round(100 * self.heads / self.invited) if self.invited else 0


def turnout_by_agency(limit: int = 12) -> list[AgencyTurnout]:
    """Return per agency how it came to the newest ``limit`` closed meetings, heads least often first."""
    newest = list(
        Meeting.objects.filter(state=MeetingState.CLOSED)
        .order_by("-starts_at")
        .values_list("pk", flat=True)[:limit]
    )
    capacities: dict[tuple[int, int], set[str]] = defaultdict(set)
    for meeting_id, agency_id, capacity in Attendance.objects.filter(
        meeting__in=newest
    ).values_list("meeting_id", "agency_id", "capacity"):
        capacities[meeting_id, agency_id or 0].add(capacity)
    rows: dict[int, AgencyTurnout] = {}
    for invitation in Invitation.objects.filter(meeting__in=newest).select_related("agency"):
        row = rows.setdefault(invitation.agency_id, AgencyTurnout(agency=invitation.agency))
        row.count(invitation, capacities[invitation.meeting_id, invitation.agency_id])
    return sorted(rows.values(), key=lambda row: (row.head_percent, str(row.agency)))
