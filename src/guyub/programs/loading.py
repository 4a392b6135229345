"""Loading Banyumas's tree of programs from the files in ``data`` (see ``data/SOURCE.md``)."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

from django.db import transaction

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.programs.models import Activity, Funding, Mission, Program, SubActivity
from guyub.programs.vocabulary import FundingSource

DATA = Path(__file__).parent / "data"


def _load_missions() -> int:
    """Create the example missions of the plan period that are not there yet; return how many."""
    known = set(Mission.objects.values_list("first_year", "number"))
    missions = [
        Mission(
            number=int(row["number"]),
            text=row["text"],
            first_year=int(row["first_year"]),
            last_year=int(row["last_year"]),
        )
        for row in _rows("missions.csv")
        if (int(row["first_year"]), int(row["number"])) not in known
    ]
    Mission.objects.bulk_create(missions)
    return len(missions)


@transaction.atomic
def load_programs(year: int) -> int:
    """Create Banyumas's programs, activities and sub-activities of budget ``year``.

    What is there already is left as it is, and what belongs to agencies that are not in the directory
    is passed over, so running it again changes nothing. Load areas first: a sub-activity whose areas
    are unknown would count as working in the whole regency. Returns how many records it made.
    """
    agencies = dict(Agency.objects.values_list("code", "pk"))
    made = {"missions": _load_missions(), "programs": _load_program_rows(year, agencies)}
    programs = _by_code_and_name(Program.objects.filter(year=year), "agency_id")
    program_names = {(row["agency"], row["code"]): row["name"] for row in _rows("banyumas.csv")}
    rows = []
    for row in _rows("sub_activities.csv"):
        owner, code = agencies.get(row["agency"], 0), row["program"]
        # Known by its name where an agency has changed the code.
        name = program_names.get((row["agency"], code), code)
        program = programs.get((owner, code)) or programs.get((owner, name))
        if program is not None:
            rows.append((program, row))
    activities = _activities(year)
    made["activities"] = _load_activities(rows, activities)
    if made["activities"]:
        activities = _activities(year)
    made["sub_activities"] = _load_sub_activities(
        year, [(activities[program.pk, row["activity"]], row) for program, row in rows]
    )
    if any(made.values()):
        audit.record("programs.load", detail={"year": year, **made})
    return sum(made.values())


def _load_program_rows(year: int, agencies: dict[str, int]) -> int:
    known = set(Program.objects.filter(year=year).values_list("agency_id", "name"))
    missions = {
        mission.number: mission
        for mission in Mission.objects.filter(first_year__lte=year, last_year__gte=year)
    }
    programs = [
        Program(
            agency_id=agencies[row["agency"]],
            year=year,
            code=row["code"],
            name=row["name"],
            description=row["description"],
            mission=missions.get(int(row["mission"])),
        )
        for row in _rows("banyumas.csv")
        if row["agency"] in agencies and (agencies[row["agency"]], row["name"]) not in known
    ]
    Program.objects.bulk_create(programs)
    return len(programs)


def _activities(year: int) -> dict[tuple[int, str], Activity]:
    """Return the year's activities by program and code, and by program and the code of their name."""
    found = _by_code_and_name(
        Activity.objects.filter(program__year=year).select_related("program"), "program_id"
    )
    codes: dict[str, list[str]] = {}
    for row in _rows("activities.csv"):
        codes.setdefault(row["name"], []).append(row["code"])
    by_name = {
        (owner, code): activity
        for (owner, name), activity in found.items()
        for code in codes.get(name, ())
    }
    return by_name | found


def _load_activities(
    rows: list[tuple[Program, dict[str, str]]], known: dict[tuple[int, str], Activity]
) -> int:
    names = {row["code"]: row["name"] for row in _rows("activities.csv")}
    wanted = {
        (program.pk, row["activity"]): Activity(
            program=program,
            code=row["activity"] if row["activity"] in names else "",
            name=names.get(row["activity"], row["activity"]),
        )
        for program, row in rows
    }
    new = [activity for key, activity in wanted.items() if key not in known]
    Activity.objects.bulk_create(new)
    return len(new)


def _load_sub_activities(year: int, rows: list[tuple[Activity, dict[str, str]]]) -> int:
    known = set(SubActivity.objects.filter(year=year).values_list("activity_id", "name"))
    rows = [(activity, row) for activity, row in rows if (activity.pk, row["name"]) not in known]
    made = SubActivity.objects.bulk_create(
        SubActivity(
            activity=activity,
            agency_id=activity.program.agency_id,
            year=year,
            code=row["code"],
            name=row["name"],
            description=row["description"],
            strategy=row["strategy"],
            help_kind=row["help_kind"],
            recipient=row["recipient"],
            desil_min=int(row["desil_min"]) if row["desil_min"] else None,
            desil_max=int(row["desil_max"]) if row["desil_max"] else None,
            quota=int(row["quota"]) if row["quota"] else None,
            starts_on=dt.date.fromisoformat(f"{year}-{row['starts']}"),
            ends_on=dt.date.fromisoformat(f"{year}-{row['ends']}"),
        )
        for activity, row in rows
    )
    areas = dict(Area.objects.values_list("code", "pk"))
    places = SubActivity.areas.through
    places.objects.bulk_create(
        places(subactivity_id=sub_activity.pk, area_id=areas[code])
        for sub_activity, (_activity, row) in zip(made, rows, strict=True)
        for code in row["areas"].split()
        if code in areas
    )
    Funding.objects.bulk_create(
        Funding(sub_activity=sub_activity, source=source, amount=int(row[source]))
        for sub_activity, (_activity, row) in zip(made, rows, strict=True)
        for source in FundingSource.values
        if row[source]
    )
    return len(made)


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _by_code_and_name(records: Any, owner: str) -> dict[tuple[int, str], Any]:
    """Return records by their owner's key and their name, and by their owner's key and their code."""
    found = {}
    for record in records:
        found[getattr(record, owner), record.name] = record
        if record.code:
            found[getattr(record, owner), record.code] = record
    return found
