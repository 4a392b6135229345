"""Meetings held and to come, data asked for and given: what agencies did together in the past year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from django.utils import timezone

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.datasets.models import Dataset
from guyub.demo.names import draw_names
from guyub.meetings import decisions as outcomes
from guyub.meetings import services as meetings
from guyub.meetings.models import (
    ActionItem,
    ActionState,
    ActionUpdate,
    AgendaItem,
    Attendance,
    Capacity,
    Consent,
    Decision,
    Invitation,
    MandateScope,
    Meeting,
    MeetingState,
    Reply,
    WrittenInput,
)
from guyub.scorecard import services as scorecard
from guyub.scorecard.quarters import Quarter
from guyub.sharing import services as sharing
from guyub.sharing.models import DataRequest

# Days ago of the meetings held, and the share of heads who came in person.
HELD = ((320, 0.35), (250, 0.4), (180, 0.5), (110, 0.6), (45, 0.7))
AGENDA: tuple[tuple[str, str, str], ...] = (
    ("Penetapan satu data acuan penerima bantuan", "Semua perangkat daerah memakai DTSEN versi acuan mulai triwulan depan.", "Sesuaikan daftar penerima dengan data acuan"),
    ("Pembagian wilayah perbaikan rumah tidak layak huni", "Dinas perumahan memimpin; dinas sosial mengusulkan keluarga lewat Guyub.", "Satukan daftar calon penerima perbaikan rumah"),
    ("Keluarga miskin ekstrem yang belum dibantu", "Setiap perangkat daerah menyisir keluarga desil 1 tanpa bantuan di wilayah sasarannya.", "Laporkan hasil penyisiran keluarga desil 1"),
    ("Laporan kemajuan yang terlambat", "Laporan triwulan diajukan paling lambat tanggal sepuluh bulan berikutnya.", "Ajukan laporan triwulan yang tertunggak"),
    ("Anak putus sekolah dari keluarga desil 1 dan 2", "Bantuan pendidikan didahulukan bagi anak yang belum kembali bersekolah.", "Padankan data anak tidak sekolah dengan registri"),
)  # fmt: skip
INPUTS = (
    "Mohon daftar penerima dicocokkan dulu dengan data acuan sebelum diputuskan.",
    "Kami mengusulkan kecamatan dengan kemiskinan tertinggi didahulukan.",
    "Anggaran kami terbatas; pembagian peran perlu disepakati sejak perencanaan.",
    "Data desa perlu dimutakhirkan sebelum penetapan penerima.",
)
# Dataset, who asks, for what, days ago, and days until granted (none: it still waits).
ASKED: tuple[tuple[str, str, str, int, int | None], ...] = (
    ("rtlh", "operator", "Memilih keluarga yang rumahnya perlu perbaikan", 40, 3),
    ("dtsen", "operator-perkim", "Mencocokkan calon penerima perbaikan rumah dengan desilnya", 25, 2),
    ("kependudukan", "operator", "Mencocokkan NIK keluarga penerima bantuan", 18, None),
    ("stunting", "operator-perkim", "Mendahulukan rumah keluarga yang mempunyai balita stunting", 4, None),
)  # fmt: skip


def make_meetings(actors: dict[str, User], today: dt.date, seed: int) -> None:
    """Hold five meetings in the past year and invite to one in ten days."""
    rng = np.random.default_rng([seed, 20])
    agencies = list(Agency.objects.filter(is_active=True, sub_activities__isnull=False).distinct())
    if not agencies:
        return
    names = _names(len(agencies) * 2, rng)
    for number, (days_ago, heads) in enumerate(HELD):
        day = _workday(today - dt.timedelta(days=days_ago))
        _hold(number, day, heads, agencies, names, actors, rng)
    # What nobody ratified in time waits for the regent.
    outcomes.escalate_overdue(today)
    _plan_next(today, agencies, actors)


def _workday(day: dt.date) -> dt.date:
    """Return ``day``, or the Friday before it when it is on a weekend."""
    return day - dt.timedelta(days=max(0, day.weekday() - 4))


def _names(count: int, rng: np.random.Generator) -> list[str]:
    female = rng.random(count) < 0.35
    born = rng.integers(1968, 1985, count)
    return [str(name).title() for name in draw_names(female, born, rng).to_pylist()]


def _at(day: dt.date, hour: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour)))


def _hold(
    number: int,
    day: dt.date,
    heads: float,
    agencies: Sequence[Agency],
    names: Sequence[str],
    actors: dict[str, User],
    rng: np.random.Generator,
) -> None:
    secretary = actors["sekretariat"]
    meeting = meetings.plan_meeting(
        actor=secretary,
        values={
            "title": f"Rapat koordinasi TKPKD {number + 1}",
            "purpose": "Menyepakati siapa mengerjakan apa untuk keluarga yang sama.",
            "starts_at": _at(day, 9),
            "ends_at": _at(day, 12),
            "place": "Pendopo Sipanji, Purwokerto",
            "chair": "Sekretaris Daerah",
            "input_due_on": day - dt.timedelta(days=2),
        },
    )
    chosen = [AGENDA[(number + step) % len(AGENDA)] for step in range(3)]
    items = [
        meetings.save_item(
            meeting,
            actor=secretary,
            values={"title": title, "description": ""},
            agencies=[agencies[i] for i in rng.choice(len(agencies), 5, replace=False)],
        )
        for title, _decision, _action in chosen
    ]
    _invite_and_attend(meeting, heads, agencies, names, rng)
    WrittenInput.objects.bulk_create(
        [
            WrittenInput(
                meeting=meeting,
                item=items[int(rng.integers(len(items)))],
                agency=agency,
                author=secretary,
                text=INPUTS[int(rng.integers(len(INPUTS)))],
            )
            for agency in agencies
            if rng.random() < 0.2 + heads / 2
        ]
    )
    # They were written before the meeting, not when the demo was made.
    WrittenInput.objects.filter(meeting=meeting).update(written_at=_at(day, 8))
    Meeting.objects.filter(pk=meeting.pk).update(state=MeetingState.RUNNING)
    for item, (_title, text, deed) in zip(items, chosen, strict=True):
        _decide(item, text, deed, day, secretary, rng)
    Meeting.objects.filter(pk=meeting.pk).update(
        state=MeetingState.CLOSED,
        invited_at=_at(day - dt.timedelta(days=10), 10),
        opened_at=_at(day, 9),
        closed_at=_at(day, 12),
        notes="Rapat membahas pokok bahasan sesuai agenda; keputusan dan tindak lanjut tercatat di atas.",
    )


def _invite_and_attend(
    meeting: Meeting,
    heads: float,
    agencies: Sequence[Agency],
    names: Sequence[str],
    rng: np.random.Generator,
) -> None:
    start = meeting.starts_at
    sent, there = [], []
    for index, agency in enumerate(agencies):
        luck = rng.random()
        head, delegate = names[2 * index], names[2 * index + 1]
        invitation = Invitation(meeting=meeting, agency=agency, replied_at=start)
        if luck < heads:
            invitation.reply = Reply.ATTEND
            there.append((agency, agency.head_name or head, "Kepala", Capacity.HEAD))
        elif luck < heads + 0.25:
            invitation.reply = Reply.DELEGATE
            invitation.delegate_name, invitation.delegate_position = delegate, "Sekretaris"
            invitation.mandate_scope = MandateScope.ALL
            invitation.mandate_code = f"DEMO{index:04d}"
            invitation.mandate_signed_at = start
            there.append((agency, delegate, "Sekretaris", Capacity.DELEGATE))
        elif luck < 0.93:
            there.append((agency, delegate, "Staf", Capacity.COMPANION))
        else:
            invitation.reply = Reply.DECLINE
            invitation.decline_reason = "Bersamaan dengan rapat di provinsi"
        sent.append(invitation)
    Invitation.objects.bulk_create(sent)
    Attendance.objects.bulk_create(
        [
            Attendance(
                meeting=meeting,
                agency=agency,
                name=name,
                position=position,
                capacity=capacity,
                by_qr=True,
                arrived_at=start,
            )
            for agency, name, position, capacity in there
        ]
    )


def _decide(
    item: AgendaItem,
    text: str,
    deed: str,
    day: dt.date,
    secretary: User,
    rng: np.random.Generator,
) -> None:
    item.meeting.refresh_from_db()
    Meeting.objects.filter(pk=item.meeting_id).update(quorum_percent=30)
    decision = outcomes.record_decision(item, actor=secretary, text=text)
    when = _at(day, 11)
    pending = decision.ratify_by is not None
    Decision.objects.filter(pk=decision.pk).update(
        decided_at=when,
        settled_at=None if pending else when,
        ratify_by=day + dt.timedelta(days=7) if pending else None,
    )
    Consent.objects.filter(decision=decision, on_the_day=True).update(at=when)
    old = (timezone.localdate() - day).days > 60
    if pending and old:
        # Heads who were not there ratified some days later.
        later = when + dt.timedelta(days=4)
        for consent in decision.consents.filter(stance="awaited"):
            outcomes.ratify(consent, actor=secretary, agrees=True)
        Consent.objects.filter(decision=decision, on_the_day=False).update(at=later, by=None)
        Decision.objects.filter(pk=decision.pk).update(settled_at=later)
    for agency in item.agencies.all()[:2]:
        due = day + dt.timedelta(days=30)
        action = ActionItem.objects.create(
            meeting=item.meeting, decision=decision, text=deed, agency=agency, due_on=due
        )
        if old and rng.random() < 0.75:
            done = _at(due - dt.timedelta(days=int(rng.integers(-12, 20))), 15)
            ActionUpdate.objects.create(
                action=action,
                text="Sudah dikerjakan; hasilnya tercatat pada program terkait.",
                state=ActionState.DONE,
                by=secretary,
                at=done,
            )
            ActionItem.objects.filter(pk=action.pk).update(state=ActionState.DONE, done_at=done)


def _plan_next(today: dt.date, agencies: Sequence[Agency], actors: dict[str, User]) -> None:
    day = _workday(today + dt.timedelta(days=12))
    secretary = actors["sekretariat"]
    meeting = meetings.plan_meeting(
        actor=secretary,
        values={
            "title": "Rapat koordinasi TKPKD berikutnya",
            "purpose": "Memutuskan kendala dan tumpang tindih yang belum selesai.",
            "starts_at": _at(day, 9),
            "ends_at": _at(day, 12),
            "place": "Pendopo Sipanji, Purwokerto",
            "chair": "Wakil Bupati",
            "input_due_on": day - dt.timedelta(days=3),
        },
    )
    meetings.fill_agenda(meeting, actor=secretary)
    if not meeting.agenda.exists():
        meetings.save_item(
            meeting,
            actor=secretary,
            values={"title": AGENDA[0][0], "description": ""},
            agencies=agencies[:5],
        )
    meetings.invite(meeting, agencies, actor=secretary)


def make_requests(actors: dict[str, User], datasets: dict[str, Dataset], today: dt.date) -> None:
    """Ask for data between agencies: some granted, some still waiting, one past its date."""
    owners = {user.agency_id: user for user in actors.values() if user.role == Role.AGENCY_OPERATOR}
    for code, asker, purpose, days_ago, answered in ASKED:
        asked = sharing.ask(
            datasets[code],
            actor=actors[asker],
            values={
                "purpose": purpose,
                "legal_basis": "Perpres 39/2019 tentang Satu Data Indonesia",
                "columns": ["nik", "name", "village", "address", "desil"],
                "area": None,
                "with_numbers": False,
                "wanted_until": today + dt.timedelta(days=120),
            },
        )
        when = timezone.now() - dt.timedelta(days=days_ago)
        due = when.date() + dt.timedelta(days=sharing.ANSWER_DAYS)
        DataRequest.objects.filter(pk=asked.pk).update(asked_at=when, due_on=due)
        if answered is not None:
            sharing.grant(
                asked,
                actor=owners[datasets[code].owner_id],
                chosen=["nik", "name", "village", "desil"],
                area=None,
                with_numbers=False,
                ends_on=today + dt.timedelta(days=90),
            )
            DataRequest.objects.filter(pk=asked.pk).update(
                answered_at=when + dt.timedelta(days=answered)
            )


def keep_scores(today: dt.date) -> None:
    """Keep the scores of the four quarters before this one."""
    quarter = Quarter.of(today)
    for _step in range(4):
        quarter = quarter.before
        scorecard.keep(quarter, today)
