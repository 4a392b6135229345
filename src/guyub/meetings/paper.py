"""What meetings leave on paper: mandate letters and minutes, as PDF and for Word."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guyub.meetings import queries
from guyub.meetings.models import Capacity, Invitation, MandateScope, Meeting
from guyub.ui.typesetting import pdf

TEMPLATES = Path(__file__).parent / "documents"


def _when(meeting: Meeting) -> str:
    start, end = timezone.localtime(meeting.starts_at), timezone.localtime(meeting.ends_at)
    return f"{date_format(start, 'l, j F Y')}, {start:%H.%M}–{end:%H.%M} WIB"


def _language() -> str:
    return (get_language() or "id").partition("-")[0]


def mandate_letter(invitation: Invitation) -> bytes:
    """Typeset the letter that states who comes in the head's place and what they may decide."""
    meeting, agency = invitation.meeting, invitation.agency
    items = (
        [item.title for item in meeting.agenda.all()]
        if invitation.mandate_scope == MandateScope.ALL
        else [item.title for item in invitation.mandate_items.all()]
    )
    signed = invitation.mandate_signed_at
    return pdf(
        TEMPLATES / "mandate.typ",
        {
            "title": _("Surat Mandat"),
            "lang": _language(),
            "words": {
                "government": _("Pemerintah %(regency)s") % {"regency": settings.REGENCY_NAME},
                "undersigned": _("Yang bertanda tangan di bawah ini:"),
                "name": _("Nama"),
                "position": _("Jabatan"),
                "gives": _("memberi mandat kepada:"),
                "attends": _("untuk menghadiri:"),
                "meeting": _("Rapat"),
                "when": _("Waktu"),
                "place": _("Tempat"),
                "scope": _("Wewenang"),
                "binds": _(
                    "Keputusan wakil atas pokok bahasan berikut mengikat perangkat daerah kami:"
                ),
                "limits": _("Batas wewenang"),
                "code": _("Kode mandat"),
                "show": _("Tunjukkan kode ini saat mengisi kehadiran."),
                "signed": _("Disahkan secara elektronik di Guyub pada %(when)s WIB oleh %(who)s.")
                % {
                    "when": date_format(timezone.localtime(signed), "j F Y H.i") if signed else "",
                    "who": invitation.replied_by or "",
                },
                "draft": _("RANCANGAN: belum ditandatangani kepala perangkat daerah."),
            },
            "agency": agency.name,
            "address": agency.address,
            "head": agency.head_name,
            "head_title": agency.head_title or _("Kepala"),
            "delegate": invitation.delegate_name,
            "delegate_position": invitation.delegate_position,
            "meeting": meeting.title,
            "when": _when(meeting),
            "place": meeting.place,
            "scope": str(invitation.get_mandate_scope_display()),
            "decides": invitation.mandate_scope != MandateScope.NOTHING,
            "items": items,
            "limits": invitation.mandate_limits,
            "code": invitation.mandate_code,
            "is_signed": signed is not None,
            "signer": str(invitation.replied_by or ""),
        },
    )


def minutes_data(meeting: Meeting) -> dict[str, Any]:
    """Gather what the minutes say; both forms of them are made from this."""
    quorum = queries.quorum(meeting)
    decisions = queries.decisions_of(meeting)
    by_item: dict[int, list[Any]] = {}
    for decision in decisions:
        by_item.setdefault(decision.item_id, []).append(decision)
    attendances = list(meeting.attendances.select_related("agency"))
    return {
        "title": _("Notulen"),
        "lang": _language(),
        "words": _words(),
        "regency": settings.REGENCY_NAME,
        "meeting": meeting.title,
        "purpose": meeting.purpose,
        "when": _when(meeting),
        "place": meeting.place,
        "chair": meeting.chair,
        "quorum": _(
            "%(present)d dari %(invited)d perangkat daerah hadir dengan wewenang memutuskan; kuorum %(needed)d"
        )
        % {"present": quorum.present, "invited": quorum.invited, "needed": quorum.needed},
        "attendances": [
            {
                "agency": str(a.agency or "–"),
                "name": a.name,
                "position": a.position,
                "capacity": a.get_capacity_display(),
            }
            for a in attendances
        ],
        "present": _("Kepala yang hadir sendiri: %(heads)d. Wakil: %(delegates)d.")
        % {
            "heads": sum(a.capacity == Capacity.HEAD for a in attendances),
            "delegates": sum(a.capacity == Capacity.DELEGATE for a in attendances),
        },
        "notes": meeting.notes,
        "agenda": [
            {
                "title": item.title,
                "topic": item.get_topic_display(),
                "description": item.description,
                "inputs": [{"agency": str(i.agency), "text": i.text} for i in item.inputs.all()],
                "decisions": [_decision(decision) for decision in by_item.get(item.pk, [])],
            }
            for item in queries.agenda_of(meeting)
        ],
        "actions": [
            {
                "text": action.text,
                "agency": str(action.agency),
                "due": date_format(action.due_on, "j F Y"),
                "state": action.get_state_display(),
            }
            for action in meeting.actions.select_related("agency")
        ],
        "made": _("Dibuat oleh Guyub dari catatan rapat, %(when)s WIB.")
        % {"when": date_format(timezone.localtime(), "j F Y H.i")},
    }


def _words() -> dict[str, str]:
    """Return the fixed words of the minutes in the language of the moment."""
    return {
        "when": _("Waktu"),
        "place": _("Tempat"),
        "chair": _("Pemimpin rapat"),
        "quorum": _("Kuorum"),
        "purpose": _("Tujuan"),
        "inputs": _("Masukan tertulis"),
        "ratify_by": _("Batas pengesahan"),
        "regent_note": _("Arahan Bupati"),
        "notes": _("Jalannya rapat"),
        "actions": _("Tindak lanjut"),
        "owner": _("Penanggung jawab"),
        "due": _("Batas waktu"),
        "state": _("Keadaan"),
        "attendances": _("Daftar hadir"),
        "nobody": _("Belum ada kehadiran yang tercatat."),
        "agency": _("Perangkat daerah"),
        "name": _("Nama"),
        "position": _("Jabatan"),
        "capacity": _("Sebagai"),
    }


def _decision(decision: Any) -> dict[str, Any]:
    stances: dict[str, list[str]] = {}
    for consent in decision.consents.all():
        stances.setdefault(consent.get_stance_display(), []).append(str(consent.agency))
    return {
        "number": decision.number,
        "label": _("Keputusan %(number)d") % {"number": decision.number},
        "text": decision.text,
        "state": decision.get_state_display(),
        "stances": [
            {"stance": stance, "agencies": ", ".join(names)} for stance, names in stances.items()
        ],
        "ratify_by": date_format(decision.ratify_by, "j F Y") if decision.ratify_by else "",
        "regent_note": decision.regent_note,
    }


def minutes_pdf(meeting: Meeting) -> bytes:
    """Typeset the minutes."""
    return pdf(TEMPLATES / "minutes.typ", minutes_data(meeting))


def minutes_docx(meeting: Meeting) -> bytes:
    """Return the minutes as a Word file, to be worked over by hand."""
    # Imported late: it takes half a second, and few requests write for Word.
    from docx import Document

    data = minutes_data(meeting)
    document = Document()
    document.core_properties.title = f"{data['title']} {data['meeting']}"
    document.core_properties.author = "Guyub"
    document.add_heading(f"{data['title']}: {data['meeting']}", level=1)
    facts = document.add_table(rows=0, cols=2)
    words = data["words"]
    for label, value in (
        (words["when"], data["when"]),
        (words["place"], data["place"]),
        (words["chair"], data["chair"] or "–"),
        (words["quorum"], data["quorum"]),
    ):
        cells = facts.add_row().cells
        cells[0].text, cells[1].text = label, value
    if data["purpose"]:
        document.add_heading(words["purpose"], level=2)
        document.add_paragraph(data["purpose"])
    for number, item in enumerate(data["agenda"], 1):
        document.add_heading(f"{number}. {item['title']}", level=2)
        if item["description"]:
            document.add_paragraph(item["description"])
        for text in item["inputs"]:
            paragraph = document.add_paragraph(style="List Bullet")
            paragraph.add_run(f"{text['agency']}: ").bold = True
            paragraph.add_run(text["text"])
        for decision in item["decisions"]:
            paragraph = document.add_paragraph()
            paragraph.add_run(f"{decision['label']} ({decision['state']}): ").bold = True
            paragraph.add_run(decision["text"])
            for stance in decision["stances"]:
                document.add_paragraph(
                    f"{stance['stance']}: {stance['agencies']}", style="List Bullet"
                )
            if decision["regent_note"]:
                document.add_paragraph(f"{words['regent_note']}: {decision['regent_note']}")
    if data["notes"]:
        document.add_heading(words["notes"], level=2)
        document.add_paragraph(data["notes"])
    _table(
        document,
        words["actions"],
        (words["actions"], words["owner"], words["due"], words["state"]),
        [(a["text"], a["agency"], a["due"], a["state"]) for a in data["actions"]],
    )
    _table(
        document,
        words["attendances"],
        (words["agency"], words["name"], words["position"], words["capacity"]),
        [(a["agency"], a["name"], a["position"], a["capacity"]) for a in data["attendances"]],
    )
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _table(document: Any, heading: str, columns: tuple[str, ...], rows: list[Any]) -> None:
    if not rows:
        return
    document.add_heading(heading, level=2)
    table = document.add_table(rows=1, cols=len(columns), style="Light Grid Accent 1")
    for cell, text in zip(table.rows[0].cells, columns, strict=True):
        cell.text = text
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
