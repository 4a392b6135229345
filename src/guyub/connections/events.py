"""What other systems can be told of: events, each from what the audit log records.

A message names what happened and where to read more; it never holds personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from guyub.audit.models import Event


@dataclass(frozen=True)
class Kind:
    """One kind of event: its label, the actions of the audit log it stands for, where to read on."""

    label: Any
    actions: tuple[str, ...]
    # Path below /api/v1/, with the record's id; empty where there is none.
    path: str = ""


KINDS: dict[str, Kind] = {
    "report.submitted": Kind(
        _("Laporan kemajuan diajukan"), ("reports.report.submit",), "reports/{id}"
    ),
    "report.accepted": Kind(
        _("Laporan kemajuan diterima"), ("reports.report.accept",), "reports/{id}"
    ),
    "report.returned": Kind(
        _("Laporan kemajuan dikembalikan"), ("reports.report.return",), "reports/{id}"
    ),
    "obstacle.reported": Kind(
        _("Kendala dilaporkan"), ("obstacles.obstacle.report",), "obstacles/{id}"
    ),
    "obstacle.changed": Kind(
        _("Kendala ditangani, diteruskan, atau dibuka lagi"),
        (
            "obstacles.obstacle.step", "obstacles.obstacle.hand_over", "obstacles.obstacle.extend",
            "obstacles.obstacle.escalate", "obstacles.obstacle.reopen",
        ),
        "obstacles/{id}",
    ),
    "obstacle.solved": Kind(
        _("Kendala selesai"), ("obstacles.obstacle.solve",), "obstacles/{id}"
    ),
    "proposal.submitted": Kind(
        _("Usulan, sanggahan, atau pengaduan masuk"), ("proposals.proposal.submit",),
        "proposals/{id}",
    ),
    "proposal.decided": Kind(
        _("Usulan, sanggahan, atau pengaduan diputus"),
        (
            "proposals.proposal.decide", "proposals.proposal.decide_appeal",
            "proposals.proposal.answer",
        ),
        "proposals/{id}",
    ),
    "dataset.renewed": Kind(_("Versi dataset baru"), ("datasets.version.add",)),
    "dataset.reference": Kind(_("Data acuan ditetapkan"), ("datasets.version.mark_reference",)),
    "recipients.changed": Kind(
        _("Banyak penerima didaftarkan atau dipindah tahapnya"), ("beneficiaries.batch.apply",)
    ),
    "request.asked": Kind(
        _("Permintaan data masuk"), ("sharing.request.ask",), "sharing/requests/{id}"
    ),
    "request.answered": Kind(
        _("Permintaan data dijawab"),
        ("sharing.request.grant", "sharing.request.refuse"),
        "sharing/requests/{id}",
    ),
    "meeting.invited": Kind(_("Undangan rapat"), ("meetings.meeting.invite",), "meetings/{id}"),
    "meeting.closed": Kind(_("Rapat selesai"), ("meetings.meeting.close",), "meetings/{id}"),
}  # fmt: skip
BY_ACTION = {action: name for name, kind in KINDS.items() for action in kind.actions}
# Sent on demand, to try a receiver out.
PING = "ping"


def message_of(event: Event) -> dict[str, Any]:
    """Return the message about ``event``, whose action must be one of :data:`BY_ACTION`."""
    name = BY_ACTION[event.action]
    path = KINDS[name].path.format(id=event.subject_id) if event.subject_id else ""
    return {
        "type": name,
        "timestamp": event.at.isoformat(),
        "data": {
            "subject": event.subject_type,
            "id": event.subject_id,
            "url": f"{settings.SITE_URL}/api/v1/{path}" if path else None,
        },
    }
