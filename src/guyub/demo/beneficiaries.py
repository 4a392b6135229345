"""Recipients of the demo's sub-activities, drawn from its households as sets.

Who is drawn, how far each has come and what each was given hangs on a number scattered from the ids,
so that one database statement makes all the recipients of a sub-activity and the same seed always gives
the same. Some households end up helped twice with the same thing and some of the poorest with nothing,
because that is what the comparison of programs is there to find.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.areas.models import Level
from guyub.audit import services as audit
from guyub.beneficiaries.models import Delivery, Enrolment, EnrolmentStep, Entry, Stage
from guyub.beneficiaries.stages import GIVEN
from guyub.programs.models import Funding, SubActivity
from guyub.programs.vocabulary import HelpKind, Recipient
from guyub.registry.models import AreaCount, Household, Person

REGENCY = 600_000  # households of the real regency, which quotas and budgets are made for
PRIME = 1_000_003  # ids are scattered below it
# Kinds that are given again and again, and how often within a year so far.
TIMES = {HelpKind.CASH: 3, HelpKind.FOOD: 3, HelpKind.NUTRITION: 2}
# Kinds so large that only a part of their recipients is registered one by one.
PARTLY = {HelpKind.HEALTH_INSURANCE: 0.4, HelpKind.HEALTH_SERVICE: 0.6}
REASONS = {
    Stage.REJECTED: ("Sudah mampu", "Sudah pindah", "Tidak ditemukan"),
    Stage.WITHDRAWN: (
        "Pindah ke luar daerah",
        "Sudah menerima bantuan serupa",
        "Mengundurkan diri",
    ),
    Stage.GRADUATED: (
        "Pendapatan naik di atas garis kemiskinan",
        "Usaha berjalan",
        "Sudah mandiri",
    ),
}
# Each step, and the stages of those who took it; in the order in which they are taken.
STEPS: tuple[tuple[str, Stage, tuple[Stage, ...]], ...] = (
    ("", Stage.CANDIDATE, tuple(Stage)),
    (Stage.CANDIDATE, Stage.REJECTED, (Stage.REJECTED,)),
    (Stage.CANDIDATE, Stage.VERIFIED,
     (Stage.VERIFIED, Stage.ENROLLED, Stage.WITHDRAWN, *GIVEN)),
    (Stage.VERIFIED, Stage.ENROLLED, (Stage.ENROLLED, Stage.WITHDRAWN, *GIVEN)),
    (Stage.ENROLLED, Stage.WITHDRAWN, (Stage.WITHDRAWN,)),
    (Stage.ENROLLED, Stage.DELIVERED, GIVEN),
    (Stage.DELIVERED, Stage.FINISHED, (Stage.FINISHED,)),
    (Stage.DELIVERED, Stage.GRADUATED, (Stage.GRADUATED,)),
)  # fmt: skip
# When a stage is reached, as a share of the time since the sub-activity began.
MOMENTS = {
    Stage.CANDIDATE: 0.08, Stage.REJECTED: 0.18, Stage.VERIFIED: 0.18, Stage.ENROLLED: 0.28,
    Stage.WITHDRAWN: 0.5, Stage.DELIVERED: 0.36, Stage.FINISHED: 0.92, Stage.GRADUATED: 0.9,
}  # fmt: skip
# How many of a hundred are in each stage of one that has run for most of a year, one that has just
# begun, and one that is over.
RUNNING = {
    Stage.CANDIDATE: 12, Stage.REJECTED: 5, Stage.VERIFIED: 8, Stage.ENROLLED: 13,
    Stage.WITHDRAWN: 3, Stage.DELIVERED: 47, Stage.FINISHED: 10, Stage.GRADUATED: 2,
}  # fmt: skip
BEGUN = {Stage.CANDIDATE: 70, Stage.VERIFIED: 20, Stage.REJECTED: 5, Stage.ENROLLED: 5}
OVER = {
    Stage.REJECTED: 5, Stage.WITHDRAWN: 4, Stage.ENROLLED: 6, Stage.DELIVERED: 20,
    Stage.FINISHED: 60, Stage.GRADUATED: 5,
}  # fmt: skip
# Whom help to people is for: a word of the name or the kind, ages from and below, their share of all.
AGES: tuple[tuple[str, int, int, float], ...] = (
    ("Balita", 0, 5, 0.07), ("Imunisasi", 0, 5, 0.07), ("Lanjut", 60, 120, 0.14),
    (HelpKind.NUTRITION, 0, 5, 0.07), (HelpKind.SCHOOLING, 6, 19, 0.21),
    (HelpKind.TRAINING, 18, 56, 0.55), (HelpKind.JOB, 18, 60, 0.58), (HelpKind.CAPITAL, 20, 60, 0.55),
)  # fmt: skip


def scale_down(share: float) -> None:
    """Give the sub-activities quotas and money for a regency of ``share`` the size."""
    if share >= 1:
        return
    sub_activities = list(SubActivity.objects.exclude(quota=None))
    for sub_activity in sub_activities:
        sub_activity.quota = max(2, round((sub_activity.quota or 0) * share))
    SubActivity.objects.bulk_update(sub_activities, ["quota"], batch_size=200)
    fundings = list(Funding.objects.all())
    for funding in fundings:
        funding.amount = max(1, round(funding.amount * share / 1_000_000)) * 1_000_000
    Funding.objects.bulk_update(fundings, ["amount"], batch_size=200)


@transaction.atomic
def enrol_recipients(year: int, seed: int, tell: Callable[[int, int], None]) -> int:
    """Draw the recipients of the sub-activities of ``year``; return how many there are.

    Sub-activities for groups get none, nor do those without quota or that begin later.
    """
    today = timezone.localdate()
    todo = list(
        SubActivity.objects.filter(year=year, is_cancelled=False, starts_on__lt=today)
        .exclude(recipient=Recipient.COMMUNITY)
        .exclude(quota=None)
        .prefetch_related("areas")
        .annotate(budget=Sum("fundings__amount"))
        .order_by("pk")
    )
    operators = dict(User.objects.filter(role=Role.AGENCY_OPERATOR).values_list("agency_id", "pk"))
    total = 0
    for done, sub_activity in enumerate(todo):
        total += _Draw(sub_activity, seed, today, operators.get(sub_activity.agency_id)).make()
        tell(done + 1, len(todo))
    audit.record("beneficiaries.demo", detail={"enrolments": total})
    return total


class _Draw:
    """The recipients of one sub-activity."""

    def __init__(
        self, record: SubActivity, seed: int, today: dt.date, operator: int | None
    ) -> None:
        self.record, self.today, self.operator = record, today, operator
        self.luck = random.Random(f"{seed} {record.code} {record.name}")  # noqa: S311 (no secret)
        self.days = (today - record.starts_on).days
        self.people = record.recipient == Recipient.PERSON
        self.ages = next(
            (ages for ages in AGES if ages[0] in (record.help_kind, *record.name.split())), None
        ) if self.people else None  # fmt: skip

    def make(self) -> int:
        top = Enrolment.objects.aggregate(top=Max("pk"))["top"] or 0
        with connection.cursor() as cursor:
            query, values = self._enrolments()
            cursor.execute(query, values)
            count = int(cursor.rowcount)
            if count > 0:
                for source, target, stages in STEPS:
                    cursor.execute(*self._steps(source, target, stages, top))
                for time in range(TIMES.get(HelpKind(self.record.help_kind), 1)):
                    cursor.execute(*self._deliveries(time, top))
        return max(count, 0)

    def _scattered(self, column: str) -> str:
        """Return SQL that scatters ids below :data:`PRIME`, each call in another way."""
        by, shift = self.luck.randrange(100_000, 900_000), self.luck.randrange(PRIME)
        return f"(({column} %% {PRIME}) * {by} + {shift}) %% {PRIME}"

    def _moment(self, stage: str) -> Any:
        day = self.record.starts_on + dt.timedelta(days=int(self.days * MOMENTS[Stage(stage)]))
        at = timezone.make_aware(dt.datetime.combine(day, dt.time(10)))
        return connection.ops.adapt_datetimefield_value(at)

    def _enrolments(self) -> tuple[str, list[Any]]:
        record = self.record
        low, high = record.desil_min or 1, record.desil_max or 10
        kind = HelpKind(record.help_kind)
        places, inside = self._places()
        pool = AreaCount.objects.filter(**inside, desil__range=(low, high)).aggregate(
            n=Sum("people" if self.people else "households")
        )["n"]
        wanted = (record.quota or 0) * self.luck.uniform(0.6, 1.1) * PARTLY.get(kind, 1)
        share = self.ages[3] if self.ages else 1.0
        chance = min(0.95, wanted / max(1.0, (pool or 0) * share))
        limit = int(PRIME * chance)
        # Mistakes of targeting: some beyond the target, and some who are drawn three times as often.
        beyond, favoured = int(limit * 0.05), min(PRIME, limit * 3)
        scattered = self._scattered("p.id" if self.people else "h.id")
        age = ""
        if self.ages:
            first = self.today.replace(day=1)
            born = [first.replace(year=first.year - years) for years in self.ages[1:3]]
            age = f"AND p.birth_date <= '{born[0]}' AND p.birth_date > '{born[1]}' "
        # The order of the join is given: the scattered few first, then their households.
        source = (
            f"{Person._meta.db_table} p CROSS JOIN {Household._meta.db_table} h "
            f"WHERE h.id = p.household_id AND p.status = 'active' {age}AND"
            if self.people
            else f"{Household._meta.db_table} h WHERE"
        )
        person = "p.id" if self.people else "CAST(NULL AS BIGINT)"
        stage = self._stage(self._scattered("drawn.household_id + COALESCE(drawn.person_id, 0)"))
        drawn = (
            f"SELECT h.id AS household_id, {person} AS person_id FROM {source} "
            f"{scattered} < {favoured} AND h.status = 'active' {places}"
            # Some of the poorest are overlooked by everyone.
            f"AND NOT (h.desil <= 2 AND (h.id * 424243) %% 97 < 6) AND ("
            f"(h.desil BETWEEN {low} AND {high} AND ({scattered} < {limit} "
            f"OR ((h.id * 777767) %% 89 < 4 AND {scattered} < {favoured}))) "
            f"OR (h.desil > {high} AND {scattered} < {beyond}))"
        )
        since = " ".join("WHEN %s THEN %s" for _stage in Stage)
        why, reasons = self._reasons("staged.household_id", "staged.stage")
        query = (
            f"INSERT INTO {Enrolment._meta.db_table} (sub_activity_id, agency_id, year, help_kind, "
            "household_id, person_id, stage, stage_since, reason, entry, rule_version_id, "
            "created_by_id, created_at) SELECT %s, %s, %s, %s, staged.household_id, "
            f"staged.person_id, staged.stage, CASE staged.stage {since} END, {why}, %s, NULL, %s, %s "
            f"FROM (SELECT drawn.*, {stage} AS stage FROM ({drawn}) drawn) staged"
        )
        moments = [value for stage in Stage for value in (stage.value, self._moment(stage))]
        return query, [
            record.pk, record.agency_id, record.year, record.help_kind, *moments, *reasons,
            Entry.FILE.value, self.operator, self._moment(Stage.CANDIDATE),
        ]  # fmt: skip

    def _places(self) -> tuple[str, dict[str, Any]]:
        areas = list(self.record.areas.all())
        if not areas:
            return "", {}
        villages = {area.pk for area in areas if area.level == Level.VILLAGE}
        for area in areas:
            if area.level == Level.DISTRICT:
                villages.update(area.children.values_list("pk", flat=True))
        listed = ", ".join(str(pk) for pk in sorted(villages))
        return f"AND h.village_id IN ({listed}) ", {"village__in": villages}

    def _stage(self, scattered: str) -> str:
        """Return SQL that gives each one drawn a stage."""
        shares = BEGUN if self.days < 60 else OVER if self.record.ends_on < self.today else RUNNING
        weights = {stage: n * self.luck.uniform(0.6, 1.4) for stage, n in shares.items()}
        whens, below = [], 0.0
        for stage, weight in weights.items():
            below += weight / sum(weights.values())
            whens.append(f"WHEN {scattered} < {int(below * PRIME) + 1} THEN '{stage.value}'")
        return f"CASE {' '.join(whens)} END"

    @staticmethod
    def _reasons(number: str, stage: str) -> tuple[str, list[str]]:
        whens, values = [], []
        for ending, texts in REASONS.items():
            for rest, text in enumerate(texts):
                whens.append(f"WHEN {stage} = '{ending.value}' AND {number} %% 3 = {rest} THEN %s")
                values.append(text)
        return f"CASE {' '.join(whens)} ELSE '' END", values

    def _mine(self, stages: Iterable[Stage], top: int) -> str:
        listed = ", ".join(f"'{stage.value}'" for stage in stages)
        return (
            f"FROM {Enrolment._meta.db_table} e WHERE e.sub_activity_id = {self.record.pk} "
            f"AND e.id > {top} AND e.stage IN ({listed})"
        )

    def _steps(
        self, source: str, target: Stage, stages: tuple[Stage, ...], top: int
    ) -> tuple[str, list[Any]]:
        reason = "e.reason" if target in REASONS else "''"
        return (
            f"INSERT INTO {EnrolmentStep._meta.db_table} "
            "(enrolment_id, from_stage, to_stage, reason, note, by_id, at) "
            f"SELECT e.id, %s, %s, {reason}, '', %s, %s {self._mine(stages, top)}",
            [str(source), target.value, self.operator, self._moment(target)],
        )

    def _deliveries(self, time: int, top: int) -> tuple[str, list[Any]]:
        """Give what the budget has for each, in equal parts, the later ones not to everybody."""
        record: Any = self.record
        times = TIMES.get(HelpKind(record.help_kind), 1)
        each = (record.budget or 0) / max(1, record.quota) / times
        amount = max(25_000, round(min(each, 50_000_000) / 1_000) * 1_000)
        begun = MOMENTS[Stage.DELIVERED]
        day = record.starts_on + dt.timedelta(
            days=int(self.days * (begun + time * (0.88 - begun) / times))
        )
        text = f"Tahap {time + 1}" if times > 1 else ""
        some = f" AND {self._scattered('e.id')} < {int(PRIME * 0.87)}" if time else ""
        at = timezone.make_aware(dt.datetime.combine(day, dt.time(15)))
        return (
            f"INSERT INTO {Delivery._meta.db_table} (enrolment_id, sub_activity_id, delivered_on, "
            "amount, description, proof, recorded_by_id, recorded_at) "
            f"SELECT e.id, e.sub_activity_id, %s, %s, %s, '', %s, %s {self._mine(GIVEN, top)}{some}",
            [
                connection.ops.adapt_datefield_value(day), amount, text, self.operator,
                connection.ops.adapt_datetimefield_value(at),
            ],
        )  # fmt: skip
