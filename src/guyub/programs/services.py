"""Writing programs."""

from __future__ import annotations

import csv
from pathlib import Path

from django.db import transaction

from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.programs.models import Program

DATA = Path(__file__).parent / "data"


@transaction.atomic
def load_programs(year: int) -> int:
    """Create Banyumas's programs of budget ``year`` that are not there yet; return how many it made.

    Programs of agencies that are not in the directory are passed over. Running it again changes
    nothing.
    """
    agencies = dict(Agency.objects.values_list("code", "pk"))
    known = set(Program.objects.filter(year=year).values_list("agency_id", "name"))
    with (DATA / "banyumas.csv").open(encoding="utf-8") as file:
        programs = [
            Program(
                agency_id=agencies[row["agency"]],
                year=year,
                code=row["code"],
                name=row["name"],
                description=row["description"],
            )
            for row in csv.DictReader(file)
            if row["agency"] in agencies and (agencies[row["agency"]], row["name"]) not in known
        ]
    Program.objects.bulk_create(programs)
    if programs:
        audit.record("programs.load", detail={"year": year, "created": len(programs)})
    return len(programs)
