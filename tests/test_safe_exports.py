"""Nothing that Guyub writes for a spreadsheet runs there, whatever names people gave.

Texts that a spreadsheet would run go in wherever a page exports them, and every cell that comes out is
looked at. A census of the source tells when somebody writes such files in a new place.
"""

from __future__ import annotations

import ast
import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.audit import services as audit
from guyub.beneficiaries.services import enrol
from guyub.datasets.exports import write_csv, write_xlsx
from guyub.imports.tests.conftest import MAN, NEIGHBOUR, changed, importing  # noqa: F401
from guyub.obstacles import services as obstacles
from guyub.programs.vocabulary import Recipient
from guyub.reports.schedules import set_schedule
from guyub.targets.models import Indicator, PublishedFigure

SOURCE = Path(__file__).parents[1] / "src" / "guyub"
LURES = ['=HYPERLINK("http://a.test","b")', "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1"]


def cells_of_xlsx(content: bytes) -> Iterator[str]:
    """Yield the texts of a workbook; fail at the first formula or link."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            part = archive.read(name)
            if name.startswith("xl/worksheets/sheet"):
                assert b"<f>" not in part, name
                assert b"<f " not in part, name
                assert b"<hyperlink" not in part, name
            assert not name.startswith("xl/externalLinks"), name
    for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                # openpyxl takes what begins with = for a formula; the parts above tell the truth.
                if isinstance(cell.value, str):
                    yield cell.value


def cells_of_csv(content: bytes) -> Iterator[str]:
    """Yield the texts of a CSV file; fail at the first that a spreadsheet would run."""
    text = content.decode("utf-8-sig")
    divided_by = ";" if ";" in text.split("\n", 1)[0] else ","
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=divided_by):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
            yield cell


def text_of(answer: Any) -> str:
    """Return all texts in an exported file, having looked at each cell."""
    assert answer.status_code == 200, answer.status_code
    assert "attachment" in answer["Content-Disposition"]
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    cells = cells_of_xlsx(content) if content.startswith(b"PK") else cells_of_csv(content)
    return "\n".join(cells)


@pytest.mark.parametrize("lure", LURES)
def test_the_shared_writers_run_nothing(tmp_path: Path, lure: str):
    rows = [[lure, 1, None, True, timezone.localdate()]]
    for write, cells_of in ((write_xlsx, cells_of_xlsx), (write_csv, cells_of_csv)):
        path = tmp_path / "daftar"
        assert write(path, [("Alasan", lure)], [lure, "B", "C", "D", "E"], rows) == 1
        assert sum(lure.strip() in cell for cell in cells_of(path.read_bytes())) == 3


def test_pages_export_names_as_text(
    client_for: Callable[..., Any], make_agency: Any, make_household: Any, make_sub_activity: Any
):
    agency = make_agency("dinsos", name=LURES[0])
    for lure in LURES[:4]:
        home = make_household(name=lure, address=lure)
    record = make_sub_activity(LURES[3], agency=agency, year=2025)
    set_schedule(record, frequency="quarterly", grace_days=10, actor=None)
    ends = record.reports.earliest("period_end").period_end
    client = client_for(Role.SECRETARIAT)
    obstacles.report(
        title=LURES[1], description=LURES[2], category="data", severity=2, needed_agency=agency,
        due_on=timezone.localdate(), actor=client.user,
    )  # fmt: skip
    Indicator.objects.create(
        code="uji", name=LURES[2], owner=agency, unit=LURES[1], direction="down", kind="iku"
    )
    PublishedFigure.objects.create(measure="p0", year=2024, value=10, source=LURES[1])
    person = home.members.get() if record.recipient == Recipient.PERSON else None
    enrol(record, household=home, person=person, actor=client.user)
    reason = "Rapat koordinasi bulan ini"
    gets = {
        reverse("programs:export"): LURES[3],
        reverse("programs:template"): "",
        reverse("reports:download") + f"?perangkat=dinsos&periode={ends}": LURES[3],
        reverse("obstacles:export"): LURES[1],
        reverse("targets:download"): LURES[2],
        reverse("targets:published_download"): LURES[1],
        reverse("beneficiaries:example"): "",
    }
    for address, lure in gets.items():
        assert lure in text_of(client.get(address)), address
    for kind in ("xlsx", "csv"):
        given = {"format": kind, "reason": reason, "alasan": reason}
        for address in (
            reverse("registry:export"),
            reverse("beneficiaries:export", args=[record.pk]),
        ):
            assert LURES[3] in text_of(client.post(address, given)), address


def test_the_log_is_exported_as_text(client_for: Callable[..., Any], make_agency: Any):
    client = client_for(Role.AUDITOR)
    for lure in LURES:
        audit.record("audit.export", actor=client.user, reason=lure)
    answer = client.post(
        reverse("audit:export"), {"alasan_unduh": "Pemeriksaan tahunan Inspektorat"}
    )
    text = text_of(answer)
    assert all(f"'{lure}" in text for lure in LURES[:4])


def test_lists_and_corrections_are_exported_as_text(
    client_for: Callable[..., Any],
    importing: Callable[..., Any],  # noqa: F811
):
    lured = [changed(MAN, Alamat=LURES[3]), changed(NEIGHBOUR, NIK="=1+1", Alamat=LURES[2])]
    run = importing(lured)
    client = client_for(Role.SECRETARIAT)
    assert "=1+1" in text_of(
        client.post(
            reverse("imports:corrections", args=[run.pk]),
        )
    )
    run.dataset.refresh_from_db()
    address = reverse(
        "datasets:export", args=[run.dataset.code, run.dataset.current_version.number]
    )
    for kind in ("xlsx", "csv"):
        given = {"format": kind, "reason": "Rapat koordinasi bulan ini"}
        assert LURES[3] in text_of(client.post(address, given))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls in a file by what is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_every_place_that_writes_for_spreadsheets_writes_no_formulas():
    places = 0
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).as_posix()
        if "/tests/" in place or place.startswith("demo/"):
            continue
        source = path.read_text(encoding="utf-8")
        if "csv" not in source and "xlsx" not in source:
            continue
        called = {name for name, _call in calls(path)}
        methods = {name.rpartition(".")[2] for name in called}
        assert not methods & {"write_formula", "write_array_formula", "write_url"}, place
        assert "openpyxl.Workbook" not in called, f"{place}: openpyxl makes formulas of texts"
        if "xlsxwriter.Workbook" in called:
            places += 1
            assert '"strings_to_formulas": False' in source, place
            assert '"strings_to_urls": False' in source, place
        if called & {"csv.writer", "csv.DictWriter"}:
            places += 1
            # Through datasets.exports.harmless, or with its list of risky beginnings.
            assert "harmless(" in source or '("=", "+", "-", "@", "\\t", "\\r")' in source, place
    assert places >= 7
