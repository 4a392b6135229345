"""Files of NIK: who shall be enrolled, or who was given what.

A file is staged as text like any import (:mod:`guyub.imports.reading`), judged in one pass of DuckDB
against the registry and the enrolments, and ends as two Parquet files: the rows that pass, and one
line per fault of those that do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.access.sealing import SEALED_WIDTH, seal_all
from guyub.beneficiaries.causes import explain
from guyub.beneficiaries.models import Batch, BatchKind, Delivery, Enrolment
from guyub.beneficiaries.stages import RECEIVING
from guyub.imports import reading
from guyub.imports.fields import BY_HEADING, normal
from guyub.imports.folder import RunFolder, atomic_parquet, rows_in, sealed_parquet
from guyub.imports.queries import Rejection
from guyub.imports.values import BadValueError, parse_date, parse_rupiah
from guyub.longruns.folder import Report
from guyub.programs.vocabulary import Recipient
from guyub.registry import bulk
from guyub.registry.models import Household, Person
from guyub.registry.restriction import HOUSEHOLD_IDS, PERSON_IDS

MAX_ROWS = 1_000_000
MEMORY_LIMIT = "900MB"
NIKS = "batch_niks"
LABELS = {
    "nik": gettext_lazy("NIK"),
    "note": gettext_lazy("Catatan"),
    "delivered_on": gettext_lazy("Tanggal"),
    "amount": gettext_lazy("Nilai"),
}
# Headings as `normal` leaves them; those of a NIK are the importer's.
HEADINGS = {
    "note": ("catatan", "keterangan", "alasan", "uraian", "keterangan bantuan", "jenis bantuan"),
    "delivered_on": (
        "tanggal", "tgl", "tanggal salur", "tgl salur", "tanggal penyaluran", "tgl penyaluran",
        "tanggal terima", "tgl terima", "tanggal bantuan", "tanggal realisasi",
    ),
    "amount": (
        "nilai", "jumlah", "nominal", "besaran", "rupiah", "nilai bantuan", "jumlah bantuan",
        "nominal bantuan", "jumlah rp", "nilai rp", "nominal rp", "jumlah uang", "besar bantuan",
    ),
}  # fmt: skip
WANTED = {
    BatchKind.ENROL_FILE: ("nik",),
    BatchKind.DELIVER_FILE: ("nik", "delivered_on", "amount"),
}
ALLOWED = {
    BatchKind.ENROL_FILE: ("nik", "note"),
    BatchKind.DELIVER_FILE: ("nik", "delivered_on", "amount", "note"),
}


class BatchFolder(RunFolder):
    """The folder ``<DATA_DIR>/batches/<batch id>``."""

    place = "batches"


def recognise(headings: Sequence[str], kind: str) -> dict[str, str]:
    """Return {column position: field} for the columns that a file of ``kind`` may have."""
    found: dict[str, str] = {}
    for position, heading in enumerate(headings):
        name = normal(heading)
        field = "nik" if BY_HEADING.get(name) == "nik" else ""
        for candidate, names in HEADINGS.items():
            if name in names:
                field = candidate
        if field in ALLOWED[BatchKind(kind)] and field not in found.values():
            found[str(position)] = field
    return found


def missing(mapping: dict[str, str], kind: str) -> list[str]:
    """Return the names of the columns that a file of ``kind`` lacks."""
    fields = set(mapping.values())
    return [str(LABELS[field]) for field in WANTED[BatchKind(kind)] if field not in fields]


def check(batch: Batch, folder: RunFolder, report: Report) -> dict[str, Any]:
    """Judge every row and write those that pass and those that do not; return the counts.

    Raises:
        UnreadableFileError: the file is damaged, has no rows, or more than a million.
    """
    work = folder.fresh_work()
    if not folder.staged.exists():
        layout = reading.Layout.from_json(batch.layout)
        reading.stage_sealed(folder, layout, report, MAX_ROWS)
        work = folder.fresh_work()
    report("check", 0, 4)
    with (
        rows_in(folder.staged) as staged,
        duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as duck,
    ):
        judge = _Judge(duck, batch, staged)
        judge.read()
        report("check", 1, 4)
        judge.look_up(work)
        report("check", 2, 4)
        judge.decide()
        report("check", 3, 4)
        return judge.write(folder)


class _Judge:
    """The check of one file, step by step."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, batch: Batch, staged: str) -> None:
        self.duck, self.batch, self.staged = duck, batch, staged
        self.delivers = batch.kind == BatchKind.DELIVER_FILE
        self.people = batch.sub_activity.recipient == Recipient.PERSON
        self.position = {field: int(place) for place, field in batch.mapping.items()}

    def _text(self, field: str) -> str:
        if field not in self.position:
            return "CAST(NULL AS VARCHAR)"
        return f"nullif(trim(c{self.position[field]}), '')"

    def read(self) -> None:
        """Take the columns out of the file, and read dates and amounts once per distinct text."""
        self.duck.execute(
            "CREATE TABLE texts AS SELECT row_number, malformed, "
            f"{self._text('nik')} AS nik_text, {self._text('note')} AS note, "
            f"{self._text('delivered_on')} AS on_text, {self._text('amount')} AS amount_text "
            f"FROM {self.staged}"
        )
        # What people put between the digits of a NIK, and the apostrophe that keeps it text.
        self.duck.execute(
            r"CREATE TABLE lines AS SELECT *, regexp_replace(nik_text, '[\s.''’`-]', '', 'g') AS nik "
            "FROM texts"
        )
        self._parse("on_text", "days", pa.date32(), parse_date)
        self._parse("amount_text", "sums", pa.int64(), parse_rupiah)

    def _parse(self, column: str, table: str, kind: Any, parse: Callable[[str], Any]) -> None:
        rows = self.duck.execute(
            f"SELECT DISTINCT {column} FROM lines WHERE {column} IS NOT NULL"
        ).fetchall()
        texts: list[str] = []
        values: list[Any] = []
        causes: list[str | None] = []
        for (text,) in rows:
            texts.append(text)
            try:
                # Excel hands long numbers over with a mark.
                values.append(parse(text.lstrip(reading.NUMBER_MARK)))
                causes.append(None)
            except BadValueError as error:
                values.append(None)
                causes.append(error.cause)
        bulk.register_rows(
            self.duck,
            table,
            {
                "text": (pa.string(), texts),
                "value": (kind, values),
                "cause": (pa.string(), causes),
            },
        )

    def look_up(self, work: Path) -> None:
        """Find the people behind the NIK, and whether they are in the sub-activity already."""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {NIKS}")
            cursor.execute(
                f"CREATE TEMPORARY TABLE {NIKS} (nik varchar({SEALED_WIDTH}) PRIMARY KEY)"
            )
        numbers = [
            row[0]
            for row in self.duck.execute(
                r"SELECT DISTINCT nik FROM lines WHERE regexp_full_match(nik, '\d{16}')"
            ).fetchall()
        ]
        # The registry knows people by their sealed NIK.
        bulk.register_rows(
            self.duck,
            "sealed",
            {"nik": (pa.string(), numbers), "form": (pa.string(), seal_all(numbers))},
        )
        bulk.push(self.duck, NIKS, "SELECT form AS nik FROM sealed", work)
        mine = (
            "e.person_id = p.id"
            if self.people
            else ("e.household_id = p.household_id AND e.person_id IS NULL")
        )
        restricted = (
            f"p.id IN ({PERSON_IDS})" if self.people else f"p.household_id IN ({HOUSEHOLD_IDS})"
        )
        bulk.pull(
            self.duck,
            "known",
            "SELECT m.nik, p.id AS person_id, p.household_id, p.status AS person_status, "
            "h.status AS household_status, e.id AS enrolment_id, e.stage, "
            # As numbers: the databases write truth differently.
            f"CASE WHEN {restricted} THEN 1 ELSE 0 END AS restricted "
            # A merged record's number finds the person it stands for.
            f"FROM {NIKS} t JOIN {Person._meta.db_table} m ON m.nik = t.nik "
            f"JOIN {Person._meta.db_table} p ON p.id = COALESCE(m.merged_into_id, m.id) "
            f"JOIN {Household._meta.db_table} h ON h.id = p.household_id "
            f"LEFT JOIN {Enrolment._meta.db_table} e "
            f"ON e.sub_activity_id = {int(self.batch.sub_activity_id)} AND {mine}",
            {
                "nik": "VARCHAR", "person_id": "BIGINT", "household_id": "BIGINT",
                "person_status": "VARCHAR", "household_status": "VARCHAR",
                "enrolment_id": "BIGINT", "stage": "VARCHAR", "restricted": "BIGINT",
            },
            work,
        )  # fmt: skip
        bulk.pull(
            self.duck,
            "given",
            "SELECT d.enrolment_id, d.delivered_on, d.amount "
            f"FROM {Delivery._meta.db_table} d "
            f"WHERE d.sub_activity_id = {int(self.batch.sub_activity_id) if self.delivers else 0}",
            {"enrolment_id": "BIGINT", "delivered_on": "DATE", "amount": "BIGINT"},
            work,
        )
        bulk.drop_held(NIKS)

    def decide(self) -> None:
        """Give each row its faults: at most one of the NIK, one of the date, one of the amount."""
        stages = ", ".join(f"'{stage.value}'" for stage in RECEIVING)
        start = self.batch.sub_activity.starts_on
        nik = [
            ("malformed", "malformed", "NULL"),
            ("nik_text IS NULL", "nik_missing", "NULL"),
            (r"regexp_matches(nik_text, '^\d([.,]\d+)?[Ee]\+?\d+$')", "nik_scientific", "NULL"),
            (f"starts_with(nik_text, '{reading.NUMBER_MARK}')", "nik_number", "NULL"),
            (r"NOT regexp_full_match(nik, '\d+')", "nik_digits", "NULL"),
            ("length(nik) <> 16", "nik_length", "NULL"),
            ("person_id IS NULL", "nik_unknown", "NULL"),
        ]
        if self.delivers:
            nik += [
                ("enrolment_id IS NULL", "not_enrolled", "NULL"),
                (f"stage NOT IN ({stages})", "wrong_stage", "stage"),
                (
                    "EXISTS (SELECT 1 FROM given g WHERE g.enrolment_id = joined.enrolment_id "
                    "AND g.delivered_on = joined.delivered_on AND g.amount = joined.amount)",
                    "delivery_repeated",
                    "NULL",
                ),
                (
                    "first_same < row_number AND delivered_on IS NOT NULL AND amount IS NOT NULL",
                    "delivery_duplicate",
                    "CAST(first_same AS VARCHAR)",
                ),
            ]
        else:
            nik += [
                ("restricted = 1", "restricted", "NULL"),
                ("person_status <> 'active'", "person_gone", "person_status"),
                ("household_status <> 'active'", "household_gone", "household_status"),
                ("enrolment_id IS NOT NULL", "already_enrolled", "stage"),
                ("first_nik < row_number", "nik_duplicate", "CAST(first_nik AS VARCHAR)"),
                ("first_same < row_number", "household_duplicate", "CAST(first_same AS VARCHAR)"),
            ]
        day = [
            ("on_text IS NULL", "day_missing", "NULL"),
            ("on_cause IS NOT NULL", "date_format", "NULL"),
            (f"delivered_on > DATE '{timezone.localdate()}'", "day_ahead", "NULL"),
            (f"delivered_on < DATE '{start}'", "day_early", f"'{start:%d/%m/%Y}'"),
        ]
        amount = [
            ("amount_text IS NULL", "amount_missing", "NULL"),
            ("amount_cause IS NOT NULL", "rupiah", "NULL"),
            ("amount = 0 AND note IS NULL", "amount_zero", "NULL"),
        ]
        text = [("length(note) > 250", "too_long", "NULL")]
        # Where one household is one recipient, two of its members are one too many.
        same = (
            "enrolment_id, delivered_on, amount"
            if self.delivers
            else ("person_id" if self.people else "household_id")
        )
        self.duck.execute(
            "CREATE TABLE joined AS SELECT lines.*, known.* EXCLUDE (nik), "
            "days.value AS delivered_on, days.cause AS on_cause, "
            "sums.value AS amount, sums.cause AS amount_cause FROM lines "
            "LEFT JOIN sealed ON sealed.nik = lines.nik LEFT JOIN known ON known.nik = sealed.form "
            "LEFT JOIN days ON days.text = on_text "
            "LEFT JOIN sums ON sums.text = amount_text"
        )
        self.duck.execute(
            "CREATE OR REPLACE TABLE joined AS SELECT *, "
            "min(CASE WHEN person_id IS NOT NULL THEN row_number END) OVER (PARTITION BY nik) "
            "AS first_nik, min(CASE WHEN person_id IS NOT NULL THEN row_number END) "
            f"OVER (PARTITION BY {same}) AS first_same FROM joined"
        )
        groups = [("nik", nik), ("note", text)]
        if self.delivers:
            groups += [("delivered_on", day), ("amount", amount)]
        columns = []
        for field, faults in groups:
            whens = " ".join(f"WHEN {test} THEN '{cause}'" for test, cause, _hint in faults)
            hints = " ".join(f"WHEN {test} THEN {hint}" for test, _cause, hint in faults)
            columns.append(f"CASE {whens} END AS {field}_fault, CASE {hints} END AS {field}_hint")
        self.duck.execute(f"CREATE TABLE judged AS SELECT *, {', '.join(columns)} FROM joined")
        self.fields = [field for field, _faults in groups]

    def write(self, folder: RunFolder) -> dict[str, Any]:
        """Write what passes and what does not; return the counts."""
        fine = " AND ".join(f"{field}_fault IS NULL" for field in self.fields)
        atomic_parquet(
            self.duck,
            "SELECT row_number, person_id, household_id, enrolment_id, delivered_on, amount, note "
            f"FROM judged WHERE {fine} ORDER BY row_number",
            folder.accepted,
        )
        texts = {
            "nik": "nik_text",
            "note": "note",
            "delivered_on": "on_text",
            "amount": "amount_text",
        }
        faulty = " UNION ALL ".join(
            f"SELECT row_number, {self.position.get(field, 'NULL')}::INTEGER AS position, "
            f"'{field}' AS field, {texts[field]} AS value, {field}_fault AS cause, "
            f"{field}_hint AS hint FROM judged WHERE {field}_fault IS NOT NULL"
            for field in self.fields
        )
        sealed_parquet(
            self.duck, f"SELECT * FROM ({faulty}) ORDER BY row_number, position", folder.rejected
        )
        (row,) = self.duck.execute(
            f"SELECT count(*), count(*) FILTER ({fine}), "
            f"coalesce(sum(amount) FILTER ({fine}), 0)::BIGINT FROM judged"
        ).fetchall()
        causes = self.duck.execute(
            f"SELECT cause, count(DISTINCT row_number) AS n FROM ({faulty}) "
            "GROUP BY cause ORDER BY n DESC, cause"
        ).fetchall()
        return {
            "rows": row[0],
            "accepted": row[1],
            "rejected": row[0] - row[1],
            "rupiah": row[2],
            "causes": dict(causes),
        }


# What a check found


def as_rejection(
    batch: Batch,
    row_number: int,
    position: int | None,
    field: str,
    value: str | None,
    cause: str,
    hint: str | None,
) -> Rejection:
    headings = batch.layout.get("headings", [])
    known = position is not None and position < len(headings)
    column = headings[position] if known else str(LABELS[field])
    what, how = explain(cause, hint or "")
    return Rejection(row_number, column, value or "", what, how)


def rejections(batch: Batch, offset: int, limit: int, cause: str = "") -> list[Rejection]:
    """Return a page of a file's rejections by row; ``cause`` narrows to one kind of fault."""
    path = BatchFolder(batch.pk).rejected
    if not path.exists():
        return []
    with rows_in(path) as source:
        rows = duckdb.execute(
            f"SELECT row_number, position, field, value, cause, hint FROM {source} "
            "WHERE ? = '' OR cause = ? ORDER BY row_number, position LIMIT ? OFFSET ?",
            [cause, cause, limit, offset],
        ).fetchall()
    return [as_rejection(batch, *row) for row in rows]


def cause_counts(batch: Batch) -> list[tuple[str, str, int]]:
    """Return (cause, what is wrong, rows), commonest first."""
    return [(c, explain(c)[0], n) for c, n in batch.counts.get("causes", {}).items()]


def example_rows(kind: str) -> tuple[list[str], list[list[Any]]]:
    """Return headings and rows of an example file of ``kind``; the NIK in it belong to nobody.

    Headings are not translated: they are what an upload is recognised by.
    """
    if kind == BatchKind.DELIVER_FILE:
        today = timezone.localdate()
        return (
            ["NIK", "Tanggal", "Nilai", "Keterangan"],
            [["3302010000000000", today, 300_000, _("Tahap 1")]],
        )
    return ["NIK", "Catatan"], [["3302010000000000", _("Usulan musyawarah desa")]]
