"""What happened, as evidence: each row says who did what, and what credit it earns.

A score is nothing but the sum of its evidence (``docs/scorecard.md`` publishes the rules), so that every
figure opens into the rows it is made of. Nothing here counts clicks: a row is a duty (an invitation, a
report due, a request) that is met or not, or a week in which an agency said something or did not.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.beneficiaries.models import EnrolmentStep, Stage
from guyub.datasets.models import Dataset, Freshness, Version, freshness_of
from guyub.discussions.models import Message
from guyub.meetings.models import (
    ActionItem,
    ActionState,
    Attendance,
    Capacity,
    Consent,
    Invitation,
    MandateScope,
    MeetingState,
    WrittenInput,
)
from guyub.overlaps.models import CaseState, OverlapCase
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import HelpKind, Recipient
from guyub.reports.models import Report
from guyub.scorecard.quarters import Quarter
from guyub.sharing.models import DataRequest, RequestState
from guyub.targets.models import Direction, IndicatorYear, Measure, PublishedFigure

# What is shorter says nothing ("ok", "siap") and earns nothing.
SHORTEST_TEXT = 20
REPLY_TIME = dt.timedelta(days=3)
# Talking with more partners than this earns no more.
PARTNERS = 5
WEEK = dt.timedelta(days=7)


@dataclass(frozen=True)
class Evidence:
    """One row: whose it is (nobody's: of the regency as a whole), its credit of 0 to 1, its weight."""

    text: str
    credit: float
    agencies: tuple[int, ...] = ()
    url: str = ""
    on: dt.date | None = None
    weight: float = 1


Source = Callable[[Quarter, dt.date], Iterable[Evidence]]


def _day(moment: dt.datetime) -> dt.date:
    return timezone.localtime(moment).date()


def _closed_invitations(quarter: Quarter) -> list[Invitation]:
    return list(
        Invitation.objects.filter(
            meeting__state=MeetingState.CLOSED, meeting__starts_at__range=_range(quarter)
        ).select_related("meeting", "agency")
    )


def _range(quarter: Quarter) -> tuple[dt.datetime, dt.datetime]:
    first, after = quarter.moments
    return first, after - dt.timedelta(microseconds=1)


# Face-to-face dialogue


def heads_present(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per invitation: 1 for the head in person, a half for a delegate who may decide."""
    sent = _closed_invitations(quarter)
    there: dict[tuple[int, int], set[str]] = defaultdict(set)
    for meeting_id, agency_id, capacity in Attendance.objects.filter(
        meeting__in={i.meeting_id for i in sent}
    ).values_list("meeting_id", "agency_id", "capacity"):
        there[meeting_id, agency_id or 0].add(capacity)
    for invitation in sent:
        capacities = there[invitation.meeting_id, invitation.agency_id]
        mandated = (
            invitation.mandate_signed_at is not None
            and invitation.mandate_scope != MandateScope.NOTHING
        )
        if Capacity.HEAD in capacities:
            credit, word = 1.0, _("kepala hadir")
        elif Capacity.DELEGATE in capacities and mandated:
            credit, word = 0.5, _("wakil bermandat hadir")
        else:
            credit, word = 0.0, _("tidak hadir dengan wewenang")
        yield Evidence(
            f"{invitation.meeting.title}: {invitation.agency}, {word}",
            credit,
            (invitation.agency_id,),
            reverse("meetings:detail", args=[invitation.meeting_id]),
            _day(invitation.meeting.starts_at),
        )


def decided_on_the_day(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per agency that a decision needs: 1 when it took its stand in the room."""
    consents = Consent.objects.filter(decision__decided_at__range=_range(quarter)).select_related(
        "decision__meeting", "agency"
    )
    for consent in consents:
        yield Evidence(
            _("%(agency)s: keputusan %(number)d, %(meeting)s")
            % {
                "agency": consent.agency,
                "number": consent.decision.number,
                "meeting": consent.decision.meeting.title,
            },
            float(consent.on_the_day),
            (consent.agency_id,),
            reverse("meetings:decision", args=[consent.decision_id]),
            _day(consent.decision.decided_at),
        )


# Trust


@dataclass(frozen=True)
class _Line:
    """A message that says something, or an empty one for who only reads."""

    thread: int
    agency: int
    at: dt.datetime


def _lines(first: dt.datetime, after: dt.datetime) -> list[_Line]:
    """Return who wrote what says something, in order of time, by thread."""
    rows = (
        Message.objects.filter(
            written_at__gte=first, written_at__lt=after, withdrawn_at=None, agency__isnull=False
        )
        .order_by("thread_id", "written_at", "pk")
        .values_list("thread_id", "agency_id", "written_at", "text")
    )
    return [
        _Line(thread, agency, at)
        for thread, agency, at, text in rows.iterator()
        if agency is not None and len(text.strip()) >= SHORTEST_TEXT
    ]


def contacts(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """Per agency up to five rows: 1 for each other agency with which talk went both ways."""
    agencies = {agency.pk: agency for agency in Agency.objects.filter(is_active=True)}
    talked: dict[int, set[int]] = defaultdict(set)
    by_thread: dict[int, set[int]] = defaultdict(set)
    for line in _lines(*quarter.moments):
        by_thread[line.thread].add(line.agency)
    for speakers in by_thread.values():
        for speaker in speakers:
            talked[speaker] |= speakers - {speaker}
    goal = min(PARTNERS, len(agencies) - 1)
    for agency in agencies.values():
        partners = sorted(talked[agency.pk] & set(agencies), key=lambda pk: str(agencies[pk]))
        for partner in partners[:goal]:
            yield Evidence(
                _("%(one)s dan %(other)s saling bicara")
                % {"one": agency, "other": agencies[partner]},
                1,
                (agency.pk,),
            )
        if missing := goal - len(partners[:goal]):
            yield Evidence(
                _("%(agency)s: kurang %(n)d mitra bicara") % {"agency": agency, "n": missing},
                0,
                (agency.pk,),
                weight=missing,
            )


def replies(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per turn of another agency in a talk one takes part in: 1 for a reply within three days.

    Turns that are younger than three days do not count yet.
    """
    first, after = quarter.moments
    names = dict(Agency.objects.values_list("pk", "name"))
    threads: dict[int, list[_Line]] = defaultdict(list)
    for line in _lines(first, after + REPLY_TIME):
        threads[line.thread].append(line)
    for lines in threads.values():
        speakers = {line.agency for line in lines}
        for speaker in speakers if len(speakers) > 1 else ():
            waiting: _Line | None = None
            joined = False
            for line in lines:
                if line.agency == speaker:
                    if waiting is not None and waiting.at < after:
                        yield _reply(names[speaker], speaker, waiting, line.at)
                    waiting, joined = None, True
                elif waiting is None and joined:
                    waiting = line
            if (
                waiting is not None
                and waiting.at < after
                and timezone.now() - waiting.at > REPLY_TIME
            ):
                yield _reply(names[speaker], speaker, waiting, None)


def _reply(name: str, agency: int, asked: _Line, answered: dt.datetime | None) -> Evidence:
    in_time = answered is not None and answered - asked.at <= REPLY_TIME
    when = date_format(timezone.localtime(asked.at), "j M Y")
    text = (
        _("%(agency)s membalas pesan %(date)s")
        if answered
        else _("%(agency)s belum membalas pesan %(date)s")
    )
    return Evidence(text % {"agency": name, "date": when}, float(in_time), (agency,), "", _day(asked.at))  # fmt: skip


# Commitment


def reports_on_time(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per progress report due: 1 when it was first handed in by its date."""
    due = Report.objects.filter(
        due_on__gte=quarter.start, due_on__lte=quarter.until(today - dt.timedelta(days=1)),
        sub_activity__is_cancelled=False,
    ).select_related("sub_activity__agency")  # fmt: skip
    for report in due:
        handed_in = report.first_submitted_at
        in_time = handed_in is not None and _day(handed_in) <= report.due_on
        yield Evidence(
            f"{report.sub_activity.agency}: {report.sub_activity.name}, {report.period_end:%m/%Y}",
            float(in_time),
            (report.sub_activity.agency_id,),
            reverse("reports:report", args=[report.pk]),
            report.due_on,
        )


def actions_done(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per action of a meeting that is due: 1 when it was done by its date, and says how."""
    due = (
        ActionItem.objects.filter(
            due_on__gte=quarter.start, due_on__lte=quarter.until(today - dt.timedelta(days=1))
        )
        .exclude(state=ActionState.DROPPED)
        .select_related("agency")
        .prefetch_related("updates")
    )
    for action in due:
        told = any(
            update.state == ActionState.DONE and len(update.text.strip()) >= SHORTEST_TEXT
            for update in action.updates.all()
        )
        done = action.state == ActionState.DONE and action.done_at is not None
        in_time = done and told and _day(action.done_at) <= action.due_on  # type: ignore[arg-type]
        yield Evidence(
            f"{action.agency}: {action.text}",
            float(in_time),
            (action.agency_id,),
            reverse("meetings:action", args=[action.pk]),
            action.due_on,
        )


# Shared understanding


def overlaps_settled(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per overlap known by the quarter's end: 1 when it is settled by then."""
    first, after = quarter.moments
    known = (
        OverlapCase.objects.filter(found_at__lt=after)
        .exclude(state=CaseState.GONE, seen_at__lt=first)
        .prefetch_related("sub_activities")
    )
    for case in known:
        settled = case.state == CaseState.GONE or (
            case.settled_at is not None and case.settled_at < after
        )
        yield Evidence(
            str(case),
            float(settled),
            tuple(sorted({sub.agency_id for sub in case.sub_activities.all()})),
            reverse("overlaps:case", args=[case.pk]),
            _day(case.found_at),
        )


def programs_aligned(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per sub-activity of the year that helps people: 1 when it serves a mission and says whom."""
    subs = (
        SubActivity.objects.filter(year=quarter.start.year, is_cancelled=False)
        .exclude(help_kind=HelpKind.SUPPORT)
        .select_related("activity__program", "agency")
        .annotate(rules=Count("targeting_rules"))
    )
    for sub in subs:
        says_whom = (
            sub.desil_max is not None or sub.rules > 0 or sub.recipient == Recipient.COMMUNITY
        )
        aligned = sub.activity.program.mission_id is not None and says_whom
        yield Evidence(
            f"{sub.agency}: {sub.name}",
            float(aligned),
            (sub.agency_id,),
            reverse("programs:sub_activity", args=[sub.pk]),
        )


# Intermediate outcomes


def targets_met(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per indicator with target and realisation in its newest year so far: 1 when met."""
    newest: dict[int, IndicatorYear] = {}
    entries = IndicatorYear.objects.filter(
        year__lte=quarter.start.year, target__isnull=False, actual__isnull=False,
        indicator__is_active=True,
    ).select_related("indicator__owner")  # fmt: skip
    for entry in entries.order_by("year"):
        newest[entry.indicator_id] = entry
    for entry in newest.values():
        indicator = entry.indicator
        if entry.actual is None or entry.target is None:
            continue
        met = (
            entry.actual <= entry.target
            if indicator.direction == Direction.DOWN
            else entry.actual >= entry.target
        )
        yield Evidence(
            f"{indicator.name} {entry.year}",
            float(met),
            (indicator.owner_id,),
            reverse("targets:indicator", args=[indicator.code]),
            dt.date(entry.year, 12, 31),
        )


def poverty_fell(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row for the regency: 1 when the newest published P0 is below the one before."""
    figures = list(
        PublishedFigure.objects.filter(
            measure=Measure.P0, area_code=settings.REGENCY_CODE, year__lte=quarter.start.year
        ).order_by("-year")[:2]
    )
    if len(figures) == 2:
        newest, earlier = figures
        yield Evidence(
            _("P0 %(new)s %% (%(year)d), sebelumnya %(old)s %%")
            % {"new": newest.value, "year": newest.year, "old": earlier.value},
            1.0 if newest.value < earlier.value else 0.5 if newest.value == earlier.value else 0.0,
            (),
            reverse("targets:published"),
            dt.date(newest.year, 12, 31),
        )


def graduated(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per sub-activity, weighed by the enrolments that ended: the share that graduated."""
    ended = (
        EnrolmentStep.objects.filter(
            at__range=_range(quarter),
            to_stage__in=(Stage.FINISHED, Stage.GRADUATED, Stage.WITHDRAWN),
        )
        .values(
            "enrolment__sub_activity",
            "enrolment__sub_activity__name",
            "enrolment__agency",
        )
        .annotate(n=Count("pk"), up=Count("pk", filter=Q(to_stage=Stage.GRADUATED)))
        .order_by("enrolment__sub_activity")
    )
    for row in ended:
        yield Evidence(
            _("%(name)s: %(up)d graduasi dari %(n)d yang selesai")
            % {"name": row["enrolment__sub_activity__name"], "up": row["up"], "n": row["n"]},
            row["up"] / row["n"],
            (row["enrolment__agency"],),
            reverse("beneficiaries:sub_activity", args=[row["enrolment__sub_activity"]]),
            weight=row["n"],
        )


# Communication


def written_input(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per invitation: 1 when the agency gave written input before the meeting began."""
    sent = _closed_invitations(quarter)
    given: set[tuple[int, int]] = set()
    rows = WrittenInput.objects.filter(meeting__in={i.meeting_id for i in sent}).values_list(
        "meeting_id", "agency_id", "text", "written_at", "meeting__starts_at"
    )
    for meeting_id, agency_id, text, written_at, starts_at in rows:
        if len(text.strip()) >= SHORTEST_TEXT and written_at <= starts_at:
            given.add((meeting_id, agency_id))
    for invitation in sent:
        yield Evidence(
            f"{invitation.meeting.title}: {invitation.agency}",
            float((invitation.meeting_id, invitation.agency_id) in given),
            (invitation.agency_id,),
            reverse("meetings:detail", args=[invitation.meeting_id]) + "#agenda",
            _day(invitation.meeting.starts_at),
        )


def voices(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per active agency and week gone by: 1 when it said something anywhere in that week.

    Saying much in one week earns no more than saying one thing, so that only a spread of voices over
    agencies and weeks raises the score.
    """
    last = quarter.until(today)
    weeks = max(0, ((last - quarter.start).days + 1) // 7)
    spoken: set[tuple[int, int]] = set()
    for line in _lines(*quarter.moments):
        spoken.add((line.agency, (_day(line.at) - quarter.start).days // 7))
    inputs = WrittenInput.objects.filter(written_at__range=_range(quarter)).values_list(
        "agency_id", "written_at", "text"
    )
    for agency_id, written_at, text in inputs:
        if len(text.strip()) >= SHORTEST_TEXT:
            spoken.add((agency_id, (_day(written_at) - quarter.start).days // 7))
    for agency in Agency.objects.filter(is_active=True):
        for week in range(weeks):
            start = quarter.start + week * WEEK
            yield Evidence(
                _("%(agency)s, minggu %(date)s")
                % {"agency": agency, "date": date_format(start, "j M Y")},
                float((agency.pk, week) in spoken),
                (agency.pk,),
                "",
                start,
            )


# Openness of data

CREDIT_OF_FRESHNESS = {Freshness.CURRENT: 1.0, Freshness.DUE: 0.5}


def fresh_data(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per dataset: 1 when current at the quarter's end (now, while it runs), a half when due."""
    _first, after = quarter.moments
    dates = dict(
        Version.objects.filter(created_at__lt=after)
        .order_by()
        .values_list("dataset")
        .annotate(Max("as_of"))
    )
    day = quarter.until(today)
    for dataset in Dataset.objects.filter(created_at__lt=after).select_related("owner"):
        freshness = freshness_of(dates.get(dataset.pk), dataset.cadence, day)
        yield Evidence(
            f"{dataset.name}: {freshness.label}",
            CREDIT_OF_FRESHNESS.get(freshness, 0.0),
            (dataset.owner_id,),
            reverse("datasets:detail", args=[dataset.code]),
            dates.get(dataset.pk),
        )


def requests_granted(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per data request answered, or overdue, in the quarter.

    1 when granted in time; a half when granted late, or refused in time with a reason; else 0.
    """
    first, after = quarter.moments
    answered = Q(answered_at__gte=first, answered_at__lt=after)
    overdue = Q(
        state=RequestState.OPEN,
        due_on__gte=quarter.start,
        due_on__lt=quarter.until(today),
    )
    rows = (
        DataRequest.objects.filter(answered | overdue)
        .exclude(state=RequestState.WITHDRAWN)
        .select_related("dataset__owner", "agency")
    )
    for request in rows:
        in_time = request.answered_at is not None and _day(request.answered_at) <= request.due_on
        granted = request.state == RequestState.GRANTED
        refused = request.state == RequestState.REFUSED
        credit = 1.0 if granted and in_time else 0.5 if granted or (refused and in_time) else 0.0
        yield Evidence(
            f"{request}: {request.get_state_display()}",
            credit,
            (request.dataset.owner_id,),
            reverse("sharing:detail", args=[request.pk]),
            _day(request.asked_at),
        )
