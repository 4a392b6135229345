"""Pages of overlap: who sees names and who sums, what leads where, how many queries."""

from __future__ import annotations

import io

import openpyxl
import pytest
from django.urls import reverse

from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.overlaps import services
from guyub.overlaps.models import CaseState, OverlapCase

pytestmark = pytest.mark.django_db
LIST = "/tumpang-tindih/keluarga/daftar/"


@pytest.fixture
def found(two_repairs, make_household, enrol):
    """A household helped twice, one missed, one outside the target; reckoned."""
    homes = {
        "twice": make_household("33.02.17.2001", name="Rangkap", desil=2),
        "missed": make_household("33.02.17.2002", name="Terlewat", desil=1),
        "outside": make_household("33.02.17.2003", name="Kelewat", desil=8),
        "elsewhere": make_household("33.02.01.2001", name="Jauh", desil=2),
    }
    for sub in two_repairs:
        enrol(sub, homes["twice"])
    enrol(two_repairs[0], homes["outside"])
    services.reckon(2026)
    return homes


def names(response):
    return {row.household.head_name for row in response.context["rows"]}


def test_the_lists_hold_who_was_found(client_for, found):
    client = client_for(Role.SECRETARIAT)
    for finding, expected in {
        "rangkap": {"RANGKAP"},
        "terlewat": {"TERLEWAT", "JAUH"},
        "luar-sasaran": {"KELEWAT"},
        "dibantu": {"RANGKAP", "KELEWAT"},
        "belum": {"TERLEWAT", "JAUH"},
    }.items():
        assert names(client.get(LIST, {"temuan": finding, "tahun": 2026})) == expected
    narrow = {"temuan": "belum", "desil": "2", "wilayah": "33.02.01", "bentuk": "house_repair"}
    assert names(client.get(LIST, narrow)) == {"JAUH"}
    assert names(client.get(LIST, {"temuan": "terlewat", "desil": "5"})) == set()


def test_a_list_says_which_help_and_hides_numbers(client_for, found):
    response = client_for(Role.SECRETARIAT).get(LIST, {"temuan": "rangkap"})
    text = response.content.decode()
    assert "Perbaikan RTLH" in text
    assert "Bedah rumah" in text
    assert found["twice"].kk not in text
    assert found["twice"].masked_kk in text


def test_outside_the_target_tells_why(client_for, found, two_repairs, enrol, make_household):
    far = make_household("33.02.01.2002", name="Seberang", desil=2)
    enrol(two_repairs[0], far)
    enrol(two_repairs[1], found["outside"])
    services.reckon(2026)
    response = client_for(Role.SECRETARIAT).get(LIST, {"temuan": "luar-sasaran"})
    text = " ".join(response.content.decode().split())
    assert names(response) == {"KELEWAT", "SEBERANG"}
    assert "di luar wilayahnya" in text
    assert "sasaran desil 1–4)" in text
    helps = {row.household.head_name: len(row.helps) for row in response.context["rows"]}
    assert helps == {"KELEWAT": 2, "SEBERANG": 1}


def test_an_area_operator_sees_the_own_area_only(client_for, found):
    client = client_for(Role.AREA_OPERATOR, area=Area.objects.get(code="33.02.01"))
    assert names(client.get(LIST, {"temuan": "terlewat"})) == {"JAUH"}
    assert names(client.get(LIST, {"temuan": "terlewat", "wilayah": "33.02.17"})) == set()
    assert names(client.get(LIST, {"temuan": "terlewat", "wilayah": "33.02"})) == {"JAUH"}


def test_the_regent_sees_sums_and_no_way_to_names(client_for, found):
    client = client_for(Role.REGENT)
    assert client.get(LIST).status_code == 403
    for path in ("", "keluarga/", "cakupan/", "cakupan/wilayah/", "anggaran/"):
        response = client.get(f"/tumpang-tindih/{path}")
        assert response.status_code == 200
        assert LIST not in response.content.decode()
    case = OverlapCase.objects.get()
    assert LIST not in client.get(reverse("overlaps:case", args=[case.pk])).content.decode()


def test_sums_by_area_open_the_area(client_for, found):
    client = client_for(Role.REGENT)
    response = client.get("/tumpang-tindih/keluarga/", {"temuan": "terlewat"})
    rows = {row.area.code: (row.households, row.of) for row in response.context["page"]}
    assert rows["33.02.17"] == (1, 2)
    assert rows["33.02.01"] == (1, 1)
    response = client.get(
        "/tumpang-tindih/keluarga/", {"temuan": "terlewat", "wilayah": "33.02.17"}
    )
    rows = {row.area.code: row.households for row in response.context["page"]}
    assert rows["33.02.17.2002"] == 1


def test_the_matrix_counts_and_links(client_for, found):
    response = client_for(Role.SECRETARIAT).get("/tumpang-tindih/cakupan/")
    row = next(row for row in response.context["matrix"] if row.key == "house_repair")
    cells = {cell.desil: (cell.helped, cell.of) for cell in row.cells}
    assert cells[2] == (1, 2)
    assert cells[8] == (1, 1)
    assert cells[1] == (0, 1)
    assert (row.total.helped, row.total.of) == (2, 4)
    text = response.content.decode()
    assert "bentuk=house_repair&amp;desil=2&amp;temuan=dibantu" in text
    assert "bentuk=house_repair&amp;desil=1&amp;temuan=belum" in text
    by_area = client_for(Role.REGENT).get(
        "/tumpang-tindih/cakupan/wilayah/", {"bentuk": "house_repair"}
    )
    rows = {row.key: row.total.helped for row in by_area.context["matrix"]}
    assert rows["33.02.17"] == 2
    assert rows["33.02.01"] == 0


def test_the_matrix_as_a_file(client_for, found):
    response = client_for(Role.REGENT).get("/tumpang-tindih/cakupan/unduh/")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    rows = {row[0]: row for row in book["Data"].iter_rows(values_only=True)}
    heading = rows["Bentuk bantuan"]
    assert rows["Perbaikan rumah"][heading.index("Desil 2: dibantu")] == 1
    assert rows["Perbaikan rumah"][heading.index("Semua: keluarga")] == 4


def test_an_export_needs_a_reason_and_leaves_a_trace(client_for, found):
    client = client_for(Role.SECRETARIAT)
    path = "/tumpang-tindih/keluarga/unduh/?temuan=rangkap"
    assert client.post(path, {"reason": "ya"}).status_code == 422
    response = client.post(path, {"reason": "Rapat koordinasi TKPKD"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    rows = list(book["Data"].iter_rows(values_only=True))
    assert len(rows) == 2
    assert rows[1][1] == "RANGKAP"
    assert found["twice"].kk not in str(rows)
    about = dict(book["Keterangan"].iter_rows(values_only=True))
    assert about["Alasan"] == "Rapat koordinasi TKPKD"
    event = Event.objects.get(action="overlaps.list.export")
    assert (event.detail["rows"], event.detail["list"]) == (1, "rangkap")


def test_an_agency_takes_out_only_whom_it_helps(client_for, found, make_agency):
    own = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinperkim"))
    other = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinsos"))
    for client, finding, expected in (
        (own, "luar-sasaran", {"KELEWAT"}),
        (other, "luar-sasaran", set()),
        (other, "rangkap", {"RANGKAP"}),
        (other, "terlewat", {"TERLEWAT", "JAUH"}),
    ):
        response = client.post(
            f"/tumpang-tindih/keluarga/unduh/?temuan={finding}", {"reason": "Pemutakhiran data"}
        )
        book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
        rows = list(book["Data"].iter_rows(min_row=2, values_only=True))
        assert {row[1] for row in rows} == expected


def test_an_area_operator_takes_out_the_missed_of_the_own_area(client_for, found):
    client = client_for(Role.AREA_OPERATOR, area=Area.objects.get(code="33.02.01"))
    path = "/tumpang-tindih/keluarga/unduh/"
    assert client.get(path, {"temuan": "rangkap"}).status_code == 403
    response = client.post(f"{path}?temuan=terlewat&wilayah=33.02", {"reason": "Usulan desa kami"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    assert [row[1] for row in book["Data"].iter_rows(min_row=2, values_only=True)] == ["JAUH"]


def test_formulas_in_names_stay_text(client_for, make_household):
    make_household("33.02.17.2001", name="=1+1", desil=1)
    services.reckon(2026)
    response = client_for(Role.SECRETARIAT).post(
        "/tumpang-tindih/keluarga/unduh/?temuan=terlewat", {"reason": "Rapat koordinasi"}
    )
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    cell = next(c for row in book["Data"].iter_rows() for c in row if c.value == "=1+1")
    assert cell.data_type == "s"


def test_the_case_page_compares_its_sub_activities(client_for, found, two_repairs):
    case = OverlapCase.objects.get()
    response = client_for(Role.AGENCY_HEAD).get(reverse("overlaps:case", args=[case.pk]))
    text = response.content.decode()
    assert "1 keluarga dibantu lebih dari satu" in text
    meeting = response.context["meetings"][0]
    assert meeting.households == 1
    assert meeting.desil == (1, 2)
    assert meeting.starts_on == two_repairs[1].starts_on
    assert "(Cilongok)" in meeting.places[0]
    pair = f"{meeting.a.pk}-{meeting.b.pk}"
    assert f"kasus={case.pk}&amp;pasangan={pair}" in text
    listed = client_for(Role.SECRETARIAT).get(LIST, {"kasus": case.pk, "pasangan": pair})
    assert names(listed) == {"RANGKAP"}


def test_settling_through_the_form(client_for, found, two_repairs):
    case = OverlapCase.objects.get()
    client = client_for(Role.SECRETARIAT)
    path = reverse("overlaps:settle", args=[case.pk])
    values = {"ruling": "one_leads", "lead_agency": "", "note": "Dinperkim memimpin di Cilongok."}
    refused = client.post(path, values)
    assert refused.status_code == 422
    assert "Pilih perangkat daerah yang memimpin" in refused.content.decode()
    values["lead_agency"] = two_repairs[0].agency_id
    assert client.post(path, values).status_code == 302
    case.refresh_from_db()
    assert case.state == CaseState.SETTLED
    shown = client_for(Role.REGENT).get(reverse("overlaps:case", args=[case.pk]))
    assert "Dinperkim memimpin di Cilongok." in shown.content.decode()
    path = reverse("overlaps:reopen", args=[case.pk])
    assert client.post(path, {"reason": "Dinsos menyanggah putusan."}).status_code == 302
    case.refresh_from_db()
    assert case.state == CaseState.OPEN


def test_agencies_talk_and_others_read(client_for, found):
    case = OverlapCase.objects.get()
    path = reverse("discussions:write", args=["overlaps.overlapcase", case.pk])
    said = {"pesan": "Kami sudah mendata rumahnya."}
    assert client_for(Role.AGENCY_OPERATOR).post(path, said).status_code == 302
    assert client_for(Role.AREA_OPERATOR).post(path, said).status_code == 403
    page = client_for(Role.AREA_OPERATOR).get(reverse("overlaps:case", args=[case.pk]))
    assert "Kami sudah mendata rumahnya." in page.content.decode()
    assert 'name="pesan"' not in page.content.decode()


def test_the_ruling_stands_on_the_programs_page(client_for, found, two_repairs, make_user):
    case = OverlapCase.objects.get()
    services.settle(
        case,
        ruling="one_leads",
        lead_agency=two_repairs[0].agency,
        note="Dinsos menyerahkan datanya.",
        actor=make_user(Role.SECRETARIAT),
    )
    program = two_repairs[1].activity.program
    text = (
        client_for(Role.AGENCY_OPERATOR)
        .get(reverse("programs:detail", args=[program.pk]))
        .content.decode()
    )
    assert "Dinsos menyerahkan datanya." in text
    assert reverse("overlaps:case", args=[case.pk]) in text


def test_before_reckoning_pages_say_so(client_for, two_repairs):
    for path in ("", "keluarga/", "keluarga/daftar/", "cakupan/", "cakupan/wilayah/"):
        text = client_for(Role.SECRETARIAT).get(f"/tumpang-tindih/{path}").content.decode()
        assert "Belum dihitung" in text
        assert "Hitung sekarang" in text
        assert (
            "Hitung sekarang</button>"
            not in client_for(Role.AGENCY_HEAD).get(f"/tumpang-tindih/{path}").content.decode()
        )


def test_the_secretariat_reckons_at_the_press_of_a_button(client_for, two_repairs):
    client = client_for(Role.SECRETARIAT)
    response = client.post("/tumpang-tindih/hitung/", {"tahun": "2026"}, follow=True)
    assert "1 kasus perlu dibahas" in response.content.decode()
    assert Event.objects.get(action="overlaps.reckon").actor_id == client.user.pk


@pytest.mark.parametrize(
    "query",
    [
        "?tahun=abcd&wilayah=../../x&bentuk=zzz&desil=99&halaman=-3",
        "?tahun=9999&kasus=999999999999999999&pasangan=1-2-3",
        "?desil=²&kasus=²&pasangan=²-1&temuan=%00",
    ],
)
def test_nonsense_in_the_address_is_ignored(client_for, found, query):
    client = client_for(Role.SECRETARIAT)
    for path in ("", "keluarga/", "keluarga/daftar/", "cakupan/", "cakupan/wilayah/", "anggaran/"):
        assert client.get(f"/tumpang-tindih/{path}{query}").status_code == 200


def test_pages_ask_the_database_little(client_for, found, django_assert_max_num_queries):
    client = client_for(Role.SECRETARIAT)
    case = OverlapCase.objects.get()
    client.get("/tumpang-tindih/")
    for path, most in (
        ("", 20),
        (f"kasus/{case.pk}/", 24),
        ("keluarga/", 14),
        ("keluarga/daftar/?temuan=rangkap", 14),
        ("cakupan/", 12),
        ("cakupan/wilayah/?bentuk=cash", 13),
        ("anggaran/", 14),
    ):
        with django_assert_max_num_queries(most):
            assert client.get(f"/tumpang-tindih/{path}").status_code == 200


def test_the_api_gives_cases_and_coverage(client_for, found):
    client = client_for(Role.REGENT)
    (case,) = client.get("/api/v1/overlaps/cases?year=2026").json()["items"]
    assert (case["help_kind"], case["households"]) == ("house_repair", 1)
    assert case["agencies"] == ["dinperkim", "dinsos"]
    coverage = client.get("/api/v1/overlaps/coverage/33.02.17?year=2026").json()
    row = next(row for row in coverage["rows"] if row["help_kind"] == "house_repair")
    assert (row["helped"]["2"], row["of"]["2"]) == (1, 1)
    assert client.get("/api/v1/overlaps/coverage/33.02.17?year=2001").status_code == 404


def test_what_waits_for_whom(found, make_user, make_agency):
    from guyub.overlaps import queries

    assert queries.waiting(make_user(Role.SECRETARIAT)).total == 1
    dinsos = make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinsos"))
    assert queries.waiting(dinsos).total == 1
    dinkes = make_user(Role.AGENCY_HEAD, agency=make_agency("dinkes"))
    assert queries.waiting(dinkes).total == 0
    assert queries.waiting(make_user(Role.REGENT)).total == 0
    summary = queries.summary(2026)
    assert (summary.open_cases, summary.doubled, summary.missed, summary.outside) == (1, 1, 2, 1)
