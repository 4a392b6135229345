"""Checking staged rows: text in, accepted rows in the registry's flat form and rejections out.

Everything runs in DuckDB over the staged Parquet file. Columns with few distinct texts (answers,
dates, villages) are read once per distinct text by the parsers of :mod:`guyub.imports.values`; NIK,
KK and names are checked row by row in SQL.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from guyub.areas.models import Area, Level
from guyub.areas.services import national_district_codes
from guyub.datasets.store import seal_query
from guyub.imports.folder import RunFolder, rows_in, sealed_parquet
from guyub.imports.reading import NUMBER_MARK
from guyub.imports.values import PARSERS, BadValueError
from guyub.longruns.folder import Report
from guyub.registry.bulk import register_rows
from guyub.registry.flat import FLAT_COLUMNS
from guyub.registry.vocabulary import Asset

MEMORY_LIMIT = "900MB"
# Free text: field to its greatest length in the registry.
TEXTS = {"birth_place": 80, "address": 250, "hamlet": 80}
# What stands for "nothing" in agencies' files.
NOTHING = ("", "-", "--", "NULL", "N/A", "#N/A", "#REF!", "NAN", "NONE", "KOSONG")
STEPS = 6


@dataclass(frozen=True)
class CheckResult:
    """How many rows a file holds, how many passed, how many did not, and why (cause: rows)."""

    rows: int
    accepted: int
    rejected: int
    causes: dict[str, int]


def check(
    folder: RunFolder, mapping: dict[str, str], as_of: dt.date, report: Report
) -> CheckResult:
    """Check the staged rows of a run and write ``accepted.parquet`` and ``rejected.parquet``.

    ``mapping`` is {column position: field}; ``as_of`` is the date of the list, after which nobody on
    it can have been born.
    """
    work = folder.fresh_work()
    connection = open_duckdb(work)
    try:
        return _Checker(connection, folder, mapping, as_of, report).run()
    finally:
        connection.close()


def open_duckdb(work: Any) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB database in the scratch folder ``work`` that spills to disk instead of growing."""
    connection = duckdb.connect(str(work / "work.duckdb"))
    connection.execute(
        f"SET memory_limit='{MEMORY_LIMIT}'; SET temp_directory='{work}'; SET threads=2"
    )
    connection.execute("SET preserve_insertion_order=false")
    return connection


ARROW_TYPES: dict[str, Any] = {
    "VARCHAR": pa.string(), "DATE": pa.date32(), "BOOLEAN": pa.bool_(), "INTEGER": pa.int32(),
    "TINYINT": pa.int8(), "DOUBLE": pa.float64(),
}  # fmt: skip


class _Checker:
    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: RunFolder,
        mapping: dict[str, str],
        as_of: dt.date,
        report: Report,
    ) -> None:
        self.db = connection
        self.folder = folder
        self.column = {field: f"c{position}" for position, field in mapping.items()}
        self.as_of = as_of
        self.report = report
        self.done = 0
        # (field, column, SQL that is the cause or NULL, SQL of the hint)
        self.faults: list[tuple[str, str, str]] = []
        self.joins: list[str] = []
        self.values: dict[str, str] = {}

    def step(self) -> None:
        self.done += 1
        self.report("check", self.done, STEPS)

    def run(self) -> CheckResult:
        self.report("check", 0, STEPS)
        with rows_in(self.folder.staged) as staged:
            return self._check(staged)

    def _check(self, staged: str) -> CheckResult:
        self.db.execute(f"CREATE VIEW staged AS SELECT * FROM {staged}")
        self._rows()
        self.step()
        self._parsed_columns()
        self._village()
        self.step()
        self._nik()
        self._kk()
        self._name()
        self._texts()
        self._compose()
        self.step()
        self._across_rows()
        self.step()
        result = self._write()
        self.step()
        self.report("check", STEPS, STEPS)
        return result

    def _rows(self) -> None:
        """Make the view ``rows``: the staged rows, with NIK and KK as bare digits beside them."""
        extra = []
        for field in ("nik", "kk"):
            if field in self.column:
                text = _nothing_to_null(self.column[field])
                # Spaces, dots and the apostrophe that Excel needs are forgiven.
                digits = (
                    f"CASE WHEN regexp_full_match({self.column[field]}, '\\d{{16}}') "
                    f"THEN {self.column[field]} "
                    f"ELSE regexp_replace({text}, '[\\s''`’.\\-]', '', 'g') END"
                )
                extra.append(f", {text} AS {field}_text, {digits} AS {field}_digits")
        self.db.execute(f"CREATE VIEW rows AS SELECT *{''.join(extra)} FROM staged")

    # One distinct text at a time

    def _distinct(self, column: str) -> list[str]:
        query = f"SELECT DISTINCT {column} FROM staged WHERE {column} IS NOT NULL AND NOT malformed"
        return [row[0] for row in self.db.execute(query).fetchall()]

    def _parsed_columns(self) -> None:
        for field, (parse, kind) in PARSERS.items():
            if field not in self.column:
                continue
            column = self.column[field]
            texts, values, causes = self._distinct(column), [], []
            for text in texts:
                value, cause = _attempt(parse, text)
                values.append(value)
                causes.append(cause)
            register_rows(
                self.db,
                f"map_{field}",
                {
                    "text": (pa.string(), texts),
                    "value": (ARROW_TYPES[kind], values),
                    "cause": (pa.string(), causes),
                },
            )
            self.joins.append(f"LEFT JOIN map_{field} ON map_{field}.text = rows.{column}")
            self.values[field] = f"map_{field}.value"
            self._fault(field, f"map_{field}.cause")
        if "birth_date" in self.column:
            self._fault(
                "birth_date",
                f"CASE WHEN map_birth_date.value > DATE '{self.as_of.isoformat()}' "
                "THEN 'date_future' END",
            )

    def _village(self) -> None:
        code = self.column.get("village_code")
        name = self.column.get("village_name")
        district = self.column.get("district_name")
        parts = [c for c in (code, name, district) if c]
        keys = [f"coalesce({c}, '')" for c in parts]
        found = self.db.execute(
            f"SELECT DISTINCT {', '.join(keys)} FROM staged WHERE NOT malformed"
        ).fetchall()
        finder = VillageFinder()
        answers = []
        for row in found:
            given = dict(zip(parts, map(_meaning, row), strict=True))
            answers.append(
                finder.find(given.get(code or ""), given.get(name or ""), given.get(district or ""))
            )
        columns: dict[str, tuple[Any, list[Any]]] = {
            f"k{i}": (pa.string(), [row[i] for row in found]) for i in range(len(parts))
        }
        columns |= {
            "value": (pa.string(), [a[0] for a in answers]),
            "cause": (pa.string(), [a[1] for a in answers]),
            "hint": (pa.string(), [a[2] for a in answers]),
        }
        register_rows(self.db, "map_village", columns)
        on = " AND ".join(f"map_village.k{i} = {key}" for i, key in enumerate(keys))
        self.joins.append(f"LEFT JOIN map_village ON {on}")
        self.values["village"] = "map_village.value"
        field = "village_name" if name else "village_code"
        self.faults.append((field, "map_village.cause", "map_village.hint"))

    # Row by row in SQL

    def _fault(self, field: str, cause: str, hint: str = "NULL") -> None:
        self.faults.append((field, cause, hint))

    def _number_fault(self, field: str) -> str:
        text, digits = f"rows.{field}_text", f"rows.{field}_digits"
        return (
            f"CASE WHEN {text} IS NULL THEN NULL "
            f"WHEN regexp_full_match({digits}, '\\d{{16}}') AND left({digits}, 6) IN "
            "(SELECT code FROM district_codes) THEN NULL "
            f"WHEN regexp_matches({text}, '^\\d([.,]\\d+)?[Ee]\\+?\\d+$') THEN '{field}_scientific' "
            f"WHEN starts_with({text}, '{NUMBER_MARK}') THEN '{field}_number' "
            f"WHEN NOT regexp_matches({digits}, '^\\d+$') THEN '{field}_digits' "
            f"WHEN length({digits}) <> 16 THEN '{field}_length' ELSE '{field}_area' END"
        )

    def _nik(self) -> None:
        codes = sorted(national_district_codes())
        register_rows(self.db, "district_codes", {"code": (pa.string(), codes)})
        nik = "rows.nik_digits"
        self.values["nik"] = nik
        # NULL in a NIK of another shape, so that what follows stays silent about it.
        day = f"TRY_CAST(CASE WHEN length({nik}) = 16 THEN substr({nik}, 7, 2) END AS INTEGER)"
        birth_day = f"printf('%02d', CASE WHEN {day} > 40 THEN {day} - 40 ELSE {day} END)"
        # 29 February is let pass whatever the century, since two digits of a year can't tell.
        real_date = f"try_strptime({birth_day} || substr({nik}, 9, 2) || '2000', '%d%m%Y')"
        self._fault("nik", "CASE WHEN rows.nik_text IS NULL THEN 'nik_missing' END")
        self._fault("nik", self._number_fault("nik"))
        self._fault(
            "nik",
            f"CASE WHEN {day} IS NOT NULL THEN CASE WHEN {real_date} IS NULL THEN 'nik_date' "
            f"WHEN right({nik}, 4) = '0000' THEN 'nik_serial' END END",
        )
        well_formed = f"{day} IS NOT NULL"
        unconfirmed = (
            "NOT coalesce(map_nik_confirmed.value, false)"
            if "nik_confirmed" in self.column
            else "true"
        )
        if "birth_date" in self.column:
            born = "map_birth_date.value"
            stated = f"strftime({born}, '%d%m%y')"
            swapped = f"strftime({born}, '%m%d%y')"
            told = f"{birth_day} || substr({nik}, 9, 4)"
            self._fault(
                "birth_date",
                f"CASE WHEN {well_formed} AND {unconfirmed} AND {born} IS NOT NULL AND {stated} <> {told} "
                f"THEN CASE WHEN {swapped} = {told} THEN 'nik_swapped' ELSE 'nik_birth' END END",
            )
        if "sex" in self.column:
            self._fault(
                "sex",
                f"CASE WHEN {well_formed} AND {unconfirmed} AND map_sex.value IS NOT NULL "
                f"AND (map_sex.value = 'F') <> ({day} > 40) THEN 'nik_sex' END",
            )

    def _kk(self) -> None:
        if "kk" not in self.column:
            return
        self.values["kk"] = "rows.kk_digits"
        self._fault("kk", self._number_fault("kk"))

    def _name(self) -> None:
        column = _nothing_to_null(f"rows.{self.column['name']}")
        self.values["name"] = f"upper(regexp_replace({column}, '\\s+', ' ', 'g'))"
        self._fault(
            "name",
            f"CASE WHEN {column} IS NULL THEN 'name_missing' "
            f"WHEN regexp_matches({column}, '\\d') THEN 'name_digits' "
            f"WHEN length({column}) > 150 THEN 'too_long' END",
        )

    def _texts(self) -> None:
        for field, longest in TEXTS.items():
            if field in self.column:
                column = _nothing_to_null(f"rows.{self.column[field]}")
                self.values[field] = f"regexp_replace({column}, '\\s+', ' ', 'g')"
                self._fault(field, f"CASE WHEN length({column}) > {longest} THEN 'too_long' END")

    def _compose(self) -> None:
        """Join the pieces into one table: values, and the faults of each row as a list."""
        if "rt_rw" in self.values:
            both = self.values["rt_rw"]
            for field, part in (("rt", 1), ("rw", 2)):
                split = f"split_part({both}, '/', {part})"
                own = self.values.get(field)
                self.values[field] = f"coalesce({own}, {split})" if own else split
        owned = [a for a in Asset if f"asset_{a.value}" in self.values]
        if owned:
            parts = [
                f"CASE WHEN {self.values[f'asset_{a.value}']} THEN '{a.value}' END" for a in owned
            ]
            listed = (
                [f"string_split({self.values['assets']}, ',')"] if "assets" in self.values else []
            )
            known = " OR ".join(f"{self.values[f'asset_{a.value}']} IS NOT NULL" for a in owned) + (
                f" OR {self.values['assets']} IS NOT NULL" if listed else ""
            )
            merged = (
                f"list_concat([{', '.join(parts)}], {listed[0]})"
                if listed
                else f"[{', '.join(parts)}]"
            )
            self.values["assets"] = (
                f"CASE WHEN {known} THEN array_to_string(list_sort(list_distinct(list_filter({merged}, "
                "lambda x: x IS NOT NULL AND x <> ''))), ',') END"
            )
        flat = ", ".join(
            f"CAST({self.values.get(name, 'NULL')} AS {kind}) AS {name}"
            for name, kind in FLAT_COLUMNS.items()
        )
        numbered = list(enumerate(self.faults))
        causes = ", ".join(f"{cause} AS f{n}, {hint} AS h{n}" for n, (_f, cause, hint) in numbered)
        self.db.execute(
            f"CREATE TABLE judged AS SELECT rows.row_number, rows.malformed, {causes}, {flat} "
            f"FROM rows {' '.join(self.joins)}"
        )
        any_fault = ", ".join(f"f{n}" for n, _fault in numbered)
        listing = ", ".join(
            f"CASE WHEN f{n} IS NOT NULL THEN {{'field': '{field}', 'cause': f{n}, 'hint': h{n}}} END"
            for n, (field, _cause, _hint) in numbered
        )
        self.db.execute(
            "CREATE VIEW checked AS SELECT row_number, CASE "
            "WHEN malformed THEN [{'field': '', 'cause': 'malformed', 'hint': NULL}] "
            f"WHEN coalesce({any_fault}) IS NULL THEN [] "
            f"ELSE list_filter([{listing}], lambda x: x IS NOT NULL) END AS faults, "
            f"malformed OR coalesce({any_fault}) IS NOT NULL AS is_faulty, "
            f"{', '.join(FLAT_COLUMNS)} FROM judged"
        )

    # Rules that look at several rows

    def _across_rows(self) -> None:
        self.db.execute(
            "CREATE TABLE extra AS "
            "SELECT row_number, 'nik' AS field, 'nik_duplicate' AS cause, "
            "CAST(first_row AS VARCHAR) AS hint FROM ("
            "  SELECT row_number, nik, min(row_number) OVER (PARTITION BY nik) AS first_row, "
            "  count(*) OVER (PARTITION BY nik) AS times FROM checked WHERE nik IS NOT NULL "
            "  AND nik IN (SELECT nik FROM checked WHERE nik IS NOT NULL GROUP BY nik HAVING count(*) > 1)"
            ") WHERE row_number <> first_row"
        )
        if "kk" in self.column:
            self.db.execute(
                "CREATE TABLE sound AS SELECT row_number, kk, village, relation FROM checked "
                "WHERE NOT is_faulty AND kk IS NOT NULL "
                "AND row_number NOT IN (SELECT row_number FROM extra)"
            )
            self.db.execute(
                "INSERT INTO extra SELECT c.row_number, 'kk', 'kk_village', NULL FROM sound c "
                "JOIN (SELECT kk, arg_min(village, row_number) AS first_village FROM sound GROUP BY kk "
                "      HAVING count(DISTINCT village) > 1) g "
                "ON g.kk = c.kk WHERE c.village <> g.first_village"
            )
            self.db.execute(
                "INSERT INTO extra SELECT c.row_number, 'relation', 'kk_two_heads', NULL FROM sound c "
                "JOIN (SELECT kk, min(row_number) AS first_head FROM sound "
                "      WHERE relation = 'head' GROUP BY kk "
                "      HAVING count(*) > 1) g "
                "ON g.kk = c.kk WHERE c.relation = 'head' AND c.row_number <> g.first_head"
            )

    def _write(self) -> CheckResult:
        columns = ", ".join(FLAT_COLUMNS)
        seal_query(
            self.db,
            f"SELECT row_number, {columns} FROM checked WHERE NOT is_faulty AND row_number NOT IN "
            "(SELECT row_number FROM extra) ORDER BY row_number",
            self.folder.accepted,
        )
        positions = {field: int(column[1:]) for field, column in self.column.items()}
        register_rows(
            self.db,
            "positions",
            {
                "field": (pa.string(), list(positions)),
                "position": (pa.int32(), list(positions.values())),
            },
        )
        given = " ".join(f"WHEN '{field}' THEN r.{column}" for field, column in self.column.items())
        self.db.execute(
            "CREATE TABLE reasons AS SELECT row_number, f.field AS field, f.cause AS cause, f.hint AS hint "
            "FROM (SELECT row_number, unnest(faults) AS f FROM checked WHERE is_faulty) "
            "UNION ALL SELECT row_number, field, cause, hint FROM extra"
        )
        sealed_parquet(
            self.db,
            "SELECT x.row_number, x.field, p.position, x.cause, x.hint, "
            f"CASE x.field {given} END AS value FROM reasons x "
            "JOIN staged r ON r.row_number = x.row_number "
            "LEFT JOIN positions p ON p.field = x.field ORDER BY x.row_number, p.position",
            self.folder.rejected,
        )
        rows = _one(self.db, "SELECT count(*) FROM judged")
        accepted = _one(self.db, f"SELECT count(*) FROM '{self.folder.accepted}'")
        causes = dict(
            self.db.execute(
                "SELECT cause, count(DISTINCT row_number) FROM reasons GROUP BY cause ORDER BY 2 DESC"
            ).fetchall()
        )
        return CheckResult(rows, accepted, rows - accepted, causes)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def _nothing_to_null(column: str) -> str:
    """SQL for a column's text without outer spaces, ``NULL`` where it says nothing."""
    nothing = ", ".join(f"'{text}'" for text in NOTHING)
    return f"CASE WHEN upper(trim({column})) IN ({nothing}) THEN NULL ELSE trim({column}) END"


def _meaning(text: str) -> str:
    """Return a text without outer spaces, empty where it says nothing."""
    stripped = text.strip()
    return "" if stripped.upper() in NOTHING else stripped


def _attempt(parse: Callable[[str], Any], text: str) -> tuple[Any, str | None]:
    text = _meaning(text)
    if not text:
        return None, None
    try:
        return parse(text), None
    except BadValueError as error:
        return None, error.cause


class VillageFinder:
    """Finds a village by code or by name, and says what was probably meant when there is none."""

    def __init__(self) -> None:
        self.codes: set[str] = set()
        self.by_name: dict[str, list[str]] = {}
        self.titles: dict[str, str] = {}
        districts = {a.pk: a for a in Area.objects.filter(level=Level.DISTRICT)}
        for area in Area.objects.filter(level=Level.VILLAGE):
            self.codes.add(area.code)
            self.by_name.setdefault(village_key(area.name), []).append(area.code)
            self.titles[area.code] = f"{area.name} ({districts[area.parent_id or 0].name})"
        self.districts = {village_key(d.name): d.code for d in districts.values()}

    def find(
        self, code: str | None, name: str | None, district: str | None
    ) -> tuple[str | None, str | None, str | None]:
        """Return (code, None, None), or (None, cause, hint)."""
        if code:
            digits = re.sub(r"\D", "", code.removesuffix(".0"))
            if len(digits) == 10:
                dotted = f"{digits[:2]}.{digits[2:4]}.{digits[4:6]}.{digits[6:]}"
                if dotted in self.codes:
                    return dotted, None, None
            if not name:
                return None, "village_unknown", None
        if not name:
            return None, "village_missing", None
        candidates = self.by_name.get(village_key(name), [])
        if district:
            within = self.districts.get(village_key(district))
            if within is None:
                close: Any = process.extractOne(
                    village_key(district), self.districts, scorer=fuzz.ratio, score_cutoff=60
                )
                hint = self._maybe(close[2] if close else None)
                return None, "village_unknown", hint
            narrowed = [c for c in candidates if c.startswith(within + ".")]
            if len(narrowed) == 1:
                return narrowed[0], None, None
            nearby = {key: codes[0] for key, codes in self._inside(within).items()}
            close = process.extractOne(
                village_key(name), list(nearby), scorer=fuzz.ratio, score_cutoff=60
            )
            meant = self.titles[nearby[close[0]]] if close else None
            return None, "village_unknown", self._maybe(meant)
        if len(candidates) == 1:
            return candidates[0], None, None
        if len(candidates) > 1:
            return None, "village_ambiguous", "; ".join(self.titles[c] for c in candidates)
        close = process.extractOne(
            village_key(name), list(self.by_name), scorer=fuzz.ratio, score_cutoff=70
        )
        return (
            None,
            "village_unknown",
            self._maybe(self.titles[self.by_name[close[0]][0]] if close else None),
        )

    def _inside(self, district: str) -> dict[str, list[str]]:
        return {
            key: inside
            for key, codes in self.by_name.items()
            if (inside := [c for c in codes if c.startswith(district + ".")])
        }

    @staticmethod
    def _maybe(meant: str | None) -> str | None:
        return _("Mungkin maksudnya: %(name)s.") % {"name": meant.title()} if meant else None


def village_key(name: str) -> str:
    """Return a village's or district's name as compared: no kind in front, no spaces, no case."""
    bare = re.sub(r"^(desa|ds|kelurahan|kel|kecamatan|kec)\b\.?\s*", "", name.strip().lower())
    return re.sub(r"[^a-z0-9]", "", bare)
