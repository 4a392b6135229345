from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from guyub.access.roles import Role
from guyub.reports import services, workbook
from guyub.reports.models import Report, ReportState, Upload
from guyub.reports.workbook import WorkbookError

from .conftest import accepted, figures

pytestmark = pytest.mark.django_db
END = dt.date(2025, 3, 31)


@pytest.fixture
def three(scheduled: Any) -> list[Report]:
    """The reports on the first quarter of three sub-activities of one agency."""
    return [scheduled(name).reports.earliest("period_end") for name in ("A", "B", "=C")]


@pytest.fixture
def filled(three: Any, tmp_path: Path) -> Callable[..., Path]:
    """Write the workbook, fill in ``{row: {heading: value}}`` as Excel would, and return its path."""

    def fill(changes: dict[int, dict[str, Any]], name: str = "isi.xlsx") -> Path:
        path = tmp_path / name
        reports = list(Report.objects.filter(pk__in=[r.pk for r in three]).order_by("pk"))
        workbook.write(path, reports, "Judul")
        book = load_workbook(path)
        sheet = book[workbook.SHEET]
        columns = {cell.value: cell.column for cell in sheet[1]}
        for row, values in changes.items():
            for heading, value in values.items():
                sheet.cell(row, columns[heading], value)
        book.save(path)
        return path

    return fill


GOOD = {
    workbook.PHYSICAL: 12.5,
    workbook.BUDGET: "Rp 50.000.000",
    workbook.REACHED: 3,
    workbook.NARRATIVE: "Pengadaan selesai.",
}


def check(path: Path, report: Report) -> workbook.Checked:
    return workbook.read(path, report.owning_agency_id)


def test_it_goes_out_filled_in_and_comes_back_unchanged(
    three: Any, filled: Any, operator: Any
) -> None:
    services.save_draft(three[0], version=0, figures=figures("12.25"), actor=operator)

    checked = check(filled({}), three[0])

    assert (checked.rows, checked.faults, checked.unchanged) == ([], [], 3)


def test_names_that_look_like_formulas_stay_text(three: Any, filled: Any) -> None:
    sheet = load_workbook(filled({}))[workbook.SHEET]
    cell = sheet.cell(4, workbook.KNOWN.index("Sub kegiatan") + 1)
    assert (cell.value, cell.data_type) == ("=C", "s")


def test_rows_are_applied_once_and_the_same_file_again_changes_nothing(
    three: Any, filled: Any, operator: Any
) -> None:
    path = filled({2: GOOD, 3: {**GOOD, workbook.NARRATIVE: ""}})
    checked = check(path, three[0])
    assert [len(row["lacks"]) for row in checked.rows] == [0, 1]
    kept = services.keep_upload(
        agency_id=three[0].owning_agency_id, name="isi.xlsx", checked=checked, actor=operator
    )

    written, refused = services.apply_upload(kept, hand_in=True, actor=operator)

    assert written == 1
    assert len(refused) == 1
    assert "Baris 3" in refused[0]
    report = Report.objects.get(pk=three[0].pk)
    assert (report.state, report.physical) == (ReportState.SUBMITTED, Decimal("12.50"))
    with pytest.raises(services.ReportError):
        services.apply_upload(kept, hand_in=False, actor=operator)
    again = check(path, three[0])
    assert [row["row"] for row in again.rows] == [3]
    assert again.unchanged == 2


def test_faults_say_row_column_value_and_cure(three: Any, filled: Any) -> None:
    checked = check(
        filled(
            {
                2: {**GOOD, workbook.PHYSICAL: "banyak"},
                3: {**GOOD, workbook.BUDGET: 12.5},
                4: {**GOOD, workbook.KEY: 999_999},
            }
        ),
        three[0],
    )

    assert checked.rows == []
    assert [(f["row"], f["column"], f["value"]) for f in checked.faults] == [
        (2, workbook.PHYSICAL, "banyak"),
        (3, workbook.BUDGET, "12.5"),
        (4, workbook.KEY, "999999.0"),
    ]
    assert all(fault["text"] for fault in checked.faults)


def test_a_report_twice_is_a_fault(three: Any, filled: Any) -> None:
    checked = check(filled({3: {**GOOD, workbook.KEY: three[0].pk}}), three[0])
    assert [fault["row"] for fault in checked.faults] == [3]


def test_what_moved_on_since_the_download_is_not_overwritten(
    three: Any, filled: Any, operator: Any, secretary: Any
) -> None:
    path = filled({2: GOOD, 3: GOOD, 4: GOOD})
    services.save_draft(three[0], version=0, figures=figures("1"), actor=operator)
    services.submit(three[1], version=0, figures=figures("1"), actor=operator)
    accepted(three[2], figures("1"), operator, secretary)

    checked = check(path, three[0])

    assert checked.rows == []
    assert [fault["row"] for fault in checked.faults] == [2, 3, 4]


def test_another_agencys_reports_are_out_of_reach(
    three: Any, filled: Any, make_agency: Any
) -> None:
    checked = workbook.read(filled({2: GOOD}), make_agency("dinkes").pk)
    assert checked.rows == []
    assert len(checked.faults) == 3


@pytest.mark.parametrize(
    "content", [b"", b"halo;dunia\n1;2\n", b"PK\x03\x04rusak", b"\xd0\xcf\x11\xe0"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, make_agency: Any) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(WorkbookError):
        workbook.read(path, make_agency().pk)


def test_from_download_to_handing_in(three: Any, client_for: Any) -> None:
    client = client_for(Role.AGENCY_OPERATOR)
    page = client.get("/laporan/excel/").content.decode()
    assert f"periode={END.isoformat()}" in page
    response = client.get(f"/laporan/excel/unduh/?perangkat=dinsos&periode={END.isoformat()}")
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    sheet = book[workbook.SHEET]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for heading, value in GOOD.items():
        sheet.cell(2, columns[heading], value)
    out = io.BytesIO()
    book.save(out)

    sent = client.post("/laporan/excel/", {"file": SimpleUploadedFile("isi.xlsx", out.getvalue())})

    upload = Upload.objects.get()
    assert sent["Location"] == f"/laporan/excel/{upload.pk}/"
    shown = client.get(sent["Location"]).content.decode()
    assert "12,5%" in shown
    assert "Ajukan 1 laporan yang siap" in shown
    client.post(f"/laporan/excel/{upload.pk}/terapkan/", {"langkah": "ajukan"})
    assert Report.objects.filter(state=ReportState.SUBMITTED).count() == 1


def test_an_operator_gets_no_other_agencys_workbook(
    three: Any, scheduled: Any, client_for: Any, make_agency: Any
) -> None:
    scheduled("Lain", agency=make_agency("dinkes"))
    client = client_for(Role.AGENCY_OPERATOR)
    address = f"/laporan/excel/unduh/?perangkat=dinkes&periode={END.isoformat()}"
    assert client.get(address).status_code == 403
    assert client.post("/laporan/excel/", {"perangkat": "dinkes"}).status_code == 403


def test_a_foreign_file_is_refused_on_the_page(three: Any, client_for: Any) -> None:
    client = client_for(Role.AGENCY_OPERATOR)
    response = client.post("/laporan/excel/", {"file": SimpleUploadedFile("a.xlsx", b"a;b\n1;2\n")})
    assert response.status_code == 422
    assert "bukan buku kerja laporan" in response.content.decode()


def test_a_cell_that_excel_shows_as_per_cent_is_read_as_it_is_shown(filled, three):
    path = filled({2: {**GOOD, workbook.PHYSICAL: 0.45}, 3: {**GOOD, workbook.PHYSICAL: 0.45},
                   4: {**GOOD, workbook.PHYSICAL: "45 %"}})  # fmt: skip
    book = load_workbook(path)
    sheet = book[workbook.SHEET]
    column = [cell.value for cell in sheet[1]].index(workbook.PHYSICAL) + 1
    sheet.cell(2, column).number_format = "0%"
    book.save(path)
    rows = check(path, three[0]).rows
    found = [row["figures"]["physical"] for row in rows]
    assert [float(one) for one in found] == [45, 0.45, 45]
    assert {row["row"] for row in rows} == {2, 3, 4}
    sheet.cell(2, column, 1.2).number_format = "0.00%"
    book.save(path)
    (fault,) = check(path, three[0]).faults
    assert fault["row"] == 2
    assert "antara 0 dan 100" in fault["text"]
