"""Bringing accepted rows together with the registry: what is new, what changes, what stays.

First the list is compared with the dataset's previous version: rows that did not change need nothing.
The rest is matched with the registry by NIK and KK number, and each differing value is judged:

- an empty value is filled by any source, and an empty incoming value never empties one;
- the dataset whose version is the reference wins, except over something that a person entered by
  hand on a later date;
- any other dataset wins over values that are not the reference's and not of a later date;
- what does not win is kept as a difference for the agencies to settle.

NIK and KK numbers are sealed all the way (:mod:`guyub.access.sealing`): one number has one sealed form,
so they match without being opened.

Everything is worked out in DuckDB and written in the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.db import connection, models
from django.utils import timezone

from guyub.access.sealing import seal_all, unseal
from guyub.areas.models import Area, Level
from guyub.datasets.models import Dataset, Version
from guyub.datasets.store import differs, version_path
from guyub.imports.checks import open_duckdb
from guyub.imports.folder import RunFolder, atomic_parquet
from guyub.longruns.folder import Report
from guyub.registry import bulk
from guyub.registry.bulk import register_rows
from guyub.registry.flat import FLAT_COLUMNS, HOUSEHOLD_COLUMNS, PERSON_COLUMNS
from guyub.registry.models import (
    AddressKey,
    Household,
    Listing,
    Move,
    Origin,
    Person,
    PersonKey,
    SubjectKind,
    ValueChange,
    VersionCount,
)

# Flat column: database column, where they differ.
PERSON_DB = {name: "status" if name == "person_status" else name for name in PERSON_COLUMNS}
HOUSEHOLD_DB = {
    name: "status" if name == "household_status" else name for name in HOUSEHOLD_COLUMNS
}
PERSON_VALUES = [name for name in PERSON_COLUMNS if name != "nik"]
HOUSEHOLD_VALUES = list(HOUSEHOLD_COLUMNS)
APPLY_STEPS = 12


@dataclass
class Delta:
    """How a list differs from the dataset's previous version, in people."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    people: int = 0
    households: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.removed)


@dataclass
class Outcome:
    """What applying a list did to the registry."""

    new_people: int = 0
    new_households: int = 0
    updated_people: int = 0
    updated_households: int = 0
    moved_people: int = 0
    differences: int = 0
    fields: dict[str, int] = field(default_factory=dict)


class Reconciliation:
    """One list on its way into a dataset and the registry. Use as a context manager."""

    def __init__(
        self,
        folder: RunFolder,
        dataset: Dataset,
        as_of: dt.date,
        whole: bool,
        report: Report,
        rows: Path | None = None,
    ) -> None:
        self.folder = folder
        self.dataset = dataset
        self.as_of = as_of
        self.whole = whole
        self.report = report
        self.rows = rows or folder.accepted
        self.delta = Delta()
        self.done = 0

    def __enter__(self) -> Reconciliation:
        self.work = self.folder.fresh_work()
        self.db: duckdb.DuckDBPyConnection = open_duckdb(self.work)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.db.close()

    def step(self) -> None:
        self.done += 1
        self.report("apply", min(self.done, APPLY_STEPS), APPLY_STEPS)

    def one(self, query: str) -> int:
        # Read to the end: a result left open would block the connection.
        return int(self.db.execute(query).fetchall()[0][0] or 0)

    # The list against the dataset's previous version

    def previous_path(self) -> Path | None:
        """Return the file of the newest version, which the list is compared with."""
        last = Version.objects.filter(dataset=self.dataset).order_by("-number").first()
        return version_path(self.dataset.code, last.number) if last else None

    def compare(self, keep: bool = True) -> Delta:
        """Make ``delta`` (rows to bring in) and ``gone`` (NIKs no longer listed); count them.

        Without ``keep`` they are not worked out beyond the counts: nothing is going to be applied.
        """
        names = ", ".join(FLAT_COLUMNS)
        values = [name for name in FLAT_COLUMNS if name != "nik"]
        previous = self.previous_path()
        kind = "TABLE" if keep else "VIEW"
        self.db.execute(f"CREATE OR REPLACE VIEW listed AS SELECT {names} FROM '{self.rows}'")
        position = "b.row_number" if "row_number" in self._columns(self.rows) else "0"
        if previous is None:
            self.db.execute(
                f"CREATE OR REPLACE {kind} delta AS SELECT {names}, {position} AS position, "
                f"true AS is_new FROM '{self.rows}' b"
            )
            self.db.execute("CREATE OR REPLACE TABLE gone (nik VARCHAR)")
            self.db.execute("CREATE OR REPLACE VIEW version_rows AS SELECT * FROM listed")
        else:
            qualified = ", ".join(f"b.{name}" for name in FLAT_COLUMNS)
            self.db.execute(f"CREATE OR REPLACE VIEW previous AS SELECT {names} FROM '{previous}'")
            self.db.execute(
                f"CREATE OR REPLACE {kind} delta AS SELECT {qualified}, {position} AS position, "
                f"a.nik IS NULL AS is_new FROM '{self.rows}' b LEFT JOIN previous a ON a.nik = b.nik "
                f"WHERE a.nik IS NULL OR {differs(values)}"
            )
            gone = (
                "SELECT nik FROM previous ANTI JOIN listed USING (nik)"
                if self.whole
                else "SELECT nik FROM previous WHERE false"
            )
            self.db.execute(f"CREATE OR REPLACE {kind} gone AS {gone}")
            kept = (
                ""
                if self.whole
                else " UNION ALL SELECT * FROM previous ANTI JOIN listed USING (nik)"
            )
            self.db.execute(f"CREATE OR REPLACE VIEW version_rows AS SELECT * FROM listed{kept}")
        ((added, changed),) = self.db.execute(
            "SELECT count(*) FILTER (is_new), count(*) FILTER (NOT is_new) FROM delta"
        ).fetchall()
        ((people, households),) = self.db.execute(
            "SELECT count(*), count(DISTINCT coalesce(kk, nik)) FROM version_rows"
        ).fetchall()
        self.delta = Delta(
            added=added,
            changed=changed,
            unchanged=self.one("SELECT count(*) FROM listed") - added - changed,
            removed=self.one("SELECT count(*) FROM gone"),
            people=people,
            households=households,
        )
        return self.delta

    def _columns(self, path: Path) -> list[str]:
        return [row[0] for row in self.db.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]

    def write_version_rows(self) -> Path:
        """Write the rows of the version to be, ordered by NIK, and return the file."""
        target = self.folder.path / "version.parquet"
        names = ", ".join(FLAT_COLUMNS)
        atomic_parquet(self.db, f"SELECT {names} FROM version_rows ORDER BY nik", target)
        return target

    # The registry as it is

    def _follow_merged(self) -> None:
        """Let rows under the number of a merged person or household speak for the one it stands for.

        Where the list has that one's own number too, its own row speaks, and the double is left out.
        """
        people = Person.objects.exclude(merged_into=None).values_list("nik", "merged_into__nik")
        homes = Household.objects.exclude(merged_into=None).exclude(kk="")
        for name, pairs in (
            ("merged_nik", list(people)),
            ("merged_kk", list(homes.values_list("kk", "merged_into__kk"))),
        ):
            columns = {
                "number": (pa.string(), seal_all(pair[0] for pair in pairs)),
                "into": (pa.string(), seal_all(pair[1] for pair in pairs)),
            }
            register_rows(self.db, name, columns)
        self.db.execute(
            "DELETE FROM delta USING merged_nik m WHERE delta.nik = m.number "
            'AND EXISTS (SELECT 1 FROM version_rows r WHERE r.nik = m."into")'
        )
        # Of several doubles of one person, the first row speaks.
        self.db.execute(
            "DELETE FROM delta USING merged_nik m WHERE delta.nik = m.number AND delta.nik NOT IN ("
            "SELECT arg_min(d.nik, (d.position, d.nik)) FROM delta d "
            'JOIN merged_nik n ON n.number = d.nik GROUP BY n."into")'
        )
        self.db.execute(
            'UPDATE delta SET nik = m."into" FROM merged_nik m WHERE m.number = delta.nik'
        )
        self.db.execute('UPDATE delta SET kk = m."into" FROM merged_kk m WHERE m.number = delta.kk')

    def fetch_registry(self) -> None:
        """Pull what the registry knows of the people and households in ``delta``."""
        self.db.execute("CREATE OR REPLACE TABLE wanted_nik AS SELECT DISTINCT nik FROM delta")
        person_columns = {
            "id": "BIGINT", "household_id": "BIGINT", "nik": "VARCHAR",
            **{PERSON_DB[name]: PERSON_COLUMNS[name] for name in PERSON_VALUES},
            "origin_id": "BIGINT", "origins": "VARCHAR",
        }  # fmt: skip
        household_columns = {
            "id": "BIGINT",
            **{
                ("village_id" if name == "village" else HOUSEHOLD_DB[name]): (
                    "BIGINT" if name == "village" else kind
                )
                for name, kind in HOUSEHOLD_COLUMNS.items()
            },
            "origin_id": "BIGINT", "origins": "VARCHAR",
        }  # fmt: skip
        people = ", ".join(f"p.{column}" for column in person_columns)
        houses = ", ".join(f"h.{column}" for column in household_columns)
        wanted = self.one("SELECT count(*) FROM wanted_nik")
        known = Person.objects.count() if Person.objects.exists() else 0
        if not known:
            for name, columns in (
                ("cur_person", person_columns),
                ("cur_household", household_columns),
            ):
                typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
                self.db.execute(f"CREATE OR REPLACE TABLE {name} ({typed})")
        else:
            few = wanted < known / 5
            narrowed_people = narrowed_houses = ""
            if few:
                self._hold_text("held_nik", "SELECT nik AS id FROM wanted_nik")
                self._hold_text(
                    "held_kk", "SELECT DISTINCT kk AS id FROM delta WHERE kk IS NOT NULL"
                )
                narrowed_people = " WHERE p.nik IN (SELECT id FROM held_nik)"
                narrowed_houses = (
                    " WHERE h.kk IN (SELECT id FROM held_kk) OR h.id IN (SELECT p.household_id "
                    "FROM registry_person p WHERE p.nik IN (SELECT id FROM held_nik))"
                )
            bulk.pull(
                self.db, "cur_person",
                f"SELECT {people} FROM registry_person p{narrowed_people}", person_columns, self.work,
            )  # fmt: skip
            bulk.pull(
                self.db, "cur_household",
                f"SELECT {houses} FROM registry_household h{narrowed_houses}", household_columns, self.work,
            )  # fmt: skip
            if few:
                bulk.drop_held("held_nik")
                bulk.drop_held("held_kk")
            else:
                self.db.execute(
                    "DELETE FROM cur_person WHERE nik IS NULL OR nik NOT IN (SELECT nik FROM wanted_nik)"
                )
        self._know_again(people, person_columns)
        # From here on the registry's rows look like the flat form: NULL where nothing is known.
        for table, columns, names in (
            ("cur_person", PERSON_DB, PERSON_VALUES),
            ("cur_household", HOUSEHOLD_DB, HOUSEHOLD_VALUES),
        ):
            shown = []
            for name in names:
                if name == "village":
                    shown.append("v.code AS village")
                elif FLAT_COLUMNS[name] == "VARCHAR":
                    shown.append(f"nullif(c.{columns[name]}, '') AS {name}")
                else:
                    shown.append(f"c.{columns[name]} AS {name}")
            extra = "c.household_id, c.nik, " if table == "cur_person" else ""
            join = "" if table == "cur_person" else " JOIN village_ids v ON v.id = c.village_id"
            self.db.execute(
                f"CREATE OR REPLACE TABLE {table}_flat AS SELECT c.id, {extra}{', '.join(shown)}, "
                f"c.origin_id, c.origins FROM {table} c{join}"
            )

    def _know_again(self, people: str, person_columns: dict[str, str]) -> None:
        """Let a new NIK be that of a child whom the registry has in that family without one.

        It is: the KK number is the household's, name and birth date are the child's, nothing else is said of
        the relation, and there is no other such child or row. ``known_again`` says whose number is which.
        """
        bulk.pull(
            self.db, "without_nik",
            f"SELECT {people} FROM registry_person p WHERE p.nik IS NULL AND p.merged_into_id IS NULL",
            person_columns, self.work,
        )  # fmt: skip
        words = "regexp_extract_all(upper(strip_accents({}.name)), '[A-Z0-9]+')"
        self.db.execute(
            "CREATE OR REPLACE TABLE known_again AS SELECT id, nik FROM ("
            "SELECT c.id, d.nik, count(*) OVER (PARTITION BY c.id) AS rows, "
            "count(*) OVER (PARTITION BY d.nik) AS children FROM without_nik c "
            "JOIN cur_household h ON h.id = c.household_id JOIN delta d ON d.kk = h.kk "
            f"AND d.birth_date = c.birth_date AND {words.format('d')} = {words.format('c')} "
            "AND (d.relation IS NULL OR c.relation = '' OR d.relation = c.relation) "
            "WHERE d.nik NOT IN (SELECT nik FROM cur_person)) WHERE rows = 1 AND children = 1"
        )
        self.db.execute(
            "INSERT INTO cur_person SELECT c.* REPLACE (k.nik AS nik) FROM without_nik c "
            "JOIN known_again k ON k.id = c.id"
        )

    def _number_people(self, origin: Origin) -> None:
        """Write the NIKs of :meth:`_know_again`, each with its origin and in the history."""
        found = self.db.execute("SELECT id, nik FROM known_again ORDER BY id").fetchall()
        for start in range(0, len(found), bulk.BATCH):
            numbers = dict(found[start : start + bulk.BATCH])
            for person in Person.objects.filter(pk__in=numbers):
                ValueChange.objects.create(
                    kind=SubjectKind.PERSON, subject_id=person.pk, household_id=person.household_id,
                    field="nik", old="", new=numbers[person.pk],
                    old_origin_id=person.origin_id_of("nik"), new_origin=origin, at=timezone.now(),
                )  # fmt: skip
                person.nik, person.origins["nik"] = unseal(numbers[person.pk]), origin.pk
                person.save(update_fields=["nik", "origins", "updated_at"])

    def _hold_text(self, name: str, query: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
            cursor.execute(f"CREATE TEMPORARY TABLE {name} (id varchar(48) PRIMARY KEY)")
        bulk.push(self.db, name, query, self.work)

    def _villages(self) -> None:
        areas = list(
            Area.objects.filter(level=Level.VILLAGE).values_list("code", "id", "parent_id")
        )
        register_rows(
            self.db,
            "village_ids",
            {
                "code": (pa.string(), [a[0] for a in areas]),
                "id": (pa.int64(), [a[1] for a in areas]),
                "district_id": (pa.int64(), [a[2] for a in areas]),
            },
        )

    def _authority(self) -> None:
        """Make ``origin_rank``: for each origin, whether this list wins over its values."""
        reference = Version.objects.filter(is_reference=True).values_list("dataset_id", flat=True)
        reference_id = reference.first()
        is_reference = reference_id == self.dataset.pk
        rows = Origin.objects.values_list("id", "dataset_id", "as_of", "channel")
        ids, beaten = [], []
        for origin_id, dataset_id, as_of, channel in rows.iterator():
            if is_reference:
                wins = not (channel == "manual" and as_of > self.as_of)
            elif channel == "manual":
                wins = as_of < self.as_of
            else:
                wins = as_of <= self.as_of and dataset_id != reference_id
            ids.append(origin_id)
            beaten.append(wins)
        register_rows(
            self.db, "origin_rank", {"id": (pa.int64(), ids), "beaten": (pa.bool_(), beaten)}
        )
        for table in ("cur_person", "cur_household"):
            self.db.execute(
                f"CREATE OR REPLACE TABLE {table}_rank AS SELECT c.id, o.beaten AS base, "
                "e.won, e.kept FROM (SELECT id, origin_id FROM " + table + ") c "
                "JOIN origin_rank o ON o.id = c.origin_id LEFT JOIN ("
                "  SELECT x.id, list(x.field) FILTER (r.beaten) AS won, "
                "  list(x.field) FILTER (NOT r.beaten) AS kept FROM ("
                "    SELECT id, unnest(json_keys(CAST(origins AS JSON))) AS field, origins "
                f"    FROM {table} WHERE origins <> '{{}}') x "
                "  JOIN origin_rank r ON r.id = CAST(json_extract_string(x.origins, '$.' || x.field) AS BIGINT) "
                "  GROUP BY x.id) e ON e.id = c.id"
            )

    @staticmethod
    def wins(field_name: str, rank: str) -> str:
        """SQL: does this list win over the present value of a field."""
        return (
            f"CASE WHEN list_contains({rank}.won, '{field_name}') THEN true "
            f"WHEN list_contains({rank}.kept, '{field_name}') THEN false ELSE {rank}.base END"
        )

    # Working out the new state

    def plan(self) -> Outcome:
        """Work out every insert and update; needs :meth:`compare` first."""
        self._villages()
        self._follow_merged()
        self.fetch_registry()
        self.step()
        self._authority()
        self._targets()
        self._households()
        self.step()
        self._people()
        for has_a_say in rulings:
            has_a_say(self)
        self.step()
        return self._outcome()

    def _targets(self) -> None:
        """Give every row its household: one that exists, or a key for one to be made."""
        self.first_household = bulk.next_id(Household)
        self.first_person = bulk.next_id(Person)
        kk_wins = self.wins("kk", "r")
        self.db.execute(
            "CREATE OR REPLACE TABLE target AS SELECT d.nik, p.id AS person_id, "
            "p.household_id AS present_id, "
            "CASE WHEN d.kk IS NULL THEN p.household_id "
            f"WHEN p.id IS NOT NULL AND h.id IS DISTINCT FROM p.household_id AND ph.kk IS NOT NULL "
            f"  AND NOT ({kk_wins}) THEN p.household_id "
            "WHEN h.id IS NOT NULL THEN h.id "
            "WHEN p.id IS NOT NULL AND ph.kk IS NULL THEN p.household_id END AS household_id, "
            "CASE WHEN d.kk IS NULL THEN 'n' || d.nik ELSE 'k' || d.kk END AS new_key "
            "FROM delta d LEFT JOIN cur_person_flat p ON p.nik = d.nik "
            "LEFT JOIN cur_household_flat h ON h.kk = d.kk "
            "LEFT JOIN cur_household_flat ph ON ph.id = p.household_id "
            "LEFT JOIN cur_household_rank r ON r.id = p.household_id"
        )
        # Several members of a household without a KK number who now bring different ones: the first
        # one's number is the household's, the others go to households of their own.
        self.db.execute(
            "CREATE OR REPLACE TABLE filling AS SELECT t.household_id, min(d.kk) AS kk FROM target t "
            "JOIN delta d USING (nik) JOIN cur_household_flat h ON h.id = t.household_id "
            "WHERE h.kk IS NULL AND d.kk IS NOT NULL GROUP BY t.household_id"
        )
        self.db.execute(
            "UPDATE target SET household_id = NULL FROM filling f, delta d "
            "WHERE f.household_id = target.household_id AND d.nik = target.nik AND d.kk IS NOT NULL "
            "AND d.kk <> f.kk"
        )
        # One household must not be filled with a number under which another is being made.
        self.db.execute(
            "CREATE OR REPLACE TABLE filling_twice AS SELECT kk, min(household_id) AS household_id "
            "FROM filling GROUP BY kk"
        )
        self.db.execute(
            "UPDATE target SET household_id = f.household_id FROM filling_twice f "
            "WHERE target.household_id IS NULL AND target.new_key = 'k' || f.kk"
        )
        self.db.execute(
            "CREATE OR REPLACE TABLE new_household AS SELECT new_key, "
            f"{self.first_household} - 1 + row_number() OVER (ORDER BY new_key) AS id "
            "FROM (SELECT DISTINCT new_key FROM target WHERE household_id IS NULL)"
        )
        self.db.execute(
            "CREATE OR REPLACE TABLE placed AS SELECT t.nik, t.person_id, t.present_id, "
            "coalesce(t.household_id, n.id) AS household_id, t.household_id IS NULL AS is_new_household "
            "FROM target t LEFT JOIN new_household n ON t.household_id IS NULL AND n.new_key = t.new_key"
        )

    def _households(self) -> None:
        priority = "CASE WHEN d.relation = 'head' THEN 0 ELSE 1000000000 END + d.position"
        incoming = ", ".join(
            f"arg_min(d.{name}, {priority}) AS {name}" for name in HOUSEHOLD_VALUES
        )
        self.db.execute(
            f"CREATE OR REPLACE TABLE in_household AS SELECT p.household_id AS id, "
            f"bool_or(p.is_new_household) AS is_new, {incoming} "
            "FROM placed p JOIN delta d USING (nik) GROUP BY p.household_id"
        )
        self.db.execute(
            "UPDATE in_household SET kk = NULL FROM cur_household_flat c, cur_household_flat o "
            "WHERE c.id = in_household.id AND o.kk = in_household.kk AND o.id <> c.id"
        )
        self._judge("household", HOUSEHOLD_VALUES, "in_household i")

    def _people(self) -> None:
        incoming = ", ".join(f"d.{name}" for name in PERSON_VALUES)
        self.db.execute(
            f"CREATE OR REPLACE TABLE in_person AS SELECT p.person_id AS id, d.nik, "
            f"p.household_id AS to_household, p.present_id AS from_household, {incoming} "
            "FROM delta d JOIN placed p USING (nik) WHERE p.person_id IS NOT NULL"
        )
        self._judge("person", PERSON_VALUES, "in_person i")
        self.db.execute(
            "CREATE OR REPLACE TABLE moved AS SELECT i.id, i.from_household, i.to_household "
            "FROM in_person i WHERE i.from_household <> i.to_household"
        )
        names = ", ".join(f"d.{name}" for name in PERSON_VALUES)
        self.db.execute(
            f"CREATE OR REPLACE TABLE new_person AS SELECT {self.first_person} - 1 + "
            f"row_number() OVER (ORDER BY p.household_id, d.position, d.nik) AS id, d.nik, "
            f"p.household_id, {names} FROM delta d JOIN placed p USING (nik) WHERE p.person_id IS NULL"
        )

    def _judge(self, kind: str, names: list[str], source: str) -> None:
        """Make ``<kind>_judged``: per field of existing rows, whether it changes or differs."""
        parts = []
        for name in names:
            filled = f"i.{name} IS NOT NULL AND i.{name} IS DISTINCT FROM c.{name}"
            if name in ("name", "address", "hamlet", "birth_place"):
                filled += f" AND (c.{name} IS NULL OR lower(i.{name}) <> lower(c.{name}))"
            parts.append(
                f"SELECT i.id, '{name}' AS field, CAST(c.{name} AS VARCHAR) AS old, "
                f"CAST(i.{name} AS VARCHAR) AS new, "
                f"(c.{name} IS NULL OR {self.wins(HOUSEHOLD_DB.get(name) or PERSON_DB[name], 'r')}) AS taken "
                f"FROM {source} JOIN cur_{kind}_flat c ON c.id = i.id "
                f"JOIN cur_{kind}_rank r ON r.id = i.id WHERE {filled}"
            )
        self.db.execute(f"CREATE OR REPLACE TABLE {kind}_judged AS {' UNION ALL '.join(parts)}")

    def _outcome(self) -> Outcome:
        fields = dict(
            self.db.execute(
                "SELECT field, count(*) FROM (SELECT field FROM person_judged WHERE taken UNION ALL "
                "SELECT field FROM household_judged WHERE taken) GROUP BY field ORDER BY 2 DESC"
            ).fetchall()
        )
        return Outcome(
            new_people=self.one("SELECT count(*) FROM new_person"),
            new_households=self.one("SELECT count(*) FROM new_household"),
            updated_people=self.one("SELECT count(DISTINCT id) FROM person_judged WHERE taken"),
            updated_households=self.one(
                "SELECT count(DISTINCT id) FROM household_judged WHERE taken"
            ),
            moved_people=self.one("SELECT count(*) FROM moved"),
            differences=self.one("SELECT count(*) FROM person_judged WHERE NOT taken")
            + self.one("SELECT count(*) FROM household_judged WHERE NOT taken"),
            fields=fields,
        )

    def write_differences(self) -> None:
        """Keep the values that did not win, for the report: who, what, here and there."""
        atomic_parquet(
            self.db,
            "SELECT c.nik, j.field, j.old AS registry_value, j.new AS list_value "
            "FROM person_judged j JOIN cur_person_flat c ON c.id = j.id WHERE NOT j.taken "
            "UNION ALL SELECT (SELECT min(p.nik) FROM placed p WHERE p.household_id = j.id), j.field, "
            "j.old, j.new FROM household_judged j WHERE NOT j.taken",
            self.folder.differences,
        )

    # Writing

    def write(self, version: Version, origin: Origin) -> None:
        """Write the plan into the database, in the caller's transaction."""
        now = timezone.now().astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        if connection.vendor == "postgresql":
            now += "+00"
        self._insert_households(origin, now)
        self.step()
        self._insert_people(origin, now)
        self.step()
        self._update("household", HOUSEHOLD_VALUES, origin, now)
        self._update("person", PERSON_VALUES, origin, now)
        self._write_changes(origin, now)
        self.step()
        self._write_moves(origin)
        self._take_duplicates_along()
        self._refresh()
        self.step()
        self._search_keys()
        self.step()
        self._listings(version)
        self.step()
        if not self.delta.is_empty:
            bulk.recount_areas()
        self._version_counts(version)
        for model in (Household, Person, ValueChange, Move, Listing, VersionCount):
            bulk.settle_sequence(model)
        self._number_people(origin)
        if self.delta.added + self.delta.changed > bulk.BATCH:
            bulk.refresh_statistics()
        self.step()

    def _text(self, name: str, kind: str, table: str) -> str:
        """SQL for a flat column as the database wants it: text is never NULL there."""
        if kind == "VARCHAR":
            return f"coalesce({table}.{name}, '')"
        return f"{table}.{name}"

    def _insert_households(self, origin: Origin, now: str) -> None:
        columns = []
        for name, kind in HOUSEHOLD_COLUMNS.items():
            if name == "village":
                columns.append("v.id AS village_id, v.district_id AS district_id")
            elif name == "household_status":
                columns.append("coalesce(i.household_status, 'active') AS status")
            else:
                columns.append(f"{self._text(name, kind, 'i')} AS {name}")
        self.db.execute(
            "CREATE OR REPLACE TABLE head_of AS SELECT household_id, "
            "count(*) FILTER (coalesce(person_status, 'active') = 'active') AS members, "
            "arg_min(name, CASE WHEN coalesce(person_status, 'active') = 'active' THEN 0 ELSE 4000000000 END "
            "+ CASE WHEN relation = 'head' THEN 0 ELSE 2000000000 END + id) AS head_name "
            "FROM new_person GROUP BY household_id"
        )
        bulk.push(
            self.db,
            "registry_household",
            f"SELECT i.id AS id, {', '.join(columns)}, coalesce(m.head_name, '') AS head_name, "
            "coalesce(m.members, 0) AS member_count "
            "FROM in_household i JOIN village_ids v ON v.code = i.village "
            "LEFT JOIN head_of m ON m.household_id = i.id WHERE i.is_new ORDER BY i.id",
            self.work,
            lambda _rows: self.report("apply", self.done, APPLY_STEPS),
            self._marks(origin, now),
        )

    @staticmethod
    def _marks(origin: Origin, now: str) -> dict[str, str | int]:
        """Return what every new row says of where it came from and when."""
        return {"origin_id": origin.pk, "origins": "{}", "created_at": now, "updated_at": now}

    def _insert_people(self, origin: Origin, now: str) -> None:
        columns = [
            f"{self._text(name, PERSON_COLUMNS[name], 'n')} AS {name}"
            for name in PERSON_VALUES
            if name != "person_status"
        ]
        bulk.push(
            self.db,
            "registry_person",
            f"SELECT n.id, n.household_id, n.nik, {', '.join(columns)}, "
            "coalesce(n.person_status, 'active') AS status "
            "FROM new_person n ORDER BY n.id",
            self.work,
            lambda _rows: self.report("apply", self.done, APPLY_STEPS),
            self._marks(origin, now),
        )

    def _update(self, kind: str, names: list[str], origin: Origin, now: str) -> None:
        db_names = HOUSEHOLD_DB if kind == "household" else PERSON_DB
        parts = []
        for name in names:
            taken = f"list_contains(j.fields, '{name}')"
            new, old = f"i.{name}", f"c.{name}"
            value = f"CASE WHEN {taken} THEN {new} ELSE {old} END"
            if name == "village":
                continue
            if FLAT_COLUMNS[name] == "VARCHAR":
                value = f"coalesce({value}, '')"
            parts.append(f"{value} AS {db_names[name]}")
        join = ""
        if kind == "household":
            parts.append("v.id AS village_id, v.district_id AS district_id")
            join = (
                " JOIN village_ids v ON v.code = CASE WHEN list_contains(j.fields, 'village') "
                "THEN i.village ELSE c.village END"
            )
        else:
            parts.append("i.to_household AS household_id")
        moved = " OR i.from_household <> i.to_household" if kind == "person" else ""
        names_json = json.dumps({name: db_names[name] for name in names})
        register_rows(
            self.db,
            "field_names",
            {
                "field": (pa.string(), list(json.loads(names_json))),
                "db_field": (pa.string(), list(json.loads(names_json).values())),
            },
        )
        self.db.execute(
            f"CREATE OR REPLACE TABLE {kind}_taken AS SELECT j.id, list(j.field) AS fields, "
            f"'{{' || string_agg('\"' || n.db_field || '\":{origin.pk}', ',') || '}}' AS patch "
            f"FROM {kind}_judged j JOIN field_names n ON n.field = j.field WHERE j.taken GROUP BY j.id"
        )
        origins = (
            "CASE WHEN j.patch IS NULL THEN c.origins WHEN c.origins = '{}' THEN j.patch "
            "ELSE CAST(json_merge_patch(CAST(c.origins AS JSON), CAST(j.patch AS JSON)) AS VARCHAR) END"
        )
        bulk.amend(
            self.db,
            f"registry_{kind}",
            f"SELECT c.id AS id, {', '.join(parts)}, {origins} AS origins, '{now}' AS updated_at "
            f"FROM cur_{kind}_flat c JOIN in_{kind} i ON i.id = c.id "
            f"LEFT JOIN {kind}_taken j ON j.id = c.id{join} WHERE j.id IS NOT NULL{moved}",
            self.work,
        )

    def _write_changes(self, origin: Origin, now: str) -> None:
        first = bulk.next_id(ValueChange)
        effective = "coalesce(CAST(json_extract_string(c.origins, '$.' || n.db_field) AS BIGINT), c.origin_id)"
        every = []
        for kind, letter, home in (("household", "h", "c.id"), ("person", "p", "i.to_household")):
            db_names = HOUSEHOLD_DB if kind == "household" else PERSON_DB
            cases = " ".join(f"WHEN '{name}' THEN '{column}'" for name, column in db_names.items())
            every.append(
                f"SELECT '{letter}' AS kind, c.id AS subject_id, {home} AS household_id, "
                f"n.db_field AS field, coalesce(n.old, '') AS old, n.new AS new, "
                f"{effective} AS old_origin_id FROM (SELECT *, CASE field {cases} END AS db_field "
                f"FROM {kind}_judged WHERE taken) n JOIN cur_{kind}_flat c ON c.id = n.id "
                f"JOIN in_{kind} i ON i.id = n.id"
            )
        bulk.push(
            self.db,
            "registry_valuechange",
            f"SELECT {first} - 1 + row_number() OVER () AS id, *, {origin.pk} AS new_origin_id, "
            f"'{now}' AS \"at\" FROM ({' UNION ALL '.join(every)})",
            self.work,
        )

    def _write_moves(self, origin: Origin) -> None:
        first = bulk.next_id(Move)
        bulk.push(
            self.db,
            "registry_move",
            f"SELECT {first} - 1 + row_number() OVER () AS id, id AS person_id, "
            "from_household AS from_household_id, to_household AS to_household_id, "
            f"DATE '{self.as_of.isoformat()}' AS moved_on, '' AS reason, {origin.pk} AS origin_id "
            "FROM moved",
            self.work,
        )

    def _take_duplicates_along(self) -> None:
        """Keep merged people in the household of the person that they stand for."""
        duplicates = Person.objects.exclude(merged_into=None)
        duplicates.exclude(household_id=models.F("merged_into__household_id")).update(
            household_id=models.Subquery(
                Person.objects.filter(pk=models.OuterRef("merged_into_id")).values("household_id")
            )
        )

    def _refresh(self) -> None:
        """Bring member count and head's name up to date where members came, went or changed."""
        bulk.hold_ids(
            self.db,
            "held_household",
            "SELECT DISTINCT id FROM (SELECT from_household AS id FROM moved UNION ALL "
            "SELECT to_household FROM moved UNION ALL "
            "SELECT n.household_id FROM new_person n JOIN in_household h ON h.id = n.household_id "
            "WHERE NOT h.is_new UNION ALL "
            "SELECT i.to_household FROM in_person i JOIN person_judged j ON j.id = i.id WHERE j.taken "
            "AND j.field IN ('name', 'relation', 'person_status'))",
            self.work,
        )
        bulk.refresh_households("held_household")
        bulk.drop_held("held_household")

    def _search_keys(self) -> None:
        # Whoever changed name or village is indexed anew.
        self.db.execute(
            "CREATE OR REPLACE TABLE rename AS SELECT DISTINCT i.id FROM in_person i "
            "LEFT JOIN person_judged j ON j.id = i.id AND j.taken AND j.field = 'name' "
            "LEFT JOIN household_judged v ON v.id = i.to_household AND v.taken AND v.field = 'village' "
            "WHERE j.id IS NOT NULL OR v.id IS NOT NULL OR i.from_household <> i.to_household"
        )
        final_village = (
            "SELECT h.id, coalesce(CASE WHEN t.id IS NOT NULL OR h.is_new THEN h.village END, c.village) "
            "AS village FROM in_household h LEFT JOIN cur_household_flat c ON c.id = h.id "
            "LEFT JOIN household_judged t ON t.id = h.id AND t.taken AND t.field = 'village'"
        )
        self.db.execute(f"CREATE OR REPLACE TABLE final_village AS {final_village}")
        if self.one("SELECT count(*) FROM rename"):
            bulk.hold_ids(self.db, "held_person", "SELECT id FROM rename", self.work)
            self._forget(PersonKey._meta.db_table, "person_id", "held_person")
        bulk.index_people(
            self.db,
            "SELECT n.id AS person_id, v.id AS village_id, n.name AS name FROM new_person n "
            "JOIN final_village f ON f.id = n.household_id JOIN village_ids v ON v.code = f.village "
            "UNION ALL SELECT i.id, v.id, CASE WHEN j.id IS NOT NULL THEN i.name ELSE c.name END "
            "FROM rename r JOIN in_person i ON i.id = r.id JOIN cur_person_flat c ON c.id = r.id "
            "LEFT JOIN person_judged j ON j.id = r.id AND j.taken AND j.field = 'name' "
            "JOIN final_village f ON f.id = i.to_household JOIN village_ids v ON v.code = f.village",
            self.work,
        )
        self.db.execute(
            "CREATE OR REPLACE TABLE readdress AS SELECT DISTINCT id FROM household_judged "
            "WHERE taken AND field IN ('address', 'hamlet', 'village')"
        )
        if self.one("SELECT count(*) FROM readdress"):
            bulk.hold_ids(self.db, "held_house", "SELECT id FROM readdress", self.work)
            self._forget(AddressKey._meta.db_table, "household_id", "held_house")
        won = "SELECT list_contains(t.fields, '{0}') FROM household_taken t WHERE t.id = h.id"
        address = " || ' ' || ".join(
            f"coalesce(CASE WHEN h.is_new OR ({won.format(name)}) THEN h.{name} ELSE c.{name} END, '')"
            for name in ("address", "hamlet")
        )
        bulk.index_addresses(
            self.db,
            f"SELECT h.id AS household_id, v.id AS village_id, {address} AS address FROM in_household h "
            "LEFT JOIN cur_household_flat c ON c.id = h.id JOIN final_village f ON f.id = h.id "
            "JOIN village_ids v ON v.code = f.village "
            "WHERE h.is_new OR h.id IN (SELECT id FROM readdress)",
            self.work,
        )

    def _forget(self, table: str, owner: str, held: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE {owner} IN (SELECT id FROM {held})")
        bulk.drop_held(held)

    def _listings(self, version: Version) -> None:
        """Note which households are on the dataset's list, and which no longer are."""
        first = bulk.next_id(Listing)
        bulk.pull(
            self.db,
            "cur_listing",
            "SELECT id, household_id, dropped_version_id FROM registry_listing "
            f"WHERE dataset_id = {self.dataset.pk}",
            {"id": "BIGINT", "household_id": "BIGINT", "dropped_version_id": "BIGINT"},
            self.work,
        )
        bulk.push(
            self.db,
            "registry_listing",
            f"SELECT {first} - 1 + row_number() OVER (ORDER BY household_id) AS id, "
            f"{self.dataset.pk} AS dataset_id, household_id, {version.pk} AS first_version_id, "
            "NULL AS dropped_version_id FROM (SELECT DISTINCT household_id FROM placed) "
            "WHERE household_id NOT IN (SELECT household_id FROM cur_listing)",
            self.work,
        )
        returned = (
            "SELECT DISTINCT l.id, CAST(NULL AS BIGINT) AS dropped_version_id FROM cur_listing l "
            "JOIN placed p ON p.household_id = l.household_id WHERE l.dropped_version_id IS NOT NULL"
        )
        bulk.amend(self.db, "registry_listing", returned, self.work)
        if not self.delta.removed and not self.one("SELECT count(*) FROM moved"):
            return
        # A household leaves the list when none of its present members is on it any more.
        self._hold_text("held_nik", "SELECT DISTINCT nik AS id FROM gone")
        household_of_gone = (
            "SELECT household_id FROM registry_person WHERE nik IN (SELECT id FROM held_nik)"
        )
        bulk.pull(
            self.db,
            "gone_member",
            f"SELECT household_id, nik FROM registry_person WHERE household_id IN ({household_of_gone})",
            {"household_id": "BIGINT", "nik": "VARCHAR"},
            self.work,
        )
        bulk.drop_held("held_nik")
        dropped = (
            f"SELECT l.id, {version.pk} AS dropped_version_id FROM cur_listing l WHERE "
            "l.dropped_version_id IS NULL AND l.household_id IN (SELECT household_id FROM gone_member "
            "UNION ALL SELECT from_household FROM moved) AND l.household_id NOT IN "
            "(SELECT g.household_id FROM gone_member g JOIN version_rows r ON r.nik = g.nik) "
            "AND l.household_id NOT IN (SELECT household_id FROM placed)"
        )
        bulk.amend(self.db, "registry_listing", dropped, self.work)

    def _version_counts(self, version: Version) -> None:
        first = bulk.next_id(VersionCount)
        bulk.push(
            self.db,
            "registry_versioncount",
            f"SELECT {first} - 1 + row_number() OVER () AS id, {version.pk} AS version_id, * FROM ("
            "SELECT v.district_id AS district_id, coalesce(r.desil, 0) AS desil, "
            "count(DISTINCT coalesce(r.kk, r.nik)) AS households, count(*) AS people "
            "FROM version_rows r JOIN village_ids v ON v.code = r.village "
            "WHERE coalesce(r.household_status, 'active') = 'active' "
            "AND coalesce(r.person_status, 'active') = 'active' "
            "GROUP BY v.district_id, coalesce(r.desil, 0))",
            self.work,
        )


# What has a say in who wins, beyond the rule told above: called with each plan before it is written,
# with ``household_judged`` and ``person_judged`` made. Apps below add theirs when they are ready.
rulings: list[Callable[[Reconciliation], None]] = []


def counts_of(delta: Delta, outcome: Outcome) -> dict[str, Any]:
    """Return both results as plain numbers for :attr:`ImportRun.counts`."""
    return {**vars(delta), **vars(outcome)}
