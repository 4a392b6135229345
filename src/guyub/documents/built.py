"""Keeping and sharing built reports. A reader's own permissions decide about the figures."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.documents.models import BuiltReport, Sharing
from guyub.documents.question import Question

MOST = 200  # built reports of one person


def visible_to(user: Any) -> QuerySet[BuiltReport]:
    """Return the reports that ``user`` finds in the list: their own, their agency's, everybody's."""
    found = Q(owner=user.pk) | Q(sharing=Sharing.ALL)
    if user.agency_id is not None:
        found |= Q(sharing=Sharing.AGENCY, agency=user.agency_id)
    return BuiltReport.objects.filter(found).select_related("owner", "agency")


def may_open(user: Any, report: BuiltReport) -> bool:
    """Tell whether ``user`` may open a report whose address they have."""
    if report.owner_id == user.pk or report.sharing in (Sharing.ALL, Sharing.LINK):
        return True
    return (
        report.sharing == Sharing.AGENCY
        and report.agency_id is not None
        and report.agency_id == user.agency_id
    )


@transaction.atomic
def save(
    *,
    name: str,
    description: str,
    question: Question,
    sharing: str,
    actor: Any,
    report: BuiltReport | None = None,
) -> BuiltReport:
    """Keep a question under a name, or change what ``report`` keeps.

    Raises:
        ValidationError: sharing with an agency by someone who has none, or too many reports.
    """
    if sharing == Sharing.AGENCY and actor.agency_id is None:
        raise ValidationError({"sharing": _("Akun Anda tidak terikat pada perangkat daerah.")})
    is_new = report is None
    if report is None:
        if BuiltReport.objects.filter(owner=actor).count() >= MOST:
            raise ValidationError(
                _("Anda sudah menyimpan %(n)d laporan; hapus yang tidak dipakai.") % {"n": MOST}
            )
        report = BuiltReport(owner=actor, agency=actor.agency)
    report.name, report.description = name.strip(), description.strip()
    report.question, report.sharing = question.as_json(), sharing
    report.save()
    audit.record(
        "documents.built.create" if is_new else "documents.built.edit",
        actor=actor,
        subject=report,
        detail={"question": report.question, "sharing": sharing},
    )
    return report


@transaction.atomic
def copy(report: BuiltReport, *, actor: Any) -> BuiltReport:
    """Make a private copy of a report for ``actor``."""
    name = _("Salinan %(name)s") % {"name": report.name}
    return save(
        name=name[:120],
        description=report.description,
        question=Question.read(report.question),
        sharing=Sharing.PRIVATE,
        actor=actor,
    )


@transaction.atomic
def delete(report: BuiltReport, *, actor: Any) -> None:
    """Delete a report together with its schedules."""
    audit.record(
        "documents.built.delete", actor=actor, subject=report, detail={"question": report.question}
    )
    report.delete()
