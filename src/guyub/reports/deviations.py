"""When realisation falls behind the plan: how far is worth an alarm, and how it is judged.

The first threshold is that of a critical contract (*kontrak kritis*): Permen PU 07/PRT/M/2011, carried
on by Permen PUPR 14/2020, calls a works contract critical when the work lags more than 10 points
behind its plan while the plan stands below 70 %, and more than 5 points from 70 % on. Sub-activities
are no works contracts, so Guyub borrows the yardstick, not its consequences. That more than 20 points
is graver still, and that money spent without progress is worth a look, are Guyub's own choices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from guyub.reports.amounts import percent
from guyub.reports.models import Report

CRITICAL_EARLY = Decimal(10)  # points behind, while the plan is below SECOND_PHASE
CRITICAL_LATE = Decimal(5)  # points behind, from SECOND_PHASE on
SECOND_PHASE = Decimal(70)  # per cent planned
GRAVE = Decimal(20)  # points behind
WARN, BAD = "warn", "bad"


@dataclass(frozen=True)
class Deviation:
    """A sub-activity whose latest report calls for a look.

    ``behind`` is planned less realised, in points (negative when ahead; ``None`` without a plan).
    """

    report: Report
    behind: Decimal | None
    level: str  # WARN or BAD
    reasons: list[str] = field(default_factory=list)


def level_of(planned: Decimal, realised: Decimal) -> str:
    """Return how grave it is that ``realised`` per cent stand against ``planned``; empty when fine."""
    behind = planned - realised
    if behind > GRAVE:
        return BAD
    critical = CRITICAL_LATE if planned >= SECOND_PHASE else CRITICAL_EARLY
    return WARN if behind > critical else ""


def judge(report: Report, previous: Report | None) -> Deviation | None:
    """Judge a report against its plan and against the report before it; ``None`` when all is well."""
    reasons, level, behind = [], "", None
    if report.physical is None:
        return None
    if report.planned_physical is not None:
        behind = report.planned_physical - report.physical
        level = level_of(report.planned_physical, report.physical)
        if level:
            reasons.append(
                _("Fisik %(done)s, rencana %(planned)s: tertinggal %(behind)s poin.")
                % {
                    "done": percent(report.physical),
                    "planned": percent(report.planned_physical),
                    "behind": percent(behind).rstrip("%"),
                }
            )
    physical_before = previous.physical or Decimal(0) if previous is not None else Decimal(0)
    budget_before = previous.budget or 0 if previous is not None else 0
    if (report.budget or 0) > budget_before and report.physical <= physical_before < 100:
        reasons.append(_("Keuangan bertambah, fisik tidak."))
        level = level or WARN
    return Deviation(report, behind, level, reasons) if level else None


def worst_first(found: Iterable[Deviation]) -> list[Deviation]:
    """Return deviations with the gravest in front."""
    return sorted(
        found, key=lambda d: (d.level != BAD, -(d.behind or Decimal(0)), d.report.sub_activity_id)
    )
