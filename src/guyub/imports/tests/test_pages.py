"""The import pages, as an operator goes through them."""

from __future__ import annotations

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.imports import services
from guyub.imports.models import ImportRun, State
from guyub.imports.tasks import work_on_run
from guyub.registry.models import Person

from .conftest import MAN, NEIGHBOUR, changed, csv_bytes, xlsx_bytes


@pytest.fixture
def operator(client_for, make_agency):
    return client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinsos"))


def upload(client, dataset, data, **values):
    form = {"dataset": dataset.pk, "as_of": "2026-01-01", "extent": "whole",
            "file": SimpleUploadedFile("daftar.csv", data), **values}  # fmt: skip
    return client.post(reverse("imports:new"), form)


def mapped(run):
    return {f"kolom-{position}": field for position, field in run.mapping.items()}


def work(run):
    """What the worker would do next."""
    work_on_run.call(run.pk)
    run.refresh_from_db()


def test_from_upload_to_registry(operator, make_dataset, django_capture_on_commit_callbacks):
    dataset = make_dataset()
    response = upload(operator, dataset, csv_bytes([MAN, changed(NEIGHBOUR, Desil="99")]))
    run = ImportRun.objects.get()
    assert response.url == reverse("imports:run", args=[run.pk])
    page = operator.get(response.url).content.decode()
    assert "Cocokkan kolom" in page
    assert MAN[0] not in page
    operator.post(reverse("imports:map", args=[run.pk]), mapped(run))
    run.refresh_from_db()
    assert run.state == State.CHECKING
    assert 'hx-trigger="every 1s"' in operator.get(response.url).content.decode()
    work(run)
    page = operator.get(response.url).content.decode()
    assert "Desil bukan angka 1 sampai 10." in page
    assert "Terapkan 1 baris" in page
    operator.post(reverse("imports:approve", args=[run.pk]))
    work(run)
    assert run.state == State.DONE
    assert Person.objects.get().nik == MAN[0]
    assert "Akibatnya pada registri bersama" in operator.get(response.url).content.decode()


def test_rejected_rows_go_out_to_excel_and_come_back_corrected(operator, make_dataset, importing):
    run = importing([MAN, changed(NEIGHBOUR, Desil="99")], dataset=make_dataset())
    response = operator.post(reverse("imports:corrections", args=[run.pk]))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    sheet = book.active
    head = [cell.value for cell in sheet[1]]
    assert head[:4] == ["Baris asal", "Kesalahan", "Cara memperbaiki", "Konfirmasi NIK"]
    assert sheet.max_row == 2
    assert sheet.cell(2, 1).value == "3"
    sheet.cell(2, head.index("Desil") + 1).value = "2"
    out = io.BytesIO()
    book.save(out)
    assert Event.objects.filter(action="imports.run.export_rejections").count() == 1
    mended = importing(out.getvalue(), dataset=run.dataset, extent="part")
    assert mended.state == State.DONE, mended.counts
    assert set(Person.objects.values_list("nik", flat=True)) == {MAN[0], NEIGHBOUR[0]}
    assert mended.counts["people"] == 2


def test_a_file_that_is_no_list_is_refused_and_nothing_is_kept(operator, make_dataset):
    response = upload(operator, make_dataset(), b"\x89PNG\r\n\x1a\n\x00\x00\x00")
    assert response.status_code == 422
    assert "bukan CSV atau XLSX" in response.content.decode()
    assert ImportRun.objects.count() == 0


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "kosong"),
        (b"PK\x03\x04 broken", "rusak"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, ".xls"),
        (b"NIK;Nama;Desa\n", "tidak ada satu pun baris"),
    ],
)
def test_bad_files_are_told_apart(operator, make_dataset, data, told):
    dataset = make_dataset()
    response = upload(operator, dataset, data)
    if response.status_code == 302:
        run = ImportRun.objects.get()
        services.confirm_mapping(run, run.mapping, None)
        work(run)
        assert run.state == State.FAILED
        assert told in run.error
    else:
        assert told in response.content.decode()


def test_another_agencys_run_is_out_of_reach(client_for, make_agency, make_dataset, importing):
    run = importing([MAN], dataset=make_dataset())
    stranger = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    assert stranger.get(reverse("imports:run", args=[run.pk])).status_code == 403
    assert run.file_name not in stranger.get(reverse("imports:list")).content.decode()
    response = upload(stranger, run.dataset, csv_bytes([MAN]))
    assert response.status_code == 422


def test_a_mapping_with_a_gap_says_what_is_missing(operator, make_dataset):
    upload(operator, make_dataset(), csv_bytes([MAN]))
    run = ImportRun.objects.get()
    response = operator.post(reverse("imports:map", args=[run.pk]), {"kolom-2": "name"})
    assert response.status_code == 422
    assert "Pilih kolom yang berisi NIK." in response.content.decode()


def test_pages_read_few_queries(operator, make_dataset, importing, django_assert_max_num_queries):
    run = importing([MAN, changed(NEIGHBOUR, Desil="99")], dataset=make_dataset())
    with django_assert_max_num_queries(12):
        operator.get(reverse("imports:run", args=[run.pk]))
    with django_assert_max_num_queries(12):
        operator.get(reverse("imports:list"))


def test_a_file_without_one_good_row_asks_for_no_approval(operator, make_dataset, importing):
    run = importing(
        xlsx_bytes([[3302011203850001, *MAN[1:]], [3302011203850002, *MAN[1:]]]),
        dataset=make_dataset(),
    )
    page = operator.get(reverse("imports:run", args=[run.pk])).content.decode()
    assert "Semua baris ditolak" in page
    assert "Menunggu persetujuan" not in page
    assert "Terapkan" not in page
    # Numbers show as the file has them, without the mark that reading puts on them.
    assert "#3302" not in page
    for page in ("imports:list", "home"):
        text = operator.get(reverse(page)).content.decode()
        assert "Semua baris ditolak" in text
        assert "Menunggu persetujuan" not in text
