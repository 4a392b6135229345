"""Two lists of one village that differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from guyub.imports.services import load_flat
from guyub.registry.flat import FLAT_COLUMNS

KINDS = {
    "VARCHAR": pa.string(), "DATE": pa.date32(), "BOOLEAN": pa.bool_(), "INTEGER": pa.int32(),
    "TINYINT": pa.int8(), "DOUBLE": pa.float64(),
}  # fmt: skip


def person(number: int, **values: Any) -> dict[str, Any]:
    """Return the flat row of the head of household ``number`` in Desa Cirahab."""
    return {
        "nik": f"330201120385{number:04d}", "kk": f"330201010101{number:04d}",
        "name": f"WARGA {number}", "sex": "M", "birth_date": dt.date(1985, 3, 12),
        "relation": "head", "person_status": "active", "household_status": "active",
        "village": "33.02.01.2001", "address": "Jl Mawar", **values,
    }  # fmt: skip


@pytest.fixture
def load(regency: Any, tmp_path: Any) -> Callable[..., Any]:
    """Load rows into a dataset: ``load(dataset, date, person(1, desil=2))``."""

    def go(dataset: Any, as_of: dt.date, *rows: dict[str, Any]) -> Any:
        table = pa.table(
            {
                name: pa.array([row.get(name) for row in rows], KINDS[kind])
                for name, kind in FLAT_COLUMNS.items()
            }
        )
        path = tmp_path / "list.parquet"
        pq.write_table(table, path)
        dataset.refresh_from_db()
        run = load_flat(dataset, path, as_of)
        assert run.state == "done", run.error
        return run

    return go


@pytest.fixture
def two_lists(load: Any, make_dataset: Any, make_agency: Any) -> tuple[Any, Any]:
    """DTSEN, the reference, and the later RTLH of another agency: floor and address differ."""
    from guyub.datasets.services import mark_reference

    dtsen = make_dataset("dtsen")
    rtlh = make_dataset("rtlh", owner=make_agency("dinperkim"))
    run = load(
        dtsen, dt.date(2026, 1, 1), person(1, floor="earth", desil=1), person(2, floor="earth")
    )
    mark_reference(run.version, actor=None, reason="Acuan bersama.")
    load(
        rtlh, dt.date(2026, 2, 1), person(1, floor="cement", address="JL MAWAR"),
        person(2, floor="tile", wall="wood"),
    )  # fmt: skip
    return dtsen, rtlh
