"""Every write about overlap: reckoning, and what the secretariat settles."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Set
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.discussions.models import Kind
from guyub.discussions.people import people_of
from guyub.discussions.services import notify
from guyub.overlaps import snapshot
from guyub.overlaps.definitions import continued
from guyub.overlaps.models import (
    LED,
    CaseState,
    CaseStep,
    OverlapCase,
    Reckoning,
    Ruling,
    StepKind,
)
from guyub.overlaps.reckoning import Reckoned, reckon_year
from guyub.programs.models import SubActivity

FIRST_YEAR, LAST_YEAR = 2000, 2100


def reckon(year: int, *, actor: Any = None) -> Reckoning:
    """Find overlap and gaps of ``year`` anew, and bring its cases in step. Doing so again changes nothing.

    The arithmetic runs before the transaction, which so stays short. Of two reckonings at the same time
    the one that started later counts.

    Raises:
        ValueError: ``year`` is no year of a program.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(year)
    started_at = timezone.now()
    reckoned = reckon_year(year)
    try:
        reckoning = _keep(year, started_at, reckoned, actor)
    except BaseException:
        shutil.rmtree(snapshot.folder() / reckoned.token, ignore_errors=True)
        raise
    snapshot.sweep(year, reckoning.token)
    return reckoning


@transaction.atomic
def _keep(year: int, started_at: dt.datetime, reckoned: Reckoned, actor: Any) -> Reckoning:
    reckoning, made = Reckoning.objects.select_for_update().get_or_create(
        year=year,
        defaults={"started_at": started_at, "finished_at": started_at, "token": reckoned.token},
    )
    if not made and reckoning.started_at > started_at:
        shutil.rmtree(snapshot.folder() / reckoned.token, ignore_errors=True)
        return reckoning
    now = timezone.now()
    reckoning.started_at, reckoning.finished_at = started_at, now
    reckoning.token, reckoning.totals = reckoned.token, reckoned.totals
    reckoning.save()
    changed = _keep_cases(year, reckoned, now)
    audit.record(
        "overlaps.reckon",
        actor=actor,
        subject=reckoning,
        detail={"year": year, "cases": len(reckoned.groups), **changed, **reckoned.totals},
    )
    return reckoning


def _keep_cases(year: int, reckoned: Reckoned, now: dt.datetime) -> dict[str, int]:
    """Make, continue and end cases; return how many were found, came back and ended."""
    cases = {case.pk: case for case in OverlapCase.objects.filter(year=year)}
    members: dict[int, set[int]] = {pk: set() for pk in cases}
    through = OverlapCase.sub_activities.through.objects.filter(overlapcase__in=cases)
    for case_id, sub_id in through.values_list("overlapcase_id", "subactivity_id"):
        members[case_id].add(sub_id)
    known = {pk: frozenset(found) for pk, found in members.items()}
    live = {pk: known[pk] for pk, case in cases.items() if case.state != CaseState.GONE}
    matched = continued(reckoned.groups, live)
    rest = [group for group in reckoned.groups if group not in matched]
    old = {pk: found for pk, found in known.items() if pk not in live}
    matched |= continued(rest, old)

    steps: list[CaseStep] = []
    names = dict(
        SubActivity.objects.filter(
            pk__in={pk for group in reckoned.groups for pk in group}.union(*known.values())
        ).values_list("pk", "name")
    )
    changed = {"found": 0, "returned": 0, "gone": 0}
    newcomers: list[OverlapCase] = []
    for group in reckoned.groups:
        kind = reckoned.kind_of[group[0]]
        pk = matched.get(group)
        if pk is None:
            case = OverlapCase.objects.create(
                year=year,
                help_kind=kind,
                households=reckoned.shared[group],
                found_at=now,
                seen_at=now,
            )
            case.sub_activities.set(group)
            steps.append(CaseStep(case=case, kind=StepKind.FOUND, at=now))
            changed["found"] += 1
            newcomers.append(case)
            continue
        case = cases[pk]
        added, removed = set(group) - known[pk], known[pk] - set(group)
        if case.state == CaseState.GONE:
            case.state = CaseState.OPEN
            steps.append(CaseStep(case=case, kind=StepKind.RETURNED, at=now))
            changed["returned"] += 1
            newcomers.append(case)
        elif case.state == CaseState.SETTLED and added:
            # The ruling did not know of the newcomer.
            case.state = CaseState.OPEN
        if added or removed:
            case.sub_activities.set(group)
            text = _members_text(names, added, removed)
            steps.append(CaseStep(case=case, kind=StepKind.MEMBERS, text=text, at=now))
        case.help_kind, case.households, case.seen_at = kind, reckoned.shared[group], now
    for pk in live.keys() - set(matched.values()):
        case = cases[pk]
        case.state, case.households = CaseState.GONE, 0
        steps.append(CaseStep(case=case, kind=StepKind.GONE, at=now))
        changed["gone"] += 1
    OverlapCase.objects.bulk_update(
        cases.values(), ["state", "households", "seen_at", "help_kind"], batch_size=200
    )
    CaseStep.objects.bulk_create(steps)
    _tell_of_new(year, newcomers)
    return changed


def _tell_of_new(year: int, cases: list[OverlapCase]) -> None:
    """Tell each agency once of all that was found; one by one they would bury other news."""
    pairs = SubActivity.objects.filter(overlap_cases__in=cases).values_list(
        "overlap_cases", "agency"
    )
    involved = Counter(agency for _case, agency in pairs.distinct())
    for agency_id, number in involved.items():
        notify(
            people_of([agency_id]),
            Kind.NEWS,
            _("Tumpang tindih baru tahun %(year)d dengan perangkat daerah lain: %(n)d kasus")
            % {"year": year, "n": number},
            f"{reverse('overlaps:list')}?tahun={year}",
        )


def _tell(case: OverlapCase, news: str, actor: Any, ruling: str = "") -> None:
    """Tell all whose programs are in a case what became of it; ``news`` names its kind and year."""
    agencies = set(case.sub_activities.values_list("agency", flat=True))
    text = news % {"kind": case.get_help_kind_display().lower(), "year": case.year}
    notify(
        (user for user in people_of(agencies) if user != actor),
        Kind.NEWS,
        f"{text}: {ruling}" if ruling else text,
        reverse("overlaps:case", args=[case.pk]),
    )


def _members_text(names: dict[int, str], added: Set[int], removed: Set[int]) -> str:
    def listed(pks: Set[int]) -> str:
        return "; ".join(names.get(pk, str(pk)) for pk in sorted(pks))

    parts = []
    if added:
        parts.append(_("Bertambah: %(names)s.") % {"names": listed(added)})
    if removed:
        parts.append(_("Berkurang: %(names)s.") % {"names": listed(removed)})
    return " ".join(parts)


@transaction.atomic
def settle(
    case: OverlapCase, *, ruling: str, lead_agency: Agency | None, note: str, actor: Any
) -> OverlapCase:
    """Settle a case, or settle it otherwise than before.

    Raises:
        ValidationError: the ruling needs a lead agency, or the agency has no part in the case.
    """
    case = OverlapCase.objects.select_for_update().get(pk=case.pk)
    if ruling not in Ruling.values:
        raise ValidationError({"ruling": _("Pilih salah satu putusan.")})
    if ruling in LED and lead_agency is None:
        raise ValidationError({"lead_agency": _("Pilih perangkat daerah yang memimpin.")})
    if ruling == Ruling.NO_OVERLAP:
        lead_agency = None
    if lead_agency is not None and not case.sub_activities.filter(agency=lead_agency).exists():
        raise ValidationError(
            {"lead_agency": _("Pilih perangkat daerah yang sub kegiatannya ada dalam kasus ini.")}
        )
    now = timezone.now()
    case.state, case.ruling, case.lead_agency = CaseState.SETTLED, ruling, lead_agency
    case.ruling_note, case.settled_by, case.settled_at = note, actor, now
    case.save()
    text = str(Ruling(ruling).label)
    if lead_agency is not None:
        text += " · " + _("pemimpin: %(agency)s") % {"agency": lead_agency}
    CaseStep.objects.create(
        case=case, kind=StepKind.SETTLED, text=f"{text}\n{note}".strip(), by=actor, at=now
    )
    audit.record(
        "overlaps.case.settle",
        actor=actor,
        subject=case,
        reason=note,
        detail={"ruling": ruling, "lead": lead_agency.code if lead_agency else ""},
    )
    _tell(case, _("Tumpang tindih %(kind)s tahun %(year)d diputuskan"), actor, ruling=text)
    return case


@transaction.atomic
def reopen(case: OverlapCase, *, reason: str, actor: Any) -> OverlapCase:
    """Open a settled case again; its ruling stays readable as the last one.

    Raises:
        ValidationError: the case is not settled.
    """
    case = OverlapCase.objects.select_for_update().get(pk=case.pk)
    if case.state != CaseState.SETTLED:
        raise ValidationError(_("Kasus ini tidak sedang diputuskan, jadi tidak bisa dibuka lagi."))
    case.state = CaseState.OPEN
    case.save(update_fields=["state"])
    CaseStep.objects.create(
        case=case, kind=StepKind.REOPENED, text=reason, by=actor, at=timezone.now()
    )
    audit.record("overlaps.case.reopen", actor=actor, subject=case, reason=reason)
    _tell(case, _("Tumpang tindih %(kind)s tahun %(year)d dibahas lagi"), actor)
    return case


@transaction.atomic
def log_export(what: str, *, actor: Any, reason: str, rows: int, filters: dict[str, Any]) -> None:
    """Note that a list of households left the system."""
    audit.record(
        "overlaps.list.export",
        actor=actor,
        reason=reason,
        detail={"list": what, "rows": rows, **filters},
    )
