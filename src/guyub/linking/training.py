"""Where the chances of the model come from: counted, the same on every run over the same data.

``u``, the chance of a level among records of two people, is counted over all pairs of a sample of the
reference, in which (nearly) every record is another person. ``m``, its chance among records of one
person, is counted over the pairs that one and the same NIK has settled: they show how this very list
spells names and gets dates wrong. Both start from a few imagined pairs so that a level that the sample
never saw keeps a small chance, not none.

Samples are taken by a hash of the record's number, never at random, so the model is reproducible to the
last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guyub.linking.backends import DuckDB, open_scratch
from guyub.linking.model import COMPARISONS, Chances, first_chances, given_u, settings
from guyub.linking.preparing import compared

U_SAMPLE = 1000  # records: half a million pairs
M_SAMPLE = 4000  # pairs settled by NIK
# How many pairs the chances known beforehand are worth against counted ones.
M_WORTH = 400
U_WORTH = 20
# Fewer records or pairs than these teach nothing; what is known beforehand stands.
LEAST_PEOPLE = 60
LEAST_PAIRS = 20
# Before anything is counted, every level is as likely among strangers as this share.
FLAT_U = {"name": (1e-4, 3e-4, 5e-3, 5e-3, 3e-2), "birth": (4e-5, 2e-5, 3e-4, 2e-4, 1.5e-2),
          "sex": (0.5,), "area": (4e-3, 3.6e-2)}  # fmt: skip


def count_u(
    reference: Path, work: Path, household_size: float, people: int
) -> dict[str, dict[str, float]]:
    """Return ``u`` of every level, counted over all pairs of a sample of the prepared ``reference``."""
    sample = work / "u-sample.parquet"
    pairs = work / "u-pairs.parquet"
    with open_scratch(work, "u") as duck:
        duck.execute(
            f"CREATE TABLE sampled AS SELECT unique_id FROM '{reference}' "
            f"ORDER BY hash(unique_id), unique_id LIMIT {U_SAMPLE}"
        )
        people_of_sample = f"(SELECT r.* FROM '{reference}' r SEMI JOIN sampled USING (unique_id))"
        duck.execute(
            f"COPY (SELECT * FROM ({compared(people_of_sample)}) ORDER BY unique_id) "
            f"TO '{sample}' (FORMAT parquet)"
        )
    counts: Mapping[str, Mapping[str, int]] = {}
    if people >= LEAST_PEOPLE:
        counts = _levels(work, [sample], "dedupe_only", pairs)
    found: dict[str, dict[str, float]] = {}
    for comparison in COMPARISONS:
        given = given_u(comparison, household_size, people)
        if given is not None:
            found[comparison.name] = given
            continue
        flat = [*FLAT_U[comparison.name]]
        flat.append(1 - sum(flat))
        start = {level.name: share for level, share in zip(comparison.levels, flat, strict=True)}
        found[comparison.name] = blend(start, counts.get(comparison.name, {}), U_WORTH)
    return found


def count_levels(pairs: str, work: Path) -> dict[str, dict[str, int]]:
    """Count the levels in a file of weighed pairs: ``{comparison: {level: pairs}}``."""
    counts: dict[str, dict[str, int]] = {}
    with open_scratch(work, "levels") as duck:
        for comparison in COMPARISONS:
            rows = duck.execute(
                f"SELECT gamma_{comparison.name}, count(*) FROM {pairs} GROUP BY 1"
            ).fetchall()
            counts[comparison.name] = {
                level.name: number
                for value, number in rows
                if (level := comparison.level_of(int(value))) is not None
            }
    return counts


def count_m(
    known: Chances, list_side: Path, reference: Path, links: str, work: Path
) -> tuple[dict[str, dict[str, float]], int]:
    """Return ``m`` as the pairs in ``links`` (``id_l``, ``id_r``) show it, and how many there were.

    ``known`` are the chances beforehand. The NIK tells nothing here: it is what settled the pairs.
    """
    left, right = work / "m-left.parquet", work / "m-right.parquet"
    with open_scratch(work, "m") as duck:
        duck.execute(
            f"CREATE TABLE sampled AS SELECT id_l, id_r, row_number() OVER () AS pair FROM ("
            f"SELECT id_l, id_r FROM {links} ORDER BY hash(id_l), id_l LIMIT {M_SAMPLE})"
        )
        ((number,),) = duck.execute("SELECT count(*) FROM sampled").fetchall()
        for side, key, target in ((list_side, "id_l", left), (reference, "id_r", right)):
            records = f"(SELECT r.* FROM '{side}' r SEMI JOIN sampled ON {key} = unique_id)"
            duck.execute(
                f"COPY (SELECT r.*, s.pair FROM sampled s JOIN ({compared(records)}) r "
                f"ON r.unique_id = s.{key} ORDER BY pair) TO '{target}' (FORMAT parquet)"
            )
    if number < LEAST_PAIRS:
        return {name: dict(levels) for name, levels in known.items()}, 0
    counts = _levels(work, [left, right], "link_only", work / "m-pairs.parquet", block="pair")
    return {
        comparison.name: (
            dict(known[comparison.name])
            if comparison.name == "nik"
            else blend(known[comparison.name], counts[comparison.name], M_WORTH)
        )
        for comparison in COMPARISONS
    }, int(number)


def blend(
    before: Mapping[str, float], counted: Mapping[str, int], worth: float
) -> dict[str, float]:
    """Return chances that count ``before`` as ``worth`` pairs beside the ``counted`` ones."""
    total = worth + sum(counted.values())
    return {name: (worth * share + counted.get(name, 0)) / total for name, share in before.items()}


def _levels(
    work: Path, sides: list[Path], link_type: str, target: Path, block: str = ""
) -> dict[str, dict[str, int]]:
    chances: Any = first_chances()
    model = settings(chances, chances, 0.5, link_type, blocks=((block,),) if block else None)
    DuckDB(work).score(sides, model, target, None)
    return count_levels(f"'{target}'", work)
