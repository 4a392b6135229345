"""Finding differences: every dataset's newest list against the registry, all at once.

Lists are read from their versions' Parquet files and the registry is pulled into DuckDB; nothing is
compared row by row in Python (``docs/decisions/0019-differences-in-bulk.md`` says why this way). NIKs are
sealed in both (:mod:`guyub.access.sealing`), and match without being opened.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from guyub.areas.models import Area, Level
from guyub.datasets.models import Dataset
from guyub.datasets.store import version_path
from guyub.imports.checks import open_duckdb
from guyub.imports.reconcile import HOUSEHOLD_DB, PERSON_DB
from guyub.reconciliation.sources import (
    ATTRIBUTES,
    Rule,
    decide_sql,
    reference_dataset,
    rules_in_force,
)
from guyub.registry import bulk
from guyub.registry.flat import FLAT_COLUMNS, HOUSEHOLD_COLUMNS, PERSON_COLUMNS
from guyub.registry.models import Origin

PERSON_FIELDS = [name for name in PERSON_COLUMNS if name in ATTRIBUTES]
HOUSEHOLD_FIELDS = [name for name in HOUSEHOLD_COLUMNS if name in ATTRIBUTES]
SPELLED = ("name", "address", "hamlet", "birth_place")  # capitals make no difference
PLACES = ("latitude", "longitude")  # about a hundred metres make no difference
Tell = Callable[[int, int], None]


class Comparison:
    """One comparison, in a DuckDB database within the folder ``work``. Use as a context manager.

    :meth:`find` leaves the table ``found``: kind, subject_id, household_id, field, dataset_id, theirs,
    ours, their_as_of, our_origin_id, our_dataset_id, our_as_of, suggested, why, village_id, district_id.
    """

    def __init__(self, work: Path, tell: Tell) -> None:
        self.work, self.tell = work, tell

    def __enter__(self) -> Comparison:
        self.work.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.db = open_duckdb(self.work)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.db.close()

    def find(self) -> None:
        datasets = [
            (dataset, path)
            for dataset in Dataset.objects.exclude(current_version=None)
            .select_related("current_version")
            .order_by("pk")
            if dataset.current_version is not None
            and (path := version_path(dataset.code, dataset.current_version.number)).exists()
        ]
        steps = len(datasets) + 3
        self._registry()
        self.tell(1, steps)
        self._numbers()
        self.tell(2, steps)
        self.db.execute(
            "CREATE OR REPLACE TABLE raw (kind VARCHAR, subject_id BIGINT, household_id BIGINT, "
            "field VARCHAR, dataset_id BIGINT, theirs VARCHAR, ours VARCHAR, origin_id BIGINT)"
        )
        for at, (dataset, path) in enumerate(datasets):
            self._compare(dataset, path)
            self.tell(3 + at, steps)
        self._judge([dataset for dataset, _path in datasets])
        self.tell(steps, steps)

    def _registry(self) -> None:
        """Pull households and people that are no duplicates, as the flat form shows them."""
        areas = list(Area.objects.filter(level=Level.VILLAGE).values_list("id", "code"))
        bulk.register_rows(
            self.db,
            "villages",
            {
                "id": (pa.int64(), [area[0] for area in areas]),
                "code": (pa.string(), [area[1] for area in areas]),
            },
        )
        common = {"origin_id": "BIGINT", "origins": "VARCHAR"}
        people = {"id": "BIGINT", "household_id": "BIGINT"} | {
            PERSON_DB[name]: PERSON_COLUMNS[name] for name in PERSON_FIELDS
        }
        homes = {"id": "BIGINT", "village_id": "BIGINT", "district_id": "BIGINT"} | {
            HOUSEHOLD_DB[name]: HOUSEHOLD_COLUMNS[name]
            for name in HOUSEHOLD_FIELDS
            if name != "village"
        }
        for table, columns in (("person", people | common), ("household", homes | common)):
            bulk.pull(
                self.db,
                f"cur_{table}",
                f"SELECT {', '.join(columns)} FROM registry_{table} WHERE merged_into_id IS NULL",
                columns,
                self.work,
            )

    def _numbers(self) -> None:
        """Make ``numbers``: whom each NIK means, also that of a duplicate. NIKs stay sealed."""
        bulk.pull(
            self.db,
            "numbered",
            "SELECT nik, id, merged_into_id FROM registry_person",
            {"nik": "VARCHAR", "id": "BIGINT", "merged_into_id": "BIGINT"},
            self.work,
        )
        self.db.execute(
            "CREATE OR REPLACE VIEW numbers AS SELECT nik, coalesce(merged_into_id, id) AS person_id, "
            "merged_into_id IS NOT NULL AS is_double FROM numbered"
        )

    def _compare(self, dataset: Dataset, path: Path) -> None:
        wanted = ", ".join(f"r.{name}" for name in ATTRIBUTES)
        # Where a list has a person's own number and a duplicate's, the own row speaks.
        self.db.execute(
            f"CREATE OR REPLACE TABLE listed AS SELECT p.id AS person_id, p.household_id, r.nik, "
            f"{wanted} FROM '{path}' r JOIN numbers n ON n.nik = r.nik "
            "JOIN cur_person p ON p.id = n.person_id "
            "QUALIFY row_number() OVER (PARTITION BY p.id ORDER BY n.is_double, r.nik) = 1"
        )
        for name in PERSON_FIELDS:
            column = PERSON_DB[name]
            living = "" if name == "person_status" else "AND c.status = 'active'"
            self._differing(
                dataset, "p", name, f"c.{column}", f"$.{column}",
                f"listed l JOIN cur_person c ON c.id = l.person_id WHERE true {living}", "c.household_id",
            )  # fmt: skip
        # What the head's row says about the household, else the first member's.
        order = "CASE WHEN relation = 'head' THEN '0' ELSE '1' END || nik"
        values = ", ".join(f"arg_min({name}, {order}) AS {name}" for name in HOUSEHOLD_FIELDS)
        self.db.execute(
            f"CREATE OR REPLACE TABLE homes AS SELECT household_id, {values} FROM listed "
            "GROUP BY household_id"
        )
        for name in HOUSEHOLD_FIELDS:
            column = HOUSEHOLD_DB[name]
            ours = "v.code" if name == "village" else f"c.{column}"
            living = "" if name == "household_status" else "AND c.status = 'active'"
            self._differing(
                dataset, "h", name, ours, f"$.{column}",
                "homes l JOIN cur_household c ON c.id = l.household_id "
                f"JOIN villages v ON v.id = c.village_id WHERE true {living}", "c.id",
            )  # fmt: skip

    def _differing(
        self, dataset: Dataset, kind: str, name: str, ours: str, key: str, source: str, home: str
    ) -> None:
        theirs = f"l.{name}"
        if FLAT_COLUMNS[name] == "VARCHAR":
            known = f"{theirs} IS NOT NULL AND {ours} <> ''"
        else:
            known = f"{theirs} IS NOT NULL AND {ours} IS NOT NULL"
        differs = f"{theirs} <> {ours}"
        if name in SPELLED:
            differs = f"lower({theirs}) <> lower({ours})"
        elif name in PLACES:
            differs = f"abs({theirs} - {ours}) > 0.001"
        self.db.execute(
            f"INSERT INTO raw SELECT '{kind}', c.id, {home}, '{name}', {dataset.pk}, "
            f"CAST({theirs} AS VARCHAR), CAST({ours} AS VARCHAR), "
            f"coalesce(CAST(json_extract_string(c.origins, '{key}') AS BIGINT), c.origin_id) "
            f"FROM {source} AND {known} AND {differs}"
        )

    def _judge(self, datasets: list[Dataset]) -> None:
        """Leave what is from another source than the list, with who wins by the rules."""
        origins = list(Origin.objects.values_list("id", "dataset_id", "as_of"))
        bulk.register_rows(
            self.db,
            "origins",
            {
                "id": (pa.int64(), [row[0] for row in origins]),
                "dataset_id": (pa.int64(), [row[1] for row in origins]),
                "as_of": (pa.date32(), [row[2] for row in origins]),
            },
        )
        bulk.register_rows(
            self.db,
            "lists",
            {
                "id": (pa.int64(), [d.pk for d in datasets]),
                "as_of": (pa.date32(), [d.current_version.as_of for d in datasets]),  # type: ignore[union-attr]
            },
        )
        register_rules(self.db, rules_in_force())
        reference = reference_dataset()
        self.db.execute(
            "CREATE OR REPLACE TABLE weighed AS SELECT w.*, "
            f"{decide_sql()} AS verdict FROM (SELECT r.*, o.dataset_id AS our_dataset, "
            "o.as_of AS our_as_of, r.dataset_id AS their_dataset, l.as_of AS their_as_of, "
            f"CAST({reference if reference is not None else 'NULL'} AS BIGINT) AS reference, "
            "coalesce(m.mode, 'default') AS mode, "
            "coalesce(a.place, m.places) AS our_place, coalesce(b.place, m.places) AS their_place "
            "FROM raw r JOIN origins o ON o.id = r.origin_id JOIN lists l ON l.id = r.dataset_id "
            "LEFT JOIN rule_modes m ON m.field = r.field "
            "LEFT JOIN rule_places a ON a.field = r.field "
            "  AND a.dataset_id IS NOT DISTINCT FROM o.dataset_id "
            "LEFT JOIN rule_places b ON b.field = r.field AND b.dataset_id = r.dataset_id "
            "WHERE o.dataset_id IS DISTINCT FROM r.dataset_id) w"
        )
        self.db.execute(
            "CREATE OR REPLACE TABLE found AS SELECT w.kind, w.subject_id, w.household_id, w.field, "
            "w.dataset_id, w.theirs, w.ours, w.their_as_of, w.origin_id AS our_origin_id, "
            "w.our_dataset AS our_dataset_id, w.our_as_of, "
            "split_part(w.verdict, ':', 1) AS suggested, split_part(w.verdict, ':', 2) AS why, "
            "h.village_id, h.district_id FROM weighed w JOIN cur_household h ON h.id = w.household_id"
        )


def register_rules(db: Any, rules: dict[str, Rule]) -> None:
    """Make ``rule_modes`` (field, mode, places) and ``rule_places`` (field, dataset_id, place)."""
    bulk.register_rows(
        db,
        "rule_modes",
        {
            "field": (pa.string(), list(rules)),
            "mode": (pa.string(), [str(rule.mode) for rule in rules.values()]),
            "places": (pa.int64(), [len(rule.ranking) for rule in rules.values()]),
        },
    )
    places = [
        (field, dataset_id, place)
        for field, rule in rules.items()
        for place, dataset_id in enumerate(rule.ranking)
    ]
    bulk.register_rows(
        db,
        "rule_places",
        {
            "field": (pa.string(), [row[0] for row in places]),
            "dataset_id": (pa.int64(), [row[1] for row in places]),
            "place": (pa.int64(), [row[2] for row in places]),
        },
    )
