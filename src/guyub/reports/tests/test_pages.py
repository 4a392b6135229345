from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest

from guyub.access.roles import Role
from guyub.reports import services
from guyub.reports.models import Report, ReportState

from .conftest import BUDGET, accepted, figures, photo

pytestmark = pytest.mark.django_db
FILLED = {"physical": "12,5", "budget": "Rp 50.000.000", "reached": "3", "narrative": "Mulai."}


def text_of(response: Any) -> str:
    html = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_an_operator_fills_in_and_hands_in(report: Report, client_for: Any) -> None:
    client = client_for(Role.AGENCY_OPERATOR)
    page = client.get(f"/laporan/{report.pk}/isi/")
    assert "Menurut catatan penyaluran" in text_of(page)

    response = client.post(
        f"/laporan/{report.pk}/isi/",
        {**FILLED, "version": 0, "langkah": "ajukan", "uploads": [photo(), photo("dua.jpg")]},
    )

    assert response.status_code == 302
    report.refresh_from_db()
    assert report.state == ReportState.SUBMITTED
    assert (report.physical, report.budget, report.reached) == (Decimal("12.5"), 50_000_000, 3)
    assert report.attachments.count() == 2
    shown = text_of(client.get(f"/laporan/{report.pk}/"))
    assert "Penerima menurut laporan 3, menurut catatan penyaluran 0" in shown


def test_what_cannot_be_read_is_said_beside_the_field(report: Report, client_for: Any) -> None:
    client = client_for(Role.AGENCY_OPERATOR)
    response = client.post(
        f"/laporan/{report.pk}/isi/",
        {**FILLED, "version": 0, "physical": "seratus", "langkah": "simpan"},
    )

    assert response.status_code == 422
    assert "misalnya 45 atau 45,5" in text_of(response)
    assert "seratus" in response.content.decode()


def test_two_who_edit_see_each_others_figures(
    report: Report, client_for: Any, make_user: Any
) -> None:
    client = client_for(Role.AGENCY_OPERATOR)
    other = make_user(Role.AGENCY_OPERATOR, full_name="Sri Rahayu")
    services.save_draft(report, version=0, figures=figures("33"), actor=other)

    response = client.post(
        f"/laporan/{report.pk}/isi/", {**FILLED, "version": 0, "langkah": "simpan"}
    )

    assert response.status_code == 422
    assert "Sri Rahayu mengubah laporan ini" in text_of(response)
    assert "fisik 33%" in text_of(response)
    assert 'value="12,5"' in response.content.decode()
    # Having seen that, the same figures may be sent again.
    version = re.search(r'name="version" value="(\d+)"', response.content.decode())[1]
    again = client.post(
        f"/laporan/{report.pk}/isi/", {**FILLED, "version": version, "langkah": "simpan"}
    )
    assert again.status_code == 302
    report.refresh_from_db()
    assert report.physical == Decimal("12.5")


def test_a_head_reads_and_sends_but_does_not_write(
    report: Report, client_for: Any, operator: Any
) -> None:
    report = services.save_draft(report, version=0, figures=figures(), actor=operator)
    client = client_for(Role.AGENCY_HEAD)

    assert client.get(f"/laporan/{report.pk}/isi/").status_code == 403
    assert "Ajukan" in text_of(client.get(f"/laporan/{report.pk}/"))
    client.post(f"/laporan/{report.pk}/ajukan/", {"version": report.version})

    report.refresh_from_db()
    assert report.state == ReportState.SUBMITTED


def test_the_secretariat_returns_with_a_remark_and_accepts(
    report: Report, client_for: Any, operator: Any
) -> None:
    report = services.submit(report, version=0, figures=figures(), actor=operator)
    client = client_for(Role.SECRETARIAT)
    address = f"/laporan/{report.pk}/tinjau/"

    bare = client.post(address, {"version": report.version, "langkah": "kembalikan", "remark": ""})
    assert bare.status_code == 422
    assert "Tulis apa yang perlu diperbaiki" in text_of(bare)

    client.post(
        address, {"version": report.version, "langkah": "kembalikan", "remark": "Sebutkan desanya"}
    )
    report.refresh_from_db()
    assert report.state == ReportState.RETURNED
    assert "Sebutkan desanya" in text_of(client.get(f"/laporan/{report.pk}/"))

    report = services.submit(report, version=report.version, actor=operator)
    client.post(address, {"version": report.version, "langkah": "terima"})
    report.refresh_from_db()
    assert report.state == ReportState.ACCEPTED


def test_files_go_out_so_that_nothing_in_them_runs(
    report: Report, client_for: Any, operator: Any
) -> None:
    from .test_steps import attach, upload

    attach(report, operator, photo("rumah.jpg"), upload(b"%PDF-1.7 ...", 'a"; x=.pdf'))
    client = client_for(Role.AUDITOR)
    picture, paper = report.attachments.order_by("pk")

    shown = client.get(f"/laporan/lampiran/{picture.pk}/")
    assert shown["Content-Type"] == "image/jpeg"
    saved = client.get(f"/laporan/lampiran/{paper.pk}/")
    assert saved["Content-Disposition"].startswith("attachment")
    for response in (shown, saved):
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_the_plan_is_proposed_checked_and_kept(scheduled: Any, client_for: Any) -> None:
    sub_activity = scheduled()
    client = client_for(Role.AGENCY_OPERATOR)
    address = f"/laporan/sub-kegiatan/{sub_activity.pk}/rencana/"
    reports = list(sub_activity.reports.order_by("period_end"))

    proposed = client.get(f"{address}?usulan=s").content.decode()
    values = dict(re.findall(r'name="((?:fisik|uang)-\d+)" value="([^"]*)"', proposed))
    assert values[f"fisik-{reports[-1].pk}"] == "100"
    assert not Report.objects.exclude(planned_physical=None).exists()

    broken = client.post(address, {**values, f"fisik-{reports[-1].pk}": "90"})
    assert broken.status_code == 422
    assert "Periode terakhir harus 100 persen" in text_of(broken)

    assert client.post(address, values).status_code == 302
    assert reports[-1].sub_activity.reports.latest("period_end").planned_budget == BUDGET
    shown = client.get(f"/laporan/sub-kegiatan/{sub_activity.pk}/").content.decode()
    assert 'id="chart-kurva-s"' in shown


def test_the_secretariat_schedules_a_year(
    make_sub_activity: Any, client_for: Any, regency: Any
) -> None:
    make_sub_activity("Satu", year=2025)
    client = client_for(Role.SECRETARIAT)
    response = client.post(
        "/laporan/jadwal/",
        {"year": 2025, "frequency": "monthly", "grace_days": 10, "shape": "s"},
        follow=True,
    )

    assert "1 sub kegiatan mendapat jadwal" in text_of(response)
    assert Report.objects.count() == 12


def test_pages_of_other_apps_show_progress(
    report: Report, client_for: Any, operator: Any, secretary: Any
) -> None:
    report = accepted(report, figures("10"), operator, secretary)
    sub_activity = report.sub_activity
    client = client_for(Role.REGENT)

    assert "Kemajuan" in text_of(client.get(f"/program/sub/{sub_activity.pk}/"))
    program = text_of(client.get(f"/program/{sub_activity.activity.program_id}/"))
    assert "Kemajuan sub kegiatan" in program
    assert "10%" in program
    Report.objects.filter(pk=report.pk).update(due_on=dt.date.today())
    type(sub_activity).objects.filter(pk=sub_activity.pk).update(year=dt.date.today().year)
    agency = text_of(client.get(f"/perangkat-daerah/{sub_activity.agency.code}/"))
    assert "tepat waktu" in agency


@pytest.mark.parametrize("role", list(Role))
def test_pages_before_there_is_any_calendar(role: Role, client_for: Any, regency: Any) -> None:
    client = client_for(role)
    for path in ("", "ketepatan/", "penyimpangan/"):
        assert client.get(f"/laporan/{path}").status_code == 200


def test_the_api_reads_reports(
    report: Report, client_for: Any, operator: Any, secretary: Any
) -> None:
    accepted(report, figures("10"), operator, secretary)
    client = client_for(Role.REGENT)

    listed = client.get("/api/v1/reports?year=2025&state=accepted").json()
    assert listed["count"] == 1
    assert listed["items"][0]["sub_activity"] == "Perbaikan rumah"
    assert client.get(f"/api/v1/reports/{report.pk}").json()["narrative"]
    assert client.get("/api/v1/reports?state=karangan").json()["count"] == 0
    assert client.get("/api/v1/reports/lateness/2025").json()["items"][0]["due"] == 4
    assert client.get("/api/v1/reports/deviations/2025").json()["items"] == []
    assert client.get("/api/v1/reports/999999").status_code == 404
