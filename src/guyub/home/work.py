"""What first pages say of the work itself: who is late, what deviates, where the money is, what waits.

Every number opens the records behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.allocation import queries as allocation
from guyub.beneficiaries import queries as beneficiaries
from guyub.fieldwork import queries as fieldwork
from guyub.home.tiles import Task, Tile, grouped
from guyub.meetings import queries as meetings
from guyub.obstacles import queries as obstacles
from guyub.obstacles.models import Obstacle
from guyub.overlaps import budget as budgets
from guyub.overlaps import queries as overlaps
from guyub.proposals import queries as proposals
from guyub.reports import queries as reports
from guyub.reports.deviations import Deviation
from guyub.sharing import queries as sharing
from guyub.targets import queries as targets
from guyub.ui.numbers import decimal

ROWS_SHOWN = 5
# Fewer districts than these are named as having least money for their poor.
DISTRICTS_SHOWN = 5


def tasks(user: Any) -> list[Task]:
    """Return what waits for ``user`` in programs, reports, obstacles and meetings."""
    return [
        *_meeting_tasks(user),
        *_obstacle_tasks(user),
        *_report_tasks(user),
        *_overlap_tasks(user),
        *_beneficiary_tasks(user),
        *_plan_tasks(user),
        *_sharing_tasks(user),
        *_proposal_tasks(user),
        *_field_tasks(user),
    ]


def _meeting_tasks(user: Any) -> Iterator[Task]:
    waiting = meetings.waiting(user)
    calls, decisions = reverse("meetings:list"), reverse("meetings:decisions")
    rows = (
        (waiting.rulings, _("%(n)s keputusan menunggu arahan Bupati"), "", decisions + "?keadaan=escalated", "bad"),
        (
            waiting.ratifications,
            _("%(n)s keputusan rapat menunggu pengesahan Anda"),
            _("Lewat batasnya, keputusan diteruskan kepada Bupati."),
            decisions,
            "bad",
        ),
        (waiting.invitations, _("%(n)s undangan rapat belum dijawab"), "", calls, "warn"),
        (waiting.mandates, _("%(n)s mandat menunggu tanda tangan Anda"), "", calls, "warn"),
        (waiting.inputs, _("%(n)s rapat menunggu masukan tertulis"), "", calls, "info"),
        (
            waiting.actions,
            _("%(n)s tindak lanjut rapat belum selesai"),
            "",
            reverse("meetings:actions")
            + (f"?perangkat={user.agency.code}&keadaan=open" if user.agency_id else ""),
            "warn",
        ),
    )  # fmt: skip
    for number, text, note, url, tone in rows:
        if number:
            yield Task(text % {"n": grouped(number)}, note, url, "calendar", tone)


def _field_tasks(user: Any) -> Iterator[Task]:
    """Doors to knock at, for who goes there; what came back, for who decides about it."""
    if user.area_id is not None:
        number = fieldwork.to_go(user)
        if number:
            yield Task(
                _("%(n)s keluarga menunggu kunjungan") % {"n": grouped(number)},
                _("Buka di ponsel selagi ada sinyal; mengisinya bisa tanpa sinyal."),
                reverse("fieldwork:app"),
                "map",
                "warn",
            )
    elif can(user, "fieldwork.review"):
        number = fieldwork.waiting(user)
        if number:
            yield Task(
                _("%(n)s kiriman lapangan menunggu tinjauan") % {"n": grouped(number)},
                "",
                reverse("fieldwork:rounds"),
                "map",
                "warn",
            )


def _obstacle_tasks(user: Any) -> Iterator[Task]:
    rows = obstacles.waiting(user)
    first: list[Obstacle] = list(rows[: ROWS_SHOWN + 1])
    today = timezone.localdate()
    for obstacle in first[:ROWS_SHOWN]:
        yield Task(
            obstacle.title,
            _("%(severity)s · batas %(date)s")
            % {
                "severity": obstacle.get_severity_display(),
                "date": date_format(obstacle.due_on, "j M Y"),
            },
            reverse("obstacles:detail", args=[obstacle.pk]),
            "alert",
            "bad" if obstacle.due_on < today else "warn",
        )
    if len(first) > ROWS_SHOWN:
        more = rows.count() - ROWS_SHOWN
        yield Task(
            _("%(n)s kendala lain menunggu") % {"n": grouped(more)},
            "",
            reverse("obstacles:list") + "?saya=1",
            "alert",
        )


def _report_tasks(user: Any) -> Iterator[Task]:
    words = {
        "late": (_("%(n)s laporan kemajuan terlambat"), "bad", ""),
        "returned": (_("%(n)s laporan dikembalikan untuk diperbaiki"), "warn", "?keadaan=returned"),
        "due": (_("%(n)s laporan segera jatuh tempo"), "info", ""),
        "review": (_("%(n)s laporan menunggu tinjauan"), "warn", ""),
    }
    for row in reports.waiting(user):
        text, tone, query = words[row.kind]
        page = "reports:queue" if row.kind == "review" else "reports:list"
        note = ""
        if row.oldest is not None:
            note = _("Paling lama: %(date)s") % {"date": date_format(row.oldest, "j M Y")}
        yield Task(text % {"n": grouped(row.count)}, note, reverse(page) + query, "flag", tone)


def _overlap_tasks(user: Any) -> Iterator[Task]:
    waiting = overlaps.waiting(user, limit=1)
    if not waiting.total:
        return
    settles = can(user, "overlaps.settle")
    text = (
        _("%(n)s tumpang tindih perlu diputuskan")
        if settles
        else _("%(n)s tumpang tindih melibatkan perangkat daerah Anda")
    )
    url = (
        reverse("overlaps:case", args=[waiting.cases[0].pk])
        if waiting.total == 1
        else reverse("overlaps:list")
    )
    yield Task(text % {"n": grouped(waiting.total)}, "", url, "layers")


def _beneficiary_tasks(user: Any) -> Iterator[Task]:
    waiting = beneficiaries.waiting(user)
    if waiting.to_verify:
        yield Task(
            _("%(n)s calon penerima perlu diverifikasi") % {"n": grouped(waiting.to_verify)},
            "",
            reverse("beneficiaries:door"),
            "people",
        )
    if waiting.to_enrol:
        yield Task(
            _("%(n)s calon terverifikasi menunggu penetapan") % {"n": grouped(waiting.to_enrol)},
            "",
            reverse("beneficiaries:overview"),
            "people",
            "info",
        )


def _plan_tasks(user: Any) -> Iterator[Task]:
    """What the year's chosen plan gives to sub-activities of the user's agency, not taken up yet."""
    if user.agency_id is None or not can(user, "allocation.adopt"):
        return
    waiting = allocation.waiting_for(user.agency_id, timezone.localdate().year)
    if waiting is not None:
        yield Task(
            _("%(n)s sub kegiatan belum mendaftarkan calon dari rencana bantuan")
            % {"n": grouped(waiting.number)},
            _("Rencana %(year)d sudah dipilih; daftarkan calon penerimanya.")
            % {"year": waiting.year},
            reverse("allocation:scenario", args=[waiting.scenario_id]),
            "target",
        )


def _sharing_tasks(user: Any) -> Iterator[Task]:
    if number := sharing.waiting(user):
        yield Task(
            _("%(n)s permintaan data menunggu jawaban") % {"n": grouped(number)},
            "",
            reverse("sharing:list") + "?arah=masuk",
            "download",
        )


def _proposal_tasks(user: Any) -> Iterator[Task]:
    if number := proposals.waiting(user):
        yield Task(
            _("%(n)s usulan, sanggahan, atau pengaduan menunggu langkah Anda")
            % {"n": grouped(number)},
            "",
            reverse("proposals:list"),
            "people",
        )


# Numbers


def tiles(
    year: int, punctual: Sequence[reports.Punctuality], own: Agency | None = None
) -> list[Tile]:
    """Return the numbers of the year's work, those of ``own`` alone when an agency is given."""
    code = own.code if own is not None else ""
    due, on_time = sum(row.due for row in punctual), sum(row.on_time for row in punctual)
    share = round(100 * on_time / due) if due else None
    rows = Obstacle.objects.filter(needed_agency=own) if own is not None else None
    stand = obstacles.summary(rows)
    query = f"?tahun={year}" + (f"&perangkat={code}" if code else "")
    found = [
        Tile(
            f"{share} %" if share is not None else "–",
            _("Laporan tepat waktu"),
            _("%(n)s dari %(all)s yang jatuh tempo") % {"n": grouped(on_time), "all": grouped(due)},
            reverse("reports:lateness") + query,
            "" if share is None else "good" if share >= 90 else "warn" if share >= 70 else "bad",
        ),
        Tile(
            stand.unsolved,
            _("Kendala belum selesai"),
            _("%(n)s lewat batas waktu") % {"n": grouped(stand.overdue)},
            reverse("obstacles:list") + "?keadaan=belum" + (f"&dibutuhkan={code}" if code else ""),
            "bad" if stand.overdue else "warn" if stand.unsolved else "good",
        ),
    ]
    if own is None:
        summary = overlaps.summary(year)
        found.append(
            Tile(
                summary.open_cases,
                _("Tumpang tindih belum diputuskan"),
                _("%(n)s keluarga dibantu rangkap") % {"n": grouped(summary.doubled)},
                reverse("overlaps:list"),
                "warn" if summary.open_cases else "good",
            )
        )
        if summary.poorest:
            found.append(
                Tile(
                    summary.missed,
                    _("Keluarga desil 1–2 tanpa bantuan"),
                    _("dari %(all)s") % {"all": grouped(summary.poorest)},
                    reverse("overlaps:gaps"),
                    "bad" if summary.missed else "good",
                )
            )
    return found


def poverty_tile() -> Tile | None:
    """Return the published percentage of poor people; ``None`` before a figure is there."""
    headline = targets.headline()
    if headline is None:
        return None
    note = headline.source
    if headline.change is not None and headline.previous is not None:
        note = _("%(change)s poin sejak %(year)d") % {
            "change": ("+" if headline.change >= 0 else "") + decimal(headline.change, 2),
            "year": headline.previous.year,
        }
    return Tile(
        decimal(headline.value, 2) + " %",
        _("Penduduk miskin %(year)d (BPS)") % {"year": headline.year},
        note,
        reverse("targets:published"),
        "good" if headline.change is not None and headline.change < 0 else "",
    )


# Tables


@dataclass(frozen=True)
class DistrictMoney:
    """A district's poor households and the money that reaches it, in rupiah."""

    name: str
    code: str
    poor: int
    amount: int
    each: int
    url: str


def least_money(year: int) -> list[DistrictMoney]:
    """Return the districts with the least money of ``year`` for each poor household."""
    rows = [row for row in budgets.by_district(year).districts if row.poor and row.each is not None]
    rows.sort(key=lambda row: row.each or 0)
    return [
        DistrictMoney(
            row.area.name,
            row.area.code,
            row.poor,
            row.amount,
            row.each or 0,
            reverse("overlaps:budget_area", args=[row.area.code]) + f"?tahun={year}",
        )
        for row in rows[:DISTRICTS_SHOWN]
    ]


@dataclass(frozen=True)
class Work:
    """The tables of a first page about the year's work."""

    year: int
    late: list[Any]
    deviations: list[Deviation]
    deviations_total: int
    money: list[DistrictMoney]
    behind: list[Any]
    behind_total: int


def punctuality(year: int, own: Agency | None = None) -> list[reports.Punctuality]:
    """Return how agencies (``own`` alone when given) keep the due dates of their reports."""
    return reports.late_by_agency(year, agency_id=own.pk if own is not None else None)


def work(year: int, punctual: Sequence[reports.Punctuality], own: Agency | None = None) -> Work:
    """Return who is late, what deviates, where money is least and which indicators are behind.

    With ``own`` only that agency's deviations and indicators, and no table of others.
    """
    found = reports.deviations(year, agency=own.code if own is not None else "")
    standing = targets.summary(own)
    behind = [progress for owner in standing.owners for progress in owner.behind]
    late = [row for row in punctual if row.late or row.missing]
    return Work(
        year=year,
        late=late[:ROWS_SHOWN] if own is None else [],
        deviations=found[:ROWS_SHOWN],
        deviations_total=len(found),
        money=least_money(year) if own is None else [],
        behind=behind[:ROWS_SHOWN],
        behind_total=len(behind),
    )
