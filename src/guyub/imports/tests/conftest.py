"""Fixtures that take a file through a whole import."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

HEADINGS = [
    "NIK", "No KK", "Nama", "JK", "Tgl Lahir", "Hubungan", "Kecamatan", "Desa", "Alamat", "RT", "RW",
    "Desil",
]  # fmt: skip
MAN = ["3302011203850001", "3302010101010001", "Moh. Soekarno", "L", "12/03/1985", "Kepala Keluarga",
       "Lumbir", "Cirahab", "Jl Mawar 1", "1", "2", "1"]  # fmt: skip
WOMAN = ["3302015203870002", "3302010101010001", "Siti Aminah", "P", "12/03/1987", "Istri", "Lumbir",
         "Cirahab", "Jl Mawar 1", "1", "2", "1"]  # fmt: skip
NEIGHBOUR = ["3302010512700003", "3302010101010002", "Tukiman", "L", "5 Desember 1970",
             "Kepala Keluarga", "Lumbir", "Cirahab", "Jl Melati 2", "1", "2", "2"]  # fmt: skip


def changed(row: list[str], **values: str) -> list[str]:
    """Return a copy of ``row`` with the named columns replaced (``Tgl_Lahir`` for *Tgl Lahir*)."""
    copy = list(row)
    for name, value in values.items():
        copy[HEADINGS.index(name.replace("_", " "))] = value
    return copy


def csv_bytes(
    rows: list[list[str]], headings: list[str] | None = None, delimiter: str = ";"
) -> bytes:
    lines = [headings or HEADINGS, *rows]
    return "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines).encode()


def xlsx_bytes(rows: list[list[Any]], headings: list[str] | None = None) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet("Data")
        date = book.add_format({"num_format": "dd/mm/yyyy"})
        for r, row in enumerate([headings or HEADINGS, *rows]):
            for c, value in enumerate(row):
                if isinstance(value, dt.date):
                    page.write_datetime(r, c, dt.datetime.combine(value, dt.time()), date)
                else:
                    page.write(r, c, value)
    return out.getvalue()


@pytest.fixture
def importing(regency: Any, make_dataset: Callable[..., Any]) -> Callable[..., Any]:
    """Import rows or a file's bytes into a dataset: ``importing([MAN])`` returns the finished run."""
    from guyub.imports import services
    from guyub.imports.models import State

    def go(
        content: Any,
        *,
        dataset: Any = None,
        as_of: dt.date = dt.date(2026, 1, 1),
        apply: bool = True,
        **values: Any,
    ) -> Any:
        data = content if isinstance(content, bytes) else csv_bytes(content)
        run = services.start(
            dataset or make_dataset(),
            as_of=as_of,
            file_name="daftar.csv",
            chunks=[data],
            actor=None,
            **values,
        )
        run = services.work(services.confirm_mapping(run, run.mapping, None).pk)
        if apply and run.state == State.CHECKED and run.counts["accepted"]:
            run = services.work(services.approve(run, None).pk)
        return run

    return go
