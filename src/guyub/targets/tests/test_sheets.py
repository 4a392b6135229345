"""Excel and CSV files of targets and of published figures, out and in."""

from __future__ import annotations

from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.imports.reading import UnreadableFileError
from guyub.targets import queries, services, sheets
from guyub.targets.models import IndicatorYear, Measure, PublishedFigure
from guyub.targets.services import YearValues

pytestmark = pytest.mark.django_db
D = Decimal
HEAD = ["Kode", "Tahun", "Target", "Realisasi", "Sumber realisasi"]


def written(tmp_path, content, name="berkas"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_what_is_downloaded_can_be_uploaded_as_it_is(make_indicator, make_user, tmp_path):
    secretariat = make_user(Role.SECRETARIAT)
    indicator = make_indicator(name="=JUMLAH(A1)")
    services.write_year(
        indicator, 2025, YearValues(D("11.5"), D("11.125"), "BPS"), actor=secretariat
    )
    path = tmp_path / "keluar.xlsx"
    rows = queries.indicators(year=2025)
    assert sheets.write_years(path, 2025, ((r.indicator, r.progress.entry) for r in rows)) == 1
    cell = openpyxl.load_workbook(path)["Data"]["B2"]
    assert (cell.value, cell.data_type) == ("=JUMLAH(A1)", "s")  # text, not a formula
    assert sheets.read_years(path, secretariat) == ([], [])
    # Changed in Excel, it is read back exactly.
    book = openpyxl.load_workbook(path)
    book["Data"]["G2"] = 11.125
    book["Data"]["F2"] = 11.25
    book.save(path)
    (row,), faults = sheets.read_years(path, secretariat)
    assert not faults
    assert (row.values.target, row.values.actual) == (D("11.25"), D("11.125"))


def test_faults_say_where_and_how(make_indicator, make_user, make_agency, tmp_path, xlsx):
    make_indicator("milik-kami", owner=make_agency("dinsos"))
    make_indicator("milik-lain", owner=make_agency("dinkes"))
    operator = make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinsos"))
    content = xlsx(
        [
            HEAD,
            ["tak-ada", 2025, "", 9, "BPS"],
            ["milik-kami", "25", "", 9, "BPS"],
            ["milik-kami", 2025, "", "sembilan", "BPS"],
            ["milik-kami", 2024, "", 9, ""],
            ["milik-kami", 2023, 8, 9, "BPS"],
            ["milik-lain", 2025, "", 9, "BPS"],
            ["milik-kami", 2022, "", 9, "BPS"],
            ["milik-kami", 2022, "", 9, "BPS"],
        ]
    )
    rows, faults = sheets.read_years(written(tmp_path, content), operator)
    assert [(f.row_number, f.column) for f in faults] == [
        (2, "Kode"), (3, "Tahun"), (4, "Realisasi"), (5, "Sumber realisasi"), (6, "Target"),
        (7, "Kode"), (9, "Kode"),
    ]  # fmt: skip
    assert [(row.indicator.code, row.year) for row in rows] == [("milik-kami", 2022)]


def test_csv_as_excel_saves_it_in_indonesian(make_indicator, make_user, tmp_path):
    make_indicator("a")
    content = "Kode;Tahun;Target;Realisasi;Sumber\na;2025;11,5;11,15;BPS\n".encode("cp1252")
    (row,), faults = sheets.read_years(written(tmp_path, content), make_user(Role.SECRETARIAT))
    assert not faults
    assert row.values == YearValues(D("11.5"), D("11.15"), "BPS")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "kosong"),
        (b"Nama;Nilai\na;1\n", "Kode, Tahun"),
        (b"PK\x03\x04rusak", "rusak"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "Excel lama"),
    ],
)
def test_files_that_cannot_be_used_say_why(make_user, tmp_path, content, said):
    with pytest.raises(UnreadableFileError, match=said):
        sheets.read_years(written(tmp_path, content), make_user(Role.SECRETARIAT))


def test_an_upload_is_all_or_nothing(make_indicator, client_for, xlsx):
    make_indicator("a")
    client = client_for(Role.SECRETARIAT)
    url = reverse("targets:upload")

    def post(*rows):
        return client.post(url, {"file": SimpleUploadedFile("x.xlsx", xlsx([HEAD, *rows]))})

    response = post(["a", 2025, 11.5, 11.15, "BPS"], ["b", 2025, 1, 1, "BPS"])
    assert response.status_code == 422
    assert "tidak dikenal" in response.content.decode()
    assert not IndicatorYear.objects.exists()
    assert post(["a", 2025, 11.5, 11.15, "BPS"]).status_code == 302
    assert IndicatorYear.objects.get().actual == D("11.15")
    assert Event.objects.filter(action="targets.year.write").count() == 1


FIGURE_HEAD = ["Ukuran", "Kode wilayah", "Tahun", "Nilai", "Sumber", "Alamat sumber",
               "Sudah dicocokkan", "Dicocokkan dengan"]  # fmt: skip


def test_published_figures_go_out_and_in(tmp_path):
    services.load_published()
    path = tmp_path / "angka.xlsx"
    count = sheets.write_figures(path, queries.published())
    figures, faults = sheets.read_figures(path)
    assert not faults
    assert len(figures) == count == PublishedFigure.objects.count()
    assert services.write_published(figures, actor=None) == (0, 0)


def test_published_figures_are_corrected_and_added(tmp_path, xlsx, make_user):
    services.load_published()
    content = xlsx(
        [
            FIGURE_HEAD,
            ["p0", "33.02", 2024, 11.95, "BPS, Susenas Maret 2024", "", "ya", "Tabel BPS"],
            ["p1", "33.02", 2024, 1.61, "BPS, Susenas Maret 2024", "", "tidak", ""],
        ]
    )
    figures, faults = sheets.read_figures(written(tmp_path, content))
    assert not faults
    actor = make_user(Role.SECRETARIAT)
    assert services.write_published(figures, actor=actor) == (1, 1)
    assert PublishedFigure.objects.get(measure="p0", area_code="33.02", year=2024).is_verified
    assert PublishedFigure.objects.get(measure="p1", area_code="33.02").value == D("1.61")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (["kemiskinan", "33.02", 2024, 11, "BPS", "", "", ""], "Ukuran"),
        (["p0", "33.02", 2050, 11, "BPS", "", "", ""], "Tahun"),
        (["p0", "33.02", 2024, 1195, "BPS", "", "", ""], "Nilai"),
        (["line", "33.02", 2024, 529.31, "BPS", "", "", ""], "Nilai"),
        (["gini", "33.02", 2024, 35, "BPS", "", "", ""], "Nilai"),
        (["p0", "33.02", 2024, "", "BPS", "", "", ""], "Nilai"),
        (["p0", "Banyumas", 2024, 11, "BPS", "", "", ""], "Kode wilayah"),
        (["p0", "33.02", 2024, 11, "", "", "", ""], "Sumber"),
        (["p0", "33.02", 2024, 11, "BPS", "javascript:x", "", ""], "Alamat sumber"),
        (["p0", "33.02", 2024, 11, "BPS", "", "ya", ""], "Dicocokkan dengan"),
    ],
)
def test_what_a_published_figure_cannot_be(tmp_path, xlsx, row, column):
    _figures, faults = sheets.read_figures(written(tmp_path, xlsx([FIGURE_HEAD, row])))
    assert [f.column for f in faults] == [column]
    assert faults[0].row_number == 2


def test_every_measure_has_limits():
    assert set(sheets.LIMITS) == set(Measure)
