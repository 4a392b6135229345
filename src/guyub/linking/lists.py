"""The two sides of a linking as plain records: an agency's list, and the registry's people.

Reading, recognising headings and understanding values are the importer's. Nothing is rejected here: a
value that can't be understood is left out of the comparison and stays visible as it was written.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.conf import settings
from django.utils.translation import gettext as _

from guyub.datasets.store import read_rows, version_path
from guyub.imports import reading
from guyub.imports.checks import VillageFinder
from guyub.imports.fields import BY_NAME
from guyub.imports.folder import RunFolder, rows_in, sealed_parquet
from guyub.imports.values import BadValueError, parse_date, parse_sex
from guyub.linking.backends import open_scratch
from guyub.linking.models import LinkRun
from guyub.linking.preparing import RAW_COLUMNS, prepare
from guyub.longruns.folder import Report
from guyub.registry.bulk import pull, register_rows
from guyub.registry.models import Household, Person
from guyub.registry.restriction import PERSON_IDS

FIELDS = ("nik", "kk", "name", "sex", "birth_date", "village_code", "village_name", "district_name")
# Beside a name, at least one of these must be known.
TELLING = ("nik", "kk", "birth_date", "village_code", "village_name")
BATCH = 20_000


class LinkFolder(RunFolder):
    """The folder ``<DATA_DIR>/linking/<run id>``."""

    place = "linking"

    @property
    def records(self) -> Path:
        """The list, understood, sealed: :data:`RAW_COLUMNS`; ``id`` is the row's number in the file."""
        return self.path / "records.parquet"

    @property
    def people(self) -> Path:
        """The registry as it was compared, sealed: :data:`RAW_COLUMNS` and ``household_id``."""
        return self.path / "people.parquet"

    @property
    def left(self) -> Path:
        return self.work / "left.parquet"

    @property
    def right(self) -> Path:
        return self.work / "right.parquet"

    @property
    def decided(self) -> Path:
        return self.path / "decided.parquet"

    @property
    def links(self) -> Path:
        return self.path / "links.parquet"

    @property
    def pairs(self) -> Path:
        return self.path / "pairs.parquet"


def mapping_faults(mapping: dict[str, str]) -> list[str]:
    """Return what keeps a mapping from being used, as messages for the user."""
    fields = list(mapping.values())
    faults = []
    if "name" not in fields:
        faults.append(_("Pilih kolom yang berisi nama."))
    if not set(fields) & set(TELLING):
        faults.append(
            _("Selain nama, pilih paling sedikit satu: NIK, KK, tanggal lahir, atau desa.")
        )
    for field in sorted({f for f in fields if fields.count(f) > 1}):
        faults.append(
            _("“%(field)s” dipilih untuk lebih dari satu kolom.") % {"field": BY_NAME[field].label}
        )
    return faults


def read_list(run: LinkRun, folder: LinkFolder, report: Report) -> None:
    """Write the list's records, from the uploaded file or the stored version.

    Raises:
        UnreadableFileError: the file is damaged, empty or too long.
    """
    if run.version is not None:
        _read_version(version_path(run.version.dataset.code, run.version.number), folder)
        return
    if not folder.staged.exists():
        layout = reading.Layout.from_json(run.layout)
        reading.stage_sealed(folder, layout, report, settings.IMPORT_MAX_ROWS)
    with rows_in(folder.staged) as staged, open_scratch(folder.work, "list") as duck:
        _understand(duck, run.mapping, folder, staged)


def _read_version(path: Path, folder: LinkFolder) -> None:
    with open_scratch(folder.work, "list") as duck:
        duck.execute(
            "CREATE TABLE records (id BIGINT, nik VARCHAR, kk VARCHAR, name VARCHAR, "
            "birth_date DATE, sex VARCHAR, village VARCHAR)"
        )
        columns = ["nik", "kk", "name", "birth_date", "sex", "village"]
        # In the order of NIK; numbers are opened on their way in.
        rows = read_rows(path, columns)
        first = 1
        while batch := list(itertools.islice(rows, BATCH)):
            duck.register(
                "incoming",
                pa.table(
                    {
                        "id": pa.array(range(first, first + len(batch)), pa.int64()),
                        **{
                            name: pa.array(
                                [row[place] for row in batch],
                                pa.date32() if name == "birth_date" else pa.string(),
                            )
                            for place, name in enumerate(columns)
                        },
                    }
                ),
            )
            duck.execute("INSERT INTO records SELECT * FROM incoming")
            duck.unregister("incoming")
            first += len(batch)
        sealed_parquet(duck, "SELECT * FROM records ORDER BY id", folder.records)


def _understand(
    duck: duckdb.DuckDBPyConnection, mapping: dict[str, str], folder: LinkFolder, staged: str
) -> None:
    column = {field: f"c{position}" for position, field in mapping.items()}
    duck.execute(f"CREATE VIEW staged AS SELECT * FROM {staged} WHERE NOT malformed")

    def text(field: str) -> str:
        if field not in column:
            return "CAST(NULL AS VARCHAR)"
        return f"nullif(trim(ltrim({column[field]}, '{reading.NUMBER_MARK}')), '')"

    def digits(field: str) -> str:
        # A number that Excel has rounded, or one in words, is none.
        return f"nullif(regexp_replace({text(field)}, '[^0-9]', '', 'g'), '')"

    born = _distinct(duck, text("birth_date"), "born", parse_date, pa.date32())
    sexes = _distinct(duck, text("sex"), "sexes", parse_sex, pa.string())
    places = [text(field) for field in ("village_code", "village_name", "district_name")]
    finder = VillageFinder()
    rows = duck.execute(f"SELECT DISTINCT {', '.join(places)} FROM staged").fetchall()
    register_rows(
        duck,
        "places",
        {
            **{f"k{i}": (pa.string(), [row[i] for row in rows]) for i in range(3)},
            "value": (pa.string(), [finder.find(*row)[0] for row in rows]),
        },
    )
    same_place = " AND ".join(f"places.k{i} IS NOT DISTINCT FROM {p}" for i, p in enumerate(places))
    sealed_parquet(
        duck,
        f"SELECT row_number AS id, {digits('nik')} AS nik, {digits('kk')} AS kk, "
        f"{text('name')} AS name, born.value AS birth_date, sexes.value AS sex, "
        f"places.value AS village FROM staged LEFT JOIN born ON born.text = {born} "
        f"LEFT JOIN sexes ON sexes.text = {sexes} LEFT JOIN places ON {same_place} "
        f"WHERE {text('name')} IS NOT NULL ORDER BY id",
        folder.records,
    )


def _distinct(
    duck: duckdb.DuckDBPyConnection, text: str, table: str, parse: Callable[[str], Any], kind: Any
) -> str:
    """Make a table of each distinct text and what it means, ``NULL`` where it means nothing."""
    texts = [
        row[0]
        for row in duck.execute(
            f"SELECT DISTINCT {text} FROM staged WHERE {text} IS NOT NULL"
        ).fetchall()
    ]
    values = []
    for given in texts:
        try:
            values.append(parse(given))
        except BadValueError:
            values.append(None)
    register_rows(duck, table, {"text": (pa.string(), texts), "value": (kind, values)})
    return text


def read_registry(folder: LinkFolder, active_only: bool = False) -> None:
    """Write the registry's people as records."""
    with open_scratch(folder.work, "registry") as duck:
        # Whoever was merged into another stands for that one and is compared no more.
        where = "WHERE p.merged_into_id IS NULL"
        where += " AND p.status = 'active'" if active_only else ""
        where += f" AND p.id NOT IN ({PERSON_IDS})"
        pull(
            duck,
            "people",
            "SELECT p.id, p.household_id, p.name, p.birth_date, p.sex, a.code AS village "
            f"FROM {Person._meta.db_table} p JOIN {Household._meta.db_table} h "
            f"ON h.id = p.household_id JOIN areas_area a ON a.id = h.village_id {where}",
            {
                "id": "BIGINT", "household_id": "BIGINT", "name": "VARCHAR", "birth_date": "DATE",
                "sex": "VARCHAR", "village": "VARCHAR",
            },
            folder.work,
        )  # fmt: skip
        # Numbers come through the model, which alone knows how they are kept.
        _numbers(duck, "niks", Person, "nik")
        _numbers(duck, "kks", Household, "kk")
        sealed_parquet(
            duck,
            "SELECT p.id, nullif(n.number, '') AS nik, nullif(k.number, '') AS kk, p.name, p.birth_date, "
            "nullif(p.sex, '') AS sex, p.village, p.household_id FROM people p "
            "LEFT JOIN niks n ON n.id = p.id LEFT JOIN kks k ON k.id = p.household_id ORDER BY p.id",
            folder.people,
        )


def household_size(folder: LinkFolder) -> float:
    """Return how many people a household of the registry has, on average."""
    with rows_in(folder.people) as rows:
        ((people, households),) = duckdb.execute(
            f"SELECT count(*), count(DISTINCT household_id) FROM {rows}"
        ).fetchall()
    return people / max(households, 1)


def _numbers(duck: duckdb.DuckDBPyConnection, table: str, model: Any, field: str) -> None:
    duck.execute(f"CREATE TABLE {table} (id BIGINT, number VARCHAR)")
    ids: list[int] = []
    numbers: list[str] = []

    def keep() -> None:
        duck.register("incoming", pa.table({"id": ids, "number": pa.array(numbers, pa.string())}))
        duck.execute(f"INSERT INTO {table} SELECT id, number FROM incoming")
        duck.unregister("incoming")
        ids.clear()
        numbers.clear()

    for pk, number in model.objects.values_list("pk", field).iterator(chunk_size=BATCH):
        ids.append(pk)
        numbers.append(number)
        if len(ids) == BATCH:
            keep()
    if ids:
        keep()


def prepare_sides(folder: LinkFolder, duplicates: bool) -> tuple[int, int]:
    """Make both sides ready to compare; return how many records each has."""
    columns = ", ".join(RAW_COLUMNS)
    with open_scratch(folder.work, "prepare") as duck:
        with rows_in(folder.people) as rows:
            target = folder.left if duplicates else folder.right
            people = prepare(duck, f"(SELECT {columns} FROM {rows})", target)
        if duplicates:
            return people, people
        with rows_in(folder.records) as rows:
            return prepare(duck, f"(SELECT {columns} FROM {rows})", folder.left), people
