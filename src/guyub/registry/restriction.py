"""Restricted data (UU 27/2022 article 11): kept and shown to handlers, but handed to nobody.

This is the one place that says who is left out. Every export, every answer to another system, every
new list of recipients narrows by :func:`open_households`, :func:`open_people` or one of their SQL
texts; a test takes out all files and asks all interfaces, and finds no restricted person in them.

A restriction on a household leaves out the household and all its members. One on a person leaves out
the person; where that is the head, a list of households leaves the household out, since it would name
them.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access import wall
from guyub.access.sealing import seal_all
from guyub.audit import services as audit
from guyub.registry.models import Household, Person, Restriction
from guyub.registry.services import RegistryError

# Ids that lists leave out, for statements that are written as SQL.
HOUSEHOLD_IDS = (
    "SELECT r.household_id FROM registry_restriction r "
    "WHERE r.lifted_at IS NULL AND r.household_id IS NOT NULL UNION ALL "
    "SELECT p.household_id FROM registry_restriction r JOIN registry_person p "
    "ON p.id = r.person_id WHERE r.lifted_at IS NULL AND p.relation = 'head'"
)
PERSON_IDS = (
    "SELECT r.person_id FROM registry_restriction r "
    "WHERE r.lifted_at IS NULL AND r.person_id IS NOT NULL UNION ALL "
    "SELECT p.id FROM registry_restriction r JOIN registry_person p "
    "ON p.household_id = r.household_id WHERE r.lifted_at IS NULL"
)
# The same for queries; nothing in them comes from outside.
LEFT_OUT_HOUSEHOLDS = RawSQL(HOUSEHOLD_IDS, ())  # noqa: S611
LEFT_OUT_PEOPLE = RawSQL(PERSON_IDS, ())  # noqa: S611
Row = TypeVar("Row", bound=models.Model)


def open_households(rows: QuerySet[Row], prefix: str = "") -> QuerySet[Row]:
    """Leave out of ``rows`` what belongs to restricted households.

    ``prefix`` leads from a row to its household (``"household__"``).
    """
    return rows.exclude(**{f"{prefix}id__in": LEFT_OUT_HOUSEHOLDS})


def open_people(rows: QuerySet[Row], prefix: str = "") -> QuerySet[Row]:
    """Leave out of ``rows`` what belongs to restricted people; ``prefix`` leads to the person."""
    if not prefix:
        return rows.exclude(id__in=LEFT_OUT_PEOPLE)
    # Rows without a person stay.
    return rows.filter(Q(**{f"{prefix}id": None}) | ~Q(**{f"{prefix}id__in": LEFT_OUT_PEOPLE}))


def open_numbers(rows: QuerySet[Row], field: str = "nik") -> QuerySet[Row]:
    """Leave out of ``rows`` those whose ``field`` is the NIK of a restricted person."""
    taken = (
        f"SELECT n.nik FROM registry_person n WHERE n.nik IS NOT NULL AND n.id IN ({PERSON_IDS})"  # noqa: S608
    )
    return rows.exclude(**{f"{field}__in": RawSQL(taken, ())})  # noqa: S611


def household_ids() -> list[int]:
    """Return the ids of the households that lists leave out."""
    return _numbers(HOUSEHOLD_IDS)


def person_ids() -> list[int]:
    """Return the ids of the people that lists leave out."""
    return _numbers(PERSON_IDS)


def _numbers(sql: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return sorted({int(row[0]) for row in cursor.fetchall()})


def sealed_numbers() -> tuple[list[str], list[str]]:
    """Return the sealed NIK of restricted people and KK numbers of restricted households.

    Lists that lie in files leave out every row that has one of them.
    """
    # The owner of a list may hold people of every area.
    with wall.everything():
        people = Person.objects.filter(id__in=LEFT_OUT_PEOPLE).exclude(nik="")
        niks = people.values_list("nik", flat=True)
        homes = Restriction.objects.filter(lifted_at=None).exclude(household=None)
        kks = homes.exclude(household__kk="").values_list("household__kk", flat=True)
        sealed: Any = seal_all(list(niks)), seal_all(list(kks))
        return sealed[0], sealed[1]


def of_household(household: Household) -> list[Restriction]:
    """Return the restrictions in force on a household and its members, the newest first."""
    return list(
        Restriction.objects.filter(
            Q(household=household) | Q(person__household=household), lifted_at=None
        ).select_related("person", "placed_by")
    )


def is_restricted(record: Household | Person) -> bool:
    """Tell whether new lists leave ``record`` out."""
    leaves_out = open_households if isinstance(record, Household) else open_people
    rows: Any = type(record)._default_manager.filter(pk=record.pk)
    return not leaves_out(rows).exists()


@transaction.atomic
def place(record: Household | Person, *, reason: str, actor: Any) -> Restriction:
    """Hold a person's or household's data back from now on.

    Raises:
        RegistryError: there is no reason, or it is restricted already.
    """
    if not reason.strip():
        raise RegistryError(_("Tulis alasan pembatasannya."))
    about = {"household" if isinstance(record, Household) else "person": record}
    held: Any = type(record)._default_manager.select_for_update(of=("self",)).get(pk=record.pk)
    if Restriction.objects.filter(**about, lifted_at=None).exists():
        raise RegistryError(_("Pemrosesan datanya sudah dibatasi."))
    made = Restriction.objects.create(**about, reason=reason.strip()[:250], placed_by=actor)
    audit.record("registry.restriction.place", actor=actor, subject=held, reason=made.reason)
    return made


@transaction.atomic
def lift(restriction: Restriction, *, reason: str, actor: Any) -> Restriction:
    """Let the data be used again.

    Raises:
        RegistryError: there is no reason, or it was lifted already.
    """
    current = Restriction.objects.select_for_update().get(pk=restriction.pk)
    if current.lifted_at is not None:
        raise RegistryError(_("Pembatasan ini sudah dicabut."))
    if not reason.strip():
        raise RegistryError(_("Tulis alasan pencabutannya."))
    current.lifted_at, current.lifted_by = timezone.now(), actor
    current.lift_reason = reason.strip()[:250]
    current.save()
    audit.record(
        "registry.restriction.lift",
        actor=actor,
        subject=current.household or current.person,
        reason=current.lift_reason,
    )
    return current
