"""Writing agencies."""

from __future__ import annotations

import json
from pathlib import Path

from django.db import transaction

from guyub.agencies.models import Agency, AgencyFunction
from guyub.audit import services as audit

DATA = Path(__file__).parent / "data"


@transaction.atomic
def load_agencies() -> int:
    """Create the agencies of Banyumas that are not there yet; return how many the list holds.

    Agencies that exist keep what people have written about them. Running it again changes nothing.
    """
    entries = json.loads((DATA / "banyumas.json").read_text(encoding="utf-8"))
    known = set(Agency.objects.values_list("code", flat=True))
    created = []
    for entry in entries:
        functions = entry.pop("functions")
        if entry["code"] in known:
            continue
        agency = Agency.objects.create(**entry)
        AgencyFunction.objects.bulk_create(
            AgencyFunction(agency=agency, position=position, text=text)
            for position, text in enumerate(functions, start=1)
        )
        created.append(agency.code)
    if created:
        audit.record("agencies.load", detail={"created": created})
    return len(entries)
