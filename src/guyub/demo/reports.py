"""A year of progress reports: calendars, plans, and agencies that keep them well, late or not at all."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from django.utils import timezone

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.programs.models import SubActivity
from guyub.reports import queries
from guyub.reports.curves import S_CURVE
from guyub.reports.models import Frequency, Report, ReportEvent, ReportState, Step
from guyub.reports.schedules import schedule_year, set_schedule
from guyub.reports.services import Figures

BATCH = 500
QUARTERLY_EVERY = 12  # one sub-activity in so many reports by quarter
# How work goes: the share of the plan that gets done, and how many sub-activities go that way.
COURSES = ((1.0, 60), (0.95, 22), (0.84, 9), (0.68, 6), (0.45, 3))
# How agencies keep their dates: the days around the due date on which reports come in.
HABITS = ((-8, -1), (-6, 0), (-5, 2), (-2, 9), (4, 20))
DONE = (
    "Pendataan dan verifikasi calon penerima selesai di sebagian besar desa.",
    "Penyaluran berjalan sesuai jadwal; berita acara sudah ditandatangani.",
    "Pekerjaan fisik dikerjakan swakelola bersama kelompok masyarakat.",
    "Pelatihan angkatan pertama selesai; angkatan berikutnya sedang dijadwalkan.",
    "Rapat koordinasi dengan kecamatan dan pendamping dilaksanakan tiap bulan.",
)
HELD_UP = (
    "Sebagian penerima belum punya rekening sehingga penyaluran tertunda.",
    "Pengadaan mundur karena penawaran pertama gagal.",
    "Hujan menghambat pekerjaan di desa-desa perbukitan.",
    "Data penerima masih dipadankan dengan DTSEN.",
)
REMARKS = (
    "Sebutkan desa mana saja yang sudah menerima.",
    "Realisasi keuangan tidak cocok dengan laporan bulan sebelumnya; mohon diperiksa.",
    "Lampirkan foto pelaksanaan.",
)


def make_reports(actors: dict[str, User], today: dt.date, seed: int) -> int:
    """Give every sub-activity of the year a calendar and its past reports; return how many there are."""
    rng = random.Random(seed)  # noqa: S311
    secretary = actors["sekretariat"]
    schedule_year(
        today.year, frequency=Frequency.MONTHLY, grace_days=10, shape=S_CURVE, actor=secretary
    )
    for sub_activity in SubActivity.objects.filter(year=today.year, is_cancelled=False).order_by(
        "pk"
    )[::QUARTERLY_EVERY]:
        set_schedule(sub_activity, frequency=Frequency.QUARTERLY, grace_days=10, actor=secretary)
    reports = list(
        queries.with_names()
        .filter(sub_activity__year=today.year, period_end__lt=today)
        .order_by("period_end", "pk")
    )
    delivered = {
        end: queries.delivered([r.sub_activity_id for r in reports if r.period_end == end], end)
        for end in {report.period_end for report in reports}
    }
    writers = {
        user.agency_id: user for user in actors.values() if user.role == Role.AGENCY_OPERATOR
    }
    history = _Year(rng, today, secretary, writers)
    for report in reports:
        found = delivered[report.period_end].get(report.sub_activity_id, (0, 0))
        history.tell(report, found[0])
    Report.objects.bulk_update(reports, _WRITTEN, batch_size=BATCH)
    ReportEvent.objects.bulk_create(history.events, batch_size=BATCH)
    return len(reports)


_WRITTEN = [
    "physical", "budget", "reached", "narrative", "state", "submitted_at", "first_submitted_at",
    "accepted_at", "version",
]  # fmt: skip


class _Year:
    """Tells the reports of one year in order of time, each sub-activity and agency in its own way."""

    def __init__(
        self, rng: random.Random, today: dt.date, secretary: User, writers: dict[Any, User]
    ) -> None:
        self.rng, self.today, self.secretary, self.writers = rng, today, secretary, writers
        self.events: list[ReportEvent] = []
        self.courses: dict[int, float] = {}
        self.habits: dict[int, tuple[int, int]] = {}
        self.last: dict[int, tuple[Decimal, int, int]] = {}

    def tell(self, report: Report, delivered: int) -> None:
        """Fill in ``report`` as its agency would by now."""
        rng, key = self.rng, report.sub_activity_id
        agency = report.sub_activity.agency_id
        course = self.courses.setdefault(
            key, rng.choices([c for c, _n in COURSES], [n for _c, n in COURSES])[0]
        )
        first, last = self.habits.setdefault(agency, rng.choice(HABITS))
        sent_on = max(
            report.period_end, report.due_on + dt.timedelta(days=rng.randint(first, last))
        )
        if sent_on > self.today or rng.random() < 0.02:
            # Not sent yet; some have begun to write.
            if rng.random() < 0.3:
                self._figures(report, course, delivered)
                report.state = ReportState.DRAFT
                self._step(report, Step.SAVED, self._moment(self.today, 9))
            return
        self._figures(report, course, delivered)
        report.state = ReportState.SUBMITTED
        report.first_submitted_at = report.submitted_at = self._moment(sent_on, 13)
        self._step(report, Step.SUBMITTED, report.submitted_at)
        reviewed_on = sent_on + dt.timedelta(days=rng.randint(2, 20))
        if reviewed_on > self.today:
            return
        if rng.random() < 0.06:
            report.state = ReportState.RETURNED
            self._step(report, Step.RETURNED, self._moment(reviewed_on, 10), rng.choice(REMARKS))
            if reviewed_on + dt.timedelta(days=5) > self.today or rng.random() < 0.2:
                return
            report.state = ReportState.SUBMITTED
            report.submitted_at = self._moment(reviewed_on + dt.timedelta(days=3), 14)
            self._step(report, Step.SUBMITTED, report.submitted_at)
            reviewed_on += dt.timedelta(days=5)
        report.state = ReportState.ACCEPTED
        report.accepted_at = self._moment(reviewed_on, 11)
        self._step(report, Step.ACCEPTED, report.accepted_at)

    def _figures(self, report: Report, course: float, delivered: int) -> None:
        rng = self.rng
        physical, budget, reached = self.last.get(report.sub_activity_id, (Decimal(0), 0, 0))
        drift = course * rng.uniform(0.96, 1.02)
        planned = report.planned_physical or Decimal(0)
        # Those far behind now and then spend without getting on.
        stuck = course < 0.7 and rng.random() < 0.2
        wanted = min(Decimal(100), (planned * Decimal(str(drift))).quantize(Decimal("0.01")))
        report.physical = physical if stuck else max(physical, wanted)
        spent = round((report.planned_budget or 0) * min(1.0, drift * rng.uniform(0.93, 1.0)))
        report.budget = max(budget, spent)
        quota = report.sub_activity.quota or 0
        told = delivered if delivered else round(quota * float(report.physical) / 100)
        # Some count by hand, and a few too many or too few.
        report.reached = max(reached, told if rng.random() < 0.85 else round(told * 1.03))
        text = [rng.choice(DONE)]
        if course < 0.9:
            text.append(rng.choice(HELD_UP))
        report.narrative = " ".join(text)
        self.last[report.sub_activity_id] = (report.physical, report.budget, report.reached)

    def _step(self, report: Report, step: Step, at: dt.datetime, remark: str = "") -> None:
        report.version += 1
        by = self.secretary
        if step in (Step.SAVED, Step.SUBMITTED):
            by = self.writers.get(report.sub_activity.agency_id)  # type: ignore[assignment]
        self.events.append(
            ReportEvent(
                report=report, step=step, state=report.state, remark=remark, by=by, at=at,
                values=Figures.of(report).as_json(),
            )
        )  # fmt: skip

    def _moment(self, day: dt.date, hour: int) -> dt.datetime:
        minute = self.rng.randrange(60)
        return timezone.make_aware(dt.datetime(day.year, day.month, day.day, hour, minute))
