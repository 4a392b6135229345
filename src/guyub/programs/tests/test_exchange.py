import datetime as dt
import io

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.agencies.services import load_agencies
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.imports.reading import UnreadableFileError
from guyub.programs import exchange, services, workbook
from guyub.programs.exchange import Fate
from guyub.programs.models import Activity, Program, SubActivity, Upload


@pytest.fixture
def secretary(make_user):
    return make_user(Role.SECRETARIAT)


def exported(tmp_path, subs=None):
    """Return the bytes of the file that holds these sub-activities."""
    path = tmp_path / "program.xlsx"
    subs = SubActivity.objects.all() if subs is None else subs
    subs = subs.select_related("agency", "activity__program__mission").prefetch_related(
        "fundings", "areas"
    )
    workbook.write(path, workbook.rows_of(subs), [("Isi", "Program")])
    return path.read_bytes()


def edited(content, edit):
    """Return the file after ``edit(page, columns)``; columns are numbers by heading."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    page = book["Program"]
    edit(page, {cell.value: cell.column for cell in page[1]})
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def add_row(page, columns, **values):
    row = page.max_row + 1
    for name, value in values.items():
        page.cell(row, columns[name.replace("_", " ")], value)


def upload(content, user, name="program.xlsx"):
    return services.look_at_upload(content, name, actor=user)


def fates(looked_at):
    return [row["fate"] for row in looked_at.outcome["results"]]


def test_the_whole_demo_comes_back_unchanged(regency, secretary, tmp_path):
    load_agencies()
    services.load_programs(2026)
    looked_at = upload(exported(tmp_path), secretary)
    assert set(fates(looked_at)) == {Fate.SAME}
    assert len(fates(looked_at)) == SubActivity.objects.count()
    services.apply_upload(looked_at, actor=secretary)
    event = Event.objects.latest("sequence")
    assert event.action == "programs.upload.apply"
    assert event.detail["rows"]["same"] == SubActivity.objects.count()
    assert event.detail["changed"] == {}


def test_the_whole_demo_can_be_loaded_from_its_own_file(regency, secretary, tmp_path):
    load_agencies()
    services.load_programs(2026)
    content = exported(tmp_path)
    before = sorted(
        (
            sub.agency.code,
            sub.code,
            sub.name,
            sum(f.amount for f in sub.fundings.all()),
            sub.areas.count(),
        )
        for sub in SubActivity.objects.select_related("agency")
    )
    Program.objects.all().delete()

    def forget_ids(page, columns):
        for row in range(2, page.max_row + 1):
            page.cell(row, columns["ID"]).value = None

    looked_at = upload(edited(content, forget_ids), secretary)
    assert set(fates(looked_at)) == {Fate.NEW}
    assert not Program.objects.exists()  # a preview keeps nothing
    services.apply_upload(looked_at, actor=secretary)
    after = sorted(
        (
            sub.agency.code,
            sub.code,
            sub.name,
            sum(f.amount for f in sub.fundings.all()),
            sub.areas.count(),
        )
        for sub in SubActivity.objects.select_related("agency")
    )
    assert after == before


def test_an_edited_file_changes_just_what_was_edited(sub_activity, regency, secretary, tmp_path):
    def edit(page, columns):
        page.cell(2, columns["Kuota"], 150)
        page.cell(2, columns["APBD Kabupaten"], "Rp 3.000.000.000")
        page.cell(2, columns["Wilayah"], "33.02.01; Desa Cipete")
        page.cell(2, columns["Mulai"], dt.datetime(2026, 3, 1))

    looked_at = upload(edited(exported(tmp_path), edit), secretary)
    [row] = looked_at.outcome["results"]
    assert row["fate"] == Fate.CHANGED
    assert row["changes"] == [
        ["Kuota", "100", "150"],
        ["Mulai", "01/02/2026", "01/03/2026"],
        ["Wilayah", "", "33.02.01 Lumbir; 33.02.17.2009 Cipete"],
        ["APBD Kabupaten", "2.000.000.000", "3.000.000.000"],
    ]
    sub_activity.refresh_from_db()
    assert sub_activity.quota == 100
    services.apply_upload(looked_at, actor=secretary)
    sub_activity.refresh_from_db()
    assert sub_activity.quota == 150
    assert set(sub_activity.areas.values_list("code", flat=True)) == {"33.02.01", "33.02.17.2009"}
    assert Event.objects.latest("sequence").detail["changed"] == {
        str(sub_activity.pk): ["Kuota", "Mulai", "Wilayah", "APBD Kabupaten"]
    }
    assert fates(upload(exported(tmp_path), secretary)) == [Fate.SAME]


def test_new_rows_make_what_they_hang_on(sub_activity, secretary, tmp_path):
    def edit(page, columns):
        common = {"Perangkat_daerah": "Dinperkim", "Tahun": 2026, "Strategi": "Mengurangi kantong kemiskinan",
                  "Bentuk_bantuan": "Perbaikan rumah"}  # fmt: skip
        add_row(page, columns, **common, Kode_program="1.04.04", Program="Program Perumahan",
                Kode_kegiatan="1.04.04.2.01", Kegiatan="Pencegahan kumuh", Sub_kegiatan="Satu lagi")  # fmt: skip
        add_row(page, columns, **common, Program="Bantuan pusat", Kegiatan="BSPS", Sub_kegiatan="BSPS",
                APBN=8_000_000_000)  # fmt: skip

    looked_at = upload(edited(exported(tmp_path), edit), secretary)
    assert fates(looked_at) == [Fate.SAME, Fate.NEW, Fate.NEW]
    assert looked_at.outcome["programs"] == ["Bantuan pusat"]
    services.apply_upload(looked_at, actor=secretary)
    made = SubActivity.objects.get(name="BSPS")
    assert (made.starts_on, made.ends_on) == (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert made.recipient == "household"
    assert made.fundings.get().amount == 8_000_000_000
    assert Program.objects.count() == 2
    assert Activity.objects.count() == 2


FAULTS = [
    ("Perangkat daerah", "Dinas Karangan", "tidak dikenal"),
    ("Tahun", "dua ribu", "antara 2015 dan 2100"),
    ("Tahun", 1999, "antara 2015 dan 2100"),
    ("Kode program", "1.04", "tiga bagian"),
    ("Kode kegiatan", "1.04.03.2.01", "Yang tercatat: 1.04.04.2.01"),
    ("Kode sub kegiatan", "1.04.04.2.01.3", "empat angka"),
    ("Kode sub kegiatan", "1.04.04.2.02.0003", "tidak berada di bawah"),
    ("Sub kegiatan", None, "Wajib diisi"),
    ("Sub kegiatan", "x" * 251, "Paling panjang 250"),
    ("Program", "Program Lain", "Yang tercatat: Program Perumahan"),
    ("Misi", 3, "Yang tercatat: kosong"),
    ("Kegiatan", "Kegiatan lain", "Yang tercatat: Pencegahan kumuh"),
    ("Strategi", "Untung-untungan", "Pilih salah satu"),
    ("Bentuk bantuan", None, "Wajib diisi"),
    ("Desil dari", 11, "1 sampai 10"),
    ("Desil sampai", 0, "1 sampai 10"),
    ("Kuota", "banyak", "angka bulat"),
    ("Kuota", 0, "paling sedikit 1"),
    ("Mulai", "32/01/2026", "Tulis tanggal"),
    ("Selesai", dt.datetime(2027, 1, 1), "di luar tahun anggaran"),
    ("Wilayah", "33.99.99", "tidak dikenal"),
    ("Wilayah", "Lumbir", "ada di beberapa tempat"),
    ("Wilayah", "Atlantis", "tidak dikenal"),
    ("APBN", "setengah miliar", "angka bulat"),
    ("APBN", -5, "angka bulat"),
    ("ID", 987654, "Kosongkan ID"),
]


@pytest.mark.parametrize(("column", "value", "message"), FAULTS)
def test_a_faulty_cell_is_named_with_its_row_and_how_to_mend_it(
    sub_activity, regency, secretary, tmp_path, column, value, message
):
    def edit(page, columns):
        page.cell(2, columns[column]).value = value

    looked_at = upload(edited(exported(tmp_path), edit), secretary)
    [row] = looked_at.outcome["results"]
    assert row["fate"] == Fate.REJECTED
    assert row["number"] == 2
    [fault] = [fault for fault in row["faults"] if message in fault["message"]]
    assert fault["column"] == column
    services.apply_upload(looked_at, actor=secretary)
    assert SubActivity.objects.count() == Program.objects.count() == 1


def test_swapped_ranks_and_dates_are_told(sub_activity, secretary, tmp_path):
    def edit(page, columns):
        page.cell(2, columns["Desil dari"], 5)
        page.cell(2, columns["Selesai"], dt.datetime(2026, 1, 15))

    [row] = upload(edited(exported(tmp_path), edit), secretary).outcome["results"]
    assert {fault["column"] for fault in row["faults"]} == {"Desil sampai", "Selesai"}


def test_the_same_sub_activity_twice_is_told(sub_activity, secretary, tmp_path):
    def edit(page, columns):
        for cell in list(page[2]):
            page.cell(3, cell.column, cell.value)
        page.cell(3, columns["ID"]).value = None

    looked_at = upload(edited(exported(tmp_path), edit), secretary)
    assert fates(looked_at) == [Fate.SAME, Fate.REJECTED]
    assert "baris 2" in looked_at.outcome["results"][1]["faults"][0]["message"]


def test_a_rejected_row_leaves_no_program_behind(sub_activity, secretary, tmp_path):
    def edit(page, columns):
        good = {"Perangkat_daerah": "dinperkim", "Tahun": 2026, "Program": "Baru", "Kegiatan": "K",
                "Strategi": "income", "Bentuk_bantuan": "cash"}  # fmt: skip
        add_row(page, columns, **good, Sub_kegiatan="Salah", Kuota=0)
        add_row(page, columns, **(good | {"Program": "Lain"}), Sub_kegiatan="Benar")
        add_row(page, columns, **(good | {"Kegiatan": "L"}), Sub_kegiatan="Salah lagi", Kuota=0)

    looked_at = upload(edited(exported(tmp_path), edit), secretary)
    assert fates(looked_at)[1:] == [Fate.REJECTED, Fate.NEW, Fate.REJECTED]
    assert looked_at.outcome["programs"] == ["Lain"]
    services.apply_upload(looked_at, actor=secretary)
    assert set(Program.objects.values_list("name", flat=True)) == {"Program Perumahan", "Lain"}


def test_an_operator_imports_for_the_own_agency_only(
    sub_activity, agency, make_agency, make_user, tmp_path
):
    stranger = make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    content = edited(exported(tmp_path), lambda page, columns: page.cell(2, columns["Kuota"], 1))
    looked_at = upload(content, stranger)
    assert fates(looked_at) == [Fate.REJECTED]
    assert "hanya dapat mengimpor" in looked_at.outcome["results"][0]["faults"][0]["message"]
    services.apply_upload(looked_at, actor=stranger)
    sub_activity.refresh_from_db()
    assert sub_activity.quota == 100
    own = make_user(Role.AGENCY_OPERATOR, agency=agency)
    assert fates(upload(content, own)) == [Fate.CHANGED]


def test_absent_columns_leave_what_is_recorded(sub_activity, regency, secretary, tmp_path):
    sub_activity.areas.set(Area.objects.filter(code="33.02.01"))

    def edit(page, columns):
        page.cell(2, columns["Kuota"], 5)
        for name in ("Wilayah", "APBD Provinsi", "Uraian", "Desil dari", "Mulai"):
            page.cell(1, columns[name]).value = None

    looked_at = upload(edited(exported(tmp_path), edit), secretary)
    assert looked_at.outcome["results"][0]["changes"] == [["Kuota", "100", "5"]]


def test_what_changed_since_the_preview_is_looked_at_again(
    sub_activity, values, secretary, tmp_path
):
    content = edited(exported(tmp_path), lambda page, columns: page.cell(2, columns["Kuota"], 5))
    looked_at = upload(content, secretary)
    services.update_sub_activity(
        sub_activity, actor=None, values=values | {"quota": 70}, areas=[],
        fundings={"apbd_regency": 2_000_000_000, "apbd_province": 500_000_000},
    )  # fmt: skip
    with pytest.raises(exchange.StaleError):
        services.apply_upload(looked_at, actor=secretary)
    sub_activity.refresh_from_db()
    assert sub_activity.quota == 70
    looked_at.refresh_from_db()
    assert looked_at.outcome["results"][0]["changes"] == [["Kuota", "70", "5"]]
    services.apply_upload(looked_at, actor=secretary)
    with pytest.raises(ValidationError, match=r"sudah diterapkan"):
        services.apply_upload(looked_at, actor=secretary)


def test_text_that_looks_like_a_formula_stays_text(activity, values, secretary, tmp_path):
    nasty = '=HYPERLINK("http://jahat.test","klik")'
    services.create_sub_activity(
        activity, actor=None, values=values | {"name": nasty, "target_note": "+1+1"}, fundings={}
    )
    content = exported(tmp_path)
    page = openpyxl.load_workbook(io.BytesIO(content))["Program"]
    cells = [cell for row in page for cell in row if cell.value in (nasty, "+1+1")]
    assert len(cells) == 2
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    assert fates(upload(content, secretary)) == [Fate.SAME]


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    name=texts,
    description=st.text(st.sampled_from("ab \n\r=-+@\t")),
    quota=st.none() | st.integers(1, 2_000_000),
    amount=st.integers(0, 10**14),
    start=st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
    desil=st.none() | st.integers(1, 10),
)
def test_anything_comes_back_unchanged(
    activity, values, secretary, tmp_path, name, description, quota, amount, start, desil
):
    from django.db import transaction

    with transaction.atomic():
        services.create_sub_activity(
            activity,
            actor=None,
            values=values | {
                "name": name, "description": description, "quota": quota, "starts_on": start,
                "ends_on": dt.date(2026, 12, 31), "desil_min": desil, "desil_max": desil,
            },
            fundings={"csr": amount},
        )  # fmt: skip
        looked_at = upload(exported(tmp_path), secretary)
        assert fates(looked_at) == [Fate.SAME], looked_at.outcome
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bukan Excel"),
        (b"nama;kuota\n", "bukan Excel"),
        (b"\xd0\xcf\x11\xe0rest", "xls"),
        (b"PK\x03\x04rusak", "rusak"),
    ],
)
def test_what_is_no_such_file_is_refused(secretary, content, message):
    with pytest.raises(UnreadableFileError, match=message):
        upload(content, secretary)
    assert not Upload.objects.exists()


def test_other_tables_are_refused_with_what_is_missing(sub_activity, secretary, tmp_path):
    def other(page, columns):
        for cell in page[1]:
            cell.value = f"Kolom {cell.column}"

    content = exported(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"Kolom ini tidak ada: Tahun, Program"):
        # The sheet of choices is the nearest thing to a table that is left.
        upload(edited(content, other), secretary)
    with pytest.raises(UnreadableFileError, match=r"Kolom ini tidak ada: Strategi\."):
        upload(
            edited(content, lambda page, columns: page.cell(1, columns["Strategi"], "Siasat")),
            secretary,
        )


def test_the_pages_take_a_file_from_export_to_import(client_for, sub_activity, agency):
    client = client_for(Role.AGENCY_OPERATOR, agency=agency)
    response = client.get("/program/unduh/?perangkat=dinperkim")
    content = b"".join(response.streaming_content)
    assert response["Content-Disposition"] == 'attachment; filename="program-dinperkim-2026.xlsx"'
    content = edited(content, lambda page, columns: page.cell(2, columns["Kuota"], 5))
    response = client.post(
        "/program/impor/", {"file": SimpleUploadedFile("p.xlsx", content)}, follow=True
    )
    page = response.content.decode()
    assert "Terapkan 1 baris" in page
    assert "<del>100</del>" in page
    looked_at = Upload.objects.get()
    response = client.post(f"/program/impor/{looked_at.pk}/terapkan/", follow=True)
    page = response.content.decode()
    assert "0 baru, 1 berubah, 0 tetap, 0 ditolak" in page
    assert "Terapkan 1 baris" not in page
    response = client.post(f"/program/impor/{looked_at.pk}/terapkan/", follow=True)
    assert "sudah diterapkan" in response.content.decode()
    looked_at.refresh_from_db()
    assert bytes(looked_at.content) == b""
    bad = client.post("/program/impor/", {"file": SimpleUploadedFile("p.xlsx", b"x")})
    assert "bukan Excel" in bad.content.decode()
    template = b"".join(client.get("/program/templat/").streaming_content)
    response = client.post(
        "/program/impor/", {"file": SimpleUploadedFile("t.xlsx", template)}, follow=True
    )
    assert "tidak berisi baris apa pun" in response.content.decode()


def test_a_preview_reads_few_queries(client_for, regency, tmp_path, django_assert_max_num_queries):
    load_agencies()
    services.load_programs(2026)
    client = client_for(Role.SECRETARIAT)
    looked_at = upload(exported(tmp_path), client.user)
    with django_assert_max_num_queries(10):
        page = client.get(f"/program/impor/{looked_at.pk}/?hasil=same").content.decode()
    assert "Halaman 1 dari 7" in page
