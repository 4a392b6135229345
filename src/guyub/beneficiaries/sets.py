"""Writing many enrolments at once, as sets: the same on both databases, however many there are.

Callers open the transaction and hold the sub-activity (:func:`guyub.beneficiaries.services.hold`), so
that the set that a query names stays the same from one statement to the next.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Max, QuerySet

from guyub.beneficiaries.models import Delivery, Enrolment, EnrolmentStep, Stage
from guyub.programs.models import SubActivity
from guyub.registry.models import Household, Person
from guyub.targeting.models import RuleVersion

ENROLMENTS = Enrolment._meta.db_table
STEPS = EnrolmentStep._meta.db_table
DELIVERIES = Delivery._meta.db_table


def _insert(table: str, constants: dict[str, Any], columns: dict[str, str], rows: Any) -> int:
    """Insert into ``table``: ``constants`` on every row, ``columns`` from the query set ``rows``.

    ``columns`` maps a column of the table to a field of ``rows``.
    """
    named = {f"{column}_ref": F(field) for column, field in columns.items()}
    try:
        select, parameters = rows.annotate(**named).values(*named).query.sql_with_params()
    except EmptyResultSet:
        return 0
    fixed = ["%s"] * len(constants)
    taken = [f'src."{name}"' for name in named]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join([*constants, *columns])}) "
            f"SELECT {', '.join([*fixed, *taken])} FROM ({select}) src",
            [*constants.values(), *parameters],
        )
        return int(cursor.rowcount)


def _moment(at: dt.datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def add(
    sub_activity: SubActivity,
    recipients: QuerySet[Household] | QuerySet[Person],
    *,
    entry: str,
    rule_version: RuleVersion | None = None,
    actor: Any,
    at: dt.datetime,
) -> int:
    """Make candidates of ``recipients``, none of whom is in the sub-activity yet; return how many."""
    top = Enrolment.objects.filter(sub_activity=sub_activity).aggregate(top=Max("pk"))["top"] or 0
    people = recipients.model is Person
    actor_id = actor.pk if actor is not None else None
    count = _insert(
        ENROLMENTS,
        {
            "sub_activity_id": sub_activity.pk,
            "agency_id": sub_activity.agency_id,
            "year": sub_activity.year,
            "help_kind": sub_activity.help_kind,
            "stage": Stage.CANDIDATE.value,
            "stage_since": _moment(at),
            "reason": "",
            "entry": str(entry),
            "rule_version_id": rule_version.pk if rule_version else None,
            "created_by_id": actor_id,
            "created_at": _moment(at),
        },
        {"household_id": "household_id", "person_id": "pk"} if people else {"household_id": "pk"},
        recipients,
    )
    _insert(
        STEPS,
        {"from_stage": "", "to_stage": Stage.CANDIDATE.value, "reason": "", "note": "",
         "by_id": actor_id, "at": _moment(at)},
        {"enrolment_id": "pk"},
        Enrolment.objects.filter(sub_activity=sub_activity, pk__gt=top),
    )  # fmt: skip
    return count


def move(
    enrolments: QuerySet[Enrolment], target: str, *, reason: str, actor: Any, at: dt.datetime
) -> int:
    """Move ``enrolments``, from wherever each is, to the stage ``target``; return how many."""
    count = _insert(
        STEPS,
        {"to_stage": str(target), "reason": reason, "note": "",
         "by_id": actor.pk if actor is not None else None, "at": _moment(at)},
        {"enrolment_id": "pk", "from_stage": "stage"},
        enrolments,
    )  # fmt: skip
    enrolments.update(stage=target, stage_since=at, reason=reason)
    return count


def deliver(
    enrolments: QuerySet[Enrolment],
    *,
    delivered_on: dt.date,
    amount: int,
    description: str,
    actor: Any,
    at: dt.datetime,
) -> int:
    """Record the same help for each of ``enrolments``; return how many. Stages stay as they are."""
    return _insert(
        DELIVERIES,
        {
            "delivered_on": connection.ops.adapt_datefield_value(delivered_on),
            "amount": amount,
            "description": description,
            "proof": "",
            "recorded_by_id": actor.pk if actor is not None else None,
            "recorded_at": _moment(at),
        },
        {"enrolment_id": "pk", "sub_activity_id": "sub_activity_id"},
        enrolments,
    )
