"""Fixtures for indicators and survey files."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import xlsxwriter


@pytest.fixture
def make_indicator(make_agency: Callable[..., Any]) -> Callable[..., Any]:
    """Make an indicator: ``make_indicator("penduduk-miskin", owner=agency)``."""
    from guyub.targets.models import Direction, Indicator, IndicatorKind

    def make(code: str = "penduduk-miskin", **values: Any) -> Any:
        values.setdefault("name", f"Indikator {code}")
        values.setdefault("owner", values.pop("agency", None) or make_agency())
        values.setdefault("kind", IndicatorKind.IKU)
        values.setdefault("unit", "persen")
        values.setdefault("direction", Direction.DOWN)
        return Indicator.objects.create(code=code, **values)

    return make


@pytest.fixture
def xlsx() -> Callable[..., bytes]:
    """Make an Excel file: ``xlsx([["Kode", "Tahun"], ["a", 2026]])``."""

    def make(rows: Sequence[Sequence[Any]], sheet: str = "Data") -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            page = book.add_worksheet(sheet)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
        return out.getvalue()

    return make


SURVEY_HEADINGS = ["Strata", "PSU", "Urut", "R301", "KAPITA", "FWT", "Kecamatan"]


@pytest.fixture
def survey_rows() -> list[list[Any]]:
    """A stratified two-stage sample of 120 households, about a fifth of whom are poor."""
    rng = np.random.default_rng(20260301)
    rows: list[list[Any]] = []
    for stratum in (1, 2, 3):
        for psu in range(1, 5):
            level = rng.normal(0, 0.25)
            for number in range(1, 11):
                rows.append(
                    [
                        stratum,
                        psu,
                        number,
                        int(rng.integers(1, 7)),
                        int(np.exp(13.6 + level + rng.normal(0, 0.45))),
                        round(float(rng.uniform(100, 500)), 3),
                        "Cilongok" if stratum == 1 else "Sokaraja",
                    ]
                )
    return rows


@pytest.fixture
def survey_csv(survey_rows: list[list[Any]]) -> bytes:
    """The sample as a CSV file, as Excel saves it in Indonesian: semicolons and decimal commas."""

    def cell(value: Any) -> str:
        return str(value).replace(".", ",") if isinstance(value, float) else str(value)

    lines = [SURVEY_HEADINGS, *survey_rows]
    return "\n".join(";".join(cell(value) for value in line) for line in lines).encode()
