"""A village list of cash assistance, kept by hand, linked to the registry; a few doubtful pairs judged."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

from django.utils.translation import gettext as _

from guyub.accounts.models import User
from guyub.areas.models import Area, Level
from guyub.linking import services
from guyub.linking.models import LinkRun, Verdict
from guyub.linking.synthetic import Noise, noisy_list
from guyub.registry.models import Person

DISTRICT = "33.02.17"  # Kecamatan Cilongok
ROWS = 900
JUDGED = 12
# Kept in a notebook rather than from identity cards.
NOISE = Noise(
    no_nik=0.55, no_kk=0.7, no_date=0.22, wrong_year=0.05, slip_in_date=0.08, letter=0.2, one_word=0.12,
    no_sex=0.3, other_village=0.08,
)  # fmt: skip
HEADINGS = ("No", "NIK", "No KK", "Nama Penerima", "L/P", "Tgl Lahir", "Desa", "Kecamatan")


def link_village_list(actors: dict[str, User], year: int, seed: int) -> LinkRun:
    """Have Dinsospermasdes' operator link the list, and judge the heaviest doubtful pairs."""
    draw = random.Random(seed)  # noqa: S311 (nothing secret)
    rows = _people()
    chosen = draw.sample(rows, min(ROWS, len(rows) * 2 // 3))
    listed = list(
        noisy_list(
            chosen,
            sorted({row["village"] for row in rows}),
            seed=seed,
            strangers=_strangers(chosen, draw),
            noise=NOISE,
        )
    )
    draw.shuffle(listed)
    actor = actors["operator"]
    assert actor.agency is not None
    run = services.start_file(
        actor.agency,
        title=_("Penerima BLT Dana Desa %(year)s, Kecamatan Cilongok") % {"year": year},
        file_name=f"BLT DD Cilongok {year}.csv",
        chunks=[_as_csv([row for row, _truth in listed])],
        actor=actor,
    )
    services.confirm_mapping(run, run.mapping, actor=actor)
    run = services.work(run.pk)
    # Row 1 of the file holds the headings.
    truth = {number: true for number, (_row, true) in enumerate(listed, start=2)}
    for pair in run.pairs.order_by("-weight", "id")[:JUDGED]:
        same = truth.get(pair.record) == pair.person_id
        services.decide(pair, Verdict.SAME if same else Verdict.DIFFERENT, actor=actor)
    return run


def _people() -> list[dict[str, Any]]:
    grown = (
        Person.objects.filter(
            household__district__code=DISTRICT, relation__in=("head", "spouse"), status="active"
        )
        .select_related("household__village")
        .order_by("pk")[: ROWS * 6]
    )
    return [
        {
            "id": person.pk, "nik": person.nik, "kk": person.household.kk, "name": person.name,
            "birth_date": person.birth_date, "sex": person.sex,
            "village": person.household.village.code,
        }
        for person in grown
    ]  # fmt: skip


def _strangers(rows: list[dict[str, Any]], draw: random.Random) -> list[dict[str, Any]]:
    """Return people whom the registry does not hold, with names made of pieces of real ones."""
    found = []
    for row in rows[: len(rows) // 12]:
        other = draw.choice(rows)
        words = [row["name"].split()[0], other["name"].split()[-1]]
        born = other["birth_date"]
        found.append(
            {
                **row, "id": 0, "nik": None, "kk": None, "name": " ".join(dict.fromkeys(words)),
                "birth_date": born and born.replace(year=born.year - draw.randrange(1, 9), day=7),
            }
        )  # fmt: skip
    return found


def _as_csv(rows: list[dict[str, Any]]) -> bytes:
    villages = {
        area.code: area
        for area in Area.objects.filter(level=Level.VILLAGE).select_related("parent")
    }
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(HEADINGS)
    for number, row in enumerate(rows, start=1):
        village = villages.get(row["village"] or "")
        writer.writerow(
            [
                number, row["nik"] or "", row["kk"] or "", row["name"],
                {"M": "L", "F": "P"}.get(row["sex"] or "", ""),
                f"{row['birth_date']:%d/%m/%Y}" if row["birth_date"] else "",
                village.name if village else "",
                village.parent.name if village and village.parent else "",
            ]
        )  # fmt: skip
    return out.getvalue().encode()
