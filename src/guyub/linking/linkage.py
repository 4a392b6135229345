"""The linking of two prepared files, stage by stage, without a database: what the worker runs.

1. The same NIK, when the name or the birth date does not speak against it.
2. The same KK number and the same name, when nobody else in the family bears it.
3. Splink on what is left, then each record gets its best counterpart and each person at most one.

Every stage writes whole files, so a job that was cut short goes on where it stopped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guyub.imports.folder import atomic_parquet
from guyub.linking import training
from guyub.linking.backends import Backend, backend, open_scratch
from guyub.linking.model import COMPARISONS, MODEL_VERSION, Chances, first_chances, settings
from guyub.linking.preparing import compared

Report = Callable[[str, int, int], None]
STEPS = 6
# Pairs this much lighter than the review threshold are still kept, for the histogram.
KEPT_BELOW = 6.0
# The chance that a record which no number settled has a counterpart at all.
SHARE_FOUND = 0.5


@dataclass
class Thresholds:
    """Where weights (in bits) become decisions.

    From ``accept`` on a pair is taken for one person by itself, provided that no other candidate comes
    within ``margin``. From ``review`` on a human decides.
    """

    accept: float = 7.0
    review: float = -3.0
    margin: float = 3.0


@dataclass
class Job:
    """One linking: ``left`` is the list, ``right`` the reference; without ``right`` it is a search for
    duplicates within ``left``. ``decided`` (``id_l``, ``id_r``, ``same``) are answers given before."""

    folder: Path
    left: Path
    right: Path | None
    thresholds: Thresholds = field(default_factory=Thresholds)
    chances: Chances = field(default_factory=first_chances)
    household_size: float = 3.3
    decided: Path | None = None
    memory: str | None = None
    scorer: Backend | None = None

    @property
    def exact(self) -> Path:
        """Pairs settled by numbers: ``id_l, id_r, stage``."""
        return self.folder / "exact.parquet"

    @property
    def pairs(self) -> Path:
        """Every weighed pair that is not hopeless."""
        return self.folder / "pairs.parquet"

    @property
    def links(self) -> Path:
        """What came of it: at most one row per record of the list (of a pair, among duplicates)."""
        return self.folder / "links.parquet"

    @property
    def model(self) -> Path:
        """The model as it was used, as JSON: Splink's own, and the chances behind it."""
        return self.folder / "model.json"

    @property
    def work(self) -> Path:
        return self.folder / "work"


def run(job: Job, report: Report = lambda stage, done, total: None) -> dict[str, int]:
    """Do the job, or what is left of it; return how many records ended where."""
    job.work.mkdir(parents=True, exist_ok=True)
    report("exact", 1, STEPS)
    if not job.exact.exists():
        _exact(job)
    report("train", 2, STEPS)
    if not job.model.exists():
        _train(job)
    report("score", 3, STEPS)
    if not job.pairs.exists():
        _score(job)
    report("assign", 5, STEPS)
    _assign(job)
    _note_sure_levels(job)
    report("assign", 6, STEPS)
    return counts(job)


def _exact(job: Job) -> None:
    with open_scratch(job.work, "exact", job.memory) as duck:
        duck.execute(f"CREATE VIEW l AS SELECT * FROM '{job.left}'")
        if job.right is None:
            duck.execute("CREATE TABLE exact (id_l BIGINT, id_r BIGINT, stage VARCHAR)")
            atomic_parquet(duck, "SELECT * FROM exact", job.exact)
            return
        duck.execute(f"CREATE VIEW r AS SELECT * FROM '{job.right}'")
        alike = (
            "(jaro_winkler_similarity(l.name_key, r.name_key) >= 0.8 "
            "OR list_has_any(string_split(l.name_key, ' '), string_split(r.name_key, ' ')) "
            "OR l.birth_date = r.birth_date)"
        )
        # A person who stands on the list twice is linked once; the best spelling comes first.
        duck.execute(
            "CREATE TABLE by_nik AS SELECT l.unique_id AS id_l, r.unique_id AS id_r, "
            "row_number() OVER (PARTITION BY r.unique_id ORDER BY "
            "jaro_winkler_similarity(l.name_key, r.name_key) DESC, l.unique_id) AS place "
            f"FROM l JOIN r ON r.nik = l.nik WHERE {alike}"
        )
        duck.execute(
            "CREATE TABLE exact AS SELECT id_l, id_r, "
            "CASE WHEN place = 1 THEN 'nik' ELSE 'double' END AS stage FROM by_nik"
        )
        born = (
            "(l.birth_date IS NULL OR r.birth_date IS NULL OR year(l.birth_date) = year(r.birth_date) OR "
            "levenshtein(strftime(l.birth_date, '%Y%m%d'), strftime(r.birth_date, '%Y%m%d')) <= 1)"
        )
        left = "SELECT * FROM l WHERE kk IS NOT NULL AND unique_id NOT IN (SELECT id_l FROM exact)"
        right = "SELECT * FROM r WHERE kk IS NOT NULL AND unique_id NOT IN (SELECT id_r FROM exact)"
        once = "QUALIFY count(*) OVER (PARTITION BY kk, name_key) = 1"
        duck.execute(
            "INSERT INTO exact SELECT l.unique_id, r.unique_id, 'kk' "
            f"FROM ({left} {once}) l JOIN ({right} {once}) r "
            "ON r.kk = l.kk AND r.name_key = l.name_key "
            f"WHERE {born} AND (l.sex IS NULL OR r.sex IS NULL OR l.sex = r.sex)"
        )
        if job.decided is not None:
            # What a person has said goes before what numbers say.
            duck.execute(
                f"DELETE FROM exact e USING (SELECT * FROM '{job.decided}' WHERE NOT same) d "
                "WHERE d.id_l = e.id_l AND d.id_r = e.id_r"
            )
            duck.execute(
                f"DELETE FROM exact e USING (SELECT * FROM '{job.decided}' WHERE same) d "
                "WHERE d.id_l = e.id_l OR d.id_r = e.id_r"
            )
        atomic_parquet(duck, "SELECT * FROM exact ORDER BY id_l", job.exact)


def _rest(job: Job) -> tuple[list[Path], int, int]:
    """Write what is compared of the records that no number has settled; return the files and their lengths."""
    sides = {job.work / "left.parquet": (job.left, "id_l")}
    if job.right is not None:
        sides[job.work / "right.parquet"] = (job.right, "id_r")
    with open_scratch(job.work, "rest", job.memory) as duck:
        for path, (source, key) in sides.items():
            unsettled = (
                f"(SELECT s.* FROM '{source}' s ANTI JOIN '{job.exact}' e ON e.{key} = s.unique_id)"
            )
            duck.execute(f"COPY ({compared(unsettled)}) TO '{path}' (FORMAT parquet)")
    paths = [*sides]
    return paths, _length(job, paths[0]), _length(job, paths[-1])


def _length(job: Job, path: Path) -> int:
    with open_scratch(job.work, "length", job.memory) as duck:
        ((number,),) = duck.execute(f"SELECT count(*) FROM '{path}'").fetchall()
    return int(number)


def _train(job: Job) -> None:
    reference = job.right or job.left
    people = _length(job, reference)
    u = training.count_u(reference, job.work, job.household_size, people)
    m: Any = {name: dict(levels) for name, levels in job.chances.items()}
    seen = 0
    if job.right is not None:
        links = f"(SELECT * FROM '{job.exact}' WHERE stage = 'nik')"
        m, seen = training.count_m(job.chances, job.left, job.right, links, job.work)
    content = {
        "version": MODEL_VERSION,
        "m": m,
        "u": u,
        "pairs_seen": seen,
        "thresholds": vars(job.thresholds),
    }
    _write_json(job.model, content)


def _score(job: Job) -> None:
    sides, left, right = _rest(job)
    content = json.loads(job.model.read_text())
    # Duplicates are rare: one record in a hundred is taken to have one.
    prior = 0.01 / max(left, 2) if job.right is None else SHARE_FOUND / max(right, 2)
    content |= {"prior": prior, "left": left, "right": right}
    if not left or not right:
        _write_empty_pairs(job)
    else:
        model = settings(
            content["m"], content["u"], prior, "dedupe_only" if job.right is None else "link_only"
        )
        scorer = job.scorer or backend(job.work)
        content["backend"] = scorer.name
        content["splink"] = scorer.score(
            sides, model, job.pairs, job.thresholds.review - KEPT_BELOW
        )
    _write_json(job.model, content)


def _write_empty_pairs(job: Job) -> None:
    columns = ["0::BIGINT AS id_l", "0::BIGINT AS id_r", "0.0::DOUBLE AS match_weight"]
    for comparison in COMPARISONS:
        columns += [f"0 AS gamma_{comparison.name}", f"0.0::DOUBLE AS mw_{comparison.name}"]
    with open_scratch(job.work, "empty", job.memory) as duck:
        atomic_parquet(duck, f"SELECT {', '.join(columns)} WHERE false", job.pairs)


def _assign(job: Job) -> None:
    limits = job.thresholds
    with open_scratch(job.work, "assign", job.memory) as duck:
        duck.execute(
            f"CREATE TABLE candidates AS SELECT id_l, id_r, match_weight AS w FROM '{job.pairs}' "
            f"WHERE match_weight >= {limits.review}"
        )
        duck.execute("CREATE TABLE told (id_l BIGINT, id_r BIGINT, same BOOLEAN)")
        if job.decided is not None:
            duck.execute(f"INSERT INTO told SELECT id_l, id_r, same FROM '{job.decided}'")
            duck.execute(
                "DELETE FROM candidates c USING told t WHERE t.id_l = c.id_l AND t.id_r = c.id_r"
            )
            if job.right is not None:
                duck.execute(
                    "DELETE FROM candidates c USING (SELECT * FROM told WHERE same) t "
                    "WHERE t.id_l = c.id_l OR t.id_r = c.id_r"
                )
        duck.execute("CREATE TABLE chosen (id_l BIGINT, id_r BIGINT, w DOUBLE)")
        if job.right is None:
            # Among duplicates every pair is a question of its own.
            duck.execute("INSERT INTO chosen SELECT * FROM candidates")
        else:
            _choose(duck)
        if job.right is None:
            rival = "NULL::DOUBLE"
        else:
            # A candidate who is surely somebody else's is no rival.
            duck.execute(f"CREATE TABLE taken AS SELECT * FROM chosen WHERE w >= {limits.accept}")
            duck.execute(
                "CREATE TABLE rivals AS SELECT h.id_l, max(c.w) AS w FROM chosen h JOIN candidates c "
                "ON c.id_l = h.id_l AND c.id_r <> h.id_r LEFT JOIN taken t ON t.id_r = c.id_r "
                "WHERE t.id_r IS NULL OR t.w < c.w GROUP BY ALL UNION ALL "
                "SELECT h.id_l, max(c.w) FROM chosen h JOIN candidates c "
                "ON c.id_r = h.id_r AND c.id_l <> h.id_l LEFT JOIN taken t ON t.id_l = c.id_l "
                "WHERE t.id_l IS NULL OR t.w < c.w GROUP BY ALL"
            )
            duck.execute("CREATE TABLE rival AS SELECT id_l, max(w) AS w FROM rivals GROUP BY id_l")
            rival = "(SELECT w FROM rival WHERE rival.id_l = chosen.id_l)"
        same_nik = COMPARISONS[-1].value_of(0)
        values = ", ".join(f"p.gamma_{c.name}, p.mw_{c.name}" for c in COMPARISONS)
        # The same NIK with a name that speaks against it is never taken for granted.
        sure = (
            "false"
            if job.right is None
            else f"w >= {limits.accept} AND w - coalesce(rival, -99) >= {limits.margin} "
            f"AND p.gamma_nik <> {same_nik}"
        )
        nothing = ", ".join(
            f"NULL::INTEGER AS gamma_{c.name}, NULL::DOUBLE AS mw_{c.name}" for c in COMPARISONS
        )
        exact = f"SELECT id_l, id_r, stage, NULL::DOUBLE AS weight, NULL::DOUBLE AS rival, {nothing} FROM '{job.exact}'"
        told = f"SELECT id_l, id_r, 'told', NULL, NULL, {nothing} FROM told WHERE same"
        atomic_parquet(
            duck,
            f"{exact} UNION ALL {told} UNION ALL SELECT c.id_l, c.id_r, "
            f"CASE WHEN {sure} THEN 'sure' ELSE 'review' END, c.w, c.rival, {values} "
            f"FROM (SELECT *, {rival} AS rival FROM chosen) c "
            f"JOIN '{job.pairs}' p ON p.id_l = c.id_l AND p.id_r = c.id_r ORDER BY 1, 2",
            job.links,
        )


def _note_sure_levels(job: Job) -> None:
    """Keep how the pairs that were accepted differ: learning counts on them."""
    content = json.loads(job.model.read_text())
    content["sure_levels"] = training.count_levels(
        f"(SELECT * FROM '{job.links}' WHERE stage = 'sure')", job.work
    )
    _write_json(job.model, content)


def _choose(duck: Any) -> None:
    """Give each record its best counterpart and each person one record, heaviest pairs first.

    Pairs that are each other's best are taken together; what is left is looked at again.
    """
    duck.execute("CREATE TABLE open AS SELECT * FROM candidates")
    while True:
        rows = duck.execute(
            "INSERT INTO chosen SELECT id_l, id_r, w FROM (SELECT *, "
            "row_number() OVER (PARTITION BY id_l ORDER BY w DESC, id_r) AS of_l, "
            "row_number() OVER (PARTITION BY id_r ORDER BY w DESC, id_l) AS of_r FROM open) "
            "WHERE of_l = 1 AND of_r = 1"
        ).fetchall()
        if not rows[0][0]:
            return
        duck.execute(
            "CREATE OR REPLACE TABLE open AS SELECT o.* FROM open o "
            "ANTI JOIN chosen c ON c.id_l = o.id_l ANTI JOIN chosen d ON d.id_r = o.id_r"
        )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, default=str))
    os.replace(part, path)


def counts(job: Job) -> dict[str, int]:
    """Return how many records ended where: by stage, those not found, and all."""
    with open_scratch(job.work, "counts", job.memory) as duck:
        rows = duck.execute(f"SELECT stage, count(*) FROM '{job.links}' GROUP BY stage").fetchall()
        ((total, found),) = duck.execute(
            f"SELECT (SELECT count(*) FROM '{job.left}'), count(DISTINCT id_l) FROM '{job.links}'"
        ).fetchall()
    result = {stage: int(number) for stage, number in rows}
    return {**result, "total": int(total), "none": int(total - found)}
