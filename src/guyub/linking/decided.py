"""What people have said about pairs before, found again by what a record says about somebody."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from guyub.imports.folder import rows_in
from guyub.linking.lists import LinkFolder
from guyub.linking.models import Decision, LinkRun, Verdict

COLUMNS = ("nik", "kk", "name", "birth_date", "sex", "village")


def fingerprint(values: Iterable[Any]) -> str:
    """Return the keyed hash that stands for a record, so that decisions name nobody.

    The key is that of the audit log, which outlives changes of the secret key.
    """
    text = "\x1f".join(
        "" if value is None else " ".join(str(value).upper().split()) for value in values
    )
    return hmac.new(
        f"linking:{settings.AUDIT_KEY}".encode(), text.encode(), hashlib.sha256
    ).hexdigest()


def of_person(pk: int) -> str:
    """Return the fingerprint of a person of the registry, for pairs within it."""
    return fingerprint(("person", pk))


def write_decided(run: LinkRun, folder: LinkFolder) -> int:
    """Write the earlier decisions that concern this run's records; return how many."""
    rows: list[tuple[int, int, bool]] = []
    if run.finds_duplicates:
        rows = [
            (
                min(d.person_id, d.other_id or 0),
                max(d.person_id, d.other_id or 0),
                d.verdict == Verdict.SAME,
            )
            for d in Decision.objects.filter(other__isnull=False)
        ]
    else:
        known: dict[str, list[tuple[int, bool]]] = {}
        for key, person, verdict in Decision.objects.filter(other__isnull=True).values_list(
            "fingerprint", "person_id", "verdict"
        ):
            known.setdefault(key, []).append((person, verdict == Verdict.SAME))
        if known:
            taken: set[int] = set()
            with rows_in(folder.records) as records, duckdb.connect() as duck:
                found = duck.execute(f"SELECT id, {', '.join(COLUMNS)} FROM {records} ORDER BY id")
                while batch := found.fetchmany(10_000):
                    for number, *values in batch:
                        for person, same in known.get(fingerprint(values), ()):
                            # The same row twice in a list: the first is the person.
                            if same and person in taken:
                                continue
                            if same:
                                taken.add(person)
                            rows.append((number, person, same))
    table = pa.table(
        {
            "id_l": pa.array([row[0] for row in rows], pa.int64()),
            "id_r": pa.array([row[1] for row in rows], pa.int64()),
            "same": pa.array([row[2] for row in rows], pa.bool_()),
        }
    )
    pq.write_table(table, folder.decided)
    return len(rows)
