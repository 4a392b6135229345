"""The registry's expenditure per head, summed up for measuring poverty in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q, Sum

from guyub.registry.models import Household
from guyub.registry.vocabulary import Status

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class RegistryPeople:
    """Active households by expenditure and district.

    ``people`` has ``expenditure`` (rupiah per head and month), ``people``, ``households`` and ``domain``
    (the district's name), a row per amount and district.
    """

    people: pl.DataFrame
    households: int
    members: int
    without_expenditure: int


def people_by_expenditure() -> RegistryPeople:
    """Read the active households, added up by the database: two queries, whatever their number.

    A household without members counts as one person.
    """
    # Imported late, as in guyub.targets.poverty.
    import polars as pl

    active = Household.objects.filter(status=Status.ACTIVE)
    known = active.filter(expenditure__isnull=False)
    rows = (
        known.order_by()
        .values_list("district__name", "expenditure")
        .annotate(
            counted=Sum("member_count"),
            households=Count("pk"),
            alone=Count("pk", filter=Q(member_count=0)),
        )
    )
    columns: tuple[list[str], list[int], list[int], list[int]] = ([], [], [], [])
    for district, expenditure, counted, households, alone in rows.iterator(chunk_size=20_000):
        columns[0].append(district)
        columns[1].append(expenditure)
        columns[2].append(counted + alone)
        columns[3].append(households)
    frame = pl.DataFrame(
        {
            "domain": columns[0],
            "expenditure": columns[1],
            "people": columns[2],
            "households": columns[3],
        },
        schema={
            "domain": pl.String,
            "expenditure": pl.Int64,
            "people": pl.Int64,
            "households": pl.Int64,
        },
    )
    return RegistryPeople(
        frame,
        int(frame["households"].sum()),
        int(frame["people"].sum()),
        active.filter(expenditure__isnull=True).count(),
    )
