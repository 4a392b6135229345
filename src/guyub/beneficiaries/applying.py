"""What a batch concerns, and the writing of it. Callers open the transaction and hold the sub-activity."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import duckdb
from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from guyub.areas.models import Area, Level
from guyub.beneficiaries import sets
from guyub.beneficiaries.files import BatchFolder
from guyub.beneficiaries.models import (
    Batch,
    BatchKind,
    Delivery,
    Enrolment,
    EnrolmentStep,
    Entry,
    Stage,
)
from guyub.beneficiaries.queries import Narrowing, in_area
from guyub.beneficiaries.services import check_quota, refuse_closed
from guyub.beneficiaries.stages import BACK, CHOSEN, RECEIVING, begins_to_count, sources_of
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import Recipient
from guyub.registry import bulk
from guyub.registry.models import Household, Person
from guyub.registry.restriction import open_households, open_people
from guyub.targeting.models import RuleVersion
from guyub.targeting.queries import households_matching, people_matching

HELD = "batch_held"
# Corrections of many at once: those that lead back from one stage only and undo no delivery.
BULK_BACK = {target: source for source, target in BACK.items() if source is not Stage.DELIVERED}


def within_areas(rows: QuerySet[Any], codes: Iterable[str], prefix: str) -> QuerySet[Any]:
    """Narrow ``rows`` to those in any of the areas; without any, or with the regency, all stay.

    ``prefix`` leads from a row to its household (``"household__"``).
    """
    areas = list(Area.objects.filter(code__in=list(codes)))
    if not areas or any(area.level == Level.REGENCY for area in areas):
        return rows
    return rows.filter(
        Q(**{f"{prefix}village__in": [a.pk for a in areas if a.level == Level.VILLAGE]})
        | Q(**{f"{prefix}district__in": [a.pk for a in areas if a.level == Level.DISTRICT]})
    )


def matching(sub_activity: SubActivity, version: RuleVersion, areas: Iterable[str]) -> Any:
    """Return the households or people, after the sub-activity's kind of recipient, that match."""
    if sub_activity.recipient == Recipient.PERSON:
        return within_areas(people_matching(version), areas, "household__")
    return within_areas(households_matching(version), areas, "")


def not_in(sub_activity: SubActivity, recipients: Any) -> Any:
    """Narrow ``recipients`` to those that are not in the sub-activity, at whatever stage.

    Whose data are restricted is put on no new list.
    """
    mine = Enrolment.objects.filter(sub_activity=sub_activity)
    if sub_activity.recipient == Recipient.PERSON:
        new = recipients.filter(~Exists(mine.filter(person=OuterRef("pk"))))
        return open_people(new)
    new = recipients.filter(~Exists(mine.filter(household=OuterRef("pk"), person=None)))
    return open_households(new)


def selection(sub_activity: SubActivity, wish: dict[str, Any]) -> QuerySet[Enrolment]:
    """Return the enrolments that ``wish`` names, by ``ids`` or by a ``narrowing``."""
    rows = Enrolment.objects.filter(sub_activity=sub_activity)
    if "ids" in wish:
        return rows.filter(pk__in=wish["ids"])
    narrowing = Narrowing(**wish.get("narrowing", {}))
    if narrowing.stage:
        rows = rows.filter(stage=narrowing.stage)
    return in_area(rows, narrowing.area) if narrowing.area else rows


def sources(wish: dict[str, Any]) -> tuple[Stage, ...]:
    """Return the stages from which a wished move takes enrolments."""
    target = Stage(wish["target"])
    if wish.get("back"):
        return (BULK_BACK[target],) if target in BULK_BACK else ()
    return sources_of(target) if target in CHOSEN else ()


def undelivered(sub_activity: SubActivity, wish: dict[str, Any]) -> QuerySet[Enrolment]:
    """Return those chosen who may be given what is wished and were not given just that."""
    same = Delivery.objects.filter(
        enrolment=OuterRef("pk"), delivered_on=wish["on"], amount=wish["amount"]
    )
    return selection(sub_activity, wish).filter(~Exists(same), stage__in=RECEIVING)


# Applying


def _apply_rule(batch: Batch, folder: BatchFolder, now: dt.datetime) -> dict[str, int]:
    refuse_closed(batch.sub_activity)
    version = RuleVersion.objects.get(pk=batch.wish["version"])
    rows = not_in(batch.sub_activity, matching(batch.sub_activity, version, batch.wish["areas"]))
    rank = "household__desil" if batch.sub_activity.recipient == Recipient.PERSON else "desil"
    rows = rows.order_by(F(rank).asc(nulls_last=True), "pk")
    limit = batch.wish["limit"]
    done = sets.add(
        batch.sub_activity,
        rows if limit is None else rows[:limit],
        entry=Entry.RULE,
        rule_version=version,
        actor=batch.created_by,
        at=now,
    )
    return {"done": done}


def _apply_move(batch: Batch, folder: BatchFolder, now: dt.datetime) -> dict[str, int]:
    wish = batch.wish
    target, chosen = Stage(wish["target"]), selection(batch.sub_activity, wish)
    rows = chosen.filter(stage__in=sources(wish))
    total = chosen.count()
    if any(begins_to_count(source, target) for source in sources(wish)):
        check_quota(batch.sub_activity, rows.count(), wish["over_quota"])
    done = sets.move(rows, target, reason=wish["reason"], actor=batch.created_by, at=now)
    return {"done": done, "skipped": total - done}


def _apply_delivery(batch: Batch, folder: BatchFolder, now: dt.datetime) -> dict[str, int]:
    wish = batch.wish
    rows = undelivered(batch.sub_activity, wish)
    total = selection(batch.sub_activity, wish).count()
    # Who is given something for the first time must be known before it is written down.
    top = Delivery.objects.filter(sub_activity=batch.sub_activity).aggregate(m=Max("pk"))["m"] or 0
    done = sets.deliver(
        rows,
        delivered_on=dt.date.fromisoformat(wish["on"]),
        amount=wish["amount"],
        description=wish["description"],
        actor=batch.created_by,
        at=now,
    )
    _receive(batch, top, now)
    return {"done": done, "skipped": total - done, "rupiah": done * wish["amount"]}


def _receive(batch: Batch, top: int, now: dt.datetime) -> None:
    """Move the enrolled who were given something by deliveries newer than ``top``."""
    new = Delivery.objects.filter(enrolment=OuterRef("pk"), pk__gt=top)
    first = Enrolment.objects.filter(
        Exists(new), sub_activity=batch.sub_activity, stage=Stage.ENROLLED
    )
    sets.move(first, Stage.DELIVERED, reason="", actor=batch.created_by, at=now)


@contextlib.contextmanager
def _accepted(folder: BatchFolder, query: str, columns: str) -> Any:
    """Hold the accepted rows, as ``query`` reads them, in a temporary table of the database."""
    work_folder = folder.fresh_work()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {HELD}")
        cursor.execute(f"CREATE TEMPORARY TABLE {HELD} ({columns})")
    with duckdb.connect() as duck:
        bulk.push(duck, HELD, query.format(rows=f"'{folder.accepted}'"), work_folder)
    yield
    bulk.drop_held(HELD)


def _apply_enrolments(batch: Batch, folder: BatchFolder, now: dt.datetime) -> dict[str, int]:
    refuse_closed(batch.sub_activity)
    people = batch.sub_activity.recipient == Recipient.PERSON
    column = "person_id" if people else "household_id"
    top = Enrolment.objects.filter(sub_activity=batch.sub_activity).aggregate(m=Max("pk"))["m"] or 0
    model: Any = Person if people else Household
    with _accepted(
        folder,
        f"SELECT {column} AS id, note FROM {{rows}}",
        "id bigint PRIMARY KEY, note varchar(250)",
    ):
        held = model.objects.filter(pk__in=RawSQL(f"SELECT id FROM {HELD}", []))  # noqa: S611
        done = sets.add(
            batch.sub_activity,
            not_in(batch.sub_activity, held).order_by("pk"),
            entry=Entry.FILE,
            actor=batch.created_by,
            at=now,
        )
        steps, enrolments = EnrolmentStep._meta.db_table, Enrolment._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {steps} SET note = t.note FROM {HELD} t JOIN {enrolments} e "
                f"ON e.{column} = t.id WHERE e.sub_activity_id = %s AND e.id > %s "
                f"AND {steps}.enrolment_id = e.id AND t.note IS NOT NULL",
                [batch.sub_activity_id, top],
            )
    if batch.wish.get("stage") == Stage.ENROLLED:
        check_quota(batch.sub_activity, done, bool(batch.wish.get("over_quota")))
        new = Enrolment.objects.filter(sub_activity=batch.sub_activity, pk__gt=top)
        for stage in (Stage.VERIFIED, Stage.ENROLLED):
            sets.move(new, stage, reason=batch.wish["reason"], actor=batch.created_by, at=now)
    return {"done": done, "skipped": batch.counts["accepted"] - done}


def _apply_deliveries(batch: Batch, folder: BatchFolder, now: dt.datetime) -> dict[str, int]:
    top = Delivery.objects.filter(sub_activity=batch.sub_activity).aggregate(m=Max("pk"))["m"] or 0
    table, enrolments = Delivery._meta.db_table, Enrolment._meta.db_table
    stages = ", ".join(f"'{stage.value}'" for stage in RECEIVING)
    actor_id = batch.created_by_id
    with (
        _accepted(
            folder,
            "SELECT enrolment_id, delivered_on, amount, coalesce(note, '') AS note FROM {rows} "
            "ORDER BY row_number",
            "enrolment_id bigint, delivered_on date, amount bigint, note varchar(250)",
        ),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"INSERT INTO {table} (enrolment_id, sub_activity_id, delivered_on, amount, "
            "description, proof, recorded_by_id, recorded_at) "
            "SELECT e.id, e.sub_activity_id, t.delivered_on, t.amount, t.note, '', %s, %s "
            f"FROM {HELD} t JOIN {enrolments} e ON e.id = t.enrolment_id "
            f"WHERE e.sub_activity_id = %s AND e.stage IN ({stages}) AND NOT EXISTS ("
            f"SELECT 1 FROM {table} d WHERE d.enrolment_id = e.id "
            "AND d.delivered_on = t.delivered_on AND d.amount = t.amount)",
            [actor_id, connection.ops.adapt_datetimefield_value(now), batch.sub_activity_id],
        )
        done = cursor.rowcount
    _receive(batch, top, now)
    return {"done": done, "skipped": batch.counts["accepted"] - done}


APPLY: dict[BatchKind, Callable[[Batch, BatchFolder, dt.datetime], dict[str, int]]] = {
    BatchKind.ENROL_RULE: _apply_rule,
    BatchKind.ENROL_FILE: _apply_enrolments,
    BatchKind.DELIVER_FILE: _apply_deliveries,
    BatchKind.MOVE: _apply_move,
    BatchKind.DELIVER: _apply_delivery,
}
