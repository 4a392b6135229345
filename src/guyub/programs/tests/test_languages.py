"""A workbook written in one language is understood in the other."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from guyub.programs import cells, workbook
from guyub.programs.vocabulary import Strategy


@pytest.mark.parametrize(("written", "read"), [("id", "en"), ("en", "id")])
def test_headings_are_known_in_every_language(tmp_path, db, written, read):
    path = tmp_path / "program.xlsx"
    row = dict.fromkeys(workbook.BY_KEY) | {"name": "Bedah rumah"}
    with override(written):
        row["strategy"] = str(Strategy.INCOME.label)
        workbook.write(path, [row], [])
    with override(read):
        sheet = workbook.read(path)
        assert sheet.keys == set(workbook.BY_KEY)
        reader = cells.readers(cells.AreaFinder())["strategy"]
        assert reader(sheet.rows[0][1]["strategy"]) == Strategy.INCOME
