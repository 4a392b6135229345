from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import altair as alt
import pytest
from django.test import Client
from django.utils import timezone

from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.home import dashboards, queries
from guyub.ui.tests.test_design import FIRST_LOAD_LIMIT, linked_bytes

MOST_QUERIES = 15
# A first page asks ten apps what waits and how the work goes, each with one query or two.
MOST_QUERIES_OF_FIRST_PAGES = 32


def text_of(response: Any) -> str:
    """Return what a page says, without markup and with single spaces."""
    html = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html).replace("\u00ad", ""))


@pytest.fixture
def busy(filled_regency: Any, add_version: Any, make_run: Any, make_dataset: Any) -> None:
    """A regency at work: a reference with a trend, stale datasets, runs that wait, events."""
    from guyub.audit.services import record

    for age, households in ((200, 120), (100, 110), (10, 100)):
        version = add_version("dtsen", age, households)
    version.is_reference = True
    version.save()
    add_version("p3ke", 900)
    for number in range(12):
        make_dataset(f"kosong-{number}")
    for state in ("mapping", "done"):
        make_run(state)
    make_run("checked", counts={"accepted": 5})
    make_run("failed", "p3ke")
    for action in ("registry.person.reveal", "datasets.version.export", "accounts.login_failed"):
        record(action)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_page_of_few_queries(
    role: Role, busy: None, client_for: Callable[..., Client], django_assert_max_num_queries: Any
) -> None:
    client = client_for(role)
    client.get("/")

    with django_assert_max_num_queries(MOST_QUERIES_OF_FIRST_PAGES):
        response = client.get("/")

    assert response.status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_page_before_there_is_any_data(
    role: Role, regency: Any, client_for: Callable[..., Client]
) -> None:
    assert client_for(role).get("/").status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_every_page_is_light(role: Role, busy: None, client_for: Callable[..., Client]) -> None:
    client = client_for(role)
    html = client.get("/").content.decode()
    # Pages travel compressed; what they link may not, where nothing has prepared it.
    travels = client.get("/", headers={"accept-encoding": "gzip"})

    assert travels["Content-Encoding"] == "gzip"
    assert len(travels.content) + linked_bytes(html) < FIRST_LOAD_LIMIT


def test_whoever_has_not_signed_in_is_sent_to_the_public_page(client: Client, regency: Any) -> None:
    response = client.get("/")

    assert (response.status_code, response["Location"]) == (302, "/publik/")


def test_the_secretariat_sees_numbers_and_what_waits(
    busy: None, client_for: Callable[..., Client], make_user: Callable[..., Any]
) -> None:
    make_user(Role.AGENCY_OPERATOR, second_factor=False)
    make_user(Role.AUDITOR, second_factor=False)  # its role does not demand one

    page = text_of(client_for(Role.SECRETARIAT).get("/"))

    assert "9.930 Keluarga desil 1–2" in page
    assert "29.790 Jiwa desil 1–2" in page
    assert "331 Keluarga miskin ekstrem" in page
    assert "mapping.csv Menunggu pencocokan kolom" in page
    assert "checked.csv Menunggu persetujuan" in page
    assert "failed.csv Gagal" in page
    assert "done.csv" not in page
    assert "1 akun belum memakai verifikasi dua langkah" in page
    assert "1 dataset sudah usang" in page


def test_a_failed_run_waits_until_a_newer_one_or_two_weeks(
    make_run: Any, make_user: Callable[..., Any], add_version: Any
) -> None:
    secretariat = make_user(Role.SECRETARIAT)
    old = make_run("failed", "lama", file_name="lama.csv")
    old.created_at = timezone.now() - dt.timedelta(days=15)
    old.save()
    make_run("failed", "diulang", file_name="pertama.csv")
    make_run("done", "diulang")
    make_run("failed", "baru", file_name="baru.csv")

    runs, count = queries.runs_waiting(secretariat)

    assert [run.file_name for run in runs] == ["baru.csv"]
    assert count == 1


def test_many_runs_are_counted_not_listed(make_run: Any, client_for: Callable[..., Client]) -> None:
    for _ in range(9):
        make_run("checked")

    page = text_of(client_for(Role.SECRETARIAT).get("/"))

    assert page.count("checked.csv") == 6
    assert "3 impor lain menunggu" in page


@pytest.mark.parametrize("role", [Role.AGENCY_OPERATOR, Role.AGENCY_HEAD])
def test_an_agency_sees_only_its_own_runs_and_datasets(
    role: Role,
    filled_regency: Any,
    make_run: Any,
    make_dataset: Any,
    make_agency: Any,
    client_for: Callable[..., Client],
) -> None:
    make_dataset("rtlh", name="Rumah tidak layak huni", owner=make_agency("dinperkim"))
    make_dataset("bansos", name="Bantuan sosial", owner=make_agency("dinsos"))
    make_run("checked", "rtlh", file_name="rumah.csv")
    make_run("checked", "bansos", file_name="bansos.csv")

    page = text_of(client_for(role, agency=make_agency("dinsos")).get("/"))

    assert "bansos.csv" in page
    assert "Bantuan sosial" in page
    assert "rumah.csv" not in page
    assert "Rumah tidak layak huni" not in page


def test_an_agency_learns_what_its_entry_lacks(
    regency: Any, make_agency: Any, client_for: Callable[..., Client]
) -> None:
    agency = make_agency("dinkes", head_name="dr. Sri", phone="0281", duty="Kesehatan")

    page = text_of(client_for(Role.AGENCY_HEAD, agency=agency).get("/"))

    assert "Profil perangkat daerah 33% lengkap" in page
    assert "surel" in page
    missing = queries.completeness_of(agency).missing
    assert len(missing) == 6


def test_the_regent_sees_no_person_and_no_runs(
    busy: None, client_for: Callable[..., Client]
) -> None:
    page = text_of(client_for(Role.REGENT).get("/"))

    assert "9.930 Keluarga desil 1–2" in page
    assert "Kesegaran data tiap perangkat daerah" in page
    assert ".csv" not in page


def test_the_auditor_sees_sensitive_acts_by_role(
    regency: Any, client_for: Callable[..., Client], make_user: Callable[..., Any]
) -> None:
    from guyub.audit.services import record

    operator = make_user(Role.AGENCY_OPERATOR)
    for _ in range(3):
        record("registry.person.reveal", actor=operator, reason="Verifikasi")
    record("datasets.version.export", actor=operator, reason="Laporan")
    record("accounts.login_failed")
    record("accounts.second_factor_failed")

    watch = queries.watchfulness(timezone.now())

    assert [(act.kind, act.role, act.today, act.week) for act in watch.acts] == [
        ("export", "agency_operator", 1, 1),
        ("reveal", "agency_operator", 3, 3),
    ]
    assert (watch.failed_today, watch.failed_week) == (2, 2)
    page = text_of(client_for(Role.AUDITOR).get("/"))
    assert "2 Gagal masuk hari ini" in page
    assert "3 Buka NIK/KK hari ini" in page


def test_the_auditor_sees_whether_the_chain_holds(
    regency: Any, client_for: Callable[..., Client], settings: Any, tmp_path: Any
) -> None:
    from guyub.audit.services import drop_anchor, record

    settings.DATA_DIR = tmp_path
    client = client_for(Role.AUDITOR)
    before = text_of(client.get("/"))
    client.post("/jejak-audit/periksa/")
    anchor = drop_anchor()
    record("registry.person.edit")
    after = text_of(client.get("/"))
    record("audit.verify", detail={"checked": 3, "fault": "gap"})
    broken = text_of(client.get("/"))
    assert "Belum diperiksa Rantai jejak audit" in before
    assert "belum pernah dijangkarkan" in before
    assert "Utuh Rantai jejak audit" in after
    assert f"Jangkar terakhir: kejadian nomor {anchor['sequence']}," in after
    assert "; 1 kejadian sesudahnya" in after
    assert "Rusak Rantai jejak audit" in broken


def test_the_log_is_told_in_words(regency: Any, client_for: Callable[..., Client]) -> None:
    from guyub.audit.services import record

    record("registry.household.reveal", reason="Verifikasi lapangan")

    page = text_of(client_for(Role.AUDITOR).get("/"))

    assert "NIK/KK dibuka Sistem Verifikasi lapangan" in page


def test_last_weeks_acts_are_not_counted(regency: Any) -> None:
    from guyub.audit.services import record

    record("registry.person.reveal")

    assert queries.watchfulness(timezone.now() + dt.timedelta(days=8)).acts == []
    tomorrow = queries.watchfulness(timezone.now() + dt.timedelta(days=1)).acts
    assert [(act.today, act.week) for act in tomorrow] == [(0, 1)]


def test_an_area_operator_sees_own_numbers_and_changes(
    filled_regency: Any, village: Any, client_for: Callable[..., Client], make_user: Any
) -> None:
    from guyub.registry.models import Household, Origin, ValueChange

    origin = Origin.objects.create(channel="manual", as_of=timezone.localdate())
    elsewhere: Any = Area.objects.select_related("parent").get(code="33.02.02.2001")
    for name, place in (("Wagiyem", village), ("Sutarno", elsewhere)):
        household = Household.objects.create(
            head_name=name, village=place, district=place.parent, origin=origin
        )
        ValueChange.objects.create(
            kind="h",
            subject_id=household.pk,
            household_id=household.pk,
            field="floor",
            new_origin=origin,
            at=timezone.now(),
        )

    page = text_of(client_for(Role.AREA_OPERATOR, area=village).get("/"))
    district = text_of(client_for(Role.AREA_OPERATOR, area=elsewhere.parent).get("/"))

    assert "30 Keluarga desil 1–2" in page
    assert "Wagiyem" in page
    assert "lantai" in page
    assert "Sutarno" not in page
    assert "Sutarno" in district
    assert "Wagiyem" not in district


def test_searching_from_the_first_page_keeps_the_words_out_of_the_address(
    regency: Any, client_for: Callable[..., Client]
) -> None:
    html = client_for(Role.AREA_OPERATOR).get("/").content.decode()
    form = re.search(r'<form[^>]*action="/registri/"[^>]*>', html)

    assert form is not None
    assert 'method="post"' in form[0]


def test_the_map_follows_the_choice(filled_regency: Any, client_for: Callable[..., Client]) -> None:
    client = client_for(Role.REGENT)
    lumbir = Area.objects.get(code="33.02.01")
    villages = lumbir.children.count()

    desil_one = client.get("/", {"ukuran": "desil-1", "satuan": "jiwa"}).content.decode()

    assert f'title="Kecamatan Lumbir: {villages * 30}"' in desil_one
    assert 'href="/angka/33.02.01/"' in desil_one
    assert '<option value="desil-1" selected>' in desil_one


def test_the_trend_takes_the_newest_of_versions_of_one_day(
    filled_regency: Any, add_version: Any
) -> None:
    add_version(days_ago=100, households=100)
    add_version(days_ago=10, households=90)
    corrected = add_version(days_ago=10, households=80)

    points = queries.trend_of(corrected.dataset)

    assert [tally.households[1] for _day, tally in points] == [2700, 2160]
    assert points[0][0] < points[1][0]


def test_a_trend_needs_two_versions(filled_regency: Any, add_version: Any) -> None:
    first = add_version(days_ago=100)
    assert dashboards.trend_chart(first) is None

    add_version(days_ago=10)
    chart = dashboards.trend_chart(first)
    assert chart is not None
    alt.Chart.from_dict(chart.spec(), validate=True)
    assert ">Desil 1–2<" in chart.svg()


@pytest.mark.parametrize("code", ["33.02", "33.02.01", "33.02.01.2001"])
def test_the_numbers_of_an_area(
    code: str,
    busy: None,
    client_for: Callable[..., Client],
    django_assert_max_num_queries: Any,
) -> None:
    client = client_for(Role.REGENT)
    area = Area.objects.get(code=code)
    villages = {"33.02": 331, "33.02.01": area.children.count(), "33.02.01.2001": 1}[code]

    with django_assert_max_num_queries(MOST_QUERIES):
        response = client.get(f"/angka/{code}/")

    page = text_of(response)
    grouped = f"{villages * 30:,}".replace(",", ".")
    assert f"{grouped} Keluarga desil 1–2" in page
    assert area.title in page
    for key in ("children_chart", "desil_chart"):
        chart = response.context.get(key)
        if chart is not None:
            alt.Chart.from_dict(chart.spec(), validate=True)
            assert chart.svg().startswith("<svg")


def test_a_long_list_of_areas_is_paged_and_its_chart_is_short(
    filled_regency: Any, client_for: Callable[..., Client]
) -> None:
    response = client_for(Role.REGENT).get("/angka/33.02/")

    assert len(response.context["page"]) == 25
    assert len(response.context["children_chart"].rows) == 20
    assert "7 wilayah dengan jumlah terkecil tidak digambar." in text_of(response)


def test_an_area_that_is_not_there(regency: Any, client_for: Callable[..., Client]) -> None:
    assert client_for(Role.REGENT).get("/angka/33.02.99/").status_code == 404


def test_an_area_without_numbers_says_so(regency: Any, client_for: Callable[..., Client]) -> None:
    page = text_of(client_for(Role.REGENT).get("/angka/33.02.01/"))

    assert "Belum ada keluarga terdaftar di sini" in page


@pytest.mark.parametrize(
    ("role", "sees"),
    [(Role.SECRETARIAT, True), (Role.REGENT, False), (Role.AUDITOR, False)],
)
def test_only_those_who_may_are_led_to_the_list(
    role: Role, sees: bool, filled_regency: Any, client_for: Callable[..., Client]
) -> None:
    assert ("Daftar keluarga" in text_of(client_for(role).get("/angka/33.02.01/"))) is sees


def test_an_area_operator_is_led_to_the_list_of_the_own_area_only(
    filled_regency: Any, village: Any, client_for: Callable[..., Client]
) -> None:
    client = client_for(Role.AREA_OPERATOR, area=village)

    assert "Daftar keluarga" in text_of(client.get("/angka/33.02.01.2001/"))
    assert "Daftar keluarga" not in text_of(client.get("/angka/33.02.01.2002/"))


def test_an_account_that_lost_its_agency_is_refused_not_broken(
    regency: Any, client_for: Callable[..., Client]
) -> None:
    client = client_for(Role.AGENCY_OPERATOR)
    client.user.agency = None  # type: ignore[attr-defined]
    client.user.save()  # type: ignore[attr-defined]

    assert client.get("/").status_code == 403
